/**
 * The database of a store, and the turns of the log that it does not have yet. A part of `sqlite_store.ts`, which
 * writes the log. `take` takes in a turn that the log has: in memory, at once. `settle` writes the oldest of these
 * turns into the database, in one transaction. When a store is opened, the turns behind those of the database are read
 * from the log and taken in again.
 */

import type { DatabaseSync } from "node:sqlite";
import type { Position } from "../../../log/segment.ts";
import { MAX_ENTRY_LAMPORT } from "../../../protocol/lamport_bounds.ts";
import type { KeptByChannel } from "../channels/channel_counts.ts";
import type { IndexedLog, IndexParts } from "../ids/index_parts.ts";
import { type InboxChange, inboxChange } from "../inbox.ts";
import { checkedRow } from "./index_row.ts";
import { type LogFiles, logFilesIn, nameOfLogFile } from "./log_files.ts";
import { append, emptyLog, type OriginLog } from "../origin_log.ts";
import { cutAfter, findCut, hasLost, type OpenedParts } from "./power_cut.ts";
import { SqliteBeside } from "./sqlite_beside.ts";
import { SqliteForgetting } from "./sqlite_forgetting.ts";
import { SqliteInbox } from "./sqlite_inbox.ts";
import { SqliteMessageIds } from "./sqlite_message_ids.ts";
import { SqliteOrigins } from "./sqlite_origins.ts";
import { SqliteSegments } from "./sqlite_segments.ts";
import { beginState, readState, type State, writeState } from "./sqlite_state.ts";
import { type IndexRow, one, prepareStatements, type Statements } from "./sqlite_statements.ts";
import { type LogEnd, readTurns } from "../turns/turn_reader.ts";
import { Unsettled, type UnsettledSegment, type UnsettledTurn } from "../turns/unsettled.ts";
import type { Batch, Cut, ForgetLimits, Forgotten, PlainCursor, StoreState } from "../store.ts";

/** What they are made with. */
export interface TablesParts {
  readonly database: DatabaseSync;
  readonly files: LogFiles;
  readonly folder: string;
  readonly makeServerId: () => string;
  /** Segments for everyone with so many bytes stay in the log files. */
  readonly largeBytes: number;
  /** Names the run of the machine; empty if that is unknown. */
  readonly boot: string;
}

/** A turn that the log has. */
export interface LoggedTurn {
  readonly turn: number;
  readonly batch: Batch;
  readonly inbox: InboxChange;
  /** When its newest segment was taken in, or the newest one before it. */
  readonly takenAt: number;
  readonly frames: readonly { readonly start: number; readonly length: number }[];
  /** Where it begins and ends in the log files. */
  readonly file: number;
  readonly start: number;
  readonly end: number;
}

/** Turns that are read from the log are settled so many at a time. */
const SETTLED_AT_ONCE = 256;

/** All tables of one database. Calls throw the errors of SQLite and node:fs, and `DamagedFileError`. */
export class SettledTables {
  readonly statements: Statements;
  readonly unsettled: Unsettled = new Unsettled();
  readonly origins: SqliteOrigins;
  readonly beside: SqliteBeside;
  readonly segments: SqliteSegments;
  readonly inbox: SqliteInbox;
  readonly messageIds: SqliteMessageIds;
  /** The message ids of entries up to this position are in the tables: a program before version 6 wrote them. */
  readonly #idsUpTo: Position;
  readonly opened: StoreState;
  readonly #files: LogFiles;
  readonly #forgetting: SqliteForgetting;
  /** As it is in the database. */
  #state: State;
  /** The position of the newest segment of the database; of a buried origin there is none. */
  #newest: Position = 0;
  #head: Position = 0;
  #turn: number;
  #lamport: number;
  /** When the newest segment was taken in. */
  #takenAt: number;

