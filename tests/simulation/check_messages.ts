/**
 * Checks that direct messages reach their users: once, in order, not again after they were taken, and that their
 * senders are told so. And that all servers know who is online. Pure.
 */

import { parseEntryId } from "../../protocol/entry_id.ts";
import { begunWith, covers, isIn, vectorAt, wasMessageIdForgotten, wasTakenBack } from "./check_delivery.ts";
import { mayComeLate } from "./check_order.ts";
import type { Evidence, Told, Violation } from "./evidence.ts";
import { keyOf } from "./numbered.ts";
import { hasNobodyToTell } from "./old_copies.ts";

/** A line to a client, its ACK, and the receipt to all servers, when nothing is in the way. */
const ON_ITS_WAY_MS = 60;
/**
 * What a plain client was sent counts as delivered when its link has taken it, for which its server looks every 100 ms;
 * and then the others have to hear of that.
 */
const KNOWN_AFTER_MS = 100 + 2 * ON_ITS_WAY_MS;

/**
 * Of every direct message that a server is left with its user got a copy, whoever stayed all that were for the user;
 * once, in order, and not again when it had been taken.
 */
export function checkMessages(evidence: Evidence): Violation[] {
  const violations: Violation[] = [];
  for (const got of Map.groupBy(evidence.told("got"), ({ chain }) => chain).values()) {
    violations.push(...checkOnce(evidence, got), ...checkOrder(evidence, got));
  }
  violations.push(...checkReached(evidence), ...checkTaken(evidence));
  for (const one of evidence.told("is")) if (one.connected) violations.push(...checkStayed(evidence, one));
  return violations;
}

/** Who sent a direct message is told that it was delivered, once, when it was and not before. */
export function checkReceipts(evidence: Evidence): Violation[] {
  const violations: Violation[] = [];
  const told = new Set<string>();
  for (const event of evidence.told("told delivered")) {
    const key = evidence.keyOfMessage(event.messageId);
    if (key === undefined) continue;
    if (told.has(`${event.session} ${key}`)) {
      const what = `${event.session} was told twice that ${key} was delivered`;
      violations.push({ promise: "a delivery is told once", what, at: event.at });
    }
    told.add(`${event.session} ${key}`);
    const isTaken = evidence.told("got").some((got) => keyOf(got) === key && got.at <= event.at);
    if (!isTaken && !mayHaveTaken(evidence, key)) {
      const what = `${event.session} was told that ${key} was delivered, which nobody had taken`;
      violations.push({ promise: "a delivery is told when it was", what, at: event.at });
    }
  }
  const gaps = evidence.told("gap");
  for (const { session, connected, at } of evidence.told("is")) {
    if (!connected) continue;
    const missed = gaps.filter((gap) => gap.session === session).flatMap((gap) => gap.gaps);
    for (const { sender, n } of evidence.told("sent")) {
      const key = keyOf({ sender, n });
      if (sender !== session || told.has(`${session} ${key}`)) continue;
      const receipts = evidence.receipts.get(key) ?? [];
      const left = receipts.filter(({ isLost, isFor, at: storedAt }) => !isLost && isFor === "user" && storedAt < at);
      if (left.length === 0 || receipts.some(({ id }) => isIn(missed, id))) continue;
      // It had other entries under these numbers, and cannot be told so where nobody knows of those any more. Its
      // server tells one receipt of a message.
      const server = evidence.told("connected").findLast((event) => event.session === session)?.server;
      const here = left.filter((receipt) => receipt.server === server);
      if ((here.length > 0 ? here : left).every(({ id }) => evidence.isNumberedTwice(id))) continue;
      const what = `${session} was not told that ${key} was delivered (${left[0]!.id})`;
      violations.push({ promise: "a delivery is told", what, at });
    }
  }
  return violations;
}

