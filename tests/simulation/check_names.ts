/** Checks what is promised to users with a name who cannot say themselves what they have or missed. Pure. */

import { covers, vectorAt } from "./check_delivery.ts";
import { type Evidence, overlaps, type Span, type Told, type Violation } from "./evidence.ts";

/** A server that dies so soon after a login may not have told anybody of it. */
const UNKNOWN_MS = 1_000;
/** Bytes on their way. */
const UNDER_WAY_MS = 500;
/** For so long a connection may be gone before its server, and others, find out. */
const UNNOTICED_MS = 9_000;

/**
 * A plain client with a name that is there in the end has got all that came since it entered, at whichever servers it was
 * meanwhile, and however it lost them.
 */
export function checkPlainLives(evidence: Evidence): Violation[] {
  // What was forgotten it is told of in words.
  if (evidence.hasForgetting) return [];
  return evidence.told("is").filter(({ connected }) => connected).flatMap((one) => [...missedIn(evidence, one)]);
}

/** One connection of a client with a server, as both have known it. */
interface Stay {
  readonly server: string;
  readonly session: string;
  readonly from: number;
  /** `Infinity` for the last one. */
  readonly until: number;
}

function* missedIn(evidence: Evidence, { who, session, at }: Told<"is">): Generator<Violation> {
  const last = evidence.told("entered").find((event) => event.session === session);
  if (last?.life === undefined) return;
  const sessions = evidence.told("entered").filter(({ life }) => life === last.life).map((event) => event.session);
  const all = sessions.flatMap((name) => stayOf(evidence, name));
  // The name was somebody else's at all servers up to where it was lost: what is remembered of the account that is left is of an earlier time.
  const stays = all.slice(all.findLastIndex((stay) => losesName(evidence, who, stay)) + 1);
  const first = stays[0];
  if (first === undefined) return;
  // Who shares the name takes what is for both.
  if (sharesName(evidence, who, last.username)) return;
  const had = vectorAt(evidence, { server: first.server, at: first.from });
  const received = new Set(
    evidence.told("received").filter((event) => sessions.includes(event.session)).map(({ sender, n }) =>
      `${sender}#${n}`
    ),
  );
  for (const [key, copies] of evidence.copies) {
    if (received.has(key) || !evidence.survives(key) || copies.every(({ isFor }) => isFor !== "everyone")) continue;
    if (copies.some(({ id }) => covers(had, id) || mayBeMissed(evidence, who, stays, id))) continue;
    const ids = [...new Set(copies.map(({ id }) => id))].join(", ");
    yield { promise: "who has a name misses nothing", what: `${last.life} has not received ${key} (${ids})`, at };
  }
}

/** Whether an entry may be missed by a client that made these stays. */
function mayBeMissed(evidence: Evidence, who: string, stays: readonly Stay[], id: string): boolean {
  return stays.some(({ server, from, until }, index) => {
    const next = stays[index + 1];
    if (next === undefined) return false;
    // It was there when the stay began, or came when the next one had begun: then it was sent, or is to be.
    const here = evidence.stored.get(server)?.get(id);
    const there = evidence.stored.get(next.server)?.get(id);
    if (here !== undefined && here.at < from - UNDER_WAY_MS) return false;
    if (there === undefined || there.at >= next.from + UNDER_WAY_MS) return false;
    // The server still held the connection for alive, and others went by that: it could not know, or stood still.
    const apart = [...evidence.cut(who, server), ...evidence.stalls(server), ...evidence.stalls(who)];
    if (overlaps(apart, until - UNNOTICED_MS, next.from + 1)) return true;
    // What it had not read when its connection was reset is gone, and its server had sent it.
    const paused = readsNothing(evidence, who).find((span) => span.from <= until && until <= span.until);
    if (paused !== undefined && here !== undefined && here.at > paused.from - UNDER_WAY_MS) return true;
    // Nobody had heard that the client is there when its server died (the answer to its login could still be on its way), or the others had not heard how
    // far it was.
    const died = evidence.down(server).find((span) =>
      span.from >= from - UNDER_WAY_MS && span.until > from && span.from <= next.from
    );
    if (died !== undefined && died.from - from < UNKNOWN_MS) return true;
    // What was stored there just before counts as sent: it tells so itself when it is back.
    if (died !== undefined && here !== undefined && here.at > died.from - UNDER_WAY_MS) return true;
    return died !== undefined && isBetweenServers(evidence, server, next.server, from, next.from);
  });
}

