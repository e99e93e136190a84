/** Checks what is promised to users with a name who cannot say themselves what they have or missed. Pure. */

import { covers, receivedBefore, vectorAt } from "./check_delivery.ts";
import { type Evidence, overlaps, type Span, type Stored, type Told, type Violation } from "./evidence.ts";
import type { Event } from "./history.ts";
import { isJudged } from "./rulings.ts";

/** A server that dies so soon after a login may not have told anybody of it. */
const UNKNOWN_MS = 1_000;
/** A login waits no longer for the word of a server that is linked and does not answer. */
const PATIENCE_MS = 6_000;
/** Bytes on their way. */
const UNDER_WAY_MS = 500;

/**
 * A plain client with a name that is there in the end has got all that came since it entered, at whichever servers it
 * was meanwhile, and however it lost them.
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
  const sessions = evidence.told("entered").filter(({ life, username }) =>
    life === last.life && username === last.username
  ).map((event) => event.session);
  const all = sessions.flatMap((name) => stayOf(evidence, name));
  // The name was somebody else's at all servers up to where it was lost: what is remembered of the account that is left
  // is of an earlier time. Of an account that was lost itself nothing is remembered.
  const stays = all.slice(
    all.findLastIndex((stay, index) => {
      const until = all[index + 1]?.from ?? at;
      return losesName(evidence, who, stay) || isClaimedTwice(evidence, last.username, stay.from, until) ||
        registersAnew(evidence, last, stay.from, until);
    }) + 1,
  );
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
  // Whoever comes without a vector stands where its user stood, also in a process that is no more.
  const hadByUser = receivedBefore(evidence, last.username, first.from);
  for (const [key, copies] of evidence.copies) {
    if (received.has(key) || hadByUser.has(key)) continue;
    const isForOthers = copies.every(({ isFor, channel }) => isFor !== "everyone" || channel !== undefined);
    if (!evidence.survives(key) || isForOthers) continue;
    // Who had what stood under its number before counts as one who has it.
    if (copies.some(({ id }) => evidence.givenTwice.has(id))) continue;
    if (copies.some((copy) => covers(had, copy.id) || mayBeMissed(evidence, who, stays, copy, copies))) continue;
    const ids = [...new Set(copies.map(({ id }) => id))].join(", ");
    yield { promise: "who has a name misses nothing", what: `${last.life} has not received ${key} (${ids})`, at };
  }
}

/** Whether a message may be missed as the entry `id` by a client that made these stays; `copies`: all that it was. */
function mayBeMissed(
  evidence: Evidence,
  who: string,
  stays: readonly Stay[],
  { id }: Stored,
  copies: readonly Stored[],
): boolean {
  return stays.some((stay, index) => {
    const next = stays[index + 1];
    if (next === undefined) return false;
    // For the first time: its number may have been given out twice, and it came back from others.
    const there = firstStored(evidence, next.server, id);
    if (there === undefined || there.at >= next.from + UNDER_WAY_MS) return false;
    const diedAt = diesAt(evidence, stay, next);
    if (wasUntold(evidence, stay.server, diedAt, id, copies)) return true;
    if (wasWrittenToTheLost(evidence, stay, diedAt, id, copies)) return true;
    const leftAt = Math.min(stay.until, diedAt);
    const heldUntil = linkOf(evidence, who, stay)?.until ?? leftAt;
    // It was there when the stay began, or came when the next one had begun: then it was sent, or is to be. Sent, also
    // when the server only took the connection for alive.
    const here = newestHere(evidence, copies, id, stay, Math.max(leftAt, heldUntil));
    if (here !== undefined && here.at < stay.from - UNDER_WAY_MS) return false;
    if (here !== undefined) return isUnderWay(evidence, who, stay.server, here.at, leftAt);
    // While it seemed to be there still when the next server was asked.
    const askedAt = linkOf(evidence, who, next)?.from ?? next.from;
    return heldUntil > askedAt || waitedInVain(evidence, who, stay, next) || !isKnownAt(evidence, stay, leftAt, next) ||
      isSentUnheard(evidence, who, stay, next, id);
  });
}

