/**
 * Message ids that were used and that the store does not have yet: those of a turn, or of turns that wait for the disk.
 * A text for each pair of user and id would have to be made and hashed for each question. The runtime hashes an id
 * once, and two users seldom have one id at a time. Pure.
 */

import type { UsedMessageId } from "../store/store.ts";

/** Some uses. */
export class UsedIds {
  /** The first use of each id. */
  readonly #firsts = new Map<string, UsedMessageId>();
  /** The uses by other users, by user and id. */
  readonly #others = new Map<string, UsedMessageId>();

  /** Adds the use of an id that the user has not used. */
  add(used: UsedMessageId): void {
    const { username, messageId } = used;
    if (this.#firsts.has(messageId)) this.#others.set(pairOf(username, messageId), used);
    else this.#firsts.set(messageId, used);
  }

  find(username: string, messageId: string): UsedMessageId | undefined {
    const first = this.#firsts.get(messageId);
    if (first?.username === username) return first;
    // Also where the first user's is gone.
    return this.#others.size === 0 ? undefined : this.#others.get(pairOf(username, messageId));
  }

  /** Takes this use out, if it is here. */
  delete(used: UsedMessageId): void {
    const { username, messageId } = used;
    if (this.#firsts.get(messageId) === used) this.#firsts.delete(messageId);
    else if (this.#others.size > 0) {
      const pair = pairOf(username, messageId);
      if (this.#others.get(pair) === used) this.#others.delete(pair);
    }
  }
}

/** No username holds a NUL, so that no two pairs are written the same. */
function pairOf(username: string, messageId: string): string {
  return `${username}\0${messageId}`;
}
