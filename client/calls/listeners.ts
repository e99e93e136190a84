/** Those who are told of events: several, each until it is removed, and none stops another. Pure. */

import type { ClientEvent } from "../options.ts";
import { onceAborted } from "../../platform/abort.ts";

/** One listener, each time it is added. */
interface Listener {
  readonly kind: ClientEvent["kind"] | undefined;
  readonly tell: (event: ClientEvent) => void;
}

/** The listeners of one client. */
export class Listeners {
  readonly #listeners = new Set<Listener>();

  /**
   * Adds `tell`, for all events or those of one kind. Returns how to remove it, which `signal` does too. One that is
   * added twice is told twice.
   */
  add(kind: ClientEvent["kind"] | undefined, tell: (event: ClientEvent) => void, signal?: AbortSignal): () => void {
    const listener = { kind, tell };
    this.#listeners.add(listener);
    const forget = signal === undefined ? () => {} : onceAborted(signal, () => this.#listeners.delete(listener));
    return () => {
      forget();
      this.#listeners.delete(listener);
    };
  }

  /**
   * Tells all, in the order in which they were added. What one of them throws, or a promise of it rejects with, is
   * reported as unhandled when all were told.
   */
  tell(event: ClientEvent): void {
    for (const listener of [...this.#listeners]) {
      if (!this.#listeners.has(listener) || (listener.kind ?? event.kind) !== event.kind) continue;
      try {
        listener.tell(event);
      } catch (error) {
        // As the runtime does with what a listener of its own throws. It is the program's fault, not this client's.
        void Promise.reject(error);
      }
    }
  }
}
