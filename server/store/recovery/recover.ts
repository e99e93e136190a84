/**
 * Repairs a damaged data folder: writes a new `thrum.sqlite` with every whole row and frame, beside the same
 * `log-*.bytes` files. The old database and damaged files go to a folder of their own; nothing is thrown away.
 * `salvage.ts` reads, `recovery_plan.ts` decides.
 */

import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { hasActivities } from "../../../log/segment.ts";
import type { Vector } from "../../../log/vector.ts";
import { dropIds } from "../ids/run_recovery.ts";
import { rowChecksum } from "../sqlite/checksum.ts";
import { channelColumn } from "../channels/channel_column.ts";
import { ANY_CHANNEL, formatLost, NOTHING_LOST, withLost } from "../channels/lost_channels.ts";
import { encodeFrame, FRAME_FORM } from "../sqlite/frame.ts";
import { BARE_FORM, indexValues } from "../sqlite/index_row.ts";
import { nameOfLogFile } from "../sqlite/log_files.ts";
import { insertInto, type Loss, RecoveredRows } from "./recovered_rows.ts";
import { FoundLog, planRecovery, type RecoveryPlan } from "./recovery_plan.ts";
import {
  audienceNumber,
  type FoundSegment,
  type LogTail,
  Salvage,
  type Unreadable,
  type WholeSegment,
} from "./salvage.ts";
import { storeError } from "../sqlite/sqlite_errors.ts";
import { prepareFile } from "../sqlite/sqlite_file.ts";
import { type State, stateOf, stateValues } from "../sqlite/sqlite_state.ts";
import { DamagedError, StoreError } from "../store.ts";
import { STATE_COLUMNS, type StateRow } from "../sqlite/sqlite_statements.ts";
import type { LogPlace } from "../turns/turn_reader.ts";

/** The request for a recovery. */
export interface RecoverParts {
  readonly folder: string;
  /** As for a new store. */
  readonly makeServerId: () => string;
  /** Everything that other servers of the network have; empty without servers. */
  readonly peers: Vector;
}

/** The result of a recovery. */
export interface Recovery extends RecoveryPlan {
  readonly serverId: string;
  /** The former name of the server, if it is readable and differs. */
  readonly formerServerId: string | undefined;
  /** Entries that are kept. */
  readonly entries: number;
  readonly accounts: Loss;
  /** Direct messages that wait. */
  readonly messages: Loss;
  /** Message ids, places of clients, notes, and the rest beside the log. */
  readonly others: Loss;
  /** Where the old database is now. */
  readonly savedIn: string;
}

const SQLITE_NOTADB = 26;
const NEW_FILE = "thrum.sqlite.recovering";
const DATABASE_FILES = ["thrum.sqlite", "thrum.sqlite-wal", "thrum.sqlite-shm", "thrum.sqlite-journal"];

/**
 * Recovers the folder. No server may use it meanwhile.
 * @throws {StoreError} when it is in use, or cannot be read or written at all: then it is unchanged.
 */
export function recoverFolder({ folder, makeServerId, peers }: RecoverParts): Recovery {
  if (!existsSync(folder)) {
    throw new StoreError(`Cannot recover data folder "${folder}": there is none. Say where it is.`);
  }
  let target: DatabaseSync | undefined;
  const remove = () => DATABASE_FILES.forEach((_, index) => rmSync(newFile(folder, index), { force: true }));
  try {
    const wasClosed = !hasContent(`${folder}/thrum.sqlite-wal`) && existsSync(`${folder}/thrum.sqlite`);
    using salvage = new Salvage(folder, openOld(folder));
    remove();
    // SQLite's other files have the mode of this one.
    closeSync(openSync(newFile(folder, 0), "wx", 0o600));
    target = new DatabaseSync(newFile(folder, 0));
    prepareFile(target, folder);
    const recovering = new Recovering(salvage, target);
    const recovery = recovering.run({ peers, wasClosed, makeServerId });
    target.prepare("PRAGMA synchronous = FULL").get();
    target.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get();
    target.close();
    target = undefined;
    salvage[Symbol.dispose]();
    dropGoneIds(folder, recovery);
    const savedIn = swap(folder, recovering.damagedFiles, recovering.usedFiles);
    return { ...recovery, savedIn };
  } catch (cause) {
    target?.close();
    remove();
    throw storeError("open", folder, cause);
  }
}

