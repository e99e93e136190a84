/**
 * Time as the rest of the house sees it. Spans are measured with `nowMs`, which never goes back; `wallMs` is for people
 * and rows. The real one is in `real_clock.ts`; tests and the simulator bring their own.
 */

/** A timer that was asked for; `cancel` is harmless after it fired. */
export interface Timer {
  cancel(): void;
  /** Lets the process end although this waits, where there is a process that timers keep alive. */
  unref?(): void;
}

/** Two clocks and a way to be woken. */
export interface Clock {
  /** Milliseconds on a monotonic clock with an arbitrary zero. */
  nowMs(): number;
  /** Milliseconds since 1970, as the machine believes. May jump. */
  wallMs(): number;
  /**
   * Milliseconds of processor time that this process has used, on all cores together. Grows while it runs, and does not
   * while it is stopped.
   */
  ranMs(): number;
  /** Calls `wake` once, not before `delayMs` from now. The caller owns the timer and cancels it when it goes. */
  after(delayMs: number, wake: () => void): Timer;
  /**
   * Calls `run` once this turn of the event loop has read everything that has arrived so far.
   * All that happened in the turn is then written in one transaction and sent in one buffer.
   */
  endOfTurn(run: () => void): void;
}
