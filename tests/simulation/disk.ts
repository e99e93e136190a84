/**
 * The disk of a server in the simulator: what was committed is there after a crash of the process, and what was synced
 * too after a power cut. Opening it plays everything back into a store in memory, forgetting included, and says what it
 * knows as the store on a real disk does.
 */

import type { LogPortion } from "../../log/portion.ts";
import type { Position, Segment } from "../../log/segment.ts";
import { takeBack, type Vector } from "../../log/vector.ts";
import { openMemoryStore } from "../../server/store/memory_store.ts";
import {
  type Batch,
  type Cut,
  DamagedError,
  type ForgetLimits,
  type PlainCursor,
  type Store,
  type StoredPlace,
  StoreError,
  type StoreState,
} from "../../server/store/store.ts";

type Written =
  | { readonly kind: "batch"; readonly batch: Batch; readonly at: number }
  | { readonly kind: "forget"; readonly limits: ForgetLimits; readonly at: number };

function isSynced(written: Written): boolean {
  return written.kind === "batch" && written.batch.isSynced === true;
}

/** What the disk tells its owner. */
export interface DiskOwner {
  /**
   * A batch is about to be taken: returns whether it is. The process may die in here, before the batch is on the disk.
   */
  committing(batch: Batch): boolean;
  /** It is on the disk; nobody has been told yet. The process may die in here too. */
  committed(batch: Batch): void;
}

/** A disk that a server waits for at every commit (`store.synchronous` is `"full"`). */
export interface SlowSyncs {
  /** Calls `run` when the disk has taken what was written so far, unless the process is dead by then. */
  synced(run: () => void): void;
}

/** What was on a disk. */
export interface DiskCopy {
  readonly written: readonly Written[];
  readonly names: readonly string[];
}

/** What is read of a store while its server runs. */
const READS: ReadonlySet<string | symbol> = new Set<keyof Store>([
  "segmentsAfter",
  "portionAfter",
  "missing",
  "missingAfter",
  "vectorAt",
  "account",
  "accountsAfter",
  "usernames",
  "segmentOf",
  "inboxOf",
  "inboxRange",
  "usedMessageId",
]);
/** What was committed so long ago is on the disk for certain. */
const SYNCED_AFTER_MS = 500;

/** One server's disk. */
export class Disk {
  readonly #name: string;
  #written: Written[] = [];
  #lostSince: number | undefined;
  #names: string[];
  #cut: Cut | undefined;
  /** Names that were made so far. */
  #made = 0;
  /** Batches that were written, and that the disk has not taken yet. Nobody was told of them. */
  #unsynced: { readonly batch: Batch; readonly done: (error?: unknown) => void }[] = [];
  /** Only the newest store may write: who held it before is dead. */
  #opened = 0;
  /** Reads that are given before one fails. */
  #goodReads = Infinity;
  /** A segment of which a bit has flipped. */
  #damaged: Position | undefined;

  constructor(name: string) {
    this.#name = name;
    this.#names = [name];
  }

  /** What the server is called, and was before. */
  get names(): readonly string[] {
    return this.#names;
  }

