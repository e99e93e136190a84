/**
 * A store in a SQLite file, `thrum.sqlite` in the data folder, which it holds alone; the bytes of large activities are in `log_files.ts` beside it.
 * Commits go to the write-ahead log of SQLite: they are there after a crash of the program, and with `synchronous: "full"` after a power cut too.
 * Acts; what is decided is in `origin_log.ts`.
 */

import { DatabaseSync } from "node:sqlite";
import type { Position, Segment } from "../log/segment.ts";
import type { Vector } from "../log/vector.ts";
import { MAX_ENTRY_LAMPORT } from "../protocol/lamport_bounds.ts";
import type { DiskUse } from "./budget.ts";
import { lookAtDisk } from "./disk_use.ts";
import { FileWatch } from "./file_watch.ts";
import { inboxChange } from "./inbox.ts";
import { FILE_SIZES, type FileSizes, LogFiles, logFilesIn, seenAt } from "./log_files.ts";
import {
  checkBatch,
  findBuriable,
  findMissing,
  planForgetting,
  planForgettingForUsers,
  vectorAt,
} from "./origin_log.ts";
import { cutIfDamaged } from "./power_cut.ts";
import { storeError, TakenAwayError } from "./sqlite_errors.ts";
import { prepareFile, prepareFolder } from "./sqlite_file.ts";
import { SqliteBeside } from "./sqlite_beside.ts";
import { SqliteInbox } from "./sqlite_inbox.ts";
import { type Origin, SqliteOrigins } from "./sqlite_origins.ts";
import { SqliteSegments } from "./sqlite_segments.ts";
import { all, one, prepareStatements, type Statements, type StateRow } from "./sqlite_statements.ts";
import type {
  Account,
  Batch,
  BurialLimits,
  Cut,
  EntryRange,
  ForgetLimits,
  Forgotten,
  InboxPortion,
  KnownServer,
  Missing,
  PlainCursor,
  Renaming,
  Store,
  StoreState,
  UsedMessageId,
  WaitingMessage,
} from "./store.ts";

/** What a SQLite store is opened with. */
export interface SqliteStoreOptions {
  /** The data folder. Made when it is missing. */
  readonly folder: string;
  /** Called when the store is new: gives a name that no server had before, made of `a-z`, `0-9` and `-`. */
  readonly makeServerId: () => string;
  /** Whether a commit waits for the disk (`"full"`), or a power cut may take the last moments with it (`"normal"`). */
  readonly synchronous: "normal" | "full";
  /** What goes to files of its own, and how large these get: smaller in tests. */
  readonly fileSizes?: FileSizes;
}

const DATABASE = "thrum.sqlite";
/** Work that one call of `forget` does at most: about 3 ms. Large rows are read to be deleted, so bytes count too. */
const FORGET_BUDGET = { rows: 200, bytes: 2_097_152, directMessages: 100, messageIds: 250 };

/**
 * Opens the store in `folder`, or makes a new one there.
 * @throws {StoreError} when that is not possible; the message names the folder and what can be done.
 */
