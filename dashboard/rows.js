// @ts-check
/**
 * The rows of the tables, made of a view: each as flat as a table needs it. Pure. A row whose data did not change is
 * the same object as before, so that nothing is drawn again for it.
 */

import { STATE_WORDS } from "./look/state_words.js";
import { NOTHING_LAID_DOWN, rolesOf } from "./operator/laid_down.js";

/** @typedef {import("../view/network_view.ts").NetworkView} NetworkView */
/** @typedef {import("../view/network_view.ts").ConnectionView} ConnectionView */
/** @typedef {import("../view/network_view.ts").ServerView} ServerView */

/**
 * A connection, with whose it is.
 *
 * @typedef {{
 *   readonly key: string, readonly serverId: string, readonly serverName: string, readonly isGone: boolean,
 *   readonly data: ConnectionView,
 * }} ConnectionRow
 */

/**
 * A user, with where it is online, how many messages wait for it, and when it was online last: 0 while it is, or where
 * that is not known. `ban` and `disabled` are there where an operator wants it so; `roles` are all that count, `given`
 * those of an operator.
 *
 * @typedef {{ readonly key: string, readonly name: string, readonly at: readonly string[],
 *   readonly names: readonly string[], readonly waiting: number, readonly seenAt: number,
 *   readonly ban: Ruling | undefined, readonly disabled: Ruling | undefined,
 *   readonly roles: readonly string[], readonly given: readonly string[] }} UserRow
 */

/** @typedef {import("./operator/laid_down.js").Ruling} Ruling */

/**
 * A channel; an empty name stands for what has none.
 *
 * @typedef {{ readonly key: string, readonly name: string,
 *   readonly data: import("../view/network_view.ts").ChannelView }} ChannelRow
 */

/**
 * A badge: how it looks and what it says.
 *
 * @typedef {{ readonly state: "good" | "warn" | "bad" | "quiet" | "accent", readonly text: string }} Badge
 */

const { server: SERVER, connection: CONNECTION, user: USER } = STATE_WORDS;

/**
 * What people call a server: its name, or the beginning of its id where it is not known any more.
 *
 * @param {NetworkView} view
 * @param {string} serverId
 */
export function serverName(view, serverId) {
  return nameOf(view.servers, serverId);
}

/**
 * Whether nothing is to be expected of a server any more.
 *
 * @param {ServerView | undefined} server
 */
export function isGone(server) {
  return server === undefined || server.state === "dead" || server.state === "left";
}

/**
 * Every connection of every server.
 *
 * @param {NetworkView} view
 * @param {ReadonlyMap<string, ConnectionRow>} before the rows of the view before
 * @returns {Map<string, ConnectionRow>}
 */
export function connectionRows(view, before) {
  /** @type {Map<string, ConnectionRow>} */
  const rows = new Map();
  for (const [serverId, connections] of Object.entries(view.connections)) {
    const name = serverName(view, serverId);
    const gone = isGone(view.servers[serverId]);
    for (const [id, data] of Object.entries(connections)) {
      const key = `${serverId} ${id}`;
      const old = before.get(key);
      const isSame = old !== undefined && old.data === data && old.serverName === name && old.isGone === gone;
      rows.set(key, isSame ? old : { key, serverId, serverName: name, isGone: gone, data });
    }
  }
  return rows;
}

/**
 * Every user, whether online or not.
 *
 * @param {NetworkView} view
 * @param {ReadonlyMap<string, UserRow>} before the rows of the view before
 * @param {import("./operator/laid_down.js").LaidDown} [laid] what operators have set
 * @returns {Map<string, UserRow>}
 */
export function userRows(view, before, laid = NOTHING_LAID_DOWN) {
  /** @type {Map<string, UserRow>} */
  const rows = new Map();
  for (const [name, at] of Object.entries(view.users)) {
    const names = at.map((serverId) => serverName(view, serverId));
    // An older server tells neither.
    const waiting = view.waiting?.[name] ?? 0;
    const seenAt = at.length > 0 ? 0 : view.lastSeen?.[name] ?? 0;
    const old = before.get(name);
    const ban = laid.banned.get(name);
    const disabled = laid.disabled.get(name);
    const { all: roles, given } = rolesOf(name, laid.roles);
    const isSame = old !== undefined && old.at === at && isEqual(names, old.names) &&
      old.waiting === waiting && old.seenAt === seenAt && isSaidAlike(ban, old.ban) &&
      isSaidAlike(disabled, old.disabled) && isEqual(roles, old.roles) && isEqual(given, old.given);
    rows.set(name, isSame ? old : { key: name, name, at, names, waiting, seenAt, ban, disabled, roles, given });
  }
  return rows;
}

