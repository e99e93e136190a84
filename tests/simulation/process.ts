/**
 * A process on a machine: the clock that a node or client of the simulator lives on. It can be stopped for a while
 * (SIGSTOP), in which time goes on and nothing of it happens; it can be busy for a while, which is the same but for the
 * processor time that it uses; and it can die, after which nothing of it ever happens again.
 */

import type { Clock, Timer } from "../../platform/clock.ts";

/** A machine's calendar, which all its processes see. */
export interface Calendar {
  /** How much it is wrong. */
  aheadMs: number;
}

/** One life of a program. */
export class Process implements Clock {
  readonly machine: string;
  readonly #clock: Clock;
  readonly #calendar: Calendar;
  #ranMs = 0;
  #state: "running" | "stalled" | "dead" = "running";
  /** What came due while it stood still, in order. */
  #lateTimers: (() => void)[] = [];
  #lateReads: (() => void)[] = [];

  constructor(machine: string, clock: Clock, calendar: Calendar = { aheadMs: 0 }) {
    this.machine = machine;
    this.#clock = clock;
    this.#calendar = calendar;
  }

  get isDead(): boolean {
    return this.#state === "dead";
  }

  get isStalled(): boolean {
    return this.#state === "stalled";
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  wallMs(): number {
    return Math.max(0, this.#clock.wallMs() + this.#calendar.aheadMs);
  }

  ranMs(): number {
    return this.#ranMs;
  }

  after(delayMs: number, wake: () => void): Timer {
    let isCancelled = false;
    // Whole milliseconds, as a machine has them: so much more happens in one turn.
    const timer = this.#clock.after(Math.ceil(delayMs), () => {
      if (this.#state === "running") wake();
      else if (this.#state === "stalled") {
        this.#lateTimers.push(() => {
          if (!isCancelled) wake();
        });
      }
    });
    return {
      cancel: () => {
        isCancelled = true;
        timer.cancel();
      },
    };
  }

  endOfTurn(run: () => void): void {
    this.#clock.endOfTurn(() => {
      if (this.#state === "running") run();
      else if (this.#state === "stalled") this.#lateReads.push(() => this.endOfTurn(run));
    });
  }

  /** Hands something of the operating system to it: now, when it goes on, or never. */
  hand(run: () => void): void {
    if (this.#state === "running") run();
    else if (this.#state === "stalled") this.#lateReads.push(run);
  }

  /** It stands still from now on. */
  stall(): void {
    if (this.#state === "running") this.#state = "stalled";
  }

  /** That it stood still for `ms` was one long turn of its own. */
  wasBusy(ms: number): void {
    this.#ranMs += ms;
  }

  /** It goes on: in its next turn the timers that are due come first, then what has arrived is read. */
  goOn(): void {
    if (this.#state !== "stalled") return;
    this.#state = "running";
    const timers = this.#lateTimers;
    const reads = this.#lateReads;
    this.#lateTimers = [];
    this.#lateReads = [];
    this.#clock.after(0, () => {
      for (const run of [...timers, ...reads]) this.hand(run);
    });
  }

  /** It is no more. */
  die(): void {
    this.#state = "dead";
    this.#lateTimers = [];
    this.#lateReads = [];
  }
}
