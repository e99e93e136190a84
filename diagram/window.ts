/**
 * Selects a part of a history: a span of Lamport time, the events around one user, or the events around one message.
 * Pure.
 */

import { covers, type History } from "./history.ts";
import type { TraceEvent } from "../trace/trace_event.ts";

/** The selection. Every given condition has to hold. */
export interface Window {
  /** Lamport times, both included. */
  readonly from?: number;
  readonly to?: number;
  /** The same by the nodes' own clocks, in milliseconds since 1970. */
  readonly fromMs?: number;
  readonly toMs?: number;
  /** The most events that remain: those with the highest Lamport times. */
  readonly newest?: number;
  /** A user, or the name of a node: its events, and the other ends of its messages. */
  readonly only?: string;
  /** An entry (`origin:4`) or a message id: its effects, its causes, and a few events on either side. */
  readonly around?: string;
}

/** Events that give the thing in `id` another name in `what`. */
const NAMING: ReadonlySet<string> = new Set(["publish", "repeated", "delivered", "acknowledged"]);
/** Events of each node that are shown before and after the selected ones. */
const CONTEXT = 2;

/** `history` as far as `window` lets it be seen. */
export function through(history: History, window: Window): History {
  const { from = 0, to = Infinity, fromMs = -Infinity, toMs = Infinity, newest = Infinity, only, around } = window;
  const { events } = history;
  let kept = new Set(events.keys());
  if (only !== undefined) kept = intersection(kept, withOtherEnds(history, eventsOf(history, only)));
  if (around !== undefined) {
    kept = intersection(kept, withContext(history, withOtherEnds(history, eventsAbout(history, around))));
  }
  const isSeen = (index: number) => {
    const { lamport, at } = events[index]!;
    return kept.has(index) && lamport >= from && lamport <= to && at >= fromMs && at <= toMs;
  };
  const seen = [...events.keys()].filter(isSeen);
  return partOf(history, new Set(seen.slice(Math.max(0, seen.length - newest))));
}

/**
 * Indexes of the events about an entry or a message id, under any of its names, and about the receipt of a direct
 * message.
 */
export function eventsAbout({ events }: History, id: string): Set<number> {
  const names = new Set([id]);
  const naming = events.filter(({ event }) => NAMING.has(event));
  // One name may be known by another only.
  for (let known = 0; known < names.size;) {
    known = names.size;
    for (const { id: entry, what } of naming) {
      if (entry === undefined || what === undefined) continue;
      if (names.has(entry)) names.add(what);
      else if (names.has(what)) names.add(entry);
    }
  }
  const about = new Set<number>();
  for (const [index, event] of events.entries()) {
    for (const name of names) if (covers(event.id, name)) about.add(index);
  }
  return about;
}

/** Whether `node` is this user's, or has this name; also as a server calls a client that keeps no trace. */
export function isNamed(node: string | undefined, name: string): boolean {
  return node !== undefined && (node === name || node.startsWith(`${name}#`) || node.startsWith(`${name} (`));
}

function eventsOf({ events }: History, name: string): Set<number> {
  const of = new Set<number>();
  for (const [index, { node, peer, what, event }] of events.entries()) {
    const isRegistered = event === "register" && what === name;
    if (isNamed(node, name) || isNamed(peer, name) || isRegistered) of.add(index);
  }
  return of;
}

function withOtherEnds({ arrows }: History, indices: ReadonlySet<number>): Set<number> {
  const all = new Set(indices);
  for (const { from, to } of arrows) {
    if (indices.has(from) || indices.has(to)) all.add(from).add(to);
  }
  return all;
}

function withContext({ events, nodes }: History, indices: ReadonlySet<number>): Set<number> {
  const all = new Set(indices);
  for (const { name } of nodes) {
    const own = [...events.keys()].filter((index) => events[index]!.node === name);
    for (const [place, index] of own.entries()) {
      if (indices.has(index)) {
        for (const near of own.slice(Math.max(0, place - CONTEXT), place + CONTEXT + 1)) all.add(near);
      }
    }
  }
  return all;
}

function intersection(a: ReadonlySet<number>, b: ReadonlySet<number>): Set<number> {
  return new Set([...a].filter((one) => b.has(one)));
}

/** Findings about the whole stay true of a part: a message whose other end is out of sight is not lost. */
/** `history` with these events alone. */
export function partOf(history: History, shown: ReadonlySet<number>): History {
  const { events, nodes, arrows, unsent, lost, beyond, ends, unanswered, partings, crashes, wallTime } = history;
  const places = new Map<number, number>();
  const seen: TraceEvent[] = [];
  for (const [index, event] of events.entries()) {
    if (shown.has(index)) places.set(index, seen.push(event) - 1);
  }
  const moved = (indices: Iterable<number>) => [...indices].flatMap((index) => places.get(index) ?? []);
  const names = new Set(seen.map(({ node }) => node));
  return {
    events: seen,
    nodes: nodes.filter(({ name }) => names.has(name)),
    arrows: arrows.flatMap(({ from, to }) =>
      places.has(from) && places.has(to) ? [{ from: places.get(from)!, to: places.get(to)! }] : []
    ),
    unsent: moved(unsent),
    lost: moved(lost),
    beyond: moved(beyond),
    ends: new Set(moved(ends)),
    unanswered: new Set(moved(unanswered)),
    partings: partings.filter(({ node }) => names.has(node)),
    crashes: new Set(moved(crashes)),
    wallTime,
  };
}
