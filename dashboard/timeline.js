// @ts-check
/** A connection's heartbeats on a line of time that ends with the connection. Pure. */

import { plural, span } from "./format.js";

/** @typedef {import("../view/network_view.ts").EndView} EndView */

/**
 * Marks of a timeline, `x` from 0 to 1. `count`: so many heartbeats are in one mark.
 *
 * @typedef {{ readonly x: number, readonly event: "sent" | "answered" | "unanswered", readonly count: number }} Mark
 */

/** Marks that are nearer to each other than this, of the same kind, are one. */
const MERGED = 0.012;
/** A drawing is no shorter than this: of a shorter life the left side stays empty. */
const SHORTEST_MS = 1_000;

/**
 * The marks, and the span that the line is for. It begins with the oldest heartbeat that is known, or
 * with the connection.
 *
 * @param {EndView} end
 * @returns {{ marks: readonly Mark[], spanMs: number }}
 */
export function layOutTimeline({ at, since, heartbeats }) {
  const begin = heartbeats[0]?.at ?? since;
  const spanMs = Math.max(at - begin, SHORTEST_MS);
  /** @type {Mark[]} */
  const marks = [];
  for (const { at: moment, event } of heartbeats) {
    const x = Math.min(1, Math.max(0, 1 - (at - moment) / spanMs));
    const near = marks.findLastIndex((mark) => mark.event === event && x - mark.x < MERGED);
    const old = marks[near];
    if (old === undefined) marks.push({ x, event, count: 1 });
    else marks[near] = { ...old, count: old.count + 1 };
  }
  return { marks, spanMs };
}

/**
 * The same in a sentence, for those who do not see it.
 *
 * @param {EndView} end
 */
export function timelineInWords({ heartbeats }) {
  const of = { sent: 0, answered: 0, unanswered: 0 };
  for (const { event } of heartbeats) of[event]++;
  if (heartbeats.length === 0) return "No heartbeats";
  return `${plural(of.sent, "heartbeat")} sent, ${of.answered} answered, ${of.unanswered} unanswered`;
}

/**
 * One heartbeat in words: "answered after 0.80 ms".
 *
 * @param {EndView["heartbeats"][number]} moment
 */
export function momentInWords({ event, attempt, of, roundTripMs }) {
  if (event === "answered") return roundTripMs == null ? "something else came" : `answered after ${span(roundTripMs)}`;
  return `${event}, ${attempt} of ${of}`;
}
