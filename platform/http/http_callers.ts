/**
 * Connections to an HTTP server: a bounded number at once, so that descriptors remain for everything else. A connection
 * may become something else, or have an answer without an end. Its owner counts it from then on.
 */

import type { Socket } from "node:net";

/** What is needed of a connection. */
export interface Caller {
  once(event: "close", listener: () => void): unknown;
  destroy(): unknown;
}

/** Those of one server. */
export class HttpCallers<T extends Caller = Socket> {
  readonly #most: number;
  /** In the order in which they came. */
  readonly #callers = new Set<T>();

  constructor(most: number) {
    this.#most = most;
  }

  /** One more; when there are too many, the oldest has to go: it is the likeliest to want nothing. */
  add(caller: T): void {
    this.#callers.add(caller);
    caller.once("close", () => this.#callers.delete(caller));
    if (this.#callers.size <= this.#most) return;
    const [oldest] = this.#callers;
    this.#callers.delete(oldest!);
    oldest!.destroy();
  }

  /** Counts `caller` no more, whether or not it was. */
  release(caller: T): void {
    this.#callers.delete(caller);
  }
}
