/**
 * Stops and starts reading from a socket. Deno 2.5 reads twice at once, and mixes up what it reads, when a socket is
 * told to go on while the read before that has not come back: so reading stops only in the moment in which a chunk has
 * come, and goes on only afterwards.
 */

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
 * Whether one socket is read. A chunk may still come after it was switched off, and is the owner's to keep
 * until it is on again.
 */
export class ReadSwitch {
  readonly #socket: Readable;
  readonly #goOn: () => void;
  #isOn = true;
  #isStopped = false;
  #willGoOn = false;

  /**
   * `goOn` takes what was kept, when it is on again, before anything else is read. It is not called from inside `turn`.
   */
  constructor(socket: Readable, goOn: () => void) {
    this.#socket = socket;
    this.#goOn = goOn;
  }

  get isOn(): boolean {
    return this.#isOn;
  }

  turn(isOn: boolean): void {
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

  /** To be called at the end of whatever takes a chunk, in the socket's own event. */
  afterChunk(): void {
    if (this.#isOn || this.#isStopped) return;
    this.#isStopped = true;
    this.#socket.pause();
  }
}
