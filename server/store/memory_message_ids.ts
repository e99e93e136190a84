/**
 * Used message ids in memory, oldest first: a part of `memory_store.ts`. Clients without a name share a bounded part.
 */

import { ANONYMOUS } from "../../protocol/names.ts";
import type { UsedMessageId } from "./store.ts";

/** The data of an id, beside its key. */
type Kept = Pick<UsedMessageId, "origin" | "sequence" | "usedAt">;

/** All of them. */
export class MemoryMessageIds {
  readonly #named: BoundedIds;
  readonly #anonymous: BoundedIds;

  /** The most ids that are kept, even young ones. */
  constructor(maxNamed: number, maxAnonymous: number) {
    this.#named = new BoundedIds(maxNamed);
    this.#anonymous = new BoundedIds(maxAnonymous);
  }

  /** As `Store.usedMessageId`. */
  find(username: string, messageId: string): UsedMessageId | undefined {
    const kept = this.#of(username).ids.get(keyOf(username, messageId));
    return kept && { username, messageId, ...kept };
  }

  /** Takes in what a turn used. */
  write(used: readonly UsedMessageId[]): void {
    for (const { username, messageId, origin, sequence, usedAt } of used) {
      const { ids } = this.#of(username);
      const key = keyOf(username, messageId);
      if (!ids.has(key)) ids.set(key, { origin, sequence, usedAt });
    }
    this.#named.trim();
    this.#anonymous.trim();
  }

  /** Looks at the oldest `budget` ids and forgets those used before `usedBefore`. True if there are more. */
  forget(usedBefore: number, budget: number): boolean {
    const moreNamed = this.#named.forget(usedBefore, budget);
    return this.#anonymous.forget(usedBefore, budget) || moreNamed;
  }

  /** Drops the ids of `origin` after `sequence`. O(n). */
  cut(origin: string, sequence: number): void {
    for (const { ids } of [this.#named, this.#anonymous]) {
      for (const [key, kept] of ids) if (kept.origin === origin && kept.sequence > sequence) ids.delete(key);
    }
  }

  /** Forgets everything. */
  clear(): void {
    this.#named.ids.clear();
    this.#anonymous.ids.clear();
  }

  #of(username: string): BoundedIds {
    return username === ANONYMOUS ? this.#anonymous : this.#named;
  }
}

class BoundedIds {
  readonly ids = new Map<string, Kept>();
  readonly #max: number;
  #sweep: Iterator<[string, Kept]> | undefined;
  /** Goes on where it stopped. A new iterator would have to pass over everything that was deleted before. */
  #oldest: Iterator<string> | undefined;

  constructor(max: number) {
    this.#max = max;
  }

  /** Forgets the oldest while there are too many. */
  trim(): void {
    while (this.ids.size > this.#max) this.#forgetOldest();
  }

  /** Looks through a part of them. */
  forget(usedBefore: number, budget: number): boolean {
    this.#sweep ??= this.ids.entries();
    for (let left = budget; left > 0; left--) {
      const { done, value } = this.#sweep.next();
      if (done) {
        this.#sweep = undefined;
        return false;
      }
      if (value[1].usedAt < usedBefore) this.ids.delete(value[0]);
    }
    return true;
  }

  #forgetOldest(): void {
    this.#oldest ??= this.ids.keys();
    const { done, value } = this.#oldest.next();
    if (done) this.#oldest = undefined;
    else this.ids.delete(value);
  }
}

function keyOf(username: string, messageId: string): string {
  // The length tells where the name ends, so no two pairs give the same text.
  return `${username.length} ${username}${messageId}`;
}
