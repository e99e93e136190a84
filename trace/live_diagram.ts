/** The space-time diagram of the last moments of a network that runs, to be part of a page. Pure. */

import { drawSvg } from "./diagram_svg.ts";
import { historyOf } from "./history.ts";
import type { TraceEvent } from "./trace_event.ts";
import { UTC, type WallTime } from "./wall_time.ts";
import { through } from "./window.ts";

/** What of it is to be seen. */
export interface LiveDiagramOptions {
  /** Now, in milliseconds since 1970. */
  readonly nowMs: number;
  /** How far back it goes. */
  readonly seconds: number;
  /** At most so many events, the newest, so that it stays readable. */
  readonly maxEvents: number;
  /** One node or user: its events, and the other ends of its messages. */
  readonly only?: string;
  /** How moments are written; UTC where nothing is said. */
  readonly wallTime?: WallTime;
}

/** What other servers have on record takes a moment to come here: until then a message that was sent to them is under way. */
const UNDER_WAY_MS = 5_000;
/** Of a busy network most has no room anyway; so many times what is shown is enough to find the other ends of messages. */
const LOOKED_AT = 10;

/** The newest of `events` as an SVG document with the width of the page that it is put into. Without events it says that there were none. */
export function liveDiagram(events: readonly TraceEvent[], options: LiveDiagramOptions): string {
  const { nowMs, seconds, maxEvents, only, wallTime = UTC } = options;
  const recent = events.filter(({ at }) => at >= nowMs - seconds * 1_000).toSorted((a, b) => a.at - b.at);
  const whole = historyOf(recent.slice(-LOOKED_AT * maxEvents), wallTime);
  const history = {
    ...whole,
    // What was before is not kept, so that a receipt without its sending means nothing here.
    unsent: [],
    lost: whole.lost.filter((index) => whole.events[index]!.at < nowMs - UNDER_WAY_MS),
  };
  const all = only === undefined ? history : through(history, { only });
  const seen = through(all, { newest: maxEvents });
  const span = seconds === 1 ? "The last second" : `The last ${seconds} seconds`;
  const isCut = seen.events.length < all.events.length || recent.length > whole.events.length;
  return drawSvg(seen, {
    title: `${span}${only === undefined ? "" : ` of ${only}`}${isCut ? `: the newest ${maxEvents} events` : ""}`,
    nothing: "Nothing has happened. As soon as somebody publishes something, it is drawn here.",
    isInPage: true,
  });
}
