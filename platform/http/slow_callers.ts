/**
 * Connections that are still to ask something. Node's own timeouts are begun anew, or not looked at, while bytes
 * trickle in under Deno; so the whole time is taken here, from when a connection comes, or its last answer was given,
 * to when all headers of the next request are there.
 */

import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** Those of one server. */
export class SlowCallers {
  readonly #spanMs: number;
  /** Requests that are being answered, and the end of the patience with the next one. */
  readonly #callers = new Map<Socket, { answering: number; timer: ReturnType<typeof setTimeout> | undefined }>();

  /** Each may take `spanMs` to ask. */
  constructor(spanMs: number) {
    this.#spanMs = spanMs;
  }

  /** `socket` has come. */
  wait(socket: Socket): void {
    this.#callers.set(socket, { answering: 0, timer: this.#cutLater(socket) });
    socket.once("close", () => this.release(socket));
  }

  /** It has asked something, which is answered by `response`. */
  asked(socket: Socket, response: ServerResponse): void {
    const caller = this.#callers.get(socket);
    if (caller === undefined) return;
    clearTimeout(caller.timer);
    caller.timer = undefined;
    caller.answering++;
    let isOver = false;
    const over = () => {
      if (isOver) return;
      isOver = true;
      if (--caller.answering === 0 && this.#callers.has(socket)) caller.timer = this.#cutLater(socket);
    };
    response.once("finish", over);
    response.once("close", over);
  }

  /** It is gone, or has become something else. */
  release(socket: Socket): void {
    clearTimeout(this.#callers.get(socket)?.timer);
    this.#callers.delete(socket);
  }

  #cutLater(socket: Socket): ReturnType<typeof setTimeout> {
    return setTimeout(() => socket.destroy(), this.#spanMs);
  }
}
