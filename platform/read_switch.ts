/**
 * Stops and starts reading from a socket. Deno 2.5 reads twice at once, and mixes up what it reads, when a socket is told to go on while the read before that has not come
 * back: so reading stops only in the moment in which a chunk has come, and goes on only afterwards.
 */

/** The socket, or what stands before it. */
export interface Readable {
  pause(): void;
  resume(): void;
}

/** Whether one socket is read. A chunk may still come after it was switched off, and is the owner's to keep until it is on again. */
export class ReadSwitch {
  readonly #socket: Readable;
  readonly #goOn: () => void;
  #isOn = true;
  #isStopped = false;
  #willGoOn = false;

  /** `goOn` takes what was kept, when it is on again, before anything else is read. It is not called from inside `turn`. */
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
