/**
 * A store on a disk. A commit writes one turn behind the end of the newest log file (`log_files.ts`), and nothing else.
 * The database, `thrum.sqlite`, which this process locks, is settled behind the log, many turns at a time. What it
 * lacks is in memory (`server/store/turns/unsettled.ts`), and is read from the log again after a crash. This file acts;
 * `server/store/origin_log.ts` decides.
 */

import { DatabaseSync } from "node:sqlite";
import type { Filter } from "../../../log/channel_lines.ts";
import { type LogPortion, portionOf, type Wanted } from "../../../log/portion.ts";
import type { Position, Segment } from "../../../log/segment.ts";
import type { Vector } from "../../../log/vector.ts";
import { accountsAfter } from "../account_order.ts";
import type { DiskUse } from "../budget.ts";
import type { KeptByChannel } from "../channels/channel_counts.ts";
import { lookAtDisk } from "./disk_use.ts";
import { FileWatch } from "./file_watch.ts";
import { StoreIds } from "../ids/store_ids.ts";
import { FILE_SIZES, type FileSizes, LogFiles, seenAt } from "./log_files.ts";
import { findBuriable, vectorAt } from "../origin_log.ts";
import { storeError, takenAway, TakenAwayError } from "./sqlite_errors.ts";
import { checkSmallTables, closeToOthers, prepareFile, prepareFolder } from "./sqlite_file.ts";
import { Settling } from "../turns/settling.ts";
import { SettledTables } from "./settled_tables.ts";
import { one } from "./sqlite_statements.ts";
import { type Background, Checkpoints } from "../turns/checkpoints.ts";
import { TurnCommits } from "../turns/turn_commits.ts";
import type {
  Account,
  Batch,
  Beginning,
  BurialLimits,
  EntryRange,
  ForgetLimits,
  Forgotten,
  InboxPortion,
  Missing,
  Store,
  StoreState,
  UsedMessageId,
  VerifierChange,
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
  /** Works beside the event loop. Without it the store does everything in place, and waits for the disk there. */
  readonly background?: Background;
  /** Names the run of the machine; empty if that is unknown. */
  readonly boot?: () => string;
  /** Replaces verifiers of earlier versions. Absent while servers of these versions have to read them. */
  readonly verifiers?: VerifierChange;
  /** The sizes of segments that stay in files, and of these files: smaller in tests. */
  readonly fileSizes?: FileSizes;
  /** The most message ids of clients without a name: fewer in tests. */
  readonly maxAnonymousIds?: number;
}

const DATABASE = "thrum.sqlite";
/** So much may wait for the disk, and for the database. Beyond that publishers wait. */
const ROOM = { unsyncedBytes: 8_388_608, unsettledBytes: 16_777_216 };
/** A log file with so many bytes that has nothing any more is followed by a new one, so that it can go. */
const IDLE_FILE_PART = 1 / 16;

/**
 * Opens the store in `folder`, or makes a new one there.
 * @throws {StoreError} when that is not possible. The message names the folder, and what a person can do.
 */
