/**
 * Direct messages that were delivered under numbers which do not count any more: they come again under another name of
 * their server, which their receipts do not know. What their senders call them stays.
 */

import { RecentSet } from "../../log/recent.ts";

/** It matters until what was cut off has come again. */
const MAX_MOVED = 16_384;

/** Those of one server. */
export class MovedDeliveries {
  /** By `messageKey`. */
  readonly #keys = new RecentSet<string>(MAX_MOVED);

  /** Notes one, by its `messageKey`. */
  add(key: string): void {
    this.#keys.renew(key);
  }

  /** Whether a message that comes was delivered under another number. */
  has(username: string | undefined, messageId: string | undefined): boolean {
    return this.#keys.size > 0 && this.#keys.has(messageKey(username, messageId) ?? "");
  }
}

/** One text for each activity or message, as its sender calls it; `undefined` where it has no such name. */
export function messageKey(username: string | undefined, messageId: string | undefined): string | undefined {
  return username === undefined || messageId === undefined ? undefined : `${username}\n${messageId}`;
}
