/** The space-time diagram of the last moments of a running network, as a part of a page. Pure. */

import { drawSvg } from "./diagram_svg.ts";
import { type History, historyOf, type TracedNode } from "./history.ts";
import { completeName } from "./server_ids.ts";
import type { TraceEvent } from "../trace/trace_event.ts";
import { UTC, type WallTime } from "./wall_time.ts";
import { type WholeWays, wholeWays } from "./whole_ways.ts";
import { isNamed, partOf, through } from "./window.ts";

/** A server of the network, which has a column whether or not it says anything. */
export interface LiveServerColumn {
  readonly id: string;
  /** `HOST:PORT`. */
  readonly name: string;
  /** Its state: `dead`, `left`, or one of the states of a live server. */
  readonly state: string;
}

/** The wanted part of the diagram. */
export interface LiveDiagramFacts {
  /** Now, in milliseconds since 1970. */
  readonly nowMs: number;
  /** How far back it goes. */
  readonly seconds: number;
  /**
   * The most events, so that the picture stays readable. Of more it shows entries on their whole way, spread over the
   * time, and the newest of the others.
   */
  readonly maxEvents: number;
  /** How many entries went through the network in that time, and how many of them are in `events`. */
  readonly entries?: { readonly all: number; readonly recorded: number };
  /**
   * The time of the first recorded event, in milliseconds since 1970. Servers record events only while somebody looks.
   */
  readonly recordedSinceMs?: number;
  /** All of the network, in the order of their columns. */
  readonly servers?: readonly LiveServerColumn[];
  /** One server (its name, its id or the beginning of that) or user: its events, and the other ends of its messages. */
  readonly only?: string;
  /** The form of moments; UTC if not given. */
  readonly wallTime?: WallTime;
}

/** The records of other servers take a moment to come here. Until then, a message to them is under way. */
const UNDER_WAY_MS = 5_000;
/** A busy network has far more events than fit. This many times the shown ones is a minute of three busy servers. */
const LOOKED_AT = 45;

/**
 * The newest of `events` as an SVG document with the width of its page. Without events, the document says so, and since
 * when.
 */
export function liveDiagram(events: readonly TraceEvent[], facts: LiveDiagramFacts): string {
  const { nowMs, seconds, maxEvents, recordedSinceMs = -Infinity, servers = [], wallTime = UTC } = facts;
  const only = facts.only === undefined ? undefined : idOf(facts.only, servers);
  const begin = nowMs - seconds * 1_000;
  const recent = events.filter(({ at }) => at >= begin).toSorted((a, b) => a.at - b.at);
  const whole = historyOf(recent.slice(-LOOKED_AT * maxEvents), wallTime, true);
  const history = {
    ...whole,
    // Earlier events are not kept, so that a receipt without its sending means nothing here.
    unsent: [],
    lost: whole.lost.filter((index) => whole.events[index]!.at < nowMs - UNDER_WAY_MS),
  };
  const all = only === undefined ? history : through(history, { only });
  const isSampled = facts.entries !== undefined && facts.entries.recorded < facts.entries.all;
  const ways = all.events.length > maxEvents || isSampled ? wholeWays(all, maxEvents) : undefined;
  const seen = ways === undefined ? through(all, { newest: maxEvents }) : partOf(all, ways.shown);
  const span = seconds === 1 ? "The last second" : `The last ${seconds} seconds`;
  const isCut = seen.events.length < all.events.length || recent.length > whole.events.length;
  const leftOut = ways === undefined ? "" : leftOutOf(ways, only === undefined && isSampled ? facts.entries.all : 0);
  const since = recordedSinceMs > begin
    ? `since ${wallTime.of(recordedSinceMs).slice(0, -".000".length)}, when somebody began to look`
    : undefined;
  return drawSvg({ ...seen, nodes: columnsOf(seen, servers, only) }, {
    title: `${span}${facts.only === undefined ? "" : ` of ${facts.only}`}${
      since === undefined ? "" : `, recorded ${since}`
    }${isCut && ways === undefined ? `: the newest ${maxEvents} events` : ""}`,
    ...(leftOut === "" ? {} : { note: `${leftOut}; ` }),
    nothing: `Nothing has happened${since === undefined ? "" : ` ${since}`}. New events are drawn here.`,
    isInPage: true,
  });
}

/** What is shown, of how many; empty when it is everything. `passed`: entries of which not all were recorded. */
function leftOutOf({ ways, allWays, others, allOthers }: WholeWays, passed: number): string {
  const all = Math.max(passed, allWays);
  const parts = [
    ...(ways < all ? [`${number(ways)} of ${number(all)} entries on their whole way, the others are left out`] : []),
    ...(others < allOthers ? [`${number(others)} of ${number(allOthers)} other events`] : []),
  ];
  return parts.join("; ");
}

function number(value: number): string {
  return value.toString().replaceAll(/\B(?=(\d{3})+$)/g, ",");
}

/** Columns for all servers, or for the servers that `only` had to do with, and other nodes beside them. */
function columnsOf({ nodes }: History, servers: readonly LiveServerColumn[], only: string | undefined): TracedNode[] {
  const seen = new Set(nodes.map(({ name }) => name));
  const known = servers.filter(({ id }) => only === undefined || seen.has(id) || isNamed(id, only));
  const others = nodes.filter(({ name }) => !servers.some(({ id }) => id === name));
  return [
    ...known.map(({ id, name, state }): TracedNode => ({
      ...{ name: id, isServer: true, label: name },
      ...(state === "dead" || state === "left" ? { gone: state } : {}),
    })),
    ...others,
  ];
}

/** What `only` is called in events. */
function idOf(only: string, servers: readonly LiveServerColumn[]): string {
  const named = servers.find(({ name }) => name === only);
  if (named !== undefined) return named.id;
  const completed = completeName(only, servers.map(({ id }) => id));
  return completed.kind === "complete" ? completed.text : only;
}