/**
 * What the server of a stay had stored of an entry last, up to some time. Something else may have stood under its
 * number; and an old copy of the data may have lost it before the stay, or brought it back after that.
 */
function newestHere(
  evidence: Evidence,
  copies: readonly Stored[],
  id: string,
  { server, from }: Stay,
  until: number,
): Stored | undefined {
  const newest = copies.findLast((copy) => copy.server === server && copy.id === id && copy.at <= until);
  const isLost = newest !== undefined &&
    evidence.told("lost entries").some((event) =>
      event.who === server && event.at > newest.at && event.at <= from && event.ids.includes(id)
    );
  return isLost ? undefined : newest;
}

function firstStored(evidence: Evidence, server: string, id: string): Stored | undefined {
  for (const key of evidence.keysOfEntry(id)) {
    const first = evidence.copies.get(key)?.find((copy) => copy.server === server && copy.id === id);
    if (first !== undefined) return first;
  }
  return undefined;
}

/**
 * Whether a server had this entry of its own in its file when it died, and had told nobody of it, as it waited for the
 * disk: it finds the entry when it is started again. What it had just stored counts as received by plain clients.
 */
function wasUntold(evidence: Evidence, server: string, diedAt: number, id: string, copies: readonly Stored[]): boolean {
  if (evidence.machineOf(id) !== server) return false;
  const down = evidence.down(server).find(({ from }) => from === diedAt);
  return down !== undefined &&
    copies.find((copy) => copy.server === server && copy.id === id)?.at === down.until;
}

/**
 * Whether a server stored this entry when it had been too busy to see that the client's connection was gone, and died
 * before it saw that: it counts as received, as above.
 */
function wasWrittenToTheLost(
  evidence: Evidence,
  { server, until }: Stay,
  diedAt: number,
  id: string,
  copies: readonly Stored[],
): boolean {
  const storedAt = copies.find((copy) => copy.server === server && copy.id === id)?.at ?? Infinity;
  return storedAt <= diedAt && diedAt < Infinity &&
    evidence.stalls(server).some((stall) => stall.from <= until && until <= storedAt && storedAt <= stall.until);
}

/** When the server of a stay died, if it did before the next one began; else `Infinity`. */
function diesAt(evidence: Evidence, { server, from }: Stay, next: Stay): number {
  // The answer to the login could still be on its way.
  const died = evidence.down(server).find((span) => span.from >= from - UNDER_WAY_MS && span.until > from);
  return died !== undefined && died.from <= next.from ? died.from : Infinity;
}

/**
 * Whether what was sent at some time may not have come before the connection ended at `leftAt`, or lay unread there.
 */
function isUnderWay(evidence: Evidence, who: string, server: string, sentAt: number, leftAt: number): boolean {
  const troubles = [
    ...evidence.cut(who, server),
    ...evidence.stalls(server),
    ...evidence.stalls(who),
    ...readsNothing(evidence, who),
  ];
  // Since when something was in the way, up to the end; between two troubles there may have been no time for all.
  let since = leftAt;
  while (true) {
    const before: number = since;
    const span = troubles.find(({ from, until }) => from < before && until > before - UNDER_WAY_MS);
    if (span === undefined) return sentAt > since - UNDER_WAY_MS;
    since = span.from;
  }
}

/**
 * Whether the server of the next stay knew that the client was at the former one before that could
 * not be told any more.
 */
