/**
 * The SQL statements of `sqlite_store.ts`, prepared once, and the reading of their rows. `migrations/migrations.ts` has
 * the tables.
 */

import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Position } from "../../../log/segment.ts";
import { AUDIENCE_NUMBERS } from "./frame.ts";
import type { Place } from "./log_files.ts";

/** The index row of a segment: all of the row but the bytes, under one checksum. */
export interface IndexRow {
  readonly position: number;
  /** The number of the origin. */
  readonly origin: number;
  readonly first: number;
  readonly last: number;
  readonly audience: number;
  readonly username: string | null;
  readonly takenAt: number;
  readonly lamport: number;
  readonly activities: number;
  readonly activityBytes: number;
  readonly form: number;
  /** Bytes of the segment itself. */
  readonly size: number;
  readonly file: number | null;
  readonly start: number | null;
  /** Bytes in the file. */
  readonly length: number | null;
  readonly bareChecksum: number | null;
  readonly channels: string | null;
  readonly checksum: number;
}

/** A segment. */
export interface SegmentRow extends IndexRow {
  readonly bytes: Uint8Array | null;
}

/** A row whose bytes are in a file. */
export type PlacedRow = IndexRow & Place;

/** A row that tells the state of an origin, and the question that it answers. */
export interface EndRow extends IndexRow {
  readonly askedOrigin: number;
  readonly askedAudience: number;
  /** 1 for the oldest of its audience, 0 for the newest. */
  readonly isOldest: number;
}

/** The single values of the store. */
export interface StateRow {
  readonly serverId: string;
  readonly lamport: number;
  readonly synced: Position;
  readonly head: Position;
  /** The database has all turns up to this one. */
  readonly turn: number;
  /** Where that turn ends in the log files. */
  readonly file: number;
  readonly end: number;
  /** In which run of the machine the store was opened last; empty if that is unknown. */
  readonly boot: string;
  readonly checksum: number;
}

/** An origin, and its forgotten sequences. */
export interface OriginRow {
  readonly id: number;
  readonly name: string;
  readonly forgottenLast: number;
  readonly forgottenPosition: number;
  readonly checksum: number;
}

/** The columns of `IndexRow`. */
export const INDEX_COLUMNS =
  "position, origin, first, last, audience, username, taken_at AS takenAt, lamport, activities, " +
  "activity_bytes AS activityBytes, form, size, file, start, length, bare_checksum AS bareChecksum, channels, checksum";
/**
 * The rows that tell the state of an origin: the newest of each audience, and the oldest of the audiences that are
 * forgotten in order.
 */
const ENDS = [
  ...Object.values(AUDIENCE_NUMBERS).map((audience) => `SELECT ${audience} AS audience, 0 AS is_oldest`),
  `SELECT ${AUDIENCE_NUMBERS.everyone}, 1`,
  `SELECT ${AUDIENCE_NUMBERS.user}, 1`,
].join(" UNION ALL ");
/** Whether a deleted row was a waiting message, and no early delivery. */
const WHOSE = "RETURNING username";
/** The columns of `StateRow`. */
export const STATE_COLUMNS =
  "server_id AS serverId, lamport, synced, head, settled_turn AS turn, settled_file AS file, settled_end AS end, boot, checksum";
const MESSAGE_COLUMNS = "place, origin, sequence, taken_at AS takenAt, username, position, size, checksum, line";

/** All statements, for a `database` of the current version. */
export type Statements = ReturnType<typeof prepareStatements>;

