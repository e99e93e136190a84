/**
 * Recognises a message that comes again under another identity. That happens when a server took a message and died
 * before it told anybody: the sender gave the message to another server, and later both copies are there. Keeps and
 * compares; acts on nothing.
 */

/**
 * More messages than a server takes before its death is noticed. Only these can come twice, and two copies are never
 * further apart than a reader is behind.
 */
export const MAX_SEEN_MESSAGES = 16_384;

/** The newest messages, by sender and the sender's id. */
export class SeenMessages {
  readonly #seen = new SeenKeys(MAX_SEEN_MESSAGES);

  /** Notes that message `messageId` of `user` came. True for the first time, as far as is remembered. */
  isNew(user: string, messageId: string): boolean {
    // No username has a line end in it, so no two pairs are one key.
    return this.#seen.isNew(`${user}\n${messageId}`);
  }
}

/** The newest texts of some kind. */
export class SeenKeys {
  readonly #capacity: number;
  readonly #seen = new Set<string>();
  /** The same in order of arrival: once it is full, a ring. A set alone would be slow to find its oldest. */
  readonly #ring: string[] = [];
  #oldest = 0;

  /** Remembers `capacity` of them. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Notes that `key` came. True for the first time, as far as is remembered. */
  isNew(key: string): boolean {
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    if (this.#ring.length < this.#capacity) {
      this.#ring.push(key);
    } else {
      this.#seen.delete(this.#ring[this.#oldest]!);
      this.#ring[this.#oldest] = key;
      this.#oldest = (this.#oldest + 1) % this.#capacity;
    }
    return true;
  }
}
