/**
 * A server's numbers for Prometheus. Names and units follow its conventions. `docs/dashboard.md` explains each number,
 * and a test keeps the document and the Grafana dashboard equal to this file. Numbers are read on request, at most once
 * in a turn.
 */

import { type LabelValues, Registry } from "prom-client";
import type { ClockOffsetEstimate } from "../../../heartbeat/clock_offset.ts";
import type { Clock } from "../../../platform/clock.ts";
import { countOpenFiles } from "../../../platform/files/open_files.ts";
import { heldBytes, processorSeconds } from "../../../platform/memory.ts";
import type { LoopDelay } from "./loop_delay.ts";
import { wordList } from "../../../config/values.ts";
import { type Durations, LOGIN_RESULTS } from "../../../view/metric_counters.ts";
import { LIMIT_NAMES } from "../../session/limits/limit_names.ts";
import { DISK_PARTS, SPACES } from "../../store/budget.ts";
import { VERSION } from "../../../protocol/version.ts";
import type { GatewayNode, NodeMetrics } from "./gateway_node.ts";

/** The answer to a scrape. */
export interface Scrape {
  readonly text: string;
  /** Its Content-Type. */
  readonly type: string;
}

/** One row of the table below. */
interface Metric {
  readonly help: string;
  readonly type: "gauge" | "counter" | "histogram";
  readonly values: (metrics: NodeMetrics, node: MeasuredNode) => readonly Sample[];
}

/** What is known beside the numbers. */
interface MeasuredNode extends Pick<GatewayNode, "serverId" | "state"> {
  readonly loopDelay: Durations;
  /** `undefined` where the machine does not say. */
  readonly openFiles: ReturnType<typeof countOpenFiles>;
}

interface Sample {
  readonly value: number;
  readonly labels?: LabelValues<string>;
  /** The end of a sample's name in a histogram. */
  readonly suffix?: string;
}

const STATES = ["joining", "refused", "ready", "draining", "stopping"] as const;
const JOIN_STATES = ["alone", "joining", "joined", "unreached", "refused"] as const;
const PEER_STATES = ["linked", "suspect", "dead", "left"] as const;

