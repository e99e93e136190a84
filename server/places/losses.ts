/**
 * The users of a server that was lost. They are noted in portions, one in each turn, as a server may have thousands. A
 * user who is needed earlier is noted at once, so that nobody sees the difference.
 */

import type { Clock, Timer } from "../../platform/clock.ts";

/** One lost server, and who was there. */
export interface UsersLost {
  readonly usernames: Iterable<string>;
  /** Notes what is to be noted of these. */
  conclude(usernames: readonly string[]): void;
}

/** A few milliseconds with the commit at the end of the turn, which takes most of them. */
const PORTION = 100;

/** The losses that are not noted yet, oldest first. */
export class Losses {
  readonly #clock: Clock;
  readonly #queue: { readonly left: Set<string>; readonly lost: UsersLost }[] = [];
  #waiting: (() => void)[] = [];
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A server is lost. The first users are noted in this call, where nothing is before them. */
  add(lost: UsersLost): void {
    this.#queue.push({ left: new Set(lost.usernames), lost });
    if (this.#timer === undefined) this.#portion();
  }

  /** Notes now what is to be noted of `username`. */
  settle(username: string): void {
    for (const { left, lost } of this.#queue) if (left.delete(username)) lost.conclude([username]);
  }

  /** Notes all that is left now. */
  settleAll(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    while (this.#queue.length > 0) this.#takePortion();
    this.#tellWaiting();
  }

  /** Calls `run` when nothing is left to be noted: at once, or in the order of the calls. */
  whenSettled(run: () => void): void {
    if (this.#queue.length === 0) run();
    else this.#waiting.push(run);
  }

  #portion(): void {
    this.#timer = undefined;
    try {
      this.#takePortion();
    } finally {
      if (this.#queue.length > 0) this.#timer = this.#clock.after(0, () => this.#portion());
    }
    this.#tellWaiting();
  }

  #takePortion(): void {
    const [first] = this.#queue;
    if (first === undefined) return;
    const portion = [...first.left.values().take(PORTION)];
    // Before anything can fail: what cannot be noted is not tried for ever.
    for (const username of portion) first.left.delete(username);
    if (first.left.size === 0) this.#queue.shift();
    first.lost.conclude(portion);
  }

  #tellWaiting(): void {
    while (this.#queue.length === 0 && this.#waiting.length > 0) this.#waiting.shift()!();
  }
}
