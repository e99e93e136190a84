/**
 * Which message ids were used, and for which entry. The ids stand in the lines of the log already, so all of this is
 * derived: the newest ones are in a table in memory, and the others in files of hashes, which are written behind the
 * log. After a crash the ids behind the files are read out of the log again.
 *
 * A turn touches memory only. Files are written and merged in the background (`run_files.ts`), and a file counts when
 * it is complete. `run_plan.ts` decides which files do.
 */

import { getLogger } from "@logtape/logtape";
import { syncFolder } from "../../../platform/files/in_place.ts";
import { fromHex } from "../../../platform/hex.ts";
import type { Position, Segment } from "../../../log/segment.ts";
import { ANONYMOUS } from "../../../protocol/names.ts";
import { MAX_ANONYMOUS_IDS, type UsedMessageId } from "../store.ts";
import { AskedIds } from "./asked_ids.ts";
import { Background } from "./background.ts";
import { IdTable, type KeptId } from "./id_table.ts";
import { INDEX_SIZES, type IndexedLog, type IndexParts, type IndexSizes, type IndexUse } from "./index_parts.ts";
import { KeyedHash } from "./keyed_hash.ts";
import { firstAfter, idsOf, readWhole } from "./log_ids.ts";
import { OriginNames } from "./origin_names.ts";
import { openFound } from "./opening.ts";
import type { Run } from "./run.ts";
import { remove, removeLater, type Steps, syncFolderLater, writeRun, writeRunLater } from "./run_files.ts";
import { type GivenMeta, keptTime, RunEncoder } from "./run_format.ts";
import { isKept, keeps, type Liveness, type Merge, RunList } from "./run_list.ts";
import type { Positions } from "./run_plan.ts";
import { stepsOfMerge, stepsOfTable } from "./run_steps.ts";

const FIRST_TABLE_BITS = 10;
/** A table that had to grow beyond this was one of a disk that could not follow. */
const MAX_FIRST_BITS = 17;
/** Of the log, read at once. */
const READ_BYTES = 1_048_576;
/** The same while the server runs: some milliseconds. */
const REPAIR_BYTES = 262_144;
const logger = getLogger(["thrum", "store"]);

/** A table that is being written to a file. */
interface Frozen {
  readonly table: IdTable;
  readonly to: Position;
}

/** Reads out of the log again what a damaged file had. */
interface Repair {
  readonly run: Run;
  position: Position;
}

/**
 * Opens the index in `folder`, and reads out of the log what no file of it has. Throws the errors of node:fs, and what
 * the log throws.
 */
export function openIdIndex(parts: IndexParts): IdIndex {
  return new IdIndex(parts);
}

/** The index of one store. `find`, `write`, `cut` and `close` throw the errors of node:fs. */
export class IdIndex {
  readonly #folder: string;
  readonly #log: IndexedLog;
  readonly #maxAnonymous: number;
  readonly #sizes: IndexSizes;
  readonly #secret: string;
  readonly #hash: KeyedHash;
  readonly #asked = new AskedIds();
  readonly #origins = new OriginNames();
  readonly #runs: RunList;
  #table: IdTable;
  #frozen: Frozen | undefined;
  #head: Position;
  /** Bytes of the log since the newest table was begun. */
  #bytes = 0;
  #usedBefore: number;
  #lastOrdinal: number;
  #baseline: Position;
  #serial: number;
  #repair: Repair | undefined;
  readonly #background: Background;
  /** What runs in the background is of no use any more when this has changed. */
  #epoch = 0;
  readonly #isInPlace: boolean;
  #isAsked = false;
  #isClosed = false;