/**
 * Every channel that is told of.
 *
 * @param {NetworkView} view
 * @param {ReadonlyMap<string, ChannelRow>} before the rows of the view before
 * @returns {Map<string, ChannelRow>}
 */
export function channelRows(view, before) {
  /** @type {Map<string, ChannelRow>} */
  const rows = new Map();
  for (const [name, data] of Object.entries(view.channels ?? {})) {
    // No key is empty.
    const key = `#${name}`;
    const old = before.get(key);
    rows.set(key, old?.data === data ? old : { key, name, data });
  }
  return rows;
}

/**
 * How a user is.
 *
 * @param {UserRow} row
 * @returns {Badge}
 */
export function userBadge({ at, ban, disabled }) {
  if (ban !== undefined) return { state: "bad", text: USER.banned };
  if (disabled !== undefined) return { state: "warn", text: USER.disabled };
  const times = at.length > 1 ? ` × ${at.length}` : "";
  return at.length > 0 ? { state: "good", text: `${USER.online}${times}` } : { state: "quiet", text: USER.offline };
}

/**
 * How a connection is watched.
 *
 * @param {ConnectionRow} row
 * @returns {Badge}
 */
export function heartbeatBadge({ isGone, data }) {
  if (isGone) return { state: "bad", text: CONNECTION.lost };
  if (data.state === "probing") return { state: "warn", text: `${CONNECTION.probing} ${data.attempt} of ${data.of}` };
  if (data.state !== "watching" && data.kind === "server") return { state: "quiet", text: "by its link" };
  return data.state === "watching"
    ? { state: "good", text: CONNECTION.watching }
    : { state: "quiet", text: CONNECTION.unwatched };
}

/**
 * How a server is. `isParted`: it is known to run, and the server that answers cannot reach it.
 *
 * @param {ServerView} server
 * @param {boolean} [isParted]
 * @returns {Badge}
 */
export function serverBadge(server, isParted = false) {
  if (isParted) return { state: "warn", text: SERVER.parted };
  if (server.draining != null && !isGone(server)) return { state: "warn", text: SERVER.draining };
  switch (server.state) {
    case "self":
      return { state: "good", text: SERVER.self };
    case "linked":
      return { state: "good", text: SERVER.linked };
    case "suspect":
      return { state: "warn", text: SERVER.suspect };
    case "left":
      return { state: "quiet", text: SERVER.left };
    case "dead":
      return { state: "bad", text: SERVER.dead };
    default:
      // A newer server may know more.
      return { state: "quiet", text: `${server.state}` };
  }
}

/** Ends that nobody has to worry about. */
const USUAL = new Set([
  "LOGGED_OUT",
  "CLOSED_BY_OTHER_SIDE",
  "REDIRECTED",
  "SERVER_STOPPING",
  "SESSION_REPLACED",
  "DUPLICATE_LINK",
]);
/** Ends that somebody is hurt by. */
const SEVERE = new Set(["HEARTBEAT_TIMEOUT", "SERVER_FAILED", "SERVER_LOST", "FELL_BEHIND", "CONNECTION_RESET"]);

/**
 * How bad an end is.
 *
 * @param {string} reason
 * @returns {"quiet" | "warn" | "bad"}
 */
export function endState(reason) {
  return USUAL.has(reason) ? "quiet" : SEVERE.has(reason) ? "bad" : "warn";
}

/**
 * @param {readonly string[]} one
 * @param {readonly string[]} other
 */
function isEqual(one, other) {
  return one.length === other.length && one.every((word, index) => word === other[index]);
}

/**
 * @param {Ruling | undefined} one
 * @param {Ruling | undefined} other
 */
function isSaidAlike(one, other) {
  return (one === undefined) === (other === undefined) && one?.until === other?.until && one?.why === other?.why;
}

/**
 * @param {Readonly<Record<string, ServerView>>} servers
 * @param {string} serverId
 */
function nameOf(servers, serverId) {
  return servers[serverId]?.name ?? (serverId.length > 12 ? `${serverId.slice(0, 12)}…` : serverId);
}