  /** What it has on it now: an old copy, once it goes on. */
  copy(): DiskCopy {
    return { written: [...this.#written], names: [...this.#names] };
  }

  /** Puts back what was on it once: whoever does so loses all that came after, and nobody notices. */
  putBack({ written, names }: DiskCopy): void {
    this.#unsynced = [];
    this.#written = [...written];
    this.#names = [...names];
  }

  /**
   * Only the first part of what was ever written is there, as `chance` says (from 0 up to but not including 1). Gives
   * what is lost; nobody notices.
   */
  putOldBack(chance: number): readonly Segment[] {
    this.#unsynced = [];
    return this.#drop(Math.floor(chance * (this.#written.length + 1))).lost;
  }

  /** When the first batch came of those that were lost last; `undefined` where nothing was. */
  get lostSince(): number | undefined {
    return this.#lostSince;
  }

  /** A name that this server never had: where it needs a new one. */
  makeName(): string {
    return `${this.#name}-${++this.#made}`;
  }

  /** After so many reads one fails, and all that follow. */
  failReads(after: number): void {
    this.#goodReads = after;
  }

  /** A bit of what was written flips; `chance` (from 0 up to but not including 1) says where. */
  flip(chance: number): void {
    const segments = this.#written.flatMap((written) => written.kind === "batch" ? written.batch.segments : []);
    this.#damaged = segments[Math.floor(chance * segments.length)]?.position;
  }

  /** The disk works again, and what was damaged has been brought back. */
  mend(): void {
    this.#goodReads = Infinity;
    this.#damaged = undefined;
  }

  /** Gives what `read` gives, if the disk does. */
  #read(name: string, read: () => unknown): unknown {
    if (this.#goodReads-- <= 0) throw new StoreError(`Cannot read (${name}): the disk reports an error`);
    const found = read();
    if (this.#damaged === undefined || (name !== "segmentsAfter" && name !== "portionAfter")) return found;
    const segments = name === "segmentsAfter" ? found as readonly Segment[] : (found as LogPortion).segments;
    const part = segments.find(({ position }) => position === this.#damaged);
    if (part !== undefined) throw new DamagedError(`Cannot read: position ${part.position} is damaged`, part);
    return found;
  }

  /** Opens the disk, for the process that now runs. With `syncs`, it waits for the disk at every commit. */
  open(nowMs: () => number, owner: DiskOwner, syncs?: SlowSyncs): Store {
    const number = ++this.#opened;
    // The process was killed: what it had written is there.
    for (const { batch } of this.#unsynced.splice(0)) {
      this.#written.push({ kind: "batch", batch, at: nowMs() });
      owner.committed(batch);
    }
    const inner = openMemoryStore({ serverId: this.#names.at(-1)! });
    for (const written of this.#written) {
      if (written.kind === "batch") inner.commit(written.batch);
      else inner.forget(written.limits);
    }
    const opened = this.#state(inner);
    const check = () => {
      if (number !== this.#opened) throw new Error(`A dead process uses the disk of ${this.#name}`);
    };
    const take = (batch: Batch) => {
      inner.commit(batch);
      this.#written.push({ kind: "batch", batch, at: nowMs() });
      const name = batch.renamed?.serverId;
      if (name !== undefined && name !== this.#names.at(-1)) this.#names = [...this.#names, name];
      owner.committed(batch);
    };
    /** The disk has taken the first `count` of those that wait. The process may die with each. */
    const synced = (count: number) => {
      for (let left = count; left > 0 && number === this.#opened; left--) {
        const next = this.#unsynced.shift();
        if (next === undefined) return;
        take(next.batch);
        next.done();
      }
    };
    const commit = (batch: Batch) => {
      finishCommits();
      if (owner.committing(batch)) take(batch);
    };
    let written = 0;
    let taken = 0;
    const commitInBackground = syncs && ((batch: Batch, done: (error?: unknown) => void) => {
      check();
      if (!owner.committing(batch)) return;
      this.#unsynced.push({ batch, done });
      const upTo = ++written;
      syncs.synced(() => {
        const count = upTo - taken;
        taken = Math.max(taken, upTo);
        if (count > 0) synced(count);
      });
    });
    const finishCommits = () => {
      check();
      taken = written;
      synced(Infinity);
    };
    const forget = (limits: ForgetLimits) => {
      check();
      const forgotten = inner.forget(limits);
      // Which message ids go depends on how often it is called, so every call is played back.
      this.#written.push({ kind: "forget", limits, at: nowMs() });
      return forgotten;
    };
    return new Proxy(inner, {
      get: (store, name) => {
        if (name === "opened") return opened;
        if (name === "commit") return commit;
        if (name === "commitInBackground") return commitInBackground;
        if (name === "finishCommits") return finishCommits;
        if (name === "forget") return forget;
        const value = Reflect.get(store, name);
        if (typeof value !== "function") return value;
        if (!READS.has(name)) return value.bind(store);
        return (...given: unknown[]) => this.#read(String(name), () => value.apply(store, given));
      },
    });
  }

  /**
   * The power is cut at a server that waits for the disk: of what was written and not synced only the first part is
   * there, `chance` (from 0 up to but not including 1) says how much. Nobody was told of the rest.
   */
  powerCutInFull(nowMs: number, chance: number, owner: Pick<DiskOwner, "committed">): void {
    const kept = Math.floor(chance * (this.#unsynced.length + 1));
    for (const { batch } of this.#unsynced.splice(0).slice(0, kept)) {
      this.#written.push({ kind: "batch", batch, at: nowMs });
      owner.committed(batch);
    }
  }

  /**
   * The power is cut: of what was committed in the last moments, and not synced, only the first part is there, `chance`
   * (from 0 up to but not including 1) says how much. Gives the segments that are lost; when there are any, the server
   * has a new name from then on, as its old numbers may be known to others; unless it `isNoticed` by nobody, as when
   * the disk lost whole transactions.
   */
  powerCut(nowMs: number, chance: number, isNoticed = true): readonly Segment[] {
    const synced = this.#written.findIndex(({ at }) => at > nowMs - SYNCED_AFTER_MS);
    const first = synced < 0 ? this.#written.length : synced;
    const least = Math.max(first, this.#written.findLastIndex(isSynced) + 1);
    const kept = least + Math.floor(chance * (this.#written.length - least + 1));
    const { lost } = this.#drop(kept);
    if (lost.length > 0 && isNoticed) {
      const formerServerId = this.#names.at(-1)!;
      this.#names = [...this.#names, this.makeName()];
      this.#cut = {
        formerServerId,
        after: lost[0]!.position - 1,
        entries: lost.reduce((sum, { first, last }) => sum + last - first + 1, 0),
      };
    }
    return lost;
  }

  /** Nothing after so many is there. */
  #drop(kept: number): { readonly lost: readonly Segment[] } {
    this.#lostSince = this.#written[kept]?.at;
    const gone = this.#written.splice(kept).flatMap((written) => written.kind === "batch" ? [written.batch] : []);
    const neverTaken = new Set(gone.map(({ renamed }) => renamed?.serverId));
    // One that was cut back only has the name that it had.
    neverTaken.delete(this.#names[0]);
    this.#names = this.#names.filter((name) => !neverTaken.has(name));
    return { lost: gone.flatMap(({ segments }) => segments) };
  }

  /** What a store on a disk says when it is opened. */
  #state(inner: Store): StoreState {
    const batches = this.#written.flatMap((written) => written.kind === "batch" ? [written.batch] : []);
    const cursors = new Map<number, PlainCursor>();
    const places = new Map<number, StoredPlace>();
    const vector: Record<string, number> = {};
    const tombstones: Record<string, number> = {};
    const notes: Record<string, string> = {};
    let head = 0;
    for (const batch of batches) {
      const { segments, cursors: changed, endedCursors, buried = {}, notes: noted = {}, renamed } = batch;
      if (renamed !== undefined) takeBack(vector, renamed.former, renamed.after);
      for (const [origin, last] of Object.entries(buried)) {
        delete vector[origin];
        tombstones[origin] = Math.max(last, tombstones[origin] ?? 0);
      }
      for (const { position, origin, last } of segments) {
        head = position;
        vector[origin] = last;
        delete tombstones[origin];
      }
      for (const [key, value] of Object.entries(noted)) {
        if (value === null) delete notes[key];
        else notes[key] = value;
      }
      for (const cursor of changed) cursors.set(cursor.id, cursor);
      for (const id of endedCursors) cursors.delete(id);
      for (const place of batch.places ?? []) places.set(place.id, place);
      for (const id of batch.endedPlaces ?? []) places.delete(id);
    }
    const cut = this.#cut;
    this.#cut = undefined;
    return {
      ...inner.opened,
      lamport: batches.at(-1)?.lamport ?? 0,
      head,
      vector: vector as Vector,
      cursors: [...cursors.values()].map((cursor) => ({ ...cursor, lost: true, position: cursor.position ?? head })),
      places: [...places.values()].sort((a, b) => a.id - b.id),
      notes,
      tombstones: tombstones as Vector,
      members: batches.findLast(({ members }) => members !== undefined)?.members ?? [],
      ...(cut === undefined ? {} : { cut }),
    };
  }
}
