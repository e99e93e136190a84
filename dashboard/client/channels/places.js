// @ts-check
/**
 * What the conversation shows at a place: the activities of a channel, of the channels of a pattern, or what is for
 * everyone. What is said to the person alone, and what the page itself has to say, is shown at every place. Pure.
 */

import { EVERYONE, isPattern, matches } from "./channel_name.js";

/** @typedef {import("../stream_model.js").Row} Row */
/** @typedef {import("../stream_model.js").Changes} Changes */

/**
 * Whether a row is shown at `place`.
 * @param {Pick<Row, "kind" | "channel">} row
 * @param {string} place
 */
export function isAt({ kind, channel }, place) {
  if (kind === "activity") return matches(place, channel);
  return kind !== "presence" || place === EVERYONE;
}

/**
 * What of `changes` is shown at `place`.
 * @param {Changes} changes
 * @param {string} place
 * @returns {Changes}
 */
export function changesAt({ before, added, changed, ...others }, place) {
  /** @param {Row} row */
  const isThere = (row) => isAt(row, place);
  return { ...others, before: before.filter(isThere), added: added.filter(isThere), changed: changed.filter(isThere) };
}

/**
 * Where what is of `channel` is read: at `place`, where that shows it, else at the narrowest of `places`, else at
 * `place` all the same.
 * @param {string} channel
 * @param {string} place
 * @param {readonly string[]} places
 */
export function placeFor(channel, place, places) {
  if (matches(place, channel)) return place;
  const showing = [EVERYONE, ...places].filter((one) => matches(one, channel));
  const [narrowest] = showing.toSorted((a, b) => Number(isPattern(a)) - Number(isPattern(b)) || b.length - a.length);
  return narrowest ?? place;
}
