/** Who is read when: sockets that always have something must not keep all others waiting. */

import { setImmediate } from "node:timers";

/** A link that can be told to rest. */
export interface RestingLink {
  /** Whether it is the others' turn to be read. */
  isResting: boolean;
}

/** As much as Deno reads at once. A smaller chunk says that nothing was left, a full one that there is more. */
const FULL_CHUNK_BYTES = 65_536;
/**
 * How long full chunks are read before everybody else is looked at, and the shortest rest that makes
 * the event loop do so.
 */
const READING_MS = 10;
const REST_MS = 1;

/**
 * Lets links that never run dry rest now and then, all at once. Deno 2.9 reads up to 2 MB from a socket that always has
 * more, and begins with it again before it looks at others: measured, one fast sender kept logins and answers of
 * everybody else waiting for 5 seconds, twenty for more than 20. When nothing is left to be read the event loop has to
 * wait, and then it sees who else has something. A lone sender of that kind pays an eighth of its speed for that,
 * several pay nothing.
 */
class ReadingTurns {
  /** Links whose last chunk was full, and since when there was always one. */
  readonly #full = new Set<RestingLink>();
  #since = 0;
  readonly #resting = new Set<RestingLink>();

  /** `link` has read a chunk of `size` bytes; none when it is gone. */
  hasRead(link: RestingLink, size: number): void {
    if (size < FULL_CHUNK_BYTES) {
      this.#full.delete(link);
      return;
    }
    const now = performance.now();
    if (this.#full.size === 0) this.#since = now;
    this.#full.add(link);
    if (now - this.#since < READING_MS) return;
    link.isResting = true;
    // By a timer that is set when this turn has read everybody: one that is due already would be no rest.
    if (this.#resting.size === 0) setImmediate(() => setTimeout(() => this.#goOn(), REST_MS));
    this.#resting.add(link);
  }

  #goOn(): void {
    this.#since = performance.now();
    const rested = [...this.#resting];
    this.#resting.clear();
    for (const link of rested) link.isResting = false;
  }
}

/** The turns of this process: it has one event loop, whatever its sockets are for. */
export const readingTurns = new ReadingTurns();
