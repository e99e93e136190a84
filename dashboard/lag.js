// @ts-check
/**
 * What a server has not got yet of the log, by the vectors of all. Pure. What servers say of themselves is a second or
 * two old when it is seen here, so only entries count that have been there for a while.
 */

/** @typedef {import("../view/network_view.ts").ServerView} ServerView */

/**
 * What was the newest at some moments, oldest first.
 *
 * @typedef {readonly { readonly at: number, readonly heads: Map<string, number> }[]} Heads
 */

/**
 * An entry that somebody has had for so long is missing where it is not. Two rounds of what servers tell each other.
 */
export const GRACE_MS = 5_000;

/**
 * The newest sequence of each origin that anybody is known to have.
 *
 * @param {Readonly<Record<string, ServerView>>} servers
 * @returns {Map<string, number>}
 */
export function newest(servers) {
  /** @type {Map<string, number>} */
  const heads = new Map();
  for (const { vector } of Object.values(servers)) {
    for (const [origin, sequence] of Object.entries(vector ?? {})) {
      if (sequence > (heads.get(origin) ?? 0)) heads.set(origin, sequence);
    }
  }
  return heads;
}

/**
 * `history` with what is the newest now, without what is not needed any more.
 *
 * @param {Heads} history
 * @param {number} at
 * @param {Map<string, number>} heads
 * @returns {Heads}
 */
export function remember(history, at, heads) {
  const first = history.findLastIndex((old) => old.at <= at - GRACE_MS);
  return [...history.slice(Math.max(0, first)), { at, heads }];
}

/**
 * What was the newest `GRACE_MS` ago; nothing when that is before `history` begins.
 *
 * @param {Heads} history
 * @param {number} now
 * @returns {Map<string, number>}
 */
export function settled(history, now) {
  return history.findLast(({ at }) => at <= now - GRACE_MS)?.heads ?? new Map();
}

/**
 * How many entries of each origin a server lacks, the most first; origins that it lacks nothing of are left out.
 *
 * @param {Map<string, number>} heads
 * @param {ServerView} server
 * @returns {{ origin: string, entries: number }[]}
 */
export function lagOf(heads, server) {
  const lag = [];
  for (const [origin, head] of heads) {
    const entries = head - (server.vector?.[origin] ?? 0);
    if (entries > 0) lag.push({ origin, entries });
  }
  return lag.sort((one, other) => other.entries - one.entries);
}
