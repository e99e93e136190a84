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

/** Counts lines, of any length, whose byte at `offset` is `byte`: the answers among other lines. */
export class MarkedLineCounter implements Counter {
  readonly #offset: number;
  readonly #byte: number;
  #carried = 0;
  #carriedIsMarked = false;

  constructor(offset: number, byte: string) {
    this.#offset = offset;
    this.#byte = byte.charCodeAt(0);
  }

  push(bytes: Uint8Array): number {
    let marked = 0;
    let start = -this.#carried;
    for (;;) {
      const mark = start + this.#offset;
      const end = bytes.indexOf(NEWLINE, Math.max(start, 0)) + 1;
      const isMarked = mark < 0 ? this.#carriedIsMarked : (end === 0 || mark < end) && bytes[mark] === this.#byte;
      if (end === 0) {
        this.#carried = bytes.length - start;
        this.#carriedIsMarked = isMarked;
        return marked;
      }
      if (isMarked) marked++;
      start = end;
    }
  }
}
