/** Finds whole frames in bytes, wherever they begin: behind a damaged place, nobody knows where the next one is. */

import { decodeFrame, type Frame, MAGIC } from "../sqlite/frame.ts";

/** Read from a file at once. */
const CHUNK_BYTES = 4_194_304;
/** No frame is larger than this. */
export const MAX_FRAME_BYTES: number = CHUNK_BYTES * 64;

/** A whole frame, and where it stands in its file. */
export interface FoundFrame {
  readonly frame: Frame;
  readonly start: number;
  readonly length: number;
}

/** Whole frames of a file from `from` on. `read` gives bytes of the file, fewer at its end. */
export function* framesIn(read: (start: number, size: number) => Uint8Array, from = 0): Iterable<FoundFrame> {
  for (let base = from;;) {
    let bytes = read(base, CHUNK_BYTES);
    if (bytes.length === 0) return;
    const isLastChunk = bytes.length < CHUNK_BYTES;
    let at = indexOfMagic(bytes, 0);
    while (at >= 0) {
      const head = new DataView(bytes.buffer, bytes.byteOffset + at);
      const needed = head.byteLength < 16 ? Infinity : head.getUint32(8, true) + head.getUint32(12, true);
      if (at + needed > bytes.length && at > 0 && !isLastChunk) break;
      // The frame is larger than the part that is read at once.
      if (at === 0 && needed > bytes.length && needed <= MAX_FRAME_BYTES) bytes = read(base, needed);
      const decoded = decodeFrame(bytes, at);
      if (decoded.ok) yield { frame: decoded.frame, start: base + at, length: decoded.length };
      at = indexOfMagic(bytes, decoded.ok ? at + decoded.length : at + 1);
    }
    if (isLastChunk) return;
    // From the frame that is not whole in this chunk on, or from where the beginning of one may be cut in two.
    base += at > 0 ? at : bytes.length - 3;
  }
}

function indexOfMagic(bytes: Uint8Array, from: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = bytes.indexOf(MAGIC & 0xff, from); at >= 0; at = bytes.indexOf(MAGIC & 0xff, at + 1)) {
    if (at + 4 > bytes.length) return -1;
    if (view.getUint32(at, true) === MAGIC) return at;
  }
  return -1;
}
