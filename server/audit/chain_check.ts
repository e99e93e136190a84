/** Follows the chain of an audit log, line by line, and says where it breaks. Pure: the caller reads the files. */

import { CHAIN_BEGINNING, type ChainEnd, type HashLine, placeOf } from "./audit_line.ts";

/** Where a chain breaks. */
export interface Break {
  /** The name of the file, and the line in it, from 1 on. */
  readonly file: string;
  readonly line: number;
  /** In words. */
  readonly what: string;
}

/** What is known of an audit log. */
export interface ChainReport {
  /** Lines that were read, also those that are broken. */
  readonly lines: number;
  /** The number of the first line that is kept; 0 for an empty log. Earlier lines went with files that were removed. */
  readonly first: number;
  readonly end: ChainEnd;
  /** The first ones. */
  readonly breaks: readonly Break[];
  /** All of them. */
  readonly broken: number;
}

/** More breaks are counted and not named. */
const MAX_NAMED = 20;

/** Takes the lines of a log, oldest first. */
export class ChainCheck {
  readonly #hash: HashLine;
  readonly #breaks: Break[] = [];
  #end: ChainEnd = CHAIN_BEGINNING;
  #lines = 0;
  #first = 0;
  #broken = 0;

  constructor(hash: HashLine) {
    this.#hash = hash;
  }

  /** The next line, without its end. */
  take(file: string, line: number, text: string): void {
    const place = placeOf(text);
    const before = this.#end;
    const isFirst = this.#lines === 0;
    this.#lines++;
    if (place === undefined) this.#break(file, line, "it is no line of an audit log");
    // What stood before the oldest file that is kept is gone, and its hash with it.
    else if (!isFirst && place.number !== before.number + 1) {
      this.#break(file, line, `it is number ${place.number}, and number ${before.number + 1} should come here`);
    } else if ((!isFirst || place.number === 1) && place.before !== before.hash) {
      this.#break(file, line, "the line before it is not the one that stood there");
    }
    if (isFirst) this.#first = place?.number ?? 0;
    // The chain goes on from what is there, so that one break is told once.
    this.#end = { number: place?.number ?? before.number + 1, hash: this.#hash(text) };
  }

  /** The last line of `file` has no end. */
  unfinished(file: string, line: number): void {
    this.#break(file, line, "it has no end: something was cut, or the server is writing it just now");
  }

  get report(): ChainReport {
    return { lines: this.#lines, first: this.#first, end: this.#end, breaks: this.#breaks, broken: this.#broken };
  }

  #break(file: string, line: number, what: string): void {
    this.#broken++;
    if (this.#breaks.length < MAX_NAMED) this.#breaks.push({ file, line, what });
  }
}
