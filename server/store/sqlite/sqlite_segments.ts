/**
 * Segments in the SQLite store: frames, in rows or in files, and their index. A part of `sqlite_store.ts`, which owns
 * the transactions. `log_files.ts` has the files, `frame.ts` the form of frames. Everything is checked after it is read
 * and before it is returned.
 */

import { NO_CHANNEL } from "../../../log/channel_lines.ts";
import { withoutLines } from "../../../log/forgotten_lines.ts";
import type { LogPortion, Wanted } from "../../../log/portion.ts";
import { hasActivities, type Position, type Segment } from "../../../log/segment.ts";
import {
  channelColumn,
  type ChannelFact,
  columnOf,
  factsOf,
  forgottenIn,
  isColumnOf,
  mayHave,
  readFacts,
} from "../channels/channel_column.ts";
import type { ChannelRow, ForgottenLines } from "../channels/channel_retention.ts";
import { checksumOf, damagedRow } from "./checksum.ts";
import { AUDIENCE_NUMBERS, audienceOf, decodeFrame, encodeFrame, FRAME_FORM, storedKind } from "./frame.ts";
import { BARE_FORM, checkedRow, indexValues, readableLamport } from "./index_row.ts";
import { type LogFiles, nameOfLogFile } from "./log_files.ts";
import { DamagedFileError } from "./sqlite_errors.ts";
import { all, type IndexRow, isPlaced, one, type SegmentRow, type Statements } from "./sqlite_statements.ts";
import type { UnsettledSegment } from "../turns/unsettled.ts";
import type { Beginning, DamagedPart } from "../store.ts";

/** Segments that are read at a time however small they are, as each costs about 6 µs. */
const READ_ROWS = 256;
/** Index rows that are looked at for a reader of some channels, before others have their turn: a few milliseconds. */
const LOOK_ROWS = 512;

/** A segment without its bytes, on the way from a position to one end of the log. */
interface SizeRow {
  readonly position: Position;
  readonly size: number;
}

/** Segments that are read together, and follow each other in the log. */
interface PositionRun {
  readonly from: Position;
  to: Position;
}

/** Segments that are read together. */
interface Fitting {
  /** The position of the one that is farthest from where the reading began. */
  readonly last: Position;
  readonly count: number;
  /** Whether the log has no more behind them, in the direction of the reading. */
  readonly isEnd: boolean;
}

/** The segments of the log. Its calls throw the errors of SQLite and node:fs, and `DamagedFileError`. */
export class SqliteSegments {
  readonly #statements: Statements;
  readonly #files: LogFiles;
  readonly #nameOf: (origin: number) => string | undefined;
  /** From this size on the bytes of a segment go to a file. */
  readonly #largeBytes: number;

  /** `nameOf` gives the name of the origin with this number. */
  constructor(
    statements: Statements,
    files: LogFiles,
    nameOf: (origin: number) => string | undefined,
    largeBytes: number,
  ) {
    this.#statements = statements;
    this.#files = files;
    this.#nameOf = nameOf;
    this.#largeBytes = largeBytes;
  }

  /**
   * Writes the rows of a turn's segments, within a transaction. Large ones stay in the log file. The others are copied
   * into their rows, so that log files can go soon. `numberOf` gives the number of an origin.
   */
  write(segments: readonly UnsettledSegment[], lamport: number, numberOf: (name: string) => number): void {
    for (const { segment, activities, activityBytes, place } of segments) {
      const { position, origin, first, last, audience, takenAt, bytes } = segment;
      // Those for users and servers are forgotten at other times.
      const isLarge = hasActivities(audience) && bytes.length >= this.#largeBytes;
      const values = indexValues({
        position,
        origin: numberOf(origin),
        first,
        last,
        audience: AUDIENCE_NUMBERS[storedKind(audience)],
        username: audience.kind === "user" ? audience.username : null,
        takenAt,
        lamport: readableLamport(lamport),
        activities,
        activityBytes,
        form: FRAME_FORM,
        size: bytes.length,
        file: isLarge ? place.file : null,
        start: isLarge ? place.start : null,
        length: isLarge ? place.length : null,
        bareChecksum: null,
        channels: channelColumn(segment),
      });
      const frame = isLarge ? null : encodeFrame({ ...segment, lamport: readableLamport(lamport) });
      this.#statements.insertSegment.run(...values, frame);
    }
  }

