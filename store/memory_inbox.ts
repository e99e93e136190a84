/** Direct messages that wait, in memory: what `memory_store.ts` has in place of a table. Acts on what `inbox.ts` decides. */

import { entryKey, type InboxChange } from "./inbox.ts";
import type { StoredMessage } from "./store.ts";

/** A message that waits, or, without one, a delivery that is known before its message. */
interface Row {
  readonly message?: StoredMessage;
  readonly takenAt: number;
}

/** The messages of all users. */
export class MemoryInbox {
  /** By entry, in the order of the log. */
  readonly #rows = new Map<string, Row>();
  /** What is in `#rows` for each user that has something there, in the same order. */
  readonly #ofUser = new Map<string, Map<string, StoredMessage>>();
  #early = 0;

  /** How many messages wait. */
  get size(): number {
    return this.#rows.size - this.#early;
  }

  /** Messages that wait for `username`, in order. */
  of(username: string): StoredMessage[] {
    return [...this.#ofUser.get(username)?.values() ?? []];
  }

  /** Takes in what a turn changed. */
  apply({ taken, delivered, takenAt }: InboxChange): void {
    for (const { takenAt, ...message } of taken) {
      const key = entryKey(message.origin, message.sequence);
      // It was delivered before it came.
      if (this.#delete(key)) continue;
      this.#rows.set(key, { message, takenAt });
      let ofUser = this.#ofUser.get(message.to);
      if (ofUser === undefined) this.#ofUser.set(message.to, ofUser = new Map());
      ofUser.set(key, message);
    }
    for (const { origin, sequence, isEarly } of delivered) {
      const key = entryKey(origin, sequence);
      if (!isEarly) {
        this.#delete(key);
      } else if (!this.#rows.has(key)) {
        this.#rows.set(key, { takenAt });
        this.#early++;
      }
    }
  }

  /** Forgets what was taken in before `takenBefore`, at most `budget` rows of it, and tells whether that was too few. */
  forget(takenBefore: number, budget: number): boolean {
    for (const [key, { takenAt }] of this.#rows) {
      // As with activities, one that is to stay keeps all after it.
      if (takenAt >= takenBefore) return false;
      if (budget-- === 0) return true;
      this.#delete(key);
    }
    return false;
  }

  /** Forgets everything. */
  clear(): void {
    this.#rows.clear();
    this.#ofUser.clear();
    this.#early = 0;
  }

  #delete(key: string): boolean {
    const row = this.#rows.get(key);
    if (row === undefined) return false;
    this.#rows.delete(key);
    if (row.message === undefined) {
      this.#early--;
    } else {
      const ofUser = this.#ofUser.get(row.message.to)!;
      ofUser.delete(key);
      if (ofUser.size === 0) this.#ofUser.delete(row.message.to);
    }
    return true;
  }
}
