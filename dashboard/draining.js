// @ts-check
/** What draining a server means for its clients, and whether one that is gone was drained. Pure. */

import { plural } from "./format.js";
import { isGone } from "./rows.js";

/** @typedef {import("../view/network_view.ts").NetworkView} NetworkView */

/**
 * What happens when the server that answers is drained, for whoever is asked about it.
 *
 * @param {Pick<NetworkView, "from" | "servers">} view
 */
export function drainText({ from, servers }) {
  const { name, load } = servers[from] ?? { name: "This server", load: 0 };
  const others = Object.entries(servers).flatMap(([id, server]) => id === from || isGone(server) ? [] : [server]);
  const clients = plural(load, "client");
  const again = "It has to be started again by hand.";
  if (others.some(({ takesClients, draining }) => takesClients && draining == null)) {
    const to = others.length === 1 ? "the other server" : "the other servers";
    return `${name} takes no new clients, hands its ${clients} over to ${to}, and then stops. ${again}`;
  }
  const why = others.length === 0 ? "There is no other server" : "No other server takes clients";
  const lost = load === 0 ? "" : `: its ${clients} will be disconnected`;
  return `${name} takes no new clients, and stops. ${why}${lost}. ${again}`;
}

/**
 * When the server was started that is to be gone soon, as it was drained: seen, or known from before; `undefined` where
 * it was not. Nothing takes a drain back but a new start: what a server says may have been on its way when it was told
 * to drain, and while it stops it does not say that it drains.
 *
 * @param {Pick<NetworkView, "from" | "servers">} view
 * @param {number | null | undefined} drainedStart what was known before
 * @returns {number | null | undefined}
 */
export function startOfDrained({ from, servers }, drainedStart) {
  const own = servers[from];
  if (own === undefined) return drainedStart;
  return own.draining != null || own.startedAt === drainedStart ? own.startedAt : undefined;
}
