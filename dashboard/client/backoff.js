// @ts-check
/**
 * When the page calls a server again after a connection ended or could not be made: the same rules as those of
 * the client library (docs/protocol.md, section 6). Soon when there is hope, else after a random part of a
 * growing span ("full jitter"), so that all pages that lost one server do not come back as one. Pure: the time
 * and the chance come in.
 */

/**
 * What is remembered between attempts: those that failed in a row, and connections that did not last.
 * @typedef {{ readonly failures: number }} BackoffState
 */

/**
 * A connection is over, or an attempt failed.
 * @typedef {object} Ended
 * @property {number} lastedMs How long the page was logged in; 0 when it did not come to that.
 * @property {"now" | "backoff" | "never"} advice
 * @property {boolean} isOrderly The server sends its clients away one by one: they are spread already.
 * @property {number} retryAfterMs The server asked not to be called earlier.
 * @property {number} servers How many there are to try: all of them are tried once before anything is waited.
 * @property {number} chance Evenly distributed from 0 up to but not including 1.
 */

/** The first span of which a random part is waited; it doubles with every round. */
export const MIN_DELAY_MS = 100;
/** The span grows no further: whoever waits is a person, and one login in 10 s is no load. */
export const MAX_DELAY_MS = 10_000;
/** The span after a connection was lost: all others of its server look for one as well. */
export const SPREAD_MS = 1_000;
/** A connection that lasted so long was a good one: after it, counting starts anew. */
export const STABLE_AFTER_MS = 10_000;

/** Nothing has failed so far. @type {BackoffState} */
export const NO_FAILURES = Object.freeze({ failures: 0 });

/**
 * What to remember after a connection that lasted `lastedMs`.
 * @param {BackoffState} state
 * @param {number} lastedMs
 * @returns {BackoffState}
 */
export function afterConnection(state, lastedMs) {
  return lastedMs >= STABLE_AFTER_MS ? NO_FAILURES : state;
}

/**
 * How long to wait, and what to remember. `delayMs` is undefined when coming back would not help.
 * @param {BackoffState} state
 * @param {Ended} ended
 * @returns {{ state: BackoffState, delayMs: number | undefined }}
 */
export function stepBackoff(state, ended) {
  const before = afterConnection(state, ended.lastedMs);
  const next = { failures: before.failures + 1 };
  if (ended.advice === "never") return { state: next, delayMs: undefined };
  const spanMs = Math.max(spreadMs(ended), roundMs(before.failures, ended));
  return { state: next, delayMs: ended.retryAfterMs + ended.chance * spanMs };
}

/**
 * A server that is gone had many clients. One that ended a young connection, and is the only one there is, did that
 * for this page alone.
 * @param {Ended} ended
 */
function spreadMs({ lastedMs, servers, isOrderly }) {
  if (servers > 1) return lastedMs > 0 && !isOrderly ? SPREAD_MS : 0;
  return lastedMs >= STABLE_AFTER_MS ? SPREAD_MS : 0;
}

/**
 * Who is told to back off has called the server that it would call next.
 * @param {number} failures
 * @param {Ended} ended
 */
function roundMs(failures, { advice, servers }) {
  const calls = failures + (advice === "backoff" ? 1 : 0);
  const round = Math.floor(calls / Math.max(1, servers));
  return round === 0 ? 0 : Math.min(MAX_DELAY_MS, MIN_DELAY_MS * 2 ** (round - 1));
}
