/**
 * The state of each origin in the memory of the SQLite store, and the numbers by which its rows name origins. A part of
 * `sqlite_store.ts`, which owns the transactions. `server/store/origin_log.ts` decides, and this file looks rows up for
 * it.
 */

import type { Audience, Position } from "../../../log/segment.ts";
import type { Vector } from "../../../log/vector.ts";
import { checkRow, damagedRow, rowChecksum } from "./checksum.ts";
import { AUDIENCE_NUMBERS } from "./frame.ts";
import { checkedRow } from "./index_row.ts";
import {
  type ActivityRow,
  boundOf,
  emptyLog,
  findBeginning,
  findMissing,
  forgottenAtEnd,
  type ForUserRow,
  type Lookup,
  type OriginLog,
} from "../origin_log.ts";
import type { Beginning, Missing } from "../store.ts";
import { all, type EndRow, type IndexRow, one, type OriginRow, type Statements } from "./sqlite_statements.ts";

/** An origin, with its number. */
export interface Origin {
  readonly id: number;
  readonly log: OriginLog;
}

/** All origins. Its calls throw the errors of SQLite. */
export class SqliteOrigins implements Lookup {
  readonly #statements: Statements;
  readonly #byName = new Map<string, Origin>();
  readonly #tombstones = new Map<string, number>();
  /** By id. */
  readonly #names: string[] = [];

  /** Reads them. */
  constructor(statements: Statements) {
    this.#statements = statements;
    const ends = allEnds(statements);
    for (const row of all<OriginRow>(statements.origins)) {
      checkOrigin(row);
      this.set({ id: row.id, log: logOf(row, ends.get(row.id) ?? {}) });
    }
    type TombstoneRow = { origin: string; last: number; checksum: number };
    for (const { origin, last, checksum } of all<TombstoneRow>(statements.tombstones)) {
      checkRow(checksum, "tombstones", origin, last);
      this.#tombstones.set(origin, last);
    }
  }

