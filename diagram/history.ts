/**
 * Reads the traces of several nodes together: who sent a message to whom, and which event happened before which. Pairs
 * each `receive` with its `send` or `broadcast` by their names for each other. Derives vector clocks, crashes and
 * unanswered heartbeats. Pure.
 */

import { isServer, toneOf } from "./phrase.ts";
import { type EntryRange, parseRange, parseTraceEvent, type TraceEvent } from "../trace/trace_event.ts";
import { UTC, type WallTime } from "./wall_time.ts";

/** A message: the places of its two ends in `History.events`. */
export interface Arrow {
  readonly from: number;
  readonly to: number;
}

/** Traces, put together. */
export interface History {
  /** By Lamport time, then by node: in an order in which everything could have happened. */
  readonly events: readonly TraceEvent[];
  /** Nodes that have a trace, servers with their clients beside them. */
  readonly nodes: readonly TracedNode[];
  readonly arrows: readonly Arrow[];
  /**
   * Receives without a send in the sender's trace: the send was lost with a crashed server's file, or is in another
   * file.
   */
  readonly unsent: readonly number[];
  /** Sends to a node whose trace goes on after them, in which they did not arrive. */
  readonly lost: readonly number[];
  /** Sends to a node whose trace ends before they can have arrived, as of a file that was copied while the node ran. */
  readonly beyond: readonly number[];
  /** Last events of traces that end in this way. */
  readonly ends: ReadonlySet<number>;
  /** Heartbeats that nothing answered. */
  readonly unanswered: ReadonlySet<number>;
  /** Times in which one server had no link to another. */
  readonly partings: readonly Parting[];
  /** Last events of a life that has no `stop`, where the node went on later or others lost it. */
  readonly crashes: ReadonlySet<number>;
  /** How people are shown when something happened. */
  readonly wallTime: WallTime;
}

/** A time in which one server lacked a link to another. */
export interface Parting {
  readonly node: string;
  readonly peer: string;
  readonly fromLamport: number;
  /** `undefined` when it is not over. */
  readonly toLamport: number | undefined;
}

/** A node that has a trace. */
export interface TracedNode {
  readonly name: string;
  readonly isServer: boolean;
  /** The name for people, if it differs: `HOST:PORT`. */
  readonly label?: string;
  /** Whether the node is gone, as others know it: `dead` was lost, `left` said so. */
  readonly gone?: "dead" | "left";
}

/** Where entries went to clients. */
interface Broadcast extends EntryRange {
  readonly index: number;
  /** The only user who gets them. */
  readonly isFor: string | undefined;
}

/** What was sent so shortly before a trace ends may have been on its way. */
const UNDER_WAY_MS = 1_000;
/** `HOST:PORT`. Neither servers nor clients have such a name. */
const ADDRESS = /^(?:\[[^\s\]]+\]|[^\s:]+):\d+$/;

/** The events in `text`, a JSON object a line, and how many lines were none. */
export function readTrace(text: string): { readonly events: TraceEvent[]; readonly unreadable: number } {
  const events: TraceEvent[] = [];
  let unreadable = 0;
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    const event = parseTraceEvent(line);
    if (event === undefined) unreadable++;
    else events.push(event);
  }
  return { events, unreadable };
}

/**
 * Puts `traced` together, from one file or from many, in any order. `areWhole`: no trace ends before its node does, as
 * of nodes that tell their events while they run.
 */
export function historyOf(traced: readonly TraceEvent[], wallTime: WallTime = UTC, areWhole = false): History {
  const events = traced.toSorted((a, b) => a.lamport - b.lamport || (a.node < b.node ? -1 : a.node > b.node ? 1 : 0));
  const names = new Set(events.map(({ node }) => node));
  const { arrows, unsent } = pair(events, names);
  const arrived = new Set(arrows.map(({ from }) => from));
  const crashes = findCrashes(events);
  const endOf = areWhole ? () => undefined : endsOf(events, crashes);
  const missing = events.flatMap(({ event, peer = "" }, index) =>
    event === "send" && !arrived.has(index) && names.has(peer) ? [index] : []
  );
  const late = missing.filter((index) => {
    const end = endOf(events[index]!.peer!);
    return end !== undefined && isBeyond(events[index]!, events[end]!);
  });
  // Where nothing at all is known of what came after a message, all traces end there, and not that of one node.
  const isOver = late.length === 1 && events.every(({ at }, index) => index === late[0] || at < events[late[0]!]!.at);
  const beyond = isOver ? [] : late;
  return {
    events,
    nodes: nodesOf(events),
    arrows,
    unsent,
    lost: missing.filter((index) => !beyond.includes(index)),
    beyond,
    ends: new Set(beyond.map((index) => endOf(events[index]!.peer!)!)),
    unanswered: findUnanswered(events),
    partings: findPartings(events),
    crashes,
    wallTime,
  };
}

