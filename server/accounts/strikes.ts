/**
 * The cost of wrong secrets. A few are forgiven; after them the sender has to wait, each time twice as long. The caller
 * gives the time, on any clock that does not go back. The memory for strangers has a bound. Pure.
 */

import { RecentMap } from "../../log/recent.ts";

/** How strict it is. */
export interface StrikeRule {
  /** This many cost nothing. */
  readonly free: number;
  /** One is forgotten after each such span. */
  readonly forgetMs: number;
  /** The wait after the first strike that costs something, and the longest wait. */
  readonly firstMs: number;
  readonly mostMs: number;
}

/** The most keys. Beyond it, the key that has been quiet for longest is forgotten. */
const MAX_KEYS = 10_000;

interface Struck {
  /** Strikes that were not forgotten at `at`. */
  readonly count: number;
  readonly at: number;
  readonly freeAt: number;
}

/** Counts wrong secrets by key. */
export class Strikes {
  readonly #rule: StrikeRule;
  /** Struck longest ago first. */
  readonly #keys: RecentMap<string, Struck>;

  constructor(rule: StrikeRule, maxKeys = MAX_KEYS) {
    this.#rule = rule;
    this.#keys = new RecentMap(maxKeys);
  }

  /** Keys that are remembered. */
  get size(): number {
    return this.#keys.size;
  }

  /** How long `key` has to wait before the next secret of its is looked at; 0 when it has not. */
  waitMs(key: string, nowMs: number): number {
    return Math.max(0, (this.#keys.get(key)?.freeAt ?? nowMs) - nowMs);
  }

  /** Counts a wrong one. */
  add(key: string, nowMs: number): void {
    const { free, forgetMs, firstMs, mostMs } = this.#rule;
    const before = this.#keys.get(key);
    const left = before === undefined ? 0 : Math.max(0, before.count - Math.floor((nowMs - before.at) / forgetMs));
    const count = left + 1;
    // As many as cost the most: further ones would only be remembered for longer.
    const most = free + 1 + Math.ceil(Math.log2(mostMs / firstMs));
    const spanMs = count <= free ? 0 : Math.min(mostMs, firstMs * 2 ** (count - free - 1));
    this.#keys.renew(key, { count: Math.min(count, most), at: nowMs, freeAt: nowMs + spanMs });
  }

  /** All is forgiven. */
  forget(key: string): void {
    this.#keys.delete(key);
  }
}
