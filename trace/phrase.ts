/** Events in words, as diagrams and answers have them; and what kind of thing each is. Pure. */

import type { TraceEvent, TraceKind } from "./trace_event.ts";

/** What an event is, at a glance. */
export type Tone = "publish" | "broadcast" | "message" | "presence" | "heartbeat" | "trouble" | "plain";

const TONES: Readonly<Record<TraceKind, Tone>> = {
  start: "presence",
  stop: "presence",
  connect: "plain",
  unreachable: "trouble",
  register: "presence",
  login: "presence",
  redirect: "plain",
  closed: "presence",
  heartbeat: "heartbeat",
  answered: "heartbeat",
  unanswered: "trouble",
  suspected: "trouble",
  trusted: "heartbeat",
  linked: "presence",
  unlinked: "trouble",
  queued: "plain",
  publish: "publish",
  repeated: "plain",
  acknowledged: "plain",
  send: "message",
  receive: "message",
  broadcast: "broadcast",
};

/** Ends that nobody has to worry about. */
const GOOD_ENDS = new Set([
  ...["LOGGED_OUT", "loggedOut", "SERVER_STOPPING", "REDIRECTED", "redirected"],
  ...["it has left", "the server is stopping"],
]);

/** As much of a server's name as can be told apart by eye. */
const MIN_NAME_LENGTH = 6;

/** What kind of thing it is. */
export function toneOf({ event, what }: TraceEvent): Tone {
  const isGood = GOOD_ENDS.has(what ?? "");
  if (event === "unlinked" && isGood) return "presence";
  return event === "closed" && !isGood ? "trouble" : TONES[event];
}

/** The event in a few words, without its node and time. `name` makes names short. */
export function phraseOf(
  { event, peer = "", id = "", what = "" }: TraceEvent,
  name: (node: string) => string = (node) => node,
): string {
  const other = name(peer);
  const entry = shortId(id, name);
  const isLogin = id.startsWith("login:");
  switch (event) {
    case "start":
      return what === "" ? "starts" : `starts at ${what}`;
    case "stop":
      return what === "" || GOOD_ENDS.has(what) ? "stops" : `stops: ${what}`;
    case "connect":
      return `connected ${other}`;
    case "unreachable":
      return `cannot reach ${other}`;
    case "register":
      return `registered ${what}`;
    case "login":
      return `${what} joined`;
    case "redirect":
      return `sends ${other} ${what}`;
    case "closed":
      return `closed ${other}: ${what}`;
    case "heartbeat":
      return /^\d/.test(what) ? `♥ ${what} → ${other}` : `♥ ${what}`;
    case "answered":
      return `♥ ${other}: ${what}`;
    case "unanswered":
      return `${other} answers nothing`;
    case "suspected":
      return `${other} is silent`;
    case "trusted":
      return `${other} is there again`;
    case "linked":
      return `link to ${other}`;
    case "unlinked":
      return GOOD_ENDS.has(what) ? `no link to ${other}: ${what}` : `lost ${other}: ${what}`;
    case "queued":
      return `waits: ${entry}`;
    case "publish":
      return `publish ${entry}`;
    case "repeated":
      return `${entry} again`;
    case "acknowledged":
      return `safe: ${entry}`;
    case "send":
      return isLogin ? "login" : entry;
    case "receive":
      return isLogin ? "login" : what === "again" ? `${entry} again` : entry;
    case "broadcast":
      return `broadcast ${entry}`;
  }
}

/** The event in a sentence, with all that is known of it. */
export function sentenceOf({ at, lamport, node, event, peer, id, what }: TraceEvent): string {
  const to = event === "receive" ? " from " : event === "send" ? " to " : ", ";
  return `${node}, Lamport time ${lamport}: ${event}${id === undefined ? "" : ` ${id}`}${
    peer === undefined ? "" : to + peer
  }${what === undefined ? "" : ` (${what})`}; ${timeOf(at)}`;
}

/** A wall time in UTC, to the millisecond. */
export function timeOf(at: number): string {
  const [hours, minutes, seconds] = [3_600_000, 60_000, 1_000].map((unit) => Math.floor(at / unit));
  const two = (count: number, of: number) => String(count % of).padStart(2, "0");
  return `${two(hours!, 24)}:${two(minutes!, 60)}:${two(seconds!, 60)}.${
    String(Math.floor(at) % 1000).padStart(3, "0")
  }`;
}

/** Message ids are long, so that nobody else has them: their number tells one from the next. */
function shortId(id: string, name: (node: string) => string): string {
  const [, origin, rest] = /^(.+)(:\d+(?:-\d+)?)$/.exec(id) ?? [];
  if (origin !== undefined) return name(origin) + rest;
  const number = /^[a-z0-9]{6,}-(\d+)$/.exec(id)?.[1];
  return number === undefined ? id : `#${number}`;
}

/** Names as short as they can be without two being the same: of clients the user, of servers the beginning. */
export function shortNames(nodes: readonly string[]): (node: string) => string {
  const short = new Map<string, string>();
  for (const node of nodes) {
    const user = node.replace(/#[^#]*$/, "");
    const isClient = user !== node;
    const others = nodes.filter((other) => other !== node);
    if (isClient) short.set(node, others.some((other) => other.startsWith(`${user}#`)) ? node : user);
    else {
      let length = Math.min(node.length, MIN_NAME_LENGTH);
      while (others.some((other) => other.startsWith(node.slice(0, length))) && length < node.length) length++;
      short.set(node, node.slice(0, length));
    }
  }
  return (node) => short.get(node) ?? node.replace(/ \(.*\)$/, "");
}
