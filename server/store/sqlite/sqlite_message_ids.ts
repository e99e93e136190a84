/**
 * Used message ids in the SQLite store: some 60 bytes each, in the order of their use. A part of `sqlite_store.ts`,
 * which owns the transactions. Clients without a name share a table with a bounded number of rows.
 */

import { ANONYMOUS } from "../../../protocol/names.ts";
import { idBytes, messageKey } from "./message_key.ts";
import { all, one, type Statements } from "./sqlite_statements.ts";
import { MAX_ANONYMOUS_IDS, type UsedMessageId } from "../store.ts";

/** Of a key, in the index: among ten million ids it finds one or none. */
const INDEXED_BYTES = 5;
const MAX_ASKED = 10_000;

type Table = Statements["messageIds"];
interface Row {
  readonly key: Uint8Array;
  readonly origin: number;
  readonly sequence: number;
  readonly usedAt: number;
}

/** An id that a turn has used for the first time, and that the database may not have yet. */
export interface NewId {
  readonly used: UsedMessageId;
  readonly pair: string;
  readonly key: string;
  readonly table: 0 | 1;
}

/** An id that was asked for in this turn. */
interface AskedId {
  readonly pair: string;
  readonly key: string;
  /** What the index has of the key. */
  readonly prefix: Uint8Array;
  readonly table: 0 | 1;
  /** Whether it was looked for and not found, and not written since. */
  isAbsent: boolean;
}

/** Ids to forget. */
export interface IdsPlan {
  /** In each of the two tables. */
  readonly places: readonly (readonly number[])[];
  readonly count: number;
  readonly more: boolean;
}

/** All used ids. Its calls throw the errors of SQLite. */
export class SqliteMessageIds {
  readonly #nameOf: (origin: number) => string | undefined;
  readonly #maxAnonymous: number;
  readonly #tables: readonly [Table, Table];
  /** The newest places of both tables. */
  readonly #newest: [number, number];
  /** Of the turn: who publishes with an id was asked for it before. */
  readonly #asked = new Map<string, AskedId>();
  /** Ids that the database does not have yet, of users and of clients without a name. */
  readonly #unsettled: readonly [Map<string, NewId>, Map<string, NewId>] = [new Map(), new Map()];

  /** `nameOf` gives the name of the origin with this number; `undefined` if it is unknown. */
  constructor(
    statements: Statements,
    nameOf: (origin: number) => string | undefined,
    maxAnonymous = MAX_ANONYMOUS_IDS,
  ) {
    this.#nameOf = nameOf;
    this.#maxAnonymous = maxAnonymous;
    this.#tables = [statements.messageIds, statements.anonymousIds];
    const newest = (table: Table) => one<{ place: number }>(table.newest)?.place ?? 0;
    this.#newest = [newest(this.#tables[0]), newest(this.#tables[1])];
  }

  /** As `Store.usedMessageId`. */
  find(username: string, messageId: string): UsedMessageId | undefined {
    const unsettled = this.#unsettled[tableOf(username)].get(pairOf(username, messageId));
    if (unsettled !== undefined) return unsettled.used;
    const row = this.#find(this.#asking(username, messageId));
    const origin = row && this.#nameOf(row.origin);
    if (row === undefined || origin === undefined) return undefined;
    return { username, messageId, origin, sequence: row.sequence, usedAt: row.usedAt };
  }

  /** Takes in the ids that a turn used. Gives those that are new, for `write`. */
  add(used: readonly UsedMessageId[]): NewId[] {
    const added: NewId[] = [];
    for (const one of used) {
      const { pair, key, table, isAbsent } = this.#asking(one.username, one.messageId);
      const unsettled = this.#unsettled[table];
      if (unsettled.has(pair)) continue;
      if (!isAbsent && this.#find(this.#asked.get(pair)!) !== undefined) continue;
      const id = { used: one, pair, key, table };
      unsettled.set(pair, id);
      added.push(id);
    }
    const anonymous = this.#unsettled[1];
    for (const pair of anonymous.keys()) {
      if (anonymous.size <= this.#maxAnonymous) break;
      anonymous.delete(pair);
    }
    this.#asked.clear();
    return added;
  }

  /** Writes new ids, within a transaction. `numberOf` gives the numbers of their origins. */
  write(added: readonly NewId[], numberOf: (origin: string) => number): void {
    let isAnonymous = false;
    for (const { used: { origin, sequence, usedAt }, key, table } of added) {
      const id = numberOf(origin);
      this.#tables[table].insert.run(++this.#newest[table], idBytes(key, id, sequence, usedAt), id, sequence, usedAt);
      isAnonymous ||= table === 1;
    }
    if (isAnonymous) this.#tables[1].deleteUpTo.run(this.#newest[1] - this.#maxAnonymous);
  }

  /** The database has these. */
  settled(added: readonly NewId[]): void {
    for (const id of added) {
      const unsettled = this.#unsettled[id.table];
      if (unsettled.get(id.pair) === id) unsettled.delete(id.pair);
    }
  }

  /** The oldest ids to forget, out of at most `budget` in each table. */
  planForgetting(usedBefore: number, budget: number): IdsPlan {
    const places = this.#tables.map((table) =>
      all<{ place: number; usedAt: number }>(table.oldest, budget)
        .filter(({ usedAt }) => usedAt < usedBefore)
        .map(({ place }) => place)
    );
    const count = places.reduce((sum, { length }) => sum + length, 0);
    return { places, count, more: places.some(({ length }) => length === budget) };
  }

  /** Forgets these; within a transaction. */
  forget({ places }: IdsPlan): void {
    places.forEach((ofTable, index) => ofTable.forEach((place) => this.#tables[index]!.delete.run(place)));
  }

  /** Drops the ids of the origin with this number after `sequence`: the log was cut there. */
  cut(origin: number, sequence: number): void {
    for (const table of this.#tables) table.deleteAfter.run(origin, sequence);
  }

  /** The row of a key. A changed row counts as missing: its message can be published a second time. */
  #find(asked: AskedId): Row | undefined {
    const { key, table, prefix } = asked;
    const rows = all<Row>(this.#tables[table].find, prefix);
    const found = rows.find((row) => isSame(row.key, idBytes(key, row.origin, row.sequence, row.usedAt)));
    asked.isAbsent = found === undefined;
    return found;
  }

  #asking(username: string, messageId: string): AskedId {
    const pair = pairOf(username, messageId);
    let asked = this.#asked.get(pair);
    if (asked === undefined) {
      const key = messageKey(username, messageId);
      const prefix = idBytes(key, 0, 0, 0).subarray(0, INDEXED_BYTES);
      asked = { pair, key, prefix, table: tableOf(username), isAbsent: false };
      // Asked for and never used, as many as clients like.
      if (this.#asked.size >= MAX_ASKED) this.#asked.clear();
      this.#asked.set(pair, asked);
    }
    return asked;
  }
}

/** No username holds a NUL, so that no two pairs are written the same. */
function pairOf(username: string, messageId: string): string {
  return `${username}\0${messageId}`;
}

function tableOf(username: string): 0 | 1 {
  return username === ANONYMOUS ? 1 : 0;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
