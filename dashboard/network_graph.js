// @ts-check
/** Where the servers and their links are in the drawing of the neighbours. Pure. */

import { isGone } from "./rows.js";

/** @typedef {import("../view/network_view.ts").NetworkView} NetworkView */

/** @typedef {{ readonly id: string, readonly x: number, readonly y: number }} Place */

/**
 * A line between two servers. `state`: `good` where both are linked, `warn` where a link is in doubt or there is none
 * between two that are alive, `bad` to one that is dead.
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
 * @returns {{ places: readonly Place[], edges: readonly Edge[] }}
 */
export function layOut(view, { width, height }) {
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
    if (isGone(servers[one]) || isGone(servers[other])) return { state: "bad", roundTripMs: null, text: "dead" };
    // Each end measures for itself, and what a server knows of its own links is newer than what was told.
    const ends = [servers[one]?.links?.[other], servers[other]?.links?.[one]].filter((link) => link != null);
    const probing = ends.find((link) => link.state === "probing");
    const roundTripMs = ends.find((link) => link.roundTripMs != null)?.roundTripMs ?? null;
    if (ends.length === 0) return { state: "warn", roundTripMs, text: "no link" };
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
