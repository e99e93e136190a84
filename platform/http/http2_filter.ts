/**
 * The bytes that a client of HTTP/2 may say to a server of `node:http2`: frame by frame, without those that Deno cannot
 * bear. Deno 2.9.6 uses freed memory when a session is destroyed while it reads (SIGSEGV sooner or later), and two
 * frames make it destroy a session itself. GOAWAY says only that the client is about to go, and its end says that, too.
 * The answer to a PING answers nothing here, as the server sends none. Frames that no client may send, or that are
 * longer than was ever allowed, end the connection before anything else sees them. Pure.
 */

/** What is to be made of some bytes. */
export interface Filtered {
  /** They may be passed on. */
  readonly bytes: readonly Uint8Array[];
  /** Why the connection has to be cut, if it has. Nothing after that is passed on. */
  readonly problem: string | undefined;
}

const PREFACE = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const HEADER_BYTES = 9;
/** The length that a frame may have as long as nobody has allowed more. */
export const MAX_FRAME_BYTES = 16_384;
const PUSH_PROMISE = 5;
const PING = 6;
const GOAWAY = 7;
/** The flag of an answer. */
const ACK = 1;

/** The bytes of one connection. */
export class Http2Filter {
  /** A header of which not all has come. */
  readonly #header = new Uint8Array(HEADER_BYTES);
  #headerSize = 0;
  #prefaceSize = 0;
  /** Bytes of the frame that are still to come, and whether they are passed on. */
  #left = 0;
  #isDropped = false;

  /** Takes `bytes`, which may be cut anywhere. What it gives may be a part of them. */
  push(bytes: Uint8Array): Filtered {
    const passed: Uint8Array[] = [];
    let at = 0;
    const cut = (problem: string): Filtered => ({ bytes: [], problem });
    while (at < bytes.length && this.#prefaceSize < PREFACE.length) {
      if (bytes[at] !== PREFACE[this.#prefaceSize]) return cut("it does not speak HTTP/2");
      this.#prefaceSize++;
      at++;
    }
    if (at > 0) passed.push(bytes.subarray(0, at));
    while (at < bytes.length) {
      if (this.#left === 0) {
        const took = Math.min(HEADER_BYTES - this.#headerSize, bytes.length - at);
        this.#header.set(bytes.subarray(at, at + took), this.#headerSize);
        this.#headerSize += took;
        at += took;
        if (this.#headerSize < HEADER_BYTES) break;
        const problem = this.#beginFrame();
        if (problem !== undefined) return cut(problem);
        if (!this.#isDropped) passed.push(this.#header.slice());
      }
      const took = Math.min(this.#left, bytes.length - at);
      if (took > 0 && !this.#isDropped) passed.push(bytes.subarray(at, at + took));
      this.#left -= took;
      at += took;
    }
    return { bytes: passed, problem: undefined };
  }

  /** The header is whole. What is wrong with it, if anything. */
  #beginFrame(): string | undefined {
    this.#headerSize = 0;
    const [one, two, three, type, flags] = this.#header as unknown as [number, number, number, number, number];
    const length = one << 16 | two << 8 | three;
    if (length > MAX_FRAME_BYTES) return `a frame of ${length} bytes`;
    if (type === PUSH_PROMISE) return "a frame that only a server may send";
    this.#left = length;
    this.#isDropped = type === GOAWAY || (type === PING && (flags & ACK) !== 0);
    return undefined;
  }
}
