/**
 * How far one server may move the Lamport clock of this one: by its greeting to where it says that it is, and then by
 * so many ticks for each second that the link lasts. What is said beyond that is not wrong, as a client may have moved
 * that server's clock; it does not count. Pure: the time comes in.
 */

import { MAX_CLOCK_ADVANCE_PER_SECOND, MAX_LAMPORT } from "../../protocol/lamport_bounds.ts";

/** One link's. */
export class LinkClock {
  readonly #beganAtMs: number;
  #moved = 0;
  /** Whether something was said that did not count. */
  isAhead = false;

  /** The link begins at this moment of a monotonic clock. */
  constructor(nowMs: number) {
    this.#beganAtMs = nowMs;
  }

  /** What counts of the time that it says when it greets. */
  greeted(lamport: number): number | undefined {
    this.isAhead = lamport > MAX_LAMPORT;
    return this.isAhead ? undefined : lamport;
  }

  /** What counts of a time that it says later, where the own clock is at `own`. */
  heard(lamport: number, own: number, nowMs: number): number {
    if (lamport <= own) return lamport;
    // One more second, so that the first one is none of waiting.
    const seconds = 1 + Math.max(0, nowMs - this.#beganAtMs) / 1_000;
    const left = Math.floor(seconds * MAX_CLOCK_ADVANCE_PER_SECOND) - this.#moved;
    const advance = Math.min(lamport - own, Math.max(0, left));
    this.isAhead ||= own + advance < lamport;
    this.#moved += advance;
    return own + advance;
  }
}
