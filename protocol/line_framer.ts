/**
 * Cuts bytes into lines. Takes any chunking, in time linear in the bytes, and keeps at most one unfinished line.
 * Reports a fault in words. The codec decides what a line means. Pure: of a chunk, only a copy of its unfinished end is
 * kept.
 */

/** Complete lines without their ends, and the fault, if there was one. Nothing after a fault can be read. */
export interface FramedLines {
  readonly lines: readonly string[];
  readonly problem?: string;
}

/** Says which lines may be longer than others. */
export interface LongLines {
  readonly maxBytes: number;
  /** Whether the line that begins with `head` may be long. Then there is room for it until `end`. */
  begin(head: string): boolean;
  /** The long line is complete, or will never be. */
  end(): void;
}

/** The length of the head: enough to know what a line is. */
const HEAD_BYTES = 1_024;
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const NOTHING: FramedLines = Object.freeze({ lines: Object.freeze([]) });
// A byte order mark is no white space to JSON. It stays in the line, so that the line is refused instead of changed.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Cuts one connection's bytes into lines of UTF-8. */
export class LineFramer {
  #maxLineBytes: number;
  /**
   * The unfinished line. Grows by doubling, so a line that trickles in costs no more time and memory than its length.
   * Absent between lines.
   */
  #unfinished: Uint8Array | undefined;
  #unfinishedBytes = 0;
  readonly #longLines: LongLines | undefined;
  /** Whether the unfinished line is a long one. */
  #isLong = false;

  /** Lines may be `maxLineBytes` long, their end (`\n` or `\r\n`) not counted; longer where `longLines` allow it. */
  constructor(maxLineBytes: number, longLines?: LongLines) {
    this.#maxLineBytes = maxLineBytes;
    this.#longLines = longLines;
  }

  /** Stops reading. */
  end(): void {
    if (this.#isLong) this.#longLines!.end();
    this.#isLong = false;
  }

  /** Whether a line was begun and not ended. */
  get hasUnfinishedLine(): boolean {
    return this.#unfinishedBytes > 0;
  }

  /** From now on lines may be as long as this. */
  allow(maxLineBytes: number): void {
    this.#maxLineBytes = maxLineBytes;
  }

  /** Takes the next bytes and gives the lines that they complete. After a problem, the framer can read no further. */
  push(chunk: Uint8Array): FramedLines {
    const lastNewline = chunk.lastIndexOf(NEWLINE);
    if (lastNewline < 0) return this.#keep(chunk);
    const whole = this.#unfinished === undefined ? chunk.subarray(0, lastNewline) : this.#finish(chunk, lastNewline);
    const framed = this.#decode(whole);
    if (framed.problem !== undefined || lastNewline + 1 === chunk.length) return framed;
    const rest = this.#keep(chunk.subarray(lastNewline + 1));
    return rest.problem === undefined ? framed : { lines: framed.lines, problem: rest.problem };
  }

  #keep(bytes: Uint8Array): FramedLines {
    if (bytes.length === 0) return NOTHING;
    const total = this.#unfinishedBytes + bytes.length;
    // One byte more may still be the carriage return of an allowed line.
    if (total > this.#maxLineBytes + 1 && !this.#mayBe(total, bytes)) return { lines: [], problem: this.#tooLong() };
    if (this.#unfinished === undefined) this.#unfinished = bytes.slice();
    else {
      if (total > this.#unfinished.length) {
        const grown = new Uint8Array(Math.max(total, this.#unfinished.length * 2));
        grown.set(this.#unfinished);
        this.#unfinished = grown;
      }
      this.#unfinished.set(bytes, this.#unfinishedBytes);
    }
    this.#unfinishedBytes = total;
    return NOTHING;
  }

  #finish(chunk: Uint8Array, end: number): Uint8Array {
    const whole = new Uint8Array(this.#unfinishedBytes + end);
    whole.set(this.#unfinished!.subarray(0, this.#unfinishedBytes));
    whole.set(chunk.subarray(0, end), this.#unfinishedBytes);
    this.#unfinished = undefined;
    this.#unfinishedBytes = 0;
    return whole;
  }

  /**
   * Decodes `whole`, which is one or more lines with newlines between them. All lines are decoded in one go, and one by
   * one only to find the faulty line.
   */
  #decode(whole: Uint8Array): FramedLines {
    let text: string;
    try {
      text = decoder.decode(whole);
    } catch {
      return this.#decodeUpToBadLine(whole);
    }
    const lines = text.split("\n");
    for (let index = 0; index < lines.length; index++) {
      let line = lines[index]!;
      if (line.charCodeAt(line.length - 1) === CARRIAGE_RETURN) line = lines[index] = line.slice(0, -1);
      if (line.length * 3 > this.#maxLineBytes) {
        const length = byteLength(line);
        if (length > this.#maxLineBytes && !this.#mayBe(length, line)) {
          return { lines: lines.slice(0, index), problem: this.#tooLong() };
        }
      }
      if (this.#isLong) this.end();
    }
    return { lines };
  }

  #decodeUpToBadLine(whole: Uint8Array): FramedLines {
    let start = 0;
    while (start <= whole.length) {
      const newline = whole.indexOf(NEWLINE, start);
      const end = newline < 0 ? whole.length : newline;
      try {
        decoder.decode(whole.subarray(start, end));
      } catch {
        const before = start === 0 ? NOTHING : this.#decode(whole.subarray(0, start - 1));
        return before.problem === undefined ? { lines: before.lines, problem: "the line is not valid UTF-8" } : before;
      }
      start = end + 1;
    }
    throw new Error("Cannot find the invalid UTF-8 that decoding reported");
  }

  /** Whether a line may have `bytes` so far. `next` follows the unfinished part of the line. */
  #mayBe(bytes: number, next: Uint8Array | string): boolean {
    if (this.#longLines === undefined || bytes > this.#longLines.maxBytes) return false;
    if (this.#isLong) return true;
    const begun = typeof next === "string" ? next : this.#unfinished ?? next;
    const head = typeof begun === "string" ? begun.slice(0, HEAD_BYTES) : headOf(begun);
    return this.#isLong = this.#longLines.begin(head);
  }

  #tooLong(): string {
    return `the line is longer than ${this.#maxLineBytes} bytes`;
  }
}

function headOf(bytes: Uint8Array): string {
  // The cut may fall within a character. That does no harm: everything that matters here is ASCII.
  return new TextDecoder("latin1").decode(bytes.subarray(0, HEAD_BYTES));
}

function byteLength(text: string): number {
  let bytes = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    // A surrogate pair is four bytes: two for each half.
    bytes += code < 0x80 ? 1 : code < 0x800 || (code >= 0xd800 && code <= 0xdfff) ? 2 : 3;
  }
  return bytes;
}
