// @ts-check
/**
 * What the page has received, so that it can ask for exactly the rest when it comes back (docs/protocol.md, section
 * 2.7): a vector, and during a replay how much of it is still to come. Also what came lately under another identity.
 * Acts on nothing and reads no clock.
 */

/** @typedef {Record<string, number>} Vector */

/** As many as the client library remembers: more than a server takes in while its death is being noticed. */
export const MAX_SEEN = 16_384;

/** How far the page got. */
export class Progress {
  /** @type {Vector} */
  #received;
  #hasBegun;
  /** @type {{ vector: Vector, missing: number } | undefined} */
  #replay;

  /**
   * Begins with what the page has from earlier.
   * @param {Vector} [received]
   */
  constructor(received) {
    this.#received = { ...received };
    this.#hasBegun = received !== undefined;
  }

  /** What to ask for the rest of; `undefined` when there is nothing yet. A copy. */
  get received() {
    return this.#hasBegun ? { ...this.#received } : undefined;
  }

  /** Whether some of what was missed is still to come. */
  get isBehind() {
    return this.#replay !== undefined;
  }

  /**
   * A login was answered. Once `replayed` entries have come, or the server says so (`isTold`), the page
   * has all of `vector`. Returns the origin whose numbers are given anew, if there is one.
   * @param {{ serverId?: string | undefined, vector: Vector, replayed: number, isTold: boolean }} beginning
   * @returns {string | undefined}
   */
  begin({ serverId, vector, replayed, isTold }) {
    let renumbered;
    // A server that has less of its own origin has lost the rest, and gives its numbers anew.
    if (serverId !== undefined && Object.hasOwn(vector, serverId)) {
      const end = vector[serverId] ?? 0;
      if (end < this.#sequence(serverId)) {
        this.#received[serverId] = end;
        renumbered = serverId;
      }
    }
    if (!this.#hasBegun) this.#received = { ...vector };
    this.#hasBegun = true;
    this.#replay = { vector, missing: isTold ? Infinity : replayed };
    this.#finishReplay();
    return renumbered;
  }

  /**
   * The server says that all has come that was missed, and that this is what the page has now.
   * @param {Vector} vector
   */
  caughtUp(vector) {
    if (this.#replay === undefined) return;
    this.#replay = { vector, missing: 0 };
    this.#finishReplay();
  }

  /**
   * The server says that the page has all of this. While missed entries are to come, that is said again later.
   * @param {Vector} vector
   */
  stands(vector) {
    if (this.#replay !== undefined) return;
    for (const [origin, sequence] of Object.entries(vector)) {
      this.#received[origin] = Math.max(this.#sequence(origin), sequence);
    }
  }

  /** The connection is over: what was promised on it does not come any more. */
  cutOff() {
    this.#replay = undefined;
  }

  /**
   * The entry `id` came. Whether it is new.
   * @param {string} id
   * @returns {boolean}
   */
  receive(id) {
    const entry = parseEntryId(id);
    const isNew = entry !== undefined && entry.sequence > this.#sequence(entry.origin);
    if (isNew) this.#received[entry.origin] = entry.sequence;
    if (this.#replay !== undefined) {
      this.#replay.missing--;
      this.#finishReplay();
    }
    return isNew;
  }

  /** @param {string} origin */
  #sequence(origin) {
    return Object.hasOwn(this.#received, origin) ? this.#received[origin] ?? 0 : 0;
  }

  #finishReplay() {
    if (this.#replay === undefined || this.#replay.missing > 0) return;
    const { vector } = this.#replay;
    this.#replay = undefined;
    this.stands(vector);
  }
}

/** The newest texts of some kind. */
export class SeenKeys {
  /** In order of arrival. @type {Set<string>} */
  #keys;

  /** @param {readonly string[]} [keys] The oldest first. */
  constructor(keys = []) {
    this.#keys = new Set(keys);
  }

  /**
   * Notes that `key` came. Whether it came for the first time, as far as is remembered.
   * @param {string} key
   * @returns {boolean}
   */
  isNew(key) {
    if (this.#keys.has(key)) return false;
    this.#keys.add(key);
    const [oldest] = this.#keys;
    if (this.#keys.size > MAX_SEEN && oldest !== undefined) this.#keys.delete(oldest);
    return true;
  }

  /** @param {string} key */
  has(key) {
    return this.#keys.has(key);
  }

  /**
   * The newest `count`, the oldest of them first.
   * @param {number} count
   * @returns {string[]}
   */
  newest(count) {
    return [...this.#keys].slice(-count);
  }
}

/**
 * `"origin:12"` in its two parts.
 * @param {unknown} id
 * @returns {{ origin: string, sequence: number } | undefined}
 */
export function parseEntryId(id) {
  if (typeof id !== "string") return undefined;
  const colon = id.lastIndexOf(":");
  const sequence = Number(id.slice(colon + 1));
  return colon > 0 && Number.isSafeInteger(sequence) && sequence > 0
    ? { origin: id.slice(0, colon), sequence }
    : undefined;
}
