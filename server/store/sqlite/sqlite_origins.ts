/**
 * The state of each origin in the memory of the SQLite store, and the numbers by which its rows name origins. The state
 * is that of the log. The database may be behind it, and what it lacks is found in memory. A part of
 * `sqlite_store.ts`, which owns the transactions. `server/store/origin_log.ts` decides, and this file looks rows up for
 * it.
 */

import type { Filter } from "../../../log/channel_lines.ts";
import type { Position } from "../../../log/segment.ts";
import type { Vector } from "../../../log/vector.ts";
import { lostLinesOf } from "../channels/channel_column.ts";
import {
  formatLost,
  type LostChannels,
  lostOfAny,
  lostUpTo,
  NOTHING_LOST,
  parseLost,
} from "../channels/lost_channels.ts";
import { checkRow, damagedRow, rowChecksum } from "./checksum.ts";
import { AUDIENCE_NUMBERS, type StoredKind } from "./frame.ts";
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
import type { Unsettled } from "../turns/unsettled.ts";
import { all, type EndRow, type IndexRow, one, type OriginRow, type Statements } from "./sqlite_statements.ts";

/** An origin, with its number; `undefined` while the database does not know it. */
export interface Origin {
  readonly id: number | undefined;
  readonly log: OriginLog;
}

/** The segments that the database does not have yet, as `Unsettled` has them. */
type UnsettledRows = Pick<Unsettled, "firstAfter" | "lastUpTo">;
type RowAfter = "activityAfter" | "forUserAfter" | "forServersAfter";

/** All origins. Its calls throw the errors of SQLite. */
export class SqliteOrigins implements Lookup {
  readonly #statements: Statements;
  readonly #byName = new Map<string, Origin>();
  readonly #tombstones = new Map<string, number>();
  /** By id. */
  readonly #names: string[] = [];
  readonly #unsettled: UnsettledRows;

