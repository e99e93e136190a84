/**
 * Checks that what was published reached everybody: nothing acknowledged is lost, nothing comes twice or in a wrong
 * order, and gaps are told. Pure.
 */

import type { Vector } from "../../log/vector.ts";
import { sequenceOf } from "../../log/vector.ts";
import { parseEntryId } from "../../protocol/entry_id.ts";
import type { WireGap } from "../../protocol/message.ts";
import { isForClient, missedByIterators, readerOf, wasNotRead } from "./check_channels.ts";
import { type Arrived, mayComeLate } from "./check_order.ts";
import type { Event } from "./history.ts";
import { keyOf } from "./numbered.ts";
import type { Evidence, Stored, Told, Violation } from "./evidence.ts";

/** Bytes on their way. */
const UNDER_WAY_MS = 500;
const NO_KEYS: ReadonlySet<string> = new Set();

/**
 * What was acknowledged is in the log of every server that is left, unless all who had it lost their
 * disk, or the end of it.
 */
export function checkAcknowledged(evidence: Evidence): Violation[] {
  const promise = "nothing acknowledged is lost";
  const violations: Violation[] = [];
  evidence.events.forEach((event, index) => {
    if (event.what !== "acknowledged") return;
    const key = `${event.sender}#${event.n}`;
    const copies = evidence.copies.get(key) ?? [];
    const { at } = event;
    if (!copies.some((copy) => copy.id === event.id && copy.index < index)) {
      violations.push({ promise, what: `${key} was acknowledged as ${event.id} before a server had stored it`, at });
    } else if (evidence.schedule.settings.durability === "replicated") {
      violations.push(...notReplicated(evidence, key, copies, event, index));
    }
  });
  return violations;
}

/** With `durability: "replicated"` two servers have it, unless the one that acknowledged was alone. */
function* notReplicated(
  evidence: Evidence,
  key: string,
  copies: readonly Stored[],
  { at, id }: Told<"acknowledged">,
  index: number,
): Generator<Violation> {
  // That a direct message has reached its user is told at once, and says that it was stored.
  const isDelivered = (event: Event, place: number) =>
    event.what === "told delivered" && place < index && evidence.keyOfMessage(event.messageId) === key;
  if (evidence.events.some(isDelivered)) return;
  const holders = new Set(copies.filter((copy) => copy.index < index).map(({ server }) => server));
  if (holders.size > 1) return;
  const own = evidence.machineOf(parseEntryId(id)!.origin);
  const others = evidence.schedule.servers.filter((server) => server !== own);
  // Linked when it was stored and until now: then it had to wait.
  const storedAt = copies.find((copy) => copy.id === id)!.at;
  const hadPeer = others.some((other) =>
    evidence.links(own, other).some(({ from, until }) => from <= storedAt - 1_000 && until > at) &&
    !evidence.wereApart(own, other, storedAt - 10_000, at)
  );
  if (hadPeer) {
    yield { promise: "acknowledged when replicated", what: `${key} was acknowledged when only ${own} had it`, at };
  }
}

/**
 * Of every activity that is in the log at the end every server that is left has a copy; and everybody who stayed
 * got it, once, in order.
 */
export function checkReceived(evidence: Evidence): Violation[] {
  const violations: Violation[] = [];
  for (const [reader, received] of byReader(evidence)) {
    violations.push(...checkOnce(evidence, reader, received));
    violations.push(...checkOrder(evidence, reader, received));
  }
  for (const { session, id, at } of evidence.told("came twice")) {
    if (evidence.isNumberedTwice(id)) continue;
    violations.push({ promise: "nothing comes twice", what: `${session} was sent ${id} twice`, at });
  }
  for (const one of evidence.told("is")) if (one.connected) violations.push(...checkComplete(evidence, one));
  return violations;
}

/** What each client was given over all lives in which it went on; what an iterator of channels gave is apart. */
function byReader(evidence: Evidence): Map<string, Told<"received">[]> {
  return Map.groupBy(evidence.told("received"), readerOf);
}

