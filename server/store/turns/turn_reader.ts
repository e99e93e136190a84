/**
 * Reads the turns behind those that the database has, when a store is opened, and says how the log ends. A turn that
 * was not whole when the program was killed was not acknowledged. Turns of which a part is missing although something
 * comes after them were lost in a power cut.
 */

import { framesIn } from "./frame_scan.ts";
import { DamagedFileError } from "../sqlite/sqlite_errors.ts";
import { decodeTurn, findRecord, type ReadTurn, RECORD_BYTES } from "./turn_record.ts";

/** Where the log goes on, and with which turn. */
export interface LogPlace {
  readonly file: number;
  readonly end: number;
  /** The turn that ends there. */
  readonly turn: number;
}

/** A turn in its file. */
export interface FoundTurn extends ReadTurn {
  readonly file: number;
  readonly start: number;
}

/**
 * How the log ends: with a whole turn, with the first part of one, or with something else: what was written there is
 * not there any more.
 */
export interface LogEnd extends LogPlace {
  readonly kind: "whole" | "torn" | "lost";
  /** Entries in whole frames behind the end. */
  readonly entries: number;
}

/** What of the files is looked at. */
export interface ReadFiles {
  /** The numbers of all files, in order. */
  readonly numbers: readonly number[];
  /** Bytes of a file; fewer at its end. Throws the errors of node:fs. */
  read(file: number, start: number, size: number): Uint8Array;
  nameOf(file: number): string;
}

/** Read at once. */
const CHUNK_BYTES = 4_194_304;
/** So many zeros stand in no turn: a file system shows them where bytes did not come to the disk. */
const ZEROS = 64;

/**
 * The turns behind `place`, in order; how the log ends is the result. Without a place there are none. Throws the errors
 * of node:fs, and `DamagedFileError` if a newer program wrote a turn.
 */
export function* readTurns(files: ReadFiles, place: LogPlace | undefined): Generator<FoundTurn, LogEnd> {
  if (place === undefined) return { file: 0, end: 0, turn: 0, kind: "whole", entries: 0 };
  let { file, end, turn } = place;
  const hasBytes = (file: number, at: number) =>
    files.numbers.includes(file) && files.read(file, at, RECORD_BYTES).length > 0;
  const reader = new TurnReader(files);
  const isShort = end > 0 && (!files.numbers.includes(file) || files.read(file, end - 1, 1).length === 0);
  if (isShort) return { file, end, turn, kind: "lost", entries: entriesBehind(files, file + 1, 0) };
  for (;;) {
    const found = reader.turnAt(file, end);
    if (found?.turn === turn + 1) {
      yield { ...found, file, start: end };
      turn = found.turn;
      end += found.length;
      continue;
    }
    const isEnd = !hasBytes(file, end);
    const next = files.numbers.find((number) => number > file && hasBytes(number, 0));
    if (isEnd && next === undefined) return { file, end, turn, kind: "whole", entries: 0 };
    if (isEnd && reader.turnAt(next!, 0)?.turn === turn + 1) {
      [file, end] = [next!, 0];
      continue;
    }
    const entries = entriesBehind(files, file, end);
    const isLost = next !== undefined || hasRecord(files, file, end) || endsInZeros(files, file, end);
    return { file, end, turn, kind: isLost ? "lost" : "torn", entries };
  }
}

/** Reads turns that mostly follow each other. */
class TurnReader {
  readonly #files: ReadFiles;
  #file = 0;
  #start = 0;
  #bytes: Uint8Array = new Uint8Array(0);

  constructor(files: ReadFiles) {
    this.#files = files;
  }

  /** The turn that begins there; `undefined` if none does that is whole. */
  turnAt(file: number, start: number): ReadTurn | undefined {
    if (!this.#files.numbers.includes(file)) return undefined;
    const isHere = file === this.#file && start >= this.#start && start <= this.#start + this.#bytes.length;
    if (!isHere) this.#read(file, start, CHUNK_BYTES);
    for (let size = CHUNK_BYTES;; size *= 4) {
      const decoded = decodeTurn(this.#bytes, start - this.#start);
      if (decoded.ok) return decoded.turn;
      if (decoded.problem === "newer") {
        throw new DamagedFileError(this.#files.nameOf(file), "has a turn in a form which a newer program wrote");
      }
      if (decoded.problem === "wrong") return undefined;
      const had = this.#start + this.#bytes.length;
      this.#read(file, start, size);
      if (this.#start + this.#bytes.length === had) return undefined;
    }
  }

  #read(file: number, start: number, size: number): void {
    this.#bytes = this.#files.read(file, start, size);
    [this.#file, this.#start] = [file, start];
  }
}

/** Entries in whole frames behind the beginning of a turn that is not whole. */
function entriesBehind(files: ReadFiles, file: number, end: number): number {
  let entries = 0;
  for (const number of files.numbers.filter((number) => number >= file)) {
    const from = number === file ? end : 0;
    for (const { frame: { first, last } } of framesIn((start, size) => files.read(number, start, size), from)) {
      entries += last - first + 1;
    }
  }
  return entries;
}

/** Whether a turn ends behind this place: it was written as a whole, and something before its end is missing. */
function hasRecord(files: ReadFiles, file: number, end: number): boolean {
  for (let at = end;;) {
    const bytes = files.read(file, at, CHUNK_BYTES);
    if (findRecord(bytes)) return true;
    if (bytes.length < CHUNK_BYTES) return false;
    at += bytes.length - RECORD_BYTES + 1;
  }
}

function endsInZeros(files: ReadFiles, file: number, end: number): boolean {
  let last = new Uint8Array(0);
  for (let at = end;;) {
    const bytes = files.read(file, at, CHUNK_BYTES);
    if (bytes.length === 0) return last.length >= ZEROS && last.subarray(-ZEROS).every((byte) => byte === 0);
    last = bytes.length >= ZEROS ? bytes.slice(-ZEROS) : Uint8Array.from([...last, ...bytes]);
    at += bytes.length;
  }
}