function isKnownAt(evidence: Evidence, { server, from }: Stay, leftAt: number, next: Stay): boolean {
  if (server === next.server) return leftAt - from >= UNKNOWN_MS && !isForgotten(evidence, server, from, leftAt, next);
  const troubles = [...evidence.cut(server, next.server), ...evidence.stalls(server), ...evidence.stalls(next.server)];
  return evidence.greeted(next.server, server).some((link) => {
    // For so long they could talk, and what was heard then was not forgotten since.
    const heardFrom = Math.max(link.from, from);
    return spansWithout(troubles, heardFrom, Math.min(link.until, leftAt)).some((span) =>
      span.until - span.from >= UNKNOWN_MS && !overlaps(evidence.down(next.server), span.from, next.from)
    );
  });
}

/**
 * Whether a server has lost its data from before the client came, and no other one that runs since then was linked with
 * it for long enough to hear of the client.
 */
function isForgotten(evidence: Evidence, server: string, from: number, leftAt: number, next: Stay): boolean {
  // What says that the client is there is no entry, and may be lost alone.
  const isFromBefore = evidence.told("lost commits").some((event) =>
    event.who === server && event.at > from && event.at <= next.from && event.since <= from
  );
  return isFromBefore && evidence.schedule.servers.every((other) => {
    if (other === server) return true;
    const troubles = [...evidence.cut(server, other), ...evidence.stopped(server), ...evidence.stopped(other)];
    return evidence.links(other, server).every((link) => {
      const heardFrom = Math.max(link.from, from);
      return spansWithout(troubles, heardFrom, Math.min(link.until, leftAt)).every((span) =>
        span.until - span.from < UNKNOWN_MS || overlaps(evidence.down(other), span.from, next.from)
      );
    });
  });
}

/** Whether the next server took that of a stay for alive still when it had waited for its word as long as it does. */
function waitedInVain(evidence: Evidence, who: string, { server }: Stay, next: Stay): boolean {
  const waited = next.from - (linkOf(evidence, who, next)?.from ?? next.from);
  return waited >= PATIENCE_MS && overlaps(evidence.links(next.server, server), next.from - 1, next.from + 1) &&
    evidence.wereApart(server, next.server, next.from - 1, next.from);
}

/** The connection of a stay as the server knew it. */
function linkOf(evidence: Evidence, who: string, { server, from }: Pick<Stay, "server" | "from">): Span | undefined {
  return evidence.links(server, who).findLast((link) => link.from <= from);
}

/**
 * Whether a server may have let the client in between two stays, and sent it the entry, of which
 * nothing came to the client.
 */
function isSentUnheard(evidence: Evidence, who: string, stay: Stay, next: Stay, id: string): boolean {
  const { from: until } = linkOf(evidence, who, next) ?? next;
  return evidence.schedule.servers.some((server) =>
    evidence.links(server, who).some((link) => {
      const stored = evidence.stored.get(server)?.get(id);
      if (stored === undefined || stored.at > link.until || link.from < stay.until || link.from >= until) return false;
      const troubles = [...evidence.cut(who, server), ...evidence.stalls(server), ...evidence.stalls(who)];
      return overlaps(troubles, link.from, link.until);
    })
  );
}

/** What is left of some time without what lies in `spans`. */
function spansWithout(spans: readonly Span[], from: number, until: number): Span[] {
  const left: Span[] = [];
  let at = from;
  for (const span of spans.toSorted((a, b) => a.from - b.from)) {
    if (span.from > at) left.push({ from: at, until: Math.min(span.from, until) });
    at = Math.max(at, span.until);
  }
  return [...left, { from: at, until }].filter((span) => span.until > span.from);
}

function stayOf(evidence: Evidence, session: string): Stay[] {
  const connected = evidence.told("connected").find((event) => event.session === session);
  if (connected === undefined) return [];
  const end = evidence.told("disconnected").find((event) => event.session === session);
  // Sent on with the answer to its login, or the server could read nothing for it: nothing had begun.
  if (wasSentOn(evidence, connected, end) || wasTurnedDown(evidence, connected)) return [];
  const { who, server, at } = connected;
  // It may hear that it is let in when that connection is over. Then it was there meanwhile, and all is on its way.
  const link = linkOf(evidence, who, { server, from: at });
  const from = link !== undefined && link.until < at ? link.from : at;
  return [{ server, session, from, until: end?.at ?? Infinity }];
}

