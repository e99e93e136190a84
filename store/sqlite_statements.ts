/** What `sqlite_store.ts` says to SQLite: its statements, prepared once, and how their rows are read. The tables are in `migrations.ts`. */

import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Position } from "../log/segment.ts";
import type { Place } from "./log_files.ts";

/** Lamport times of accounts and clocks that were broken once can be above what a number holds. */
const READABLE = `min(lamport, ${Number.MAX_SAFE_INTEGER}) AS lamport`;

/** How audiences are written down; the order of `Audience` in log/segment.ts. */
export const AUDIENCE_NUMBERS = { everyone: 0, user: 1, servers: 2 } as const;

/** A segment. */
export interface SegmentRow {
  readonly position: number;
  readonly origin: number;
  readonly first: number;
  readonly last: number;
  readonly audience: number;
  readonly username: string | null;
  readonly taken_at: number;
  readonly bytes: Uint8Array;
  readonly file: number | null;
}

/** A row whose bytes are in a file. */
export type PlacedRow = SegmentRow & Place;

/** What there is once. */
export interface StateRow {
  readonly serverId: string;
  readonly lamport: number;
  readonly synced: Position;
  /** Where the head was when an origin was buried the last time. */
  readonly head: Position;
}

/** An origin, and what of it was forgotten. */
export interface OriginRow {
  readonly id: number;
  readonly name: string;
  readonly forgottenLast: number;
  readonly forgottenPosition: number;
}

/** All statements, for a `database` of the current version. */
export type Statements = ReturnType<typeof prepareStatements>;