function* checkOnce(evidence: Evidence, reader: string, received: readonly Told<"received">[]): Generator<Violation> {
  const seen = new Map<string, Told<"received">>();
  for (const event of received) {
    const { sender, n, id, at } = event;
    const key = `${sender}#${n}`;
    const before = seen.get(key);
    if (before !== undefined && !mayComeAgain(evidence, before, event)) {
      const what = `${reader} received ${key} as ${before.id} and again as ${id}`;
      yield { promise: "nothing comes twice", what, at };
    }
    seen.set(key, event);
  }
}

/**
 * Whether a client that was killed may receive again what it had: all that it brings is its vector. That does not tell
 * of an entry which its server never heard of, and which its sender gave to another one a second time.
 */
function mayComeAgain(evidence: Evidence, before: Told<"received">, again: Told<"received">): boolean {
  if (evidence.wasNumberedTwice(keyOf(again)) || wasTakenBack(evidence, again, before.at)) return true;
  if (wasMessageIdForgotten(evidence, before, again) || wasCutBack(evidence, before, again)) return true;
  if (before.session === again.session || before.id === again.id) return false;
  return [...evidence.stored.values()].some((entries) => entries.get(again.id)?.isFor === "everyone");
}

/**
 * Whether the server of a plain client dropped the entry in between, with numbers before it that were given out twice:
 * it comes again with what belongs there, and such a client cannot say that it has it.
 */
function wasCutBack(evidence: Evidence, before: Told<"received">, again: Told<"received">): boolean {
  if (!isPlain(evidence, again.who) || before.id !== again.id) return false;
  const login = evidence.told("connected").findLast(({ session, at }) => session === again.session && at <= again.at);
  return evidence.told("renamed").some(({ who, ids, at }) =>
    who === login?.server && ids.includes(again.id) && at >= before.at - UNDER_WAY_MS && at <= again.at
  );
}

/**
 * Whether the second copy came to a server that had stored the first one for so long that it did not remember its
 * message id any more: nothing tells then that the two are one.
 */
export function wasMessageIdForgotten(evidence: Evidence, before: Arrived, again: Arrived): boolean {
  const { retention } = evidence.schedule.settings;
  if (retention === undefined) return false;
  return [...evidence.stored.values()].some((entries) => {
    const [first, second] = [entries.get(before.id), entries.get(again.id)];
    if (first === undefined || second === undefined || second.isFor === "servers") return false;
    return second.at - first.at >= retention.entriesMs;
  });
}

/**
 * Whether a client was told, at `since` or after, that it does not have numbers which were given out twice: it goes
 * back before these, as a vector cannot say that it has what comes after.
 */
export function wasTakenBack(evidence: Evidence, again: Arrived, since: number): boolean {
  const { origin, sequence } = parseEntryId(again.id)!;
  return evidence.told("gap").some(({ session, gaps, at }) =>
    session === again.session && at >= since && at <= again.at &&
    gaps.some((gap) =>
      gap.origin === origin && gap.first <= sequence && [...evidence.givenTwice].some((id) => isIn([gap], id))
    )
  );
}

function* checkOrder(evidence: Evidence, reader: string, received: readonly Told<"received">[]): Generator<Violation> {
  const newest = new Map<string, Told<"received">>();
  const { chain } = received[0]!;
  const vector = evidence.told("entered").find((event) => event.chain === chain)?.vector ?? {};
  const seen = new Set<string>();
  for (const event of received) {
    const { sender, n, at } = event;
    // What comes again is the business of the check above.
    if (seen.has(`${sender}#${n}`)) continue;
    seen.add(`${sender}#${n}`);
    const before = newest.get(sender);
    if (before === undefined || before.n < n) newest.set(sender, event);
    else if (
      before.n > n && !mayComeLate(evidence, event, before) && !begunWith(evidence, vector, event) &&
      !wasToldOf(evidence, event) && !wasTakenBack(evidence, event, before.at) && !wasNotRead(evidence, event, before)
    ) {
      const what = `${reader} received ${sender}#${n} (${event.id}) after ${sender}#${before.n} (${before.id})`;
      yield { promise: "a sender's order is kept", what, at };
    }
  }
}

