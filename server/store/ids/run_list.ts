/**
 * The complete files of the index, in the order of the log: looks an id up in them, and keeps their number and what
 * they take in memory within bounds. `id_index.ts` decides when files are made.
 */

import type { HashedId, KeptId } from "./id_table.ts";
import type { Run } from "./run.ts";
import { inOrder, planMerge } from "./run_plan.ts";

/** Files that become one. */
export interface Merge {
  readonly runs: readonly Run[];
  readonly from: number;
  readonly to: number;
  readonly ids: number;
  readonly firstOrdinal: number;
}

/** What decides whether an id counts. */
export interface Liveness {
  /** Ids used before this are forgotten. */
  readonly usedBefore: number;
  /** Of clients without a name, only ids with ordinals above this are kept. */
  readonly lastForgottenOrdinal: number;
}

/** Whether an id is not forgotten. */
export function isKept({ usedAt, ordinal }: KeptId, { usedBefore, lastForgottenOrdinal }: Liveness): boolean {
  return usedAt >= usedBefore && (ordinal === 0 || ordinal > lastForgottenOrdinal);
}

/** The files of one folder. */
export class RunList {
  /**
   * Numbers of files that count no more, and may be in the folder still. Every new file says that it replaces them:
   * otherwise one of them would count again when the file that replaced it is replaced itself, as by a cut.
   */
  readonly leaving = new Set<number>();
  readonly #maxFilterBytes: number;
  #runs: Run[] = [];
  #reads = 0;

  /** Filters take at most this much memory: beyond it the largest files do without one. */
  constructor(maxFilterBytes: number) {
    this.#maxFilterBytes = maxFilterBytes;
  }

  /** Oldest first. */
  get all(): readonly Run[] {
    return this.#runs;
  }

  /** The use with this hash in the newest file that has it. */
  find(h0: number, h1: number, h2: number): KeptId | undefined {
    for (let index = this.#runs.length - 1; index >= 0; index--) {
      const found = this.#runs[index]!.find(h0, h1, h2);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Blocks that were read to find ids, since the start. */
  get reads(): number {
    return this.#runs.reduce((sum, { reads }) => sum + reads, this.#reads);
  }

  get memoryBytes(): number {
    return this.#runs.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
  }

  get fileBytes(): number {
    return this.#runs.reduce((sum, { fileBytes }) => sum + fileBytes, 0);
  }

  /** Ids in them, those that are forgotten and still there included. */
  get ids(): number {
    return this.#runs.reduce((sum, { meta }) => sum + meta.ids, 0);
  }

  /** All entries up to this position have their ids in files. */
  get completeUpTo(): number {
    return this.#runs.reduce((last, { meta }) => Math.max(last, meta.to), 0);
  }

  /** The time before which ids are forgotten, as the files know it. */
  get usedBefore(): number {
    return this.#runs.reduce((last, { meta }) => Math.max(last, meta.forgottenBefore), 0);
  }

  get lastOrdinal(): number {
    return this.#runs.reduce((last, { meta }) => Math.max(last, meta.lastOrdinal), 0);
  }

  get lastSerial(): number {
    return this.#runs.reduce((last, { meta }) => Math.max(last, meta.serial), 0);
  }

  /** Puts a file in, in place of others. These are closed; the caller removes them. */
  put(run: Run, replaced: readonly Run[] = []): void {
    this.drop(replaced);
    for (const { meta } of replaced) this.leaving.add(meta.serial);
    this.#runs = [...this.#runs, run].sort((a, b) => inOrder(a.meta, b.meta));
    let bytes = this.memoryBytes;
    while (bytes > this.#maxFilterBytes) {
      const withFilters = this.#runs.filter(({ hasFilter }) => hasFilter);
      const largest = withFilters.reduce<Run | undefined>(
        (large, next) => large === undefined || next.memoryBytes > large.memoryBytes ? next : large,
        undefined,
      );
      if (largest === undefined) return;
      largest.dropFilter();
      bytes = this.memoryBytes;
    }
  }

  /** Takes files out, and closes them. */
  drop(runs: readonly Run[]): void {
    for (const run of runs) {
      this.#reads += run.reads;
      run.close();
    }
    this.#runs = this.#runs.filter((run) => !runs.includes(run));
  }

  /** Up to this position the log is not read for ids, as the files know it: all of them are forgotten. */
  get baseline(): number {
    return this.#runs.reduce((last, { meta }) => Math.max(last, meta.baseline), 0);
  }

  /** The oldest files, if they have nothing that counts. The newest says how far the index is complete, and stays. */
  forgotten(usedBefore: number): readonly Run[] {
    const first = this.#runs.findIndex(({ meta }) => meta.ids > 0 && meta.usedTo >= usedBefore);
    const forgotten = this.#runs.slice(0, first < 0 ? -1 : Math.min(first, this.#runs.length - 1));
    return forgotten.some(({ meta }) => meta.ids > 0) ? forgotten : [];
  }

  /** What is to be merged next. */
  get merge(): Merge | undefined {
    const plan = planMerge(this.#runs.map(({ meta }) => meta));
    if (plan === undefined) return undefined;
    const runs = this.#runs.slice(plan.from, plan.to);
    return {
      runs,
      from: Math.min(...runs.map(({ meta }) => meta.from)),
      to: Math.max(...runs.map(({ meta }) => meta.to)),
      ids: runs.reduce((sum, { meta }) => sum + meta.ids, 0),
      firstOrdinal: Math.min(...runs.map(({ meta }) => meta.firstOrdinal)),
    };
  }

  close(): void {
    for (const run of this.#runs) run.close();
  }
}

/** What `stepsOfMerge` and `stepsOfTable` leave out. */
export function keeps(liveness: Liveness): (id: HashedId) => boolean {
  return (id) => isKept(id, liveness);
}