/** Every metric, by name. */
const METRICS: Readonly<Record<string, Metric>> = {
  thrum_build_info: {
    help: "Always 1; says which version and server this is.",
    type: "gauge",
    values: (_, { serverId }) => [{ value: 1, labels: { version: VERSION, server: serverId } }],
  },
  thrum_state: {
    help: "1 for the state that the server is in: joining, refused, ready, draining or stopping.",
    type: "gauge",
    values: (_, node) => STATES.map((state) => ({ value: node.state === state ? 1 : 0, labels: { state } })),
  },
  thrum_join_state: {
    help: "1 for how the search for the network stands: alone, joining, joined, unreached or refused.",
    type: "gauge",
    values: ({ joinState = "alone" }) =>
      JOIN_STATES.map((state) => ({ value: joinState === state ? 1 : 0, labels: { state } })),
  },
  process_start_time_seconds: {
    help: "When the server was started, in seconds since 1970.",
    type: "gauge",
    values: ({ startedAt }) => one(startedAt / 1_000),
  },
  process_resident_memory_bytes: {
    help: "Memory that the process holds.",
    type: "gauge",
    values: () => one(heldBytes()),
  },
  process_cpu_seconds_total: {
    help: "Time that processors have worked for the process.",
    type: "counter",
    values: () => one(processorSeconds()),
  },
  process_open_fds: {
    help: "Files and sockets that the process has open; absent where the machine does not say.",
    type: "gauge",
    values: (_, { openFiles }) => present(openFiles?.used),
  },
  process_max_fds: {
    help: "Files and sockets that the process may have open; absent where the machine does not say.",
    type: "gauge",
    values: (_, { openFiles }) => present(openFiles?.limit),
  },
  thrum_event_loop_delay_seconds: {
    help: "How late timers ran: what everything else in the process waited, too.",
    type: "histogram",
    values: (_, { loopDelay }) => histogram(loopDelay),
  },
  thrum_connections: {
    help: "Connections now, by the kind of the other end: new, client, plain, server or guest.",
    type: "gauge",
    values: ({ connections }) => by("kind", connections),
  },
  thrum_connections_limit: {
    help: "Places for connections: limits.maxConnections, or fewer if the process may not open enough files.",
    type: "gauge",
    values: ({ maxConnections }) => one(maxConnections),
  },
  thrum_connections_waiting: {
    help: "Connections without a place, at limits.maxConnections. They are about to log in, or wait for a place.",
    type: "gauge",
    values: ({ waiting }) => one(waiting),
  },
  thrum_connections_accepted_total: {
    help: "Connections accepted.",
    type: "counter",
    values: ({ accepted }) => one(accepted),
  },
  thrum_connections_closed_total: {
    help: "Connections ended, by reason.",
    type: "counter",
    values: ({ closed }) => by("reason", closed),
  },
  thrum_refused_total: {
    help: `Clients that were refused or sent away, by limit: ${wordList(LIMIT_NAMES)}.`,
    type: "counter",
    values: ({ refused }) => by("limit", refused),
  },
  thrum_logins_total: {
    help: `Logins, by door and by result: ${wordList(LOGIN_RESULTS)}.`,
    type: "counter",
    values: ({ logins }) =>
      Object.entries(logins).flatMap(([door, results]) =>
        Object.entries(results).map(([result, value]) => ({ value, labels: { door, result } }))
      ),
  },
  thrum_gaps_told_total: {
    help: "Clients that were told of entries which they have not got, and which nobody has any more.",
    type: "counter",
    values: ({ gapsTold }) => one(gapsTold),
  },
  thrum_limit: {
    help: "The numbers of the section limits of the configuration, by key.",
    type: "gauge",
    values: ({ limits }) => by("limit", limits),
  },
  thrum_connections_behind: {
    help: "Clients that still have to get a part of the log.",
    type: "gauge",
    values: ({ behind }) => one(behind),
  },
  thrum_pending_bytes: {
    help: "Bytes that were written to connections and are still in the process.",
    type: "gauge",
    values: ({ pendingBytes }) => one(pendingBytes),
  },
  thrum_sessions: {
    help: "Clients that are logged in here.",
    type: "gauge",
    values: ({ sessions }) => one(sessions),
  },
  thrum_users_online: {
    help: "Names that are logged in somewhere in the network, as far as this server knows.",
    type: "gauge",
    values: ({ usersOnline }) => one(usersOnline),
  },
  thrum_heartbeats_sent_total: {
    help: "Heartbeats sent, to clients and to servers.",
    type: "counter",
    values: ({ heartbeats }) => by("to", heartbeats.sent),
  },
  thrum_heartbeats_unanswered_total: {
    help: "Heartbeats that went unanswered, by clients and by servers.",
    type: "counter",
    values: ({ heartbeats }) => by("to", heartbeats.unanswered),
  },
  thrum_entries_total: {
    help: "Entries of the log that this server has stored, by the server that accepted them.",
    type: "counter",
    values: ({ vector }) => by("origin", vector),
  },
  thrum_published_total: {
    help: "Entries accepted by this server since it was started.",
    type: "counter",
    values: ({ published }) => one(published),
  },
  thrum_lamport_time: {
    help: "Lamport time of the server.",
    type: "gauge",
    values: ({ lamport }) => one(lamport),
  },
  thrum_replication_lag_entries: {
    help: "Entries that this server lacks and another is known to have, by the server that accepted them.",
    type: "gauge",
    values: ({ lag }) => by("origin", lag),
  },
  thrum_peers: {
    help: "Other servers of the network that are known, by state: linked, suspect, dead or left.",
    type: "gauge",
    values: ({ peers }) =>
      PEER_STATES.map((state) => ({
        value: peers.filter((peer) => peer.state === state).length,
        labels: { state },
      })),
  },
  thrum_peer_up: {
    help: "1 while there is a link to another server that answers.",
    type: "gauge",
    values: ({ peers }) =>
      // A server that left in good order is missed by nobody.
      peers.filter(({ state }) => state !== "left").map(({ serverId, name, state }) => ({
        value: state === "linked" ? 1 : 0,
        labels: { peer: serverId, address: name },
      })),
  },
  thrum_peer_round_trip_seconds: {
    help: "How long the newest heartbeat to another server took there and back.",
    type: "gauge",
    values: ({ peers }) =>
      peers.flatMap(({ serverId, name, roundTripMs }) =>
        roundTripMs === null ? [] : [{ value: roundTripMs / 1_000, labels: { peer: serverId, address: name } }]
      ),
  },
  thrum_peer_clock_offset_seconds: {
    help: "How far the calendar of another server is ahead of the one here, as heartbeats tell; below 0 if behind.",
    type: "gauge",
    values: ({ peers }) => clockOffsets(peers, ({ offsetMs }) => offsetMs),
  },
  thrum_peer_clock_offset_error_seconds: {
    help: "How far that estimate may be wrong: half of the round trip that it is from, and a millisecond.",
    type: "gauge",
    values: ({ peers }) => clockOffsets(peers, ({ errorMs }) => errorMs),
  },
  thrum_acknowledgements_pending: {
    help: "Entries whose acknowledgement waits until another server has them too (cluster.durability).",
    type: "gauge",
    values: ({ pending }) => one(pending),
  },
  thrum_faults_total: {
    help: "Faults of the program that ended a connection or a task and not the server, by the place that caught them.",
    type: "counter",
    values: ({ faults }) => by("where", faults),
  },
  thrum_audit_log_lines: {
    help: "Lines of the audit log that are on the disk, since it began; absent without an audit log.",
    type: "gauge",
    values: ({ audit }) => present(audit?.lines),
  },
  thrum_audit_log_failing: {
    help: "1 while the disk does not take the audit log; absent without an audit log.",
    type: "gauge",
    values: ({ audit }) => audit === undefined ? [] : one(audit.isFailing ? 1 : 0),
  },
  thrum_audit_log_missed_total: {
    help: "Events that are in no audit log, because the disk did not take them for too long.",
    type: "counter",
    values: ({ audit }) => one(audit?.missed ?? 0),
  },
  thrum_audit_log_disagreements_total: {
    help: "How often an audit log, of this server or another, was not what a server knew of it: it was cut or changed.",
    type: "counter",
    values: ({ auditDisagreements }) => one(auditDisagreements),
  },
  thrum_store_commit_seconds: {
    help: "How long the transactions of the store took, one for each turn of the event loop.",
    type: "histogram",
    values: ({ commits }) => histogram(commits),
  },
  thrum_store_wait_seconds: {
    help:
      "How long the event loop stood still for the disk. Usual are greetings of servers, with store.synchronous full.",
    type: "histogram",
    values: ({ waits }) => histogram(waits),
  },
  thrum_publish_to_deliver_seconds: {
    help: "From taking an activity in to having written it to all readers here that keep up.",
    type: "histogram",
    values: ({ deliveries }) => histogram(deliveries),
  },
  thrum_publish_to_replicated_seconds: {
    help: "From taking an activity or a direct message in to the first other server that has stored it.",
    type: "histogram",
    values: ({ replications }) => histogram(replications),
  },
  thrum_direct_messages_waiting: {
    help: "Direct messages that wait for their users; every server of the network has all of them.",
    type: "gauge",
    values: ({ inbox }) => one(inbox.count),
  },
  thrum_direct_messages_oldest_seconds: {
    help: "For how long the first of them has been at this server; 0 if none waits.",
    type: "gauge",
    values: ({ inbox }) => one(inbox.oldestMs / 1_000),
  },
  thrum_retention_seconds: {
    help: "For how long things are kept: activities, directMessages or messageIds.",
    type: "gauge",
    values: ({ retention }) =>
      Object.entries(retention).map(([kind, spanMs]) => ({ value: spanMs / 1_000, labels: { kind } })),
  },
  thrum_retention_bytes: {
    help: "How many bytes of activities are kept.",
    type: "gauge",
    values: ({ retentionBytes }) => one(retentionBytes),
  },
  thrum_store_bytes: {
    help: "Bytes of the data folder, by part; reusable is room in the database, which does not count.",
    type: "gauge",
    values: ({ disk }) =>
      disk === undefined ? [] : DISK_PARTS.map((part) => ({ value: disk.use.parts[part], labels: { part } })),
  },
  thrum_store_limit_bytes: {
    help: "How many bytes the data folder may take.",
    type: "gauge",
    values: ({ disk }) => disk === undefined ? [] : one(disk.limits.maxBytes),
  },
  thrum_store_free_bytes: {
    help: "Bytes that are free on the disk of the data folder.",
    type: "gauge",
    values: ({ disk }) => disk === undefined ? [] : one(disk.use.freeBytes),
  },
  thrum_store_min_free_bytes: {
    help: "With fewer free bytes on the disk the server takes nothing from clients.",
    type: "gauge",
    values: ({ disk }) => disk === undefined ? [] : one(disk.limits.minFreeBytes),
  },
  thrum_store_space: {
    help:
      "1 for the state of the space: for everything (open), nothing from clients (full), nothing at all (exhausted).",
    type: "gauge",
    values: ({ disk }) =>
      SPACES.map((state) => ({ value: (disk?.space ?? "open") === state ? 1 : 0, labels: { state } })),
  },
  thrum_tls_certificate_expiry_seconds: {
    help: "When the first certificate of the server ends, in seconds since 1970; absent without TLS.",
    type: "gauge",
    values: ({ certificateEndsAt }) => present(certificateEndsAt === undefined ? undefined : certificateEndsAt / 1_000),
  },
};

