/** A server's own facts as a view: made from its parts, whenever somebody looks. */

import { endpointText } from "../../config/values.ts";
import type { HeartbeatSnapshot } from "../../heartbeat/supervisor.ts";
import type { KnownServer } from "../store/store.ts";
import type { ConnectionView, LinkView, OwnView, ServerView } from "../../view/network_view.ts";
import { type OwnNumbers, serverNumbers } from "../../view/server_numbers.ts";
import { VERSION } from "../../protocol/version.ts";

/** A connection, as people see it. */
export interface SeenConnection {
  /** Unique at this server while it runs. */
  readonly id: string;
  /** How it is at `nowWallMs`, in milliseconds since 1970. */
  describe(nowWallMs: number): ConnectionView;
}

/** What the view is made from. */
export interface OwnFacts extends OwnNumbers {
  readonly self: KnownServer;
  readonly nowWallMs: number;
  readonly startedAt: number;
  readonly load: number;
  readonly weight: number;
  readonly takesClients: boolean;
  readonly vector: Readonly<Record<string, number>>;
  readonly lamport: number;
  /** Empty for none. */
  readonly http: string;
  readonly draining: ServerView["draining"];
  readonly links: Iterable<{ readonly serverId: string; readonly heartbeat: HeartbeatSnapshot | undefined }>;
  readonly connections: Iterable<SeenConnection> & { readonly size: number };
}

/** The view of this server and everything that it serves. */
export function ownServerView(facts: OwnFacts): OwnView {
  const { self: { host, port }, nowWallMs, startedAt, load, weight, takesClients, lamport } = facts;
  const { connections, http, draining } = facts;
  return {
    server: {
      name: endpointText({ host, port }),
      host,
      port,
      version: VERSION,
      state: "self",
      stateSince: startedAt,
      startedAt,
      load,
      weight,
      takesClients,
      announcedAt: null,
      vector: { ...facts.vector },
      lamport,
      links: Object.fromEntries([...facts.links].map((link) => [link.serverId, linkView(link.heartbeat, nowWallMs)])),
      connections: connections.size,
      ...serverNumbers(facts),
      http: http === "" ? null : http,
      draining,
    },
    connections: Object.fromEntries(
      [...connections].map((connection) => [connection.id, connection.describe(nowWallMs)]),
    ),
  };
}

function linkView(heartbeat: HeartbeatSnapshot | undefined, nowWallMs: number): LinkView {
  return {
    roundTripMs: heartbeat?.roundTripMs ?? null,
    state: heartbeat?.state === "probing" ? "probing" : "watching",
    silentSince: Math.round(nowWallMs - (heartbeat?.silentMs ?? 0)),
    attempt: heartbeat?.attempt ?? 0,
    of: heartbeat?.of ?? 0,
  };
}
