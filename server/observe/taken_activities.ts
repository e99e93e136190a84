/** The activities that a server took in from its own clients in one turn, for a person who watches it. Pure. */

import { linesOf, type Segment } from "../../log/segment.ts";
import type { ActivityView } from "../../view/network_view.ts";
import { activityView } from "./activity_view.ts";

/** What was taken in. */
export interface TakenActivities {
  /** Oldest first. A long activity is cut. */
  readonly activities: readonly ActivityView[];
  /** The number of those that came in the same turn and are not among them. */
  readonly skipped: number;
}

/** A person reads no more of one turn. */
export const MAX_SHOWN = 100;

/** The activities in `segments` that `serverId` numbered: each of a network is taken in by one server. */
export function takenActivities(segments: readonly Segment[], serverId: string): TakenActivities {
  const own = segments.filter(({ origin, audience }) => origin === serverId && audience.kind === "everyone");
  const activities: ActivityView[] = [];
  let count = 0;
  for (const { bytes, first, last } of own) {
    count += last - first + 1;
    if (activities.length >= MAX_SHOWN) continue;
    const lines = linesOf(bytes).slice(0, MAX_SHOWN - activities.length);
    activities.push(...lines.flatMap((line) => activityView(line) ?? []));
  }
  return { activities, skipped: count - activities.length };
}
