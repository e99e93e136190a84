/** Fingerprints of certificates as people give them. Pure. */

/** Hexadecimal digits as fingerprints are written: capitals, in pairs between colons. */
export function inPairs(digits: string): string {
  return digits.toUpperCase().replace(/..(?=.)/g, "$&:");
}

/** SHA-256 as `fingerprintOf` writes it, of a text with or without colons; `undefined` if it is none. */
export function readFingerprint(text: string): string | undefined {
  const digits = text.trim().replaceAll(":", "").toUpperCase();
  return /^[0-9A-F]{64}$/.test(digits) ? inPairs(digits) : undefined;
}
