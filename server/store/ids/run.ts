/**
 * A file of used message ids that is complete: it is only read. What finds a block in it is in memory. One block is
 * read to find an id, and none for nearly every id that is not there. `run_files.ts` opens and writes files.
 */

import { closeSync } from "node:fs";
import { readAt } from "../../../platform/files/in_place.ts";
import { mayHave } from "./id_filter.ts";
import type { KeptId } from "./id_table.ts";
import { BLOCK_BYTES, findInBlock, firstBlockOf, idsInBlock, isWhole, recordAt, type RunHead } from "./run_format.ts";
import type { Source } from "./run_steps.ts";

/** One file. */
export class Run implements Source {
  readonly name: string;
  readonly handle: number;
  readonly meta: RunHead;
  /** Of the whole file. */
  readonly fileBytes: number;
  /** Whether a block was found changed, and its ids have not been read out of the log again since. */
  isDamaged = false;
  /** Whether what the log has of its changed blocks is in the index again. */
  isRepaired = false;
  /** How often it was read to find an id. */
  reads = 0;
  readonly #origins: readonly number[];
  #hasFilter = true;
  #isClosed = false;

  /** `origins` has a number for each name in it. */
  constructor(name: string, handle: number, meta: RunHead, fileBytes: number, origins: readonly number[]) {
    this.name = name;
    this.handle = handle;
    this.meta = meta;
    this.fileBytes = fileBytes;
    this.#origins = origins;
  }

  origin(local: number): number {
    // A number without a name is none of ours: the checksum of its block was right, so it is as good as never.
    return this.#origins[local] ?? 0;
  }

  /** What it takes in memory. */
  get memoryBytes(): number {
    const { fences, filter } = this.meta;
    return fences.byteLength + (this.#hasFilter ? filter.byteLength : 0);
  }

  /** Does without its filter: then a block is read for each id that is asked for. */
  dropFilter(): void {
    this.#hasFilter = false;
    (this.meta as { filter: Uint8Array }).filter = new Uint8Array(0);
  }

  /** Whether it has a filter. */
  get hasFilter(): boolean {
    return this.#hasFilter;
  }

  /** The use with this hash. A changed block counts as one without it. */
  find(h0: number, h1: number, h2: number): KeptId | undefined {
    const { fences, filter, firstOrdinal } = this.meta;
    if (this.#hasFilter && !mayHave(filter, h1, h2)) return undefined;
    for (let block = firstBlockOf(fences, h0); block < fences.length && fences[block]! <= h0 >>> 0; block++) {
      const view = this.#read(block);
      if (view === undefined) continue;
      const index = findInBlock(view, idsInBlock(this.meta, block), h0, h1, h2);
      if (index < 0) continue;
      const { origin, sequence, usedAt, ordinal } = recordAt(view, index, firstOrdinal);
      return { origin: this.origin(origin), sequence, usedAt, ordinal };
    }
    return undefined;
  }

  /** A changed block was found. */
  damaged(): void {
    this.isDamaged = !this.isRepaired;
  }

  /** What the log has of its ids is in the index again. */
  repaired(): void {
    this.isDamaged = false;
    this.isRepaired = true;
  }

  close(): void {
    if (!this.#isClosed) closeSync(this.handle);
    this.#isClosed = true;
  }

  #read(block: number): DataView | undefined {
    this.reads++;
    const bytes = new Uint8Array(BLOCK_BYTES);
    if (readBlocks(this.handle, block * BLOCK_BYTES, bytes) && isWhole(bytes)) return new DataView(bytes.buffer);
    this.damaged();
    return undefined;
  }
}

/** Fills `into` with what stands from `start` on. False if that cannot be read. */
export function readBlocks(handle: number, start: number, into: Uint8Array): boolean {
  try {
    return readAt(handle, start, into) === into.length;
  } catch {
    // The ids of this place count as missing. Where the whole disk fails, the log says so.
    return false;
  }
}
