/**
 * A store in one SQLite file, `thrum.sqlite` in the data folder, which it holds alone. Commits go to the write-ahead log of SQLite: they are
 * there after a crash of the program, and with `synchronous: "full"` after a power cut too. Acts; what is decided is in `origin_log.ts`.
 */

import { accessSync, constants, mkdirSync, mkdtempSync, readdirSync, rmdirSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { type Audience, EVERYONE, type Position, type Segment, SERVERS } from "../log/segment.ts";
import type { Vector } from "../log/vector.ts";
import { CURRENT_VERSION, MIGRATIONS } from "./migrations.ts";
import {
  type ActivityRow,
  append,
  checkBatch,
  emptyLog,
  findMissing,
  type Lookup,
  type OriginLog,
  planForgetting,
  vectorAt,
} from "./origin_log.ts";
import { storeError } from "./sqlite_errors.ts";
import {
  type Account,
  type Batch,
  type ForgetLimits,
  type Forgotten,
  type Missing,
  type PlainCursor,
  type Store,
  StoreError,
  type StoreState,
  type UsedMessageId,
} from "./store.ts";

/** What a SQLite store is opened with. */
export interface SqliteStoreOptions {
  /** The data folder. Made when it is missing. */
  readonly folder: string;
  /** Called when the store is new: gives a name that no server had before, made of `a-z`, `0-9` and `-`. */
  readonly makeServerId: () => string;
  /** Whether a commit waits for the disk (`"full"`), or a power cut may take the last moments with it (`"normal"`). */
  readonly synchronous: "normal" | "full";
}

/** SQLite's default: a checkpoint every 4 MB. Each holds the event loop for 5 to 15 ms on a fast SSD; a longer log would make them rarer but longer. */
const CHECKPOINT_PAGES = 512;
/**
 * Larger than SQLite's 4,096: a turn under load adds tens of kilobytes, and writes them a sixth faster. Still larger pages make the small turns of a quiet
 * server cost twice as much.
 */
const PAGE_BYTES = 8_192;
/** The write-ahead log is cut to this after a checkpoint when one large commit made it longer. */
const WAL_BYTES = 16_777_216;
/** Memory for pages: enough for the upper part of the message id index, which is the only thing that is not written in order. */
const CACHE_BYTES = 16_777_216;
/** Work that one call of `forget` does at most: about 3 ms. Large rows are read to be deleted, so bytes count too. */
const FORGET_BUDGET = { rows: 200, bytes: 2_097_152, messageIds: 250 };
/** Segments that are read at a time however small they are, as each costs about 6 µs. */
const READ_ROWS = 256;

/** How audiences are written down; the order of `Audience` in log/segment.ts. */
const AUDIENCE_NUMBERS = { everyone: 0, user: 1, servers: 2 } as const;

/**
 * Opens the store in `folder`, or makes a new one there.
 * @throws {StoreError} when that is not possible; the message names the folder and what can be done.
 */
export function openSqliteStore({ folder, makeServerId, synchronous }: SqliteStoreOptions): Store {
  let database: DatabaseSync | undefined;
  try {
    prepareFolder(folder);
    database = new DatabaseSync(`${folder}/thrum.sqlite`);
    prepareFile(database, folder, synchronous);
    return new SqliteStore(database, folder, makeServerId);
  } catch (cause) {
    database?.close();
    throw storeError("open", folder, cause);
  }
}

/** Makes the folder, and sees that it and what is in it can be written to: SQLite would only say that something failed, this says why. */
function prepareFolder(folder: string): void {
  // It holds what secrets are checked against: nobody else needs to read it.
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  rmdirSync(mkdtempSync(`${folder}/.try-`));
  for (const name of readdirSync(folder).filter((name) => name.startsWith("thrum.sqlite"))) {
    accessSync(`${folder}/${name}`, constants.R_OK | constants.W_OK);
  }
}

/** Takes hold of the file and brings it into the form that is used here. */
function prepareFile(database: DatabaseSync, folder: string, synchronous: "normal" | "full"): void {
  // Statement by statement: an error of `exec` carries no result code.
  const run = (sql: string) => database.prepare(sql).get();
  // Older versions of Deno would wait 5 s for another server to go.
  run("PRAGMA busy_timeout = 0");
  run("PRAGMA locking_mode = EXCLUSIVE");
  // The first reading takes the lock, and fails when another server has it.
  const version = run("PRAGMA user_version")!["user_version"] as number;
  if (version > CURRENT_VERSION) {
    throw new StoreError(
      `Cannot open data folder "${folder}": it was written by a newer thrum (version ${version} of the file, this program knows ` +
        `${CURRENT_VERSION}). Use that one, or choose another folder.`,
    );
  }
  // Means something only while the file is empty.
  run(`PRAGMA page_size = ${PAGE_BYTES}`);
  run("PRAGMA journal_mode = WAL");
  run(`PRAGMA synchronous = ${synchronous}`);
  run(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  run(`PRAGMA journal_size_limit = ${WAL_BYTES}`);
  run(`PRAGMA cache_size = ${-CACHE_BYTES / 1024}`);
  for (const { to, statements } of MIGRATIONS) {
    if (to > version) ["BEGIN", ...statements, `PRAGMA user_version = ${to}`, "COMMIT"].forEach(run);
  }
}

interface Origin {
  readonly id: number;
  log: OriginLog;
}

interface SegmentRow {
  readonly position: number;
  readonly origin: number;
  readonly first: number;
  readonly last: number;
  readonly audience: number;
  readonly username: string | null;
  readonly taken_at: number;
  readonly bytes: Uint8Array;
}

class SqliteStore implements Store {
  readonly opened: StoreState;
  readonly #database: DatabaseSync;
  readonly #folder: string;
  readonly #statements: ReturnType<typeof prepareStatements>;
  readonly #origins = new Map<string, Origin>();
  /** By id. */
  readonly #originNames: string[] = [];
  readonly #lookup: Lookup = {
    activityAfter: (origin, sequence) =>
      one<ActivityRow>(this.#statements.activityAfter, this.#origins.get(origin)!.id, sequence),
    otherAfter: (origin, sequence) => {
      const { id } = this.#origins.get(origin)!;
      const rows = all<{ position: number }>(this.#statements.othersAfter, id, sequence, id, sequence);
      return rows.length === 0 ? undefined : Math.min(...rows.map((row) => row.position));
    },
  };
  #head: Position = 0;
  #lamport = 0;
  #isClosed = false;

  constructor(database: DatabaseSync, folder: string, makeServerId: () => string) {
    this.#database = database;
    this.#folder = folder;
    this.#statements = prepareStatements(database);
    this.opened = this.#open(makeServerId);
  }

  commit(batch: Batch): void {
    checkBatch(batch, this.#head, (origin) => this.#origins.get(origin)?.log.last ?? 0);
    const { segments, lamport } = batch;
    const statements = this.#statements;
    // Kept apart until the commit has succeeded, so that one which fails leaves nothing here either.
    const changed = new Map<string, Origin>();
    this.#transaction(() => {
      for (const segment of segments) {
        const name = segment.origin;
        const { id, log: before } = changed.get(name) ?? this.#origins.get(name) ?? this.#insertOrigin(name);
        const log = append(before, segment);
        changed.set(name, { id, log });
        const { position, first, last, audience, takenAt, bytes } = segment;
        statements.insertSegment.run(
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
          bytes,
        );
      }
      for (const { username, verifier, lamport, origin } of batch.accounts) {
        statements.putAccount.run(username, verifier, lamport, origin);
      }
      for (const { username, messageId, origin, sequence, usedAt } of batch.messageIds) {
        statements.insertMessageId.run(username, messageId, origin, sequence, usedAt);
      }
      for (const { id, username, position, lost } of batch.cursors) {
        statements.putCursor.run(id, username, position ?? null, lost ? 1 : 0);
      }
      for (const id of batch.endedCursors) statements.deleteCursor.run(id);
      if (segments.length === 0 && lamport !== this.#lamport) statements.putLamport.run(lamport);
    });
    for (const [name, { id, log }] of changed) {
      this.#origins.set(name, { id, log });
      this.#originNames[id] = name;
    }
    this.#head = segments.at(-1)?.position ?? this.#head;
    this.#lamport = lamport;
  }

  segmentsAfter(position: Position, maxBytes: number): Segment[] {
    return this.#read(() => {
      const last = this.#lastThatFits(position, maxBytes);
      return all<SegmentRow>(this.#statements.segmentsBetween, position, last).map((row) => this.#segment(row));
    });
  }

  missing(vector: Vector): Missing {
    return this.#read(() => findMissing(this.#logs(), this.#head, vector, this.#lookup));
  }

  missingAfter(position: Position): Missing {
    const missing = this.missing(this.#read(() => vectorAt(this.#logs(), position, this.#lookup)));
    return { ...missing, after: Math.min(position, this.#head) };
  }

  account(username: string): Account | undefined {
    const row = this.#read(() => one<Omit<Account, "username">>(this.#statements.account, username));
    return row && { username, ...row };
  }

  usernames(): string[] {
    // SQLite would put them in the order of their UTF-8 bytes.
    return this.#read(() => all<{ username: string }>(this.#statements.usernames).map((row) => row.username).sort());
  }

  usedMessageId(username: string, messageId: string): UsedMessageId | undefined {
    type Found = Pick<UsedMessageId, "origin" | "sequence" | "usedAt">;
    const row = this.#read(() => one<Found>(this.#statements.messageId, username, messageId));
    return row && { username, messageId, ...row };
  }

  forget(limits: ForgetLimits): Forgotten {
    const plan = this.#read(() => planForgetting(this.#logs(), limits, FORGET_BUDGET, this.#lookup));
    const isUsedBefore = this.#read(() => one(this.#statements.messageIdBefore, limits.usedBefore)) !== undefined;
    if (plan.rows.length === 0 && !isUsedBefore) return { entries: 0, upTo: 0, more: false };
    let messageIds = 0;
    this.#transaction(() => {
      for (const { position } of plan.rows) this.#statements.deleteSegment.run(position);
      for (const { origin, forgottenLast, forgottenPosition } of plan.logs) {
        this.#statements.putForgotten.run(forgottenLast, forgottenPosition, this.#origins.get(origin)!.id);
      }
      messageIds = Number(this.#statements.deleteMessageIds.run(limits.usedBefore, FORGET_BUDGET.messageIds).changes);
    });
    for (const log of plan.logs) this.#origins.get(log.origin)!.log = log;
    return { entries: plan.entries, upTo: plan.upTo, more: plan.more || messageIds === FORGET_BUDGET.messageIds };
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#database.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Reads what the store knows, and notes that no plain client is connected any more. */
  #open(makeServerId: () => string): StoreState {
    const { state, insertState, newestSegment, origins, loseCursors, cursors } = this.#statements;
    if (state.get() === undefined) insertState.run(makeServerId());
    const { serverId, lamport } = one<{ serverId: string; lamport: number }>(state)!;
    const newest = one<{ position: number; lamport: number }>(newestSegment);
    this.#head = newest?.position ?? 0;
    this.#lamport = Math.max(lamport, newest?.lamport ?? 0);
    for (const { id, name, ...forgotten } of all<OriginRow>(origins)) {
      this.#originNames[id] = name;
      this.#origins.set(name, { id, log: { ...this.#readLog(id, name), ...forgotten } });
    }
    // Now and not when they are asked for: the head moves on, and they stand where it is now.
    loseCursors.run(this.#head);
    return {
      serverId,
      lamport: this.#lamport,
      head: this.#head,
      vector: Object.fromEntries([...this.#logs()].map(({ origin, last }) => [origin, last])),
      cursors: all<{ id: number; username: string; position: number }>(cursors)
        .map(({ id, username, position }): PlainCursor => ({ id, username, position, lost: true })),
    };
  }

  #readLog(id: number, name: string): OriginLog {
    type Newest = { position: number; last: number; activities: number; activityBytes: number };
    const [activities, ...others] = Object.values(AUDIENCE_NUMBERS)
      .map((audience) => one<Newest>(this.#statements.newestOf, id, audience));
    const newest = [activities, ...others].reduce((a, b) => (b?.position ?? 0) > (a?.position ?? 0) ? b : a);
    return {
      ...emptyLog(name),
      last: newest?.last ?? 0,
      newest: newest?.position ?? 0,
      activities: activities?.activities ?? 0,
      activityBytes: activities?.activityBytes ?? 0,
      oldest: one<ActivityRow>(this.#statements.activityAfter, id, 0),
    };
  }

  #insertOrigin(name: string): Origin {
    return { id: Number(this.#statements.insertOrigin.run(name).lastInsertRowid), log: emptyLog(name) };
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

  #segment({ position, origin, first, last, audience, username, taken_at, bytes }: SegmentRow): Segment {
    return {
      position,
      origin: this.#originNames[origin]!,
      first,
      last,
      audience: audienceOf(audience, username),
      takenAt: taken_at,
      bytes,
    };
  }

  *#logs(): Iterable<OriginLog> {
    for (const { log } of this.#origins.values()) yield log;
  }

  #read<T>(read: () => T): T {
    try {
      return read();
    } catch (cause) {
      throw storeError("read", this.#folder, cause);
    }
  }

  #transaction(write: () => void): void {
    try {
      this.#statements.begin.run();
      write();
      this.#statements.commit.run();
    } catch (cause) {
      try {
        this.#statements.rollback.run();
      } catch {
        // SQLite has done so itself, as it does when the disk is full.
      }
      throw storeError("write to", this.#folder, cause);
    }
  }
}

interface OriginRow {
  readonly id: number;
  readonly name: string;
  readonly forgottenLast: number;
  readonly forgottenPosition: number;
}

function prepareStatements(database: DatabaseSync) {
  const prepare = (sql: string) => database.prepare(sql);
  const positionAfter = (audience: number) =>
    `SELECT * FROM (SELECT position FROM segments WHERE origin = ? AND audience = ${audience} AND last > ? ORDER BY last LIMIT 1)`;
  return {
    begin: prepare("BEGIN"),
    commit: prepare("COMMIT"),
    rollback: prepare("ROLLBACK"),

    insertOrigin: prepare("INSERT INTO origins (name) VALUES (?)"),
    insertSegment: prepare("INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
    putAccount: prepare("INSERT OR REPLACE INTO accounts VALUES (?, ?, ?, ?)"),
    insertMessageId: prepare("INSERT INTO message_ids VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"),
    putCursor: prepare("INSERT OR REPLACE INTO cursors VALUES (?, ?, ?, ?)"),
    deleteCursor: prepare("DELETE FROM cursors WHERE id = ?"),
    putLamport: prepare("UPDATE state SET lamport = ?"),

    sizesAfter: prepare(
      "SELECT position, length(bytes) AS size FROM segments WHERE position > ? ORDER BY position LIMIT ?",
    ),
    segmentsBetween: prepare(
      "SELECT position, origin, first, last, audience, username, taken_at, bytes FROM segments " +
        "WHERE position > ? AND position <= ? ORDER BY position",
    ),
    activityAfter: prepare(
      "SELECT position, first, last, taken_at AS takenAt, length(bytes) AS size, activities, activity_bytes AS activityBytes " +
        `FROM segments WHERE origin = ? AND audience = ${AUDIENCE_NUMBERS.everyone} AND last > ? ORDER BY last LIMIT 1`,
    ),
    othersAfter: prepare(
      `${positionAfter(AUDIENCE_NUMBERS.user)} UNION ALL ${positionAfter(AUDIENCE_NUMBERS.servers)}`,
    ),
    account: prepare("SELECT verifier, lamport, origin FROM accounts WHERE username = ?"),
    usernames: prepare("SELECT username FROM accounts"),
    messageId: prepare(
      "SELECT origin, sequence, used_at AS usedAt FROM message_ids WHERE username = ? AND message_id = ?",
    ),

    deleteSegment: prepare("DELETE FROM segments WHERE position = ?"),
    putForgotten: prepare("UPDATE origins SET forgotten_last = ?, forgotten_position = ? WHERE id = ?"),
    messageIdBefore: prepare("SELECT 1 FROM message_ids WHERE used_at < ? LIMIT 1"),
    deleteMessageIds: prepare(
      "DELETE FROM message_ids WHERE (username, message_id) IN " +
        "(SELECT username, message_id FROM message_ids WHERE used_at < ? ORDER BY used_at LIMIT ?)",
    ),

    state: prepare("SELECT server_id AS serverId, lamport FROM state"),
    insertState: prepare("INSERT INTO state VALUES (1, ?, 0)"),
    origins: prepare(
      "SELECT id, name, forgotten_last AS forgottenLast, forgotten_position AS forgottenPosition FROM origins ORDER BY id",
    ),
    newestSegment: prepare("SELECT position, lamport FROM segments ORDER BY position DESC LIMIT 1"),
    newestOf: prepare(
      "SELECT position, last, activities, activity_bytes AS activityBytes FROM segments " +
        "WHERE origin = ? AND audience = ? ORDER BY last DESC LIMIT 1",
    ),
    loseCursors: prepare("UPDATE cursors SET lost = 1, position = coalesce(position, ?) WHERE lost = 0"),
    cursors: prepare("SELECT id, username, position FROM cursors ORDER BY id"),
  };
}

function audienceOf(audience: number, username: string | null): Audience {
  if (audience === AUDIENCE_NUMBERS.everyone) return EVERYONE;
  if (audience === AUDIENCE_NUMBERS.servers) return SERVERS;
  return { kind: "user", username: username! };
}

// SQLite's columns have the types that the statements above name; node:sqlite cannot know them.

function one<T = unknown>(statement: StatementSync, ...parameters: (string | number)[]): T | undefined {
  return statement.get(...parameters) as T | undefined;
}

function all<T>(statement: StatementSync, ...parameters: (string | number)[]): T[] {
  return statement.all(...parameters) as T[];
}
