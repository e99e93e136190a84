/**
 * Chooses what a picture of a busy network shows: entries on their whole way, from the publication to the delivery at
 * each server, spread over the time, and the other events. A part of a way would be events without arrows. Pure.
 */

import { parseRange, type TraceEvent } from "../trace/trace_event.ts";
import type { History } from "./history.ts";
import { toneOf } from "./phrase.ts";

/** What is shown, and of how many. */
export interface WholeWays {
  /** Places in `History.events`. */
  readonly shown: ReadonlySet<number>;
  /** Ways that are shown, and ways that there are in the history. */
  readonly ways: number;
  readonly allWays: number;
  /** Events that belong to no way. */
  readonly others: number;
  readonly allOthers: number;
}

/** The events of entries that went together, or events without entries that belong together. */
interface Group {
  readonly events: number[];
  readonly nodes: Set<string>;
  /** Where the entries come from; `undefined` for events without entries. */
  readonly origin: string | undefined;
  readonly at: number;
  readonly isTrouble: boolean;
}

/** Other events get at most this part of a picture that does not have room for all. */
const OTHERS_PART = 1 / 3;

/** At most `maxEvents` of `history`; `undefined` when nothing in it is an entry on its way. */
export function wholeWays(history: History, maxEvents: number): WholeWays | undefined {
  const groups = groupsOf(history);
  const ways = groups.filter(({ origin }) => origin !== undefined);
  const others = groups.filter(({ origin }) => origin === undefined);
  if (ways.length === 0) return undefined;
  const shown = new Set<number>();
  const take = ({ events }: Group, room: number): boolean => {
    if (shown.size + events.length > room) return false;
    for (const index of events) shown.add(index);
    return true;
  };
  const size = (some: readonly Group[]) => some.reduce((sum, { events }) => sum + events.length, 0);
  // What is not needed for ways is for the others.
  const roomForOthers = Math.max(maxEvents * OTHERS_PART, maxEvents - size(ways));
  const byNeed = others.toSorted((a, b) => Number(b.isTrouble) - Number(a.isTrouble) || b.at - a.at);
  for (const group of byNeed) take(group, roomForOthers);
  const othersShown = shown.size;
  const chosen = inTurn(ways, maxEvents - othersShown).filter((way) => take(way, maxEvents));
  return {
    shown,
    ways: chosen.length,
    allWays: ways.length,
    others: othersShown,
    allOthers: size(others),
  };
}

/** All ways, in the order in which they are to be shown: one of each span of time, the most complete first. */
function inTurn(ways: readonly Group[], room: number): Group[] {
  const sorted = ways.toSorted((a, b) => a.at - b.at);
  const [first, last] = [sorted[0]!.at, sorted.at(-1)!.at];
  const mean = ways.reduce((sum, { events }) => sum + events.length, 0) / ways.length;
  const spans = Math.max(1, Math.floor(room / mean));
  const bySpan = new Map<number, Group[]>();
  for (const way of sorted) {
    const span = Math.min(spans - 1, Math.floor(spans * (way.at - first) / Math.max(1, last - first)));
    bySpan.set(span, [...bySpan.get(span) ?? [], way]);
  }
  const used = new Map<string, number>();
  const rest: Group[] = [];
  const ordered: Group[] = [];
  for (const ways of bySpan.values()) {
    const best = ways.toSorted((a, b) =>
      b.nodes.size - a.nodes.size || (used.get(a.origin!) ?? 0) - (used.get(b.origin!) ?? 0) || b.at - a.at
    )[0]!;
    used.set(best.origin!, (used.get(best.origin!) ?? 0) + 1);
    ordered.push(best);
    rest.push(...ways.filter((way) => way !== best));
  }
  return [...ordered, ...rest.toSorted((a, b) => b.nodes.size - a.nodes.size || b.at - a.at)];
}

/** Every event in one group. */
function groupsOf({ events, arrows }: History): Group[] {
  const parents = events.map((_, index) => index);
  const root = (index: number): number => {
    let at = index;
    while (parents[at] !== at) at = parents[at] = parents[parents[at]!]!;
    return at;
  };
  const join = (one: number, other: number) => void (parents[root(one)] = root(other));
  for (const { from, to } of arrows) join(from, to);
  joinRanges(events, join);
  joinReceipts(events, join);
  const members = new Map<number, number[]>();
  for (const index of events.keys()) {
    const key = root(index);
    const list = members.get(key);
    if (list === undefined) members.set(key, [index]);
    else list.push(index);
  }
  return [...members.values()].map((indices) => groupOf(events, indices));
}

/** Joins events about the same entries. */
function joinRanges(events: readonly TraceEvent[], join: (one: number, other: number) => void): void {
  const ranges = [...events.entries()].flatMap(([index, { id }]) => {
    const range = id === undefined ? undefined : parseRange(id);
    return range === undefined ? [] : [{ index, ...range }];
  });
  ranges.sort((a, b) => a.origin < b.origin ? -1 : a.origin > b.origin ? 1 : a.first - b.first);
  let reach: { origin: string; last: number; index: number } | undefined;
  for (const { index, origin, first, last } of ranges) {
    if (reach !== undefined && reach.origin === origin && first <= reach.last) {
      join(index, reach.index);
      reach.last = Math.max(reach.last, last);
    } else reach = { origin, last, index };
  }
}

/** Joins what a client sent with the entry that it became: its receipt is the event right before. */
function joinReceipts(events: readonly TraceEvent[], join: (one: number, other: number) => void): void {
  const before = new Map<string, number>();
  for (const [index, { node, event, peer }] of events.entries()) {
    const last = before.get(node);
    before.set(node, index);
    if (last === undefined || (event !== "publish" && event !== "repeated")) continue;
    if (events[last]!.event === "receive" && events[last]!.peer === peer) join(last, index);
  }
}

function groupOf(events: readonly TraceEvent[], indices: number[]): Group {
  const own = indices.map((index) => events[index]!);
  const ranged = own.find(({ id }) => id !== undefined && parseRange(id) !== undefined);
  return {
    events: indices,
    nodes: new Set(own.map(({ node }) => node)),
    origin: ranged === undefined ? undefined : parseRange(ranged.id!)!.origin,
    at: Math.max(...own.map(({ at }) => at)),
    isTrouble: own.some((event) => toneOf(event) === "trouble"),
  };
}
