/**
 * A store in a SQLite file, `thrum.sqlite` in the data folder, which it holds alone; the bytes of large activities are in `log_files.ts` beside it.
 * Commits go to the write-ahead log of SQLite: they are there after a crash of the program, and with `synchronous: "full"` after a power cut too.
 * Acts; what is decided is in `origin_log.ts`.
 */

import { DatabaseSync } from "node:sqlite";
import { type Audience, EVERYONE, type Position, type Segment, SERVERS } from "../log/segment.ts";
import type { Vector } from "../log/vector.ts";
import { inboxChange } from "./inbox.ts";
import { FILE_SIZES, type FileSizes, LogFiles, logFilesIn, type Place } from "./log_files.ts";
import {
  type ActivityRow,
  append,
  checkBatch,
  emptyLog,
  findMissing,
  type ForUserRow,
  type Lookup,
  type OriginLog,
  planForgetting,
  planForgettingForUsers,
  vectorAt,
} from "./origin_log.ts";
import { DamagedFileError, storeError } from "./sqlite_errors.ts";
import { SqliteInbox } from "./sqlite_inbox.ts";
import { prepareFile, prepareFolder } from "./sqlite_file.ts";
import {
  all,
  AUDIENCE_NUMBERS,
  isPlaced,
  one,
  type OriginRow,
  prepareStatements,
  type SegmentRow,
  type Statements,
  type StateRow,
} from "./sqlite_statements.ts";
import type {
  Account,
  Batch,
  Cut,
  EntryRange,
  ForgetLimits,
  Forgotten,
  InboxPortion,
  KnownServer,
  Missing,
  PlainCursor,
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

/** Work that one call of `forget` does at most: about 3 ms. Large rows are read to be deleted, so bytes count too. */
const FORGET_BUDGET = { rows: 200, bytes: 2_097_152, directMessages: 100, messageIds: 250 };
const NO_BYTES = new Uint8Array(0);
/** Segments that are read at a time however small they are, as each costs about 6 µs. */
const READ_ROWS = 256;

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
    return new SqliteStore(database, files, largeBytes, folder, makeServerId);
  } catch (cause) {
    files.close();
    database?.close();
    throw storeError("open", folder, cause);
  }
}

interface Origin {
  readonly id: number;
  log: OriginLog;
}

