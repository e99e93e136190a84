/** Direct messages that wait, in the table `inbox`: a part of `sqlite_store.ts`, which owns the transactions. Acts on what `inbox.ts` decides. */

import type { InboxChange } from "./inbox.ts";
import { all, one, type Statements } from "./sqlite_statements.ts";
import type { StoredMessage } from "./store.ts";

/** The messages of all users. Its calls throw what SQLite throws. */
export class SqliteInbox {
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  /** How many messages wait. */
  get size(): number {
    return one<{ size: number }>(this.#statements.countMessages)!.size;
  }

  /** Messages that wait for `username`, in order. */
  of(username: string): StoredMessage[] {
    type Found = Omit<StoredMessage, "to">;
    return all<Found>(this.#statements.messagesOf, username)
      .map(({ origin, sequence, line }) => ({ origin, sequence, to: username, line }));
  }

  /** Takes in what a turn changed; within its transaction. */
  apply({ taken, delivered, takenAt }: InboxChange): void {
    const { insertMessage, deleteMessage, insertEarly } = this.#statements;
    for (const { origin, sequence, to, line, takenAt } of taken) {
      const wasDelivered = Number(deleteMessage.run(origin, sequence).changes) > 0;
      if (!wasDelivered) insertMessage.run(origin, sequence, takenAt, to, line);
    }
    for (const { origin, sequence, isEarly } of delivered) {
      if (isEarly) insertEarly.run(origin, sequence, takenAt);
      else deleteMessage.run(origin, sequence);
    }
  }

  /** The place of the last row that is to be forgotten, and how many there are up to it: taken in before `takenBefore`, and at most `budget`. */
  planForgetting(takenBefore: number, budget: number): { readonly upTo: number; readonly rows: number } {
    const oldest = all<{ place: number; takenAt: number }>(this.#statements.oldestMessages, budget);
    // As with activities, one that is to stay keeps all after it.
    const stays = oldest.findIndex(({ takenAt }) => takenAt >= takenBefore);
    const rows = stays < 0 ? oldest.length : stays;
    return { upTo: oldest[rows - 1]?.place ?? 0, rows };
  }

  /** Forgets the rows up to this place; within a transaction. */
  forget(upTo: number): void {
    this.#statements.deleteMessagesUpTo.run(upTo);
  }

  /** Drops the messages of `origin` after `sequence`: the log was cut there. What is known of deliveries stays true. */
  cut(origin: string, sequence: number): void {
    this.#statements.deleteMessagesAfter.run(origin, sequence);
  }
}