/** Who sends an entry again that is lost, or is to come again, is to have it taken. */
function dropGoneIds(folder: string, { origins }: RecoveryPlan): void {
  const byName = new Map(origins.map((origin) => [origin.origin, origin]));
  const isGone = (origin: string, sequence: number) => {
    const { missing = [], cutAfter = Infinity } = byName.get(origin) ?? {};
    return sequence > cutAfter || missing.some(({ first, last }) => first <= sequence && sequence <= last);
  };
  if (origins.some(({ missing, cutAfter }) => missing.length > 0 || cutAfter !== undefined)) dropIds(folder, isGone);
}

/** The old database; `undefined` if the file is no database any more. Throws when a server uses it. */
function openOld(folder: string): DatabaseSync | undefined {
  if (!existsSync(`${folder}/thrum.sqlite`)) return undefined;
  const database = new DatabaseSync(`${folder}/thrum.sqlite`);
  try {
    prepareFile(database, folder);
    return database;
  } catch (error) {
    const { errcode = 0 } = error as { errcode?: number };
    const isDatabase = (errcode & 0xff) !== SQLITE_NOTADB;
    // The database is open, and much of it may still be readable, also where the name of a column has changed.
    if (isDatabase && storeError("open", folder, error) instanceof DamagedError) return database;
    database.close();
    if (!isDatabase) return undefined;
    // In use, or of a newer program: recovery cannot help here.
    throw error;
  }
}

/** One folder being recovered. */
class Recovering {
  readonly #salvage: Salvage;
  readonly #target: DatabaseSync;
  /** Files in which something is lost, and files in which something is kept. */
  readonly damagedFiles = new Set<number>();
  readonly usedFiles = new Set<number>();
  /** Unreadable parts of the index, and their frames in files. */
  readonly #unknown: Unreadable[] = [];
  #stray: readonly WholeSegment[] = [];
  readonly #originIds = new Map<string, number>();
  readonly #kept = new Set<number>();
  #newestPosition = 0;
  #newestLamport = 0;
  readonly #tail: LogTail;

  constructor(salvage: Salvage, target: DatabaseSync) {
    this.#salvage = salvage;
    this.#target = target;
    this.#tail = salvage.tailBehind(stateIn(salvage));
  }

