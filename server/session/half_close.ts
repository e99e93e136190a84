/**
 * The end of a connection whose other side sends no more, and may still read (`nc -N`). The server answers all lines
 * that have come, for ten seconds at most, and then closes. The connection knows which answers are missing.
 */

import type { Clock, Timer } from "../../platform/clock.ts";

/** The connection. */
export interface HalfClosed {
  /** Whether all is answered, and all answers have left this process. */
  readonly isAnswered: boolean;
  /** Ends it: nothing follows. The last bytes have `lingerMs` to leave; a default applies if it is `undefined`. */
  closes(lingerMs: number | undefined): void;
  /** Does what others have called back for: what it throws is this connection's own fault. */
  contain(act: () => void): void;
}

/** How long answers may take. */
export const ANSWERS_MS = 10_000;
/** How soon the first look comes whether they have left, and the longest wait. Each wait is twice the last one. */
const FIRST_LOOK_MS = 5;
const LAST_LOOK_MS = 500;

/** One connection's. */
export class HalfClose {
  readonly #clock: Pick<Clock, "nowMs" | "after">;
  readonly #owner: HalfClosed;
  readonly #endsAtMs: number;
  #lookAfterMs = FIRST_LOOK_MS;
  #timer: Timer | undefined;

  constructor(clock: Pick<Clock, "nowMs" | "after">, owner: HalfClosed) {
    this.#clock = clock;
    this.#owner = owner;
    this.#endsAtMs = clock.nowMs() + ANSWERS_MS;
  }

  /** Closes it if all is answered; looks again otherwise, until its time is over. */
  look(): void {
    this.cancel();
    const leftMs = this.#endsAtMs - this.#clock.nowMs();
    if (this.#owner.isAnswered) return this.#owner.closes(undefined);
    if (leftMs <= 0) return this.#owner.closes(0);
    this.#timer = this.#clock.after(Math.min(this.#lookAfterMs, leftMs), () => this.#owner.contain(() => this.look()));
    this.#lookAfterMs = Math.min(LAST_LOOK_MS, 2 * this.#lookAfterMs);
  }

  /** The connection ends by itself. */
  cancel(): void {
    this.#timer?.cancel();
  }
}
