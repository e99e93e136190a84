/** The machine's own time and timers. */

import process from "node:process";
import { setImmediate } from "node:timers";
import type { Clock, Timer } from "./clock.ts";

/**
 * Real time. `nowMs` is monotonic and has fractions of a millisecond; on some systems (Linux) it stands still while
 * the machine is asleep.
 *
 * A timer keeps the process alive until it fires or is cancelled: whoever waits to try again has nothing else
 * that would. So owners cancel what they no longer need, and a forgotten timer shows: as a leak in a test, as a
 * program that does not end.
 *
 * `endOfTurn` is `setImmediate`: sockets that were found readable together (up to 1024 in Deno 2.9) have all been read
 * when it runs. A chain of these does not look for more in between; a timer does.
 */
export const realClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  ranMs: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
  after: (delayMs, wake) => new RealTimer(delayMs, wake),
  endOfTurn: (run) => void setImmediate(run),
};

/** The longest delay that `setTimeout` takes: 24.8 days. A longer one would fire at once. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

class RealTimer implements Timer {
  #handle: ReturnType<typeof setTimeout>;
  #isUnref = false;

  constructor(delayMs: number, wake: () => void) {
    this.#handle = this.#start(delayMs, wake);
  }

  cancel(): void {
    clearTimeout(this.#handle);
  }

  unref(): void {
    this.#isUnref = true;
    unrefTimeout(this.#handle);
  }

  #start(delayMs: number, wake: () => void): ReturnType<typeof setTimeout> {
    if (delayMs <= LONGEST_TIMEOUT_MS) return setTimeout(wake, Math.ceil(delayMs));
    return setTimeout(() => {
      this.#handle = this.#start(delayMs - LONGEST_TIMEOUT_MS, wake);
      if (this.#isUnref) unrefTimeout(this.#handle);
    }, LONGEST_TIMEOUT_MS);
  }
}

/** Deno's own `setTimeout` gives a number, that of Node.js an object. */
function unrefTimeout(handle: ReturnType<typeof setTimeout>): void {
  const timer = handle as unknown as number | { unref(): void };
  if (typeof timer === "number") Deno.unrefTimer(timer);
  else timer.unref();
}
