/**
 * When a connection is read: entries that nobody takes stay with the server, unless answers follow behind them.
 */

import type { Clock } from "../platform/clock.ts";

/** What is read, and what waits for it. */
export interface ReadingOwner {
  /** Reads the connection, if there is one; or not, while `isThrottled`. */
  throttle(isThrottled: boolean): void;
  /** Whether a caller waits for an answer of the server. */
  isWaiting(): boolean;
}

/** Decides for one client whether its connection is read. */
export class Reading {
  readonly #clock: Clock;
  readonly #owner: ReadingOwner;
  /** Whether the iterators are far behind. */
  #isPressed = false;
  #willRead = false;

  constructor(clock: Clock, owner: ReadingOwner) {
    this.#clock = clock;
    this.#owner = owner;
  }

  /** The iterators are far behind now, or are not any more. Takes effect with `readOrNot`. */
  pressed(isHigh: boolean): void {
    this.#isPressed = isHigh;
  }

  /** Waits for an answer of the server. The connection has to be read for that. */
  answered<T>(answer: Promise<T>): Promise<T> {
    this.readOrNot();
    // Not at once: the waiting caller may ask the next question right away.
    const readOrNotSoon = () => {
      if (this.#willRead || !this.#isPressed) return;
      this.#willRead = true;
      this.#clock.endOfTurn(() => {
        this.#willRead = false;
        this.readOrNot();
      });
    };
    answer.then(readOrNotSoon, readOrNotSoon);
    return answer;
  }

  /** Reads the connection, or not. */
  readOrNot(): void {
    this.#owner.throttle(this.#isPressed && !this.#owner.isWaiting());
  }
}
