/** A small network, as the gateway of one of its servers says it. */

import type { LiveNetwork } from "../../diagram/why_live.ts";

/** Three servers, one of which is silent and one is gone; eve was closed and is back, bob answers nothing. */
export function liveNetwork(): LiveNetwork {
  const link = (silentSince: number) => ({ silentSince, state: "probing", roundTripMs: null, attempt: 1, of: 4 });
  const server = (port: number, state: string, stateSince: number, vector: Record<string, number>, links = {}) => ({
    ...{ name: `127.0.0.1:${port}`, state, stateSince, announcedAt: state === "self" ? null : 58_000, vector, links },
  });
  const connection = {
    ...{ kind: "client", over: "tcp", state: "watching", heardAt: 58_000, attempt: 0, of: 3, heartbeats: 3 },
    ...{ roundTripMs: 0.8, waitingBytes: 0, behind: false },
  };
  return {
    at: 60_000,
    from: "s-a",
    servers: {
      "s-a": server(8000, "self", 0, { "s-a": 7, "s-b": 2 }, { "s-b": link(48_000) }),
      "s-b": server(8001, "suspect", 50_000, { "s-a": 6, "s-b": 2 }),
      "s-c": server(8002, "dead", 30_000, {}),
    },
    connections: {
      "s-a": {
        "1": {
          ...connection,
          ...{ user: "bob", address: "10.0.0.8:6001", since: 20_000, state: "probing", heardAt: 48_000, attempt: 2 },
          ...{ waitingBytes: 5_000, behind: true },
        },
        "2": {
          ...connection,
          user: "plain",
          address: "10.0.0.9:7001",
          since: 1_000,
          kind: "plain",
          state: "unwatched",
        },
        "3": { ...connection, user: "", address: "10.0.0.2:8001", since: 1_000, kind: "server" },
      },
      "s-b": {
        "1": { ...connection, user: "eve", address: "10.0.0.7:5002", since: 45_000, over: "websocket" },
      },
    },
    users: { ada: [], bob: ["s-a"], eve: ["s-b"], far: ["s-c"], plain: ["s-a"] },
    ends: [{
      ...{ server: "s-a", at: 40_000, since: 10_000, user: "eve", address: "10.0.0.7:5001" },
      ...{ reason: "HEARTBEAT_TIMEOUT", sentence: "no heartbeat was answered", why: "no heartbeat was answered" },
      heartbeats: [
        { at: 20_000, event: "sent", attempt: 1, of: 3, roundTripMs: null },
        { at: 20_002, event: "answered", attempt: 1, of: 3, roundTripMs: 1.5 },
        { at: 30_000, event: "sent", attempt: 1, of: 3, roundTripMs: null },
        { at: 33_000, event: "sent", attempt: 2, of: 3, roundTripMs: null },
        { at: 36_000, event: "sent", attempt: 3, of: 3, roundTripMs: null },
        { at: 40_000, event: "unanswered", attempt: 3, of: 3, roundTripMs: null },
      ],
    }],
    activities: [{ id: "s-a:7", user: "ada", at: 50_000, lamport: 99, activity: { text: "Hi" } }],
  };
}
