/**
 * Counting messages in a stream of bytes, whatever the chunking, at a few nanoseconds a message: a generator that
 * parsed what it receives would be slower than the servers that it measures. Pure.
 */

/** Counts the messages of one connection. */
export interface Counter {
  /** Takes the next bytes; returns how many messages they complete. The bytes are not kept. */
  push(bytes: Uint8Array): number;
}

const NEWLINE = 0x0a;

/**
 * Counts lines that are all about equally long. A line is expected to be as long as the one before it, so that one look
 * at one byte finds its end; where it is not (a counter got another digit) its end is searched for. Exact as long as no
 * line is shorter than half of another.
 */
export class LineCounter implements Counter {
  /** Of the line before, its end included. */
  #length = 1;
  /** Bytes of the unfinished line that earlier chunks held. */
  #carried = 0;

  push(bytes: Uint8Array): number {
    let lines = 0;
    // Negative while the line began in an earlier chunk.
    let start = -this.#carried;
    for (;;) {
      const expected = start + this.#length;
      if (expected > 0 && bytes[expected - 1] === NEWLINE) {
        start = expected;
      } else {
        const end = bytes.indexOf(NEWLINE, Math.max(start, 0)) + 1;
        if (end === 0) break;
        this.#length = end - start;
        start = end;
      }
      lines++;
    }
    this.#carried = bytes.length - start;
    return lines;
  }
}

/**
 * Counts messages of one fixed length that begin with one fixed byte. Between them there may be lines that begin with
 * another byte (the PING of nats-server): these are passed over.
 */
export class FrameCounter implements Counter {
  readonly #firstByte: number;
  readonly #frameBytes: number;
  /** Bytes of the frame that is being read which have not come yet. */
  #missing = 0;
  #inLine = false;

  constructor(firstByte: string, frameBytes: number) {
    this.#firstByte = firstByte.charCodeAt(0);
    this.#frameBytes = frameBytes;
  }

  push(bytes: Uint8Array): number {
    let frames = 0;
    let at = 0;
    while (at < bytes.length) {
      if (this.#missing === 0 && (this.#inLine || bytes[at] !== this.#firstByte)) {
        const end = bytes.indexOf(NEWLINE, at) + 1;
        this.#inLine = end === 0;
        if (this.#inLine) break;
        at = end;
        continue;
      }
      if (this.#missing === 0) this.#missing = this.#frameBytes;
      const taken = Math.min(this.#missing, bytes.length - at);
      at += taken;
      this.#missing -= taken;
      if (this.#missing === 0) frames++;
    }
    return frames;
  }
}

/** Of a line that came in pieces, so much of its beginning is kept: enough for an answer. */
const KEPT_OF_LINE = 384;

/**
 * Counts lines, of any length, that begin with `mark`: the answers among other lines. A line that answers all
 * up to a number (`"upTo"`) counts as those that were not answered before.
 */
export class MarkedLineCounter implements Counter {
  readonly #mark: Uint8Array;
  /** The beginning of an unfinished line, and how long it is. */
  readonly #kept = new Uint8Array(KEPT_OF_LINE);
  #keptBytes = 0;
  #counted = 0;

  constructor(mark: string) {
    this.#mark = new TextEncoder().encode(mark);
  }

  push(bytes: Uint8Array): number {
    const before = this.#counted;
    for (let start = 0; start < bytes.length;) {
      const newline = bytes.indexOf(NEWLINE, start);
      const end = newline < 0 ? bytes.length : newline + 1;
      if (newline >= 0 && this.#keptBytes === 0) this.#take(bytes, start, end);
      else {
        const room = Math.min(end - start, KEPT_OF_LINE - this.#keptBytes);
        this.#kept.set(bytes.subarray(start, start + room), this.#keptBytes);
        this.#keptBytes += room;
        if (newline >= 0) this.#take(this.#kept, 0, this.#keptBytes);
        if (newline >= 0) this.#keptBytes = 0;
      }
      start = end;
    }
    return this.#counted - before;
  }

  #take(bytes: Uint8Array, start: number, end: number): void {
    if (end - start < this.#mark.length) return;
    for (let at = 0; at < this.#mark.length; at++) if (bytes[start + at] !== this.#mark[at]) return;
    const upTo = /"upTo":(\d+)/.exec(new TextDecoder().decode(bytes.subarray(start, end)))?.[1];
    this.#counted = upTo === undefined ? this.#counted + 1 : Number(upTo);
  }
}

/** The counter of a rule: `lines`, `frames:BYTE:LENGTH` or `marked:BEGINNING`. */
export function counterOf(rule: string): Counter {
  const [kind, byte, length] = rule.split(":");
  if (kind === "lines") return new LineCounter();
  if (kind === "frames") return new FrameCounter(byte!, Number(length));
  if (kind === "marked") return new MarkedLineCounter(rule.slice("marked:".length));
  throw new RangeError(`Nothing is counted by "${rule}"`);
}
