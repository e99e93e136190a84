/** Checks that the heartbeat accuses the dead and nobody else. Pure. */

import { readsNothing } from "./check_names.ts";
import { type Evidence, overlapMs, overlaps, type Span, type Violation } from "./evidence.ts";
import type { Happening } from "./history.ts";
import { HEARTBEAT, IDENTIFY_TIMEOUT_MS } from "./sim_server.ts";

/** From the last byte to the end of a connection. */
const BOUND_MS = HEARTBEAT.idleTimeoutMs + HEARTBEAT.intervalMs * (HEARTBEAT.count + 1);
/** Within so long a server finds out that another one is dead, with the defaults for links between servers. */
const PEER_BOUND_MS = 5_000;
/** Bytes on their way, and what came late because something was slow. */
const SLACK_MS = 3_000;
/** After a stall time is held, so that what has arrived can be read first. */
const HELD_AFTER_STALL_MS = 1_500;

/**
 * When a client has given a connection up that its machine held for dead, as the server's slept. The server hears
 * nothing of it, and closes its end later.
 */
function gaveUp(evidence: Evidence, client: string): Span[] {
  return evidence.told("disconnected").flatMap(({ who, byServer, reason, at }) =>
    who === client && !byServer && reason === "" ? [{ from: at, until: at + BOUND_MS + SLACK_MS }] : []
  );
}

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
      [
        ...evidence.stalls(machine),
        ...evidence.down(machine),
        ...evidence.cut(who, machine),
        ...readsNothing(evidence, machine),
        ...gaveUp(evidence, machine),
      ],
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

/** A client or server whose machine lost power is closed in time by every server that runs. */
export function checkDead(evidence: Evidence): Violation[] {
  const violations: Violation[] = [];
  const { servers, clients } = evidence.schedule;
  const supervised = new Set(clients.filter(({ kind }) => kind !== "plain").map(({ name }) => name));
  for (const { who, how, at } of evidence.told("died")) {
    const isServer = servers.includes(who);
    if (how === "crash" || !(isServer || supervised.has(who))) continue;
    const boundMs = isServer ? PEER_BOUND_MS : Math.max(BOUND_MS, IDENTIFY_TIMEOUT_MS);
    const slackMs = isServer ? 0 : SLACK_MS;
    for (const server of servers) violations.push(...keptDead(evidence, server, { who, at }, boundMs, slackMs));
  }
  return violations;
}

/** What comes to a client: lines of the log, and answers. */
const TAKEN = new Set<Happening["what"]>(["received", "reads", "got", "was told of", "was told who is online"]);

/**
 * Until when a client may be kept that took data its server had sent, and perhaps said nothing after that: who is slow
 * to read gets twice the time to answer. `undefined` for one that took nothing for so long that it was asked since.
 */
function takenUntil(evidence: Evidence, who: string, diedAt: number): number | undefined {
  const taken = evidence.events.filter((event) =>
    TAKEN.has(event.what) && event.who === who && event.at <= diedAt && event.at > diedAt - HEARTBEAT.idleTimeoutMs
  );
  return taken.length === 0 ? undefined : Math.max(...taken.map(({ at }) => at)) + 2 * BOUND_MS + SLACK_MS;
}

/** Whether a client heard in that time that a server let it in. */
function wasLetIn(evidence: Evidence, server: string, client: string, from: number, until: number): boolean {
  return evidence.told("connected").some((event) =>
    event.who === client && event.server === server && event.at >= from && event.at <= until
  );
}

/** Connections of `server` with `who`, dead since `at`, that it kept for longer than it may. */
function* keptDead(
  evidence: Evidence,
  server: string,
  { who, at }: { readonly who: string; readonly at: number },
  onceMoreMs: number,
  slackMs: number,
): Generator<Violation> {
  const boundMs = onceMoreMs + slackMs;
  for (const link of evidence.links(server, who)) {
    if (link.from > at || link.until <= at) continue;
    // Bytes that were still under way come late.
    if (overlaps(evidence.cut(server, who), at - boundMs, link.until)) continue;
    const stops = evidence.stopped(server).filter((stop) => stop.until > at - boundMs && stop.from < link.until);
    const stoppedMs = overlapMs(stops, at - boundMs, link.until) + stops.length * HELD_AFTER_STALL_MS;
    // That it was busy is an excuse for once more the bound, however long it was.
    const isBusy = overlaps(evidence.busy(server), at - boundMs, link.until);
    // So is that its login waited for an answer: it is asked for no sign of life before that.
    const waits = evidence.schedule.clients.some(({ name }) => name === who) &&
      !wasLetIn(evidence, server, who, link.from, at);
    const silentUntil = at + boundMs + (isBusy || waits ? onceMoreMs : 0);
    const untilMs = Math.max(silentUntil, takenUntil(evidence, who, at) ?? 0) + stoppedMs;
    if (link.until <= untilMs || evidence.endedAt <= untilMs) continue;
    const what = `${server} kept the connection with ${who} for ${Math.min(link.until, evidence.endedAt) - at} ms`;
    yield { promise: "who is dead is closed in time", what, at };
  }
}
