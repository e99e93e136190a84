/**
 * Verifiers, which are stored instead of secrets: `scrypt$<N>$<salt>$<key>`, with salt and key in hexadecimal digits.
 * So the cost can be raised later, and older verifiers go on working. C. Percival, "Stronger Key Derivation via
 * Sequential Memory-Hard Functions", 2009; RFC 7914.
 */

import type { SecretCrypto } from "../../platform/crypto.ts";

/** N: about 50 ms and 16 MiB for each try, on one core of 2020. */
const COST = 16_384;
const SALT_BYTES = 16;
const KEY_BYTES = 32;
/** Refused above this, as a verifier from elsewhere must not be able to take all memory. */
const MAX_COST = 1 << 20;

/** Makes a verifier for `secret`. */
export async function makeVerifier(secret: string, crypto: SecretCrypto): Promise<string> {
  const salt = crypto.randomBytes(SALT_BYTES);
  const key = await crypto.scrypt(secret, salt, COST, KEY_BYTES);
  return `scrypt$${COST}$${toHex(salt)}$${toHex(key)}`;
}

/** Whether `verifier` was made from `secret`. An unreadable verifier matches nothing. */
export async function matchesVerifier(secret: string, verifier: string, crypto: SecretCrypto): Promise<boolean> {
  const [scheme, cost, salt, key] = verifier.split("$");
  const n = Number(cost);
  const isPowerOfTwo = Number.isInteger(n) && n > 1 && n <= MAX_COST && (n & (n - 1)) === 0;
  if (scheme !== "scrypt" || !isPowerOfTwo || !salt || !key) return false;
  const expected = fromHex(key);
  return crypto.isEqual(await crypto.scrypt(secret, fromHex(salt), n, expected.length), expected);
}

/** Two hexadecimal digits a byte. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function fromHex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