/** The names of all metrics. A histogram's samples have `_bucket`, `_sum` and `_count` behind it. */
export const METRIC_NAMES: readonly string[] = Object.keys(METRICS);

/** The metrics of one node. */
export class PrometheusMetrics {
  readonly #node: Pick<GatewayNode, "metrics" | "serverId" | "state">;
  readonly #registry = new Registry();
  readonly #clock: Pick<Clock, "endOfTurn">;
  readonly #loopDelay: Pick<LoopDelay, "durations">;
  #numbers: NodeMetrics | undefined;
  #measured: MeasuredNode | undefined;
  /** The scrape of this turn of the event loop. */
  #scrape: Promise<Scrape> | undefined;

  constructor(
    node: Pick<GatewayNode, "metrics" | "serverId" | "state">,
    clock: Pick<Clock, "endOfTurn">,
    loopDelay: Pick<LoopDelay, "durations">,
  ) {
    this.#node = node;
    this.#clock = clock;
    this.#loopDelay = loopDelay;
    for (const [name, metric] of Object.entries(METRICS)) this.#register(name, metric);
  }

  /** Takes the numbers, and writes them: once for all who ask in one turn, as one packet may ask many times. */
  scrape(): Promise<Scrape> {
    if (this.#scrape === undefined) {
      this.#scrape = this.#write();
      this.#clock.endOfTurn(() => this.#scrape = undefined);
    }
    return this.#scrape;
  }

