/**
 * Standard input as lines to publish, each with its number. A line that cannot be read is a fault of its own: a script
 * may leave it out and go on, so reading does not end there. Pure.
 */

/** A line, or why there is none. */
export type InputLine =
  | { readonly number: number; readonly text: string; readonly problem?: never }
  | { readonly number: number; readonly problem: string };

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
/** The marks by which editors and shells of Windows say how a file is written, and what that is. */
const BYTE_ORDER_MARKS: readonly (readonly [bytes: readonly number[], what: string])[] = [
  [[0xef, 0xbb, 0xbf], "save it as UTF-8 without one"],
  [[0xff, 0xfe], "it is UTF-16: save it as UTF-8 without one"],
  [[0xfe, 0xff], "it is UTF-16: save it as UTF-8 without one"],
];

/** Cuts bytes into lines. Keeps one unfinished line, of `maxBytes` at most. */
export class InputLines {
  readonly #maxBytes: number;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  /** The chunks of the unfinished line; what goes beyond the limit is not kept. */
  #unfinished: Uint8Array[] = [];
  #unfinishedBytes = 0;
  #number = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The lines that `chunk` completes. */
  push(chunk: Uint8Array): InputLine[] {
    const lines: InputLine[] = [];
    let start = 0;
    for (;;) {
      const newline = chunk.indexOf(NEWLINE, start);
      if (newline < 0) break;
      this.#keep(chunk.subarray(start, newline));
      lines.push(this.#line());
      start = newline + 1;
    }
    this.#keep(chunk.slice(start));
    return lines;
  }

  /** The last line, where it has no end. */
  end(): InputLine[] {
    return this.#unfinishedBytes === 0 ? [] : [this.#line()];
  }

  #keep(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#unfinishedBytes += bytes.length;
    if (this.#unfinishedBytes <= this.#maxBytes + 1) this.#unfinished.push(bytes);
    else this.#unfinished = [];
  }

  #line(): InputLine {
    const length = this.#unfinishedBytes;
    const parts = this.#unfinished;
    const number = ++this.#number;
    this.#unfinished = [];
    this.#unfinishedBytes = 0;
    let bytes = length > this.#maxBytes + 1 ? undefined : parts.length === 1 ? parts[0]! : joined(parts, length);
    if (bytes?.at(-1) === CARRIAGE_RETURN) bytes = bytes.subarray(0, -1);
    if (bytes === undefined || bytes.length > this.#maxBytes) {
      return { number, problem: `the line is longer than ${this.#maxBytes} bytes` };
    }
    const begin = bytes.subarray(0, 3);
    const mark = BYTE_ORDER_MARKS.find(([mark]) => mark.every((byte, index) => begin[index] === byte));
    if (mark !== undefined && number === 1) return { number, problem: `it begins with a byte order mark; ${mark[1]}` };
    try {
      return { number, text: this.#decoder.decode(bytes) };
    } catch {
      return { number, problem: "the line is not valid UTF-8" };
    }
  }
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
