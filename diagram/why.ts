/** Answers from traces why a connection was closed. Each sentence says what is known and from whom. Pure. */

import { openConnections, seconds, sentenceOfEnd, type Told, when } from "./answer.ts";
import type { History } from "./history.ts";
import { isHeartbeat, phraseOf } from "./phrase.ts";
import type { TraceEvent } from "../trace/trace_event.ts";
import { isNamed } from "./window.ts";

/** Events of a connection that are told before it was closed. */
const TIMELINE_KINDS: ReadonlySet<string> = new Set(["heartbeat", "answered", "unanswered"]);
/** Of a long life only the end says why. */
const MAX_TIMELINE = 12;

/** Why connections of `user` were closed, with their heartbeats. */
export function whyClosed(history: History, user: string): Told {
  const { events, crashes, wallTime } = history;
  const paragraphs: string[] = [];
  const ends = [...events.entries()].filter(([, event]) =>
    event.event === "closed" && !isNamed(event.node, user) && isNamed(event.peer, user)
  );
  for (const [index, end] of ends) paragraphs.push(endOf(history, index, end));
  // A killed server tells nothing; its clients may, and if not, the end of its trace does.
  const told = events.filter((event) => event.event === "closed" && isNamed(event.node, user));
  for (const { login, crash } of lostLogins(history, user)) {
    if (told.some(({ node, peer }) => node === login.peer && peer === login.node)) continue;
    paragraphs.push(
      `${login.node} crashed with the connection of ${login.peer}, which was logged in ${when(login, wallTime)}: ` +
        `the trace of ${login.node} ends at ${wallTime.of(crash.at)}, and nothing says that it stopped.`,
    );
  }
  const open = openConnections(events, user).filter((login) => !crashes.has(lastOf(events, login.node)));
  for (const login of open) {
    paragraphs.push(
      `${login.node} has a connection of ${login.peer} that is not closed: logged in ${when(login, wallTime)}.`,
    );
  }
  for (const event of told.filter(({ peer }) => !ends.some(([, end]) => end.node === peer))) {
    paragraphs.push(
      `${event.node} lost its connection to ${event.peer} ${when(event, wallTime)}: ${event.what}. ${
        crashOf(history, event) ?? otherSide(history, event)
      }`,
    );
  }
  return paragraphs.length > 0
    ? { text: paragraphs.join("\n\n") + "\n", isFound: true }
    : { text: `Nothing in these traces is about a connection of ${user}.\n`, isFound: false };
}

/** Logins of `user` at servers that crashed before they closed the connection. */
function lostLogins({ events, crashes }: History, user: string): { login: TraceEvent; crash: TraceEvent }[] {
  const open = new Map<string, TraceEvent>();
  const lost: { login: TraceEvent; crash: TraceEvent }[] = [];
  for (const [index, event] of events.entries()) {
    const key = `${event.node}\n${event.peer}`;
    if (event.event === "login" && isNamed(event.peer, user)) open.set(key, event);
    else if (event.event === "closed") open.delete(key);
    if (!crashes.has(index) && event.event !== "stop") continue;
    for (const [other, login] of open) {
      if (login.node !== event.node) continue;
      open.delete(other);
      if (crashes.has(index)) lost.push({ login, crash: event });
    }
  }
  return lost;
}

function lastOf(events: readonly TraceEvent[], node: string): number {
  return events.findLastIndex((event) => event.node === node);
}

function endOf(history: History, index: number, end: TraceEvent): string {
  const { events, wallTime } = history;
  const { node, peer = "", what = "" } = end;
  const begin = events.findLastIndex((event, at) =>
    at < index && event.node === node && event.peer === peer && event.event === "login"
  );
  const login = events[begin];
  const timeline = [...events.entries()].slice(begin + 1, index).filter(([, event]) =>
    event.node === node && event.peer === peer && TIMELINE_KINDS.has(event.event)
  );
  const lines = [
    `${node} closed the connection of ${peer} ${when(end, wallTime)}: ${sentenceOfEnd(what)}.`,
    ...(login === undefined
      ? []
      : [`  ${wallTime.of(login.at)}  logged in; was connected for ${seconds(end.at - login.at)}`]),
    ...(timeline.length > MAX_TIMELINE
      ? [`  …             ${timeline.length - MAX_TIMELINE} heartbeat events before`]
      : []),
    ...timeline.slice(-MAX_TIMELINE).map(([at, event]) =>
      `  ${wallTime.of(event.at)}  ${phraseOf(event)}${history.unanswered.has(at) ? "   no answer" : ""}`
    ),
    `  ${wallTime.of(end.at)}  closed`,
  ];
  if (timeline.length === 0 && what === "HEARTBEAT_TIMEOUT") {
    lines.splice(-1, 0, "  (its heartbeats are not in these traces)");
  }
  const own = otherSide(history, { ...end, node: peer, peer: node });
  return own === "" ? lines.join("\n") : `${lines.join("\n")}\n  ${own}`;
}

/** The node's own words about the last moments before its connection ended. */
function otherSide({ events, nodes, wallTime }: History, { node, peer = "", at }: TraceEvent): string {
  if (!nodes.some(({ name }) => name === node)) return `No trace of ${node} was given, so its side is not known.`;
  const before = events.filter((event) => event.node === node && event.at <= at);
  const heard = before.findLast((event) => event.event === "receive" && event.peer === peer && isHeartbeat(event.id));
  if (heard !== undefined) {
    return `${node} says of the last heartbeat that it saw, at ${wallTime.of(heard.at)}: ${heard.what ?? "answered"}.`;
  }
  const last = before.at(-1);
  return last === undefined
    ? ""
    : `The last event of ${node} before that: ${phraseOf(last)} at ${wallTime.of(last.at)}.`;
}

/** Whether the server crashed, by its own trace and those of others. */
function crashOf({ events, crashes, wallTime }: History, { peer = "", at }: TraceEvent): string | undefined {
  const crash = [...crashes].map((index) => events[index]!).find((event) => event.node === peer && event.at <= at + 1);
  if (crash === undefined) return undefined;
  return `${peer} crashed: its trace ends at ${wallTime.of(crash.at)}, and nothing says that it stopped.`;
}
