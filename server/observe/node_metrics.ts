/** A server in plain numbers, for metrics. Counters begin with its start and never go back. */

import type { StoreConfig } from "../../config/config.ts";
import { endpointText } from "../../config/values.ts";
import type { ClockOffsetEstimate } from "../../heartbeat/clock_offset.ts";
import type { FaultCounts } from "../../platform/faults.ts";
import type { AuditState } from "../audit/audit_log.ts";
import type { JoinState, Route } from "../backplane/backplane.ts";
import type { Member } from "../backplane/member.ts";
import type { CloseReason } from "../../protocol/close_reason.ts";
import type { ConnectionKind } from "../../view/network_view.ts";
import type { SeenConnection } from "./own_server.ts";
import type { DiskState } from "../store/disk_budget.ts";
import type { Durations, HeartbeatCounts, MetricCounters } from "../../view/metric_counters.ts";

/** Another server. */
export interface PeerMetrics {
  readonly serverId: string;
  /** `HOST:PORT`. */
  readonly name: string;
  readonly state: Member["state"];
  readonly roundTripMs: number | null;
  /** How far its calendar is ahead of this server's; `null` while it has not said. */
  readonly clockOffset: ClockOffsetEstimate | null;
}

/** What can be counted. */
export interface NodeMetrics {
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** Connections now, by the kind of the other end. */
  readonly connections: Readonly<Record<ConnectionKind, number>>;
  /** Connections that wait for a place, at `limits.maxConnections`. */
  readonly waiting: number;
  /** Connections accepted so far. */
  readonly accepted: number;
  /** Connections ended so far. */
  readonly closed: { readonly [Reason in CloseReason]?: number };
  /** Logins so far, by door and by result. */
  readonly logins: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Clients that were told of a gap. */
  readonly gapsTold: number;
  /** From taking an activity in to having written it to all readers that keep up. */
  readonly deliveries: Durations;
  /** From taking an activity or a direct message in to the first other server that has stored it. */
  readonly replications: Durations;
  /** Direct messages that wait for their users. */
  readonly inbox: {
    readonly count: number;
    /** For how long the first of them has been here, in milliseconds; 0 if none waits. */
    readonly oldestMs: number;
  };
  /** What is kept for how long, in milliseconds. */
  readonly retention: Readonly<Record<"activities" | "directMessages" | "messageIds", number>>;
  /** How many bytes of activities are kept. */
  readonly retentionBytes: number;
  /** The numbers of `limits`, by key. */
  readonly limits: Readonly<Record<string, number>>;
  /** How many were refused or sent away so far, by limit. */
  readonly refused: Readonly<Record<string, number>>;
  /** Logged-in clients. */
  readonly sessions: number;
  /** Clients that still have to get a part of the log. */
  readonly behind: number;
  /** Bytes that were written to connections and have not left the process. */
  readonly pendingBytes: number;
  /** Heartbeats so far. */
  readonly heartbeats: {
    readonly sent: { readonly client: number; readonly server: number };
    readonly unanswered: { readonly client: number; readonly server: number };
  };
  /** The part of the log that the server has, by origin. */
  readonly vector: Readonly<Record<string, number>>;
  /** Entries that other servers are known to have and this one has not, by origin. */
  readonly lag: Readonly<Record<string, number>>;
  /** Entries that it has accepted since it was started. */
  readonly published: number;
  readonly lamport: number;
  /** Transactions of its store: one for each turn of the event loop with something to store. */
  readonly commits: Durations;
  /** How long the event loop waited in place for the disk. */
  readonly waits: Durations;
  readonly peers: readonly PeerMetrics[];
  /** Names that are logged in anywhere in the network, as far as this server knows. */
  readonly usersOnline: number;
  /** Entries whose acknowledgement waits for another server. */
  readonly pending: number;
  /** Whether the server has found its network; `undefined` counts as `alone`. */
  readonly joinState?: JoinState;
  /** Connections that may have a place. */
  readonly maxConnections: number;
  /** The space that the data folder takes; `undefined` without a disk. */
  readonly disk: DiskState | undefined;
  /** The audit log; `undefined` where there is none. */
  readonly audit: AuditState | undefined;
  /** How often an audit log was not what another server knew of it. */
  readonly auditDisagreements: number;
  /** When the first of its certificates ends, in milliseconds since 1970; `undefined` without TLS. */
  readonly certificateEndsAt: number | undefined;
  /** Faults of the program that were caught, by where. */
  readonly faults: FaultCounts;
}

