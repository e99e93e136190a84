/**
 * Counts what a socket has not sent. A socket that fails forgets it: after a reset nothing waits, it says. So what
 * waited is noted while it works.
 */

/** What is asked of a socket. */
export interface CountedSocket {
  readonly destroyed: boolean;
  readonly writableLength: number;
  write(bytes: Uint8Array, written?: (error?: Error | null) => void): boolean;
}

/** The writing side of one socket, counted. */
export class UnsentBytes {
  #socket: CountedSocket;
  /** What waited when it was looked at last. After a failure that is rather too much than too little. */
  #noted = 0;
  /** What was written when nothing left any more. */
  #refused = 0;
  readonly #written = (error?: Error | null): void => {
    if (!error) this.#noted = this.#socket.writableLength;
  };

  constructor(socket: CountedSocket) {
    this.#socket = socket;
  }

  /** From now on this socket takes what is written: what TLS made of the one before. */
  moveTo(socket: CountedSocket): void {
    this.#socket = socket;
  }

  /** Bytes that have not left, or never will. */
  get count(): number {
    if (!this.#socket.destroyed) this.#noted = this.#socket.writableLength;
    return this.#noted + this.#refused;
  }

  /** As `Writable.write`. */
  write(bytes: Uint8Array): boolean {
    const socket = this.#socket;
    const waiting = socket.writableLength;
    // A call for each write costs an object. Where nothing waits, most writes are over when they return.
    const hasRoom = waiting === 0 ? socket.write(bytes) : socket.write(bytes, this.#written);
    this.#noted = socket.destroyed ? waiting + bytes.length : socket.writableLength;
    return hasRoom;
  }

  /** So many bytes were written that nobody sends. */
  refuse(bytes: number): void {
    this.#refused += bytes;
  }
}
