/**
 * How much of a turn of the event loop one connection may take for its lines. What one packet asks for can take long,
 * and everybody else waits meanwhile: so whoever has used up its share keeps the rest of its lines, is not read any
 * further, and goes on in the next turn, after all others that wait too. Lines of one connection stay in their order.
 */

import type { Clock, Timer } from "../../../platform/clock.ts";

/** A connection with lines that wait. */
export interface Waiter {
  /** A new share of it begins. It may say `later` again. */
  goOn(): void;
}

/**
 * One connection's share of a turn, in milliseconds. As long as a fast sender's chunk of 64 KiB needs,
 * twice; nobody feels it.
 */
const SHARE_MS = 8;
/** What connections whose lines have just been read may take of a turn together. After that each gets one line. */
const FRESH_MS = 60;
/** What those that wait may take of a turn together. */
const WAITING_MS = 40;

/** The shares of one server. */
export class WorkShares {
  readonly #clock: Clock;
  /** In the order in which they go on. */
  readonly #waiting = new Set<Waiter>();
  #timer: Timer | undefined;
  #turnBeganMs: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Begins a share. Gives the moment at which it is used up, of the clock's `nowMs`. */
  begin(): number {
    const nowMs = this.#clock.nowMs();
    if (this.#turnBeganMs === undefined) {
      this.#turnBeganMs = nowMs;
      this.#clock.endOfTurn(() => this.#turnBeganMs = undefined);
    }
    return shareEndsAt(nowMs, this.#turnBeganMs);
  }

  /** Whether a share that ends `untilMs` is used up. Costs a look at the clock. */
  isUsedUp(untilMs: number): boolean {
    return this.#clock.nowMs() >= untilMs;
  }

  /** `waiter` goes on in a later turn, when it is its turn. */
  later(waiter: Waiter): void {
    this.#waiting.add(waiter);
    // By a timer, as the end of a turn would follow at once: everybody else must be read in between.
    this.#timer ??= this.#clock.after(0, () => this.#goOn());
  }

  /** `waiter` waits no longer. */
  forget(waiter: Waiter): void {
    if (!this.#waiting.delete(waiter) || this.#waiting.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #goOn(): void {
    this.#timer = undefined;
    const beganMs = this.#clock.nowMs();
    try {
      // Each once: whoever waits again goes behind all others.
      for (const waiter of [...this.#waiting]) {
        if (!this.#waiting.delete(waiter)) continue;
        waiter.goOn();
        if (this.#clock.nowMs() - beganMs >= WAITING_MS) break;
      }
    } finally {
      // Also where one of them throws: the others wait no longer for that.
      if (this.#waiting.size > 0) this.#timer ??= this.#clock.after(0, () => this.#goOn());
    }
  }
}

/** When a share ends that begins now, in a turn that began then. */
export function shareEndsAt(nowMs: number, turnBeganMs: number): number {
  return nowMs + Math.max(0, Math.min(SHARE_MS, FRESH_MS - (nowMs - turnBeganMs)));
}