/** Every server lists those users as online who are. */
export function checkLists(evidence: Evidence): Violation[] {
  const connected = evidence.told("is").filter(({ connected, username }) => connected && username !== "anonymous");
  const online = JSON.stringify([...new Set(connected.map(({ username }) => username))].toSorted());
  return evidence.told("lists").filter(({ users }) => JSON.stringify(users) !== online).map(({ who, users, at }) => {
    const what = `${who} lists ${JSON.stringify(users)} as online, which ${online} are`;
    return { promise: "who is online is known", what, at };
  });
}

/** The same messages wait for the same users at all servers. */
export function checkInboxes(evidence: Evidence): Violation[] {
  const violations: Violation[] = [];
  const ends = evidence.told("ended with");
  for (const { who, inboxes } of ends) {
    for (const [username, inbox] of Object.entries(inboxes)) {
      for (const key of Object.keys(inbox)) {
        const others = ends.filter((other) => other.who !== who && other.inboxes[username]?.[key] === undefined);
        for (const { who: other, at } of others) {
          if (hasReceiptGivenTwice(evidence, key) || evidence.wasOld(key)) continue;
          if (evidence.copies.get(key)?.some(({ id }) => hasNobodyToTell(evidence, id))) continue;
          // It came into the network when others had forgotten it.
          const isForgotten = evidence.hasForgetting &&
            evidence.copies.get(key)?.every(({ server }) => server !== other);
          if (isForgotten) continue;
          violations.push({ promise: "equal inboxes", what: `${key} waits at ${who}, and not at ${other}`, at });
        }
      }
    }
  }
  return violations;
}

function* checkOnce(evidence: Evidence, all: readonly Told<"got">[]): Generator<Violation> {
  const seen = new Map<string, Told<"got">>();
  for (const event of all) {
    const key = keyOf(event);
    const before = seen.get(key);
    if (before !== undefined && !mayComeAgain(evidence, before, event)) {
      const what = `${event.chain} got ${key} as ${before.id} and again as ${event.id}`;
      yield { promise: "a direct message comes once", what, at: event.at };
    }
    seen.set(key, event);
  }
}

/**
 * Whether a client that was killed may be shown again what it had taken: its server did not know that, or the message
 * is another one for it.
 */
function mayComeAgain(evidence: Evidence, before: Told<"got">, again: Told<"got">): boolean {
  if (evidence.wasNumberedTwice(keyOf(again)) || wasMessageIdForgotten(evidence, before, again)) return true;
  if (before.session === again.session) return false;
  if (!again.offline && wasTakenBack(evidence, again, before.at)) return true;
  // Two servers had taken it, and a vector does not tell that the two are one. What waits tells by its receipt.
  const isTwin = before.id !== again.id && !again.offline;
  return isTwin || !wasKnownAsTaken(evidence, again);
}

/**
 * Whether the message has a number that was given out twice: who had what stood there before counts as one who has it,
 * and says so.
 */
function isGivenTwice(evidence: Evidence, key: string): boolean {
  return evidence.copies.get(key)?.some(({ id }) => evidence.givenTwice.has(id)) ?? false;
}

/** Whether a receipt of the message has a number that was given out twice: then servers have other entries there. */
function hasReceiptGivenTwice(evidence: Evidence, key: string): boolean {
  return evidence.receipts.get(key)?.some(({ id }) => evidence.givenTwice.has(id)) ?? false;
}

/** Whether the server of who got `event` had stored, before it let that client in, that the message was delivered. */
function wasKnownAsTaken(evidence: Evidence, event: Told<"got">): boolean {
  const login = loginBefore(evidence, event);
  const receipts = evidence.receipts.get(keyOf(event)) ?? [];
  // That it was let in the client heard a little later. What the server lost again with its power it does not know.
  return login !== undefined &&
    receipts.some(({ server, at, isLost }) => server === login.server && at < login.at - ON_ITS_WAY_MS && !isLost);
}