/** For each event, how many events of each node it knows of, itself included. */
export function vectorClocks({ events, arrows }: History): ReadonlyMap<string, number>[] {
  const cause = new Map(arrows.map(({ from, to }) => [to, from]));
  const newest = new Map<string, ReadonlyMap<string, number>>();
  const clocks: ReadonlyMap<string, number>[] = [];
  for (const [index, { node }] of events.entries()) {
    const clock = new Map(newest.get(node));
    const from = cause.get(index);
    for (const [other, count] of from === undefined ? [] : clocks[from]!) {
      clock.set(other, Math.max(count, clock.get(other) ?? 0));
    }
    clock.set(node, (newest.get(node)?.get(node) ?? 0) + 1);
    newest.set(node, clock);
    clocks.push(clock);
  }
  return clocks;
}

/** Whether `id` names this entry, or a run with it in it. */
export function covers(id: string | undefined, entry: string): boolean {
  if (id === undefined) return false;
  if (id === entry) return true;
  const range = parseRange(id);
  const wanted = parseRange(entry);
  return range !== undefined && wanted !== undefined && range.origin === wanted.origin &&
    range.first <= wanted.last && wanted.first <= range.last;
}

/** The last events of nodes that neither stopped nor crashed, by node. */
function endsOf(
  events: readonly TraceEvent[],
  crashes: ReadonlySet<number>,
): (node: string) => number | undefined {
  const last = new Map<string, number>();
  for (const [index, { node }] of events.entries()) last.set(node, index);
  for (const [node, index] of last) if (crashes.has(index) || events[index]!.event === "stop") last.delete(node);
  return (node) => last.get(node);
}

/** Whether what was sent can have arrived only after a trace ended. */
function isBeyond(sent: TraceEvent, end: TraceEvent): boolean {
  return end.lamport <= sent.lamport || end.at <= sent.at + UNDER_WAY_MS;
}

/** By rising times: before a receipt, everything that can have caused it has passed. */
function pair(events: readonly TraceEvent[], names: ReadonlySet<string>): { arrows: Arrow[]; unsent: number[] } {
  /** Where servers listen, as they say when they start. */
  const addresses = new Map<string, string>();
  const sends = new Map<string, number[]>();
  const broadcasts = new Map<string, Broadcast[]>();
  const arrows: Arrow[] = [];
  const unsent: number[] = [];
  for (const [index, { event, node, peer = "", id = "", what, lamport }] of events.entries()) {
    if (event === "start" && what !== undefined) addresses.set(what, node);
    if (event === "send" || (event === "heartbeat" && id !== "")) {
      // Who calls a server knows only an address of it, and the server says who called. What was sent to a node without
      // a trace arrived at nobody else.
      const receiver = names.has(peer) ? peer : addresses.get(peer) ?? (ADDRESS.test(peer) ? "" : undefined);
      if (receiver !== undefined) add(sends, `${node}\n${receiver}\n${id}`, index);
    } else if (event === "broadcast") {
      const range = parseRange(id);
      const isFor = /^for (.+)$/.exec(what ?? "")?.[1];
      if (range !== undefined) add(broadcasts, `${node}\n${range.origin}`, { ...range, index, isFor });
    }
    const isArrival = event === "receive" || (event === "answered" && id !== "");
    if (!isArrival || !names.has(peer)) continue;
    const before = (index: number) => events[index]!.lamport < lamport;
    const from = take(sends.get(`${peer}\n${node}\n${id}`), before) ?? take(sends.get(`${peer}\n\n${id}`), before) ??
      (isClient(node) ? newestOf(broadcasts, { from: peer, to: node, id }, before) : undefined);
    if (from === undefined) unsent.push(index);
    else arrows.push({ from, to: index });
  }
  return { arrows, unsent };
}