  constructor({ database, files, folder, makeServerId, largeBytes, boot }: TablesParts) {
    this.#files = files;
    this.statements = prepareStatements(database);
    beginState(this.statements, makeServerId);
    this.#state = readState(this.statements);
    const nameOf = (origin: number) => this.origins.nameOf(origin);
    this.beside = new SqliteBeside(this.statements);
    this.segments = new SqliteSegments(this.statements, files, nameOf, largeBytes);
    this.inbox = new SqliteInbox(this.statements, (position) => this.segments.at(position));
    this.messageIds = new SqliteMessageIds(this.statements, nameOf);
    this.origins = new SqliteOrigins(this.statements, this.unsettled);
    const rows = this.#cutRows(makeServerId);
    // What is in memory of the origins is of before.
    if (rows !== undefined) this.origins = new SqliteOrigins(this.statements, this.unsettled);
    this.#forgetting = new SqliteForgetting(this);
    this.#turn = this.#state.turn;
    const newest = this.#newestRow();
    this.#newest = newest?.position ?? 0;
    this.#takenAt = newest?.takenAt ?? 0;
    this.#lamport = this.#sane(this.#state.lamport, newest?.lamport ?? 0);
    // The forgotten position is further on only if the log was cut, or an origin was forgotten as a whole.
    const forgotten = [...this.origins.logs()].map((log) => log.forgottenPosition);
    this.#head = Math.max(rows === undefined ? this.#state.head : 0, this.#newest, ...forgotten);
    this.#idsUpTo = this.#state.boot === "" ? this.#head : 0;
    const cut = this.#readLog(folder, rows, boot, makeServerId);
    const cursors = this.#loseCursors(cut === undefined ? Infinity : this.#head);
    this.opened = {
      serverId: this.#state.serverId,
      lamport: this.#lamport,
      head: this.#head,
      // Of an origin can be nothing left when the log was cut.
      vector: Object.fromEntries(
        [...this.origins.logs()].filter(({ last }) => last > 0).map(({ origin, last }) => [origin, last]),
      ),
      cursors,
      members: this.beside.members(),
      places: this.beside.places(),
      notes: this.beside.notes(),
      tombstones: Object.fromEntries(this.origins.tombstones),
      ...(cut === undefined ? {} : { cut }),
    };
  }

  /** This server's name. */
  get serverId(): string {
    return this.#state.serverId;
  }

  get head(): Position {
    return this.#head;
  }

  /** The number of the newest turn of the log, and of the newest one that the database has. */
  get turn(): number {
    return this.#turn;
  }

  get settledTurn(): number {
    return this.#state.turn;
  }

  /** When the newest segment was taken in. */
  get takenAt(): number {
    return this.#takenAt;
  }

  /** The position of the newest segment of the database. */
  get newest(): Position {
    return this.#newest;
  }

