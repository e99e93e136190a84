// @ts-check
/** Where the servers and their links are in the drawing of the neighbours. Pure. */

import { isSettled } from "./network/reach/partition.js";
import { isGone } from "./rows.js";

/** @typedef {import("../view/network_view.ts").NetworkView} NetworkView */

/** @typedef {{ readonly id: string, readonly x: number, readonly y: number }} Place */

/**
 * A line between two servers. `state`: `good` where both are linked, `warn` where a link is in doubt or there is none
 * between two that are alive, `bad` where one is dead or out of reach and has no link to the other.
 *
 * @typedef {{ readonly from: Place, readonly to: Place, readonly state: "good" | "warn" | "bad",
 *   readonly roundTripMs: number | null, readonly text: string }} Edge
 */

/**
 * The drawing: the server that answers is first, the others follow on a circle. One is in the middle,
 * two are side by side.
 *
 * @param {NetworkView} view
 * @param {{ width: number, height: number }} size
 * @param {ReadonlyMap<string, import("./network/reach/partition.js").Answer>} [answers] of servers that only the page
 *   can reach
 * @returns {{ places: readonly Place[], edges: readonly Edge[] }}
 */
export function layOut(view, { width, height }, answers = new Map()) {
  const { servers, from } = view;
  // A server that has left is no neighbour any more.
  const ids = Object.keys(servers).filter((id) => servers[id]?.state !== "left")
    .sort((one, other) => Number(other === from) - Number(one === from) || compare(nameOf(one), nameOf(other)));
  const places = ids.map((id, index) => ({ id, ...placeOf(index, ids.length, width, height) }));
  /** @type {Edge[]} */
  const edges = [];
  places.forEach((one, index) => {
    for (const other of places.slice(index + 1)) edges.push({ from: one, to: other, ...linkBetween(one.id, other.id) });
  });
  return { places, edges };

  /**
   * What a server says of its link to another one: `null` for none, `undefined` where it cannot be heard. What it said
   * before that may be true no more.
   *
   * @param {string} id
   * @param {string} to
   */
  function endOf(id, to) {
    // Of its own links the server that answers believes nobody else.
    if (id === from && isGone(servers[to])) return null;
    const answer = answers.get(id);
    if (answer !== undefined && answer !== "closed") return answer.servers[id]?.links?.[to] ?? null;
    // Others need a moment to notice.
    if (!isSettled(view, to)) return null;
    const { state, links } = servers[id] ?? {};
    if (isGone(servers[id]) || state === "suspect") return undefined;
    const hasTold = view.connections[id] !== undefined || Object.keys(links ?? {}).length > 0;
    return links?.[to] ?? (hasTold ? null : undefined);
  }

  /** @param {string} id */
  function nameOf(id) {
    return servers[id]?.name ?? id;
  }

  /**
   * @param {string} one
   * @param {string} other
   * @returns {Pick<Edge, "state" | "roundTripMs" | "text">}
   */
  function linkBetween(one, other) {
    // Each end measures for itself, and what a server knows of its own links is newer than what was told.
    const told = [endOf(one, other), endOf(other, one)];
    const ends = told.filter((link) => link != null);
    const probing = ends.find((link) => link.state === "probing");
    const roundTripMs = ends.find((link) => link.roundTripMs != null)?.roundTripMs ?? null;
    const goneOne = [servers[one], servers[other]].find(isGone);
    if (ends.length === 0 || told.includes(null)) {
      if (goneOne !== undefined) {
        return { state: "bad", roundTripMs: null, text: goneOne.isSilent === true ? "no link" : "dead" };
      }
      return { state: "warn", roundTripMs, text: ends.length === 0 ? "no link" : "no link at one end" };
    }
    if (probing !== undefined) {
      return { state: "warn", roundTripMs, text: `probing ${probing.attempt} of ${probing.of}` };
    }
    return { state: "good", roundTripMs, text: "linked" };
  }
}

/**
 * @param {number} index
 * @param {number} count
 * @param {number} width
 * @param {number} height
 */
function placeOf(index, count, width, height) {
  if (count === 1) return { x: width / 2, y: height / 2 };
  if (count === 2) return { x: width * (index === 0 ? 0.24 : 0.76), y: height / 2 };
  const angle = (2 * Math.PI * index) / count - Math.PI / 2;
  return { x: width / 2 + width * 0.36 * Math.cos(angle), y: height / 2 + height * 0.37 * Math.sin(angle) };
}

const { compare } = new Intl.Collator("en", { numeric: true });
