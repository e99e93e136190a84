// @ts-check
/** What stands in the tab of a page that nobody looks at: what is wrong, and how much was not read. Pure. */

import { plural } from "../format.js";
import { isGone } from "../rows.js";
import { STATE_WORDS } from "./state_words.js";

const { server: SERVER } = STATE_WORDS;

/** More is not counted: a tab is narrow. */
const MOST_UNREAD = 99;

/**
 * A title. What is new comes first, as the end is cut off.
 *
 * @param {{ unread?: number, trouble?: string | undefined, name: string }} page
 */
export function titleOf({ unread = 0, trouble, name }) {
  const count = unread === 0 ? "" : `(${unread > MOST_UNREAD ? `${MOST_UNREAD}+` : unread}) `;
  return `${count}${[trouble, name, "thrum"].filter((part) => part).join(" · ")}`;
}

/**
 * What is worst in a network, in a word; `undefined` while all is well.
 *
 * @param {Pick<import("../../view/network_view.ts").NetworkView, "servers">} view
 * @param {boolean} isParted whether the network is in two parts
 */
export function troubleOf({ servers }, isParted) {
  if (isParted) return SERVER.parted;
  const all = Object.values(servers);
  const dead = all.filter(({ state }) => state === "dead").length;
  if (dead > 0) return `${plural(dead, "server")} ${SERVER.dead}`;
  const doubtful = all.filter((server) => !isGone(server) && server.state === "suspect").length;
  return doubtful > 0 ? `${plural(doubtful, "server")} ${SERVER.suspect}` : undefined;
}
