/** Fingerprints of certificates as people give them. Pure. */

/** SHA-256 as `fingerprintOf` writes it, of a text with or without colons; `undefined` if it is none. */
export function readFingerprint(text: string): string | undefined {
  const digits = text.trim().replaceAll(":", "").toUpperCase();
  return /^[0-9A-F]{64}$/.test(digits) ? digits.replace(/..(?=.)/g, "$&:") : undefined;
}
