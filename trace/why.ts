/** Answers from traces: why a connection was closed, and where an activity went. In sentences, each of which says what is known and from whom. Pure. */

import { covers, type History } from "./history.ts";
import { phraseOf, shortNames, timeOf } from "./phrase.ts";
import type { TraceEvent } from "./trace_event.ts";
import { eventsAbout, isNamed } from "./window.ts";

/** What the ends of connections mean, for those that need more than their name. */
const MEANINGS: Readonly<Record<string, string>> = {
  HEARTBEAT_TIMEOUT: "it answered no heartbeat",
  CLOSED_BY_OTHER_SIDE: "the client closed it without a word",
  CONNECTION_RESET: "the client's machine, or the network between, broke it",
  LOGGED_OUT: "the client logged out",
  SERVER_STOPPING: "the server was stopped",
  SERVER_FAILED: "the server could not go on",
  REDIRECTED: "it was sent to another server, which had fewer clients",
  IDENTIFY_TIMEOUT: "it did not log in in time",
  INVALID_MESSAGE: "it sent a line that means nothing",
  NAME_LOST: "its name had been registered at another server first",
  FELL_BEHIND: "what it still had to be sent is not kept any more",
};
/** Events of a connection that are told before it was closed. */
const TIMELINE_KINDS: ReadonlySet<string> = new Set(["heartbeat", "answered", "unanswered"]);
/** Of a long life only the end says why. */
const MAX_TIMELINE = 12;

/** Why connections of `user` were closed, with their heartbeats. */
export function whyClosed(history: History, user: string): string {
  const { events } = history;
  const paragraphs: string[] = [];
  const ends = [...events.entries()].filter(([, event]) =>
    event.event === "closed" && !isNamed(event.node, user) && isNamed(event.peer, user)
  );
  for (const [index, end] of ends) paragraphs.push(endOf(history, index, end));
  const open = openConnections(events, user);
  for (const login of open) {
    paragraphs.push(`${login.node} has a connection of ${login.peer} that is not closed: logged in ${when(login)}.`);
  }
  // A server that was killed tells nobody; its clients may.
  const told = events.filter((event) => event.event === "closed" && isNamed(event.node, user));
  for (const event of told.filter(({ peer }) => !ends.some(([, end]) => end.node === peer))) {
    paragraphs.push(
      `${event.node} lost its connection to ${event.peer} ${when(event)}: ${event.what}. ${
        crashOf(history, event) ?? otherSide(history, event)
      }`,
    );
  }
  return paragraphs.length > 0
    ? paragraphs.join("\n\n") + "\n"
    : `Nothing in these traces is about a connection of ${user}.\n`;
}

/** Where the activity `id` (an entry, or its sender's message id) went, and who of those that keep a trace got it when, or why not. */
export function whereWent(history: History, id: string): string {
  const { events, nodes, arrows } = history;
  const about = [...eventsAbout(history, id)].sort((a, b) => a - b).map((index) => events[index]!);
  const published = about.find(({ event }) => event === "publish");
  const entry = published?.id ?? about.find(({ event }) => event === "broadcast" || event === "acknowledged")?.id ??
    (about.some(({ event }) => event === "receive") ? id : undefined);
  if (about.length === 0) return `Nothing in these traces is about ${id}.\n`;
  const name = shortNames(nodes.map((node) => node.name));
  const lines: string[] = [];
  const from = published?.peer === undefined ? "" : ` by ${published.peer}`;
  lines.push(
    published !== undefined
      ? `${published.id} was published${from} at ${published.node} ${when(published)}.`
      : `That ${id} was published is not in these traces.`,
    "",
  );
  for (const event of about) {
    const to = event.event === "send"
      ? ` to ${name(event.peer ?? "")}`
      : event.event === "receive"
      ? ` from ${name(event.peer ?? "")}`
      : "";
    lines.push(
      `  ${timeOf(event.at)}  ${String(event.lamport).padStart(6)}  ${name(event.node).padEnd(10)} ${
        verbOf(event)
      }${to}${lateness(event, published)}`,
    );
  }
  if (entry === undefined) {
    return `${
      [...lines, "", "No server has it: it did not arrive, or what arrived was lost with its server."].join("\n")
    }\n`;
  }
  lines.push("");
  for (const { name: node, isServer } of nodes) {
    if (isServer) continue;
    lines.push(`${node}: ${gotIt(history, node, entry)}`);
  }
  const counted = arrows.filter(({ to }) => events[to]!.node.includes("#") && covers(events[to]!.id, entry)).length;
  lines.push("", `${counted} of ${nodes.filter(({ isServer }) => !isServer).length} clients that keep a trace got it.`);
  return lines.join("\n") + "\n";
}

function endOf(history: History, index: number, end: TraceEvent): string {
  const { events } = history;
  const { node, peer = "", what = "" } = end;
  const begin = events.findLastIndex((event, at) =>
    at < index && event.node === node && event.peer === peer && event.event === "login"
  );
  const login = events[begin];
  const timeline = events.slice(begin + 1, index).filter((event) =>
    event.node === node && event.peer === peer && TIMELINE_KINDS.has(event.event)
  );
  const meaning = MEANINGS[what];
  const lines = [
    `${node} closed the connection of ${peer} ${when(end)}: ${what}${meaning === undefined ? "" : `, ${meaning}`}.`,
    ...(login === undefined
      ? []
      : [`  ${timeOf(login.at)}  logged in; was connected for ${seconds(end.at - login.at)}`]),
    ...(timeline.length > MAX_TIMELINE
      ? [`  …             ${timeline.length - MAX_TIMELINE} heartbeat events before`]
      : []),
    ...timeline.slice(-MAX_TIMELINE).map((event) =>
      `  ${timeOf(event.at)}  ${phraseOf(event)}${missed(history, event)}`
    ),
    `  ${timeOf(end.at)}  closed`,
  ];
  if (timeline.length === 0 && what === "HEARTBEAT_TIMEOUT") {
    lines.splice(-1, 0, "  (its heartbeats are not in these traces)");
  }
  const own = otherSide(history, { ...end, node: peer, peer: node });
  return own === "" ? lines.join("\n") : `${lines.join("\n")}\n  ${own}`;
}

