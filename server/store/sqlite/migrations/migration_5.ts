/**
 * From version 4 of `thrum.sqlite` to version 5: rows have checksums, segments in rows are frames, and message ids are
 * short. Waiting direct messages name their entries instead of keeping a copy. Bytes in files stay in place. This file
 * writes the form of that time: the results of `encodeFrame`, `rowChecksum` and `messageKey` never change.
 */

import type { DatabaseSync } from "node:sqlite";
import { ANONYMOUS } from "../../../../protocol/names.ts";
import { damagedRow, rowChecksum } from "../checksum.ts";
import { audienceOf, encodeFrame } from "../frame.ts";
import { idBytes, messageKey } from "../message_key.ts";

/** The bound of version 5 for clients without a name. */
const MAX_ANONYMOUS_IDS = 100_000;
/** Rows that are held in memory at a time. */
const ROWS = 1_000;

/** Indexes of the old tables would be in the way of the new ones, and updated in vain. */
const BEFORE = [
  "DROP INDEX segments_by_sequence",
  "DROP INDEX segments_by_file",
  "DROP INDEX inbox_by_entry",
  "DROP INDEX inbox_by_user",
  "DROP INDEX inbox_by_user_entry",
  ...["state", "origins", "segments", "accounts", "message_ids", "cursors", "members", "inbox"]
    .map((table) => `ALTER TABLE ${table} RENAME TO old_${table}`),
  // `checksum` covers all of a row but bytes (`checksum.ts`).
  `CREATE TABLE state (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    server_id TEXT NOT NULL,
    lamport INTEGER NOT NULL,
    synced INTEGER NOT NULL,
    head INTEGER NOT NULL,
    checksum INTEGER NOT NULL
  ) STRICT`,
  // AUTOINCREMENT: the number of an origin that is buried is given to no other, as message ids may still have it.
  `CREATE TABLE origins (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    forgotten_last INTEGER NOT NULL,
    forgotten_position INTEGER NOT NULL,
    checksum INTEGER NOT NULL
  ) STRICT`,
  // An index of frames (docs/storage.md). `form`: 1 a frame; 0 bare bytes in a file of version 4, with their CRC-32 in
  // `bare_checksum`; append only. The frame is in `bytes`, or it has `length` bytes in a file. `size` is the size of
  // the segment's own bytes. `channels` will name the channels of its lines, so that a reader can pass over it without
  // reading it; NULL while there are none.
  `CREATE TABLE segments (
    position INTEGER PRIMARY KEY,
    origin INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    audience INTEGER NOT NULL,
    username TEXT,
    taken_at REAL NOT NULL,
    lamport INTEGER NOT NULL,
    activities INTEGER NOT NULL,
    activity_bytes INTEGER NOT NULL,
    form INTEGER NOT NULL,
    size INTEGER NOT NULL,
    file INTEGER,
    start INTEGER,
    length INTEGER,
    bare_checksum INTEGER,
    channels TEXT,
    checksum INTEGER NOT NULL,
    bytes BLOB
  ) STRICT`,
  `CREATE TABLE accounts (
    username TEXT PRIMARY KEY,
    verifier TEXT NOT NULL,
    lamport INTEGER NOT NULL,
    origin TEXT NOT NULL,
    checksum INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID`,
  // In the order of use. `key` is `message_key.ts`: a digest and a checksum. The index has the beginning of it, which
  // is enough to find a few rows. Ids of clients without a name have a table of their own, with a bounded number of
  // rows.
  ...["message_ids", "anonymous_ids"].map((table) =>
    `CREATE TABLE ${table} (
      place INTEGER PRIMARY KEY,
      key BLOB NOT NULL,
      origin INTEGER NOT NULL,
      sequence INTEGER NOT NULL,
      used_at REAL NOT NULL
    ) STRICT`
  ),
  `CREATE TABLE cursors (
    id INTEGER PRIMARY KEY,
    username TEXT NOT NULL,
    position INTEGER,
    lost INTEGER NOT NULL,
    checksum INTEGER NOT NULL
  ) STRICT`,
  `CREATE TABLE members (
    place INTEGER PRIMARY KEY,
    server_id TEXT NOT NULL,
    host TEXT NOT NULL,
    port INTEGER NOT NULL,
    checksum INTEGER NOT NULL
  ) STRICT`,
  // Waiting direct messages: the position of the segment with the line, and the bytes of that line. Without `username`,
  // `position` and `size`: the message was delivered before it came. `line`: for a message of version 4 whose segment
  // is already gone; otherwise NULL.
  `CREATE TABLE inbox (
    place INTEGER PRIMARY KEY,
    origin TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    taken_at REAL NOT NULL,
    username TEXT,
    position INTEGER,
    size INTEGER,
    checksum INTEGER NOT NULL,
    line TEXT
  ) STRICT`,
  `CREATE TABLE notes (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    checksum INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID`,
  // `place` is a text of the code that keeps it.
  `CREATE TABLE places (
    id INTEGER PRIMARY KEY,
    username TEXT NOT NULL,
    place TEXT NOT NULL,
    checksum INTEGER NOT NULL
  ) STRICT`,
  // Origins that were forgotten whole, in that order.
  `CREATE TABLE tombstones (
    place INTEGER PRIMARY KEY,
    origin TEXT NOT NULL UNIQUE,
    last INTEGER NOT NULL,
    checksum INTEGER NOT NULL
  ) STRICT`,
];

