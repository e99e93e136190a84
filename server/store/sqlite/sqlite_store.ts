/**
 * A store in a SQLite file, `thrum.sqlite` in the data folder, which this process locks. `log_files.ts` beside it has
 * the bytes of large activities. Commits go to SQLite's write-ahead log. They survive a crash of the program, and with
 * `synchronous: "full"` a power cut, too. This file acts; `server/store/origin_log.ts` decides.
 */

import { DatabaseSync } from "node:sqlite";
import type { Position, Segment } from "../../../log/segment.ts";
import type { Vector } from "../../../log/vector.ts";
import { MAX_ENTRY_LAMPORT } from "../../../protocol/lamport_bounds.ts";
import type { DiskUse } from "../budget.ts";
import { lookAtDisk } from "./disk_use.ts";
import { FileWatch } from "./file_watch.ts";
import { inboxChange } from "../inbox.ts";
import { checkedRow } from "./index_row.ts";
import { FILE_SIZES, type FileSizes, LogFiles, logFilesIn, seenAt } from "./log_files.ts";
import { checkBatch, findBuriable, vectorAt } from "../origin_log.ts";
import { cutIfDamaged } from "./power_cut.ts";
import { storeError, TakenAwayError } from "./sqlite_errors.ts";
import { checkSmallTables, closeToOthers, prepareFile, prepareFolder, withSync } from "./sqlite_file.ts";
import { SqliteBeside } from "./sqlite_beside.ts";
import { SqliteForgetting } from "./sqlite_forgetting.ts";
import { SqliteInbox } from "./sqlite_inbox.ts";
import { SqliteMessageIds } from "./sqlite_message_ids.ts";
import { type Origin, SqliteOrigins } from "./sqlite_origins.ts";
import { SqliteSegments } from "./sqlite_segments.ts";
import { beginState, nextState, readState, type State, writeState } from "./sqlite_state.ts";
import { type IndexRow, one, prepareStatements, type Statements } from "./sqlite_statements.ts";
import type {
  Account,
  Batch,
  Beginning,
  BurialLimits,
  Cut,
  EntryRange,
  ForgetLimits,
  Forgotten,
  InboxPortion,
  Missing,
  PlainCursor,
  Renaming,
  Store,
  StoreState,
  UsedMessageId,
  WaitingMessage,
} from "../store.ts";

/** What a SQLite store is opened with. */
export interface SqliteStoreParts {
  /** The data folder. Made when it is missing. */
  readonly folder: string;
  /** Called for a new store: gives a name that no server had before, of `a-z`, `0-9` and `-`. */
  readonly makeServerId: () => string;
  /** Whether a commit waits for the disk (`"full"`), or a power cut may take the last moments with it (`"normal"`). */
  readonly synchronous: "normal" | "full";
  /** The sizes of segments that go to files, and of these files: smaller in tests. */
  readonly fileSizes?: FileSizes;
  /** The most message ids of clients without a name: fewer in tests. */
  readonly maxAnonymousIds?: number;
}

const DATABASE = "thrum.sqlite";

/**
 * Opens the store in `folder`, or makes a new one there.
 * @throws {StoreError} when that is not possible. The message names the folder, and what a person can do.
 */
export function openSqliteStore(parts: SqliteStoreParts): Store {
  const { folder, synchronous, fileSizes = FILE_SIZES } = parts;
  let database: DatabaseSync | undefined;
  const files = new LogFiles(folder, fileSizes);
  try {
    prepareFolder(folder);
    closeToOthers(folder);
    database = new DatabaseSync(`${folder}/thrum.sqlite`);
    prepareFile(database, folder, synchronous);
    checkSmallTables(database);
    // Such a commit would wait for the disk twice, for the file and for SQLite. That costs more than writing the bytes
    // twice.
    const largeBytes = synchronous === "full" ? Infinity : fileSizes.segment;
    const store = new SqliteStore(database, files, largeBytes, parts);
    // The present files are the right ones from here on.
    store.checkFiles();
    return store;
  } catch (cause) {
    files.close();
    database?.close();
    throw storeError("open", folder, cause);
  }
}