/** Prepares them. */
export function prepareStatements(database: DatabaseSync) {
  const prepare = (sql: string) => database.prepare(sql);
  const firstAfter = (audience: number) =>
    `SELECT ${INDEX_COLUMNS} FROM segments WHERE origin = ? AND audience = ${audience} AND last > ? ORDER BY last LIMIT 1`;
  const idStatements = (table: string) => ({
    // The index has five bytes of the key.
    find: prepare(
      `SELECT key, origin, sequence, used_at AS usedAt FROM ${table} WHERE substr(key, 1, 5) = ? ORDER BY place`,
    ),
    oldest: prepare(`SELECT place, used_at AS usedAt FROM ${table} ORDER BY place LIMIT ?`),
    delete: prepare(`DELETE FROM ${table} WHERE place = ?`),
    deleteAfter: prepare(`DELETE FROM ${table} WHERE origin = ? AND sequence > ?`),
  });
  return {
    begin: prepare("BEGIN"),
    commit: prepare("COMMIT"),
    rollback: prepare("ROLLBACK"),

    insertOrigin: prepare(
      "INSERT INTO origins (name, forgotten_last, forgotten_position, checksum) VALUES (?, 0, 0, 0)",
    ),
    insertSegment: prepare(`INSERT INTO segments VALUES (${Array(19).fill("?").join()})`),
    putAccount: prepare("INSERT OR REPLACE INTO accounts VALUES (?, ?, ?, ?, ?)"),
    messageIds: idStatements("message_ids"),
    anonymousIds: idStatements("anonymous_ids"),
    putCursor: prepare("INSERT OR REPLACE INTO cursors VALUES (?, ?, ?, ?, ?)"),
    deleteCursor: prepare("DELETE FROM cursors WHERE id = ?"),
    deleteMembers: prepare("DELETE FROM members"),
    insertMember: prepare("INSERT INTO members (place, server_id, host, port, checksum) VALUES (?, ?, ?, ?, ?)"),
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
    lostChannels: prepare("SELECT origin, channels, checksum FROM lost_channels"),
    putLostChannels: prepare("INSERT OR REPLACE INTO lost_channels VALUES (?, ?, ?)"),
    deleteLostChannels: prepare("DELETE FROM lost_channels WHERE origin = ?"),
    deleteSegmentsOf: prepare("DELETE FROM segments WHERE origin = ?"),
    isAwaited: prepare("SELECT 1 FROM inbox WHERE origin = ? AND username IS NOT NULL LIMIT 1"),
    deleteMessagesOfOrigin: prepare("DELETE FROM inbox WHERE origin = ? " + WHOSE),
    sizesAfter: prepare("SELECT position, size FROM segments WHERE position > ? ORDER BY position LIMIT ?"),
    sizesBefore: prepare("SELECT position, size FROM segments WHERE position < ? ORDER BY position DESC LIMIT ?"),
    segmentsBetween: prepare(
      `SELECT ${INDEX_COLUMNS}, bytes FROM segments WHERE position > ? AND position <= ? ORDER BY position`,
    ),
    rowsWithChannels: prepare(
      `SELECT ${INDEX_COLUMNS} FROM segments INDEXED BY segments_with_channels ` +
        "WHERE channels IS NOT NULL AND position > ? ORDER BY position LIMIT ?",
    ),
    rowsBetween: prepare(
      `SELECT ${INDEX_COLUMNS} FROM segments NOT INDEXED WHERE position > ? AND position < ? ORDER BY position LIMIT ?`,
    ),
    segmentAt: prepare(`SELECT ${INDEX_COLUMNS}, bytes FROM segments WHERE position = ?`),
    activityAfter: prepare(firstAfter(AUDIENCE_NUMBERS.everyone)),
    activityUpTo: prepare(
      `SELECT ${INDEX_COLUMNS} FROM segments WHERE origin = ? AND audience = ${AUDIENCE_NUMBERS.everyone} AND last <= ? ` +
        "ORDER BY last DESC LIMIT 1",
    ),
    forUserAfter: prepare(firstAfter(AUDIENCE_NUMBERS.user)),
    forServersAfter: prepare(firstAfter(AUDIENCE_NUMBERS.servers)),
    account: prepare("SELECT username, verifier, lamport, origin, checksum FROM accounts WHERE username = ?"),
    accountsAfter: prepare(
      "SELECT username, verifier, lamport, origin, checksum FROM accounts WHERE username > ? ORDER BY username LIMIT ?",
    ),
    accounts: prepare("SELECT username, verifier, lamport, origin, checksum FROM accounts"),
    accountsLike: prepare(
      "SELECT username, verifier, lamport, origin, checksum FROM accounts WHERE substr(verifier, 1, length(?)) = ?",
    ),
    segmentsForServers: prepare(
      `SELECT position FROM segments WHERE audience = ${AUDIENCE_NUMBERS.servers} AND bytes IS NOT NULL`,
    ),
    rewriteSegment: prepare("UPDATE segments SET size = ?, checksum = ?, bytes = ? WHERE position = ?"),

    deleteSegment: prepare("DELETE FROM segments WHERE position = ?"),
    putForgotten: prepare("UPDATE origins SET forgotten_last = ?, forgotten_position = ?, checksum = ? WHERE id = ?"),
    insertMessage: prepare("INSERT INTO inbox VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL) ON CONFLICT DO NOTHING"),
    messageOf: prepare("SELECT username FROM inbox WHERE origin = ? AND sequence = ?"),
    deleteMessage: prepare("DELETE FROM inbox WHERE origin = ? AND sequence = ? " + WHOSE),
    messagesOf: prepare(
      `SELECT ${MESSAGE_COLUMNS} FROM inbox WHERE username = ? AND place > ? AND place <= ? ORDER BY place`,
    ),
    messageSizesOf: prepare(
      "SELECT place AS at, size, origin, sequence FROM inbox WHERE username = ? AND place > ? ORDER BY place LIMIT ?",
    ),
    // SQLite would go through the messages of all users, as origin and sequence are unique.
    messagesIn: prepare(
      `SELECT ${MESSAGE_COLUMNS} FROM inbox INDEXED BY inbox_by_user_entry ` +
        "WHERE username = ? AND origin = ? AND sequence BETWEEN ? AND ? ORDER BY sequence",
    ),
    messageSizesIn: prepare(
      "SELECT sequence AS at, size, origin, sequence FROM inbox INDEXED BY inbox_by_user_entry " +
        "WHERE username = ? AND origin = ? AND sequence > ? AND sequence <= ? ORDER BY sequence LIMIT ?",
    ),
    newestMessage: prepare("SELECT place FROM inbox ORDER BY place DESC LIMIT 1"),
    countMessages: prepare(
      "SELECT username, count(*) AS size FROM inbox WHERE username IS NOT NULL GROUP BY username",
    ),
    oldestMessages: prepare(`SELECT ${MESSAGE_COLUMNS} FROM inbox ORDER BY place LIMIT ?`),
    firstMessageAfter: prepare(
      `SELECT ${MESSAGE_COLUMNS} FROM inbox WHERE place > ? AND position IS NOT NULL ORDER BY place LIMIT 1`,
    ),
    oldestMessageFrom: prepare(
      `SELECT ${MESSAGE_COLUMNS} FROM inbox WHERE place >= ? AND username IS NOT NULL ORDER BY place LIMIT 1`,
    ),
    deleteMessagesUpTo: prepare("DELETE FROM inbox WHERE place <= ? " + WHOSE),
    deleteMessagesAfter: prepare(
      "DELETE FROM inbox WHERE origin = ? AND sequence > ? AND username IS NOT NULL " + WHOSE,
    ),

    state: prepare(`SELECT ${STATE_COLUMNS} FROM state`),
    newestLamport: prepare("SELECT max(lamport) AS lamport FROM segments WHERE lamport <= ?"),
    putState: prepare("INSERT OR REPLACE INTO state VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
    origins: prepare(
      "SELECT id, name, forgotten_last AS forgottenLast, forgotten_position AS forgottenPosition, checksum FROM origins ORDER BY id",
    ),
    newestSegment: prepare(`SELECT ${INDEX_COLUMNS} FROM segments ORDER BY position DESC LIMIT 1`),
    // The ends of all origins at once: ten thousand of them are one statement.
    endsOfOrigins: prepare(
      `SELECT o.id AS askedOrigin, a.audience AS askedAudience, a.is_oldest AS isOldest, ${columnsOf("s")} ` +
        `FROM origins o CROSS JOIN (${ENDS}) a CROSS JOIN segments s ON s.position = CASE a.is_oldest ` +
        "WHEN 1 THEN (SELECT position FROM segments WHERE origin = o.id AND audience = a.audience ORDER BY last LIMIT 1) " +
        "ELSE (SELECT position FROM segments WHERE origin = o.id AND audience = a.audience ORDER BY last DESC LIMIT 1) END",
    ),
    newestOf: prepare(
      `SELECT ${INDEX_COLUMNS} FROM segments WHERE origin = ? AND audience = ? ORDER BY last DESC LIMIT 1`,
    ),
    cursors: prepare("SELECT id, username, position, lost, checksum FROM cursors ORDER BY id"),
    members: prepare("SELECT place, server_id AS serverId, host, port, checksum FROM members ORDER BY place"),

    freePages: prepare("SELECT freelist_count AS freePages FROM pragma_freelist_count"),
    pageBytes: prepare("SELECT page_size AS pageBytes FROM pragma_page_size"),

    fileAfter: prepare("SELECT file FROM segments WHERE file > ? ORDER BY file LIMIT 1"),
    isFileUsed: prepare("SELECT 1 FROM segments WHERE file = ? LIMIT 1"),
    endOfFile: prepare(
      "SELECT start + length AS end FROM segments WHERE file = ? AND position <= ? ORDER BY position DESC LIMIT 1",
    ),
    placesAfter: prepare(
      `SELECT ${INDEX_COLUMNS}, bytes FROM segments WHERE file IS NOT NULL AND position > ? ORDER BY position LIMIT ?`,
    ),

    entriesAfter: prepare("SELECT coalesce(sum(last - first + 1), 0) AS entries FROM segments WHERE position > ?"),
    deleteSegmentsAfter: prepare("DELETE FROM segments WHERE position > ?"),
    deleteSegmentsOfAfter: prepare("DELETE FROM segments WHERE origin = ? AND last > ?"),
  };
}

/** Whether the bytes of `row` are in a file. */
export function isPlaced<T extends IndexRow>(row: T): row is T & PlacedRow {
  return row.file !== null;
}

type Parameter = string | number | Uint8Array;

// SQLite's columns have the types that the statements above name; node:sqlite cannot know them.

/** The first row, as the type that the statement gives. */
export function one<T = unknown>(statement: StatementSync, ...parameters: Parameter[]): T | undefined {
  return statement.get(...parameters) as T | undefined;
}

/** All rows alike. */
export function all<T>(statement: StatementSync, ...parameters: Parameter[]): T[] {
  return statement.all(...parameters) as T[];
}

function columnsOf(table: string): string {
  return INDEX_COLUMNS.split(", ").map((column) => `${table}.${column}`).join(", ");
}
