// @ts-check
/**
 * What an operator can want of the network, in the words of the page, and as it is sent to the server that answers.
 * That server hands it on where another one is to do it. Pure.
 */

import { isolated, nameInText, plural } from "../format.js";
import { isGone } from "../rows.js";
import { banAddressOrder, banUserOrder } from "./user_orders.js";

/** @typedef {import("../../view/network_view.ts").NetworkView} NetworkView */
/** @typedef {import("../rows.js").ConnectionRow} ConnectionRow */

/** @typedef {import("./order.js").Order} Order */

/**
 * To drain a server.
 *
 * @param {Pick<NetworkView, "from" | "servers">} view
 * @param {string} serverId
 * @returns {Order}
 */
export function drainOrder(view, serverId) {
  const name = isolated(view.servers[serverId]?.name ?? serverId);
  return {
    title: serverId === view.from ? "Drain this server?" : `Drain ${name}?`,
    text: drainText(view, serverId),
    button: "Drain, then stop",
    path: "/api/drain",
    body: { server: serverId },
  };
}

/**
 * What happens when a server is drained, for whoever is asked about it.
 *
 * @param {Pick<NetworkView, "from" | "servers">} view
 * @param {string} [serverId] the server that answers, where it is left out
 */
export function drainText({ from, servers }, serverId = from) {
  const { name, load } = servers[serverId] ?? { name: "This server", load: 0 };
  const others = Object.entries(servers).flatMap(([id, server]) => id === serverId || isGone(server) ? [] : [server]);
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
 * Whether a connection can be ended by an operator: links between servers cannot, nor what is gone.
 *
 * @param {ConnectionRow | undefined} row
 */
export function canDisconnect(row) {
  return row !== undefined && !row.isGone && row.data.kind !== "server";
}

/**
 * To disconnect a client.
 *
 * @param {ConnectionRow} row
 * @returns {Order}
 */
export function disconnectOrder({ key, serverId, serverName, data: { user, address, kind, since } }) {
  const who = user === "" ? isolated(address) : nameInText(user);
  const told = kind === "plain" || kind === "new"
    ? "Its program knows no word for that: it sees the connection close, and may come back by itself."
    : "Its program is told that an operator ended the connection, and does not come back by itself.";
  return {
    title: `Disconnect ${who}?`,
    text: `This ends the connection from ${isolated(address)} to ${isolated(serverName)}. ${told} ` +
      "Nothing that waits for the user is lost.",
    button: "Disconnect",
    path: "/api/disconnect",
    body: { server: serverId, connection: key.slice(serverId.length + 1), since },
  };
}

/**
 * To keep the user of a connection out of the whole network, or who has none, its address.
 *
 * @param {ConnectionRow} row
 * @returns {Order}
 */
export function banOrder({ data: { user, address, kind } }) {
  return user === "" ? banAddressOrder(hostOf(address)) : banUserOrder(user, kind === "guest");
}

/**
 * The host in `HOST:PORT`, without brackets.
 *
 * @param {string} address
 */
function hostOf(address) {
  return address.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
}
