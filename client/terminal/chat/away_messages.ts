/** Messages that waited for the person: kept back until it is known how many they are, so that this can be said first. Pure, but for what it remembers. */

import type { Message } from "../../options.ts";

/** What can be shown now. */
export interface Released {
  /** Say first that so many came while the person was away, or more than that. */
  readonly header?: { readonly count: number; readonly isMore: boolean };
  readonly messages: readonly Message[];
}

/** They take memory, and nobody reads more before dinner. */
export const MAX_HELD_MESSAGES = 1_000;

/** Keeps messages from a login until all that was missed has come. */
export class AwayMessages {
  #held: Message[] = [];
  #isCatchingUp = true;
  #hasHeader = false;

  /** A connection begins. */
  connected(): void {
    this.#isCatchingUp = true;
    this.#hasHeader = false;
  }

  /** A message came. */
  message(message: Message): Released {
    if (!message.offline || !this.#isCatchingUp || this.#hasHeader) return { messages: [message] };
    this.#held.push(message);
    if (this.#held.length <= MAX_HELD_MESSAGES) return { messages: [] };
    this.#hasHeader = true;
    return { header: { count: MAX_HELD_MESSAGES, isMore: true }, messages: this.#release() };
  }

  /** All that was missed has been read, `count` messages among it that waited; the last of them may be handed over only now. */
  caughtUp(count: number): Released {
    this.#isCatchingUp = false;
    const messages = this.#release();
    return count === 0 || this.#hasHeader ? { messages } : { header: { count, isMore: false }, messages };
  }

  #release(): Message[] {
    const held = this.#held;
    this.#held = [];
    return held;
  }
}
