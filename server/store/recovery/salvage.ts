/**
 * Finds the whole parts of a damaged data folder: rows and frames that are as they were written. Reads around
 * everything unreadable, and changes nothing. `recovery_plan.ts` decides about the result, and `recover.ts` writes it.
 */

import { closeSync, openSync } from "node:fs";
import { readPart } from "../../../platform/files/in_place.ts";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { type LostChannels, parseLost } from "../channels/lost_channels.ts";
import { checksumOf, rowChecksum } from "../sqlite/checksum.ts";
import { AUDIENCE_NUMBERS, audienceOf, decodeFrame, type Frame, storedKind } from "../sqlite/frame.ts";
import { BARE_FORM, indexValues } from "../sqlite/index_row.ts";
import { logFilesIn, nameOfLogFile } from "../sqlite/log_files.ts";
import type { State } from "../sqlite/sqlite_state.ts";
import { framesIn, MAX_FRAME_BYTES } from "../turns/frame_scan.ts";
import { type LogPlace, readTurns } from "../turns/turn_reader.ts";
import { INDEX_COLUMNS, isPlaced, type SegmentRow } from "../sqlite/sqlite_statements.ts";

/** Rows with these keys could not be read, and their number is unknown. */
export interface Unreadable {
  readonly after: number;
  readonly before: number;
}

/** A whole segment, and the place of its frame: a row, or a file. */
export interface WholeSegment {
  readonly frame: Frame;
  /** `undefined`: the frame was in the row. */
  readonly place: { readonly file: number; readonly start: number; readonly length: number } | undefined;
  /** Of bytes without a frame, from version 4. */
  readonly bareChecksum: number | undefined;
  /** What its row says that its frame does not, if the row is whole: which of its lines are forgotten. */
  readonly row?: { readonly channels: string | null; readonly size: number };
}

/**
 * The result of an index row: a whole segment, entries that are known to be lost, or a place where nothing is known.
 */
export type FoundSegment =
  | { readonly kind: "whole"; readonly segment: WholeSegment }
  | {
    readonly kind: "lost";
    readonly position: number;
    readonly origin: string;
    readonly first: number;
    readonly last: number;
    /** The file that should have its frame; `undefined`: the row has it. */
    readonly file: number | undefined;
  }
  | { readonly kind: "unknown"; readonly after: number; readonly before: number };

/** The turns of the log that the database did not have yet. */
export interface LogTail {
  /** Where they begin; `undefined` if there are none. */
  readonly place: LogPlace | undefined;
  /** The position of the newest segment before them. */
  readonly after: number;
  /** Whether it is known where they begin, and all of them are there. */
  readonly isWhole: boolean;
  /** Whether there are none, as after a proper end. */
  readonly isEmpty: boolean;
  /** Entries in them. */
  readonly entries: number;
  /** The files that have them. */
  readonly files: ReadonlySet<number>;
}

/** Rows that are read together. */
const ROWS = 256;

/** Rows of one table in the order of their integer key, and the unreadable ranges between them. */
export function* scan<T>(
  read: (after: number, limit: number) => T[],
  keyOf: (row: T) => number,
): Iterable<T | Unreadable> {
  for (let after = -1;;) {
    let rows: T[];
    try {
      rows = read(after, ROWS);
    } catch {
      const next = firstReadable(read, after);
      if (next === undefined) return yield { after, before: Infinity };
      if (next.skipped > 0) {
        yield { after, before: next.row === undefined ? Infinity : keyOf(next.row) };
        if (next.row === undefined) return;
      }
      rows = next.row === undefined ? [] : [next.row];
    }
    if (rows.length === 0) return;
    yield* rows;
    after = keyOf(rows.at(-1)!);
  }
}

/** Whether it is no row. */
export function isUnreadable(found: unknown): found is Unreadable {
  return (found as Unreadable).before !== undefined;
}

/**
 * The first readable row behind `after`, and the number of keys that were passed over; `undefined` if there is none.
 */
