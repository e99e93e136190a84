// @ts-check
/**
 * Answers a server's challenge: derives the key from the secret, and makes both proofs; with a change of the account,
 * also what seals it. Loads scrypt when the first one is answered. A page that comes back derives nothing anew.
 */

import { changeKeyOf, NEW_SALT_BYTES, NEW_SECRET_COST, sealChange } from "./account/seal.js";
import { spoken, withoutProof } from "./login_proof.js";

/** @typedef {import("./login_proof.js").Question} Question */
/** @typedef {import("./account/seal.js").NewKeys} NewKeys */

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
 * @param {Question} question
 * @param {string} secret
 * @returns {Promise<{ response: string, serverFinal: string }>}
 */
export async function answer(question, secret) {
  const { response, serverFinal } = await prove(question, secret);
  return { response, serverFinal };
}

/**
 * The same, with a change of the account that only this server can read.
 * @param {Question} question
 * @param {string} secret The one of now.
 * @param {import("./account/seal.js").Change} change
 * @param {NewKeys | undefined} keys
 */
export async function sealedAnswer(question, secret, change, keys) {
  const { hmacOf } = await functions();
  const { response, serverFinal, clientKey, said } = await prove(question, secret);
  return { response, serverFinal, sealed: sealChange(changeKeyOf(clientKey, said, hmacOf), change, keys, hmacOf) };
}

/**
 * What a server keeps of a new secret.
 * @param {string} secret
 * @returns {Promise<NewKeys>}
 */
export async function newKeysOf(secret) {
  const { hmacOf, sha256, derive } = await functions();
  const salt = crypto.getRandomValues(new Uint8Array(NEW_SALT_BYTES));
  const key = await derive(secret, salt, NEW_SECRET_COST);
  const storedKey = sha256(hmacOf(key, encoder.encode("Client Key")));
  return { salt, storedKey, serverKey: hmacOf(key, encoder.encode("Server Key")) };
}

/** Nobody is logged in any more: nothing of the secret stays. */
export function forget() {
  last = undefined;
}

/** @param {Question} question @param {string} secret */
async function prove(question, secret) {
  const { hmacOf, sha256, derive } = await functions();
  const { salt, cost } = question;
  const from = JSON.stringify([secret, cost, ...salt]);
  if (last?.from !== from) last = { from, key: derive(secret, salt, cost) };
  const key = await last.key;
  const said = encoder.encode(spoken(question));
  const clientKey = hmacOf(key, encoder.encode("Client Key"));
  const signature = hmacOf(sha256(clientKey), said);
  const proof = clientKey.map((byte, index) => byte ^ (signature[index] ?? 0));
  const serverKey = hmacOf(key, encoder.encode("Server Key"));
  return {
    response: `${withoutProof(question)},p=${base64(proof)}`,
    serverFinal: `v=${base64(hmacOf(serverKey, said))}`,
    clientKey,
    said,
  };
}

/** What takes cryptography: a page over plain HTTP has none of its own. */
async function functions() {
  const { hmac, scryptAsync, sha256 } = await import("../kept/scrypt.js");
  return {
    /** @param {Uint8Array} key @param {Uint8Array} bytes @returns {Uint8Array} */
    hmacOf: (key, bytes) => hmac(sha256, key, bytes),
    /** @param {Uint8Array} bytes @returns {Uint8Array} */
    sha256: (bytes) => sha256(bytes),
    /** @param {string} secret @param {Uint8Array} salt @param {number} cost @returns {Promise<Uint8Array>} */
    derive: (secret, salt, cost) => scryptAsync(encoder.encode(secret), salt, { N: cost, ...SCRYPT }),
  };
}

/** @param {Uint8Array} bytes */
function base64(bytes) {
  return btoa(String.fromCharCode(...bytes));
}