const AFTER = [
  ...["state", "origins", "segments", "accounts", "message_ids", "cursors", "members", "inbox"]
    .map((table) => `DROP TABLE old_${table}`),
  // The only index on the hot path: "the first of this origin and audience after this sequence" answers all questions
  // about the log.
  "CREATE INDEX segments_by_sequence ON segments (origin, audience, last)",
  "CREATE INDEX segments_by_file ON segments (file) WHERE file IS NOT NULL",
  "CREATE INDEX message_ids_by_key ON message_ids (substr(key, 1, 5))",
  "CREATE INDEX anonymous_ids_by_key ON anonymous_ids (substr(key, 1, 5))",
  "CREATE UNIQUE INDEX inbox_by_entry ON inbox (origin, sequence)",
  "CREATE INDEX inbox_by_user ON inbox (username) WHERE username IS NOT NULL",
  "CREATE INDEX inbox_by_user_entry ON inbox (username, origin, sequence) WHERE username IS NOT NULL",
];

/** Carries the migration out, within a transaction. Throws the errors of SQLite. */
export function migrateTo5(database: DatabaseSync): void {
  const run = (sql: string) => void database.prepare(sql).run();
  BEFORE.forEach(run);
  const origins = copyOrigins(database);
  copySegments(database, origins);
  copyInbox(database, origins);
  copyMessageIds(database, origins);
  copySmall(database);
  AFTER.forEach(run);
}

/** Rows of an old table, a portion at a time, in the order of `key`. */
function* rowsOf<T>(database: DatabaseSync, table: string, key: string, columns = "*"): Iterable<T> {
  // A statement that is left in the middle of its rows does not work a second time in Deno 2.5.
  const select = database.prepare(`SELECT ${columns} FROM old_${table} WHERE ${key} > ? ORDER BY ${key} LIMIT ${ROWS}`);
  for (let last: number | bigint | null = -1;;) {
    const rows = select.all(last) as T[];
    if (rows.length === 0) return;
    yield* rows;
    last = (rows.at(-1) as Record<string, number>)[key]!;
  }
}

/** Names by number. */
function copyOrigins(database: DatabaseSync): Map<number, string> {
  type Row = { id: number; name: string; forgotten_last: number; forgotten_position: number };
  const insert = database.prepare("INSERT INTO origins VALUES (?, ?, ?, ?, ?)");
  const names = new Map<number, string>();
  for (const { id, name, forgotten_last, forgotten_position } of rowsOf<Row>(database, "origins", "id")) {
    const values = [id, name, forgotten_last, forgotten_position] as const;
    insert.run(...values, rowChecksum("origins", ...values));
    names.set(id, name);
  }
  return names;
}

/** Lamport times of a broken clock can be above the range of numbers. */
const LAMPORT = `min(lamport, ${Number.MAX_SAFE_INTEGER}) AS lamport`;
const SEGMENT_COLUMNS =
  "position, origin, first, last, audience, username, taken_at, activities, activity_bytes, bytes, " +
  `file, start, size, checksum, ${LAMPORT}`;

/** A segment as version 4 has it. */
interface OldSegment {
  readonly position: number;
  readonly origin: number;
  readonly first: number;
  readonly last: number;
  readonly audience: number;
  readonly username: string | null;
  readonly taken_at: number;
  readonly lamport: number;
  readonly activities: number;
  readonly activity_bytes: number;
  readonly bytes: Uint8Array;
  readonly file: number | null;
  readonly start: number | null;
  readonly size: number | null;
  readonly checksum: number | null;
}

function copySegments(database: DatabaseSync, origins: ReadonlyMap<number, string>): void {
  const insert = database.prepare(`INSERT INTO segments VALUES (${Array(19).fill("?").join()})`);
  for (const row of rowsOf<OldSegment>(database, "segments", "position", SEGMENT_COLUMNS)) {
    const { position, origin, first, last, audience, username, taken_at, lamport, bytes, file, start } = row;
    const { activities, activity_bytes } = row;
    const facts = [position, origin, first, last, audience, username, taken_at, lamport, activities, activity_bytes];
    // Bytes in a file are not read: they have their checksum, and may be many.
    const where = file === null
      ? [1, bytes.length, null, null, null, null, null]
      : [0, row.size!, file, start, row.size!, row.checksum, null];
    const values = [...facts, ...where];
    const frame = file === null ? frameOf(row, origins.get(origin)) : null;
    insert.run(...values, rowChecksum("segments", ...values), frame);
  }
}

