// @ts-check
/**
 * Answers a server's challenge: derives the key from the secret, and makes both proofs. Loads scrypt when the first one
 * is answered. A page that comes back derives nothing anew.
 */

import { spoken, withoutProof } from "./login_proof.js";

/** As in a server's verifier. */
const SCRYPT = { r: 8, p: 1, dkLen: 32 };
const encoder = new TextEncoder();
/** The last key, and what it was derived from. @type {{ from: string, key: Promise<Uint8Array> } | undefined} */
let last;

/** Random bytes for a nonce, as a server takes them. Also on a page over plain HTTP. */
export function newNonce() {
  return base64(crypto.getRandomValues(new Uint8Array(18)));
}

/**
 * The answer, and what a server says then that knows the account.
 * @param {import("./login_proof.js").Question} question
 * @param {string} secret
 * @returns {Promise<{ response: string, serverFinal: string }>}
 */
export async function answer(question, secret) {
  const { hmac, scryptAsync, sha256 } = await import("../kept/scrypt.js");
  const { salt, cost } = question;
  const from = JSON.stringify([secret, cost, ...salt]);
  if (last?.from !== from) last = { from, key: scryptAsync(encoder.encode(secret), salt, { N: cost, ...SCRYPT }) };
  const key = await last.key;
  const said = encoder.encode(spoken(question));
  const clientKey = hmac(sha256, key, encoder.encode("Client Key"));
  const signature = hmac(sha256, sha256(clientKey), said);
  const proof = clientKey.map((byte, index) => byte ^ (signature[index] ?? 0));
  const serverKey = hmac(sha256, key, encoder.encode("Server Key"));
  return {
    response: `${withoutProof(question)},p=${base64(proof)}`,
    serverFinal: `v=${base64(hmac(sha256, serverKey, said))}`,
  };
}

/** Nobody is logged in any more: nothing of the secret stays. */
export function forget() {
  last = undefined;
}

/** @param {Uint8Array} bytes */
function base64(bytes) {
  return btoa(String.fromCharCode(...bytes));
}