/**
 * Whether `late` counted as had when its receiver began, by another copy of it: two servers took the same message,
 * and the receiver has come from the one to the other. It would better not come at all, but a vector does not tell
 * that the two are one.
 */
export function begunWith(evidence: Evidence, vector: Vector, late: Arrived): boolean {
  return evidence.copies.get(`${late.sender}#${late.n}`)!.some(({ id }) => id !== late.id && covers(vector, id));
}

/**
 * Whether the receiver was told that it lacks another copy of `late`, which is forgotten where it is. Its sender had no
 * answer to that one, and went on elsewhere. A plain client cannot be told that its server never got that copy.
 */
function wasToldOf(evidence: Evidence, late: Told<"received">): boolean {
  const gaps = evidence.told("gap").filter(({ session, at }) => session === late.session && at <= late.at);
  const others = evidence.copies.get(keyOf(late))!.filter(({ id }) => id !== late.id);
  return others.some(({ id }) => gaps.some((told) => isIn(told.gaps, id))) ||
    (isPlain(evidence, late.who) && others.some(({ id }) => wasSkipped(evidence, late, id)));
}

/** Whether the log of the receiver's server went on without the entry `id`, as that was forgotten where it was. */
function wasSkipped(evidence: Evidence, { session, at }: Told<"received">, id: string): boolean {
  const login = evidence.told("connected").findLast((event) => event.session === session && event.at <= at);
  if (login === undefined || !evidence.hasForgetting) return false;
  const { origin, sequence } = parseEntryId(id)!;
  const stored = [...evidence.stored.get(login.server)?.values() ?? []].map((entry) => parseEntryId(entry.id)!);
  const ofOrigin = stored.filter((entry) => entry.origin === origin).map((entry) => entry.sequence);
  return !ofOrigin.includes(sequence) && ofOrigin.some((other) => other > sequence);
}

function isPlain(evidence: Evidence, client: string): boolean {
  return evidence.schedule.clients.find(({ name }) => name === client)?.kind === "plain";
}

/**
 * Who is there at the end has everything that is in the log and was not there before it came, or was told
 * which part it misses.
 */
function* checkComplete(evidence: Evidence, one: Told<"is">): Generator<Violation> {
  const { chain, session, at } = one;
  const begun = evidence.told("entered").find((event) => event.chain === chain);
  if (begun === undefined) return;
  const sessions = new Set(evidence.told("entered").filter((event) => event.chain === chain).map((e) => e.session));
  // Of a plain client with a name its servers know what it got on former connections.
  const { life, username } = begun;
  const lived = life === undefined ? [] : evidence.told("entered").filter((event) => event.life === life);
  const all = new Set([...sessions, ...lived.map((event) => event.session)]);
  const received = new Set(
    evidence.told("received").filter(({ session, iterator }) => iterator === undefined && all.has(session)).map(keyOf),
  );
  const gaps = evidence.told("gap").filter((event) => sessions.has(event.session)).flatMap((event) => event.gaps);
  const isPlain = evidence.schedule.clients.find(({ name }) => name === one.who)?.kind === "plain";
  // What a plain client gets begins with its connection to a server, where it cannot say what it has.
  const connected = evidence.told("connected").findLast((event) => event.session === session)!;
  const had = isPlain ? vectorAt(evidence, connected) : {};
  // What was there when it entered for the first time is not new to it at a server that gets that later.
  const first = lived.find((event) => event.username === username);
  const firstAt = evidence.told("connected").find((event) => event.session === first?.session);
  const hadFirst = isPlain && firstAt !== undefined ? vectorAt(evidence, firstAt) : {};
  // Who comes without a vector stands where its user stood.
  const hadByUser = life === undefined ? NO_KEYS : receivedBefore(evidence, username, connected.at);
  const isExcused = (key: string, copies: readonly Stored[]) => {
    if (!evidence.survives(key)) return true;
    const mayMiss = isPlain
      ? copies.some(({ id }) => covers(had, id) || covers(hadFirst, id))
      : copies.some(({ id }) => covers(begun.vector, id) || isIn(gaps, id));
    // It cannot be told either that its server never got what others had forgotten by then.
    const isForgotten = isPlain && evidence.hasForgetting && copies.every(({ server }) => server !== connected.server);
    // Where its server stood then, and said so, and died before it came: nobody can tell that from bytes on their way.
    const wasUnderWay = isPlain && copies.some((copy) => isSentLast(evidence, copy, lived));
    // Its number tells that it was had.
    const isGivenTwice = copies.some(({ id }) => evidence.givenTwice.has(id));
    if (mayMiss || isForgotten || wasUnderWay || isGivenTwice) return true;
    // Its whole origin is no more since before it came.
    if (copies.every((copy) => copy.isLost || wasBuried(evidence, copy, begun.at))) return true;
    return copies.every(({ isFor }) => isFor !== "everyone");
  };
  for (const [key, copies] of evidence.copies) {
    if (received.has(key) || hadByUser.has(key)) continue;
    if (isExcused(key, copies) || !isForClient(evidence, one, copies)) continue;
    const ids = [...new Set(copies.map(({ id }) => id))].join(", ");
    const promise = gaps.length > 0 ? "gaps are told" : "everybody gets everything";
    yield { promise, what: `${session} has not received ${key} (${ids})`, at };
  }
  yield* missedByIterators(evidence, one, isExcused);
}

