// @ts-check
/**
 * How a change of an account is sealed (docs/protocol.md, section 2.17): as `protocol/login/account_change.ts` has it
 * for the library. A test keeps the two equal. Pure.
 */

/**
 * What a server keeps of a new secret, with the salt that the page has made.
 * @typedef {{ readonly salt: Uint8Array, readonly storedKey: Uint8Array, readonly serverKey: Uint8Array }} NewKeys
 */
/** @typedef {"secret" | "forget"} Change */
/** @typedef {(key: Uint8Array, bytes: Uint8Array) => Uint8Array} Hmac With SHA-256. */

/** scrypt's N of every new secret, as in `protocol/login/account_change.ts`. */
export const NEW_SECRET_COST = 16_384;
export const NEW_SALT_BYTES = 16;
const KEY_BYTES = 32;
const encoder = new TextEncoder();

/**
 * The key that seals a change: no listener has it, as it is made from the client's key.
 * @param {Uint8Array} clientKey
 * @param {Uint8Array} said What both proofs are over.
 * @param {Hmac} hmac
 */
export function changeKeyOf(clientKey, said, hmac) {
  return hmac(clientKey, joined(encoder.encode("Change of account "), said));
}

/**
 * Seals a change, as base64.
 * @param {Uint8Array} key
 * @param {Change} change
 * @param {NewKeys | undefined} keys They come with a new secret.
 * @param {Hmac} hmac
 */
export function sealChange(key, change, keys, hmac) {
  const plain = keys === undefined ? new Uint8Array() : joined(keys.salt, keys.storedKey, keys.serverKey);
  const hidden = plain.map((byte, at) => byte ^ (blockOf(key, Math.floor(at / KEY_BYTES), hmac)[at % KEY_BYTES] ?? 0));
  const tag = hmac(key, joined(encoder.encode(`seal ${change} `), hidden));
  return btoa(String.fromCharCode(...hidden, ...tag));
}

/** @param {Uint8Array} key @param {number} at @param {Hmac} hmac */
function blockOf(key, at, hmac) {
  return hmac(key, encoder.encode(`hide ${at}`));
}

/** @param {...Uint8Array} parts */
function joined(...parts) {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
