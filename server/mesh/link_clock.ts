/**
 * Bounds how far another server may move the Lamport clock of this one. Its greeting may move the clock to its own
 * time. After that it may move the clock by a number of ticks for each second of the link. A higher time is no fault,
 * as a client may have moved that server's clock. It does not count. Pure: the time comes in.
 */

import { MAX_CLOCK_ADVANCE_PER_SECOND, MAX_LAMPORT } from "../../protocol/lamport_bounds.ts";

/** The bound of one link. */
export class LinkClock {
  readonly #beganAtMs: number;
  #moved = 0;
  /** Whether a time did not count. */
  isAhead = false;

  /** The link begins at this moment of a monotonic clock. */
  constructor(nowMs: number) {
    this.#beganAtMs = nowMs;
  }

  /** The part of the greeting's time that counts. */
  greeted(lamport: number): number | undefined {
    this.isAhead = lamport > MAX_LAMPORT;
    return this.isAhead ? undefined : lamport;
  }

  /** The part of a later time that counts. The own clock is at `own`. */
  heard(lamport: number, own: number, nowMs: number): number {
    if (lamport <= own) return lamport;
    // One second more, so that nobody waits in the first one.
    const seconds = 1 + Math.max(0, nowMs - this.#beganAtMs) / 1_000;
    const left = Math.floor(seconds * MAX_CLOCK_ADVANCE_PER_SECOND) - this.#moved;
    const advance = Math.min(lamport - own, Math.max(0, left));
    this.isAhead ||= own + advance < lamport;
    this.#moved += advance;
    return own + advance;
  }
}
