/** One connection as people see it. */

import type { ConnectionView } from "../../view/network_view.ts";
import type { ServedClient } from "./client/served_client.ts";

/** What there is to see of a connection. */
export interface ViewFacts
  extends Pick<ConnectionView, "user" | "address" | "kind" | "over" | "since" | "waitingBytes"> {
  /** The client that it is or was. */
  readonly client: Pick<ServedClient, "supervision" | "isBehind"> | undefined;
}

/** Its row on the dashboard, at `nowWallMs`. */
export function viewOf(
  { user, address, kind, over, since, waitingBytes, client }: ViewFacts,
  nowWallMs: number,
): ConnectionView {
  const heartbeat = client?.supervision.heartbeat;
  return {
    user,
    address,
    kind,
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
