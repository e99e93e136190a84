/**
 * Messages that waited for the person. They are held back until their number is known, so that the number can be shown
 * first. Pure.
 */

import type { Message } from "../../options.ts";

/** What can be shown now. */
export interface Released {
  /** Show first how many came while the person was away: this number, or more. */
  readonly header?: { readonly count: number; readonly isMore: boolean };
  readonly messages: readonly Message[];
}

/** Held messages take memory, and nobody reads more of them. */
export const MAX_HELD_MESSAGES = 1_000;

/** Holds messages from a login until all missed entries have come. */
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

  /** All missed entries were read. `count` of the messages had waited; the last of them may be handed over only now. */
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
