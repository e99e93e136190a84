/**
 * Used message ids that an earlier version wrote into tables of the database: some 60 bytes each, in the order of their
 * use, and those of clients without a name in a table of their own. They are looked up and forgotten; nothing is added.
 * A part of `sqlite_store.ts`, which owns the transactions. `server/store/ids/` has all newer ones.
 */

import { ANONYMOUS } from "../../../protocol/names.ts";
import { idBytes, messageKey } from "./message_key.ts";
import { all, one, type Statements } from "./sqlite_statements.ts";
import type { UsedMessageId } from "../store.ts";

/** Of a key, in the index: among ten million ids it finds one or none. */
const INDEXED_BYTES = 5;

type Table = Statements["messageIds"];
interface Row {
  readonly key: Uint8Array;
  readonly origin: number;
  readonly sequence: number;
  readonly usedAt: number;
}

/** Ids to forget. */
export interface IdsPlan {
  /** In each of the two tables. */
  readonly places: readonly (readonly number[])[];
  readonly count: number;
  readonly more: boolean;
}

/** All of them. Its calls throw the errors of SQLite. */
export class SqliteMessageIds {
  readonly #nameOf: (origin: number) => string | undefined;
  readonly #tables: readonly [Table, Table];
  #isEmpty: boolean;

  /** `nameOf` gives the name of the origin with this number; `undefined` if it is unknown. */
  constructor(statements: Statements, nameOf: (origin: number) => string | undefined) {
    this.#nameOf = nameOf;
    this.#tables = [statements.messageIds, statements.anonymousIds];
    this.#isEmpty = this.#hasNone();
  }

  /** Whether no such id is left: a day after the server was updated. */
  get isEmpty(): boolean {
    return this.#isEmpty;
  }

  /** As `Store.usedMessageId`. A changed row counts as missing: its message can be published a second time. */
  find(username: string, messageId: string): UsedMessageId | undefined {
    const key = messageKey(username, messageId);
    const prefix = idBytes(key, 0, 0, 0).subarray(0, INDEXED_BYTES);
    const rows = all<Row>(this.#tables[username === ANONYMOUS ? 1 : 0].find, prefix);
    const row = rows.find((row) => isSame(row.key, idBytes(key, row.origin, row.sequence, row.usedAt)));
    const origin = row && this.#nameOf(row.origin);
    if (row === undefined || origin === undefined) return undefined;
    return { username, messageId, origin, sequence: row.sequence, usedAt: row.usedAt };
  }

  /** The oldest ids to forget, out of at most `budget` in each table. */
  planForgetting(usedBefore: number, budget: number): IdsPlan {
    if (this.#isEmpty) return { places: [], count: 0, more: false };
    const places = this.#tables.map((table) =>
      all<{ place: number; usedAt: number }>(table.oldest, budget)
        .filter(({ usedAt }) => usedAt < usedBefore)
        .map(({ place }) => place)
    );
    const count = places.reduce((sum, { length }) => sum + length, 0);
    return { places, count, more: places.some(({ length }) => length === budget) };
  }

  /** Forgets these; within a transaction. */
  forget({ places, count }: IdsPlan): void {
    places.forEach((ofTable, index) => ofTable.forEach((place) => this.#tables[index]!.delete.run(place)));
    if (count > 0) this.#isEmpty = this.#hasNone();
  }

  /** Drops the ids of the origin with this number after `sequence`: the log was cut there. */
  cut(origin: number, sequence: number): void {
    if (this.#isEmpty) return;
    for (const table of this.#tables) table.deleteAfter.run(origin, sequence);
  }

  #hasNone(): boolean {
    return this.#tables.every((table) => one(table.oldest, 1) === undefined);
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
