/** One connection as people see it. */

import type { ConnectionView } from "../../view/network_view.ts";
import { kindOf, type Phase, servedIn } from "./connection_phase.ts";

/** What there is to see of a connection. */
export interface ViewFacts extends Pick<ConnectionView, "user" | "address" | "over" | "since" | "waitingBytes"> {
  readonly phase: Phase;
}

/** Its row on the dashboard, at `nowWallMs`. */
export function viewOf(
  { user, address, phase, over, since, waitingBytes }: ViewFacts,
  nowWallMs: number,
): ConnectionView {
  // The client that it is or was.
  const client = servedIn(phase);
  const heartbeat = client?.supervision.heartbeat;
  return {
    user,
    address,
    kind: kindOf(phase),
    over,
    since,
    state: heartbeat === undefined ? "unwatched" : heartbeat.state === "probing" ? "probing" : "watching",
    // Whole seconds, as every row would change with every look otherwise.
    heardAt: heartbeat === undefined ? 0 : Math.round((nowWallMs - heartbeat.silentMs) / 1000) * 1000,
    attempt: heartbeat?.attempt ?? 0,
    of: heartbeat?.of ?? 0,
    heartbeats: heartbeat?.heartbeats ?? 0,
    roundTripMs: heartbeat?.roundTripMs ?? null,
    waitingBytes,
    behind: client?.isBehind ?? false,
  };
}
