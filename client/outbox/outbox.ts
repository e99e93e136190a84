/**
 * Published and sent lines without an acknowledgement, in order, to be sent again after a reconnect. Bounded: further
 * lines wait for their turn. Keeps and counts; sends nothing itself.
 */

import type { Feature } from "../../protocol/message.ts";

/** One activity or direct message on its way. */
export interface Unacknowledged {
  readonly messageId: string;
  /** The receiver of a direct message; `undefined` for an activity. */
  readonly to: string | undefined;
  /** What the server has to know for it; `undefined` for nothing in particular. */
  readonly needs?: Feature | undefined;
  /** The whole line, as it is sent first. */
  readonly line: Uint8Array;
  /**
   * The same line with the current Lamport time, for a later sending. The message id stays, so it is still published
   * once.
   */
  readonly lineAt: (lamport: number) => Uint8Array;
  /** Called once, with the identity that the server gave it, if it says so. */
  readonly onAcknowledged: (id: string | undefined) => void;
  /** Called once, when it is given up. */
  readonly onFailed: (error: Error) => void;
  /** Whether it may have left this client. The caller sets it. */
  isSent: boolean;
}

/**
 * Enough to keep a fast connection busy while acknowledgements travel. Little enough for one process with many clients.
 */
export const MAX_UNACKNOWLEDGED = 4096;
/** The same in bytes. A single line of any length is taken. */
export const MAX_UNACKNOWLEDGED_BYTES = 1_048_576;

/** A queue. Its front part, the window, was sent. */
export class Outbox {
  readonly #onTurn: (entry: Unacknowledged) => void;
  readonly #window = new Map<string, Unacknowledged>();
  readonly #waiting = new Set<Unacknowledged>();
  #windowBytes = 0;

  /** `onTurn` is called for each entry when it may be sent, in order. */
  constructor(onTurn: (entry: Unacknowledged) => void) {
    this.#onTurn = onTurn;
  }

  /** The number of entries that are neither acknowledged nor failed. */
  get size(): number {
    return this.#window.size + this.#waiting.size;
  }

  /** How many may have been sent. */
  get sent(): number {
    return this.#window.size;
  }

  /** Entries that may have been sent, oldest first. A new connection begins with them. */
  [Symbol.iterator](): IterableIterator<Unacknowledged> {
    return this.#window.values();
  }

  /** Whether the message may have been sent, and was not answered. */
  has(messageId: string): boolean {
    return this.#window.has(messageId);
  }

  /** Takes one more. Its turn may come at once. */
  add(entry: Unacknowledged): void {
    this.#waiting.add(entry);
    this.#fillWindow();
  }

  /** The server has the message, as `id`. An unknown message is ignored. */
  acknowledge(messageId: string, id: string | undefined): void {
    const entry = this.#taken(messageId);
    if (entry === undefined) return;
    entry.onAcknowledged(id);
    this.#fillWindow();
  }

  /** The server refuses the message with `error`. An unknown message is ignored. */
  refuse(messageId: string, error: (entry: Unacknowledged) => Error): void {
    const entry = this.#taken(messageId);
    if (entry === undefined) return;
    entry.onFailed(error(entry));
    this.#fillWindow();
  }

  /** Takes an entry out that has never left this client. One that has stays: the network may have it. */
  withdraw(entry: Unacknowledged): void {
    if (entry.isSent) return;
    this.#waiting.delete(entry);
    this.#taken(entry.messageId);
    this.#fillWindow();
  }

  /** Gives everything up. */
  fail(error: Error): void {
    const failed = [...this.#window.values(), ...this.#waiting];
    this.#window.clear();
    this.#waiting.clear();
    this.#windowBytes = 0;
    for (const entry of failed) entry.onFailed(error);
  }

  /** Takes it out of the window. */
  #taken(messageId: string): Unacknowledged | undefined {
    const entry = this.#window.get(messageId);
    if (entry === undefined) return undefined;
    this.#window.delete(messageId);
    this.#windowBytes -= entry.line.length;
    return entry;
  }

  #fillWindow(): void {
    for (const entry of this.#waiting) {
      if (this.#window.size >= MAX_UNACKNOWLEDGED || this.#windowBytes >= MAX_UNACKNOWLEDGED_BYTES) return;
      this.#waiting.delete(entry);
      this.#window.set(entry.messageId, entry);
      this.#windowBytes += entry.line.length;
      this.#onTurn(entry);
    }
  }
}