function loginBefore(evidence: Evidence, { session, at }: Told<"got">): Told<"connected"> | undefined {
  return evidence.told("connected").findLast((event) => event.session === session && event.at <= at);
}

/** A sender's messages come to each of its receivers in the order in which they were sent. */
function* checkOrder(evidence: Evidence, all: readonly Told<"got">[]): Generator<Violation> {
  const newest = new Map<string, Told<"got">>();
  const vector = evidence.told("entered").find(({ chain }) => chain === all[0]!.chain)?.vector ?? {};
  const seen = new Set<string>();
  for (const event of all) {
    const { chain, sender, n, at } = event;
    // What comes again is the business of the check above.
    if (seen.has(keyOf(event))) continue;
    seen.add(keyOf(event));
    const before = newest.get(sender);
    if (before === undefined || before.n < n) {
      newest.set(sender, event);
      continue;
    }
    if (mayComeLate(evidence, event, before) || begunWith(evidence, vector, event)) continue;
    if (wasTakenByAnother(evidence, event) || isOwedToAnother(evidence, event, before)) continue;
    const what = `${chain} got ${sender}#${n} (${event.id}) after ${sender}#${before.n} (${before.id})`;
    yield { promise: "the order of direct messages is kept", what, at };
  }
}

/**
 * Whether another client of the user had taken `late`, and its server did not know: a client that began where that was
 * known is shown it there.
 */
function wasTakenByAnother(evidence: Evidence, late: Told<"got">): boolean {
  const isTaken = (evidence.receipts.get(keyOf(late)) ?? []).some(({ at }) => at <= late.at);
  return late.offline && isTaken && !wasKnownAsTaken(evidence, late);
}

/**
 * Whether another client of the user had taken `late` before `before` was shown as one that waited. A client that
 * begins where the user was lost is shown what waits first; when that login is cut off, the next one has what
 * others have taken as well.
 */
function isOwedToAnother(evidence: Evidence, late: Told<"got">, before: Told<"got">): boolean {
  const isTaken = (evidence.receipts.get(keyOf(late)) ?? []).some(({ at }) => at <= before.at);
  return before.offline && !late.offline && before.session === late.session && isTaken &&
    loginBefore(evidence, late) !== loginBefore(evidence, before);
}

/** What a server is left with was got by somebody of its user; if nobody of that name has come, it waits. */
function* checkReached(evidence: Evidence): Generator<Violation> {
  const got = new Set(evidence.told("got").map((event) => `${keyOf(event)} ${event.username}`));
  const here = new Set(evidence.sessionsAtTheEnd.map(({ username }) => username));
  const ends = evidence.told("ended with");
  for (const { sender, n, to } of evidence.told("sent")) {
    const key = keyOf({ sender, n });
    if (!evidence.survives(key) || got.has(`${key} ${to}`) || mayHaveTaken(evidence, key)) continue;
    if (evidence.wasOld(key)) continue;
    const isWaiting = ends.every(({ inboxes }) => inboxes[to]?.[key] !== undefined);
    if (!here.has(to) && isWaiting) continue;
    const what = `${to} did not get ${key} (${evidence.copies.get(key)!.map(({ server, id }) => `${server} ${id}`)})`;
    yield { promise: "a direct message reaches its user", what, at: evidence.endedAt };
  }
}

/**
 * Whether a plain client was sent it and did not read it: for such a one it is enough that its
 * connection has taken the line.
 */
function mayHaveTaken(evidence: Evidence, key: string): boolean {
  const to = evidence.copies.get(key)?.find((copy) => copy.to !== undefined)?.to;
  const plain = evidence.schedule.clients.filter(({ kind }) => kind === "plain").map(({ name }) => name);
  const logins = evidence.told("entered").filter(({ who, username }) => username === to && plain.includes(who));
  return (evidence.receipts.get(key) ?? []).some(({ id, server, at }) => {
    if (evidence.machineOf(parseEntryId(id)!.origin) !== server) return false;
    return logins.some(({ who }) =>
      evidence.links(server, who).some(({ from, until }) => from <= at && until >= at - ON_ITS_WAY_MS)
    );
  });
}