/** Prepares them. */
export function prepareStatements(database: DatabaseSync) {
  const prepare = (sql: string) => database.prepare(sql);
  const positionAfter = (audience: number) =>
    `SELECT * FROM (SELECT position FROM segments WHERE origin = ? AND audience = ${audience} AND last > ? ORDER BY last LIMIT 1)`;
  return {
    begin: prepare("BEGIN"),
    commit: prepare("COMMIT"),
    rollback: prepare("ROLLBACK"),

    insertOrigin: prepare("INSERT INTO origins (name) VALUES (?)"),
    insertSegment: prepare("INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
    putAccount: prepare("INSERT OR REPLACE INTO accounts VALUES (?, ?, ?, ?)"),
    insertMessageId: prepare("INSERT INTO message_ids VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"),
    putCursor: prepare("INSERT OR REPLACE INTO cursors VALUES (?, ?, ?, ?)"),
    deleteCursor: prepare("DELETE FROM cursors WHERE id = ?"),
    deleteMembers: prepare("DELETE FROM members"),
    insertMember: prepare("INSERT INTO members (server_id, host, port) VALUES (?, ?, ?)"),
    putNote: prepare("INSERT OR REPLACE INTO notes VALUES (?, ?, ?)"),
    deleteNote: prepare("DELETE FROM notes WHERE key = ?"),
    note: prepare("SELECT key, value, checksum FROM notes WHERE key = ?"),
    notes: prepare("SELECT key, value, checksum FROM notes ORDER BY key"),
    putPlace: prepare("INSERT OR REPLACE INTO places VALUES (?, ?, ?, ?)"),
    deletePlace: prepare("DELETE FROM places WHERE id = ?"),
    places: prepare("SELECT id, username, place, checksum FROM places ORDER BY id"),
    putTombstone: prepare(
      "INSERT INTO tombstones (origin, last, checksum) VALUES (?, ?, ?) " +
        "ON CONFLICT (origin) DO UPDATE SET last = excluded.last, checksum = excluded.checksum",
    ),
    deleteTombstone: prepare("DELETE FROM tombstones WHERE origin = ?"),
    tombstones: prepare("SELECT origin, last, checksum FROM tombstones ORDER BY place"),
    deleteOrigin: prepare("DELETE FROM origins WHERE id = ?"),
    deleteSegmentsOf: prepare("DELETE FROM segments WHERE origin = ? RETURNING file"),
    isAwaited: prepare("SELECT 1 FROM inbox WHERE origin = ? AND username IS NOT NULL LIMIT 1"),
    deleteMessagesOfOrigin: prepare("DELETE FROM inbox WHERE origin = ?"),
    deleteMessageIdsOf: prepare("DELETE FROM message_ids WHERE origin = ?"),
    putHead: prepare("UPDATE state SET head = ?, lamport = ?"),
    putLamport: prepare("UPDATE state SET lamport = ?"),
    putSynced: prepare("UPDATE state SET synced = ?"),

    sizesAfter: prepare(
      "SELECT position, coalesce(size, length(bytes)) AS size FROM segments WHERE position > ? ORDER BY position LIMIT ?",
    ),
    segmentsBetween: prepare(
      "SELECT position, origin, first, last, audience, username, taken_at, bytes, file, start, size, checksum FROM segments " +
        "WHERE position > ? AND position <= ? ORDER BY position",
    ),
    activityAfter: prepare(
      "SELECT position, first, last, taken_at AS takenAt, coalesce(size, length(bytes)) AS size, activities, activity_bytes AS activityBytes " +
        `FROM segments WHERE origin = ? AND audience = ${AUDIENCE_NUMBERS.everyone} AND last > ? ORDER BY last LIMIT 1`,
    ),
    forUserAfter: prepare(
      "SELECT position, last, taken_at AS takenAt, length(bytes) AS size " +
        `FROM segments WHERE origin = ? AND audience = ${AUDIENCE_NUMBERS.user} AND last > ? ORDER BY last LIMIT 1`,
    ),
    othersAfter: prepare(
      `${positionAfter(AUDIENCE_NUMBERS.user)} UNION ALL ${positionAfter(AUDIENCE_NUMBERS.servers)}`,
    ),
    account: prepare(`SELECT verifier, ${READABLE}, origin FROM accounts WHERE username = ?`),
    accountsAfter: prepare(
      `SELECT username, verifier, ${READABLE}, origin FROM accounts WHERE username > ? ORDER BY username LIMIT ?`,
    ),
    usernames: prepare("SELECT username FROM accounts"),
    messageId: prepare(
      "SELECT origin, sequence, used_at AS usedAt FROM message_ids WHERE username = ? AND message_id = ?",
    ),

    deleteSegment: prepare("DELETE FROM segments WHERE position = ? RETURNING file"),
    putForgotten: prepare("UPDATE origins SET forgotten_last = ?, forgotten_position = ? WHERE id = ?"),
    messageIdBefore: prepare("SELECT 1 FROM message_ids WHERE used_at < ? LIMIT 1"),
    deleteMessageIds: prepare(
      "DELETE FROM message_ids WHERE (username, message_id) IN " +
        "(SELECT username, message_id FROM message_ids WHERE used_at < ? ORDER BY used_at LIMIT ?)",
    ),

    insertMessage: prepare("INSERT INTO inbox VALUES (?, ?, ?, ?, ?, ?)"),
    insertEarly: prepare(
      "INSERT INTO inbox (place, origin, sequence, taken_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
    ),
    deleteMessage: prepare("DELETE FROM inbox WHERE origin = ? AND sequence = ?"),
    messagesOf: prepare(
      "SELECT place, origin, sequence, line FROM inbox WHERE username = ? AND place > ? AND place <= ? ORDER BY place",
    ),
    messageSizesOf: prepare(
      "SELECT place AS at, octet_length(line) AS size FROM inbox WHERE username = ? AND place > ? ORDER BY place LIMIT ?",
    ),
    // SQLite would go through the messages of all users, as origin and sequence are unique.
    messagesIn: prepare(
      "SELECT place, origin, sequence, line FROM inbox INDEXED BY inbox_by_user_entry " +
        "WHERE username = ? AND origin = ? AND sequence BETWEEN ? AND ? ORDER BY sequence",
    ),
    messageSizesIn: prepare(
      "SELECT sequence AS at, octet_length(line) AS size FROM inbox INDEXED BY inbox_by_user_entry " +
        "WHERE username = ? AND origin = ? AND sequence > ? AND sequence <= ? ORDER BY sequence LIMIT ?",
    ),
    countMessagesOf: prepare("SELECT count(*) AS size FROM (SELECT 1 FROM inbox WHERE username = ? LIMIT ?)"),
    newestMessage: prepare("SELECT place FROM inbox ORDER BY place DESC LIMIT 1"),
    countMessages: prepare("SELECT count(*) AS size FROM inbox WHERE username IS NOT NULL"),
    oldestMessages: prepare("SELECT place, taken_at AS takenAt FROM inbox ORDER BY place LIMIT ?"),
    deleteMessagesUpTo: prepare("DELETE FROM inbox WHERE place <= ?"),
    deleteMessagesAfter: prepare("DELETE FROM inbox WHERE origin = ? AND sequence > ? AND username IS NOT NULL"),

    state: prepare(`SELECT server_id AS serverId, ${READABLE}, synced, head FROM state`),
    newestLamport: prepare("SELECT max(lamport) AS lamport FROM segments WHERE lamport <= ?"),
    insertState: prepare("INSERT INTO state (one, server_id, lamport) VALUES (1, ?, 0)"),
    origins: prepare(
      "SELECT id, name, forgotten_last AS forgottenLast, forgotten_position AS forgottenPosition FROM origins ORDER BY id",
    ),
    newestSegment: prepare(
      `SELECT position, ${READABLE}, taken_at AS takenAt FROM segments ORDER BY position DESC LIMIT 1`,
    ),
    newestOf: prepare(
      "SELECT position, last, taken_at AS takenAt, activities, activity_bytes AS activityBytes FROM segments " +
        "WHERE origin = ? AND audience = ? ORDER BY last DESC LIMIT 1",
    ),
    loseCursors: prepare("UPDATE cursors SET lost = 1, position = coalesce(position, ?) WHERE lost = 0"),
    cursors: prepare("SELECT id, username, position FROM cursors ORDER BY id"),
    members: prepare("SELECT server_id AS serverId, host, port FROM members ORDER BY place"),

    freePages: prepare("SELECT freelist_count AS freePages FROM pragma_freelist_count"),
    pageBytes: prepare("SELECT page_size AS pageBytes FROM pragma_page_size"),

    fileAfter: prepare("SELECT file FROM segments WHERE file > ? ORDER BY file LIMIT 1"),
    newestFile: prepare(
      "SELECT file, start + size AS end FROM segments WHERE file IS NOT NULL ORDER BY file DESC, position DESC LIMIT 1",
    ),
    isFileUsed: prepare("SELECT 1 FROM segments WHERE file = ? LIMIT 1"),
    endOfFile: prepare(
      "SELECT start + size AS end FROM segments WHERE file = ? AND position <= ? ORDER BY position DESC LIMIT 1",
    ),
    placesAfter: prepare(
      "SELECT position, file, start, size, checksum FROM segments WHERE file = ? AND position > ? ORDER BY position LIMIT ?",
    ),

    entriesAfter: prepare("SELECT coalesce(sum(last - first + 1), 0) AS entries FROM segments WHERE position > ?"),
    deleteSegmentsAfter: prepare("DELETE FROM segments WHERE position > ?"),
    deleteSegmentsOfAfter: prepare("DELETE FROM segments WHERE origin = ? AND last > ? RETURNING file"),
    deleteMessageIdsAfter: prepare("DELETE FROM message_ids WHERE origin = ? AND sequence > ?"),
    takeCursorsBack: prepare("UPDATE cursors SET position = min(position, ?)"),
    rename: prepare("UPDATE state SET server_id = ?, lamport = ?"),
  };
}

/** Whether the bytes of `row` are in a file. */
export function isPlaced(row: SegmentRow): row is PlacedRow {
  return row.file !== null;
}

// SQLite's columns have the types that the statements above name; node:sqlite cannot know them.

/** The first row, as the type that the statement gives. */
export function one<T = unknown>(statement: StatementSync, ...parameters: (string | number)[]): T | undefined {
  return statement.get(...parameters) as T | undefined;
}

/** All rows alike. */
export function all<T>(statement: StatementSync, ...parameters: (string | number)[]): T[] {
  return statement.all(...parameters) as T[];
}
