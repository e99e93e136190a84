/**
 * Makes the files of the index out of a table, or out of other files, in small steps. A step says what is to be read or
 * written; `run_files.ts` does it, at once or in the background. Pure.
 */

import { compareHashes, type HashedId, type IdTable } from "./id_table.ts";
import {
  BLOCK_BYTES,
  BLOCK_IDS,
  idsInBlock,
  isWhole,
  recordAt,
  type RunEncoder,
  type RunHead,
  type RunMeta,
} from "./run_format.ts";

/** What is to be done before the next step. */
export type Step<S> =
  | { readonly kind: "write"; readonly parts: readonly Uint8Array[] }
  /** Fill `into` with the bytes of `source` from `start` on. What cannot be read is left as it is. */
  | { readonly kind: "read"; readonly source: S; readonly start: number; readonly into: Uint8Array };

/** A file to take ids from. */
export interface Source {
  readonly meta: RunMeta;
  /** The number outside of the file for an origin in it. */
  origin(local: number): number;
}

/** What came of it. */
export interface Made {
  readonly head: RunHead;
  /** Blocks that had changed: their ids are not in the new file. */
  readonly damagedBlocks: number;
}

/**
 * Blocks that are read or written at once: 64 KiB. Where writing takes place on the thread of the event loop, as with
 * Deno 2.9, it takes 0.3 ms.
 */
const STEP_BLOCKS = 16;
const STEP_IDS = STEP_BLOCKS * BLOCK_IDS;

/** Writes the ids of a table, those that `isKept` wants. */
export function* stepsOfTable(
  table: IdTable,
  encoder: RunEncoder,
  isKept: (id: HashedId) => boolean,
): Generator<Step<never>, Made> {
  const homes = 2 ** table.bits;
  const homesInStep = Math.min(homes, STEP_IDS);
  for (let from = 0; from < homes; from += homesInStep) {
    for (const id of table.sorted(from, from + homesInStep)) if (isKept(id)) encoder.add(id);
    yield { kind: "write", parts: encoder.take() };
  }
  const { parts, head } = encoder.finish();
  yield* written(parts);
  return { head, damagedBlocks: 0 };
}

/**
 * Writes the ids of several files, oldest first, those that `isKept` wants. Of two equal ids the newer one counts: it
 * was used when the older one had been forgotten.
 */
export function* stepsOfMerge<S extends Source>(
  sources: readonly S[],
  encoder: RunEncoder,
  isKept: (id: HashedId) => boolean,
): Generator<Step<S>, Made> {
  const readers = sources.map((source) => new BlockReader(source));
  for (let sinceWriting = 0;;) {
    for (const reader of readers) if (reader.isEmpty) yield* reader.read();
    const lowest = lowestOf(readers);
    if (lowest === undefined) break;
    if (isKept(lowest)) encoder.add(lowest);
    if (++sinceWriting < STEP_IDS) continue;
    sinceWriting = 0;
    yield { kind: "write", parts: encoder.take() };
  }
  const { parts, head } = encoder.finish();
  yield* written(parts);
  return { head, damagedBlocks: readers.reduce((sum, { damagedBlocks }) => sum + damagedBlocks, 0) };
}

/** Takes the lowest id out of all readers that have it, and gives the one of the newest file. */
function lowestOf<S extends Source>(readers: readonly BlockReader<S>[]): HashedId | undefined {
  let lowest: HashedId | undefined;
  for (const { next } of readers) {
    if (next !== undefined && (lowest === undefined || compareHashes(next, lowest) <= 0)) lowest = next;
  }
  if (lowest === undefined) return undefined;
  for (const reader of readers) {
    if (reader.next !== undefined && compareHashes(reader.next, lowest) === 0) reader.advance();
  }
  return lowest;
}

/** Goes through the whole blocks of one file. */
class BlockReader<S extends Source> {
  damagedBlocks = 0;
  /** The id that comes next, of what was read. */
  next: HashedId | undefined;
  readonly #source: S;
  readonly #blocks: number;
  #bytes = new Uint8Array(0);
  /** The block that begins in `#bytes`. */
  #firstBlock = 0;
  #block = 0;
  #index = 0;
  #count = 0;
  #view = new DataView(new ArrayBuffer(0));

  constructor(source: S) {
    this.#source = source;
    this.#blocks = Math.ceil(source.meta.ids / BLOCK_IDS);
  }

  /** Whether more has to be read before `next` is known. */
  get isEmpty(): boolean {
    return this.next === undefined && this.#block < this.#blocks;
  }

  /** Reads on, up to the next whole block. */
  *read(): Generator<Step<S>, void> {
    while (this.isEmpty) {
      const count = Math.min(STEP_BLOCKS, this.#blocks - this.#block);
      this.#bytes = new Uint8Array(count * BLOCK_BYTES);
      this.#firstBlock = this.#block;
      yield { kind: "read", source: this.#source, start: this.#block * BLOCK_BYTES, into: this.#bytes };
      this.#beginBlock();
    }
  }

  /** Goes to the next id in what was read. */
  advance(): void {
    this.#index++;
    if (this.#index === this.#count) {
      this.#block++;
      this.#beginBlock();
    } else this.#take();
  }

  #beginBlock(): void {
    this.next = undefined;
    for (;; this.#block++) {
      const start = (this.#block - this.#firstBlock) * BLOCK_BYTES;
      if (start >= this.#bytes.length) return;
      const block = this.#bytes.subarray(start, start + BLOCK_BYTES);
      if (isWhole(block)) {
        this.#view = new DataView(block.buffer, block.byteOffset, BLOCK_BYTES);
        break;
      }
      this.damagedBlocks++;
    }
    this.#index = 0;
    this.#count = idsInBlock(this.#source.meta, this.#block);
    this.#take();
  }

  #take(): void {
    const id = recordAt(this.#view, this.#index, this.#source.meta.firstOrdinal);
    this.next = { ...id, origin: this.#source.origin(id.origin) };
  }
}

/** In pieces that are no longer than a step. */
function* written(parts: readonly Uint8Array[]): Generator<Step<never>, void> {
  for (const part of parts) {
    for (let at = 0; at < part.length; at += STEP_BLOCKS * BLOCK_BYTES) {
      yield { kind: "write", parts: [part.subarray(at, at + STEP_BLOCKS * BLOCK_BYTES)] };
    }
  }
}
