/** Other servers for the servers of `mesh_world.ts`, as far as a test plays them. */

import type { LinkHandler } from "../../platform/transport.ts";
import type { Received } from "./line_client.ts";
import { MeshClient } from "./mesh_client.ts";

/** Another server, as far as a test plays one: it answers heartbeats, and says what it is told to. */
export class FakePeer extends MeshClient implements LinkHandler {
  /** Takes the AUTHENTICATE of a server that has called. */
  onGreeting: ((greeting: Received) => void) | undefined;
  /** Whether heartbeats are not answered. */
  isMute = false;

  override onData(bytes: Uint8Array): void {
    const before = this.received.length;
    super.onData(bytes);
    for (const message of this.received.slice(before)) {
      const { command, sequence } = message;
      if (command === "AUTHENTICATE") this.onGreeting?.(message);
      if (command === "HEARTBEAT" && !this.isMute) this.send({ command: "HEARTBEAT_ACK", sequence });
    }
  }

  /** Sends lines of an origin's log, from `first` on. */
  entries(origin: string, first: number, lines: readonly Received[], more: Received = {}): void {
    const last = first + lines.length - 1;
    this.send({ command: "ENTRIES", origin, first, last, after: first - 1, to: "everyone", ...more }, ...lines);
  }
}

/** The line of an activity, as its origin has stored it. */
export function activityLine(id: string, n: unknown, more: Received = {}, username = "anonymous"): Received {
  return {
    command: "ACTIVITY_BROADCAST",
    activity: { n, authenticated_user: username },
    id,
    lamport: 1,
    sentAt: 1_735_689_600_000,
    ...more,
  };
}
