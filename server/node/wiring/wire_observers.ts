/** Wires what can be seen of a server: events for traces, spans, the view of the network, and numbers. */

import type { SpanOutput } from "../../../platform/telemetry/telemetry.ts";
import type { TraceEvent } from "../../../trace/trace_event.ts";
import { MetricCounters } from "../../../view/metric_counters.ts";
import type { AuditLog } from "../../audit/audit_log.ts";
import { EntrySpans } from "../../observe/entry_spans.ts";
import { nodeMetrics } from "../../observe/node_metrics.ts";
import { Observatory } from "../../observe/observatory.ts";
import { ownServerView } from "../../observe/own_server.ts";
import { Tracer } from "../../observe/tracer.ts";
import { LIMIT_NAMES } from "../../session/limits/limit_names.ts";
import type { MachineParts, Wired, WiredLog, WiredObservers } from "./wired.ts";

/** What it is made with. The last four are absent where nobody wants them. */
export interface WireObserversParts extends MachineParts {
  readonly log: Pick<WiredLog, "journal" | "userLists" | "budget" | "hub">;
  readonly writeTrace: ((event: TraceEvent) => void) | undefined;
  readonly spans: SpanOutput | undefined;
  readonly memoryBytes: (() => number) | undefined;
  readonly auditLog: Pick<AuditLog, "state"> | undefined;
  readonly certificateEndsAt: (() => number | undefined) | undefined;
}

/** The observers of one server. */
export function wireObservers(parts: WireObserversParts, wired: Wired): WiredObservers {
  const {
    config,
    clock,
    crypto,
    faults,
    log: { journal, userLists, budget, hub },
    writeTrace,
    memoryBytes,
    certificateEndsAt,
  } = parts;
  const startedAt = clock.wallMs();
  const counters = new MetricCounters(LIMIT_NAMES);
  const { spans: output } = parts;
  const spans = output && new EntrySpans({
    named: journal,
    clock,
    digest: (text) => crypto.digest(text),
    output,
    turnMs: () => journal.turnMs,
    readersOf: (audience) => {
      const { sessions } = wired.network;
      return audience.kind === "user" ? sessions.of(audience.username).length : sessions.load;
    },
  });
  const observatory = new Observatory({
    named: journal,
    clock,
    log: journal,
    own: () => {
      const { closing, network: { backplane, sessions, handover }, clients: { connections }, http } = wired;
      return ownServerView({
        self: backplane.self,
        nowWallMs: clock.wallMs(),
        startedAt,
        load: sessions.load,
        weight: config.cluster.weight,
        takesClients: backplane.isJoined && !closing.hasBegun && !closing.isDraining,
        vector: journal.vector,
        lamport: journal.lamport,
        published: journal.accepted,
        memoryBytes: memoryBytes?.(),
        certificateEndsAt: certificateEndsAt?.(),
        http,
        draining: closing.isDraining ? handover.progress : null,
        links: backplane.routes,
        connections,
      });
    },
    members: () => wired.network.backplane.members,
    say: (message, to) => wired.network.backplane.say(message, to),
    users: {
      online: () => wired.network.presence.servers,
      usernames: () => userLists.usernames,
      hasAccount: (username) => userLists.has(username),
      waiting: () => journal.directMessages.waitingByUser,
      lastSeen: () => wired.network.presence.lastSeen,
    },
    channels: { readers: hub.readersOfChannels, kept: () => journal.channels.kept },
    laidDown: () => laidDown,
    lostWith: (serverId) => wired.network.presence.lostWith(serverId),
  });
  let laidDown = 0;
  journal.records.all.listen(({ of, key }) =>
    journal.whenDelivered(() => {
      laidDown++;
      if (of === "deleted") observatory.accountsChanged([key]);
    })
  );
  const { live } = observatory;
  const events = new Tracer(clock, journal, (event) => {
    writeTrace?.(event);
    live.add(event);
  }, {
    wants: (range) => writeTrace !== undefined || live.wants(range),
    delivered: (range) => live.delivered(range),
  });
  return {
    ...{ startedAt, counters, observatory, spans },
    tracer: () => writeTrace !== undefined || live.hasRoom ? events : undefined,
    delivered: (segments) => {
      observatory.passed(segments);
      const own = segments.filter(({ origin }) => origin === journal.serverId);
      const count = own.reduce((sum, { first, last }) => sum + last - first + 1, 0);
      if (count > 0) counters.deliveries.add(clock.nowMs() - journal.turnMs, count);
    },
    metrics: () => {
      const { network: { backplane, sessions, presence }, clients: { connections } } = wired;
      const { vector, lamport, accepted: published, queue, directMessages, retention } = journal;
      return nodeMetrics({
        ...{ startedAt, nowWallMs: clock.wallMs(), vector, lamport, published },
        ...{ commits: queue.durations, waits: queue.waits },
        connections,
        waiting: connections.waiting,
        counters,
        sessions: sessions.load,
        members: backplane.members,
        links: backplane.routes,
        usersOnline: presence.listed.length,
        maxConnections: config.limits.maxConnections,
        limits: config.limits,
        kept: config.store,
        inbox: directMessages.waiting,
        retentionNow: retention.at(clock.nowMs()),
        pending: backplane.pending,
        joinState: backplane.joinState,
        disk: budget.state,
        audit: parts.auditLog?.state,
        auditDisagreements: wired.audits.disagreements,
        certificateEndsAt: certificateEndsAt?.(),
        faults: faults.counts,
      });
    },
  };
}
