/**
 * When the socket under a link is read: not while the link's owner has paused it, nor while others have their turn
 * (`reading_turns.ts`). Deno 2.5 reads twice at once, and mixes up the bytes, if a socket goes on before its last read
 * has come back. So reading stops only in the moment in which a chunk has come, and goes on only afterwards.
 */

import { readingTurns, type RestingLink } from "./reading_turns.ts";

const [major = 0, minor = 0] = Deno.version.deno.split(".").map(Number);
const OVERWRITES = major < 2 || (major === 2 && minor < 6);

/** The socket, or what stands before it. */
export interface Readable {
  pause(): void;
  resume(): void;
}

/** What is under a socket of node:net: it is read into one buffer, over and over again. */
interface Handle {
  readStop(): void;
  readStart(): void;
}

/**
 * What starts and stops reading from `socket`. A socket that is paused goes on reading a chunk or two ahead, which Deno
 * before 2.6 then overwrites with the next: there the handle under it is stopped, and nothing is read ahead.
 */
export function readableOf(socket: Readable): Readable {
  if (!OVERWRITES) return socket;
  // It is gone when the socket is.
  const handle = () => (socket as { readonly _handle?: Handle | null })._handle;
  return { pause: () => handle()?.readStop(), resume: () => handle()?.readStart() };
}

/**
 * Whether one socket is read. A chunk may still come after it was switched off. The owner keeps this chunk until the
 * socket is on again.
 */
export class ReadSwitch implements RestingLink {
  #socket: Readable;
  readonly #goOn: () => void;
  #isPaused = false;
  #isResting = false;
  #isUnwanted = false;
  #isOn = true;
  #isStopped = false;
  #willGoOn = false;

  /**
   * `goOn` takes the chunk that was kept, when the socket is on again, before anything else is read. It is not called
   * from inside a call of this.
   */
  constructor(socket: Readable, goOn: () => void) {
    this.#socket = socket;
    this.#goOn = goOn;
  }

  get isOn(): boolean {
    return this.#isOn;
  }

  /** From now on `socket` is read, as before or not. */
  moveTo(socket: Readable): void {
    this.#socket = socket;
    this.#isStopped = false;
  }

  /** Nothing is read until `resume`. */
  pause(): void {
    this.#isPaused = true;
    this.#turn();
  }

  resume(): void {
    this.#isPaused = false;
    this.#turn();
  }

  /** Whether other links are read first. */
  set isResting(isResting: boolean) {
    this.#isResting = isResting;
    this.#turn();
  }

  /** Nobody wants what comes: it is read, paused or not, and the owner throws it away. */
  throwAway(): void {
    this.#isUnwanted = true;
    this.#turn();
  }

  /** To be called at the end of whatever takes a chunk of `size` bytes, in the socket's own event. */
  tookChunk(size: number): void {
    readingTurns.hasRead(this, size);
    if (this.#isOn || this.#isStopped) return;
    this.#isStopped = true;
    this.#socket.pause();
  }

  /** The socket is gone. */
  end(): void {
    readingTurns.hasRead(this, 0);
  }

  #turn(): void {
    const isOn = !this.#isResting && (!this.#isPaused || this.#isUnwanted);
    if (this.#isOn === isOn) return;
    this.#isOn = isOn;
    if (!isOn || this.#willGoOn) return;
    this.#willGoOn = true;
    queueMicrotask(() => {
      this.#willGoOn = false;
      if (this.#isOn) this.#goOn();
      if (!this.#isOn || !this.#isStopped) return;
      this.#isStopped = false;
      this.#socket.resume();
    });
  }
}