class SqliteStore implements Store {
  readonly opened: StoreState;
  readonly #database: DatabaseSync;
  readonly #files: LogFiles;
  readonly #folder: string;
  readonly #synchronous: "normal" | "full";
  readonly #watch: FileWatch;
  readonly #statements: Statements;
  readonly #beside: SqliteBeside;
  readonly #inbox: SqliteInbox;
  #origins: SqliteOrigins;
  readonly #segments: SqliteSegments;
  readonly #messageIds: SqliteMessageIds;
  readonly #forgetting: SqliteForgetting;
  /** As it is in the database. */
  #state: State;
  #head: Position = 0;
  /** Where the newest segment stands that is kept: at the head, unless the origin that it was of went whole. */
  #newest: Position = 0;
  #lamport = 0;
  /** When the newest segment was taken in. */
  #takenAt = 0;
  #isClosed = false;

  constructor(
    database: DatabaseSync,
    files: LogFiles,
    largeBytes: number,
    { folder, makeServerId, maxAnonymousIds, synchronous }: SqliteStoreParts,
  ) {
    this.#database = database;
    this.#files = files;
    this.#folder = folder;
    this.#synchronous = synchronous;
    this.#watch = new FileWatch(folder, seenAt);
    this.#statements = prepareStatements(database);
    beginState(this.#statements, makeServerId);
    this.#origins = new SqliteOrigins(this.#statements);
    const nameOf = (origin: number) => this.#origins.nameOf(origin);
    this.#beside = new SqliteBeside(this.#statements);
    this.#segments = new SqliteSegments(this.#statements, files, nameOf, largeBytes);
    this.#inbox = new SqliteInbox(this.#statements, (position) => this.#segments.at(position));
    this.#messageIds = new SqliteMessageIds(this.#statements, nameOf, maxAnonymousIds);
    const cut = cutIfDamaged({
      statements: this.#statements,
      files,
      segments: this.#segments,
      inbox: this.#inbox,
      messageIds: this.#messageIds,
      beside: this.#beside,
      transaction: (write) => this.#transaction(write),
      makeServerId,
    });
    if (cut !== undefined) this.#origins = new SqliteOrigins(this.#statements);
    this.#forgetting = new SqliteForgetting({
      statements: this.#statements,
      origins: this.#origins,
      inbox: this.#inbox,
      messageIds: this.#messageIds,
    });
    this.#state = readState(this.#statements);
    this.opened = this.#open(cut);
  }

  commit(batch: Batch): void {
    const { renamed } = batch;
    const sequenceAt = (origin: string) => origin === renamed?.former ? renamed.after : this.#origins.lastOf(origin);
    checkBatch(batch, this.#head, this.#state.serverId, sequenceAt);
    const inboxChanges = inboxChange(batch, sequenceAt, this.#takenAt);
    const { segments, lamport } = batch;
    const head = segments.at(-1)?.position ?? this.#head;
    const now = { state: this.#state, lamport: this.#lamport, synced: this.#files.synced };
    const state = nextState(now, batch, head);
    let changed = new Map<string, Origin>();
    let buried: ReturnType<SqliteOrigins["writeBuried"]> | undefined;
    let ended: ReturnType<SqliteOrigins["writeEnd"]> | undefined;
    const write = () => {
      if (batch.renamed !== undefined) ended = this.#endFormer(batch.renamed);
      if (batch.buried !== undefined) {
        buried = this.#origins.writeBuried(batch.buried);
        // Early deliveries of an origin that never came too.
        for (const name of Object.keys(batch.buried)) this.#inbox.forgetOrigin(name);
      }
      const originOf = (name: string) =>
        changed.get(name) ?? (ended?.origin?.log.origin === name ? ended.origin : undefined) ??
          this.#origins.getOrInsert(name, buried?.tombstones);
      const written = this.#segments.write(segments, lamport, originOf);
      changed = written.changed;
      this.#origins.writeForgotten([...written.withHoles].map(originOf));
      this.#inbox.apply(inboxChanges);
      this.#messageIds.write(batch.messageIds, (name) => {
        const origin = originOf(name);
        changed.set(name, origin);
        return origin.id;
      });
      this.#beside.write(batch);
      if (state !== this.#state) writeState(this.#statements, state);
    };
    if (batch.isSynced !== true) this.#transaction(write);
    else withSync(this.#database, this.#synchronous, () => this.#transaction(write));
    this.#state = state;
    if (ended?.origin !== undefined) this.#origins.set(ended.origin);
    if (buried !== undefined) this.#origins.bury(buried.tombstones);
    for (const origin of changed.values()) this.#origins.set(origin);
    this.#head = head;
    if (segments.length > 0) this.#newest = head;
    else if (ended !== undefined || buried !== undefined) {
      this.#newest = this.#read(() => this.#newestRow()?.position ?? 0);
    }
    this.#takenAt = segments.at(-1)?.takenAt ?? this.#takenAt;
    this.#lamport = lamport;
    this.#files.keep(this.#head);
    const files = new Set([...ended?.files ?? [], ...buried?.files ?? []]);
    if (files.size > 0) this.#removeUnused(files);
  }

  segmentsAfter(position: Position, maxBytes: number): Segment[] {
    return this.#read(() => this.#segments.after(position, maxBytes, this.#newest));
  }

  segmentsBefore(position: Position, maxBytes: number): Segment[] {
    return this.#read(() => this.#segments.before(position, maxBytes, this.#newest, () => this.beginning().oldest));
  }

  boundOf(origin: string, sequence: number): Position | undefined {
    return this.#read(() => this.#origins.boundOf(origin, sequence));
  }

  beginning(): Beginning {
    return this.#origins.beginning();
  }

  missing(vector: Vector): Missing {
    return this.#read(() => this.#origins.missing(vector, this.#head));
  }

  missingAfter(position: Position): Missing {
    const missing = this.missing(this.vectorAt(position));
    return { ...missing, after: Math.min(position, this.#head) };
  }

  vectorAt(position: Position): Vector {
    return this.#read(() => vectorAt(this.#origins.logs(), position, this.#origins));
  }

  account(username: string): Account | undefined {
    return this.#read(() => this.#beside.account(username));
  }

  accountsAfter(username: string, limit: number): Account[] {
    return this.#read(() => this.#beside.accountsAfter(username, limit));
  }

  usernames(): string[] {
    return this.#read(() => this.#beside.usernames());
  }

  note(key: string): string | undefined {
    return this.#read(() => this.#beside.note(key));
  }

  buriable(
    before: BurialLimits,
    limit: number,
    { among, mayGo = () => true }: { among?: Iterable<string>; mayGo?(origin: string): boolean } = {},
  ): Vector {
    const isAwaited = (origin: string) => one(this.#statements.isAwaited, origin) !== undefined;
    return this.#read(() => findBuriable(this.#origins.logs(among), before, limit, mayGo, isAwaited));
  }

  segmentOf(origin: string, sequence: number): Segment | undefined {
    return this.#read(() => {
      const position = this.#origins.positionOf(origin, sequence);
      return position === undefined ? undefined : this.#segments.at(position);
    });
  }

  newestActivity(origin: string): Position {
    const log = this.#origins.get(origin)?.log;
    return log?.oldest === undefined ? 0 : this.#read(() => this.#origins.newestActivity(origin));
  }

  inboxOf(username: string, portion?: InboxPortion): WaitingMessage[] {
    return this.#read(() => this.#inbox.of(username, portion));
  }

  inboxRange(username: string, range: EntryRange, maxBytes: number): WaitingMessage[] {
    return this.#read(() => this.#inbox.rangeOf(username, range, maxBytes));
  }

  get inboxSize(): number {
    return this.#read(() => this.#inbox.size);
  }

  get inboxSizes(): ReadonlyMap<string, number> {
    return this.#read(() => this.#inbox.sizes);
  }

  get inboxOldest(): number | undefined {
    return this.#read(() => this.#inbox.oldest);
  }

  usedMessageId(username: string, messageId: string): UsedMessageId | undefined {
    return this.#read(() => this.#messageIds.find(username, messageId));
  }

  forget(limits: ForgetLimits): Forgotten {
    const plan = this.#read(() => this.#forgetting.plan(limits));
    if (plan.isIdle) return { entries: 0, upTo: 0, more: false };
    let files: ReadonlySet<number> = new Set();
    this.#transaction(() => {
      files = this.#forgetting.write(plan);
    });
    this.#forgetting.written(plan);
    this.#removeUnused(files);
    return plan.forgotten;
  }

  checkFiles(): void {
    const { newest, older } = this.#files;
    const files = {
      growing: [{ name: DATABASE, writtenBytes: 0 }, ...newest],
      complete: older,
      passing: [`${DATABASE}-wal`],
    };
    try {
      const problem = this.#watch.check(files);
      if (problem !== undefined) throw new TakenAwayError(problem);
    } catch (cause) {
      throw storeError("go on with", this.#folder, cause);
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      this.#files.sync();
      if (this.#files.synced > this.#state.synced) {
        writeState(this.#statements, { ...this.#state, synced: this.#files.synced });
      }
    } catch {
      // Then the next opening looks for missing bytes.
    }
    this.#files.close();
    this.#database.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Reads the state of the store, and notes that no plain client is connected any more. */
  #open(cut: Cut | undefined): StoreState {
    const { serverId, lamport, synced, head } = this.#state;
    const newest = this.#newestRow();
    this.#newest = newest?.position ?? 0;
    this.#takenAt = newest?.takenAt ?? 0;
    this.#lamport = this.#sane(lamport, newest?.lamport ?? 0);
    // The forgotten position is further on only if the log was cut, or an origin was forgotten as a whole.
    const forgotten = [...this.#origins.logs()].map((log) => log.forgottenPosition);
    this.#head = Math.max(head, newest?.position ?? 0, ...forgotten);
    const { file, end } = one<{ file: number; end: number }>(this.#statements.newestFile) ?? { file: 0, end: 0 };
    this.#files.continue(file, end, this.#head, synced);
    // Begun by a commit that failed, or forgotten just when the server was killed.
    this.#removeUnused(logFilesIn(this.#folder));
    const cursors = this.#loseCursors(cut === undefined ? Infinity : this.#head);
    return {
      serverId,
      lamport: this.#lamport,
      head: this.#head,
      // Of an origin can be nothing left when the log was cut.
      vector: Object.fromEntries(
        [...this.#origins.logs()].filter(({ last }) => last > 0).map(({ origin, last }) => [origin, last]),
      ),
      cursors,
      members: this.#beside.members(),
      places: this.#beside.places(),
      notes: this.#beside.notes(),
      tombstones: Object.fromEntries(this.#origins.tombstones),
      ...(cut === undefined ? {} : { cut }),
    };
  }

  #newestRow(): IndexRow | undefined {
    const row = one<IndexRow>(this.#statements.newestSegment);
    return row && checkedRow(row);
  }

  /** Drops everything beyond the end of an origin that was this server's, within a transaction. */
  #endFormer({ former, after }: Renaming): ReturnType<SqliteOrigins["writeEnd"]> {
    const ended = this.#origins.writeEnd(former, after);
    if (ended.origin !== undefined) this.#messageIds.cut(ended.origin.id, after);
    this.#inbox.cut(former, after);
    return ended;
  }

  diskUse(): DiskUse {
    return this.#read(() => {
      const { freePages } = one<{ freePages: number }>(this.#statements.freePages)!;
      const { pageBytes } = one<{ pageBytes: number }>(this.#statements.pageBytes)!;
      return lookAtDisk(this.#folder, freePages * pageBytes);
    });
  }

  /** The last time of the clock. A broken clock goes back to the latest time before it broke. */
  #sane(...lamports: readonly number[]): number {
    const latest = Math.max(...lamports);
    if (latest <= MAX_ENTRY_LAMPORT) return latest;
    const { lamport } = one<{ lamport: number | null }>(this.#statements.newestLamport, MAX_ENTRY_LAMPORT)!;
    return Math.max(lamport ?? 0, ...lamports.filter((lamport) => lamport <= MAX_ENTRY_LAMPORT));
  }

  /** Notes that no plain client is connected any more, and that no cursor is behind `end`. */
  #loseCursors(end: Position): readonly PlainCursor[] {
    const { cursors, changed } = this.#beside.lostCursors(this.#head, end);
    if (changed.length > 0) this.#transaction(() => this.#beside.putCursors(changed));
    return cursors;
  }

  /** Removes those of `files` that no row names any more. */
  #removeUnused(files: Iterable<number>): void {
    try {
      for (const file of files) {
        if (one(this.#statements.isFileUsed, file) === undefined) this.#files.remove(file);
      }
    } catch (cause) {
      throw storeError("write to", this.#folder, cause);
    }
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
        // SQLite has rolled back itself, as it does when the disk is full.
      }
      this.#files.drop();
      this.#inbox.takenBack();
      throw storeError("write to", this.#folder, cause);
    }
  }
}
