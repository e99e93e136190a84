/**
 * Chooses the entries whose whole way is recorded for people who look, from the publication to the delivery at each
 * server: each second, fourth, eighth … of an origin, by sequence. Servers deliver the same entries at about the same
 * time. So they choose the same ones, or one chooses some of those that another chooses. Pure.
 */

import type { EntryRange } from "../../trace/trace_event.ts";

/** What each server aims at. With three servers, an entry makes about ten events in all. */
const PER_SECOND = 12;

/** The choice at one server. */
export class WaySampling {
  /** A power of two: what a large one chooses, a small one chooses, too. */
  #every = 1;
  #seen = 0;
  #chosen = 0;
  /** How many may be chosen before the choice becomes rarer. */
  #room = 2 * PER_SECOND;

  /** Entries that were delivered since `renew`, and those of them that were chosen. */
  get counts(): { readonly all: number; readonly recorded: number } {
    return { all: this.#seen, recorded: this.#chosen };
  }

  /** Whether one of these entries is chosen. */
  wants({ first, last }: EntryRange): boolean {
    return Math.floor(last / this.#every) * this.#every >= first;
  }

  /** These entries were delivered. */
  delivered({ first, last }: EntryRange): void {
    this.#seen += last - first + 1;
    this.#chosen += Math.floor(last / this.#every) - Math.floor((first - 1) / this.#every);
    if (this.#chosen < this.#room) return;
    // The load has only now begun.
    this.#every *= 4;
    this.#room = this.#chosen + PER_SECOND / 2;
  }

  /** A second has passed. */
  renew(): void {
    const needed = this.#seen / PER_SECOND;
    this.#every = needed <= 1 ? 1 : 2 ** Math.ceil(Math.log2(needed));
    this.#seen = this.#chosen = 0;
    this.#room = 2 * PER_SECOND;
  }
}
