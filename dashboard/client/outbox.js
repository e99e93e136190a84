// @ts-check
/**
 * What the page published or sent and the server has not acknowledged, in order, to be sent again on the next
 * connection: under its messageId it is published once all the same (docs/protocol.md, section 2.6). Bounded. Keeps;
 * sends nothing itself.
 */

/**
 * One activity, or a direct message. `text` is the activity's JSON, or what is said to `to`. `channel`: whom an
 * activity is for; everyone where there is none.
 * @typedef {{ readonly messageId: string, readonly to: string | undefined, readonly text: string,
 *   readonly channel?: string | undefined }} Unacknowledged
 */

/** What a person writes while no server is there; a program would use the client library. */
export const MAX_WAITING = 200;

/** In order of publication. */
export class Outbox {
  /** @type {Map<string, Unacknowledged>} */
  #entries;

  /** @param {readonly Unacknowledged[]} [entries] */
  constructor(entries = []) {
    this.#entries = new Map(entries.map((entry) => [entry.messageId, entry]));
  }

  get size() {
    return this.#entries.size;
  }

  get isFull() {
    return this.#entries.size >= MAX_WAITING;
  }

  /** The oldest first. A copy. */
  get all() {
    return [...this.#entries.values()];
  }

  /** @param {Unacknowledged} entry */
  add(entry) {
    this.#entries.set(entry.messageId, entry);
  }

  /**
   * It is safe, or refused. Gives it, if it was here.
   * @param {string} messageId
   */
  remove(messageId) {
    const entry = this.#entries.get(messageId);
    this.#entries.delete(messageId);
    return entry;
  }
}
