/** The newest segments, kept in memory for readers that are a little behind. The store has the older ones. Pure. */

import { type Position, type Segment, SERVERS } from "./segment.ts";

/** Takes the place of a released segment, so that its bytes are free before the array is cut. */
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
    // Segments move only when half of the array is old. So a push costs constant time on average.
    if (this.#start > 1024 && this.#start * 2 > this.#segments.length) {
      this.#segments = this.#segments.slice(this.#start);
      this.#start = 0;
    }
  }

  /**
   * Releases everything up to `position`. The store has forgotten some of it, and knows best which segments are left.
   */
  dropTo(position: Position): void {
    while (this.#start < this.#segments.length && this.#segments[this.#start]!.position <= position) {
      this.#bytes -= this.#segments[this.#start]!.bytes.length;
      this.#segments[this.#start++] = RELEASED;
    }
  }

  /**
   * Segments after `position`, in order: at least one if there is one, then as many as fit into `maxBytes`. `undefined`
   * if the first of them is not in memory.
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

  /**
   * Segments before `position`, in order, up to the one before it: at least one, then as many as fit into `maxBytes`
   * and are in memory. `undefined` if none of them is.
   */
  before(position: Position, maxBytes: number): Segment[] | undefined {
    const oldest = this.#segments[this.#start];
    if (oldest === undefined || position <= oldest.position) return undefined;
    const to = Math.min(this.#start + position - oldest.position, this.#segments.length);
    let from = to;
    for (let bytes = 0; from > this.#start; from--) {
      bytes += this.#segments[from - 1]!.bytes.length;
      if (from < to && bytes > maxBytes) break;
    }
    return this.#segments.slice(from, to);
  }
}