  constructor(parts: IndexParts) {
    const { folder, log, baseline = 0, usedBefore = 0, sizes = INDEX_SIZES } = parts;
    this.#folder = folder;
    this.#log = log;
    this.#maxAnonymous = parts.maxAnonymous ?? MAX_ANONYMOUS_IDS;
    this.#sizes = sizes;
    this.#isInPlace = parts.isInPlace ?? false;
    this.#head = log.head;
    this.#runs = new RunList(sizes.filterBytes);
    const found = openFound(folder, baseline, log.head, this.#origins.numberOf);
    for (const run of found.live) this.#runs.put(run);
    this.#secret = found.secret;
    this.#hash = new KeyedHash(fromHex(found.secret));
    this.#usedBefore = Math.max(usedBefore, this.#runs.usedBefore);
    this.#lastOrdinal = this.#runs.lastOrdinal;
    this.#baseline = found.baseline;
    this.#serial = found.lastSerial;
    this.#table = new IdTable(FIRST_TABLE_BITS, this.#lastOrdinal);
    this.#background = new Background(() => this.#nextWork(), (error) => {
      logger.warn("the used message ids cannot be written: {error}; trying again", { error });
    });
    try {
      // The next opening has to know it, too.
      if (found.live.length === 0 && found.baseline > 0) this.#writeTable(this.#table, found.baseline, found.baseline);
      for (const gap of found.gaps) this.#readGap(gap);
    } catch (error) {
      this.#runs.close();
      throw error;
    }
    for (const serial of found.removeOthers()) this.#runs.leaving.add(serial);
    if (!this.#isInPlace) this.#background.go();
  }

