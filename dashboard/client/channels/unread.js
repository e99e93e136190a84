// @ts-check
/**
 * What the person has not seen: of each channel that is not shown, and all while nobody can see the page. What is said
 * to the person alone is shown with every channel, so it is not seen only while the page is not. Pure.
 */

import { matches } from "./channel_name.js";

/** Channels that are counted one by one. With a pattern strangers make their names. */
const MAX_CHANNELS = 1_000;

/**
 * How the page is looked at. `place`: the channel or pattern that is shown.
 * @typedef {{ readonly isSeen: boolean, readonly username: string, readonly place: string }} Look
 */

/** Counts. */
export class Unread {
  /** By channel. @type {Map<string, number>} */
  #counts = new Map();
  /** Those to the person alone. */
  #direct = 0;

  /** All of it, for the title. */
  get total() {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, this.#direct);
  }

  /** What a channel, or the channels of a pattern, have. @param {string} place */
  of(place) {
    let sum = 0;
    for (const [channel, count] of this.#counts) if (matches(place, channel)) sum += count;
    return sum;
  }

  /**
   * Something is there.
   * @param {{ readonly kind: string, readonly isOwn?: boolean, readonly from?: string,
   *   readonly channel?: string }} effect
   * @param {Look} look
   */
  take({ kind, isOwn, from, channel = "" }, { isSeen, username, place }) {
    if (kind === "direct" && from !== username && !isSeen) this.#direct++;
    if (kind !== "activity" || isOwn || isSeen && matches(place, channel)) return;
    const count = this.#counts.get(channel);
    if (count !== undefined || this.#counts.size < MAX_CHANNELS) this.#counts.set(channel, (count ?? 0) + 1);
  }

  /** The person looks at the page. @param {string} place */
  seen(place) {
    this.#direct = 0;
    for (const channel of [...this.#counts.keys()]) if (matches(place, channel)) this.#counts.delete(channel);
  }

  /** What nobody can look at any more. @param {(channel: string) => boolean} isShown Whether some place shows it. */
  keepOnly(isShown) {
    for (const channel of [...this.#counts.keys()]) if (!isShown(channel)) this.#counts.delete(channel);
  }

  clear() {
    this.#counts.clear();
    this.#direct = 0;
  }
}