  /** Reads them. `unsettled` has the segments that the database does not have yet. */
  constructor(statements: Statements, unsettled: UnsettledRows) {
    this.#statements = statements;
    this.#unsettled = unsettled;
    const ends = allEnds(statements);
    const lost = allLost(statements);
    for (const row of all<OriginRow>(statements.origins)) {
      checkOrigin(row);
      this.#set({ id: row.id, log: logOf({ ...row, lost: lost.get(row.id) }, ends.get(row.id) ?? {}) });
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

  /** The number of an origin; it gets one if it has none. Within a transaction. */
  numberOf(name: string): number {
    const known = this.#byName.get(name);
    if (known?.id !== undefined) return known.id;
    this.#statements.deleteTombstone.run(name);
    const id = Number(this.#statements.insertOrigin.run(name).lastInsertRowid);
    this.#putForgotten(id, emptyLog(name));
    this.#names[id] = name;
    this.#byName.set(name, { id, log: known?.log ?? emptyLog(name) });
    this.#tombstones.delete(name);
    return id;
  }

  /** Writes the forgotten sequences of origins, as `logs` say, within a transaction. */
  writeForgotten(logs: Iterable<OriginLog>): void {
    for (const log of logs) this.#putForgotten(this.numberOf(log.origin), log);
  }

  #putForgotten(id: number, { origin, forgottenLast, forgottenPosition, lost }: OriginLog): void {
    const checksum = rowChecksum("origins", id, origin, forgottenLast, forgottenPosition);
    this.#statements.putForgotten.run(forgottenLast, forgottenPosition, checksum, id);
    if (lost.size === 0) return;
    const channels = formatLost(lost);
    this.#statements.putLostChannels.run(id, channels, rowChecksum("lost_channels", id, channels));
  }

  /** Takes in how an origin stands. */
  set(log: OriginLog): void {
    this.#set({ id: this.#byName.get(log.origin)?.id, log });
  }

  #set(origin: Origin): void {
    this.#byName.set(origin.log.origin, origin);
    if (origin.id !== undefined) this.#names[origin.id] = origin.log.origin;
    this.#tombstones.delete(origin.log.origin);
  }

  /** Origins that were forgotten whole, and their newest sequences. */
  get tombstones(): ReadonlyMap<string, number> {
    return this.#tombstones;
  }

  /** Drops all rows of the origins in `buried`, and writes their tombstones, within a transaction. */
  bury(buried: Vector): void {
    const { deleteSegmentsOf, deleteOrigin, deleteLostChannels, putTombstone } = this.#statements;
    const tombstones = new Map<string, number>();
    for (const [name, told] of Object.entries(buried)) {
      const last = Math.max(told, this.#tombstones.get(name) ?? 0);
      tombstones.set(name, last);
      putTombstone.run(name, last, rowChecksum("tombstones", name, last));
      const id = this.#byName.get(name)?.id;
      if (id === undefined) continue;
      deleteSegmentsOf.run(id);
      // Message ids stay, and say nothing without their origin. A search for them would go through all ids.
      deleteOrigin.run(id);
      deleteLostChannels.run(id);
    }
    for (const [name, last] of tombstones) {
      this.#byName.delete(name);
      this.#tombstones.set(name, last);
    }
  }

  /** Drops everything of an origin beyond `after`, within a transaction. Gives its number, if it has one. */
  end(name: string, after: number): number | undefined {
    const origin = this.#byName.get(name);
    if (origin?.id === undefined) return undefined;
    const { id, log } = origin;
    this.#statements.deleteSegmentsOfAfter.run(id, after);
    const ends = endsOf(this.#statements, id);
    const newest = newestOf(ends);
    const forgotten = forgottenAtEnd(log, after, newest && { ...newest, lost: lostLinesOf(newest) });
    const ended = logOf({ name, ...forgotten }, ends);
    this.#putForgotten(id, ended);
    this.#set({ id, log: ended });
    return id;
  }

  /** As `Store.missing`, in a log that stands at `head`. */
  missing(vector: Vector, head: Position, filter?: Filter): Missing {
    return findMissing({ logs: this.logs(), head, tombstones: this.#tombstones }, vector, this, filter);
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
    const unsettled = this.#unsettled.lastUpTo(name, "everyone", sequence);
    const settled = unsettled === undefined && id !== undefined
      ? one<IndexRow>(this.#statements.activityUpTo, id, sequence)
      : undefined;
    const before = unsettled ?? (settled && checkedRow(settled));
    // Segments for everyone have running counts, and nothing behind the oldest was forgotten.
    const counted = before === undefined ? countedBefore(log.oldest, log) : before.activities;
    if (countedBefore(found, log) !== counted) throw damagedRow("segments");
    return found;
  }

  /** The position of the segment with this entry, if the database has it. */
  positionOf(name: string, sequence: number): Position | undefined {
    if (sequence < 1) return undefined;
    const rows = [
      this.#settledAfter("activityAfter", "everyone", name, sequence - 1),
      this.#settledAfter("forUserAfter", "user", name, sequence - 1),
      this.#settledAfter("forServersAfter", "servers", name, sequence - 1),
    ];
    return rows.find((row) => row !== undefined && row.first <= sequence)?.position;
  }

  /** The position of the newest kept activity of `name`; 0 if there is none. */
  newestActivity(name: string): Position {
    const unsettled = this.#unsettled.lastUpTo(name, "everyone", Infinity);
    if (unsettled !== undefined) return unsettled.position;
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

  #rowAfter(statement: RowAfter, audience: StoredKind, name: string, after: number): ActivityRow | undefined {
    return this.#settledAfter(statement, audience, name, after) ?? this.#unsettled.firstAfter(name, audience, after);
  }

  #settledAfter(
    statement: RowAfter,
    audience: StoredKind,
    name: string,
    after: number,
  ): IndexRow | undefined {
    const origin = this.#byName.get(name)?.id;
    const row = origin === undefined ? undefined : one<IndexRow>(this.#statements[statement], origin, after);
    return row && checkedRow(row, { origin: origin!, audience: AUDIENCE_NUMBERS[audience], after });
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
  return logOf({ ...row, lost: NOTHING_LOST }, endsOf(statements, row.id));
}

function checkOrigin({ id, name, forgottenLast, forgottenPosition, checksum }: OriginRow): void {
  checkRow(checksum, "origins", id, name, forgottenLast, forgottenPosition);
}

function logOf(
  { name, forgottenLast, forgottenPosition, lost = lostOfAny(forgottenLast) }: Omit<OriginRow, "id" | "checksum"> & {
    readonly lost: LostChannels | undefined;
  },
  ends: Ends,
): OriginLog {
  const { everyone, oldest, oldestForUser } = ends;
  const newest = newestOf(ends);
  // After a cut, an origin's rows can end before its forgotten ones, or be missing.
  const last = Math.max(newest?.last ?? 0, forgottenLast);
  return {
    ...emptyLog(name),
    forgottenLast,
    forgottenPosition,
    lost: lostUpTo(lost, last),
    last,
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
  const read = (statement: Statements["newestOf"], kind: StoredKind, ...more: number[]) => {
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

/** What is forgotten of which channels, by the numbers of origins. */
function allLost(statements: Statements): ReadonlyMap<number, LostChannels> {
  type Row = { origin: number; channels: string; checksum: number };
  return new Map(
    all<Row>(statements.lostChannels).map(({ origin, channels, checksum }) => {
      checkRow(checksum, "lost_channels", origin, channels);
      return [origin, parseLost(channels)];
    }),
  );
}

/** The end rows of all origins, by their numbers. */
function allEnds(statements: Statements): ReadonlyMap<number, Ends> {
  const kinds = new Map<number, StoredKind>(
    Object.entries(AUDIENCE_NUMBERS).map(([kind, number]) => [number, kind as StoredKind]),
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