/** Who is there when all is quiet has got all for its user that came after it had begun. */
function* checkStayed(evidence: Evidence, { who, chain, session, username, at }: Told<"is">): Generator<Violation> {
  const begun = evidence.told("entered").find((event) => event.chain === chain);
  const isLibrary = evidence.schedule.clients.find(({ name }) => name === who)?.kind === "library";
  if (begun === undefined || !isLibrary || begun.username !== username) return;
  const got = new Set(evidence.told("got").filter((event) => event.chain === chain).map(keyOf));
  const sessions = new Set(evidence.told("entered").filter((event) => event.chain === chain).map((e) => e.session));
  const gaps = evidence.told("gap").filter((event) => sessions.has(event.session)).flatMap((event) => event.gaps);
  // Where it begins in the log may be where its user was lost; of what waited before it came it is shown
  // what nobody has taken.
  const login = evidence.told("connected").find((event) => event.session === begun.session);
  const had = login === undefined ? {} : vectorAt(evidence, login);
  for (const { sender, n, to } of evidence.told("sent")) {
    const key = keyOf({ sender, n });
    if (to !== username || got.has(key) || !evidence.survives(key)) continue;
    const copies = evidence.copies.get(key)!;
    if (
      isGivenTwice(evidence, key) ||
      copies.some(({ id }) => covers(begun.vector, id) || covers(had, id) || isIn(gaps, id))
    ) {
      continue;
    }
    const what = `${session} has not got ${key} (${[...new Set(copies.map(({ id }) => id))].join(", ")})`;
    yield { promise: "all clients of a user get a direct message", what, at };
  }
}

/** What was taken, and known as that, is not shown to who logs in afterwards, and waits nowhere. */
function* checkTaken(evidence: Evidence): Generator<Violation> {
  const promise = "what was taken is not shown again";
  const onceMoreAt = evidence.told("once more")[0]?.at ?? Infinity;
  const stayed = new Set(evidence.told("is").filter(({ connected }) => connected).map(({ session }) => session));
  const taken = new Map<string, Told<"got">>();
  for (const event of evidence.told("got")) {
    const { session, at } = event;
    const key = `${keyOf(event)} ${event.username}`;
    const before = taken.get(key);
    const loginAt = loginBefore(evidence, event)?.at ?? at;
    // At any of its logins: a server that sends it on has told it already.
    const begunAt = evidence.told("connected").find((login) => login.session === session)?.at ?? at;
    if (!event.offline && wasTakenBack(evidence, event, begunAt)) continue;
    // The server has another entry under the number of the receipt, and what tells that is forgotten.
    if (evidence.hasForgetting && hasReceiptGivenTwice(evidence, keyOf(event))) continue;
    if (before !== undefined && loginAt >= onceMoreAt && loginAt >= before.at + KNOWN_AFTER_MS) {
      yield { promise, what: `${session} was shown ${key}, which ${before.session} had taken`, at };
    } else if (event.offline && wasKnownAsTaken(evidence, event)) {
      yield { promise, what: `${session} was shown ${key}, which its server knew as delivered`, at };
    }
    // That it was taken is forgotten when it is that old, also before a server that was away is back.
    if ((at >= onceMoreAt || stayed.has(session)) && !evidence.wasOld(keyOf(event))) taken.set(key, event);
  }
  for (const { who, inboxes, at } of evidence.told("ended with")) {
    for (const [username, inbox] of Object.entries(inboxes)) {
      for (const key of Object.keys(inbox)) {
        const by = taken.get(`${key} ${username}`);
        if (by !== undefined && !hasReceiptGivenTwice(evidence, key)) {
          yield { promise, what: `${key} waits at ${who}, and ${by.session} has taken it`, at };
        }
      }
    }
  }
}
