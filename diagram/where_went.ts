/**
 * Answers from traces where an activity or a direct message went: who had it when, or why somebody did not get it. Each
 * sentence says what is known. Pure.
 */

import { counted } from "../protocol/counted.ts";
import { openConnections, sentenceOfEnd, type Told, when } from "./answer.ts";
import { covers, type History } from "./history.ts";
import { isHeartbeat, phraseOf, shortNames } from "./phrase.ts";
import { completeEntry, serversIn } from "./server_ids.ts";
import type { TraceEvent } from "../trace/trace_event.ts";
import { eventsAbout, isNamed } from "./window.ts";

/** The words of a server for a broadcast to one user. */
const FOR_USER = /^for (.+)$/;
/** Of the column that names nodes. */
const NAME_WIDTH = 10;

/**
 * Where the activity or message `typed` went, and who got it when, or why not. `typed` is an entry (the beginning of
 * its server's id is enough) or a sender's message id.
 */
export function whereWent(history: History, typed: string): Told {
  const { events, nodes, arrows, wallTime } = history;
  const completed = completeEntry(typed, serversIn(events));
  if (completed.kind === "ambiguous") return { text: `${completed.sentence}\n`, isFound: false };
  const id = completed.text;
  const about = [...eventsAbout(history, id)].sort((a, b) => a - b).map((index) => events[index]!);
  if (about.length === 0) return { text: `Nothing in these traces is about ${id}.\n`, isFound: false };
  const published = about.find(({ event }) => event === "publish");
  const entry = published?.id ?? about.find(({ event }) => event === "broadcast" || event === "acknowledged")?.id ??
    (about.some(({ event }) => event === "receive") ? id : undefined);
  const receiver = entry === undefined ? undefined : receiverOf(about, entry);
  const from = published?.peer === undefined ? "" : ` by ${published.peer}`;
  const what = receiver === undefined ? "" : `, a direct message to ${receiver},`;
  const lines = [
    published === undefined
      ? `That ${id}${what} was published is not in these traces.`
      : `${published.id}${what} was published${from} at ${published.node} ${when(published, wallTime)}.`,
    "",
    ...stepsOf(history, about, published),
    "",
  ];
  if (entry === undefined) lines.push("No server has it: it did not arrive, or what arrived was lost with its server.");
  else if (receiver !== undefined) lines.push(...deliveryOf(history, entry, receiver, published?.peer));
  else {
    const clients = nodes.filter(({ isServer }) => !isServer);
    if (clients.length === 0) lines.push("No trace of a client was given, so who got it is not known.");
    for (const { name } of clients) lines.push(`${name}: ${gotIt(history, name, entry)}`);
    const got = arrows.filter(({ to }) => events[to]!.node.includes("#") && covers(events[to]!.id, entry)).length;
    if (clients.length > 0) lines.push("", `${got} of ${counted(clients.length, "client")} with a trace got it.`);
  }
  return { text: lines.join("\n") + "\n", isFound: true };
}

/** Whom a direct message is for. */
function receiverOf(about: readonly TraceEvent[], entry: string): string | undefined {
  const broadcast = about.find(({ event, id, what }) =>
    event === "broadcast" && what !== undefined && covers(id, entry)
  );
  return FOR_USER.exec(broadcast?.what ?? "")?.[1];
}

function stepsOf(
  { nodes, wallTime }: History,
  about: readonly TraceEvent[],
  published: TraceEvent | undefined,
): string[] {
  const name = shortNames(nodes.map((node) => node.name));
  return about.map((event) => {
    const to = event.event === "send"
      ? ` to ${name(event.peer ?? "")}`
      : event.event === "receive"
      ? ` from ${name(event.peer ?? "")}`
      : "";
    return `  ${wallTime.of(event.at)}  ${String(event.lamport).padStart(6)}  ${name(event.node).padEnd(NAME_WIDTH)} ${
      verbOf(event, published?.id)
    }${to}${lateness(event, published)}`;
  });
}