  /** The logs of all origins, or of the named ones. */
  *logs(names?: Iterable<string>): Iterable<OriginLog> {
    if (names === undefined) { for (const { log } of this.#byName.values()) yield log; }
    else {
      for (const name of names) {
        const origin = this.#byName.get(name);
        if (origin !== undefined) yield origin.log;
      }
    }
  }

  /** The origin of this name; `undefined` when nothing is known of it. */
  get(name: string): Origin | undefined {
    return this.#byName.get(name);
  }

  /** The newest sequence of an origin, also of a buried one; 0 if there is none. */
  lastOf(name: string): number {
    return this.#byName.get(name)?.log.last ?? this.#tombstones.get(name) ?? 0;
  }

  /** The name of the origin with this number; `undefined` if it is unknown. */
  nameOf(id: number): string | undefined {
    const name = this.#names[id];
    return name !== undefined && this.#byName.get(name)?.id === id ? name : undefined;
  }

  /**
   * An origin with its number. It gets a number if it has none, or if it is in `buried` in this transaction. Its
   * tombstone goes there, and `set` makes it known here.
   */
  getOrInsert(name: string, buried: ReadonlyMap<string, number> | undefined): Origin {
    const known = this.#byName.get(name);
    const isBuried = buried?.has(name) ?? false;
    if (known !== undefined && !isBuried) return known;
    if (isBuried || this.#tombstones.has(name)) this.#statements.deleteTombstone.run(name);
    const log = emptyLog(name);
    const id = Number(this.#statements.insertOrigin.run(name).lastInsertRowid);
    this.#putForgotten(id, log);
    return { id, log };
  }

  /** Writes the forgotten sequences of origins, within a transaction. */
  writeForgotten(origins: Iterable<Origin>): void {
    for (const { id, log } of origins) this.#putForgotten(id, log);
  }

  #putForgotten(id: number, { origin, forgottenLast, forgottenPosition }: OriginLog): void {
    const checksum = rowChecksum("origins", id, origin, forgottenLast, forgottenPosition);
    this.#statements.putForgotten.run(forgottenLast, forgottenPosition, checksum, id);
  }

  /** Takes in how an origin stands, when that is stored. */
  set(origin: Origin): void {
    this.#byName.set(origin.log.origin, origin);
    this.#names[origin.id] = origin.log.origin;
    this.#tombstones.delete(origin.log.origin);
  }

  /** Origins that were forgotten whole, and their newest sequences. */
  get tombstones(): ReadonlyMap<string, number> {
    return this.#tombstones;
  }

  /**
   * Drops all rows of the origins in `buried`, and writes their tombstones, within a transaction. Gives the tombstones,
   * and the files that rows named. `bury` makes it known here.
   */
  writeBuried(buried: Vector): { readonly tombstones: ReadonlyMap<string, number>; readonly files: readonly number[] } {
    const { deleteSegmentsOf, deleteOrigin, putTombstone } = this.#statements;
    const tombstones = new Map<string, number>();
    const files: number[] = [];
    for (const [name, told] of Object.entries(buried)) {
      const last = Math.max(told, this.#tombstones.get(name) ?? 0);
      tombstones.set(name, last);
      putTombstone.run(name, last, rowChecksum("tombstones", name, last));
      const origin = this.#byName.get(name);
      if (origin === undefined) continue;
      for (const { file } of all<{ file: number | null }>(deleteSegmentsOf, origin.id)) {
        if (file !== null) files.push(file);
      }
      // Message ids stay, and say nothing without their origin. A search for them would go through all ids.
      deleteOrigin.run(origin.id);
    }
    return { tombstones, files };
  }

  /**
   * Drops everything of `origin` beyond `after`, within a transaction. Gives its new state, if it is known at all, and
   * the files that rows named. `set` makes it known here.
   */
  writeEnd(name: string, after: number): { readonly origin: Origin | undefined; readonly files: readonly number[] } {
    const { deleteSegmentsOfAfter } = this.#statements;
    const origin = this.#byName.get(name);
    if (origin === undefined) return { origin, files: [] };
    const { id, log } = origin;
    const files = all<{ file: number | null }>(deleteSegmentsOfAfter, id, after).flatMap(({ file }) => file ?? []);
    const ends = endsOf(this.#statements, id);
    const ended = logOf({ name, ...forgottenAtEnd(log, after, newestOf(ends)) }, ends);
    this.#putForgotten(id, ended);
    return { origin: { id, log: ended }, files };
  }

  /** Takes in that origins are buried, when that is stored. */
  bury(tombstones: ReadonlyMap<string, number>): void {
    for (const [name, last] of tombstones) {
      this.#byName.delete(name);
      this.#tombstones.set(name, last);
    }
  }

  /** As `Store.missing`, in a log that stands at `head`. */
  missing(vector: Vector, head: Position): Missing {
    return findMissing({ logs: this.logs(), head, tombstones: this.#tombstones }, vector, this);
  }

  /** As `Store.boundOf`. */
  boundOf(name: string, sequence: number): Position | undefined {
    return boundOf(this.#byName.get(name)?.log, sequence, this);
  }

  /** As `Store.beginning`. */
  beginning(): Beginning {
    return findBeginning({ logs: this.logs(), tombstones: this.#tombstones });
  }

  activityAfter(origin: string, sequence: number): ActivityRow | undefined {
    return this.#rowAfter("activityAfter", "everyone", origin, sequence);
  }

  firstMissing(name: string, sequence: number): ActivityRow | undefined {
    const { id, log } = this.#byName.get(name)!;
    const found = this.activityAfter(name, sequence);
    const before = one<IndexRow>(this.#statements.activityUpTo, id, sequence);
    // Segments for everyone have running counts, and nothing behind the oldest was forgotten.
    const counted = before === undefined ? countedBefore(log.oldest, log) : checkedRow(before).activities;
    if (countedBefore(found, log) !== counted) throw damagedRow("segments");
    return found;
  }

  /** The position of the segment with this entry; `undefined` if it is not kept. */
  positionOf(name: string, sequence: number): Position | undefined {
    if (!this.#byName.has(name) || sequence < 1) return undefined;
    const rows = [
      this.#rowAfter("activityAfter", "everyone", name, sequence - 1),
      this.#rowAfter("forUserAfter", "user", name, sequence - 1),
      this.#rowAfter("forServersAfter", "servers", name, sequence - 1),
    ];
    return rows.find((row) => row !== undefined && row.first <= sequence)?.position;
  }

  /** The position of the newest kept activity of `name`; 0 if there is none. */
  newestActivity(name: string): Position {
    const origin = this.#byName.get(name)?.id;
    const row = origin === undefined
      ? undefined
      : one<IndexRow>(this.#statements.newestOf, origin, AUDIENCE_NUMBERS.everyone);
    return row === undefined
      ? 0
      : checkedRow(row, { origin: origin!, audience: AUDIENCE_NUMBERS.everyone, after: 0 }).position;
  }

  forUserAfter(origin: string, sequence: number): ForUserRow | undefined {
    return this.#rowAfter("forUserAfter", "user", origin, sequence);
  }

  otherAfter(origin: string, sequence: number): Position | undefined {
    const forUser = this.#rowAfter("forUserAfter", "user", origin, sequence);
    const forServers = this.#rowAfter("forServersAfter", "servers", origin, sequence);
    if (forUser === undefined || forServers === undefined) return (forUser ?? forServers)?.position;
    return Math.min(forUser.position, forServers.position);
  }

  #rowAfter(
    statement: "activityAfter" | "forUserAfter" | "forServersAfter",
    audience: Audience["kind"],
    name: string,
    after: number,
  ): IndexRow | undefined {
    const origin = this.#byName.get(name)!.id;
    const row = one<IndexRow>(this.#statements[statement], origin, after);
    return row && checkedRow(row, { origin, audience: AUDIENCE_NUMBERS[audience], after });
  }
}

/** Activities of an origin before a segment; all of them when there is none. */
function countedBefore(row: ActivityRow | undefined, log: OriginLog): number {
  return row === undefined ? log.activities : row.activities - (row.last - row.first + 1);
}

/** The rows at the ends of an origin: the newest for each audience, and the oldest for everyone and for users. */
interface Ends {
  readonly everyone?: IndexRow | undefined;
  readonly user?: IndexRow | undefined;
  readonly servers?: IndexRow | undefined;
  readonly oldest?: IndexRow | undefined;
  readonly oldestForUser?: IndexRow | undefined;
}

/** How an origin stands, as its rows tell. */
export function readLog(statements: Statements, row: OriginRow): OriginLog {
  checkOrigin(row);
  return logOf(row, endsOf(statements, row.id));
}

function checkOrigin({ id, name, forgottenLast, forgottenPosition, checksum }: OriginRow): void {
  checkRow(checksum, "origins", id, name, forgottenLast, forgottenPosition);
}

function logOf({ name, forgottenLast, forgottenPosition }: Omit<OriginRow, "id" | "checksum">, ends: Ends): OriginLog {
  const { everyone, oldest, oldestForUser } = ends;
  const newest = newestOf(ends);
  return {
    ...emptyLog(name),
    forgottenLast,
    forgottenPosition,
    // After a cut, an origin's rows can end before its forgotten ones, or be missing.
    last: Math.max(newest?.last ?? 0, forgottenLast),
    newest: newest?.position ?? 0,
    newestTakenAt: newest?.takenAt ?? 0,
    activities: everyone?.activities ?? 0,
    activityBytes: everyone?.activityBytes ?? 0,
    oldest,
    oldestForUser,
  };
}

function newestOf({ everyone, user, servers }: Ends): IndexRow | undefined {
  return [everyone, user, servers].reduce((a, b) => (b?.position ?? 0) > (a?.position ?? 0) ? b : a, undefined);
}

function endsOf(statements: Statements, origin: number): Ends {
  const read = (statement: Statements["newestOf"], kind: Audience["kind"], ...more: number[]) => {
    const row = one<IndexRow>(statement, origin, ...more);
    return row && checkedRow(row, { origin, audience: AUDIENCE_NUMBERS[kind], after: 0 });
  };
  return {
    everyone: read(statements.newestOf, "everyone", AUDIENCE_NUMBERS.everyone),
    user: read(statements.newestOf, "user", AUDIENCE_NUMBERS.user),
    servers: read(statements.newestOf, "servers", AUDIENCE_NUMBERS.servers),
    oldest: read(statements.activityAfter, "everyone", 0),
    oldestForUser: read(statements.forUserAfter, "user", 0),
  };
}

/** The end rows of all origins, by their numbers. */
function allEnds(statements: Statements): ReadonlyMap<number, Ends> {
  const kinds = new Map<number, Audience["kind"]>(
    Object.entries(AUDIENCE_NUMBERS).map(([kind, number]) => [number, kind as Audience["kind"]]),
  );
  const found = new Map<number, Partial<Record<keyof Ends, IndexRow>>>();
  for (const row of all<EndRow>(statements.endsOfOrigins)) {
    const { askedOrigin: origin, askedAudience: audience, isOldest } = row;
    let ends = found.get(origin);
    if (ends === undefined) found.set(origin, ends = {});
    const kind = kinds.get(audience)!;
    const end = isOldest === 0 ? kind : kind === "user" ? "oldestForUser" : "oldest";
    ends[end] = checkedRow(row, { origin, audience, after: 0 });
  }
  return found;
}