class SqliteStore implements Store {
  readonly opened: StoreState;
  readonly #database: DatabaseSync;
  readonly #files: LogFiles;
  /** From this size on the bytes of a segment go to a file. */
  readonly #largeBytes: number;
  readonly #folder: string;
  readonly #statements: Statements;
  readonly #inbox: SqliteInbox;
  readonly #origins = new Map<string, Origin>();
  /** By id. */
  readonly #originNames: string[] = [];
  readonly #lookup: Lookup = {
    activityAfter: (origin, sequence) =>
      one<ActivityRow>(this.#statements.activityAfter, this.#origins.get(origin)!.id, sequence),
    forUserAfter: (origin, sequence) =>
      one<ForUserRow>(this.#statements.forUserAfter, this.#origins.get(origin)!.id, sequence),
    otherAfter: (origin, sequence) => {
      const { id } = this.#origins.get(origin)!;
      const rows = all<{ position: number }>(this.#statements.othersAfter, id, sequence, id, sequence);
      return rows.length === 0 ? undefined : Math.min(...rows.map((row) => row.position));
    },
  };
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
    this.#largeBytes = largeBytes;
    this.#folder = folder;
    this.#statements = prepareStatements(database);
    this.#inbox = new SqliteInbox(this.#statements);
    this.opened = this.#open(makeServerId);
  }

  commit(batch: Batch): void {
    const sequenceAt = (origin: string) => this.#origins.get(origin)?.log.last ?? 0;
    checkBatch(batch, this.#head, sequenceAt);
    const inboxChanges = inboxChange(batch, sequenceAt, this.#takenAt);
    const { segments, lamport } = batch;
    const statements = this.#statements;
    // Kept apart until the commit has succeeded, so that one which fails leaves nothing here either.
    const changed = new Map<string, Origin>();
    this.#transaction(() => {
      const places = this.#writeToFile(segments);
      for (const segment of segments) {
        const name = segment.origin;
        const { id, log: before } = changed.get(name) ?? this.#origins.get(name) ?? this.#insertOrigin(name);
        const log = append(before, segment);
        changed.set(name, { id, log });
        const { position, first, last, audience, takenAt, bytes } = segment;
        const place = places?.get(position);
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
          place === undefined ? bytes : NO_BYTES,
          place?.file ?? null,
          place?.start ?? null,
          place?.size ?? null,
          place?.checksum ?? null,
        );
      }
      this.#inbox.apply(inboxChanges);
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
      if (batch.members !== undefined) {
        statements.deleteMembers.run();
        for (const { serverId, host, port } of batch.members) statements.insertMember.run(serverId, host, port);
      }
      for (const [name, { id, log }] of changed) {
        // A hole: rows alone would not tell of it when all before it are forgotten.
        const { forgottenLast, forgottenPosition } = log;
        const before = this.#origins.get(name)?.log.forgottenLast ?? 0;
        if (forgottenLast > before) statements.putForgotten.run(forgottenLast, forgottenPosition, id);
      }
      if (segments.length === 0 && lamport !== this.#lamport) statements.putLamport.run(lamport);
      if (this.#files.synced > this.#synced) statements.putSynced.run(this.#files.synced);
    });
    this.#synced = this.#files.synced;
    for (const [name, { id, log }] of changed) {
      this.#origins.set(name, { id, log });
      this.#originNames[id] = name;
    }
    this.#head = segments.at(-1)?.position ?? this.#head;
    this.#takenAt = segments.at(-1)?.takenAt ?? this.#takenAt;
    this.#lamport = lamport;
    this.#files.keep(this.#head);
  }

  segmentsAfter(position: Position, maxBytes: number): Segment[] {
    return this.#read(() => {
      const last = this.#lastThatFits(position, maxBytes);
      const rows = all<SegmentRow>(this.#statements.segmentsBetween, position, last);
      const bytes = this.#files.read(rows.filter(isPlaced)).values();
      return rows.map((row) => this.#segment(row, isPlaced(row) ? bytes.next().value! : row.bytes));
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
    type Found = Pick<UsedMessageId, "origin" | "sequence" | "usedAt">;
    const row = this.#read(() => one<Found>(this.#statements.messageId, username, messageId));
    return row && { username, messageId, ...row };
  }

  forget(limits: ForgetLimits): Forgotten {
    const { directMessagesBefore, usedBefore } = limits;
    const plan = this.#read(() => planForgetting(this.#logs(), limits, FORGET_BUDGET, this.#lookup));
    const left = { ...FORGET_BUDGET, rows: FORGET_BUDGET.rows - plan.rows.length };
    const [forUsers, inbox, isUsedBefore] = this.#read(() => [
      planForgettingForUsers(this.#logs(), directMessagesBefore, left, this.#lookup),
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
    for (const log of plan.logs) this.#origins.get(log.origin)!.log = log;
    this.#removeUnused(files);
    const isUsedUp = inbox.rows === FORGET_BUDGET.directMessages || messageIds === FORGET_BUDGET.messageIds;
    return { entries: plan.entries, upTo: plan.upTo, more: plan.more || forUsers.more || isUsedUp };
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
  #open(makeServerId: () => string): StoreState {
    const { state, insertState, newestSegment, origins, loseCursors, cursors } = this.#statements;
    if (state.get() === undefined) insertState.run(makeServerId());
    const cut = this.#cutIfDamaged(makeServerId);
    const { serverId, lamport, synced } = one<StateRow>(state)!;
    const newest = one<{ position: number; lamport: number; takenAt: number }>(newestSegment);
    this.#takenAt = newest?.takenAt ?? 0;
    this.#lamport = Math.max(lamport, newest?.lamport ?? 0);
    this.#synced = synced;
    for (const { id, name, ...forgotten } of all<OriginRow>(origins)) {
      this.#originNames[id] = name;
      this.#origins.set(name, { id, log: this.#readLog(id, name, forgotten) });
    }
    // What was forgotten is further on only when the log was cut.
    this.#head = Math.max(newest?.position ?? 0, ...[...this.#logs()].map((log) => log.forgottenPosition));
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
        [...this.#logs()].filter(({ last }) => last > 0).map(({ origin, last }) => [origin, last]),
      ),
      cursors: all<{ id: number; username: string; position: number }>(cursors)
        .map(({ id, username, position }): PlainCursor => ({ id, username, position, lost: true })),
      members: all<KnownServer>(this.#statements.members).map((member) => ({ ...member })),
      ...(cut === undefined ? {} : { cut }),
    };
  }

  /**
   * Looks whether the files have what the rows name. What may not have reached the disk is read; if a power cut took some of it, the log is cut
   * before that.
   * @throws {DamagedFileError} when something is missing that was there for certain.
   */
  #cutIfDamaged(makeServerId: () => string): Cut | undefined {
    const { state, fileAfter, endOfFile, placesAfter } = this.#statements;
    const { synced } = one<StateRow>(state)!;
    let file = 0;
    for (;;) {
      const next = one<{ file: number }>(fileAfter, file);
      if (next === undefined) break;
      file = next.file;
      const { end } = one<{ end: number }>(endOfFile, file, synced) ?? { end: 0 };
      if (end > 0) this.#files.checkSize(file, end);
    }
    // Only the newest file: it is begun when all of the one before is on the disk.
    for (let position = synced;;) {
      const rows = all<Place & { position: number }>(placesAfter, file, position, READ_ROWS);
      if (rows.length === 0) return undefined;
      for (const place of rows) {
        try {
          this.#files.read([place]);
        } catch (error) {
          if (!(error instanceof DamagedFileError)) throw error;
          return this.#cutAfter(place.position - 1, makeServerId());
        }
        position = place.position;
      }
    }
  }

  /** Drops what stands after `position`. Accounts stay: whoever registered can log in. */
  #cutAfter(position: Position, serverId: string): Cut {
    const statements = this.#statements;
    const former = one<StateRow>(statements.state)!;
    const newest = one<{ lamport: number }>(statements.newestSegment)!;
    const { entries } = one<{ entries: number }>(statements.entriesAfter, position)!;
    this.#transaction(() => {
      statements.deleteSegmentsAfter.run(position);
      statements.rename.run(serverId, Math.max(former.lamport, newest.lamport));
      statements.takeCursorsBack.run(position);
      // Who sends one of these entries again is to have it taken.
      for (const { id, name, ...forgotten } of all<OriginRow>(statements.origins)) {
        const { last } = this.#readLog(id, name, forgotten);
        statements.deleteMessageIdsAfter.run(name, last);
        this.#inbox.cut(name, last);
      }
    });
    return { formerServerId: former.serverId, after: position, entries };
  }

  /** Writes what is large of `segments` to a file. By position. */
  #writeToFile(segments: readonly Segment[]): ReadonlyMap<Position, Place> | undefined {
    const large = segments.filter(({ audience, bytes }) =>
      audience.kind === "everyone" && bytes.length >= this.#largeBytes
    );
    if (large.length === 0) return undefined;
    const places = this.#files.append(large.map(({ bytes }) => bytes));
    return new Map(places.map((place, index) => [large[index]!.position, place]));
  }

