/**
 * Lines as WebSocket frames: one text frame a line, without its newline. A server's frames are not masked, so the
 * frames of a buffer are the same for all its receivers, and are made once.
 */

import type { Clock } from "../../../platform/clock.ts";

/** What a buffer comes to. */
export interface Framed {
  /** All of its whole lines, each as a frame. */
  readonly frames: Uint8Array;
  /** The bytes after the last newline; usually none. */
  readonly rest: Uint8Array;
}

const NEWLINE = 0x0a;
/** The only frame of a message, and it is text. */
const TEXT = 0x81;
const NOTHING = new Uint8Array(0);

/** The lines of `bytes` as frames (RFC 6455, section 5.2). */
export function framesOf(bytes: Uint8Array): Framed {
  let size = 0;
  let start = 0;
  for (let end; (end = bytes.indexOf(NEWLINE, start)) >= 0; start = end + 1) {
    size += headSize(end - start) + end - start;
  }
  const frames = size === 0 ? NOTHING : new Uint8Array(size);
  const rest = bytes.subarray(start);
  let at = 0;
  start = 0;
  for (let end; (end = bytes.indexOf(NEWLINE, start)) >= 0; start = end + 1) {
    at = writeHead(frames, at, end - start);
    frames.set(bytes.subarray(start, end), at);
    at += end - start;
  }
  return { frames, rest };
}

/** Frames of buffers that were written in this turn of the event loop. */
export class FrameCache {
  readonly #clock: Pick<Clock, "endOfTurn">;
  #framed: Map<Uint8Array, Framed> | undefined;

  constructor(clock: Pick<Clock, "endOfTurn">) {
    this.#clock = clock;
  }

  /** As `framesOf`. `bytes` may not change before the turn ends. */
  framesOf(bytes: Uint8Array): Framed {
    if (this.#framed === undefined) {
      this.#framed = new Map();
      // No longer: the log keeps its buffers in memory for a while, and would keep their frames with them.
      this.#clock.endOfTurn(() => this.#framed = undefined);
    }
    let framed = this.#framed.get(bytes);
    if (framed === undefined) {
      framed = framesOf(bytes);
      this.#framed.set(bytes, framed);
    }
    return framed;
  }
}

function headSize(length: number): number {
  return length < 126 ? 2 : length < 65_536 ? 4 : 10;
}

/** Writes the head of a frame of `length` bytes; gives where the frame itself begins. */
function writeHead(frames: Uint8Array, at: number, length: number): number {
  frames[at] = TEXT;
  if (length < 126) frames[at + 1] = length;
  else {
    const view = new DataView(frames.buffer, frames.byteOffset + at);
    if (length < 65_536) {
      frames[at + 1] = 126;
      view.setUint16(2, length);
    } else {
      frames[at + 1] = 127;
      view.setBigUint64(2, BigInt(length));
    }
  }
  return at + headSize(length);
}