function firstReadable<T>(
  read: (after: number, limit: number) => T[],
  after: number,
): { readonly row: T | undefined; readonly skipped: number } | undefined {
  const tryAt = (skipped: number) => {
    try {
      return { row: read(after + skipped, 1)[0], skipped };
    } catch {
      return undefined;
    }
  };
  let low = 0;
  let found = tryAt(0);
  for (let step = 1; found === undefined; step *= 2) {
    if (after + step > Number.MAX_SAFE_INTEGER) return undefined;
    found = tryAt(step);
    if (found === undefined) low = step;
  }
  while (found.skipped - low > 1) {
    const middle = Math.floor((low + found.skipped) / 2);
    const nearer = tryAt(middle);
    if (nearer === undefined) low = middle;
    else found = nearer;
  }
  return found;
}

/** An origin: its number, its last forgotten sequence, and that one's position. */
export interface SalvagedOrigin {
  readonly id: number;
  readonly name: string;
  readonly last: number;
  readonly position: number;
}

/** The files of a damaged folder. Dispose of it. */
export class Salvage implements Disposable {
  readonly folder: string;
  /** Origins whose rows are whole. */
  readonly origins: readonly SalvagedOrigin[];
  readonly #database: DatabaseSync | undefined;
  readonly #handles = new Map<number, number>();
  readonly #names = new Map<number, string>();
  readonly #lost = new Map<number, LostChannels>();
  #isClosed = false;

  /** `database` is the folder's database, if it can be opened at all. */
  constructor(folder: string, database: DatabaseSync | undefined) {
    this.folder = folder;
    this.#database = database;
    interface Row extends SalvagedOrigin {
      readonly checksum: number;
    }
    const columns = "id, name, forgotten_last AS last, forgotten_position AS position, checksum";
    const origins: SalvagedOrigin[] = [];
    for (const row of this.rows<Row>("origins", "id", columns)) {
      if (isUnreadable(row)) continue;
      const { id, name, last, position, checksum } = row;
      if (rowChecksum("origins", id, name, last, position) !== checksum) continue;
      origins.push({ id, name, last, position });
      this.#names.set(id, name);
    }
    this.origins = origins;
    type LostRow = { origin: number; channels: string; checksum: number };
    for (const row of this.rows<LostRow>("lost_channels", "origin", "origin, channels, checksum")) {
      if (isUnreadable(row)) continue;
      const { origin, channels, checksum } = row;
      if (rowChecksum("lost_channels", origin, channels) === checksum) this.#lost.set(origin, parseLost(channels));
    }
  }

  /** What is forgotten of which channels of the origin with this number, if that is readable. */
  lostOf(id: number): LostChannels | undefined {
    return this.#lost.get(id);
  }

  /** The origin with this number, if its row is whole. */
  nameOf(id: number): string | undefined {
    return this.#names.get(id);
  }

  /** Rows of a table, unchecked. One `Unreadable` for all of it if the table is missing. */
  *rows<T>(table: string, key: string, columns: string): Iterable<T | Unreadable> {
    let select: StatementSync | undefined;
    try {
      select = this.#database?.prepare(`SELECT ${columns} FROM ${table} WHERE ${key} > ? ORDER BY ${key} LIMIT ?`);
    } catch {
      // The table is missing.
    }
    if (select === undefined) return yield { after: -1, before: Infinity };
    yield* scan<T>(
      (after, limit) => select.all(after, limit) as T[],
      (row) => (row as Record<string, number>)[key]!,
    );
  }

  /** All rows of a small table that has no number for a key; `undefined` when it cannot be read to its end. */
  all<T>(table: string, columns: string): T[] | undefined {
    try {
      return this.#database?.prepare(`SELECT ${columns} FROM ${table}`).all() as T[] | undefined;
    } catch {
      return undefined;
    }
  }

  /** The segments of the index, by position. */
  *segments(): Iterable<FoundSegment> {
    for (const row of this.rows<SegmentRow>("segments", "position", `${INDEX_COLUMNS}, bytes`)) {
      yield isUnreadable(row) ? { kind: "unknown", ...row } : this.#found(row);
    }
  }