function frameOf(row: OldSegment, origin: string | undefined): Uint8Array {
  const { position, first, last, taken_at, bytes, lamport } = row;
  const audience = audienceOf(row.audience, row.username);
  // Version 4 had no checksums: only impossible values can be found.
  if (origin === undefined || audience === undefined) throw damagedRow("segments");
  return encodeFrame({ position, origin, first, last, audience, takenAt: taken_at, bytes, lamport });
}

function copyInbox(database: DatabaseSync, origins: ReadonlyMap<number, string>): void {
  interface Row {
    readonly place: number;
    readonly origin: string;
    readonly sequence: number;
    readonly taken_at: number;
    readonly username: string | null;
    readonly line: string | null;
  }
  const ids = new Map([...origins].map(([id, name]) => [name, id]));
  const segments = segmentsForUsers(database);
  const insert = database.prepare("INSERT INTO inbox VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
  for (const { place, origin, sequence, taken_at, username, line } of rowsOf<Row>(database, "inbox", "place")) {
    const position = username === null ? null : segments(ids.get(origin) ?? -1, sequence, username) ?? null;
    const size = line === null ? null : new TextEncoder().encode(line).length;
    const kept = position === null ? line : null;
    const values = [place, origin, sequence, taken_at, username, position, size] as const;
    insert.run(...values, rowChecksum("inbox", ...values, kept), kept);
  }
}

/** Finds where the segment of a user stands that has an entry. */
function segmentsForUsers(database: DatabaseSync) {
  type Row = { position: number; origin: number; first: number; last: number; username: string };
  const rows = database.prepare("SELECT position, origin, first, last, username FROM segments WHERE audience = 1")
    .all();
  const byOrigin = new Map<number, Row[]>();
  for (const row of rows as unknown as Row[]) {
    const known = byOrigin.get(row.origin);
    if (known === undefined) byOrigin.set(row.origin, [row]);
    else known.push(row);
  }
  // Positions and sequences of an origin grow together.
  return (origin: number, sequence: number, username: string): number | undefined => {
    const known = byOrigin.get(origin) ?? [];
    let [low, high] = [0, known.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (known[middle]!.last < sequence) low = middle + 1;
      else high = middle;
    }
    const found = known[low];
    return found !== undefined && found.first <= sequence && found.username === username ? found.position : undefined;
  };
}

function copyMessageIds(database: DatabaseSync, origins: ReadonlyMap<number, string>): void {
  type Row = { username: string; message_id: string; origin: string; sequence: number; used_at: number };
  const ids = new Map([...origins].map(([id, name]) => [name, id]));
  const count = database.prepare("SELECT count(*) AS size FROM old_message_ids WHERE username = ?").get(ANONYMOUS);
  let tooMany = (count as { size: number }).size - MAX_ANONYMOUS_IDS;
  const [insert, insertAnonymous] = ["message_ids", "anonymous_ids"].map((table) =>
    database.prepare(`INSERT INTO ${table} (key, origin, sequence, used_at) VALUES (?, ?, ?, ?)`)
  );
  const select = database.prepare(
    "SELECT * FROM old_message_ids WHERE (used_at, username, message_id) > (?, ?, ?) " +
      `ORDER BY used_at, username, message_id LIMIT ${ROWS}`,
  );
  for (let last: [number, string, string] = [-1, "", ""];;) {
    const rows = select.all(...last) as unknown as Row[];
    for (const { username, message_id, origin, sequence, used_at } of rows) {
      last = [used_at, username, message_id];
      const isAnonymous = username === ANONYMOUS;
      if (isAnonymous && tooMany-- > 0) continue;
      const id = ids.get(origin);
      // Its entry went with all of its origin.
      if (id === undefined) continue;
      const key = idBytes(messageKey(username, message_id), id, sequence, used_at);
      (isAnonymous ? insertAnonymous : insert)!.run(key, id, sequence, used_at);
    }
    if (rows.length === 0) return;
  }
}

/** What needs nothing but a checksum. */
function copySmall(database: DatabaseSync): void {
  const copy = (table: string, key: string, columns: readonly string[]) => {
    const insert = database.prepare(`INSERT INTO ${table} VALUES (${columns.map(() => "?").join()}, ?)`);
    const rows = database.prepare(
      `SELECT ${
        columns.map((column) => column === "lamport" ? LAMPORT : column).join()
      } FROM old_${table} ORDER BY ${key}`,
    ).all();
    for (const row of rows as Record<string, string | number | null>[]) {
      const values = columns.map((column) => row[column]!);
      insert.run(...values, rowChecksum(table, ...values));
    }
  };
  copy("accounts", "username", ["username", "verifier", "lamport", "origin"]);
  copy("cursors", "id", ["id", "username", "position", "lost"]);
  copy("members", "place", ["place", "server_id", "host", "port"]);
  const state = database.prepare(`SELECT server_id, ${LAMPORT}, synced FROM old_state`).get() as
    | { server_id: string; lamport: number; synced: number }
    | undefined;
  if (state === undefined) return;
  const values = [state.server_id, state.lamport, state.synced, 0] as const;
  database.prepare("INSERT INTO state VALUES (1, ?, ?, ?, ?, ?)").run(...values, rowChecksum("state", ...values));
}
