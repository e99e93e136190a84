/**
 * The form of a file of used message ids (a run): records in the order of their hashes, in blocks with a checksum each,
 * and behind them what finds a block without reading it. docs/storage.md describes the form; written files keep it.
 * Pure.
 */

import { checksumOf } from "../sqlite/checksum.ts";
import { addTo, emptyFilter } from "./id_filter.ts";
import type { HashedId } from "./id_table.ts";
import { SECRET_BYTES } from "./keyed_hash.ts";

/** What a file says of itself. */
export interface RunMeta {
  /** Files are numbered in the order in which they were begun. */
  readonly serial: number;
  /** The ids of all entries of the log after `from` and up to `to` are in it. */
  readonly from: number;
  readonly to: number;
  readonly ids: number;
  /** The numbers of the files that it was made of: they do not count any more. */
  readonly replaces: readonly number[];
  /** The names of their origins; records have the numbers of these. */
  readonly origins: readonly string[];
  /** The key of the hashes, in hexadecimal. */
  readonly secret: string;
  /** When the oldest and the newest id were used. */
  readonly usedFrom: number;
  readonly usedTo: number;
  /** Ids used before this had been forgotten when the file was written. */
  readonly forgottenBefore: number;
  /** Up to this position the log need not be read for ids: all of them had been forgotten. */
  readonly baseline: number;
  /** The ordinals in it are after the first and up to the last. */
  readonly firstOrdinal: number;
  readonly lastOrdinal: number;
}

/** A file, without its records. */
export interface RunHead extends RunMeta {
  /** The first words of the first hash of each block. */
  readonly fences: Uint32Array;
  readonly filter: Uint8Array;
}

/** Read at once to find one id. */
export const BLOCK_BYTES = 4_096;
const RECORD_BYTES = 32;
/** Records of a block; its last four bytes are the checksum of the others. */
export const BLOCK_IDS = 127;
const CHECKSUM_AT = BLOCK_BYTES - 4;
/** The last bytes of a file: the length and checksum of the description, form, and mark. */
export const TRAILER_BYTES = 16;
const FORM = 1;
/** "ids\xf6", little-endian. */
const MAGIC = 0xf6736469;
/** 2^48: places and times have six bytes. */
const MAX_VALUE = 0x1_0000_0000_0000 - 1;
const AT = { h0: 0, h1: 4, h2: 8, origin: 12, ordinal: 16, sequence: 20, usedAt: 26 } as const;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** What the encoder does not find out by itself. */
export type GivenMeta = Pick<
  RunMeta,
  "serial" | "from" | "to" | "replaces" | "secret" | "forgottenBefore" | "baseline" | "firstOrdinal"
>;

/** Makes the bytes of a file, piece by piece. */
export class RunEncoder {
  readonly #given: GivenMeta;
  readonly #nameOf: (origin: number) => string;
  /** By the number outside of the file. */
  readonly #origins = new Map<number, number>();
  readonly #names: string[] = [];
  readonly #fences: number[] = [];
  readonly #filter: Uint8Array;
  #blocks: Uint8Array[] = [];
  #inBlock = BLOCK_IDS;
  #ids = 0;
  #usedFrom = Infinity;
  #usedTo = 0;
  #lastOrdinal: number;

  /** For at most `mostIds`. `nameOf` gives the name of an origin. */
  constructor(given: GivenMeta, mostIds: number, nameOf: (origin: number) => string) {
    this.#given = given;
    this.#nameOf = nameOf;
    this.#filter = emptyFilter(mostIds);
    this.#lastOrdinal = given.firstOrdinal;
  }

  /** The number of the file. */
  get serial(): number {
    return this.#given.serial;
  }

