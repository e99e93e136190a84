// @ts-check
/**
 * Whether the network is parted, as far as the server that answers can tell, and what each side lacks. Pure. A server
 * that is dead to the one that answers may be alive: another server has a link to it, it answers this page itself, or
 * nothing says that its process has ended.
 */

import { isolated, plural, timeOfDay } from "../../format.js";
import { isGone, serverName } from "../../rows.js";

/** @typedef {import("../../../view/network_view.ts").NetworkView} NetworkView */
/** @typedef {import("../../../view/network_view.ts").ServerView} ServerView */

/**
 * What a server says of itself and its side when this page asks it: its view, or that it runs and does not let this
 * page look.
 *
 * @typedef {Pick<NetworkView, "from" | "servers"> | "closed"} Answer
 */

/**
 * `here`: servers that the one that answers can reach; `there`: the others. `isSure`: one of these is known to run.
 * `hereLacks` is not known where nobody there can be asked. `between`: servers with links to both sides, which pass
 * entries on; none if a part of the others has no such link.
 *
 * @typedef {{
 *   readonly here: readonly string[], readonly there: readonly string[], readonly isSure: boolean,
 *   readonly since: number, readonly hereLacks: number | undefined, readonly thereLacks: number,
 *   readonly between: readonly string[],
 * }} Partition
 */

/** A server that fell silent is given up within four seconds; not by all others in the same moment. */
const NOTICE_MS = 6_000;
/** Names in one sentence. */
const MOST_NAMED = 6;

/**
 * Whether a server that is dead to the one that answers is known to run.
 *
 * @param {Pick<NetworkView, "at" | "servers">} view
 * @param {string} id
 * @param {ReadonlyMap<string, Answer>} answers
 */
export function isParted(view, id, answers) {
  return view.servers[id]?.state === "dead" && (answers.has(id) || linkedVia(view, id).length > 0);
}

/**
 * Whether others have had the time to notice that a server is dead: what they say of it then is their own mind.
 *
 * @param {Pick<NetworkView, "at" | "servers">} view
 * @param {string} id
 */
export function isSettled({ at, servers }, id) {
  const { state, stateSince = 0 } = servers[id] ?? {};
  return state !== "dead" || at - stateSince >= NOTICE_MS;
}

/**
 * The servers of a view that may run although they are dead to the server that answers: it is worth asking them.
 *
 * @param {Pick<NetworkView, "servers">} view
 * @returns {string[]}
 */
export function silentServers({ servers }) {
  return Object.keys(servers).filter((id) => servers[id]?.state === "dead" && servers[id].isSilent === true);
}

/**
 * @param {Pick<NetworkView, "at" | "from" | "servers">} view
 * @param {ReadonlyMap<string, Answer>} answers by server: those that were asked, and answered
 * @returns {Partition | undefined} `undefined` where nobody is parted from anybody
 */
export function partitionOf(view, answers) {
  const { servers } = view;
  const there = Object.keys(servers).filter((id) =>
    servers[id]?.state === "dead" && (servers[id].isSilent === true || isParted(view, id, answers))
  );
  if (there.length === 0) return undefined;
  const via = there.map((id) => linkedVia(view, id));
  const between = via.every((links) => links.length > 0) ? [...new Set(via.flat())] : [];
  const here = Object.keys(servers).filter((id) => !isGone(servers[id]) && !between.includes(id));
  const heads = headsOf(here.map((id) => servers[id]));
  const told = there.map((id) => answers.get(id)).filter((answer) => answer !== undefined && answer !== "closed");
  const toldThere = told.flatMap((answer) =>
    Object.entries(answer.servers).flatMap(([id, server]) => there.includes(id) && !isGone(server) ? [server] : [])
  );
  const headsThere = headsOf(toldThere.length > 0 ? toldThere : there.map((id) => servers[id]));
  return {
    here,
    there,
    isSure: there.some((id) => isParted(view, id, answers)),
    since: Math.min(...there.map((id) => servers[id]?.stateSince ?? Infinity)),
    hereLacks: toldThere.length > 0 ? lack(heads, headsThere) : undefined,
    thereLacks: lack(headsThere, heads),
    between,
  };
}

/**
 * The same in sentences: what is known, and what each side lacks.
 *
 * @param {Partition} partition
 * @param {NetworkView} view
 * @returns {{ what: string, lacks: string }}
 */
export function partitionInWords({ here, there, isSure, since, hereLacks, thereLacks, between }, view) {
  const names = (/** @type {readonly string[]} */ ids) => {
    const all = ids.slice(0, MOST_NAMED).map((id) => isolated(serverName(view, id)));
    if (ids.length > MOST_NAMED) all.push(`${ids.length - MOST_NAMED} more`);
    return all.length < 2 ? `${all[0]}` : `${all.slice(0, -1).join(", ")} and ${all.at(-1)}`;
  };
  const doubt = isSure ? "" : `, or ${there.length === 1 ? "a server that stands still" : "servers that stand still"}`;
  const middle = between.length === 0 ? "" : `, ${names(between)} between them`;
  const sides = `${names(here)} on this side, ${names(there)} on the other${middle}${isSure ? "" : ", silent"}.`;
  const there_ = thereLacks === 0
    ? "The other side lacks nothing of this one, as far as is known."
    : `The other side lacks ${plural(thereLacks, "entry", "entries")} of this one.`;
  const here_ = hereLacks === undefined
    ? `This side lacks what the other has accepted since ${timeOfDay(since)}.`
    : hereLacks === 0
    ? "This side lacks nothing of the other."
    : `This side lacks ${plural(hereLacks, "entry", "entries")} of the other.`;
  return {
    what: `Partition since ${timeOfDay(since)}${doubt}: ${sides}`,
    lacks: between.length > 0
      ? `${names(between)} ${between.length === 1 ? "passes" : "pass"} entries on: neither side has to lack anything.`
      : `${here_} ${there_}`,
  };
}

/**
 * Servers that can be reached, and have a link to `id` by their own words.
 *
 * @param {Pick<NetworkView, "at" | "servers">} view
 * @param {string} id
 */
function linkedVia(view, id) {
  const { servers } = view;
  if (!isSettled(view, id)) return [];
  // What a server said before it fell silent may be true no more.
  return Object.keys(servers).filter((other) =>
    servers[other]?.state === "linked" && servers[other].links?.[id] != null
  );
}

/** @param {readonly (ServerView | undefined)[]} servers @returns {Map<string, number>} */
function headsOf(servers) {
  const heads = new Map();
  for (const server of servers) {
    for (const [origin, last] of Object.entries(server?.vector ?? {})) {
      if (last > (heads.get(origin) ?? 0)) heads.set(origin, last);
    }
  }
  return heads;
}

/**
 * How many entries `some` lack that `others` have.
 *
 * @param {Map<string, number>} some
 * @param {Map<string, number>} others
 */
function lack(some, others) {
  let count = 0;
  for (const [origin, last] of others) count += Math.max(0, last - (some.get(origin) ?? 0));
  return count;
}
