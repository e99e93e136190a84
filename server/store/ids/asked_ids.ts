/**
 * The ids that were asked for in a turn, with their hashes: who publishes with an id was asked for it just before, so
 * the hash is made once for both. Bounded, as clients may ask for as many as they like. Pure.
 */

/** Asked ids that are remembered. */
const MAX_ASKED = 1_024;
/** How many are looked at for a used one: those between were asked for and not used. */
const LOOKED_AT = 8;

/** Those of one turn. */
export class AskedIds {
  readonly #usernames: string[] = [];
  readonly #messageIds: string[] = [];
  readonly #hashes = new Int32Array(3 * MAX_ASKED);
  #next = 0;

  /** An id that is not in the index was asked for. */
  add(username: string, messageId: string, hash: Int32Array): void {
    const count = this.#usernames.length;
    if (count === MAX_ASKED) return;
    this.#usernames.push(username);
    this.#messageIds.push(messageId);
    this.#hashes[3 * count] = hash[0]!;
    this.#hashes[3 * count + 1] = hash[1]!;
    this.#hashes[3 * count + 2] = hash[2]!;
  }

  /** Puts the hash of an id into `into`. Finds those that are used in the order in which they were asked for. */
  take(username: string, messageId: string, into: Int32Array): boolean {
    const end = Math.min(this.#next + LOOKED_AT, this.#usernames.length);
    for (let index = this.#next; index < end; index++) {
      if (this.#messageIds[index] !== messageId || this.#usernames[index] !== username) continue;
      for (let word = 0; word < 3; word++) into[word] = this.#hashes[3 * index + word]!;
      this.#next = index + 1;
      return true;
    }
    return false;
  }

  /** The turn is over. */
  clear(): void {
    this.#next = 0;
    this.#usernames.length = 0;
    this.#messageIds.length = 0;
  }
}