/** Whether a direct message reached its receiver, whether its sender knows, or why not. */
function deliveryOf(history: History, entry: string, receiver: string, sender: string | undefined): string[] {
  const { events, nodes, wallTime } = history;
  const lines: string[] = [];
  const delivered = events.find(({ event, what }) => event === "delivered" && what === entry);
  for (const { name } of nodes.filter(({ name, isServer }) => !isServer && isNamed(name, receiver))) {
    // A client that came later than this could not get the message, and needs no explanation.
    if (delivered === undefined || events.some((event) => isReceipt(event, name, entry))) {
      lines.push(`${name}: ${gotIt(history, name, entry)}`);
    }
  }
  if (delivered === undefined) return [...lines, whyItWaits(history, entry, receiver)];
  lines.push(`${delivered.node} has it from ${delivered.peer} that it was delivered, ${when(delivered, wallTime)}.`);
  const user = sender?.replace(/#[^#]*$| \(.*\)$/, "");
  const receipt = delivered.id ?? "";
  const told = events.filter(({ event, node, id }) =>
    event === "receive" && user !== undefined && isNamed(node, user) && covers(id, receipt)
  );
  for (const event of told) lines.push(`${event.node}: the receipt ${receipt} came ${when(event, wallTime)}.`);
  if (told.length > 0 || user === undefined) return lines;
  const hasTrace = nodes.some(({ name, isServer }) => !isServer && isNamed(name, user));
  const open = openConnections(events, user);
  lines.push(
    !hasTrace
      ? `Whether the receipt ${receipt} came to ${user} is not known: no trace of a client of that user was given.`
      : open.length === 0
      ? `The receipt ${receipt} has not come to ${user}: ${awaySince(history, user)}.`
      : `The receipt ${receipt} has not come to ${user} as far as these traces go.`,
  );
  return lines;
}

function whyItWaits(history: History, entry: string, receiver: string): string {
  const { events, wallTime } = history;
  const open = openConnections(events, receiver);
  if (open.length === 0) return `It waits for ${receiver}: ${awaySince(history, receiver)}.`;
  const got = events.find(({ event, node, id }) => event === "receive" && isNamed(node, receiver) && covers(id, entry));
  if (got !== undefined) return `It waits: ${got.node} has not said that it has taken it.`;
  return `It is not known to be delivered, though ${
    open.map((login) => `${login.peer} is logged in at ${login.node} since ${wallTime.of(login.at)}`).join(" and ")
  }.`;
}

/** Since when nobody is logged in as `user`. */
function awaySince({ events, wallTime }: History, user: string): string {
  const end = events.findLast((event) =>
    (event.event === "closed" && !isNamed(event.node, user) && isNamed(event.peer, user)) ||
    ((event.event === "stop" || event.event === "closed") && isNamed(event.node, user))
  );
  if (end === undefined) return `${user} is not logged in anywhere in these traces`;
  const why = end.what === undefined ? "" : ` (${sentenceOfEnd(end.what)})`;
  return `${user} is offline since ${wallTime.of(end.at)}, says ${end.node}${why}`;
}

function isReceipt({ event, node, id }: TraceEvent, name: string, entry: string): boolean {
  return event === "receive" && node === name && covers(id, entry);
}

/** When a client got the entry, or the best explanation why it did not. */
function gotIt({ events, wallTime }: History, node: string, entry: string): string {
  const got = events.find((event) => isReceipt(event, node, entry));
  if (got !== undefined) return `got it ${when(got, wallTime)} from ${got.peer}`;
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
    const arrived = events.find((event) => isReceipt(event, home, entry));
    return arrived === undefined
      ? `did not: it never came to ${home}, where ${node} was logged in last${
        partedFrom({ events, wallTime }, home, entry)
      }`
      : `did not: ${home}, where it was logged in last, has it and had not delivered it when the trace ends`;
  }
  const isFor = FOR_USER.exec(broadcast.what ?? "")?.[1];
  if (isFor !== undefined && !isNamed(node, isFor)) return `did not: it was ${broadcast.what}`;
  if (isAway && end.lamport < broadcast.lamport) {
    return `did not: it had left ${home} before (${phraseOf(end)}, ${wallTime.of(end.at)})`;
  }
  if (back.lamport > broadcast.lamport) {
    return `did not: it logged in at ${home} after that, and did not ask for earlier entries`;
  }
  return isAway
    ? `did not: its connection to ${home} ended while it was on its way (${phraseOf(end)}, ${wallTime.of(end.at)})`
    : `did not, as far as its trace goes: ${home} sent it at ${wallTime.of(broadcast.at)}`;
}

function partedFrom({ events, wallTime }: Pick<History, "events" | "wallTime">, home: string, entry: string): string {
  const origin = entry.slice(0, entry.lastIndexOf(":"));
  const link = events.findLast(({ node, peer, event }) =>
    node === home && peer === origin && (event === "linked" || event === "unlinked")
  );
  return link?.event === "unlinked"
    ? `, which has had no link to ${origin} since ${wallTime.of(link.at)} (${link.what})`
    : "";
}

function verbOf({ event, what, id = "" }: TraceEvent, entry: string | undefined): string {
  // Events about the receipt of a message name the message.
  const of = entry !== undefined && event !== "delivered" && /:\d+(-\d+)?$/.test(id) && !covers(id, entry) &&
      !isHeartbeat(id)
    ? `the receipt ${id} `
    : "";
  switch (event) {
    case "send":
      return `sent ${of}`.trimEnd();
    case "receive":
      return `received ${of}${what === "again" ? "again (left out)" : ""}`.trimEnd();
    case "publish":
      return "published";
    case "delivered":
      return `learned that it was delivered: receipt ${id}`;
    case "broadcast":
      return `broadcast ${of}to its clients${what === undefined ? "" : ` (${what})`}`;
    case "acknowledged":
      return "was told that it is safe";
    case "repeated":
      return "took it for an entry that it had already";
    case "queued":
      return "kept it until it is connected";
    default:
      return event;
  }
}

/** By the clocks of two machines, so the milliseconds are not exact. */
function lateness({ at }: TraceEvent, published: TraceEvent | undefined): string {
  return published === undefined || at <= published.at ? "" : `  +${at - published.at} ms`;
}
