/** Events in words, for diagrams and answers, and the kind of each event. Pure. */

import type { TraceEvent, TraceKind } from "../trace/trace_event.ts";
import type { WallTime } from "./wall_time.ts";

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
  delivered: "publish",
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

/** A message id that is chance alone, as the web client's are: nothing that a person could tell from the next. */
const UNNUMBERED = /^[0-9a-f]{32}$/;

/** A client with blocked heartbeats says this of a heartbeat. */
export const WITHHELD = "answer withheld";

/** What kind of thing it is. */
export function toneOf({ node, event, id, what }: TraceEvent): Tone {
  if (isHeartbeat(id)) return what === WITHHELD ? "trouble" : "heartbeat";
  const isGood = GOOD_ENDS.has(what ?? "");
  if (event === "unlinked" && isGood) return "presence";
  if (event !== "closed" || isGood) return TONES[event];
  // A visitor that leaves, or a closed tab, harms nobody. A client that its server left has lost the server.
  return what === "CLOSED_BY_OTHER_SIDE" && isServer(node) ? "plain" : "trouble";
}

/**
 * The event in a few words, without its node and time. `name` shortens names. A message of a hidden node says whose it
 * is.
 */
export function phraseOf(
  { event, peer = "", id = "", what = "" }: TraceEvent,
  name: (node: string) => string = (node) => node,
  isShown: (node: string) => boolean = () => true,
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
      return `♥ ${what} → ${other}`;
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
      return entry === "" ? "waits" : `waits: ${entry}`;
    case "publish":
      return `publish ${entry}`;
    case "repeated":
      return `${entry} again`;
    case "delivered":
      return `delivered ${shortId(what, name)} (${entry})`;
    case "acknowledged":
      return `safe: ${entry}`;
    case "send":
    case "receive": {
      if (isHeartbeat(id)) return `♥ ${what}`.trimEnd();
      const message = isLogin ? "login" : what === "again" ? `${entry} again`.trimStart() : entry || what;
      if (event === "send") return message || `to ${other}`;
      return message === "" ? `from ${other}` : isShown(peer) ? message : `${message} from ${other}`;
    }
    case "broadcast":
      return `broadcast ${entry} ${what}`.trimEnd();
  }
}

/** The event in a sentence, with everything that is known of it. */
export function sentenceOf({ at, lamport, node, event, peer, id, what }: TraceEvent, wallTime: WallTime): string {
  const to = event === "receive" ? " from " : event === "send" ? " to " : ", ";
  return `${node}, Lamport time ${lamport}: ${event}${id === undefined ? "" : ` ${id}`}${
    peer === undefined ? "" : to + peer
  }${what === undefined ? "" : ` (${what})`}; ${wallTime.of(at)} ${wallTime.zone}`.trimEnd();
}

/** Whether `node` is a server. Names of servers do not have this character. */
export function isServer(node: string): boolean {
  return !node.includes("#");
}

/** Whether a message is a heartbeat, or the answer to one. */
export function isHeartbeat(id: string | undefined): boolean {
  return id !== undefined && /^heartbeat:\d+$/.test(id);
}

/** Message ids are long, so that each is unique. Their number tells one from the next. */
function shortId(id: string, name: (node: string) => string): string {
  const [, origin, rest] = /^(.+)(:\d+(?:-\d+)?)$/.exec(id) ?? [];
  if (origin !== undefined) return name(origin) + rest;
  if (UNNUMBERED.test(id)) return "";
  const number = /^[a-z0-9]{6,}-(\d+)$/.exec(id)?.[1];
  return number === undefined ? id : `#${number}`;
}

/** The shortest names that are still different: the user of a client, the beginning of a server's name. */
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
  return (node) => short.get(node) ?? node.replace(/ \(.*\)$|#[^#]*$/, "");
}