  /** Like `Store.segmentsAfter`, in a log whose newest segment stands at `newest`. */
  after(position: Position, maxBytes: number, newest: Position): Segment[] {
    // Sizes first, all at once: in Deno 2.5, a statement that stops in the middle of its rows (`iterate`) does not work
    // a second time.
    const sizes = all<SizeRow>(this.#statements.sizesAfter, position, READ_ROWS);
    const { last, count, isEnd } = fitting(sizes, position, maxBytes);
    // The newest is never forgotten: before it the log does not end.
    if (isEnd && last < newest) throw damagedRow("segments");
    const rows = all<SegmentRow>(this.#statements.segmentsBetween, position, last);
    // Two ways to the same rows: a number that has changed stands in the way of one of them.
    if (rows.length !== count) throw damagedRow("segments");
    return this.#readAll(rows);
  }

  /** Like `Store.portionAfter`, in a log whose newest segment stands at `newest`, which is behind `position`. */
  portionAfter(position: Position, maxBytes: number, newest: Position, wanted: Wanted): LogPortion {
    const withChannels = all<IndexRow>(this.#statements.rowsWithChannels, position, LOOK_ROWS);
    const next = withChannels[0]?.position ?? Infinity;
    if (next > position + READ_ROWS && wanted.filter.wants(NO_CHANNEL)) {
      // Almost all of it is wanted.
      const segments = this.after(position, maxBytes, newest);
      return { segments, upTo: segments.at(-1)!.position };
    }
    const runs: PositionRun[] = [];
    const looked: IndexRow[] = [];
    let [upTo, bytes, isFull] = [position, 0, false];
    let isRun = false;
    for (const row of this.#rowsAfter(position, withChannels)) {
      const isWanted = isWantedRow(row, wanted);
      if (isWanted) bytes += row.size;
      isFull = bytes > maxBytes && bytes > row.size;
      if (isFull) break;
      // One that is read is checked with its frame.
      if (!isWanted) checkedRow(row);
      else if (isRun) runs.at(-1)!.to = row.position;
      else runs.push({ from: row.position, to: row.position });
      isRun = isWanted;
      upTo = row.position;
      if (looked.push(row) === LOOK_ROWS) break;
    }
    if (!isFull && looked.length < LOOK_ROWS && upTo < newest) throw damagedRow("segments");
    this.#checkOrder(looked);
    return { segments: runs.flatMap((run) => this.#readRun(run, looked)), upTo };
  }

  /** All index rows after `position`, in order. `withChannels` are the next ones that have channels. */
  *#rowsAfter(position: Position, withChannels: readonly IndexRow[]): Iterable<IndexRow> {
    let at = position;
    for (const row of withChannels) {
      if (row.position > at + 1) yield* this.#rowsBetween(at, row.position);
      yield row;
      at = row.position;
    }
    // Otherwise more of them follow, and enough were looked at.
    if (withChannels.length < LOOK_ROWS) yield* this.#rowsBetween(at, Number.MAX_SAFE_INTEGER);
  }

  #rowsBetween(after: Position, before: Position): IndexRow[] {
    const rows = all<IndexRow>(this.#statements.rowsBetween, after, before, LOOK_ROWS);
    // The other way would have found them.
    if (rows.some(({ channels }) => channels !== null)) throw damagedRow("segments");
    return rows;
  }

  #readRun({ from, to }: PositionRun, looked: readonly IndexRow[]): Segment[] {
    const rows = all<SegmentRow>(this.#statements.segmentsBetween, from - 1, to);
    const count = looked.filter(({ position }) => position >= from && position <= to).length;
    if (rows.length !== count) throw damagedRow("segments");
    return this.#readAll(rows);
  }

  /**
   * Like `Store.segmentsBefore`, in a log whose newest segment stands at `newest`. `oldest` gives the oldest kept
   * activity, if there is one.
   */
  before(position: Position, maxBytes: number, newest: Position, oldest: () => Beginning["oldest"]): Segment[] {
    const sizes = all<SizeRow>(this.#statements.sizesBefore, position, READ_ROWS);
    const found = fitting(sizes, position, maxBytes);
    // Neither end of the log may be missing.
    if (position > newest && newest > (sizes[0]?.position ?? 0)) throw damagedRow("segments");
    if (found.isEnd && (oldest()?.position ?? position) < found.last) throw damagedRow("segments");
    if (found.count === 0) return [];
    const rows = all<SegmentRow>(this.#statements.segmentsBetween, found.last - 1, position - 1);
    if (rows.length !== found.count) throw damagedRow("segments");
    return this.#readAll(rows);
  }

  /** The next rows after `position` that have channels, at most `limit`. */
  withChannels(position: Position, limit: number): ChannelRow[] {
    return all<IndexRow>(this.#statements.rowsWithChannels, position, limit).map((row) => {
      const { origin, takenAt } = checkedRow(row);
      return { ...this.factsOf(row), origin: this.#nameOf(origin) ?? "", takenAt };
    });
  }

  /** What a row that has channels says of them, or its segment, where these are too many for the row. */
  factsOf({ position, channels }: Pick<IndexRow, "position" | "channels">): Pick<ChannelRow, "position" | "facts"> {
    const facts = readFacts(channels!);
    if (facts !== undefined) return { position, facts };
    const segment = this.at(position);
    if (segment === undefined) throw damagedRow("segments");
    return { position, facts: factsOf(segment) };
  }

  /**
   * Forgets lines of a segment, within a transaction. What is left of it, if that is little, is copied into its row, so
   * that its log file can go. Otherwise its row says what is forgotten. Gives what its row says then.
   */
  forgetLines({ row: { position }, facts }: ForgottenLines): readonly ChannelFact[] {
    const row = one<SegmentRow>(this.#statements.segmentAt, position);
    if (row === undefined) throw damagedRow("segments");
    checkedRow(row);
    const names = new Set(facts.map(({ name }) => name));
    const marked = readFacts(row.channels!)?.map((fact): ChannelFact => (
      names.has(fact.name) ? { ...fact, isForgotten: true } : fact
    ));
    const left = (marked ?? []).reduce((sum, { bytes, isForgotten }) => isForgotten ? sum : sum + bytes, 0);
    const { bytes: _bytes, checksum: _checksum, ...known } = row;
    const channels = marked === undefined ? row.channels : columnOf(marked);
    this.#statements.deleteSegment.run(position);
    if (isPlaced(row) && marked !== undefined && left >= this.#largeBytes) {
      this.#statements.insertSegment.run(...indexValues({ ...known, channels }), null);
      return marked;
    }
    const segment = withoutLines(this.#readAll([row])[0]!, (name) => names.has(name));
    const inRow = { form: FRAME_FORM, file: null, start: null, length: null, bareChecksum: null };
    const frame = encodeFrame({ ...segment, lamport: row.lamport });
    const size = marked === undefined ? segment.bytes.length : row.size;
    this.#statements.insertSegment.run(...indexValues({ ...known, ...inRow, size, channels }), frame);
    return marked ?? factsOf(segment);
  }

  /** The segment at this position; `undefined` when there is none. */
  at(position: Position): Segment | undefined {
    const row = one<SegmentRow>(this.#statements.segmentAt, position);
    return row && this.#readAll([row])[0];
  }

  /** Reads a segment whose row was read. Trusts nothing in the row. */
  check(row: SegmentRow): void {
    this.#readAll([row]);
  }

  #readAll(rows: readonly SegmentRow[]): Segment[] {
    const placed = rows.filter(isPlaced);
    const bytes = this.#files.read(placed, (index) => this.#partOf(placed[index]!)).values();
    const segments = rows.map((row) => this.#segment(row, isPlaced(row) ? bytes.next().value! : row.bytes));
    this.#checkOrder(rows);
    return segments;
  }

  /** The segment of `row`. `stored` is its frame, or its bytes alone. */
  #segment(row: SegmentRow, stored: Uint8Array | null): Segment {
    if (row.form === BARE_FORM) return this.#bareSegment(row, stored);
    const decoded = stored === null ? undefined : decodeFrame(stored);
    if (decoded === undefined || !decoded.ok) throw this.#damaged(row, decoded?.problem ?? "its bytes are missing");
    const { position, origin, first, last, audience, takenAt, bytes } = decoded.frame;
    const username = audience.kind === "user" ? audience.username : null;
    const isTheRow = position === row.position && origin === this.#nameOf(row.origin) && first === row.first &&
      last === row.last && AUDIENCE_NUMBERS[storedKind(audience)] === row.audience && username === row.username &&
      isColumnOf(row.channels, audience) && takenAt === row.takenAt;
    const forgotten = forgottenIn(row.channels);
    // What is forgotten had more bytes.
    const isSize = bytes.length === row.size || (bytes.length < row.size && forgotten.size > 0);
    if (!isTheRow || !isSize) throw this.#damaged(row, "its frame and the index say different things");
    const segment = { position, origin, first, last, audience, takenAt, bytes };
    return forgotten.size === 0 ? segment : withoutLines(segment, (name) => forgotten.has(name));
  }

  /** A segment of a folder of version 4: only the row describes it. */
  #bareSegment(row: SegmentRow, bytes: Uint8Array | null): Segment {
    const { position, origin, first, last, takenAt } = checkedRow(row);
    if (bytes === null || checksumOf(bytes) !== row.bareChecksum) throw this.#damaged(row, "its bytes have changed");
    const audience = audienceOf(row.audience, row.username);
    const name = this.#nameOf(origin);
    if (audience === undefined || name === undefined) throw damagedRow("segments");
    return { position, origin: name, first, last, audience, takenAt, bytes };
  }

  /**
   * Each origin's segments for everyone have running counts, and are forgotten only from the beginning. So a missing
   * row is noticed.
   */
  #checkOrder(rows: readonly IndexRow[]): void {
    const counted = new Map<number, number>();
    for (const row of rows) {
      if (row.audience !== AUDIENCE_NUMBERS.everyone) continue;
      const before = counted.get(row.origin);
      if (before !== undefined && before + row.last - row.first + 1 !== row.activities) {
        throw this.#damaged(row, "something before it is not found any more");
      }
      counted.set(row.origin, row.activities);
    }
  }

  #damaged(row: IndexRow, problem: string): DamagedFileError {
    const file = row.file === null ? "thrum.sqlite" : nameOfLogFile(row.file);
    return new DamagedFileError(file, `is damaged: ${problem}`, this.#partOf(row));
  }

  #partOf({ position, origin, first, last }: IndexRow): DamagedPart {
    const name = this.#nameOf(origin);
    return { position, ...(name === undefined ? {} : { origin: name }), first, last };
  }
}

/** Whether the segment of this row may have something for the reader. */
function isWantedRow({ audience, username, channels }: IndexRow, wanted: Wanted): boolean {
  if (audience === AUDIENCE_NUMBERS.user) return username === wanted.username;
  if (audience !== AUDIENCE_NUMBERS.everyone) return false;
  return channels === null ? wanted.filter.wants(NO_CHANNEL) : mayHave(channels, wanted.filter);
}

/** Those of `rows`, next to `position`, that fit into `maxBytes` and one read; at least the first one. */
function fitting(rows: readonly SizeRow[], position: Position, maxBytes: number): Fitting {
  let last = position;
  let count = 0;
  let bytes = 0;
  for (const row of rows) {
    bytes += row.size;
    if (count > 0 && bytes > maxBytes) return { last, count, isEnd: false };
    last = row.position;
    count++;
  }
  return { last, count, isEnd: rows.length < READ_ROWS };
}