  run({ peers, wasClosed, makeServerId }: {
    readonly peers: Vector;
    readonly wasClosed: boolean;
    readonly makeServerId: () => string;
  }): Omit<Recovery, "savedIn"> {
    const forgotten = this.#forgotten();
    const state = stateIn(this.#salvage);
    const tail = this.#tail;
    const planOf = (log: FoundLog) =>
      planRecovery(log.origins, { peers, serverId: state?.serverId, wasClosed: wasClosed && tail.isEmpty });
    // The next start takes in the turns that the old database did not have yet, as after a crash.
    let plan = tail.isWhole ? planOf(this.#find(forgotten)) : undefined;
    const keepsTail = plan !== undefined && plan.origins.every(({ cutAfter }) => cutAfter === undefined);
    // Otherwise their segments count like those that no row names.
    if (!keepsTail) plan = planOf(this.#find(forgotten, tail.after));
    const { entries, ...others } = this.#write(plan!, forgotten, keepsTail ? tail.place : undefined, makeServerId);
    if (keepsTail) tail.files.forEach((file) => this.usedFiles.add(file));
    return { ...plan!, ...others, entries: entries + (keepsTail ? tail.entries : 0) };
  }

  #write(
    plan: RecoveryPlan,
    forgotten: ReadonlyMap<string, number>,
    tail: LogPlace | undefined,
    makeServerId: () => string,
  ): Omit<Recovery, "savedIn" | keyof RecoveryPlan> {
    const state = stateIn(this.#salvage);
    const run = (sql: string) => void this.#target.prepare(sql).run();
    run("BEGIN");
    const entries = this.#writeLog(plan, forgotten);
    const byNumber = new Map(plan.origins.map((origin) => [this.#originIds.get(origin.origin), origin]));
    const rows = new RecoveredRows(this.#salvage, this.#target, () => this.#found(), {
      has: (position) => this.#kept.has(position),
      isGone: (origin, sequence) => {
        const { missing = [], cutAfter = Infinity } = byNumber.get(origin) ?? {};
        return sequence > cutAfter || missing.some(({ first, last }) => first <= sequence && sequence <= last);
      },
    });
    const accounts = rows.accounts();
    const messages = rows.inbox();
    const others = rows.others();
    const serverId = plan.needsNewName ? makeServerId() : state!.serverId;
    const lamport = Math.max(state?.lamport ?? 0, this.#newestLamport);
    const head = Math.max(state?.head ?? 0, this.#newestPosition);
    // Without turns that wait for the database the log goes on with a new file.
    const place = tail ?? { turn: state?.turn ?? 0, file: this.#salvage.newestFile + 1, end: 0 };
    const written = { serverId, lamport, synced: 0, head, ...place, boot: state?.boot ?? "unknown" };
    this.#insert("state", 10).run(1, ...stateValues(written));
    run("COMMIT");
    const formerServerId = state?.serverId === serverId ? undefined : state?.serverId;
    return { serverId, formerServerId, entries, accounts, messages, others };
  }

  /** Up to where entries were forgotten in good order. */
  #forgotten(): Map<string, number> {
    const forgotten = new Map<string, number>();
    for (const { id, name, last } of this.#salvage.origins) {
      forgotten.set(name, last);
      this.#originIds.set(name, id);
    }
    return forgotten;
  }

  /** Everything that is found of the log, by position: first the index, then frames that no row names. */
  *#found(): Iterable<FoundSegment> {
    let stray = 0;
    const strayBefore = (position: number) => {
      const all: FoundSegment[] = [];
      for (; stray < this.#stray.length && this.#stray[stray]!.frame.position < position; stray++) {
        all.push({ kind: "whole", segment: this.#stray[stray]! });
      }
      return all;
    };
    for (const found of this.#salvage.segments()) {
      const position = positionOf(found);
      yield* strayBefore(position);
      yield found;
      if (found.kind !== "unknown") continue;
      for (const segment of strayBefore(found.before)) {
        yield segment;
        // It is also unknown whether others followed.
        yield found;
      }
    }
    yield* strayBefore(Infinity);
  }

  /** Looks at all of it once. Behind position `after` the files may have segments that no row names. */
  #find(forgotten: ReadonlyMap<string, number>, after = Infinity): FoundLog {
    this.#unknown.length = 0;
    for (const found of this.#salvage.segments()) if (found.kind === "unknown") this.#unknown.push(found);
    if (after < Infinity) this.#unknown.push({ after, before: Infinity });
    this.#stray = this.#salvage.framesOf(this.#unknown);
    this.#newestPosition = 0;
    const log = new FoundLog(forgotten);
    for (const found of this.#found()) {
      if (found.kind === "unknown") log.unknown();
      else if (found.kind === "lost") {
        log.lost(found.origin, found.first, found.last);
        this.#newestPosition = Math.max(this.#newestPosition, found.position);
        if (found.file !== undefined) this.damagedFiles.add(found.file);
      } else {
        const { frame: { origin, first, last, position, lamport } } = found.segment;
        log.whole(origin, first, last);
        this.#newestPosition = Math.max(this.#newestPosition, position);
        this.#newestLamport = Math.max(this.#newestLamport, lamport);
      }
    }
    return log;
  }

  /** Writes the index, and the origins with their forgotten sequences. Gives the number of kept entries. */
  #writeLog(plan: RecoveryPlan, forgotten: ReadonlyMap<string, number>): number {
    const holes = new Map(plan.origins.map(({ origin, missing, cutAfter }) => [origin, { missing, cutAfter }]));
    const positions = new Map(this.#salvage.origins.map(({ name, position }) => [name, position]));
    interface Written {
      activities: number;
      activityBytes: number;
      forgottenLast: number;
      forgottenPosition: number;
      last: number;
    }
    const written = new Map<string, Written>();
    const insert = this.#insert("segments", 19);
    let entries = 0;
    for (const found of this.#found()) {
      if (found.kind !== "whole") continue;
      const { frame, place, bareChecksum, row } = found.segment;
      const { origin, first, last, position, audience, bytes } = frame;
      const { channels, size } = row ?? { channels: channelColumn(frame), size: bytes.length };
      const { missing = [], cutAfter = Infinity } = holes.get(origin) ?? {};
      if (last > cutAfter) continue;
      const log = written.get(origin) ?? {
        ...{ activities: 0, activityBytes: 0, last: 0 },
        forgottenLast: forgotten.get(origin) ?? 0,
        forgottenPosition: positions.get(origin) ?? 0,
      };
      const hole = missing.findLast((range) => range.last < first && range.last > log.last);
      if (hole !== undefined && hole.last > log.forgottenLast) {
        log.forgottenLast = hole.last;
        log.forgottenPosition = position;
      }
      if (hasActivities(audience)) {
        log.activities += last - first + 1;
        log.activityBytes += size;
      }
      log.last = last;
      written.set(origin, log);
      const values = indexValues({
        ...{ position, first, last, takenAt: frame.takenAt, lamport: frame.lamport, channels },
        origin: this.#originId(origin),
        audience: audienceNumber(frame),
        username: audience.kind === "user" ? audience.username : null,
        activities: log.activities,
        activityBytes: log.activityBytes,
        form: bareChecksum === undefined ? FRAME_FORM : BARE_FORM,
        size,
        file: place?.file ?? null,
        start: place?.start ?? null,
        length: place?.length ?? null,
        bareChecksum: bareChecksum ?? null,
      });
      insert.run(...values, place === undefined ? encodeFrame(frame) : null);
      if (place !== undefined) this.usedFiles.add(place.file);
      this.#kept.add(position);
      entries += last - first + 1;
    }
    const insertOrigin = this.#insert("origins", 5);
    const insertLost = this.#insert("lost_channels", 3);
    for (const [name, id] of this.#originIds) {
      const log = written.get(name);
      const row = [
        id,
        name,
        log?.forgottenLast ?? forgotten.get(name) ?? 0,
        log?.forgottenPosition ?? positions.get(name) ?? 0,
      ] as const;
      insertOrigin.run(...row, rowChecksum("origins", ...row));
      const before = this.#salvage.lostOf(id);
      // A hole may be of any channel, and so may what was forgotten of which nothing more is known.
      const isOfAny = row[2] > 0 && (before === undefined || row[2] > (forgotten.get(name) ?? 0));
      const lost = withLost(before ?? NOTHING_LOST, isOfAny ? [{ name: ANY_CHANNEL, last: row[2] }] : []);
      if (lost.size === 0) continue;
      const channels = formatLost(lost);
      insertLost.run(id, channels, rowChecksum("lost_channels", id, channels));
    }
    return entries;
  }

  #originId(name: string): number {
    const known = this.#originIds.get(name);
    if (known !== undefined) return known;
    const id = Math.max(0, ...this.#originIds.values()) + 1;
    this.#originIds.set(name, id);
    return id;
  }

  #insert(table: string, columns: number) {
    return insertInto(this.#target, table, columns);
  }
}

function positionOf(found: FoundSegment): number {
  return found.kind === "whole"
    ? found.segment.frame.position
    : found.kind === "lost"
    ? found.position
    : found.after + 1;
}

/**
 * Puts the new database in the place of the old one. Keeps the old one with the other damaged files, and gives their
 * folder.
 */
function swap(folder: string, damaged: ReadonlySet<number>, used: ReadonlySet<number>): string {
  let number = 1;
  while (existsSync(`${folder}/damaged-${number}`)) number++;
  const savedIn = `${folder}/damaged-${number}`;
  mkdirSync(savedIn, { mode: 0o700 });
  for (const file of damaged) {
    const name = nameOfLogFile(file);
    if (used.has(file) && existsSync(`${folder}/${name}`)) copyFileSync(`${folder}/${name}`, `${savedIn}/${name}`);
  }
  for (const name of readdirSync(folder)) {
    const file = /^log-(\d{8,})\.bytes$/.exec(name)?.[1];
    const isUnused = file !== undefined && !used.has(Number(file));
    if (DATABASE_FILES.includes(name) || isUnused) renameSync(`${folder}/${name}`, `${savedIn}/${name}`);
  }
  renameSync(newFile(folder, 0), `${folder}/thrum.sqlite`);
  return savedIn;
}

/** The new database, or one of the files beside it. */
function newFile(folder: string, index: number): string {
  return `${folder}/${NEW_FILE}${DATABASE_FILES[index]!.slice("thrum.sqlite".length)}`;
}

function hasContent(path: string): boolean {
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

/** The name of this folder's server, if it is readable and no server uses the folder. */
export function serverIdIn(folder: string): string | undefined {
  try {
    using salvage = new Salvage(folder, openOld(folder));
    return stateIn(salvage)?.serverId;
  } catch {
    return undefined;
  }
}

function stateIn(salvage: Salvage): State | undefined {
  const [row] = salvage.all<StateRow>("state", STATE_COLUMNS) ?? [];
  return stateOf(row);
}