  #removeUnused(files: Iterable<number>): void {
    try {
      for (const file of files) {
        if (one(this.#statements.isFileUsed, file) === undefined) this.#files.remove(file);
      }
    } catch (cause) {
      throw storeError("write to", this.#folder, cause);
    }
  }

  #readLog(id: number, name: string, forgotten: Pick<OriginLog, "forgottenLast" | "forgottenPosition">): OriginLog {
    type Newest = { position: number; last: number; activities: number; activityBytes: number };
    const [activities, ...others] = Object.values(AUDIENCE_NUMBERS)
      .map((audience) => one<Newest>(this.#statements.newestOf, id, audience));
    const newest = [activities, ...others].reduce((a, b) => (b?.position ?? 0) > (a?.position ?? 0) ? b : a);
    return {
      ...emptyLog(name),
      ...forgotten,
      // An origin's rows can end before what was forgotten, or be none, when the log was cut.
      last: Math.max(newest?.last ?? 0, forgotten.forgottenLast),
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

  #segment(
    { position, origin, first, last, audience, username, taken_at }: SegmentRow,
    bytes: Uint8Array,
  ): Segment {
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
      this.#files.drop();
      throw storeError("write to", this.#folder, cause);
    }
  }
}

function audienceOf(audience: number, username: string | null): Audience {
  if (audience === AUDIENCE_NUMBERS.everyone) return EVERYONE;
  if (audience === AUDIENCE_NUMBERS.servers) return SERVERS;
  return { kind: "user", username: username! };
}
