/** Bytes as Node.js has them. */

import { Buffer, isUtf8 } from "node:buffer";

/** Whether bytes are UTF-8, many at a time. */
export { isUtf8 };

/** The same bytes, not copied, as Node's `Buffer`. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The text from `from` to `to`, which is ASCII. A TextDecoder takes four times as long for a short one. */
export function asciiText(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.prototype.latin1Slice.call(bytes, from, to);
}
