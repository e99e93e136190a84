/**
 * Segments as rows of the SQLite store, with the bytes of large ones in files: a part of `sqlite_store.ts`, which owns the transactions. The files
 * themselves are the business of `log_files.ts`.
 */

import { type Audience, EVERYONE, type Position, type Segment, SERVERS } from "../log/segment.ts";
import type { LogFiles, Place } from "./log_files.ts";
import { append } from "./origin_log.ts";
import type { Origin, SqliteOrigins } from "./sqlite_origins.ts";
import type { DamagedPart } from "./store.ts";
import { all, AUDIENCE_NUMBERS, isPlaced, type SegmentRow, type Statements } from "./sqlite_statements.ts";

const NO_BYTES = new Uint8Array(0);
/** Segments that are read at a time however small they are, as each costs about 6 µs. */
const READ_ROWS = 256;

/** The segments of the log. Its calls throw what SQLite and node:fs throw, and `DamagedFileError`. */
export class SqliteSegments {
  readonly #statements: Statements;
  readonly #files: LogFiles;
  readonly #origins: SqliteOrigins;
  /** From this size on the bytes of a segment go to a file. */
  readonly #largeBytes: number;

  constructor(statements: Statements, files: LogFiles, origins: SqliteOrigins, largeBytes: number) {
    this.#statements = statements;
    this.#files = files;
    this.#origins = origins;
    this.#largeBytes = largeBytes;
  }

  /** Writes them, of a turn that ended at `lamport`; within its transaction. Gives the origins as they stand once that is stored. */
  write(segments: readonly Segment[], lamport: number): Origin[] {
    const places = this.#writeToFile(segments);
    // Kept apart until the commit has succeeded, so that one which fails leaves nothing here either.
    const changed = new Map<string, Origin>();
    for (const segment of segments) {
      const name = segment.origin;
      const { id, log: before } = changed.get(name) ?? this.#origins.get(name) ?? this.#origins.insert(name);
      const log = append(before, segment);
      changed.set(name, { id, log });
      const { position, first, last, audience, takenAt, bytes } = segment;
      const place = places?.get(position);
      this.#statements.insertSegment.run(
        position,
        id,
        first,
        last,
        AUDIENCE_NUMBERS[audience.kind],
        audience.kind === "user" ? audience.username : null,
        takenAt,
        lamport,
        log.activities,
        log.activityBytes,
        place === undefined ? bytes : NO_BYTES,
        place?.file ?? null,
        place?.start ?? null,
        place?.size ?? null,
        place?.checksum ?? null,
      );
    }
    for (const [name, { id, log }] of changed) {
      // A hole: rows alone would not tell of it when all before it are forgotten.
      const { forgottenLast, forgottenPosition } = log;
      const before = this.#origins.get(name)?.log.forgottenLast ?? 0;
      if (forgottenLast > before) this.#statements.putForgotten.run(forgottenLast, forgottenPosition, id);
    }
    return [...changed.values()];
  }

  /** As `Store.segmentsAfter`. */
  after(position: Position, maxBytes: number): Segment[] {
    const last = this.#lastThatFits(position, maxBytes);
    const rows = all<SegmentRow>(this.#statements.segmentsBetween, position, last);
    const placed = rows.filter(isPlaced);
    const bytes = this.#files.read(placed, (index) => this.#partOf(placed[index]!)).values();
    return rows.map((row) => this.#segment(row, isPlaced(row) ? bytes.next().value! : row.bytes));
  }

  /** Writes what is large of `segments` to a file. By position. */
  #writeToFile(segments: readonly Segment[]): ReadonlyMap<Position, Place> | undefined {
    const large = segments.filter(({ audience, bytes }) =>
      audience.kind === "everyone" && bytes.length >= this.#largeBytes
    );
    if (large.length === 0) return undefined;
    const places = this.#files.append(large.map(({ bytes }) => bytes));
    return new Map(places.map((place, index) => [large[index]!.position, place]));
  }

  /** The position of the last of the segments after `position` that fit into `maxBytes` and one read, or of the first one. */
  #lastThatFits(position: Position, maxBytes: number): Position {
    let last = position;
    let bytes = 0;
    // Sizes first, all at once: a statement that is left in the middle of its rows (`iterate`) does not work a second time in Deno 2.5.
    for (const row of all<{ position: number; size: number }>(this.#statements.sizesAfter, position, READ_ROWS)) {
      bytes += row.size;
      if (last > position && bytes > maxBytes) break;
      last = row.position;
    }
    return last;
  }

  #partOf({ position, origin, first, last }: SegmentRow): DamagedPart {
    return { position, origin: this.#origins.nameOf(origin), first, last };
  }

  #segment(
    { position, origin, first, last, audience, username, taken_at }: SegmentRow,
    bytes: Uint8Array,
  ): Segment {
    return {
      position,
      origin: this.#origins.nameOf(origin),
      first,
      last,
      audience: audienceOf(audience, username),
      takenAt: taken_at,
      bytes,
    };
  }
}

function audienceOf(audience: number, username: string | null): Audience {
  if (audience === AUDIENCE_NUMBERS.everyone) return EVERYONE;
  if (audience === AUDIENCE_NUMBERS.servers) return SERVERS;
  return { kind: "user", username: username! };
}