export function openSqliteStore(
  { folder, makeServerId, synchronous, fileSizes = FILE_SIZES }: SqliteStoreOptions,
): Store {
  let database: DatabaseSync | undefined;
  const files = new LogFiles(folder, fileSizes);
  try {
    prepareFolder(folder);
    database = new DatabaseSync(`${folder}/thrum.sqlite`);
    prepareFile(database, folder, synchronous);
    // A commit that waits for the disk would wait twice, for the file and for SQLite: that costs more than the second writing.
    const largeBytes = synchronous === "full" ? Infinity : fileSizes.segment;
    const store = new SqliteStore(database, files, largeBytes, folder, makeServerId);
    // What it is from here on.
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
  readonly #watch: FileWatch;
  readonly #statements: Statements;
  readonly #beside: SqliteBeside;
  readonly #inbox: SqliteInbox;
  readonly #origins: SqliteOrigins;
  readonly #segments: SqliteSegments;
  #serverId: string;
  #head: Position = 0;
  #lamport = 0;
  /** When the newest segment was taken in. */
  #takenAt = 0;
  /** What the database says of `LogFiles.synced`. */
  #synced: Position = 0;
  #isClosed = false;

  constructor(
    database: DatabaseSync,
    files: LogFiles,
    largeBytes: number,
    folder: string,
    makeServerId: () => string,
  ) {
    this.#database = database;
    this.#files = files;
    this.#folder = folder;
    this.#watch = new FileWatch(folder, seenAt);
    this.#statements = prepareStatements(database);
    this.#beside = new SqliteBeside(this.#statements);
    this.#inbox = new SqliteInbox(this.#statements);
    const { state, insertState } = this.#statements;
    if (one(state) === undefined) insertState.run(makeServerId());
    const cut = cutIfDamaged({
      statements: this.#statements,
      files,
      inbox: this.#inbox,
      transaction: (write) => this.#transaction(write),
      makeServerId,
    });
    this.#origins = new SqliteOrigins(this.#statements);
    this.#segments = new SqliteSegments(this.#statements, files, this.#origins, largeBytes);
    this.opened = this.#open(cut);
    this.#serverId = this.opened.serverId;
  }

  commit(batch: Batch): void {
    const sequenceAt = (origin: string) => this.#origins.lastOf(origin);
    checkBatch(batch, this.#head, this.#serverId, sequenceAt);
    const inboxChanges = inboxChange(batch, sequenceAt, this.#takenAt);
    const { segments, lamport } = batch;
    const head = segments.at(-1)?.position ?? this.#head;
    let changed: readonly Origin[] = [];
    let buried: ReturnType<SqliteOrigins["writeBuried"]> | undefined;
    let ended: ReturnType<SqliteOrigins["writeEnd"]> | undefined;
    this.#transaction(() => {
      if (batch.renamed !== undefined) ended = this.#rename(batch.renamed, head, lamport);
      if (batch.buried !== undefined) {
        buried = this.#origins.writeBuried(batch.buried);
        // The newest segment told the next position and the Lamport time.
        this.#statements.putHead.run(head, lamport);
      }
      changed = this.#segments.write(segments, lamport);
      this.#inbox.apply(inboxChanges);
      this.#beside.write(batch);
      if (segments.length === 0 && lamport !== this.#lamport) this.#statements.putLamport.run(lamport);
      if (this.#files.synced > this.#synced) this.#statements.putSynced.run(this.#files.synced);
    });
    this.#synced = this.#files.synced;
    if (batch.renamed !== undefined) this.#serverId = batch.renamed.serverId;
    if (ended?.origin !== undefined) this.#origins.set(ended.origin);
    if (buried !== undefined) this.#origins.bury(buried.tombstones);
    for (const origin of changed) this.#origins.set(origin);
    this.#head = head;
    this.#takenAt = segments.at(-1)?.takenAt ?? this.#takenAt;
    this.#lamport = lamport;
    this.#files.keep(this.#head);
    const files = new Set([...ended?.files ?? [], ...buried?.files ?? []]);
    if (files.size > 0) this.#removeUnused(files);
  }

  segmentsAfter(position: Position, maxBytes: number): Segment[] {
    return this.#read(() => this.#segments.after(position, maxBytes));
  }

  missing(vector: Vector): Missing {
    const { tombstones } = this.#origins;
    return this.#read(() =>
      findMissing({ logs: this.#origins.logs(), head: this.#head, tombstones }, vector, this.#origins)
    );
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

  buriable(before: BurialLimits, limit: number): Vector {
    const isAwaited = (origin: string) => one(this.#statements.isAwaited, origin) !== undefined;
    return this.#read(() => findBuriable(this.#origins.logs(), before, limit, this.#origins, isAwaited));
  }

  inboxOf(username: string, portion?: InboxPortion): WaitingMessage[] {
    return this.#read(() => this.#inbox.of(username, portion));
  }

  inboxRange(username: string, range: EntryRange, maxBytes: number): WaitingMessage[] {
    return this.#read(() => this.#inbox.rangeOf(username, range, maxBytes));
  }

  inboxCount(username: string, atMost: number): number {
    return this.#read(() => this.#inbox.count(username, atMost));
  }

  get inboxSize(): number {
    return this.#read(() => this.#inbox.size);
  }

  usedMessageId(username: string, messageId: string): UsedMessageId | undefined {
    return this.#read(() => this.#beside.usedMessageId(username, messageId));
  }

  forget(limits: ForgetLimits): Forgotten {
    const { directMessagesBefore, usedBefore } = limits;
    const plan = this.#read(() => planForgetting(this.#origins.logs(), limits, FORGET_BUDGET, this.#origins));
    const left = { ...FORGET_BUDGET, rows: FORGET_BUDGET.rows - plan.rows.length };
    const [forUsers, inbox, isUsedBefore] = this.#read(() => [
      planForgettingForUsers(this.#origins.logs(), directMessagesBefore, left, this.#origins),
      this.#inbox.planForgetting(directMessagesBefore, FORGET_BUDGET.directMessages),
      one(this.#statements.messageIdBefore, usedBefore) !== undefined,
    ]);
    const isIdle = plan.rows.length + forUsers.rows.length + inbox.rows === 0 && !isUsedBefore;
    if (isIdle) return { entries: 0, upTo: 0, more: false };
    let messageIds = 0;
    const files = new Set<number>();
    this.#transaction(() => {
      for (const { position } of [...plan.rows, ...forUsers.rows]) {
        for (const { file } of all<{ file: number | null }>(this.#statements.deleteSegment, position)) {
          if (file !== null) files.add(file);
        }
      }
      for (const { origin, forgottenLast, forgottenPosition } of plan.logs) {
        this.#statements.putForgotten.run(forgottenLast, forgottenPosition, this.#origins.get(origin)!.id);
      }
      this.#inbox.forget(inbox.upTo);
      messageIds = Number(this.#statements.deleteMessageIds.run(usedBefore, FORGET_BUDGET.messageIds).changes);
    });
    for (const log of plan.logs) this.#origins.set({ id: this.#origins.get(log.origin)!.id, log });
    this.#removeUnused(files);
    const isUsedUp = inbox.rows === FORGET_BUDGET.directMessages || messageIds === FORGET_BUDGET.messageIds;
    return { entries: plan.entries, upTo: plan.upTo, more: plan.more || forUsers.more || isUsedUp };
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
      if (this.#files.synced > this.#synced) this.#statements.putSynced.run(this.#files.synced);
    } catch {
      // Then what may be missing is looked through when it is opened again.
    }
    this.#files.close();
    this.#database.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Reads what the store knows, and notes that no plain client is connected any more. */
  #open(cut: Cut | undefined): StoreState {
    const { state, newestSegment, loseCursors, cursors } = this.#statements;
    const { serverId, lamport, synced, head } = one<StateRow>(state)!;
    const newest = one<{ position: number; lamport: number; takenAt: number }>(newestSegment);
    this.#takenAt = newest?.takenAt ?? 0;
    this.#lamport = this.#sane(lamport, newest?.lamport ?? 0);
    this.#synced = synced;
    // What was forgotten is further on only when the log was cut, or an origin went whole.
    this.#head = Math.max(
      head,
      newest?.position ?? 0,
      ...[...this.#origins.logs()].map((log) => log.forgottenPosition),
    );
    const { file, end } = one<{ file: number; end: number }>(this.#statements.newestFile) ?? { file: 0, end: 0 };
    this.#files.continue(file, end, this.#head, synced);
    // Begun by a commit that failed, or forgotten just when the server was killed.
    this.#removeUnused(logFilesIn(this.#folder));
    // The segments before a cut may have been forgotten too, when they were for users.
    if (cut !== undefined) this.#statements.takeCursorsBack.run(this.#head);
    // Now and not when they are asked for: the head moves on, and they stand where it is now.
    loseCursors.run(this.#head);
    return {
      serverId,
      lamport: this.#lamport,
      head: this.#head,
      // Of an origin can be nothing left when the log was cut.
      vector: Object.fromEntries(
        [...this.#origins.logs()].filter(({ last }) => last > 0).map(({ origin, last }) => [origin, last]),
      ),
      cursors: all<{ id: number; username: string; position: number }>(cursors)
        .map(({ id, username, position }): PlainCursor => ({ id, username, position, lost: true })),
      members: all<KnownServer>(this.#statements.members).map((member) => ({ ...member })),
      places: this.#beside.places(),
      notes: this.#beside.notes(),
      tombstones: Object.fromEntries(this.#origins.tombstones),
      ...(cut === undefined ? {} : { cut }),
    };
  }

  /** Within a transaction, in which `head` and `lamport` are reached. */
  #rename({ former, after, serverId }: Renaming, head: Position, lamport: number) {
    const ended = this.#origins.writeEnd(former, after);
    this.#inbox.cut(former, after);
    this.#statements.rename.run(serverId, lamport);
    // The newest segment told the next position.
    this.#statements.putHead.run(head, lamport);
    return ended;
  }

  diskUse(): DiskUse {
    return this.#read(() => {
      const { freePages } = one<{ freePages: number }>(this.#statements.freePages)!;
      const { pageBytes } = one<{ pageBytes: number }>(this.#statements.pageBytes)!;
      return lookAtDisk(this.#folder, freePages * pageBytes);
    });
  }

  /** Where the clock stood. One that was broken goes back to the latest time that it had before that. */
  #sane(...lamports: readonly number[]): number {
    const latest = Math.max(...lamports);
    if (latest <= MAX_ENTRY_LAMPORT) return latest;
    const { lamport } = one<{ lamport: number | null }>(this.#statements.newestLamport, MAX_ENTRY_LAMPORT)!;
    return Math.max(lamport ?? 0, ...lamports.filter((lamport) => lamport <= MAX_ENTRY_LAMPORT));
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
        // SQLite has done so itself, as it does when the disk is full.
      }
      this.#files.drop();
      throw storeError("write to", this.#folder, cause);
    }
  }
}
