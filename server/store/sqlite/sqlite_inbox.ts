/**
 * Waiting direct messages, in the table `inbox`: a part of `sqlite_store.ts`, which owns the transactions. A row says
 * where the line is; only the segment has the line. Messages of turns that the database does not have yet are in memory
 * (`unsettled`). Does what `server/store/inbox.ts` decides.
 */

import type { EntryId } from "../../../protocol/entry_id.ts";
import { linesAfter, type Position, type Segment } from "../../../log/segment.ts";
import { checkRow, rowChecksum } from "./checksum.ts";
import { InboxCounts } from "../inbox_counts.ts";
import { DamagedFileError } from "./sqlite_errors.ts";
import { all, one, type Statements } from "./sqlite_statements.ts";
import { type PlacedInboxChange, type SettledEntry, UnsettledInbox } from "../turns/unsettled_inbox.ts";
import type { EntryRange, InboxPortion, WaitingMessage } from "../store.ts";

/** The number of sizes that are read together, to see how many messages fit into a portion. */
const SIZES = 256;
const NEWLINE = 0x0a;
const decoder = new TextDecoder();

/**
 * A row: a waiting message, or a delivery that is known before its message (without `username`, `position` and `size`).
 */
interface Row {
  readonly place: number;
  readonly origin: string;
  readonly sequence: number;
  readonly takenAt: number;
  readonly username: string | null;
  readonly position: Position | null;
  readonly size: number | null;
  readonly checksum: number;
  /** For a message of version 4 of the database whose segment was already gone. */
  readonly line: string | null;
}

/** The place of a message among the wanted ones, and its bytes. */
interface Size extends EntryId {
  readonly at: number;
  readonly size: number;
}

/** The part of an inbox that is asked for. */
interface Asked {
  /** Sizes of messages in the database, from one on. */
  sizesAfter(at: number): readonly Size[];
  /** Rows of the database behind `after`, up to `last`. */
  rows(after: number, last: number): readonly Row[];
  /** Whether a message that is not in the database is asked for. */
  isAskedFor(message: Pick<WaitingMessage, "place" | "origin" | "sequence">): boolean;
}

/** The messages of all users. Its calls throw the errors of SQLite, and `DamagedFileError`. */
export class SqliteInbox {
  readonly #statements: Statements;
  readonly #segmentAt: (position: Position) => Segment | undefined;
  /** What the database does not have yet. It gives places: SQLite itself would give a deleted newest one again. */
  readonly unsettled: UnsettledInbox;
  /** How many messages wait, here and there; `undefined` after a transaction that failed. */
  #counts: InboxCounts | undefined;
  /** No message waits at an earlier place, as places only grow. */
  #oldestPlace = 0;

  /** `segmentAt` reads a segment of the log. */
  constructor(statements: Statements, segmentAt: (position: Position) => Segment | undefined) {
    this.#statements = statements;
    this.#segmentAt = segmentAt;
    const lastPlace = one<{ place: number }>(statements.newestMessage)?.place ?? 0;
    this.unsettled = new UnsettledInbox(
      lastPlace,
      (origin, sequence) => one<SettledEntry>(statements.messageOf, origin, sequence),
      (username, change) => this.#counts?.add(username, change),
    );
    this.#counts = this.#countAll();
  }

  /** How many messages wait. */
  get size(): number {
    return this.#counted.size;
  }

  /** As `Store.inboxSizes`. */
  get sizes(): ReadonlyMap<string, number> {
    return this.#counted.byUser;
  }

  /** As `Store.inboxOldest`. */
  get oldest(): number | undefined {
    for (;;) {
      const row = one<Row>(this.#statements.oldestMessageFrom, this.#oldestPlace);
      if (row === undefined) return this.unsettled.oldest;
      this.#oldestPlace = row.place;
      if (!this.#isGone(row)) return checked(row).takenAt;
      this.#oldestPlace++;
    }
  }

  /** A transaction was taken back, and with it what was counted in it. */
  takenBack(): void {
    this.#counts = undefined;
  }

  /** As `Store.inboxOf`. */
  of(username: string, { after = 0, maxBytes = Infinity }: InboxPortion = {}): WaitingMessage[] {
    const { messagesOf, messageSizesOf } = this.#statements;
    return this.#portion(username, after, maxBytes, {
      sizesAfter: (last) => all<Size>(messageSizesOf, username, last, SIZES),
      rows: (after, last) => all<Row>(messagesOf, username, after, last),
      isAskedFor: ({ place }) => place > after,
    });
  }

