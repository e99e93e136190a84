/**
 * The exchange in which a user proves a secret without telling it, and the server proves that it knows the account: RFC
 * 5802 with SHA-256, and with scrypt (r = 8, p = 1) in the place of PBKDF2. `i` of the server's first message is
 * scrypt's N. Functions over texts: nonces, derived keys and the hash are arguments. Pure.
 *
 *     client                                              server
 *     n,,n=anna,r=<client's nonce>                 ─────▶
 *                                                  ◀───── r=<both nonces>,s=<salt>,i=<N>
 *     c=biws,r=<both nonces>,p=<client's proof>    ─────▶
 *                                                  ◀───── v=<server's proof>
 *
 * By TLS the first message begins with `p=tls-server-end-point,,`, and `c` has this with what the client knows of the
 * server's certificate (RFC 5929). So a proof is good on its own connection alone.
 */

import { joinBytes } from "../join_bytes.ts";

/** SHA-256 and its HMAC. */
export interface ScramHash {
  sha256(bytes: Uint8Array): Uint8Array;
  hmacOf(key: Uint8Array, bytes: Uint8Array): Uint8Array;
}

/** What a server keeps of a secret: enough to check a proof, and not enough to make one. */
export interface ScramKeys {
  readonly storedKey: Uint8Array;
  /** Enough to make the server's proof. */
  readonly serverKey: Uint8Array;
}

/** How a key is derived from the secret. */
export interface ScramDerivation {
  readonly salt: Uint8Array;
  /** scrypt's N. */
  readonly cost: number;
}

/** The client's first message. */
export interface ClientFirst {
  readonly username: string;
  readonly nonce: string;
  /** Its beginning up to the name, which `c` of the client's last message repeats. */
  readonly header: string;
  /** What this side knows of the connection that the exchange is bound to; empty where it is bound to none. */
  readonly binding: Uint8Array;
  /** The rest. */
  readonly bare: string;
}

/** What both sides have said before the client's proof. */
export interface ScramTalk {
  readonly first: ClientFirst;
  /** The server's first message, as it stands. */
  readonly serverFirst: string;
  /** Both nonces. */
  readonly nonce: string;
}

/** The server's first message, as a client takes it. */
export type ServerFirst =
  | ({ readonly ok: true; readonly talk: ScramTalk } & ScramDerivation)
  | { readonly ok: false; readonly problem: string };

/** The client's last message, and what the server has to answer. */
export interface ClientProof {
  readonly response: string;
  /** The server's last message, if it knows the account. */
  readonly serverFinal: string;
  /** Seals what comes with the proof (`account_change.ts`): no listener has it. */
  readonly changeKey: Uint8Array;
}

/** A server that asks for less wants a proof against which secrets are tried cheaply. */
const LEAST_COST = 16_384;
/** 128 MiB. More would let a server use up a client's memory. */
const MOST_COST = 131_072;
const LEAST_SALT_BYTES = 8;
const MOST_SALT_BYTES = 64;
/** Of one side. What is made here has 144 bits. */
const NONCE = /^[\x21-\x2b\x2d-\x7e]{16,128}$/;
/** Of both sides. */
const MOST_NONCE_LENGTH = 256;
/** No binding to a channel, and one to the certificate that the server has shown. */
const UNBOUND = "n,,";
const BOUND = "p=tls-server-end-point,,";
const NOTHING = new Uint8Array();
const KEY_BYTES = 32;
const encoder = new TextEncoder();

/**
 * The text of the client's first message, as `first` takes it apart. The exchange is bound to `binding`, if there is
 * one.
 */
export function clientFirst(
  username: string,
  nonce: string,
  binding: Uint8Array = NOTHING,
): { readonly first: ClientFirst; readonly text: string } {
  const header = binding.length > 0 ? BOUND : UNBOUND;
  const bare = `n=${username.replaceAll("=", "=3D").replaceAll(",", "=2C")},r=${nonce}`;
  return { first: { username, nonce, header, binding, bare }, text: `${header}${bare}` };
}

/**
 * Takes the client's first message apart; `undefined` if it is none that this server understands. `binding` is what the
 * server knows of the connection, if it knows anything.
 */
export function readClientFirst(text: string, binding: Uint8Array = NOTHING): ClientFirst | undefined {
  const [, header, name, nonce] = /^(n,,|p=tls-server-end-point,,)n=([^,]*),r=([^,]*)$/su.exec(text) ?? [];
  if (header === undefined || name === undefined || nonce === undefined || !NONCE.test(nonce)) return undefined;
  // Every "=" begins one of two escapes.
  if (/=(?!2C|3D)/.test(name)) return undefined;
  const username = name.replaceAll("=2C", ",").replaceAll("=3D", "=");
  return { username, nonce, header, binding: header === BOUND ? binding : NOTHING, bare: text.slice(header.length) };
}

/** Whether the client binds the exchange to a connection by TLS, which this side does not see. */
export function isUnbindable({ header, binding }: ClientFirst): boolean {
  return header === BOUND && binding.length === 0;
}

/** Whether `response` is bound to another connection by TLS than the one that this side knows. */
export function isOfOtherChannel(talk: ScramTalk, response: string): boolean {
  return talk.first.header === BOUND && !response.startsWith(`${spoken(talk).withoutProof},`);
}

/** The server's answer to `first`. */
export function challenge(first: ClientFirst, serverNonce: string, { salt, cost }: ScramDerivation): ScramTalk {
  const nonce = `${first.nonce}${serverNonce}`;
  return { first, nonce, serverFirst: `r=${nonce},s=${toBase64(salt)},i=${cost}` };
}