/** What the numbers are taken from. */
export interface MetricsFacts {
  readonly startedAt: number;
  readonly nowWallMs: number;
  readonly connections: Iterable<SeenConnection>;
  readonly waiting: number;
  readonly counters: MetricCounters;
  readonly sessions: number;
  readonly vector: Readonly<Record<string, number>>;
  readonly published: number;
  readonly lamport: number;
  readonly commits: Durations;
  readonly waits: Durations;
  readonly members: readonly Member[];
  readonly links: Iterable<Pick<Route, "serverId" | "heartbeat" | "clockOffset">>;
  readonly usersOnline: number;
  readonly pending: number;
  readonly joinState: JoinState;
  readonly maxConnections: number;
  readonly limits: object;
  /** The configuration of what is kept. */
  readonly kept: Pick<
    StoreConfig,
    "activityRetentionMs" | "directMessageRetentionMs" | "messageIdRetentionMs" | "activityRetentionBytes"
  >;
  readonly inbox: { readonly count: number; readonly oldestTakenAt: number | undefined };
  /** The time of the clock by which the log forgets: that of `inbox`. */
  readonly retentionNow: number;
  readonly disk: DiskState | undefined;
  readonly audit: AuditState | undefined;
  readonly auditDisagreements: number;
  readonly certificateEndsAt: number | undefined;
  readonly faults: FaultCounts;
}

/** The numbers of this moment. */
export function nodeMetrics(facts: MetricsFacts): NodeMetrics {
  const {
    startedAt,
    nowWallMs,
    waiting,
    counters,
    sessions,
    vector,
    published,
    lamport,
    commits,
    usersOnline,
    pending,
    maxConnections,
  } = facts;
  const connections = { new: 0, client: 0, plain: 0, server: 0, guest: 0 };
  let behind = 0;
  let pendingBytes = 0;
  for (const connection of facts.connections) {
    const { kind, waitingBytes, behind: isBehind } = connection.describe(nowWallMs);
    connections[kind]++;
    pendingBytes += waitingBytes;
    if (isBehind) behind++;
  }
  const links = new Map([...facts.links].map((link) => [link.serverId, link]));
  const { kept, inbox: { count, oldestTakenAt }, retentionNow } = facts;
  return {
    ...{
      startedAt,
      connections,
      waiting,
      sessions,
      behind,
      pendingBytes,
      published,
      lamport,
      commits,
      waits: facts.waits,
      usersOnline,
      pending,
      maxConnections,
    },
    disk: facts.disk,
    audit: facts.audit,
    auditDisagreements: facts.auditDisagreements,
    certificateEndsAt: facts.certificateEndsAt,
    joinState: facts.joinState,
    accepted: counters.accepted,
    closed: counters.closed,
    logins: counters.logins,
    gapsTold: counters.gapsTold,
    deliveries: counters.deliveries.durations,
    replications: counters.replications.durations,
    inbox: { count, oldestMs: oldestTakenAt === undefined ? 0 : Math.max(0, retentionNow - oldestTakenAt) },
    retention: {
      activities: kept.activityRetentionMs,
      directMessages: kept.directMessageRetentionMs,
      messageIds: kept.messageIdRetentionMs,
    },
    retentionBytes: kept.activityRetentionBytes,
    limits: Object.fromEntries(Object.entries(facts.limits).filter(([, value]) => typeof value === "number")),
    refused: counters.refused,
    heartbeats: heartbeatsOf(counters.clientHeartbeats, counters.serverHeartbeats),
    faults: { ...facts.faults },
    vector,
    lag: lagOf(vector, facts.members),
    peers: facts.members.map((member) => ({
      ...{ serverId: member.serverId, name: endpointText(member), state: member.state },
      roundTripMs: links.get(member.serverId)?.heartbeat?.roundTripMs ?? null,
      clockOffset: links.get(member.serverId)?.clockOffset ?? null,
    })),
  };
}

function heartbeatsOf(client: HeartbeatCounts, server: HeartbeatCounts): NodeMetrics["heartbeats"] {
  return {
    sent: { client: client.sent, server: server.sent },
    unanswered: { client: client.unanswered, server: server.unanswered },
  };
}

/**
 * For each origin, how many entries this server lacks that another one is known to have; 0 if it lacks none. Covers
 * origins in this log and origins of members.
 */
function lagOf(vector: Readonly<Record<string, number>>, members: readonly Member[]): Record<string, number> {
  const newest = new Map(Object.entries(vector));
  const counted = new Set([...newest.keys(), ...members.map(({ serverId }) => serverId)]);
  for (const member of members) {
    for (const [origin, last] of Object.entries(member.vector)) {
      // Another server's claim alone adds no number to this server's metrics.
      if (!counted.has(origin)) continue;
      newest.set(origin, Math.max(last, newest.get(origin) ?? 0));
    }
  }
  return Object.fromEntries([...newest].map(([origin, last]) => [origin, last - (vector[origin] ?? 0)]));
}
