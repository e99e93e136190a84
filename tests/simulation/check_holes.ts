/**
 * Checks what becomes of clients where entries are missing in a server's log that nobody could give it: who has them
 * from elsewhere stays, and nobody else gets what comes behind them without being told. Pure.
 */

import { sequenceOf, type Vector } from "../../log/vector.ts";
import { formatEntryId, parseEntryId } from "../../protocol/entry_id.ts";
import { isIn } from "./check_delivery.ts";
import type { Evidence, Told, Violation } from "./evidence.ts";

/** A server took in an entry of an origin without the ones before it, the last of which is `last`. */
interface Hole {
  readonly server: string;
  readonly origin: string;
  readonly last: number;
  readonly at: number;
}

/** Clients that know vectors; what others have cannot be told from what they are sent. */
export function checkHoles(evidence: Evidence): Violation[] {
  const holes = holesOf(evidence);
  return [...checkSentAway(evidence, holes), ...checkTold(evidence, holes), ...checkNeedless(evidence)];
}

/** A gap is told only where the server lacks something. */
function* checkNeedless(evidence: Evidence): Generator<Violation> {
  // What was forgotten is in no history.
  if (evidence.hasForgetting) return;
  for (const event of evidence.told("gap")) {
    const { session, gaps, at } = event;
    const server = serverOf(evidence, session, at);
    const toldAt = evidence.events.indexOf(event);
    const here = server === undefined ? undefined : evidence.stored.get(server);
    // After an old copy of its data was put back, it gives a number out again: the client means the entry before.
    const wereLost = new Set(
      evidence.told("lost entries").flatMap(({ who, ids, at: lostAt }) => who === server && lostAt <= at ? ids : []),
    );
    const isHere = (id: string) => {
      const stored = here?.get(id);
      const isKept = stored !== undefined && stored.index < toldAt && !stored.isLost && !wereLost.has(id);
      return isKept && !evidence.isNumberedTwice(id);
    };
    for (const { origin, first, last } of gaps) {
      if (last === null) continue;
      const ids = Array.from({ length: last - first + 1 }, (_, n) => formatEntryId({ origin, sequence: first + n }));
      if (ids.length === 0 || !ids.every(isHere)) continue;
      const what = `${session} was told that ${ids[0]} to ${ids.at(-1)} are missing, which ${server} has`;
      yield { promise: "a gap is told where something is missing", what, at };
    }
  }
}

/** A server ends a client as fallen behind only when something is missing that the client has not got. */
function* checkSentAway(evidence: Evidence, holes: readonly Hole[]): Generator<Violation> {
  // Whoever is slow is sent away for what is forgotten as well.
  if (evidence.hasForgetting) return;
  for (const { who, session, reason, byServer, vector, at } of evidence.told("disconnected")) {
    if (reason !== "FELL_BEHIND" || !byServer || vector === undefined) continue;
    const server = serverOf(evidence, session, at);
    const lacks = holes.some((hole) =>
      hole.server === server && hole.at <= at && hole.last > sequenceOf(vector, hole.origin)
    );
    const isRenamed = evidence.told("renamed").some((event) => event.who === server && event.at <= at);
    if (lacks || isRenamed) continue;
    const what = `${server} sent ${who} away, which lacks nothing that is missing there`;
    yield { promise: "who has it all is not sent away", what, at };
  }
}

/** What comes behind a hole goes to those who have what is missing, or were told. */
function* checkTold(evidence: Evidence, holes: readonly Hole[]): Generator<Violation> {
  if (holes.length === 0) return;
  const knowing = new Set(evidence.schedule.clients.filter(({ kind }) => kind !== "plain").map(({ name }) => name));
  const known = new Map<string, Vector[]>();
  const gaps = new Map<string, Told<"gap">["gaps"][number][]>();
  // It is told gaps before it has entered.
  const chainOf = new Map(evidence.told("entered").map(({ session, chain }) => [session, chain]));
  const has = (session: string, vector: Vector | undefined) => {
    if (vector !== undefined) listOf(known, chainOf.get(session) ?? session).push(vector);
  };
  for (const event of evidence.events) {
    if (event.what === "entered" || event.what === "disconnected") has(event.session, event.vector);
    if (event.what === "gap") listOf(gaps, chainOf.get(event.session) ?? event.session).push(...event.gaps);
    if ((event.what !== "received" && event.what !== "got") || !knowing.has(event.who)) continue;
    const { session, chain, id, at } = event;
    const { origin, sequence } = parseEntryId(id)!;
    const server = serverOf(evidence, session, at);
    const hole = holes.findLast((one) =>
      one.server === server && one.origin === origin && one.at <= at && one.last < sequence
    );
    const missing = hole && formatEntryId({ origin, sequence: hole.last });
    const isFine = missing === undefined || isIn(listOf(gaps, chain), missing) ||
      listOf(known, chain).some((vector) => sequenceOf(vector, origin) >= hole!.last);
    has(session, { [origin]: sequence });
    if (isFine) continue;
    const what = `${session} got ${id} and was not told that ${missing} is missing`;
    yield { promise: "gaps are told", what, at };
  }
}

function holesOf(evidence: Evidence): Hole[] {
  const holes: Hole[] = [];
  const lasts = new Map<string, Map<string, number>>();
  for (const event of evidence.events) {
    const { who: server, at } = event;
    const last = lasts.get(server) ?? new Map<string, number>();
    lasts.set(server, last);
    if (event.what === "stored") {
      for (const { id } of event.entries) {
        const { origin, sequence } = parseEntryId(id)!;
        if (sequence > (last.get(origin) ?? 0) + 1) holes.push({ server, origin, last: sequence - 1, at });
        last.set(origin, sequence);
      }
    } else if (event.what === "lost entries" || event.what === "renamed") {
      for (const { origin, sequence } of event.ids.map((id) => parseEntryId(id)!)) {
        last.set(origin, Math.min(last.get(origin) ?? 0, sequence - 1));
      }
    }
  }
  return holes;
}

/** The server that a client is connected with, or was last. */
function serverOf(evidence: Evidence, session: string, at: number): string | undefined {
  return evidence.told("connected").findLast((event) => event.session === session && event.at <= at)?.server;
}

function listOf<T>(lists: Map<string, T[]>, key: string): T[] {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
}
