/**
 * Time that a test winds. Any number of these may exist at once, each with a time of its own. A turn is what it is in a
 * real event loop: the timers that are due, in the order of their moments and then of their asking; then what has
 * arrived is read (`onRead`); then what waits for the end of the turn. What a turn asks for with no delay happens in
 * the next one, at the same moment.
 */

import { setImmediate } from "node:timers";
import type { Clock, Timer } from "../../platform/clock.ts";

interface FakeTimer {
  readonly at: number;
  /** Counts timers that were asked for: the earlier asked, the earlier woken. */
  readonly order: number;
  readonly wake: () => void;
  /** Whether it would let a process end. */
  isUnref: boolean;
}

/** More turns than this at one moment are taken for a loop that never ends. */
const MOST_TURNS = 100_000;

/** A `Clock` that stands still until it is wound. */
export class FakeClock implements Clock {
  #nowMs: number;
  #wallMs: number;
  #ranMs = 0;
  /** The last one is the next to be due. */
  readonly #timers: FakeTimer[] = [];
  #asked = 0;
  #atEndOfTurn: (() => void)[] = [];
  readonly #readers = new Set<() => void>();
  #isTurning = false;
  readonly #settled: () => Promise<void>;

  /** `settled` lets promises go on between the turns of `run`. */
  constructor(
    { nowMs = 0, wallMs = Date.UTC(2025, 0, 1), settled = promisesSettled }: {
      nowMs?: number;
      wallMs?: number;
      settled?: () => Promise<void>;
    } = {},
  ) {
    this.#nowMs = nowMs;
    this.#wallMs = wallMs;
    this.#settled = settled;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#wallMs;
  }

  ranMs(): number {
    return this.#ranMs;
  }

  after(delayMs: number, wake: () => void): Timer {
    const timer = { at: this.#nowMs + Math.max(0, delayMs), order: ++this.#asked, wake, isUnref: false };
    this.#timers.splice(this.#placeOf(timer), 0, timer);
    return {
      cancel: () => {
        const place = this.#placeOf(timer);
        if (this.#timers[place] === timer) this.#timers.splice(place, 1);
      },
      unref: () => timer.isUnref = true,
    };
  }

  endOfTurn(run: () => void): void {
    this.#atEndOfTurn.push(run);
  }

  /** Timers that were asked for so far. */
  get timersAsked(): number {
    return this.#asked;
  }

  /** Timers that wait: 0 when nothing was forgotten. */
  get timersWaiting(): number {
    return this.#timers.length;
  }

  /** Timers that wait, and would keep a process alive. */
  get timersHolding(): number {
    return this.#timers.filter(({ isUnref }) => !isUnref).length;
  }

  /** The moment of the next timer. */
  get nextTimerAt(): number | undefined {
    return this.#timers.at(-1)?.at;
  }

  /**
   * Calls `read` in each turn, after its timers: for whoever plays a network whose bytes wait in the operating system
   * while this process stands still. A turn happens only where a timer is due, so ask for one at the moment of arrival.
   * Returns how to stop it.
   */
  onRead(read: () => void): () => void {
    this.#readers.add(read);
    return () => void this.#readers.delete(read);
  }

  /** Lets `ms` pass. Everything happens at its moment. */
  advance(ms: number): void {
    const until = this.#nowMs + ms;
    this.#settle();
    while (this.#timers.length > 0 && this.nextTimerAt! <= until) {
      this.#pass(this.nextTimerAt! - this.#nowMs);
      this.#settle();
    }
    this.#pass(until - this.#nowMs);
  }

  /** As `advance`, and lets promises go on between turns: for code that awaits. */
  async run(ms: number): Promise<void> {
    const until = this.#nowMs + ms;
    await this.#settleAsync();
    while (this.#timers.length > 0 && this.nextTimerAt! <= until) {
      this.#pass(this.nextTimerAt! - this.#nowMs);
      await this.#settleAsync();
    }
    this.#pass(until - this.#nowMs);
  }

  /**
   * This process is in one long turn for `ms`: time passes, nothing is called, and it runs all the while, or `share` of
   * it where others run too.
   */
  busy(ms: number, share = 1): void {
    this.#ranMs += ms * share;
    this.stall(ms);
  }

  /** This process stands still for `ms`: time passes, nothing is called. Then everything that is due happens late. */
  stall(ms: number): void {
    this.#pass(ms);
    this.#settle();
  }

  /** What is being called just now takes `ms`: for a slow turn. To be called from within one. */
  take(ms: number): void {
    this.#ranMs += Math.max(0, ms);
    this.#pass(ms);
  }

  /** The machine sleeps for `ms`: the calendar goes on, monotonic time and timers do not (as on Linux). */
  sleep(ms: number): void {
    this.#wallMs += ms;
  }

  /** Somebody sets the calendar, forward or back. */
  setWall(wallMs: number): void {
    this.#wallMs = wallMs;
  }

  /** One turn, now. */
  turn(): void {
    if (this.#isTurning) {
      throw new Error("Cannot wind a clock: it is being wound, and this was called by one of its timers");
    }
    this.#isTurning = true;
    try {
      const asked = this.#asked;
      for (;;) {
        // What is asked for in this turn is for the next, even where its moment comes before that of others.
        const place = this.#timers.findLastIndex((timer) => timer.at > this.#nowMs || timer.order <= asked);
        const timer = this.#timers[place];
        if (timer === undefined || timer.at > this.#nowMs) break;
        this.#timers.splice(place, 1);
        timer.wake();
      }
      for (const read of [...this.#readers]) read();
      const ending = this.#atEndOfTurn;
      this.#atEndOfTurn = [];
      for (const run of ending) run();
    } finally {
      this.#isTurning = false;
    }
  }

  /** Whether something is left to be done now. */
  get #isDue(): boolean {
    return this.#atEndOfTurn.length > 0 || (this.nextTimerAt ?? Infinity) <= this.#nowMs;
  }

  #settle(): void {
    for (let turns = 0; this.#isDue; turns++) {
      this.#checkLoop(turns);
      this.turn();
    }
  }

  async #settleAsync(): Promise<void> {
    await this.#settled();
    for (let turns = 0; this.#isDue; turns++) {
      this.#checkLoop(turns);
      this.turn();
      await this.#settled();
    }
  }

  #checkLoop(turns: number): void {
    if (turns < MOST_TURNS) return;
    throw new Error(
      `Cannot wind a clock: ${turns} turns at ${this.#nowMs} ms, something asks again and again for no delay`,
    );
  }

  /** Nothing, where a slow turn has already taken more. */
  #pass(ms: number): void {
    this.#nowMs += Math.max(0, ms);
    this.#wallMs += Math.max(0, ms);
  }

  /** Where `timer` stands, or has to be put: they are sorted, latest first. */
  #placeOf(timer: FakeTimer): number {
    let low = 0;
    let high = this.#timers.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.#timers[middle]!;
      if (other.at > timer.at || (other.at === timer.at && other.order > timer.order)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Everything that promises have ready to run has run. */
function promisesSettled(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