  /** As `Store.usedMessageId`. */
  find(username: string, messageId: string): UsedMessageId | undefined {
    this.#hash.hash(username, messageId);
    const [h0, h1, h2] = this.#hash.out as unknown as [number, number, number];
    const found = this.#find(h0, h1, h2);
    if (found === undefined) {
      this.#asked.add(username, messageId, this.#hash.out);
      return undefined;
    }
    const { origin, sequence, usedAt } = found;
    return { username, messageId, origin: this.#origins.nameOf(origin), sequence, usedAt };
  }

  /**
   * Takes in the ids that a turn used. Its entries are in the log already; `head` is the position of the last one, and
   * `bytes` what the turn added to the log. To be called for turns without ids, too.
   */
  write(used: readonly UsedMessageId[], head: Position, bytes: number): void {
    const { out } = this.#hash;
    for (const { username, messageId, origin, sequence, usedAt } of used) {
      const isAbsent = this.#asked.take(username, messageId, out) && this.#table.find(out[0]!, out[1]!, out[2]!) < 0;
      if (!isAbsent && this.#use(username, messageId) !== undefined) continue;
      this.#put(username, origin, sequence, usedAt);
    }
    this.#asked.clear();
    this.#head = head;
    this.#bytes += bytes;
    if (this.#table.size < this.#sizes.tableIds && this.#bytes < this.#sizes.logBytes) return;
    if (this.#table.size >= this.#sizes.mostTableIds) this.#writeTables();
    else if (this.#isInPlace) this.#doAll();
    else this.#background.go();
  }

  /** The ids of all entries up to this position are in files. */
  get completeUpTo(): Position {
    return Math.max(this.#baseline, this.#runs.completeUpTo);
  }

  /**
   * The entries of `origin` after `sequence` go; they stand behind `position`. To be called before the turn that takes
   * them out of the log. If that fails, nothing is lost: at the next opening the log is read from `position` on. Waits
   * for the disk.
   */
  cut(origin: string, sequence: number, position: Position): void {
    this.#epoch++;
    this.#asked.clear();
    const number = this.#origins.numberOf(origin);
    this.#table.cut(number, sequence);
    this.#frozen?.table.cut(number, sequence);
    const liveness = this.#liveness;
    const isLeft = (id: KeptId) => isKept(id, liveness) && !(id.origin === number && id.sequence > sequence);
    for (const run of this.#runs.all.filter(({ meta }) => meta.to > position)) {
      const { from, to, ids, firstOrdinal } = run.meta;
      const places = { from: Math.min(from, position), to: Math.min(to, position) };
      const encoder = this.#encoder({ ...places, firstOrdinal, replaces: [run] }, ids);
      this.#writeNow(encoder, stepsOfMerge([run], encoder, isLeft), [run]);
    }
    syncFolder(this.#folder);
  }

  /**
   * Ids used before this count no more. Does some of what has to be done for it, and for damaged files. True if there
   * is more to do soon.
   */
  forget(usedBefore: number): boolean {
    this.#usedBefore = Math.max(this.#usedBefore, usedBefore);
    if (!this.#isInPlace) this.#background.tryAgain();
    else if (this.#runs.forgotten(this.#usedBefore).length > 0) this.#doAll();
    return this.#repairSome();
  }

  /** Ids in memory go to a file soon, though they are few: entries that have them are to be forgotten. */
  writeSoon(): void {
    if (this.#isInPlace) return this.#doAll();
    this.#isAsked = true;
    this.#background.go();
  }

  get use(): IndexUse {
    const tables = [this.#table, ...(this.#frozen === undefined ? [] : [this.#frozen.table])];
    return {
      memoryBytes: tables.reduce((sum, { bytes }) => sum + bytes, this.#runs.memoryBytes),
      fileBytes: this.#runs.fileBytes,
      ids: tables.reduce((sum, { size }) => sum + size, this.#runs.ids),
      files: this.#runs.all.length,
    };
  }

  /** Blocks of files that were read to find ids, since the start. */
  get reads(): number {
    return this.#runs.reads;
  }

  /** When nothing is written in the background. */
  settled(): Promise<void> {
    return this.#background.settled();
  }

  /** Writes what is in memory to a file. Waits for the disk. A second call does nothing. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#background.end();
    this.#epoch++;
    try {
      if (this.#table.size > 0 || this.#head > this.completeUpTo) this.#writeTables();
    } catch (error) {
      logger.warn("the used message ids were not written: {error}; they are read out of the log at the next start", {
        error,
      });
    }
    this.#runs.close();
  }

  get #liveness(): Liveness {
    return { usedBefore: this.#usedBefore, lastForgottenOrdinal: this.#lastOrdinal - this.#maxAnonymous };
  }

  #find(h0: number, h1: number, h2: number): KeptId | undefined {
    const found = this.#findAny(h0, h1, h2);
    return found !== undefined && this.#counts(found) ? found : undefined;
  }

  #counts(id: KeptId): boolean {
    return isKept(id, this.#liveness) && !this.#log.isBuried(this.#origins.nameOf(id.origin));
  }

  /** The newest use that is there, whether it counts or not: it was new when all older ones did not. */
  #findAny(h0: number, h1: number, h2: number): KeptId | undefined {
    const slot = this.#table.find(h0, h1, h2);
    if (slot >= 0) return this.#table.at(slot);
    const frozen = this.#frozen?.table;
    const frozenSlot = frozen?.find(h0, h1, h2) ?? -1;
    return frozenSlot >= 0 ? frozen!.at(frozenSlot) : this.#runs.find(h0, h1, h2);
  }

  #use(username: string, messageId: string): KeptId | undefined {
    this.#hash.hash(username, messageId);
    const { out } = this.#hash;
    return this.#find(out[0]!, out[1]!, out[2]!);
  }

  /** Adds the use of the id whose hash was made last. */
  #put(username: string, origin: string, sequence: number, usedAt: number): void {
    const { out } = this.#hash;
    const ordinal = username === ANONYMOUS ? ++this.#lastOrdinal : 0;
    const kept = { origin: this.#origins.numberOf(origin), sequence, usedAt: keptTime(usedAt), ordinal };
    this.#table.put(out[0]!, out[1]!, out[2]!, kept);
  }

  /** For a file with at most this many ids. */
  #encoder({ from, to, firstOrdinal, replaces = [], baseline = this.#baseline }: {
    readonly from: Position;
    readonly to: Position;
    readonly firstOrdinal: number;
    readonly replaces?: readonly Run[];
    readonly baseline?: Position;
  }, ids: number): RunEncoder {
    const given: GivenMeta = {
      serial: ++this.#serial,
      ...{ from, to, baseline, firstOrdinal },
      replaces: [...replaces.map(({ meta }) => meta.serial), ...this.#runs.leaving],
      secret: this.#secret,
      forgottenBefore: this.#usedBefore,
    };
    return new RunEncoder(given, ids, this.#origins.nameOf);
  }

  /** Writes a file at once, in place of others. */
  #writeNow(encoder: RunEncoder, steps: Steps, replaced: readonly Run[] = []): void {
    const { run, damagedBlocks } = writeRun(this.#folder, encoder.serial, steps, this.#origins.numberOf);
    this.#putRun(run, damagedBlocks, replaced);
    for (const { name, meta } of replaced) if (remove(this.#folder, name)) this.#runs.leaving.delete(meta.serial);
  }

  #putRun(run: Run, damagedBlocks: number, replaced: readonly Run[]): void {
    // What the log has of a changed block may not be in the index again yet.
    if (damagedBlocks > 0 && !replaced.every(({ isRepaired }) => isRepaired)) run.damaged();
    this.#runs.put(run, replaced);
  }

  /** Writes what is in memory at once. */
  #writeTables(replaced: readonly Run[] = []): void {
    this.#epoch++;
    if (this.#frozen !== undefined) this.#writeTable(this.#frozen.table, this.completeUpTo, this.#frozen.to);
    this.#frozen = undefined;
    this.#writeTable(this.#table, this.completeUpTo, this.#head, replaced);
    this.#beginTable();
  }

  #writeTable(table: IdTable, from: Position, to: Position, replaces: readonly Run[] = []): void {
    const { size, firstOrdinal } = table;
    const encoder = this.#encoder({ from: Math.min(from, to), to, firstOrdinal, replaces }, size);
    this.#writeNow(encoder, stepsOfTable(table, encoder, keeps(this.#liveness)), replaces);
  }

  /** As large as the last one had to be: a table that grows is copied. */
  #beginTable(): void {
    this.#table = new IdTable(Math.min(this.#table.bits, MAX_FIRST_BITS), this.#lastOrdinal);
    this.#bytes = 0;
  }

  /** What `#nextWork` does, all of it at once. */
  #doAll(): void {
    const forgotten = this.#runs.forgotten(this.#usedBefore);
    this.#baseline = forgotten.reduce((last, { meta }) => Math.max(last, meta.to), this.#baseline);
    this.#writeTables(forgotten);
    for (let merge = this.#runs.merge; merge !== undefined; merge = this.#runs.merge) {
      const { runs, from, to, ids, firstOrdinal } = merge;
      const encoder = this.#encoder({ from, to, firstOrdinal, replaces: runs }, ids);
      this.#writeNow(encoder, stepsOfMerge(runs, encoder, keeps(this.#liveness)), runs);
    }
  }

  /** Begins in the background what is to be done next. */
  #nextWork(): Promise<void> | undefined {
    const forgotten = this.#runs.forgotten(this.#usedBefore);
    const { tableIds, logBytes } = this.#sizes;
    const isDue = this.#table.size >= tableIds || this.#bytes >= logBytes || forgotten.length > 0 || this.#isAsked;
    if (this.#frozen === undefined && isDue) {
      this.#isAsked = false;
      this.#frozen = { table: this.#table, to: this.#head };
      this.#beginTable();
    }
    if (this.#frozen !== undefined) return this.#writeFrozen(this.#frozen, forgotten);
    const merge = this.#runs.merge;
    return merge && this.#mergeRuns(merge);
  }

  /** Writes a table to a file. The file says that the forgotten ones are not needed any more. */
  #writeFrozen({ table, to }: Frozen, forgotten: readonly Run[]): Promise<void> {
    const baseline = forgotten.reduce((last, { meta }) => Math.max(last, meta.to), this.#baseline);
    const from = Math.min(this.completeUpTo, to);
    const { firstOrdinal } = table;
    const encoder = this.#encoder({ from, to, firstOrdinal, baseline, replaces: forgotten }, table.size);
    return this.#writeLater(encoder, stepsOfTable(table, encoder, keeps(this.#liveness)), forgotten, (run) => {
      this.#baseline = baseline;
      this.#frozen = undefined;
      this.#putRun(run, 0, forgotten);
    });
  }

  #mergeRuns({ runs, from, to, ids, firstOrdinal }: Merge): Promise<void> {
    const encoder = this.#encoder({ from, to, firstOrdinal, replaces: runs }, ids);
    return this.#writeLater(encoder, stepsOfMerge(runs, encoder, keeps(this.#liveness)), runs, (run, damagedBlocks) => {
      this.#putRun(run, damagedBlocks, runs);
    });
  }

  /** Writes a file in the background. `replaced` are removed when the new one is in the folder for good. */
  async #writeLater(
    encoder: RunEncoder,
    steps: Steps,
    replaced: readonly Run[],
    put: (run: Run, damagedBlocks: number) => void,
  ): Promise<void> {
    const epoch = this.#epoch;
    let isPut = false;
    await writeRunLater(this.#folder, encoder.serial, steps, this.#origins.numberOf, {
      isStopped: () => this.#epoch !== epoch,
      written: ({ run, damagedBlocks }) => {
        isPut = true;
        put(run, damagedBlocks);
      },
    });
    if (!isPut) return;
    await syncFolderLater(this.#folder);
    for (const { name, meta } of replaced) {
      if (await removeLater(this.#folder, name)) this.#runs.leaving.delete(meta.serial);
    }
  }

  /** Reads a part of what a damaged file had out of the log. True if there is more of it. */
  #repairSome(): boolean {
    if (this.#repair === undefined) {
      const run = this.#runs.all.find(({ isDamaged }) => isDamaged);
      if (run === undefined) return false;
      logger.error("{file} is damaged: the used message ids in it are read out of the log, as far as that has them", {
        file: run.name,
      });
      this.#repair = { run, position: run.meta.from };
    }
    const { run, position } = this.#repair;
    const segments = readWhole(this.#log, position, REPAIR_BYTES).filter((segment) => segment.position <= run.meta.to);
    for (const segment of segments) this.#addIds(segment, false);
    this.#repair.position = segments.at(-1)?.position ?? Infinity;
    if (segments.length > 0) return true;
    run.repaired();
    this.#repair = undefined;
    return this.#runs.all.some(({ isDamaged }) => isDamaged);
  }

  /** Reads the ids of entries that no file is complete for. Those behind all files stay in memory. */
  #readGap(gap: Positions): void {
    const isTail = gap.to === this.#head && this.#runs.completeUpTo <= gap.from;
    let from = gap.from;
    for (let position = firstAfter(this.#log, gap, this.#usedBefore);;) {
      const segments = readWhole(this.#log, position, READ_BYTES).filter((segment) => segment.position <= gap.to);
      if (segments.length === 0) break;
      for (const segment of segments) {
        this.#addIds(segment, isTail);
        this.#bytes += segment.bytes.length;
      }
      position = segments.at(-1)!.position;
      if (this.#table.size < this.#sizes.tableIds && this.#bytes < this.#sizes.logBytes) continue;
      this.#writeTable(this.#table, from, position);
      this.#beginTable();
      from = position;
    }
    if (isTail) return;
    this.#writeTable(this.#table, from, gap.to);
    this.#beginTable();
  }

  /** Adds the ids of a segment that are not here. `isNewest`: nothing here is of what comes after it in the log. */
  #addIds(segment: Segment, isNewest: boolean): void {
    // An entry that has readers was no repeat when it came. So what is here of its id counted no more.
    const isNew = isNewest && segment.audience.kind !== "servers";
    const { out } = this.#hash;
    for (const { username, messageId, origin, sequence, usedAt } of idsOf(segment)) {
      if (usedAt < this.#usedBefore) return;
      this.#hash.hash(username, messageId);
      const found = this.#findAny(out[0]!, out[1]!, out[2]!);
      // One that is here and counts no more stays so.
      if (found?.sequence === sequence && this.#origins.nameOf(found.origin) === origin) continue;
      if (isNew || found === undefined || !this.#counts(found)) this.#put(username, origin, sequence, usedAt);
    }
  }
}
