// @ts-check
/**
 * The view that a page holds, and how a change makes the next one of it. Pure. What a change does not touch stays the
 * same object, so whoever draws can see by `===` what there is to draw.
 */

/** @typedef {import("../view/network_view.ts").NetworkView} NetworkView */
/** @typedef {import("../view/network_view.ts").NetworkChange} NetworkChange */

/** Ends that are kept, as by the server. */
export const MAX_ENDS = 200;
/** Activities that are kept, as by the server. */
export const MAX_ACTIVITIES = 100;

/**
 * The view after `change`. Neither argument is changed.
 *
 * @param {NetworkView} view
 * @param {NetworkChange} change
 * @returns {NetworkView}
 */
export function apply(view, change) {
  const { servers, connections, users, waiting, lastSeen, channels } = change.patch ?? {};
  return {
    at: change.at,
    from: view.from,
    servers: servers === undefined ? view.servers : mergePatch(view.servers, servers),
    connections: connections === undefined ? view.connections : mergePatch(view.connections, connections),
    users: users === undefined ? view.users : mergePatch(view.users, users),
    waiting: waiting === undefined ? view.waiting : mergePatch(view.waiting, waiting),
    lastSeen: lastSeen === undefined ? view.lastSeen : mergePatch(view.lastSeen, lastSeen),
    ...known("laidDown", change.patch?.laidDown ?? view.laidDown),
    ...known("channels", channels === undefined ? view.channels : mergePatch(view.channels, channels)),
    ...known("channelsLeftOut", change.patch?.channelsLeftOut ?? view.channelsLeftOut),
    ends: appended(withoutLost(view.ends, change.takenBack), change.ends, MAX_ENDS),
    activities: appended(view.activities, change.activities, MAX_ACTIVITIES),
  };
}

/**
 * A part of the view that older servers do not tell.
 *
 * @template T
 * @param {string} name
 * @param {T | null | undefined} value
 * @returns {Record<string, T>}
 */
function known(name, value) {
  return value === undefined || value === null ? {} : { [name]: value };
}

/**
 * A JSON merge patch (RFC 7396): objects merge, `null` removes, everything else replaces. Neither argument is changed.
 *
 * @param {unknown} target
 * @param {unknown} patch
 * @returns {any}
 */
export function mergePatch(target, patch) {
  if (!isObject(patch)) return patch;
  // Without a prototype, as strangers choose the keys: "__proto__" is a name like any other.
  const merged = Object.assign(Object.create(null), isObject(target) ? target : undefined);
  for (const [key, change] of Object.entries(patch)) {
    if (change === null) delete merged[key];
    else merged[key] = mergePatch(merged[key], change);
  }
  return merged;
}

/**
 * `list` with `more` at its end, without the oldest that are too many.
 *
 * @template T
 * @param {readonly T[]} list
 * @param {readonly T[] | undefined} more
 * @param {number} most
 * @returns {readonly T[]}
 */
function appended(list, more, most) {
  return more === undefined || more.length === 0 ? list : [...list, ...more].slice(-most);
}

/**
 * `ends` without the losses of servers that were there all the time.
 *
 * @param {NetworkView["ends"]} ends
 * @param {readonly string[]} [takenBack]
 */
function withoutLost(ends, takenBack = []) {
  if (takenBack.length === 0) return ends;
  return ends.filter(({ server, reason }) => reason !== "SERVER_LOST" || !takenBack.includes(server));
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
