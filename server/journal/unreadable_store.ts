/**
 * What happens when the store cannot be read. "Nothing is there" and "it cannot be told" never share a value: the
 * journal ends the server first, and with it every connection, and then throws. What was about to be said is left
 * unsaid. The guards here stand where calls come in, so that this is as far as it gets.
 */

import type { Clock } from "../../platform/clock.ts";
import type { LinkEnd, LinkHandler } from "../../platform/transport.ts";

/** The store could not be read. The server is coming to its end already: whoever meets this has only to stop. */
export class UnreadableError extends Error {
  /** Its class, by name. */
  override name = "UnreadableError";
}

/** What `run` gives; `undefined` when the store could not be read on the way. */
export function unlessUnreadable<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof UnreadableError)) throw error;
    return undefined;
  }
}

/** `clock`, whose timers and ends of turns may meet a store that cannot be read. */
export function guardedClock(clock: Clock): Clock {
  return {
    nowMs: () => clock.nowMs(),
    wallMs: () => clock.wallMs(),
    ranMs: () => clock.ranMs(),
    after: (delayMs, wake) => clock.after(delayMs, () => unlessUnreadable(wake)),
    endOfTurn: (run) => clock.endOfTurn(() => unlessUnreadable(run)),
  };
}

/** `handler`, which may meet a store that cannot be read whenever its link speaks. */
export function guardedHandler(handler: LinkHandler): LinkHandler {
  return new GuardedHandler(handler);
}

/** A class and no closures, as each connection has one for as long as it lasts. */
class GuardedHandler implements LinkHandler {
  readonly #handler: LinkHandler;

  constructor(handler: LinkHandler) {
    this.#handler = handler;
  }

  onData(bytes: Uint8Array): void {
    unlessUnreadable(() => this.#handler.onData(bytes));
  }

  onDrain(): void {
    unlessUnreadable(() => this.#handler.onDrain());
  }

  onFinish(): void {
    unlessUnreadable(() => this.#handler.onFinish());
  }

  onEnd(end: LinkEnd): void {
    unlessUnreadable(() => this.#handler.onEnd(end));
  }
}
