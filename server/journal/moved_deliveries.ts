/**
 * Direct messages that were delivered, and are not here under the numbers that their receipts name: they may come under
 * another name of their server, where an old copy of its data had given the numbers out again. What their senders call
 * them stays.
 */

import { RecentSet } from "../../log/recent.ts";

/** It matters until the messages have come. */
const MAX_MOVED = 16_384;

/** What a sender calls a message. */
export interface MessageName {
  readonly username?: string | undefined;
  readonly messageId?: string | undefined;
}

/** Those of one server. */
export class MovedDeliveries {
  /** By `messageKey`. */
  readonly #keys = new RecentSet<string>(MAX_MOVED);

  /** Notes one, if it has a name. */
  add(message: MessageName): void {
    const key = messageKey(message);
    if (key !== undefined) this.#keys.renew(key);
  }

  /** Whether a message that comes was delivered, as far as its name tells. */
  has(message: MessageName): boolean {
    return this.#keys.size > 0 && this.#keys.has(messageKey(message) ?? "");
  }
}

/** One text for each activity or message, as its sender calls it; `undefined` where it has no such name. */
export function messageKey({ username, messageId }: MessageName): string | undefined {
  return username === undefined || messageId === undefined ? undefined : `${username}\n${messageId}`;
}
