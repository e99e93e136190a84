/**
 * How late the event loop is: a timer runs again and again, and what it is late is the delay that everything else had,
 * too. Ends when it is disposed of.
 */

import type { Clock, Timer } from "../../../platform/clock.ts";
import { DurationCount, type Durations } from "../../../view/metric_counters.ts";

/** Often enough to meet a delay of a tenth of a second, and costs nothing. */
const INTERVAL_MS = 250;

/** Measures from `begin` on. */
export class LoopDelay implements Disposable {
  readonly #clock: Pick<Clock, "nowMs" | "after">;
  readonly #delays = new DurationCount();
  #timer: Timer | undefined;

  constructor(clock: Pick<Clock, "nowMs" | "after">) {
    this.#clock = clock;
  }

  /** Begins to measure. */
  begin(): void {
    this.#wait();
  }

  /** The delays so far. */
  get durations(): Durations {
    return this.#delays.durations;
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel();
  }

  #wait(): void {
    const dueMs = this.#clock.nowMs() + INTERVAL_MS;
    this.#timer = this.#clock.after(INTERVAL_MS, () => {
      this.#delays.add(Math.max(0, this.#clock.nowMs() - dueMs));
      this.#wait();
    });
  }
}