  /** As `Store.inboxRange`. */
  rangeOf(username: string, { origin, first, last }: EntryRange, maxBytes: number): WaitingMessage[] {
    const { messagesIn, messageSizesIn } = this.#statements;
    return this.#portion(username, first - 1, maxBytes, {
      sizesAfter: (before) => all<Size>(messageSizesIn, username, origin, before, last, SIZES),
      rows: (after, end) => all<Row>(messagesIn, username, origin, after + 1, end),
      isAskedFor: (message) => message.origin === origin && message.sequence >= first && message.sequence <= last,
    });
  }

  /** Takes in the changes of a turn, within its transaction. */
  apply({ taken, delivered, takenAt }: PlacedInboxChange): void {
    const { deleteMessage } = this.#statements;
    for (const { origin, sequence, to, position, bytes, takenAt, place } of taken) {
      if (place === undefined) all(deleteMessage, origin, sequence);
      else this.#insert(place, origin, sequence, takenAt, to, position, bytes.length);
    }
    for (const { origin, sequence, isEarly, place } of delivered) {
      if (!isEarly) all(deleteMessage, origin, sequence);
      else if (place !== undefined) this.#insert(place, origin, sequence, takenAt, null, null, null);
    }
  }

  /**
   * The place of the last row to forget, and the number of rows up to it: taken in before `takenBefore`, at most
   * `budget`. `heldFrom` is the position of the first segment that is still needed.
   */
  planForgetting(
    takenBefore: number,
    budget: number,
  ): { readonly upTo: number; readonly rows: number; readonly heldFrom: Position } {
    const oldest = all<Row>(this.#statements.oldestMessages, budget).map(checked);
    // As with activities, a message that stays keeps all after it.
    const stays = oldest.findIndex(({ takenAt }) => takenAt >= takenBefore);
    const rows = stays < 0 ? oldest.length : stays;
    const upTo = oldest[rows - 1]?.place ?? 0;
    const next = one<Row>(this.#statements.firstMessageAfter, upTo);
    return { upTo, rows, heldFrom: next === undefined ? Infinity : checked(next).position! };
  }

  /** Forgets the rows up to this place; within a transaction. */
  forget(upTo: number): void {
    this.#drop(this.#statements.deleteMessagesUpTo, upTo);
  }

  /** Forgets messages and deliveries of `origin`; within a transaction. */
  forgetOrigin(origin: string): void {
    this.#drop(this.#statements.deleteMessagesOfOrigin, origin);
  }

  /** Drops the messages of `origin` after `sequence`, where the log was cut. Known deliveries stay true. */
  cut(origin: string, sequence: number): void {
    this.#drop(this.#statements.deleteMessagesAfter, origin, sequence);
  }

  /** Deletes rows that no turn has spoken of. Each statement tells of each row for whom it waited, if it waited. */
  #drop(statement: Statements["deleteMessage"], ...of: (string | number)[]): void {
    for (const { username } of all<Pick<Row, "username">>(statement, ...of)) {
      if (username !== null) this.#counts?.add(username, -1);
    }
  }

  get #counted(): InboxCounts {
    return this.#counts ??= this.#countAll();
  }

  #countAll(): InboxCounts {
    const rows = all<{ username: string; size: number }>(this.#statements.countMessages);
    const counts = new InboxCounts(rows.map(({ username, size }) => [username, size]));
    for (const [username, change] of this.unsettled.changes()) counts.add(username, change);
    return counts;
  }

  #insert(
    ...values: [number, string, number, number, string | null, Position | null, number | null]
  ): void {
    const [place, origin, sequence, takenAt, username, position, size] = values;
    const checksum = rowChecksum("inbox", place, origin, sequence, takenAt, username, position, size, null);
    const { insertMessage } = this.#statements;
    insertMessage.run(place, origin, sequence, takenAt, username, position, size, checksum);
  }

  /**
   * Waiting messages of `username` after `after`: first those of the database, then those that it does not have yet.
   */
  #portion(
    username: string,
    after: number,
    maxBytes: number,
    { sizesAfter, rows, isAskedFor }: Asked,
  ): WaitingMessage[] {
    const { last, bytes, isEnd, count } = this.#lastThatFits(sizesAfter, after, maxBytes);
    const waiting = rows(after, last).filter((row) => !this.#isGone(row));
    const found = this.#messages(waiting, username);
    return isEnd ? [...found, ...this.unsettled.of(username, maxBytes - bytes, count > 0, isAskedFor)] : found;
  }

  /**
   * The last message after `after` that fits into `maxBytes`, or the first one, and how many there are up to it. Reads
   * sizes first, so that no line is read in vain.
   */
  #lastThatFits(sizesAfter: Asked["sizesAfter"], after: number, maxBytes: number) {
    let [last, bytes, count] = [after, 0, 0];
    for (;;) {
      const sizes = sizesAfter(last);
      for (const row of sizes) {
        if (!this.#isGone(row)) {
          if (count > 0 && bytes + row.size > maxBytes) return { last, bytes, count, isEnd: false };
          bytes += row.size;
          count++;
        }
        last = row.at;
      }
      if (sizes.length < SIZES) return { last, bytes, count, isEnd: true };
    }
  }

  #isGone({ origin, sequence }: EntryId): boolean {
    return this.unsettled.isGone(origin, sequence);
  }

  /** What `rows` say, all of them for one user. */
  #messages(rows: readonly Row[], to: string): WaitingMessage[] {
    let segment: Segment | undefined;
    return rows.map((row) => {
      const { place, origin, sequence, position, line } = checked(row);
      if (row.username !== to) throw damaged(row);
      if (line !== null) return { place, origin, sequence, to, line };
      // Most that wait for one user stand together.
      if (segment === undefined || segment.position !== position) segment = this.#segmentAt(position!);
      const bytes = segment && lineIn(segment, row);
      if (bytes === undefined) throw damaged(row);
      return { place, origin, sequence, to, line: decoder.decode(bytes) };
    });
  }
}

/** The line of the entry that `row` names, if it is in `segment`. */
function lineIn(segment: Segment, { origin, sequence, username, size }: Row): Uint8Array | undefined {
  const { audience, first, last } = segment;
  if (segment.origin !== origin || sequence < first || sequence > last) return undefined;
  if (audience.kind !== "user" || audience.username !== username) return undefined;
  const bytes = linesAfter(segment, sequence - 1);
  const line = bytes.subarray(0, bytes.indexOf(NEWLINE) + 1);
  return line.length === size ? line : undefined;
}

function checked(row: Row): Row {
  const { place, origin, sequence, takenAt, username, position, size, checksum, line } = row;
  checkRow(checksum, "inbox", place, origin, sequence, takenAt, username, position, size, line);
  return row;
}

function damaged({ origin, sequence }: Row): DamagedFileError {
  const what = "is damaged: the line of a direct message is not where it says";
  return new DamagedFileError("thrum.sqlite", what, { origin, first: sequence, last: sequence });
}