export function openSqliteStore(parts: SqliteStoreParts): Store {
  const { folder, fileSizes = FILE_SIZES } = parts;
  let database: DatabaseSync | undefined;
  const files = new LogFiles(folder, fileSizes);
  try {
    prepareFolder(folder);
    closeToOthers(folder);
    database = new DatabaseSync(`${folder}/${DATABASE}`);
    prepareFile(database, folder, parts.verifiers);
    checkSmallTables(database);
    return new SqliteStore(database, files, parts);
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
  readonly #fileBytes: number;
  readonly #background: Background | undefined;
  readonly #watch: FileWatch;
  readonly #tables: SettledTables;
  readonly #ids: StoreIds;
  readonly #checkpoints: Checkpoints;
  /** The newest turn of each log file. */
  readonly #turnOfFile = new Map<number, number>();
  readonly #commits: TurnCommits;
  readonly commitInBackground?: NonNullable<Store["commitInBackground"]>;
  readonly #settling: Settling;
  /** Why nothing can be written any more. */
  #failure: unknown;
  #isClosed = false;

  constructor(database: DatabaseSync, files: LogFiles, parts: SqliteStoreParts) {
    const { folder, makeServerId, synchronous, fileSizes = FILE_SIZES, background, boot } = parts;
    this.#database = database;
    this.#files = files;
    this.#folder = folder;
    this.#fileBytes = fileSizes.file;
    this.#background = background;
    const waitsForDisk = synchronous === "full";
    if (waitsForDisk && background !== undefined) {
      this.commitInBackground = (batch, done) => this.#commitInBackground(batch, done);
    }
    this.#watch = new FileWatch(folder, seenAt);
    const tables = { database, files, folder, makeServerId, largeBytes: fileSizes.segment, boot: boot?.() ?? "" };
    this.#tables = new SettledTables(tables);
    this.opened = this.#tables.opened;
    this.#checkpoints = new Checkpoints({
      database,
      path: `${folder}/${DATABASE}`,
      background,
      begins: () => this.#checkpointBegins(),
      failed: (error) => this.#failure ??= takenAway(error, DATABASE) ?? error,
    });
    this.#settling = new Settling({
      ...{ background, checkpoints: this.#checkpoints, tables: this.#tables },
      hasFailed: () => this.#failure !== undefined,
      failed: (error) => this.#failure = error,
    });
    this.#commits = new TurnCommits({
      ...{ files, tables: this.#tables, waitsForDisk },
      settlesAtOnce: (batch) => {
        this.#checkpoints.finish();
        this.#ids.beforeTurn(batch);
      },
      take: (logged) => {
        this.#tables.take(logged);
        this.#ids.take(logged.batch, logged.end - logged.start);
      },
      logged: (turn, file) => this.#turnOfFile.set(file, turn),
      failed: (error) => this.#failure ??= error,
    });
    try {
      this.#checkpoints.inPlace();
      // The present files are the right ones from here on.
      this.checkFiles();
      const index = { folder, maxAnonymous: parts.maxAnonymousIds, isInPlace: background === undefined };
      this.#ids = new StoreIds({ ...index, ...this.#tables.indexed(this) }, this.#tables);
    } catch (error) {
      this.#checkpoints.close();
      throw error;
    }
  }

  commit(batch: Batch): void {
    this.finishCommits();
    this.#checkHealth();
    this.#write(() => this.#commits.commit(batch));
    this.#settling.soon();
  }

  get hasRoom(): boolean {
    const { unsyncedBytes, unsettledBytes } = ROOM;
    return this.#background === undefined ||
      (this.#files.unsyncedBytes <= unsyncedBytes && this.#tables.unsettled.bytes <= unsettledBytes);
  }

  finishCommits(): void {
    if (!this.#commits.isWaiting) return;
    this.#checkHealth();
    this.#write(() => this.#commits.finish());
    this.#settling.soon();
  }

  #commitInBackground(batch: Batch, done: (error?: unknown) => void): void {
    this.#checkHealth();
    const told = (error?: unknown) => error === undefined ? done() : done(storeError("write to", this.#folder, error));
    this.#write(() => this.#commits.commitInBackground(batch, told, () => this.#settling.soon()));
  }

  segmentsAfter(position: Position, maxBytes: number): Segment[] {
    const { unsettled, segments, newest } = this.#tables;
    return this.#read(() => {
      if (position >= newest) return unsettled.after(position, maxBytes, true);
      const found = segments.after(position, maxBytes, newest);
      if (found.at(-1)!.position < newest) return found;
      const left = found.reduce((left, { bytes }) => left - bytes.length, maxBytes);
      return [...found, ...unsettled.after(newest, left, false)];
    });
  }

  portionAfter(position: Position, maxBytes: number, wanted: Wanted): LogPortion {
    const { unsettled, segments, newest } = this.#tables;
    return this.#read(() =>
      position < newest
        ? segments.portionAfter(position, maxBytes, newest, wanted)
        : portionOf(unsettled.after(position, maxBytes, true), position, wanted)
    );
  }

  segmentsBefore(position: Position, maxBytes: number): Segment[] {
    const { unsettled, segments, newest } = this.#tables;
    return this.#read(() => {
      const found = unsettled.before(position, maxBytes);
      const left = found.reduce((left, { bytes }) => left - bytes.length, maxBytes);
      // More of them, or the ones before them, do not fit.
      if (found.length > 0 && (left <= 0 || unsettled.before(found[0]!.position, 0).length > 0)) return found;
      const settled = segments.before(position, left, newest, () => {
        const { oldest } = this.beginning();
        return oldest !== undefined && oldest.position <= newest ? oldest : undefined;
      });
      const size = settled.reduce((sum, { bytes }) => sum + bytes.length, 0);
      return found.length > 0 && size > left ? found : [...settled, ...found];
    });
  }

  boundOf(origin: string, sequence: number): Position | undefined {
    return this.#read(() => this.#tables.origins.boundOf(origin, sequence));
  }

  beginning(): Beginning {
    return this.#tables.origins.beginning();
  }

  missing(vector: Vector, filter?: Filter): Missing {
    return this.#read(() => this.#tables.origins.missing(vector, this.#tables.head, filter));
  }

  missingAfter(position: Position): Missing {
    const missing = this.missing(this.vectorAt(position));
    return { ...missing, after: Math.min(position, this.#tables.head) };
  }

  vectorAt(position: Position): Vector {
    const { origins } = this.#tables;
    return this.#read(() => vectorAt(origins.logs(), position, origins));
  }

  account(username: string): Account | undefined {
    return this.#read(() => this.#tables.unsettled.account(username) ?? this.#tables.beside.account(username));
  }

  accountsAfter(username: string, limit: number): Account[] {
    const { beside, unsettled } = this.#tables;
    return this.#read(() =>
      accountsAfter([...beside.accountsAfter(username, limit), ...unsettled.accounts], username, limit)
    );
  }

  usernames(): string[] {
    const { beside, unsettled } = this.#tables;
    return this.#read(() => [...new Set([...beside.usernames(), ...unsettled.usernames])].sort());
  }

  note(key: string): string | undefined {
    const unsettled = this.#tables.unsettled.note(key);
    return this.#read(() => unsettled === undefined ? this.#tables.beside.note(key) : unsettled ?? undefined);
  }

  buriable(
    before: BurialLimits,
    limit: number,
    { among, mayGo = () => true }: { among?: Iterable<string>; mayGo?(origin: string): boolean } = {},
  ): Vector {
    const { origins, statements } = this.#tables;
    const isAwaited = (origin: string) => one(statements.isAwaited, origin) !== undefined;
    return this.#settled({}, () => findBuriable(origins.logs(among), before, limit, mayGo, isAwaited));
  }

  segmentOf(origin: string, sequence: number): Segment | undefined {
    const { unsettled, origins, segments } = this.#tables;
    return this.#read(() => {
      const found = unsettled.segmentOf(origin, sequence);
      const position = found === undefined ? origins.positionOf(origin, sequence) : undefined;
      return position === undefined ? found : segments.at(position);
    });
  }

  newestActivity(origin: string): Position {
    const log = this.#tables.origins.get(origin)?.log;
    return log?.oldest === undefined ? 0 : this.#read(() => this.#tables.origins.newestActivity(origin));
  }

  inboxOf(username: string, portion?: InboxPortion): WaitingMessage[] {
    return this.#read(() => this.#tables.inbox.of(username, portion));
  }

  inboxRange(username: string, range: EntryRange, maxBytes: number): WaitingMessage[] {
    return this.#read(() => this.#tables.inbox.rangeOf(username, range, maxBytes));
  }

  get inboxSize(): number {
    return this.#read(() => this.#tables.inbox.size);
  }

  get inboxSizes(): ReadonlyMap<string, number> {
    return this.#read(() => this.#tables.inbox.sizes);
  }

  get inboxOldest(): number | undefined {
    return this.#read(() => this.#tables.inbox.oldest);
  }

  usedMessageId(username: string, messageId: string): UsedMessageId | undefined {
    return this.#read(() => this.#ids.find(username, messageId));
  }

  forget(limits: ForgetLimits): Forgotten {
    const moreIds = this.#write(() => this.#ids.index.forget(limits.usedBefore));
    const forgotten = this.#settled({ entries: 0, upTo: 0, more: true }, () => {
      const forgotten = this.#tables.forget(limits, this.#ids.index.completeUpTo, () => this.#ids.index.writeSoon());
      this.#checkpoints.look(this.#tables.unused(this.#files.olderNumbers).length > 0);
      return forgotten;
    }, "write to");
    return moreIds ? { ...forgotten, more: true } : forgotten;
  }

  keptByChannel(): KeptByChannel {
    return this.#tables.keptByChannel;
  }

  checkFiles(): void {
    this.#checkHealth();
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

  diskUse(): DiskUse {
    return this.#read(() => lookAtDisk(this.#folder, this.#tables.reusableBytes));
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#settling.stop();
    this.#ids.index.close();
    try {
      this.#files.sync();
      if (this.#failure === undefined) {
        this.#checkpoints.finish();
        this.#tables.settle(Infinity);
        this.#tables.noteSynced();
        this.#checkpoints.inPlace();
      }
    } catch {
      // Then the next opening reads the log, and looks for missing bytes.
    }
    this.#files.close();
    this.#database.close();
    this.#checkpoints.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** A checkpoint begins: when it is done, log files can go that have nothing any more. */
  #checkpointBegins(): () => void {
    const { settledTurn } = this.#tables;
    const { file, end } = this.#files.place;
    const isIdle = end >= this.#fileBytes * IDLE_FILE_PART && settledTurn === this.#tables.turn;
    if (isIdle && this.#tables.unused([file]).length > 0) this.#files.endFile();
    const isSettled = (file: number) => (this.#turnOfFile.get(file) ?? 0) <= settledTurn;
    const unused = this.#tables.unused(this.#files.olderNumbers.filter(isSettled));
    const next = this.#files.olderNumbers.filter((file) => !unused.includes(file) && !isSettled(file));
    this.#tables.leaves(unused, Math.min(...next, this.#files.nextOrNewest));
    return () => {
      for (const file of unused) {
        this.#files.remove(file);
        this.#turnOfFile.delete(file);
      }
    };
  }

  /** An answer of the database when it has all turns, or `instead` if that would wait for the disk. */
  #settled<T>(instead: T, ask: () => T, action: "read" | "write to" = "read"): T {
    this.#checkHealth();
    if (this.#checkpoints.isBusy) return instead;
    try {
      this.#tables.settle(Infinity);
      return ask();
    } catch (cause) {
      throw storeError(action, this.#folder, cause);
    }
  }

  #checkHealth(): void {
    if (this.#failure !== undefined) throw storeError("write to", this.#folder, this.#failure);
  }

  #write<T>(write: () => T): T {
    try {
      return write();
    } catch (cause) {
      // A mistake of the caller, not of the disk.
      if (cause instanceof RangeError) throw cause;
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
}
