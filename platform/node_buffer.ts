/** Bytes as libraries that were written for Node.js want them. */

import { Buffer } from "node:buffer";

/** The same bytes, not copied, as Node's `Buffer`. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
