/** The stored form of a user's message id: enough of a digest that no two ids are confused, and no more. */

import { createHash } from "node:crypto";
import { checksumOf } from "./checksum.ts";

/** Bytes of a key: to find a second pair with the key of a given one takes some 2^96 tries. */
export const KEY_BYTES = 12;

/**
 * The first bytes of the SHA-256 of a user's name and its message id, in hexadecimal. Written files keep theirs: never
 * change this.
 */
export function messageKey(username: string, messageId: string): string {
  // The length tells where the name ends, so no two pairs give the same text.
  const digest = createHash("sha256").update(`${username.length} ${username}${messageId}`).digest("hex");
  return digest.slice(0, 2 * KEY_BYTES);
}

/**
 * The `key` column of a used message id: the key, and behind it a checksum of the whole row. Together they are no
 * longer than a usual digest, and they show a changed row.
 */
export function idBytes(key: string, origin: number, sequence: number, usedAt: number): Uint8Array {
  const bytes = new Uint8Array(KEY_BYTES + 4);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < KEY_BYTES; at += 4) view.setUint32(at, parseInt(key.slice(2 * at, 2 * at + 8), 16));
  view.setUint32(KEY_BYTES, checksumOf(`${key} ${origin} ${sequence} ${usedAt}`));
  return bytes;
}