  /** The log has this turn, behind all others. Settles a turn at once that drops something of the log. */
  take(logged: LoggedTurn): void {
    const { turn, batch } = logged;
    if (batch.renamed !== undefined || batch.buried !== undefined) {
      this.settle(Infinity);
      this.#transaction(() => {
        this.#drop(batch);
        const unsettled = this.#unsettledTurn(logged);
        this.#write(unsettled);
        this.#writeState({ ...this.#stateAfter([unsettled]), serverId: batch.renamed?.serverId ?? this.serverId });
        this.#settled([unsettled]);
      });
      this.#newest = this.#newestRow()?.position ?? 0;
    } else this.unsettled.add(this.#unsettledTurn(logged));
    this.#turn = turn;
    this.#head = batch.segments.at(-1)?.position ?? this.#head;
    this.#takenAt = logged.takenAt;
    this.#lamport = batch.lamport;
  }

  /** Writes the oldest turns into the database, at most `count`. */
  settle(count: number): void {
    const turns = this.unsettled.oldest(count);
    if (turns.length === 0) return;
    this.#transaction(() => {
      for (const turn of turns) this.#write(turn);
      this.#writeState(this.#stateAfter(turns));
    });
    this.unsettled.settled(turns.length);
    this.#settled(turns);
    const newest = turns.findLast(({ segments }) => segments.length > 0)?.segments.at(-1)?.segment.position;
    this.#newest = newest ?? this.#newest;
  }

  /**
   * As `Store.forget`. The database has to have all turns. `needsIds` is called where lines stay only until the used
   * message ids behind position `idsUpTo` are in files.
   */
  forget(limits: ForgetLimits, idsUpTo: Position, needsIds: () => void): Forgotten {
    const plan = this.#forgetting.plan(limits, idsUpTo);
    if (plan.channels.waitsForIds) needsIds();
    if (!plan.isIdle) this.#transaction(() => this.#forgetting.write(plan));
    return plan.forgotten;
  }

  /** As `Store.keptByChannel`. */
  get keptByChannel(): KeptByChannel {
    return this.#forgetting.kept;
  }

  /** What the index of message ids is opened with. `store` gives all segments. */
  indexed(store: Pick<IndexedLog, "segmentsAfter">): Pick<IndexParts, "log" | "baseline"> {
    const segmentsAfter: IndexedLog["segmentsAfter"] = (position, maxBytes) => store.segmentsAfter(position, maxBytes);
    const isBuried = (name: string) => this.origins.tombstones.has(name);
    return { baseline: this.#idsUpTo, log: { head: this.#head, segmentsAfter, isBuried } };
  }

  /** The position that all kept entries of an origin after `sequence` stand behind. */
  positionBefore(origin: string, sequence: number): Position {
    const vector = Object.fromEntries([...this.origins.logs()].map(({ origin, last }) => [origin, last]));
    return this.origins.missing({ ...vector, [origin]: sequence }, this.#head).after;
  }

  /** Room in the database that it fills before it grows. */
  get reusableBytes(): number {
    const { freePages } = one<{ freePages: number }>(this.statements.freePages)!;
    const { pageBytes } = one<{ pageBytes: number }>(this.statements.pageBytes)!;
    return freePages * pageBytes;
  }

  /** Notes how much of the log is on the disk. */
  noteSynced(): void {
    if (this.#files.synced > this.#state.synced) this.#writeState({ ...this.#state, synced: this.#files.synced });
  }

  /** Log files that no row names, out of `files`. */
  unused(files: Iterable<number>): number[] {
    return [...files].filter((file) => one(this.statements.isFileUsed, file) === undefined);
  }

  /** These files are about to go, and the next turn that the database does not have begins file `next` at least. */
  leaves(files: readonly number[], next: number): void {
    if (files.includes(this.#state.file)) this.#writeState({ ...this.#state, file: next, end: 0 });
  }

  #unsettledTurn({ turn, batch, inbox, frames, file, start, end }: LoggedTurn): UnsettledTurn {
    const changed = new Map<string, OriginLog>();
    const withHoles = new Set<string>();
    const segments = batch.segments.map((segment, index): UnsettledSegment => {
      const { origin } = segment;
      const before = changed.get(origin) ?? this.origins.get(origin)?.log ?? emptyLog(origin);
      const log = append(before, segment);
      changed.set(origin, log);
      if (log.lost !== before.lost) withHoles.add(origin);
      const frame = frames[index]!;
      const place = { file, start: start + frame.start, length: frame.length };
      return { segment, activities: log.activities, activityBytes: log.activityBytes, place };
    });
    for (const log of changed.values()) this.origins.set(log);
    return {
      turn,
      batch,
      segments,
      withHoles: [...withHoles].map((origin) => changed.get(origin)!),
      inbox: this.inbox.unsettled.add(inbox),
      file,
      end,
    };
  }

  /** Drops what a turn takes back or buries, within a transaction. */
  #drop({ renamed, buried }: Batch): void {
    this.#forgetting.restart();
    if (renamed !== undefined) {
      const { former, after } = renamed;
      const id = this.origins.end(former, after);
      if (id !== undefined) this.messageIds.cut(id, after);
      this.inbox.cut(former, after);
    }
    if (buried === undefined) return;
    this.origins.bury(buried);
    // Early deliveries of an origin that never came too.
    for (const name of Object.keys(buried)) this.inbox.forgetOrigin(name);
  }

  /** Writes a turn into the tables, within a transaction. */
  #write({ batch, segments, withHoles, inbox }: UnsettledTurn): void {
    const numberOf = (name: string) => this.origins.numberOf(name);
    this.segments.write(segments, batch.lamport, numberOf);
    this.origins.writeForgotten(withHoles);
    this.inbox.apply(inbox);
    this.beside.write(batch);
  }

  #stateAfter(turns: readonly UnsettledTurn[]): State {
    const { turn, file, end, batch } = turns.at(-1)!;
    const head = turns.findLast(({ segments }) => segments.length > 0)?.segments.at(-1)?.segment.position;
    const synced = Math.max(this.#files.synced, this.#state.synced);
    return { ...this.#state, turn, file, end, synced, lamport: batch.lamport, head: head ?? this.#state.head };
  }

  #writeState(state: State): void {
    writeState(this.statements, state);
    this.#state = state;
  }

  #settled(turns: readonly UnsettledTurn[]): void {
    for (const { inbox } of turns) this.inbox.unsettled.settled(inbox);
  }

  #newestRow(): IndexRow | undefined {
    const row = one<IndexRow>(this.statements.newestSegment);
    return row && checkedRow(row);
  }

  /** Drops the rows whose bytes a power cut took. Gives the entries that are gone; `undefined` if there are none. */
  #cutRows(makeServerId: () => string): Cut | undefined {
    const parts: OpenedParts = { ...this, files: this.#files };
    const after = findCut(parts, this.#state.synced);
    if (after === undefined) return undefined;
    const { serverId: formerServerId, lamport } = this.#state;
    let entries = 0;
    this.#transaction(() => {
      const cut = cutAfter(after, parts);
      entries = cut.entries;
      this.#writeState({
        ...this.#state,
        serverId: makeServerId(),
        lamport: Math.max(lamport, cut.lamport),
        head: after,
      });
    });
    return { formerServerId, after, entries };
  }

  /**
   * Takes in the turns of the log that the database does not have, and settles them. Behind `rows` that are gone no
   * turn counts. The files go on where the log ends then. Gives what a power cut took.
   */
  #readLog(folder: string, rows: Cut | undefined, boot: string, makeServerId: () => string): Cut | undefined {
    const { file, end, turn, boot: bootBefore, serverId, synced } = this.#state;
    const numbers = logFilesIn(folder);
    // Before version 6 there were no turns. Bytes behind the last row are those of a commit that failed.
    const hasTurns = bootBefore !== "" || turn > 0;
    const read = (file: number, start: number, size: number) => this.#files.readPart(file, start, size);
    // All of it was on the disk for certain.
    if (hasTurns && rows === undefined && end > 0 && synced >= this.#state.head) this.#files.checkSize(file, end);
    const turns = readTurns({ numbers, read, nameOf: nameOfLogFile }, hasTurns ? { file, end, turn } : undefined);
    let dropped = 0;
    let next = turns.next();
    for (; next.done !== true; next = turns.next()) {
      const { batch, turn, frames, file, start, length } = next.value;
      if (rows === undefined) {
        const inbox = inboxChange(batch, (origin) => this.sequenceAt(batch, origin), this.#takenAt);
        const takenAt = batch.segments.at(-1)?.takenAt ?? this.#takenAt;
        this.take({ turn, batch, inbox, takenAt, frames, file, start, end: start + length });
        if (this.unsettled.size >= SETTLED_AT_ONCE) this.settle(Infinity);
      } else {
        dropped += batch.segments.reduce((sum, { first, last }) => sum + last - first + 1, 0);
        this.#lamport = Math.max(this.#lamport, batch.lamport);
      }
    }
    this.settle(Infinity);
    const logEnd = next.value;
    const cut = rows === undefined
      ? this.#lostBehind(logEnd, boot, bootBefore)
      : { ...rows, entries: rows.entries + dropped + logEnd.entries };
    const isRenamed = cut !== undefined && serverId === this.serverId && rows === undefined;
    const last = rows === undefined && hasTurns ? logEnd : { file, end };
    const goesOn = this.#files.continue(last.file, last.end, this.#head, synced);
    this.#writeState({
      ...this.#state,
      ...goesOn,
      lamport: this.#lamport,
      serverId: isRenamed ? makeServerId() : this.serverId,
      boot: boot === "" ? "unknown" : boot,
    });
    return cut;
  }

  /** How far the log has an origin before `batch`, also as a tombstone. */
  sequenceAt({ renamed }: Batch, origin: string): number {
    return origin === renamed?.former ? renamed.after : this.origins.lastOf(origin);
  }

  #lostBehind(end: LogEnd, boot: string, bootBefore: string): Cut | undefined {
    if (!hasLost(end, boot, bootBefore)) return undefined;
    return { formerServerId: this.serverId, after: this.#head, entries: end.entries };
  }

  /** The last time of the clock. A broken clock goes back to the latest time before it broke. */
  #sane(...lamports: readonly number[]): number {
    const latest = Math.max(...lamports);
    if (latest <= MAX_ENTRY_LAMPORT) return latest;
    const { lamport } = one<{ lamport: number | null }>(this.statements.newestLamport, MAX_ENTRY_LAMPORT)!;
    return Math.max(lamport ?? 0, ...lamports.filter((lamport) => lamport <= MAX_ENTRY_LAMPORT));
  }

  /** Notes that no plain client is connected any more, and that no cursor is behind `end`. */
  #loseCursors(end: Position): readonly PlainCursor[] {
    const { cursors, changed } = this.beside.lostCursors(this.#head, end);
    if (changed.length > 0) this.#transaction(() => this.beside.putCursors(changed));
    return cursors;
  }

  #transaction(write: () => void): void {
    try {
      this.statements.begin.run();
      write();
      this.statements.commit.run();
    } catch (cause) {
      try {
        this.statements.rollback.run();
      } catch {
        // SQLite has rolled back itself, as it does when the disk is full.
      }
      this.inbox.takenBack();
      throw cause;
    }
  }
}