/** Whether the server had sent a client on when that heard that it is let in. */
function wasSentOn(
  evidence: Evidence,
  { who, server, at }: Told<"connected">,
  end: Told<"disconnected"> | undefined,
): boolean {
  const link = linkOf(evidence, who, { server, from: at });
  // What says where to may come a moment after the answer: then the client tells it when its stay ends.
  const isTold = end !== undefined && !end.byServer && end.reason !== "";
  if (isTold && end.at === at) return true;
  return evidence.told("closed a connection").some((event) =>
    event.who === server && event.reason === "REDIRECTED" && event.peer.includes(`(${who}:`) &&
    (isTold && event.at <= at && event.at > at - UNDER_WAY_MS ||
      link !== undefined && link.until <= at && event.at === link.until)
  );
}

/** Whether the server had failed when a client heard that it is let in: it could not read what the client missed. */
function wasTurnedDown(evidence: Evidence, { who, server, at }: Told<"connected">): boolean {
  const link = linkOf(evidence, who, { server, from: at });
  return link !== undefined &&
    evidence.told("closed a connection").some((event) =>
      event.who === server && event.reason === "SERVER_FAILED" && event.peer.includes(`(${who}:`) &&
      link.until <= at && event.at === link.until
    );
}

/** Whether a stay ended as the name belongs to another account of the network. */
function losesName(evidence: Evidence, who: string, { server, from, until }: Stay): boolean {
  return evidence.told("closed a connection").some((event) =>
    event.who === server && event.reason === "NAME_LOST" && event.peer.includes(`(${who}:`) && event.at >= from &&
    event.at <= until
  );
}

/** Whether a name was given anew in that time to who had it, as its account was lost. */
function registersAnew(
  evidence: Evidence,
  { who, username }: Pick<Told<"entered">, "who" | "username">,
  from: number,
  until: number,
): boolean {
  return evidence.lostAccounts.has(username) &&
    evidence.told("registered").some((event) =>
      event.who === who && event.username === username && event.at > from && event.at <= until
    );
}

/**
 * Whether some server heard in that time of one of several claims to the name: then who was there with
 * another one is forgotten.
 */
function isClaimedTwice(evidence: Evidence, username: string, from: number, until: number): boolean {
  const claims = [...evidence.stored.values()].flatMap((entries) =>
    [...entries.values()].filter(({ account }) => account?.username === username)
  );
  return new Set(claims.map(({ id }) => id)).size > 1 && claims.some(({ at }) => at >= from && at <= until);
}

/** When a client left what was sent to it where it was. */
export function readsNothing(evidence: Evidence, client: string): Span[] {
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
  // Sent on to another server since then, and not let in there yet: it may be listed and told of as lost.
  const between = new Set(there.filter(({ session }) => isBetween(events, session)).map(({ username }) => username));
  for (const { session, username } of there) if (!isBetween(events, session)) between.delete(username);
  const online = JSON.stringify(
    [...new Set(there.map(({ username }) => username))].filter((username) =>
      isNamed(username) && !between.has(username)
    ).toSorted(),
  );
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
    const knows = JSON.stringify([...known].filter((name) => !between.has(name) && isNamed(name)).toSorted());
    if (knows === online) continue;
    violations.push({
      promise: "who is online is known",
      what: `${who} knows of ${knows}, and ${online} are there`,
      at,
    });
  }
  return violations;
}

/** Whether a client has lost the connection that it had last. */
function isBetween(events: readonly Event[], session: string): boolean {
  const last = events.findLast((event) =>
    (event.what === "connected" || event.what === "disconnected") && event.session === session
  );
  return last?.what === "disconnected";
}

/** Whether it is a user who is listed. Those who are judged come and go as operators want. */
function isNamed(username: string): boolean {
  return username !== "anonymous" && !isJudged(username);
}