  /**
   * Frames in files with positions in `lost` that no index row names. Of several frames with one position the last
   * counts.
   */
  framesOf(lost: readonly Unreadable[]): WholeSegment[] {
    const found = new Map<number, WholeSegment>();
    if (lost.length === 0) return [];
    for (const file of logFilesIn(this.folder)) {
      for (const { frame, start, length } of framesIn((start, size) => this.#read(file, start, size))) {
        const isLost = lost.some(({ after, before }) => frame.position > after && frame.position < before);
        if (isLost) found.set(frame.position, { frame, place: { file, start, length }, bareChecksum: undefined });
      }
    }
    return [...found.values()].sort((a, b) => a.frame.position - b.frame.position);
  }

  /** The turns behind those that the database has, as its state says; `undefined` if that is unreadable. */
  tailBehind(state: State | undefined): LogTail {
    if (state === undefined) {
      const rows = this.all<{ position: number | null }>("segments", "max(position) AS position");
      const after = rows?.[0]?.position ?? 0;
      return { place: undefined, after, isWhole: false, isEmpty: true, entries: 0, files: new Set() };
    }
    const { file, end, turn, head, boot } = state;
    const files = new Set<number>();
    let entries = 0;
    let place: LogPlace | undefined;
    const hasTurns = boot !== "" || turn > 0;
    const turns = readTurns({
      numbers: logFilesIn(this.folder),
      read: (file, start, size) => this.#read(file, start, size),
      nameOf: nameOfLogFile,
    }, hasTurns ? { file, end, turn } : undefined);
    let next = turns.next();
    for (; next.done !== true; next = turns.next()) {
      files.add(next.value.file);
      place ??= { file: next.value.file, end: next.value.start, turn: next.value.turn - 1 };
      for (const { first, last } of next.value.batch.segments) entries += last - first + 1;
    }
    return {
      ...{ place, entries, files },
      after: head,
      isWhole: next.value.kind !== "lost",
      isEmpty: files.size === 0 && next.value.kind === "whole",
    };
  }

  /** The number of the newest log file; 0 if there is none. */
  get newestFile(): number {
    return logFilesIn(this.folder).at(-1) ?? 0;
  }

  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const handle of this.#handles.values()) closeSync(handle);
    this.#database?.close();
  }

  #found(row: SegmentRow): FoundSegment {
    const { position, first, last } = row;
    const isRowWhole = indexValues(row).at(-1) === row.checksum;
    const origin = isRowWhole ? this.nameOf(row.origin) : undefined;
    const segment = this.#wholeSegment(row, isRowWhole);
    if (segment !== undefined) return { kind: "whole", segment };
    if (origin === undefined) return { kind: "unknown", after: position - 1, before: position + 1 };
    return { kind: "lost", position, origin, first, last, file: row.file ?? undefined };
  }

  /** A frame says everything. So a changed row does no harm if it leads to the frame. */
  #wholeSegment(row: SegmentRow, isRowWhole: boolean): WholeSegment | undefined {
    const place = isPlaced(row) ? { file: row.file, start: row.start, length: row.length } : undefined;
    const stored = place === undefined ? row.bytes : this.#readWhole(place);
    if (stored === null || stored === undefined) return undefined;
    if (row.form !== BARE_FORM || !isRowWhole) {
      const decoded = decodeFrame(stored);
      const isIt = decoded.ok && decoded.frame.position === row.position && decoded.length === stored.length;
      if (!isIt) return undefined;
      const whole = { frame: decoded.frame, place, bareChecksum: undefined };
      return isRowWhole ? { ...whole, row: { channels: row.channels, size: row.size } } : whole;
    }
    const audience = audienceOf(row.audience, row.username);
    const origin = this.nameOf(row.origin);
    if (checksumOf(stored) !== row.bareChecksum || audience === undefined || origin === undefined) return undefined;
    const { position, first, last, takenAt, lamport } = row;
    const frame = { position, origin, first, last, audience, takenAt, lamport, bytes: stored };
    return { frame, place, bareChecksum: row.bareChecksum };
  }

  #readWhole({ file, start, length }: { file: number; start: number; length: number }): Uint8Array | undefined {
    // A changed row can say anything.
    if (!Number.isSafeInteger(start) || !(start >= 0) || !(length > 0) || length > MAX_FRAME_BYTES) return undefined;
    const bytes = this.#read(file, start, length);
    return bytes.length === length ? bytes : undefined;
  }

  /** As much as is there. */
  #read(file: number, start: number, size: number): Uint8Array {
    try {
      let handle = this.#handles.get(file);
      if (handle === undefined) {
        handle = openSync(`${this.folder}/${nameOfLogFile(file)}`, "r");
        this.#handles.set(file, handle);
      }
      return readPart(handle, start, size);
    } catch {
      return new Uint8Array(0);
    }
  }
}

/** How an audience is written. */
export function audienceNumber({ audience }: Frame): number {
  return AUDIENCE_NUMBERS[storedKind(audience)];
}
