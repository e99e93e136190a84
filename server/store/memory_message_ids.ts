/**
 * Used message ids in memory, oldest first: a part of `memory_store.ts`. They are kept as hashes (`ids/id_ring.ts`).
 * Clients without a name share a bounded part.
 */

import { ANONYMOUS } from "../../protocol/names.ts";
import { AskedIds } from "./ids/asked_ids.ts";
import { IdRing } from "./ids/id_ring.ts";
import { KeyedHash } from "./ids/keyed_hash.ts";
import { OriginNames } from "./ids/origin_names.ts";
import { makeSecret } from "./ids/secret.ts";
import type { UsedMessageId } from "./store.ts";

/** All of them. */
export class MemoryMessageIds {
  readonly #named = new IdRing();
  readonly #anonymous = new IdRing();
  readonly #maxNamed: number;
  readonly #maxAnonymous: number;
  readonly #hash = new KeyedHash(makeSecret());
  readonly #asked = new AskedIds();
  readonly #origins = new OriginNames();

  /** The most ids that are kept, even young ones. */
  constructor(maxNamed: number, maxAnonymous: number) {
    this.#maxNamed = maxNamed;
    this.#maxAnonymous = maxAnonymous;
  }

  /** As `Store.usedMessageId`. */
  find(username: string, messageId: string): UsedMessageId | undefined {
    this.#hash.hash(username, messageId);
    const { out } = this.#hash;
    const found = this.#of(username).find(out[0]!, out[1]!, out[2]!);
    if (found === undefined) {
      this.#asked.add(username, messageId, out);
      return undefined;
    }
    const { origin, sequence, usedAt } = found;
    return { username, messageId, origin: this.#origins.nameOf(origin), sequence, usedAt };
  }

  /** Takes in what a turn used. */
  write(used: readonly UsedMessageId[]): void {
    const { out } = this.#hash;
    for (const { username, messageId, origin, sequence, usedAt } of used) {
      if (!this.#asked.take(username, messageId, out)) this.#hash.hash(username, messageId);
      const use = { origin: this.#origins.numberOf(origin), sequence, usedAt };
      this.#of(username).add(out[0]!, out[1]!, out[2]!, use);
    }
    this.#asked.clear();
    this.#named.trim(this.#maxNamed);
    this.#anonymous.trim(this.#maxAnonymous);
  }

  /** Looks at the oldest `budget` ids and forgets those used before `usedBefore`. True if there are more. */
  forget(usedBefore: number, budget: number): boolean {
    const moreNamed = this.#named.forget(usedBefore, budget);
    return this.#anonymous.forget(usedBefore, budget) || moreNamed;
  }

  /** Drops the ids of `origin` after `sequence`. O(n). */
  cut(origin: string, sequence: number): void {
    const number = this.#origins.numberOf(origin);
    this.#named.cut(number, sequence);
    this.#anonymous.cut(number, sequence);
  }

  /** Forgets everything. */
  clear(): void {
    this.#named.clear();
    this.#anonymous.clear();
  }

  #of(username: string): IdRing {
    return username === ANONYMOUS ? this.#anonymous : this.#named;
  }
}
