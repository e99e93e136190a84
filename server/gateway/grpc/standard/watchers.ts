/**
 * Who watches how this server is. One look of the server serves all who watch: a stream that is open costs nothing
 * while nothing changes. Strangers open these streams, so there is a bound.
 */

import type { Clock, Timer } from "../../../../platform/clock.ts";

/** One who watches. */
export interface Watcher {
  /** Is told the state at the beginning, and each change of it. What it throws is its own fault, and not thrown on. */
  tell(isReady: boolean): void;
}

/** How often the server looks at its state while somebody watches, in milliseconds. */
export const LOOK_MS = 500;
/** Those who watch at once. */
export const MAX_WATCHERS = 1_000;

/** The watchers of one door. */
export class Watchers {
  readonly #clock: Pick<Clock, "after">;
  readonly #isReady: () => boolean;
  readonly #watchers = new Set<Watcher>();
  #timer: Timer | undefined;
  /** What all were told last. */
  #told = false;

  constructor(clock: Pick<Clock, "after">, isReady: () => boolean) {
    this.#clock = clock;
    this.#isReady = isReady;
  }

  /** Tells `watcher` from now on. Gives whether there was room for it. */
  add(watcher: Watcher): boolean {
    if (this.#watchers.size >= MAX_WATCHERS) return false;
    if (this.#watchers.size === 0) {
      this.#told = this.#isReady();
      this.#lookLater();
    } else this.#look();
    this.#watchers.add(watcher);
    watcher.tell(this.#told);
    return true;
  }

  /** It is gone, or was never there. */
  delete(watcher: Watcher): void {
    if (this.#watchers.delete(watcher) && this.#watchers.size === 0) this.#timer?.cancel();
  }

  #lookLater(): void {
    this.#timer = this.#clock.after(LOOK_MS, () => {
      // Who is told may go, and be the last one.
      this.#lookLater();
      this.#look();
    });
  }

  #look(): void {
    const isReady = this.#isReady();
    if (isReady === this.#told) return;
    this.#told = isReady;
    for (const watcher of [...this.#watchers]) watcher.tell(isReady);
  }
}
