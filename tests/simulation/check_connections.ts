/** Checks that the heartbeat accuses the dead and nobody else. Pure. */

import { type Evidence, overlapMs, overlaps, type Violation } from "./evidence.ts";
import { HEARTBEAT, IDENTIFY_TIMEOUT_MS } from "./sim_server.ts";

/** From the last byte to the end of a connection. */
const BOUND_MS = HEARTBEAT.idleTimeoutMs + HEARTBEAT.intervalMs * (HEARTBEAT.count + 1);
/** Bytes on their way, and what came late because something was slow. */
const SLACK_MS = 3_000;
/** After a stall time is held, so that what has arrived can be read first. */
const HELD_AFTER_STALL_MS = 1_500;

/** A client that lives and answers is never closed for silence, however its server stalls. */
export function checkAlive(evidence: Evidence): Violation[] {
  const promise = "who answers is not closed";
  const violations: Violation[] = [];
  for (const { who, peer, reason, at } of evidence.told("closed a connection")) {
    if (reason !== "HEARTBEAT_TIMEOUT") continue;
    const machine = /\(?([cs]\d+):\d+\)?$/.exec(peer)?.[1] ?? "";
    const from = at - BOUND_MS - SLACK_MS - overlapMs(evidence.stalls(who), 0, at);
    // That the server stood still is no excuse.
    const isExcused = overlaps(
      [...evidence.stalls(machine), ...evidence.down(machine), ...evidence.cut(who, machine)],
      from,
      at + 1,
    );
    if (!isExcused) violations.push({ promise, what: `${who} closed ${peer}, which was there all the time`, at });
  }
  for (const { who, session, reason, byServer, at } of evidence.told("disconnected")) {
    if (reason !== "HEARTBEAT_TIMEOUT" || byServer) continue;
    const server = evidence.events.findLast((event) =>
      event.what === "connected" && event.session === session && event.at < at
    );
    if (server?.what !== "connected") continue;
    if (
      !evidence.wereApart(who, server.server, at - BOUND_MS - SLACK_MS - overlapMs(evidence.stalls(who), 0, at), at + 1)
    ) {
      violations.push({ promise, what: `${who} gave up ${server.server}, which was there all the time`, at });
    } else if (
      !overlaps(
        [...evidence.stalls(server.server), ...evidence.down(server.server), ...evidence.cut(who, server.server)],
        at - BOUND_MS - SLACK_MS - overlapMs(evidence.stalls(who), 0, at),
        at + 1,
      )
    ) violations.push({ promise, what: `${who} stood still and then gave up ${server.server}`, at });
  }
  return violations;
}

/** A client whose machine lost power is closed in time, while its server runs. */
export function checkDead(evidence: Evidence): Violation[] {
  const violations: Violation[] = [];
  const supervised = new Set(
    evidence.schedule.clients.filter(({ kind }) => kind !== "plain").map(({ name }) => name),
  );
  for (const { who, how, at } of evidence.told("died")) {
    if (how !== "power cut" || !supervised.has(who)) continue;
    for (const server of evidence.schedule.servers) {
      for (const link of evidence.links(server, who)) {
        if (link.from > at || link.until <= at) continue;
        const stalls = evidence.stalls(server).filter((stall) =>
          stall.until > at - BOUND_MS && stall.from < link.until
        );
        const stalledMs = overlapMs(stalls, at - BOUND_MS, link.until) + stalls.length * HELD_AFTER_STALL_MS;
        const bound = at + Math.max(BOUND_MS, IDENTIFY_TIMEOUT_MS) + SLACK_MS + stalledMs;
        // Bytes that were still under way come late.
        const slowMs = overlaps(evidence.cut(server, who), at - 3_000, link.until) ? Infinity : 0;
        if (link.until > bound + slowMs && evidence.endedAt > bound) {
          const what = `${server} kept the connection with ${who} for ${
            Math.min(link.until, evidence.endedAt) - at
          } ms`;
          violations.push({ promise: "who is dead is closed in time", what, at });
        }
      }
    }
  }
  return violations;
}
