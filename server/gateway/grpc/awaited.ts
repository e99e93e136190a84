/**
 * The wait before the answer to a Publish. Side by side: until its author was told, and all participants of this door
 * that keep up. It waits for the others only as long as for a slow participant, and for the author as long as an answer
 * may take. One by one: until each participant has answered or is lost. Each of them is lost in the end.
 */

import type { Clock, Timer } from "../../../platform/clock.ts";
import { DEADLINE_MS, SLOW_MS } from "./participant.ts";

interface Awaited<P> {
  /** Who has not been called yet. */
  readonly toCall: Set<P>;
  /** Who has not answered yet. */
  readonly toAnswer: Set<P>;
  readonly timers: readonly Timer[];
  readonly done: () => void;
}

/** All waits of one door, by the thing that is brought. */
export class AwaitedBroadCasts<P> {
  readonly #clock: Clock;
  readonly #awaited = new Map<unknown, Awaited<P>>();
  readonly #promises = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when `key` was sent to all of `others` and answered by `author`, or when their time is over. */
  wait(key: unknown, author: P, others: Iterable<P>): Promise<void> {
    return new Promise((resolve) => {
      const timers = [
        this.#clock.after(SLOW_MS, () => this.#change(key, ({ toCall }) => toCall.clear())),
        this.#clock.after(DEADLINE_MS, () => this.#end(key)),
      ];
      this.#awaited.set(key, { toCall: new Set(others), toAnswer: new Set([author]), timers, done: resolve });
    });
  }

  /** Resolves when each of `all` has answered `key` or is gone. */
  waitForAll(key: unknown, all: Iterable<P>): Promise<void> {
    return new Promise((resolve) => {
      this.#awaited.set(key, { toCall: new Set(), toAnswer: new Set(all), timers: [], done: resolve });
    });
  }

  /**
   * Resolves with `promise`, or when all waiting ends. Not a race with one promise for that end: that promise would
   * keep something of each race.
   */
  orClosed(promise: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = () => {
        this.#promises.delete(done);
        resolve();
      };
      this.#promises.add(done);
      promise.then(done, reject);
    });
  }

  sent(key: unknown, participant: P): void {
    this.#change(key, ({ toCall }) => toCall.delete(participant));
  }

  answered(key: unknown, participant: P): void {
    this.#change(key, ({ toAnswer }) => toAnswer.delete(participant));
  }

  /** The participant is gone: nobody has to wait for it. */
  gone(participant: P): void {
    for (const key of [...this.#awaited.keys()]) {
      this.sent(key, participant);
      this.answered(key, participant);
    }
  }

  /** Ends all waiting. */
  close(): void {
    for (const key of [...this.#awaited.keys()]) this.#end(key);
    for (const done of [...this.#promises]) done();
  }

  #change(key: unknown, change: (awaited: Awaited<P>) => void): void {
    const awaited = this.#awaited.get(key);
    if (awaited === undefined) return;
    change(awaited);
    if (awaited.toAnswer.size === 0 && awaited.toCall.size === 0) this.#end(key);
  }

  #end(key: unknown): void {
    const awaited = this.#awaited.get(key);
    if (awaited === undefined) return;
    this.#awaited.delete(key);
    for (const timer of awaited.timers) timer.cancel();
    awaited.done();
  }
}