  /** Adds an id: after those with lower hashes. */
  add({ h0, h1, h2, origin, sequence, usedAt, ordinal }: HashedId): void {
    if (this.#inBlock === BLOCK_IDS) this.#beginBlock(h0);
    const block = this.#blocks.at(-1)!;
    const view = new DataView(block.buffer, this.#inBlock * RECORD_BYTES, RECORD_BYTES);
    view.setInt32(AT.h0, h0, true);
    view.setInt32(AT.h1, h1, true);
    view.setInt32(AT.h2, h2, true);
    view.setUint32(AT.origin, this.#originOf(origin), true);
    view.setUint32(AT.ordinal, ordinal === 0 ? 0 : ordinal - this.#given.firstOrdinal, true);
    setUint48(view, AT.sequence, sequence);
    setUint48(view, AT.usedAt, usedAt);
    addTo(this.#filter, h1, h2);
    this.#inBlock++;
    this.#ids++;
    this.#usedFrom = Math.min(this.#usedFrom, usedAt);
    this.#usedTo = Math.max(this.#usedTo, usedAt);
    this.#lastOrdinal = Math.max(this.#lastOrdinal, ordinal);
  }

  /** The complete blocks since the last call. */
  take(): Uint8Array[] {
    const isWhole = this.#inBlock === BLOCK_IDS;
    const blocks = isWhole ? this.#blocks : this.#blocks.slice(0, -1);
    this.#blocks = isWhole ? [] : this.#blocks.slice(-1);
    for (const block of blocks) seal(block);
    return blocks;
  }

  /** The rest of the file, and what is kept of it in memory. */
  finish(): { readonly parts: readonly Uint8Array[]; readonly head: RunHead } {
    const blocks = this.#blocks;
    for (const block of blocks) seal(block);
    const fences = Uint32Array.from(this.#fences);
    const filter = this.#filter;
    const meta: RunMeta = {
      ...this.#given,
      ids: this.#ids,
      origins: this.#names,
      usedFrom: this.#ids === 0 ? 0 : this.#usedFrom,
      usedTo: this.#usedTo,
      lastOrdinal: this.#lastOrdinal,
    };
    const fenceBytes = littleEndian(fences);
    const described = {
      ...meta,
      ...{ fences: fences.length, fencesChecksum: checksumOf(fenceBytes) },
      ...{ filter: filter.length, filterChecksum: checksumOf(filter) },
    };
    const description = encoder.encode(JSON.stringify(described));
    const trailer = new Uint8Array(TRAILER_BYTES);
    const view = new DataView(trailer.buffer);
    view.setUint32(0, description.length, true);
    view.setUint32(4, checksumOf(description), true);
    view.setUint32(8, FORM, true);
    view.setUint32(12, MAGIC, true);
    return { parts: [...blocks, fenceBytes, filter, description, trailer], head: { ...meta, fences, filter } };
  }

  #beginBlock(h0: number): void {
    this.#fences.push(h0 >>> 0);
    this.#blocks.push(new Uint8Array(BLOCK_BYTES));
    this.#inBlock = 0;
  }

  #originOf(origin: number): number {
    let local = this.#origins.get(origin);
    if (local === undefined) {
      local = this.#names.length;
      this.#names.push(this.#nameOf(origin));
      this.#origins.set(origin, local);
    }
    return local;
  }
}

/** The length of the description before the trailer, and its checksum; `undefined` if it is no trailer. */
export function readTrailer(trailer: Uint8Array): { readonly length: number; readonly checksum: number } | undefined {
  if (trailer.length !== TRAILER_BYTES) return undefined;
  const view = new DataView(trailer.buffer, trailer.byteOffset, TRAILER_BYTES);
  if (view.getUint32(8, true) !== FORM || view.getUint32(12, true) !== MAGIC) return undefined;
  return { length: view.getUint32(0, true), checksum: view.getUint32(4, true) };
}

/** A description, and where the parts that it describes begin. */
export interface Described {
  readonly meta: RunMeta;
  readonly fences: { readonly start: number; readonly length: number; readonly checksum: number };
  readonly filter: { readonly start: number; readonly length: number; readonly checksum: number };
}

/** Reads the description of a file of this size; `undefined` if it has changed. */
export function readDescription(bytes: Uint8Array, checksum: number, fileBytes: number): Described | undefined {
  if (checksumOf(bytes) !== checksum) return undefined;
  const { fences, fencesChecksum, filter, filterChecksum, ...meta } = JSON.parse(decoder.decode(bytes)) as RunMeta & {
    readonly fences: number;
    readonly fencesChecksum: number;
    readonly filter: number;
    readonly filterChecksum: number;
  };
  const start = fences * BLOCK_BYTES;
  const end = start + 4 * fences + filter + bytes.length + TRAILER_BYTES;
  if (fences !== Math.ceil(meta.ids / BLOCK_IDS) || end !== fileBytes) return undefined;
  if (meta.secret.length !== 2 * SECRET_BYTES) return undefined;
  return {
    meta,
    fences: { start, length: 4 * fences, checksum: fencesChecksum },
    filter: { start: start + 4 * fences, length: filter, checksum: filterChecksum },
  };
}

/** The fences in their bytes. */
export function readFences(bytes: Uint8Array): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Uint32Array.from({ length: bytes.length / 4 }, (_, index) => view.getUint32(4 * index, true));
}

/** The first block that can have a hash with this first word. The later ones begin with higher hashes from some on. */
export function firstBlockOf(fences: Uint32Array, h0: number): number {
  const wanted = h0 >>> 0;
  let [low, high] = [0, fences.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (fences[middle]! < wanted) low = middle + 1;
    else high = middle;
  }
  // Hashes with the same first word may begin at the end of the block before.
  return Math.max(0, low - 1);
}

/** Whether a block is as it was written. */
export function isWhole(block: Uint8Array): boolean {
  const view = new DataView(block.buffer, block.byteOffset, BLOCK_BYTES);
  return checksumOf(block.subarray(0, CHECKSUM_AT)) === view.getUint32(CHECKSUM_AT, true);
}

/** The number of records in a block of a file. */
export function idsInBlock({ ids }: RunMeta, block: number): number {
  return Math.min(BLOCK_IDS, ids - block * BLOCK_IDS);
}

/** The place of a hash among the first `count` records of a block; -1 if it is not there. */
export function findInBlock(block: DataView, count: number, h0: number, h1: number, h2: number): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >> 1;
    const at = middle * RECORD_BYTES;
    const order = block.getUint32(at + AT.h0, true) - (h0 >>> 0) ||
      block.getUint32(at + AT.h1, true) - (h1 >>> 0) ||
      block.getUint32(at + AT.h2, true) - (h2 >>> 0);
    if (order === 0) return middle;
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return -1;
}

/** A record. `origin` is the number of the name in the file's description. */
export function recordAt(block: DataView, index: number, firstOrdinal: number): HashedId {
  const at = index * RECORD_BYTES;
  const ordinal = block.getUint32(at + AT.ordinal, true);
  return {
    h0: block.getInt32(at + AT.h0, true),
    h1: block.getInt32(at + AT.h1, true),
    h2: block.getInt32(at + AT.h2, true),
    origin: block.getUint32(at + AT.origin, true),
    ordinal: ordinal === 0 ? 0 : firstOrdinal + ordinal,
    sequence: getUint48(block, at + AT.sequence),
    usedAt: getUint48(block, at + AT.usedAt),
  };
}

/** A time as the index keeps it. */
export function keptTime(usedAt: number): number {
  return Math.min(MAX_VALUE, Math.max(0, Math.floor(usedAt)));
}

function seal(block: Uint8Array): void {
  new DataView(block.buffer).setUint32(CHECKSUM_AT, checksumOf(block.subarray(0, CHECKSUM_AT)), true);
}

function setUint48(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % 0x1_0000_0000, true);
  view.setUint16(at + 4, Math.floor(value / 0x1_0000_0000), true);
}

function getUint48(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint16(at + 4, true) * 0x1_0000_0000;
}

function littleEndian(words: Uint32Array): Uint8Array {
  const bytes = new Uint8Array(4 * words.length);
  const view = new DataView(bytes.buffer);
  words.forEach((word, index) => view.setUint32(4 * index, word, true));
  return bytes;
}
