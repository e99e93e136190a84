/**
 * What a user may change about its own account, and how that is sealed. A change comes with a proof of the secret. The
 * proof gives both sides a key that no listener has, also without TLS: it is made from the client's key, of which the
 * server keeps only a hash. With this key the client seals the change. So a new secret is never told: the server gets
 * what it keeps of it, and only this server can read that. Functions over bytes. Pure.
 */

import { joinBytes } from "../join_bytes.ts";
import type { ScramHash, ScramKeys } from "./scram.ts";

/** The changes, as `LOGIN` names them. */
export const ACCOUNT_CHANGES = ["secret", "forget"] as const;
/** `secret`: the account has another secret. `forget`: the account goes, and its name stays taken. */
export type AccountChange = (typeof ACCOUNT_CHANGES)[number];

/** What a server keeps of a new secret, with the salt that the client has made. */
export interface NewKeys extends ScramKeys {
  readonly salt: Uint8Array;
}

/** What was sealed. */
export type OpenedChange = { readonly kind: "secret"; readonly keys: NewKeys } | { readonly kind: "forget" };

/** The answer of a server that has changed the account. It closes then. */
export interface AccountChangedMessage {
  readonly command: "ACCOUNT_CHANGED";
  readonly change: string;
  /** The server's own proof, as in `LOGIN_SUCCESS`. */
  readonly scram: string;
  readonly info: string;
}

/** scrypt's N of every new secret, whoever derives it: about 50 ms and 16 MiB for each try, on one core of 2020. */
export const NEW_SECRET_COST = 16_384;
/** Bytes of the salt and of each key. */
export const NEW_SALT_BYTES = 16;
const KEY_BYTES = 32;
const SECRET_BYTES = NEW_SALT_BYTES + 2 * KEY_BYTES;
const encoder = new TextEncoder();

/** Seals a change with the key of its proof (`changeKey` in `scram.ts`), as base64. `keys` come with a new secret. */
export function sealChange(key: Uint8Array, change: AccountChange, keys: NewKeys | undefined, hash: ScramHash): string {
  const plain = keys === undefined ? new Uint8Array() : joinBytes([keys.salt, keys.storedKey, keys.serverKey]);
  const hidden = xor(plain, streamOf(key, plain.length, hash));
  return btoa(String.fromCharCode(...hidden, ...tagOf(key, change, hidden, hash)));
}

/** What was sealed; `undefined` with another key, for another change, or if anything of it was changed. */
export function openChange(
  key: Uint8Array,
  change: AccountChange,
  sealed: string,
  hash: ScramHash & { isEqual(a: Uint8Array, b: Uint8Array): boolean },
): OpenedChange | undefined {
  const length = (change === "secret" ? SECRET_BYTES : 0) + KEY_BYTES;
  // Also the one form that base64 has for these bytes.
  if (sealed.length !== 4 * Math.ceil(length / 3) || !/^[A-Za-z0-9+/]*={0,2}$/.test(sealed)) return undefined;
  const bytes = Uint8Array.from(atob(sealed), (character) => character.charCodeAt(0));
  if (bytes.length !== length) return undefined;
  const hidden = bytes.subarray(0, -KEY_BYTES);
  if (!hash.isEqual(bytes.subarray(-KEY_BYTES), tagOf(key, change, hidden, hash))) return undefined;
  if (change === "forget") return { kind: "forget" };
  const plain = xor(hidden, streamOf(key, hidden.length, hash));
  const storedKey = plain.slice(NEW_SALT_BYTES, NEW_SALT_BYTES + KEY_BYTES);
  return {
    kind: "secret",
    keys: { salt: plain.slice(0, NEW_SALT_BYTES), storedKey, serverKey: plain.slice(NEW_SALT_BYTES + KEY_BYTES) },
  };
}

/** The key is of one exchange, and seals one text: so it needs no nonce. */
function streamOf(key: Uint8Array, length: number, hash: ScramHash): Uint8Array {
  const blocks = Array.from(
    { length: Math.ceil(length / KEY_BYTES) },
    (_, at) => hash.hmacOf(key, encoder.encode(`hide ${at}`)),
  );
  return joinBytes(blocks).subarray(0, length);
}

function tagOf(key: Uint8Array, change: AccountChange, hidden: Uint8Array, hash: ScramHash): Uint8Array {
  return hash.hmacOf(key, joinBytes([encoder.encode(`seal ${change} `), hidden]));
}

function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((byte, at) => byte ^ b[at]!);
}
