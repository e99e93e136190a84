/**
 * What the SQLite store knows by heart of each origin, and the numbers by which its rows name them: a part of `sqlite_store.ts`, which owns the
 * transactions. What follows from it is decided in `origin_log.ts`, for which it looks up rows.
 */

import type { Position } from "../log/segment.ts";
import { type ActivityRow, emptyLog, type ForUserRow, type Lookup, type OriginLog } from "./origin_log.ts";
import { all, AUDIENCE_NUMBERS, one, type OriginRow, type Statements } from "./sqlite_statements.ts";

/** An origin, with its number. */
export interface Origin {
  readonly id: number;
  readonly log: OriginLog;
}

/** All origins. Its calls throw what SQLite throws. */
export class SqliteOrigins implements Lookup {
  readonly #statements: Statements;
  readonly #byName = new Map<string, Origin>();
  /** By id. */
  readonly #names: string[] = [];

  /** Reads them. */
  constructor(statements: Statements) {
    this.#statements = statements;
    for (const row of all<OriginRow>(statements.origins)) this.set({ id: row.id, log: readLog(statements, row) });
  }

  /** How all of them stand. */
  *logs(): Iterable<OriginLog> {
    for (const { log } of this.#byName.values()) yield log;
  }

  /** The origin of this name; `undefined` when nothing is known of it. */
  get(name: string): Origin | undefined {
    return this.#byName.get(name);
  }

  /** The newest sequence of an origin; 0 when there is none. */
  lastOf(name: string): number {
    return this.#byName.get(name)?.log.last ?? 0;
  }

  /** What the origin with this number is called. */
  nameOf(id: number): string {
    return this.#names[id]!;
  }

  /** Gives a number to an origin that has none; within a transaction. It is known here when it is `set`. */
  insert(name: string): Origin {
    return { id: Number(this.#statements.insertOrigin.run(name).lastInsertRowid), log: emptyLog(name) };
  }

  /** Takes in how an origin stands, when that is stored. */
  set(origin: Origin): void {
    this.#byName.set(origin.log.origin, origin);
    this.#names[origin.id] = origin.log.origin;
  }

  activityAfter(origin: string, sequence: number): ActivityRow | undefined {
    return one<ActivityRow>(this.#statements.activityAfter, this.#idOf(origin), sequence);
  }

  forUserAfter(origin: string, sequence: number): ForUserRow | undefined {
    return one<ForUserRow>(this.#statements.forUserAfter, this.#idOf(origin), sequence);
  }

  otherAfter(origin: string, sequence: number): Position | undefined {
    const id = this.#idOf(origin);
    const rows = all<{ position: number }>(this.#statements.othersAfter, id, sequence, id, sequence);
    return rows.length === 0 ? undefined : Math.min(...rows.map((row) => row.position));
  }

  #idOf(name: string): number {
    return this.#byName.get(name)!.id;
  }
}

/** How an origin stands, as its rows tell. */
export function readLog(statements: Statements, { id, name, forgottenLast, forgottenPosition }: OriginRow): OriginLog {
  type Newest = { position: number; last: number; activities: number; activityBytes: number };
  const [activities, ...others] = Object.values(AUDIENCE_NUMBERS)
    .map((audience) => one<Newest>(statements.newestOf, id, audience));
  const newest = [activities, ...others].reduce((a, b) => (b?.position ?? 0) > (a?.position ?? 0) ? b : a);
  return {
    ...emptyLog(name),
    forgottenLast,
    forgottenPosition,
    // An origin's rows can end before what was forgotten, or be none, when the log was cut.
    last: Math.max(newest?.last ?? 0, forgottenLast),
    newest: newest?.position ?? 0,
    activities: activities?.activities ?? 0,
    activityBytes: activities?.activityBytes ?? 0,
    oldest: one<ActivityRow>(statements.activityAfter, id, 0),
  };
}
