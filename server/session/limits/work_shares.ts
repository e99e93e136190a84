/**
 * How much of a turn of the event loop one connection may take for its lines. One packet can ask for work that takes
 * long, and everybody else waits meanwhile. So a connection that has used up its share keeps the rest of its lines, and
 * is not read. It goes on in a later turn, after all others that wait. Lines of one connection stay in their order.
 */

import type { Clock, Timer } from "../../../platform/clock.ts";

/** A connection with lines that wait. */
export interface Waiter {
  /** A new share of this connection begins. It may say `later` again. */
  goOn(): void;
}

/** One connection's share of a turn, in milliseconds. Twice as long as a chunk of 64 KiB needs; nobody feels it. */
const SHARE_MS = 8;
/** The share of a turn of all connections whose lines have just been read. Beyond this, each gets one line. */
const FRESH_MS = 60;
/** The share of a turn of all connections that wait. */
const WAITING_MS = 40;

/** The time between two looks whether the disk has room for those who publish. */
const ROOM_MS = 10;

/** The shares of one server. */
export class WorkShares {
  readonly #clock: Clock;
  readonly #hasRoom: () => boolean;
  /** Who waits for the disk. */
  readonly #withoutRoom = new Set<Waiter>();
  #roomTimer: Timer | undefined;
  /** In the order in which they go on. */
  readonly #waiting = new Set<Waiter>();
  #timer: Timer | undefined;
  #turnBeganMs: number | undefined;

  /** `hasRoom` tells whether what clients publish can be written now: else too much waits for the disk. */
  constructor(clock: Clock, hasRoom: () => boolean = () => true) {
    this.#clock = clock;
    this.#hasRoom = hasRoom;
  }

  /** Whether lines that publish are taken now. */
  get hasRoom(): boolean {
    return this.#hasRoom();
  }

  /** `waiter` goes on when lines that publish are taken again. */
  whenRoom(waiter: Waiter): void {
    this.#withoutRoom.add(waiter);
    this.#roomTimer ??= this.#clock.after(ROOM_MS, () => {
      this.#roomTimer = undefined;
      const waiting = [...this.#withoutRoom];
      this.#withoutRoom.clear();
      const again = this.#hasRoom() ? (one: Waiter) => this.later(one) : (one: Waiter) => this.whenRoom(one);
      waiting.forEach(again);
    });
  }

  /** Begins a share. Returns when it is used up, by the clock's `nowMs`. */
  begin(): number {
    const nowMs = this.#clock.nowMs();
    if (this.#turnBeganMs === undefined) {
      this.#turnBeganMs = nowMs;
      this.#clock.endOfTurn(() => this.#turnBeganMs = undefined);
    }
    return shareEndsAt(nowMs, this.#turnBeganMs);
  }

  /** Whether a share that ends at `untilMs` is used up. Costs a look at the clock. */
  isUsedUp(untilMs: number): boolean {
    return this.#clock.nowMs() >= untilMs;
  }

  /** `waiter` goes on in a later turn, when it is its turn. */
  later(waiter: Waiter): void {
    this.#waiting.add(waiter);
    // A timer, as the end of the turn would follow at once. Everybody else has to be read in between.
    this.#timer ??= this.#clock.after(0, () => this.#goOn());
  }

  /** `waiter` waits no longer. */
  forget(waiter: Waiter): void {
    if (this.#withoutRoom.delete(waiter) && this.#withoutRoom.size === 0) {
      this.#roomTimer?.cancel();
      this.#roomTimer = undefined;
    }
    if (!this.#waiting.delete(waiter) || this.#waiting.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #goOn(): void {
    this.#timer = undefined;
    const beganMs = this.#clock.nowMs();
    try {
      // Each once: a connection that waits again goes behind all others.
      for (const waiter of [...this.#waiting]) {
        if (!this.#waiting.delete(waiter)) continue;
        waiter.goOn();
        if (this.#clock.nowMs() - beganMs >= WAITING_MS) break;
      }
    } finally {
      // Also if one of them throws. The others do not wait longer because of it.
      if (this.#waiting.size > 0) this.#timer ??= this.#clock.after(0, () => this.#goOn());
    }
  }
}

/** When a share ends that begins now, in a turn that began then. */
export function shareEndsAt(nowMs: number, turnBeganMs: number): number {
  return nowMs + Math.max(0, Math.min(SHARE_MS, FRESH_MS - (nowMs - turnBeganMs)));
}
