/**
 * The messages that wait in a store, done in the dumbest way: a list that is searched. What
 * `tests/contract/inbox_contract.ts` compares the stores with.
 */

import { sequenceOf, type Vector } from "../../log/vector.ts";
import type { EntryId } from "../../protocol/entry_id.ts";
import type { Batch, StoredMessage } from "../../server/store/store.ts";

interface Row extends EntryId {
  readonly takenAt: number;
  /** There is none while only its delivery is known. */
  readonly message?: StoredMessage;
}

/** An inbox that one can trust. */
export class ReferenceInbox {
  #rows: Row[] = [];
  #vector: Vector = {};
  #takenAt = 0;

  get size(): number {
    return this.#rows.filter(({ message }) => message !== undefined).length;
  }

  /** When the first that waits was taken in. */
  get oldest(): number | undefined {
    return this.#rows.find(({ message }) => message !== undefined)?.takenAt;
  }

  /** How far the log has an origin, or had it. */
  lastOf(origin: string): number {
    return sequenceOf(this.#vector, origin);
  }

  of(username: string): StoredMessage[] {
    return this.#rows.flatMap(({ message }) => message?.to === username ? [message] : []);
  }

  /** As many of `messages` from the first one on as fit. */
  portion<T extends StoredMessage>(messages: readonly T[], maxBytes: number): T[] {
    const bytesUpTo = (index: number) =>
      new TextEncoder().encode(messages.slice(0, index + 1).map(({ line }) => line).join(""));
    return messages.filter((_, index) => index === 0 || bytesUpTo(index).length <= maxBytes);
  }

  commit({ segments, directMessages = [], delivered = [] }: Batch): void {
    for (const { origin, first, last, takenAt } of segments) {
      this.#takenAt = takenAt;
      this.#vector = { ...this.#vector, [origin]: last };
      for (let sequence = first; sequence <= last; sequence++) {
        const message = directMessages.find((message) => message.origin === origin && message.sequence === sequence);
        if (message === undefined) continue;
        if (!this.#remove(message)) this.#rows.push({ origin, sequence, takenAt, message });
      }
    }
    for (const { origin, sequence } of delivered) {
      const isKnown = this.#rows.some((row) => row.origin === origin && row.sequence === sequence);
      if (sequence <= sequenceOf(this.#vector, origin)) this.#remove({ origin, sequence });
      else if (!isKnown) this.#rows.push({ origin, sequence, takenAt: this.#takenAt });
    }
  }

  forget(takenBefore: number): void {
    while (this.#rows.length > 0 && this.#rows[0]!.takenAt < takenBefore) this.#rows.shift();
  }

  bury(origin: string): void {
    this.#rows = this.#rows.filter((row) => row.origin !== origin);
  }

  #remove({ origin, sequence }: EntryId): boolean {
    const before = this.#rows.length;
    this.#rows = this.#rows.filter((row) => row.origin !== origin || row.sequence !== sequence);
    return this.#rows.length < before;
  }
}
