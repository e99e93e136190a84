// @ts-check
/**
 * What of a change a person would want to be told: servers that came, died or left, and users that turn up at another
 * server than the one that they were at. Pure.
 */

import { isolated } from "./format.js";
import { isGone, serverName } from "./rows.js";

/** @typedef {import("../view/network_view.ts").NetworkView} NetworkView */
/** @typedef {import("./rows.js").ConnectionRow} ConnectionRow */

/** Who is back elsewhere within this span has moved; after it, it has come anew. */
export const MOVE_MS = 15_000;

/**
 * Connections of users that were lost lately, and those that took their place.
 *
 * @typedef {{
 *   readonly lost: ReadonlyMap<string, { readonly from: string, readonly at: number }>,
 *   readonly moved: ReadonlyMap<string, { readonly from: string, readonly at: number }>,
 * }} Moves `lost` by user, `moved` by the key of a connection's row; `from` is the name of the server
 */

/** @type {Moves} */
export const NO_MOVES = { lost: new Map(), moved: new Map() };

/**
 * Follows users from server to server.
 *
 * @param {Moves} moves
 * @param {ReadonlyMap<string, ConnectionRow>} before
 * @param {ReadonlyMap<string, ConnectionRow>} after
 * @param {number} now the time of the server
 * @returns {Moves}
 */
export function followMoves(moves, before, after, now) {
  const lost = recent(moves.lost, now);
  const moved = recent(moves.moved, now);
  for (const [key, row] of before) {
    const { user } = row.data;
    const current = after.get(key);
    const isLost = current === undefined || (current.isGone && !row.isGone);
    if (isLost && user !== "" && isPersons(row)) lost.set(user, { from: row.serverName, at: now });
  }
  for (const [key, row] of after) {
    const { user } = row.data;
    if (row.isGone || !isPersons(row)) continue;
    const old = before.get(key);
    if (old !== undefined && old.data.user === user) continue;
    const from = lost.get(user);
    if (from === undefined) continue;
    lost.delete(user);
    if (from.from !== row.serverName) moved.set(key, { from: from.from, at: now });
  }
  return { lost, moved };
}

/**
 * What became of servers, in sentences. `tone` is how bad it is.
 *
 * @param {NetworkView} before
 * @param {NetworkView} after
 * @returns {{ text: string, tone: "good" | "warn" | "bad" }[]}
 */
export function serverNews(before, after) {
  /** @type {{ text: string, tone: "good" | "warn" | "bad" }[]} */
  const news = [];
  for (const [serverId, server] of Object.entries(after.servers)) {
    const old = before.servers[serverId];
    if (old === server) continue;
    const name = `Server ${isolated(server.name)}`;
    if (old?.state !== server.state) {
      if (server.state === "dead") news.push({ text: `${name} is dead`, tone: "bad" });
      else if (server.state === "left") news.push({ text: `${name} has left`, tone: "warn" });
      else if (server.state === "suspect") news.push({ text: `${name} is suspect: it does not answer`, tone: "warn" });
      else if (old === undefined) news.push({ text: `${name} is new in the network`, tone: "good" });
      else if (isGone(old)) news.push({ text: `${name} is linked again`, tone: "good" });
      else if (old.state === "suspect") news.push({ text: `${name} is linked again`, tone: "good" });
    }
    if (old?.draining == null && server.draining != null) {
      news.push({ text: `${name} hands its clients over and then stops`, tone: "warn" });
    }
  }
  for (const serverId of Object.keys(before.servers)) {
    if (after.servers[serverId] === undefined && !isGone(before.servers[serverId])) {
      news.push({ text: `Server ${isolated(serverName(before, serverId))} is known no more`, tone: "bad" });
    }
  }
  return news;
}

/**
 * @param {ReadonlyMap<string, { readonly from: string, readonly at: number }>} map
 * @param {number} now
 * @returns {Map<string, { readonly from: string, readonly at: number }>}
 */
function recent(map, now) {
  return new Map([...map].filter(([, { at }]) => now - at < MOVE_MS));
}

/** @param {ConnectionRow} row */
function isPersons({ data }) {
  return data.kind !== "server" && data.kind !== "new";
}
