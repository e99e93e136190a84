/** Direct messages that wait, in the table `inbox`: a part of `sqlite_store.ts`, which owns the transactions. Acts on what `inbox.ts` decides. */

import type { InboxChange } from "./inbox.ts";
import { all, one, type Statements } from "./sqlite_statements.ts";
import type { EntryRange, InboxPortion, WaitingMessage } from "./store.ts";

/** Whose sizes are looked at together, to see how many fit into a portion. */
const SIZES = 256;

type Found = Omit<WaitingMessage, "to">;

/** Where a message stands among those that are asked for, and its bytes. */
interface Size {
  readonly at: number;
  readonly size: number;
}

/** The messages of all users. Its calls throw what SQLite throws. */
export class SqliteInbox {
  readonly #statements: Statements;
  /** SQLite itself would give the place of the newest row again when that is gone: to a reader of portions its message would be one that it had. */
  #lastPlace: number;

  constructor(statements: Statements) {
    this.#statements = statements;
    this.#lastPlace = one<{ place: number }>(statements.newestMessage)?.place ?? 0;
  }

  /** How many messages wait. */
  get size(): number {
    return one<{ size: number }>(this.#statements.countMessages)!.size;
  }

  /** As `Store.inboxOf`. */
  of(username: string, { after = 0, maxBytes = Infinity }: InboxPortion = {}): WaitingMessage[] {
    const { messagesOf, messageSizesOf } = this.#statements;
    const last = lastThatFits((last) => all<Size>(messageSizesOf, username, last, SIZES), after, maxBytes);
    return all<Found>(messagesOf, username, after, last).map((found) => ({ ...found, to: username }));
  }

  /** As `Store.inboxRange`. */
  rangeOf(username: string, { origin, first, last }: EntryRange, maxBytes: number): WaitingMessage[] {
    const { messagesIn, messageSizesIn } = this.#statements;
    const sizes = (before: number) => all<Size>(messageSizesIn, username, origin, before, last, SIZES);
    const end = lastThatFits(sizes, first - 1, maxBytes);
    return all<Found>(messagesIn, username, origin, first, end).map((found) => ({ ...found, to: username }));
  }

  /** As `Store.inboxCount`. */
  count(username: string, atMost: number): number {
    return one<{ size: number }>(this.#statements.countMessagesOf, username, atMost)!.size;
  }

  /** Takes in what a turn changed; within its transaction. */
  apply({ taken, delivered, takenAt }: InboxChange): void {
    const { insertMessage, deleteMessage, insertEarly } = this.#statements;
    for (const { origin, sequence, to, line, takenAt } of taken) {
      const wasDelivered = Number(deleteMessage.run(origin, sequence).changes) > 0;
      if (!wasDelivered) insertMessage.run(++this.#lastPlace, origin, sequence, takenAt, to, line);
    }
    for (const { origin, sequence, isEarly } of delivered) {
      if (isEarly) insertEarly.run(++this.#lastPlace, origin, sequence, takenAt);
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

/** Where the last of the messages after `after` stands that fit into `maxBytes`, or the first one. Sizes first, so that no line is read in vain. */
function lastThatFits(sizesAfter: (at: number) => readonly Size[], after: number, maxBytes: number): number {
  let last = after;
  let bytes = 0;
  for (;;) {
    const sizes = sizesAfter(last);
    for (const { at, size } of sizes) {
      bytes += size;
      if (last > after && bytes > maxBytes) return last;
      last = at;
    }
    if (sizes.length < SIZES) return last;
  }
}
