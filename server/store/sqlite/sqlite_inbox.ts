/**
 * Waiting direct messages, in the table `inbox`: a part of `sqlite_store.ts`, which owns the transactions. A row says
 * where the line is; only the segment has the line. Does what `server/store/inbox.ts` decides.
 */

import { linesAfter, type Position, type Segment } from "../../../log/segment.ts";
import { checkRow, rowChecksum } from "./checksum.ts";
import type { InboxChange } from "../inbox.ts";
import { InboxCounts } from "../inbox_counts.ts";
import { DamagedFileError } from "./sqlite_errors.ts";
import { all, one, type Statements } from "./sqlite_statements.ts";
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
interface Size {
  readonly at: number;
  readonly size: number;
}

/** The messages of all users. Its calls throw the errors of SQLite, and `DamagedFileError`. */
export class SqliteInbox {
  readonly #statements: Statements;
  readonly #segmentAt: (position: Position) => Segment | undefined;
  /**
   * SQLite itself would reuse the place of a deleted newest row. A reader of portions would then take the new message
   * for one that it had.
   */
  #lastPlace: number;
  /** How many messages wait; `undefined` after a transaction that failed. */
  #counts: InboxCounts | undefined;
  /** No message waits at an earlier place, as places only grow. */
  #oldestPlace = 0;

  /** `segmentAt` reads a segment of the log. */
  constructor(statements: Statements, segmentAt: (position: Position) => Segment | undefined) {
    this.#statements = statements;
    this.#segmentAt = segmentAt;
    this.#lastPlace = one<{ place: number }>(statements.newestMessage)?.place ?? 0;
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
    const row = one<Row>(this.#statements.oldestMessageFrom, this.#oldestPlace);
    if (row === undefined) return undefined;
    this.#oldestPlace = row.place;
    return checked(row).takenAt;
  }

  /** A transaction was taken back, and with it what was counted in it. */
  takenBack(): void {
    this.#counts = undefined;
  }

  /** As `Store.inboxOf`. */
  of(username: string, { after = 0, maxBytes = Infinity }: InboxPortion = {}): WaitingMessage[] {
    const { messagesOf, messageSizesOf } = this.#statements;
    const last = lastThatFits((last) => all<Size>(messageSizesOf, username, last, SIZES), after, maxBytes);
    return this.#messages(all<Row>(messagesOf, username, after, last), username);
  }

  /** As `Store.inboxRange`. */
  rangeOf(username: string, { origin, first, last }: EntryRange, maxBytes: number): WaitingMessage[] {
    const { messagesIn, messageSizesIn } = this.#statements;
    const sizes = (before: number) => all<Size>(messageSizesIn, username, origin, before, last, SIZES);
    const end = lastThatFits(sizes, first - 1, maxBytes);
    return this.#messages(all<Row>(messagesIn, username, origin, first, end), username);
  }

  /** Takes in the changes of a turn, within its transaction. */
  apply({ taken, delivered, takenAt }: InboxChange): void {
    const { deleteMessage } = this.#statements;
    for (const { origin, sequence, to, position, bytes, takenAt } of taken) {
      const wasDelivered = this.#delete(deleteMessage, origin, sequence) > 0;
      if (!wasDelivered) this.#insert(origin, sequence, takenAt, to, position, bytes.length);
    }
    for (const { origin, sequence, isEarly } of delivered) {
      if (isEarly) this.#insert(origin, sequence, takenAt, null, null, null);
      else this.#delete(deleteMessage, origin, sequence);
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
    this.#delete(this.#statements.deleteMessagesUpTo, upTo);
  }

  /** Forgets messages and deliveries of `origin`; within a transaction. */
  forgetOrigin(origin: string): void {
    this.#delete(this.#statements.deleteMessagesOfOrigin, origin);
  }

  /** Drops the messages of `origin` after `sequence`, where the log was cut. Known deliveries stay true. */
  cut(origin: string, sequence: number): void {
    this.#delete(this.#statements.deleteMessagesAfter, origin, sequence);
  }

  /** Deletes rows, and gives how many. Each statement tells of each row for whom it waited, if it was a message. */
  #delete(statement: Statements["deleteMessage"], ...of: (string | number)[]): number {
    const rows = all<Pick<Row, "username">>(statement, ...of);
    for (const { username } of rows) if (username !== null) this.#counts?.add(username, -1);
    return rows.length;
  }

  get #counted(): InboxCounts {
    return this.#counts ??= this.#countAll();
  }

  #countAll(): InboxCounts {
    const rows = all<{ username: string; size: number }>(this.#statements.countMessages);
    return new InboxCounts(rows.map(({ username, size }) => [username, size]));
  }

  #insert(
    ...values: [string, number, number, string | null, Position | null, number | null]
  ): void {
    const [origin, sequence, takenAt, username, position, size] = values;
    const place = ++this.#lastPlace;
    const checksum = rowChecksum("inbox", place, origin, sequence, takenAt, username, position, size, null);
    const { insertMessage } = this.#statements;
    const { changes } = insertMessage.run(place, origin, sequence, takenAt, username, position, size, checksum);
    if (username !== null && Number(changes) > 0) this.#counts?.add(username, Number(changes));
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

/**
 * The place of the last message after `after` that fits into `maxBytes`, or of the first one. Reads sizes first, so
 * that no line is read in vain.
 */
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
