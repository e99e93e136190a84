/**
 * The newest segments, kept in memory for readers that are a little behind. What is older is in the store. Pure.
 */

import { type Position, type Segment, SERVERS } from "./segment.ts";

/** Stands where a segment was let go, so that its bytes are free before the array is cut. */
const RELEASED: Segment = Object.freeze({
  position: 0,
  origin: "",
  first: 0,
  last: 0,
  audience: SERVERS,
  takenAt: 0,
  bytes: new Uint8Array(0),
});

/** A window on the end of the log, without holes. */
export class Tail {
  readonly #maxBytes: number;
  #segments: Segment[] = [];
  #start = 0;
  #bytes = 0;

  /** Keeps the newest segments of together at most `maxBytes`, and always the newest one. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Adds the next segment of the log. */
  push(segment: Segment): void {
    this.#segments.push(segment);
    this.#bytes += segment.bytes.length;
    while (this.#bytes > this.#maxBytes && this.#start < this.#segments.length - 1) {
      this.#bytes -= this.#segments[this.#start]!.bytes.length;
      this.#segments[this.#start++] = RELEASED;
    }
    // Moved only when half of the array is old, so that a push costs constant time on average.
    if (this.#start > 1024 && this.#start * 2 > this.#segments.length) {
      this.#segments = this.#segments.slice(this.#start);
      this.#start = 0;
    }
  }

  /** Lets go of everything up to `position`: the store has forgotten some of it, and tells best what is left. */
  dropTo(position: Position): void {
    while (this.#start < this.#segments.length && this.#segments[this.#start]!.position <= position) {
      this.#bytes -= this.#segments[this.#start]!.bytes.length;
      this.#segments[this.#start++] = RELEASED;
    }
  }

  /**
   * Segments after `position`, in order: at least one if there is one, then as many as fit into `maxBytes`. `undefined` when the first of
   * them is no longer, or was never, here.
   */
  after(position: Position, maxBytes: number): Segment[] | undefined {
    const oldest = this.#segments[this.#start];
    if (oldest === undefined || position + 1 < oldest.position) return undefined;
    const from = this.#start + (position + 1 - oldest.position);
    let to = from;
    for (let bytes = 0; to < this.#segments.length; to++) {
      bytes += this.#segments[to]!.bytes.length;
      if (to > from && bytes > maxBytes) break;
    }
    return this.#segments.slice(from, to);
  }
}