  async #write(): Promise<Scrape> {
    const { serverId, state } = this.#node;
    this.#numbers = this.#node.metrics();
    this.#measured = { serverId, state, loopDelay: this.#loopDelay.durations, openFiles: countOpenFiles() };
    return { text: await this.#registry.metrics(), type: this.#registry.contentType };
  }

  #register(name: string, { help, type, values }: Metric): void {
    const get = () => ({
      ...{ name, help, type, aggregator: "sum" },
      values: values(this.#numbers!, this.#measured!).map(({ value, labels = {}, suffix = "" }) => ({
        ...{ value, labels, metricName: name + suffix },
      })),
    });
    // The library's own counters can only be added to. Ours are kept by the node, and read whole.
    this.#registry.registerMetric({ name, get } as unknown as Parameters<Registry["registerMetric"]>[0]);
  }
}

function histogram({ buckets, count, sumMs }: Durations): readonly Sample[] {
  let below = 0;
  return [
    ...buckets.map(({ upToMs, count }) => ({
      value: below += count,
      labels: { le: upToMs / 1_000 },
      suffix: "_bucket",
    })),
    { value: count, labels: { le: "+Inf" }, suffix: "_bucket" },
    { value: sumMs / 1_000, suffix: "_sum" },
    { value: count, suffix: "_count" },
  ];
}

function clockOffsets(
  peers: NodeMetrics["peers"],
  part: (estimate: ClockOffsetEstimate) => number,
): readonly Sample[] {
  return peers.flatMap(({ serverId, name, clockOffset }) =>
    clockOffset === null ? [] : [{ value: part(clockOffset) / 1_000, labels: { peer: serverId, address: name } }]
  );
}

function present(value: number | undefined): readonly Sample[] {
  return value === undefined ? [] : one(value);
}

function one(value: number): readonly Sample[] {
  return [{ value }];
}

function by(label: string, values: Readonly<Record<string, number>>): readonly Sample[] {
  return Object.entries(values).map(([key, value]) => ({ value, labels: { [label]: key } }));
}
