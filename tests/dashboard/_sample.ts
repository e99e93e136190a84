/** Views to try the pages' modules with. */

import type { Order } from "../../dashboard/orders/order.js";
import type { UserRow } from "../../dashboard/rows.js";
import type {
  ActivityView,
  ConnectionView,
  EndView,
  LinkView,
  NetworkChange,
  NetworkView,
  ServerView,
} from "../../view/network_view.ts";

/** The moment of every sample, in milliseconds since 1970. */
export const AT = Date.UTC(2026, 10, 21, 18, 0, 0);

export function sampleView(fields: Partial<NetworkView> = {}): NetworkView {
  return {
    at: AT,
    from: "a",
    servers: {},
    connections: {},
    users: {},
    waiting: {},
    lastSeen: {},
    ends: [],
    activities: [],
    ...fields,
  };
}

export function sampleServer(fields: Partial<ServerView> = {}): ServerView {
  return {
    name: "127.0.0.1:8000",
    host: "127.0.0.1",
    port: 8000,
    version: "0.1.0",
    state: "linked",
    stateSince: AT,
    startedAt: AT,
    load: 0,
    weight: 1,
    takesClients: true,
    announcedAt: AT,
    vector: {},
    lamport: 0,
    links: {},
    connections: 0,
    published: 0,
    memoryBytes: null,
    certificateEndsAt: null,
    http: null,
    draining: null,
    ...fields,
  };
}

export function sampleLink(fields: Partial<LinkView> = {}): LinkView {
  return { roundTripMs: 0.5, state: "watching", silentSince: AT, attempt: 0, of: 4, ...fields };
}

export function sampleConnection(fields: Partial<ConnectionView> = {}): ConnectionView {
  return {
    user: "ada",
    address: "127.0.0.1:50000",
    kind: "client",
    over: "tcp",
    since: AT,
    state: "watching",
    heardAt: AT,
    attempt: 0,
    of: 3,
    heartbeats: 0,
    roundTripMs: null,
    waitingBytes: 0,
    behind: false,
    ...fields,
  };
}

export function sampleEnd(fields: Partial<EndView> = {}): EndView {
  return {
    server: "a",
    at: AT,
    since: AT - 60_000,
    user: "ada",
    address: "127.0.0.1:50000",
    reason: "HEARTBEAT_TIMEOUT",
    sentence: "no heartbeat was answered",
    why: "3 heartbeats were not answered",
    heartbeats: [],
    ...fields,
  };
}

export function sampleActivity(id: string, activity: unknown = {}): ActivityView {
  return { id, user: "ada", at: AT, lamport: 1, activity };
}

export function sampleChange(fields: Partial<NetworkChange> = {}): NetworkChange {
  return { at: AT + 1_000, patch: {}, ends: [], activities: [], skipped: 0, ...fields };
}

export function sampleUser(fields: Partial<UserRow> = {}): UserRow {
  const { name = "ada" } = fields;
  return {
    ...{ key: name, name, at: [], names: [], waiting: 0, seenAt: 0, ban: undefined, disabled: undefined },
    ...{ roles: [], given: [], ...fields },
  };
}

/** What is sent for `order` when `values` are filled in, at `now`. */
export function bodyOf({ body, fields = [] }: Order, values: Record<string, string> = {}, now = AT): unknown {
  const usual = Object.fromEntries(fields.map(({ name, value = "" }) => [name, value]));
  return typeof body === "function" ? body({ ...usual, ...values }, now) : body;
}