/** Whether the two servers could not talk as they should at some time. */
function isBetweenServers(evidence: Evidence, a: string, b: string, from: number, until: number): boolean {
  if (a === b) return false;
  const spans = [...evidence.cut(a, b), ...evidence.down(b), ...evidence.stalls(a), ...evidence.stalls(b)];
  return overlaps(spans, from - 10_000, until + 1);
}

function stayOf(evidence: Evidence, session: string): Stay[] {
  const connected = evidence.told("connected").find((event) => event.session === session);
  if (connected === undefined) return [];
  const end = evidence.told("disconnected").find((event) => event.session === session);
  // Sent on with the answer to its login: nothing had begun. The two may come one after the other.
  const isSentOn = evidence.told("closed a connection").some((event) =>
    event.who === connected.server && event.reason === "REDIRECTED" && event.peer.includes(`(${connected.who}:`) &&
    event.at <= connected.at && event.at > connected.at - UNDER_WAY_MS
  );
  const isRedirected = end !== undefined && !end.byServer && end.reason !== "";
  if (isRedirected && (isSentOn || end.at === connected.at)) return [];
  return [{ server: connected.server, session, from: connected.at, until: end?.at ?? Infinity }];
}

/** Whether a stay ended as the name belongs to another account of the network. */
function losesName(evidence: Evidence, who: string, { server, from, until }: Stay): boolean {
  return evidence.told("closed a connection").some((event) =>
    event.who === server && event.reason === "NAME_LOST" && event.peer.includes(`(${who}:`) && event.at >= from &&
    event.at <= until
  );
}

/** When a client left what was sent to it where it was. */
function readsNothing(evidence: Evidence, client: string): Span[] {
  return evidence.told("step").flatMap(({ step, at }) =>
    step.kind === "read slowly" && step.client === client ? [{ from: at, until: at + step.ms }] : []
  );
}

function sharesName(evidence: Evidence, who: string, username: string): boolean {
  return evidence.told("entered").some((event) => event.username === username && event.who !== who);
}

/** When all is quiet, what a client was listed and was told of after that is who is there. */
export function checkKnownOnline(evidence: Evidence): Violation[] {
  const violations: Violation[] = [];
  const asked = evidence.events.findIndex(({ what }) => what === "once more");
  const events = evidence.events.slice(0, asked < 0 ? undefined : asked);
  const there = evidence.told("is").filter(({ connected }) => connected);
  const online = JSON.stringify([...new Set(there.map(({ username }) => username))].filter(isNamed).toSorted());
  for (const { who, session, username, at } of there) {
    const listed = events.findLastIndex((event) =>
      event.what === "was told who is online" && event.session === session
    );
    const list = events[listed];
    // A plain one does not ask.
    if (list?.what !== "was told who is online") continue;
    const known = new Set(list.users);
    for (const event of events) {
      // What comes at one moment is written down in any order.
      if (event.at < list.at || event.what !== "was told of" || event.session !== session) continue;
      if (event.event === "joined") known.add(event.username);
      else known.delete(event.username);
    }
    // Nobody is told of itself.
    if (isNamed(username)) known.add(username);
    const knows = JSON.stringify([...known].toSorted());
    if (knows === online) continue;
    violations.push({
      promise: "who is online is known",
      what: `${who} knows of ${knows}, and ${online} are there`,
      at,
    });
  }
  return violations;
}

function isNamed(username: string): boolean {
  return username !== "anonymous";
}