/** Whether a server had forgotten an entry with its whole origin by then. */
function wasBuried(evidence: Evidence, { server, id }: Stored, until: number): boolean {
  const { origin, sequence } = parseEntryId(id)!;
  return evidence.told("forgot origins").some(({ who, origins, at }) =>
    who === server && at <= until && (origins[origin] ?? 0) >= sequence
  );
}

/** What clients of a user had received until then, as `sender#n`. */
export function receivedBefore(evidence: Evidence, username: string, at: number): ReadonlySet<string> {
  const sessions = new Set(
    evidence.told("entered").filter((event) => event.username === username).map(({ session }) => session),
  );
  const received = evidence.told("received").filter((event) => event.at <= at && sessions.has(event.session));
  return new Set(received.map(keyOf));
}

/** Whether an entry was stored so shortly before a client lost its connection at that server that it counts as sent. */
function isSentLast(evidence: Evidence, { server, at }: Stored, lived: readonly Told<"entered">[]): boolean {
  return lived.some(({ session }) => {
    const stay = evidence.told("connected").find((event) => event.session === session);
    const end = evidence.told("disconnected").find((event) => event.session === session);
    if (stay?.server !== server || end === undefined) return false;
    return at >= stay.at && at <= end.at && at > end.at - UNDER_WAY_MS;
  });
}

/** What the log of the server had when a client connected with it: what it lost later, and got back, was there then. */
export function vectorAt(evidence: Evidence, { server, at }: Pick<Told<"connected">, "server" | "at">): Vector {
  const here = new Set<string>();
  for (const event of evidence.events) {
    if (event.at > at) break;
    if (event.who !== server) continue;
    if (event.what === "stored") { for (const { id } of event.entries) here.add(id); }
    else if (event.what === "lost entries" || event.what === "renamed") { for (const id of event.ids) here.delete(id); }
  }
  const vector: Record<string, number> = {};
  for (const id of here) {
    const { origin, sequence } = parseEntryId(id)!;
    vector[origin] = Math.max(sequence, vector[origin] ?? 0);
  }
  return vector;
}

/** Whether who has `vector` has the entry. */
export function covers(vector: Vector, id: string): boolean {
  const { origin, sequence } = parseEntryId(id)!;
  return sequenceOf(vector, origin) >= sequence;
}

/** Whether it was told that the entry is missing. */
export function isIn(gaps: readonly WireGap[], id: string): boolean {
  const { origin, sequence } = parseEntryId(id)!;
  return gaps.some((gap) => gap.origin === origin && gap.first <= sequence && (gap.last ?? Infinity) >= sequence);
}