/** What the node itself says of its last moments before its connection's end. */
function otherSide({ events, nodes }: History, { node, peer = "", at }: TraceEvent): string {
  if (!nodes.some(({ name }) => name === node)) return `${node} keeps no trace, so its side is not known.`;
  const heard = events.findLast((event) =>
    event.node === node && event.peer === peer && event.event === "heartbeat" && event.at <= at
  );
  if (heard !== undefined) {
    return `${node} says of the last heartbeat that it saw, at ${timeOf(heard.at)}: ${heard.what}.`;
  }
  const last = events.findLast((event) => event.node === node && event.at <= at);
  return last === undefined ? "" : `The last event of ${node} before that: ${phraseOf(last)} at ${timeOf(last.at)}.`;
}

/** Whether the server crashed, as far as its trace and those of others say. */
function crashOf({ events, crashes }: History, { peer = "", at }: TraceEvent): string | undefined {
  const crash = [...crashes].map((index) => events[index]!).find((event) => event.node === peer && event.at <= at + 1);
  if (crash === undefined) return undefined;
  return `${peer} crashed: its trace ends at ${timeOf(crash.at)}, and nothing says that it stopped.`;
}

function missed({ events, unanswered }: History, event: TraceEvent): string {
  return unanswered.has(events.indexOf(event)) ? "   no answer" : "";
}

function openConnections(events: readonly TraceEvent[], user: string): TraceEvent[] {
  const open = new Map<string, TraceEvent>();
  for (const event of events) {
    const key = `${event.node}\n${event.peer}`;
    if (event.event === "login" && isNamed(event.peer, user)) open.set(key, event);
    else if (event.event === "closed") open.delete(key);
    else if (event.event === "stop" || event.event === "start") {
      for (const [other, login] of open) if (login.node === event.node) open.delete(other);
    }
  }
  return [...open.values()];
}

/** When a client got the entry, or the best that can be said about why it did not. */
function gotIt({ events }: History, node: string, entry: string): string {
  const got = events.find((event) => event.event === "receive" && event.node === node && covers(event.id, entry));
  if (got !== undefined) return `got it ${when(got)} from ${got.peer}`;
  const homes = events.filter((event) =>
    event.event === "receive" && event.node === node && event.id?.startsWith("login:")
  );
  const home = homes.at(-1)?.peer;
  if (home === undefined) return "did not: it was never logged in";
  const broadcast = events.find((event) =>
    event.event === "broadcast" && event.node === home && covers(event.id, entry)
  );
  const end = events.findLast((event) => event.node === node && (event.event === "closed" || event.event === "stop"));
  const back = homes.at(-1)!;
  const isAway = end !== undefined && end.lamport > back.lamport;
  if (broadcast === undefined) {
    const arrived = events.find((event) => event.event === "receive" && event.node === home && covers(event.id, entry));
    return arrived === undefined
      ? `did not: it never came to ${home}, where ${node} was logged in last${partedFrom(events, home, entry)}`
      : `did not: ${home}, where it was logged in last, has it and had not delivered it when the trace ends`;
  }
  if (broadcast.what !== undefined) return `did not: it was ${broadcast.what}`;
  if (isAway && end.lamport < broadcast.lamport) {
    return `did not: it had left ${home} before (${phraseOf(end)}, ${timeOf(end.at)})`;
  }
  if (back.lamport > broadcast.lamport) {
    return `did not: it logged in at ${home} after that, and did not ask for what was before`;
  }
  return isAway
    ? `did not: its connection to ${home} ended while it was on its way (${phraseOf(end)}, ${timeOf(end.at)})`
    : `did not, as far as its trace goes: ${home} sent it at ${timeOf(broadcast.at)}`;
}

function partedFrom(events: readonly TraceEvent[], home: string, entry: string): string {
  const origin = entry.slice(0, entry.lastIndexOf(":"));
  const link = events.findLast(({ node, peer, event }) =>
    node === home && peer === origin && (event === "linked" || event === "unlinked")
  );
  return link?.event === "unlinked"
    ? `, which has had no link to ${origin} since ${timeOf(link.at)} (${link.what})`
    : "";
}

function verbOf({ event, what }: TraceEvent): string {
  switch (event) {
    case "send":
      return "sent";
    case "receive":
      return what === "again" ? "received again (left out)" : "received";
    case "publish":
      return "published";
    case "broadcast":
      return `broadcast to its clients${what === undefined ? "" : ` (${what})`}`;
    case "acknowledged":
      return "was told that it is safe";
    case "repeated":
      return "took it for what it had already";
    case "queued":
      return "kept it until it is connected";
    default:
      return event;
  }
}

/** By clocks of two machines, so not to be taken by the millisecond. */
function lateness({ at }: TraceEvent, published: TraceEvent | undefined): string {
  return published === undefined || at <= published.at ? "" : `  +${at - published.at} ms`;
}

function when({ at, lamport }: TraceEvent): string {
  return `at ${timeOf(at)} (Lamport time ${lamport})`;
}

function seconds(spanMs: number): string {
  return `${Math.round(spanMs / 100) / 10} s`;
}