/** The broadcast of `node` that the entry `id` came with: the newest of several lives. */
function newestOf(
  broadcasts: ReadonlyMap<string, Broadcast[]>,
  { from, to, id }: { readonly from: string; readonly to: string; readonly id: string },
  fits: (index: number) => boolean,
): number | undefined {
  const entry = parseRange(id);
  return entry === undefined
    ? undefined
    : broadcasts.get(`${from}\n${entry.origin}`)?.findLast(({ first, last, index, isFor }) =>
      first <= entry.first && entry.first <= last && fits(index) && (isFor === undefined || to.startsWith(`${isFor}#`))
    )?.index;
}

function isClient(node: string): boolean {
  return !isServer(node);
}

/** The newest that fits; it is not there for another one. */
function take(indices: number[] | undefined, fits: (index: number) => boolean): number | undefined {
  const at = indices?.findLastIndex(fits) ?? -1;
  return at < 0 ? undefined : indices!.splice(at, 1)[0];
}

function add<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

/** Servers in the order in which they appear, each between its clients: most arrows are between these. */
function nodesOf(events: readonly TraceEvent[]): TracedNode[] {
  const servers = new Set<string>();
  const heard = new Map<string, Map<string, number>>();
  for (const { node, event, peer = "" } of events) {
    if (!isClient(node)) servers.add(node);
    const from = heard.get(node) ?? new Map<string, number>();
    heard.set(node, from);
    if (event === "receive") from.set(peer, (from.get(peer) ?? 0) + 1);
  }
  // The server where a client was most of the time.
  const homes = new Map(
    [...heard].map(([node, from]) => [node, [...from].toSorted(([, a], [, b]) => b - a)[0]?.[0] ?? ""]),
  );
  const ordered: string[] = [];
  for (const server of servers) {
    const clients = [...homes].filter(([node, home]) => home === server && !servers.has(node)).map(([node]) => node);
    const half = Math.floor(clients.length / 2);
    ordered.push(...clients.slice(0, half), server, ...clients.slice(half));
  }
  const others = [...homes.keys()].filter((node) => !ordered.includes(node));
  return [...ordered, ...others].map((name) => ({ name, isServer: !isClient(name) }));
}

function findUnanswered(events: readonly TraceEvent[]): Set<number> {
  const open = new Map<string, number[]>();
  const unanswered = new Set<number>();
  for (const [index, { event, node, peer = "" }] of events.entries()) {
    const key = `${node}\n${peer}`;
    if (event === "heartbeat" && !isClient(node)) add(open, key, index);
    else if (event === "answered") open.delete(key);
    else if (event === "unanswered" || event === "closed") {
      for (const heartbeat of open.get(key) ?? []) unanswered.add(heartbeat);
      open.delete(key);
    }
  }
  return unanswered;
}

function findPartings(events: readonly TraceEvent[]): Parting[] {
  const partings: Parting[] = [];
  const open = new Map<string, Omit<Parting, "toLamport">>();
  const end = (key: string, toLamport: number | undefined) => {
    const begun = open.get(key);
    if (begun !== undefined) partings.push({ ...begun, toLamport });
    open.delete(key);
  };
  for (const event of events) {
    const { node, peer = "", lamport } = event;
    const key = `${node}\n${peer}`;
    if (event.event === "unlinked" && toneOf(event) === "trouble") open.set(key, { node, peer, fromLamport: lamport });
    else if (event.event === "linked") end(key, lamport);
    else if (event.event === "stop" || event.event === "start") {
      for (const [other, begun] of [...open]) if (begun.node === node) end(other, lamport);
    }
  }
  for (const key of [...open.keys()]) end(key, undefined);
  return partings;
}

function findCrashes(events: readonly TraceEvent[]): Set<number> {
  const last = new Map<string, number>();
  const crashes = new Set<number>();
  for (const [index, { event, node }] of events.entries()) {
    const before = last.get(node);
    if (event === "start" && before !== undefined && events[before]!.event !== "stop") crashes.add(before);
    last.set(node, index);
  }
  for (const [node, index] of last) {
    const { event, at } = events[index]!;
    // The other side tells the end: it lost this server later, and has not found it again.
    const lost = events.findLast((other) =>
      other.peer === node && (other.event === "unlinked" || other.event === "linked")
    );
    if (event !== "stop" && lost?.event === "unlinked" && lost.at >= at && lost.what !== "it has left") {
      crashes.add(index);
    }
  }
  return crashes;
}