/** Reads the server's first message as the answer to `first`, for a client. */
export function readServerFirst(first: ClientFirst, text: string): ServerFirst {
  const [, nonce, saltText, costText] = /^r=([^,]*),s=([^,]*),i=([1-9]\d{0,8})$/.exec(text) ?? [];
  if (nonce === undefined) return { ok: false, problem: "its challenge cannot be read" };
  const isAnswer = nonce.startsWith(first.nonce) && NONCE.test(nonce.slice(first.nonce.length));
  if (!isAnswer || nonce.length > MOST_NONCE_LENGTH) return { ok: false, problem: "its challenge is of another login" };
  const salt = fromBase64(saltText!);
  if (salt === undefined || salt.length < LEAST_SALT_BYTES || salt.length > MOST_SALT_BYTES) {
    return { ok: false, problem: "its challenge has no salt" };
  }
  const cost = Number(costText);
  const isPowerOfTwo = Number.isInteger(Math.log2(cost));
  if (!isPowerOfTwo || cost < LEAST_COST || cost > MOST_COST) {
    return { ok: false, problem: `its challenge asks for scrypt with N = ${costText}` };
  }
  return { ok: true, talk: { first, nonce, serverFirst: text }, salt, cost };
}

/** The keys that a server keeps of a secret from which scrypt made `derived`. */
export function keysOf(derived: Uint8Array, hash: ScramHash): ScramKeys {
  return {
    storedKey: hash.sha256(hash.hmacOf(derived, encoder.encode("Client Key"))),
    serverKey: hash.hmacOf(derived, encoder.encode("Server Key")),
  };
}

/** The client's proof that it knows the secret from which scrypt made `derived`, and the proof that it waits for. */
export function prove(talk: ScramTalk, derived: Uint8Array, hash: ScramHash): ClientProof {
  const { said, withoutProof } = spoken(talk);
  const clientKey = hash.hmacOf(derived, encoder.encode("Client Key"));
  const signature = hash.hmacOf(hash.sha256(clientKey), said);
  const { serverKey } = keysOf(derived, hash);
  return {
    response: `${withoutProof},p=${toBase64(xor(clientKey, signature))}`,
    serverFinal: serverFinal(serverKey, said, hash),
    changeKey: changeKeyOf(clientKey, said, hash),
  };
}

/**
 * Checks the client's last message against the keys of the account. Gives the server's last message; `undefined` if it
 * proves nothing. `isEqual` compares in constant time.
 */
export function checkProof(
  talk: ScramTalk,
  response: string,
  keys: ScramKeys,
  hash: ScramHash & { isEqual(a: Uint8Array, b: Uint8Array): boolean },
): string | undefined {
  return clientKeyIn(talk, response, keys, hash) && serverFinal(keys.serverKey, spoken(talk).said, hash);
}

/** As `checkProof`, but gives the key that seals what comes with the proof. */
export function checkChangeKey(
  talk: ScramTalk,
  response: string,
  keys: ScramKeys,
  hash: ScramHash & { isEqual(a: Uint8Array, b: Uint8Array): boolean },
): Uint8Array | undefined {
  const clientKey = clientKeyIn(talk, response, keys, hash);
  return clientKey && changeKeyOf(clientKey, spoken(talk).said, hash);
}

/** A nonce of these random bytes: 18 are enough. */
export function nonceOf(random: Uint8Array): string {
  return toBase64(random);
}

/** The client's key, which its proof hides from everybody who does not have `storedKey`. */
function clientKeyIn(
  talk: ScramTalk,
  response: string,
  { storedKey }: ScramKeys,
  hash: ScramHash & { isEqual(a: Uint8Array, b: Uint8Array): boolean },
): Uint8Array | undefined {
  const { said, withoutProof } = spoken(talk);
  const marked = `${withoutProof},p=`;
  if (!response.startsWith(marked)) return undefined;
  const proof = fromBase64(response.slice(marked.length));
  if (proof === undefined || proof.length !== KEY_BYTES) return undefined;
  const clientKey = xor(proof, hash.hmacOf(storedKey, said));
  return hash.isEqual(hash.sha256(clientKey), storedKey) ? clientKey : undefined;
}

function changeKeyOf(clientKey: Uint8Array, said: Uint8Array, hash: ScramHash): Uint8Array {
  return hash.hmacOf(clientKey, joinBytes([encoder.encode("Change of account "), said]));
}

/** All that was said, which both proofs are over. */
function spoken(
  { first, serverFirst, nonce }: ScramTalk,
): { readonly said: Uint8Array; readonly withoutProof: string } {
  const channel = new Uint8Array([...encoder.encode(first.header), ...first.binding]);
  const withoutProof = `c=${toBase64(channel)},r=${nonce}`;
  return { said: encoder.encode(`${first.bare},${serverFirst},${withoutProof}`), withoutProof };
}

function serverFinal(serverKey: Uint8Array, said: Uint8Array, hash: ScramHash): string {
  return `v=${toBase64(hash.hmacOf(serverKey, said))}`;
}

function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((byte, index) => byte ^ b[index]!);
}

function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

/** `undefined` for what is not written as `toBase64` writes it. */
function fromBase64(text: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text) || text.length % 4 !== 0) return undefined;
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return toBase64(bytes) === text ? bytes : undefined;
}
