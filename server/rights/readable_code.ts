/** Codes that people read to each other and type: an invitation, a secret that a server makes. Pure. */

/** Letters and digits that are not taken for each other. A power of two, so that all are as likely. */
const ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789";

/** A code with a character, which has 5 bits, for each byte of `chance`; in groups of `groupOf` where that is given. */
export function readableCode(chance: Uint8Array, groupOf = Infinity): string {
  const letters = Array.from(chance, (byte) => ALPHABET[byte % ALPHABET.length]!);
  return letters.map((letter, index) => (index > 0 && index % groupOf === 0 ? "-" : "") + letter).join("");
}
