/**
 * What may come late: which entries come before which servers cannot always know, and nobody waits for ever. Pure.
 */

import { parseEntryId } from "../../protocol/entry_id.ts";
import { type Evidence, overlaps, type Stored, type Told } from "./evidence.ts";
import { keyOf } from "./numbered.ts";

/** Something numbered that came to somebody. */
export type Arrived = Told<"received"> | Told<"got">;

/**
 * Whether the server that accepted `before` let its sender in without `late`, after the login had waited for it as long
 * as it may. No server can know then that the one comes after the other.
 */
function waitedInVain(evidence: Evidence, late: Pick<Arrived, "sender" | "id">, before: Pick<Arrived, "id">): boolean {
  const server = evidence.machineOf(parseEntryId(before.id)!.origin);
  const accepted = evidence.stored.get(server)?.get(before.id);
  if (accepted === undefined) return false;
  const sender = late.sender.split(".")[0]!;
  const login = evidence.told("connected").findLast((event) =>
    event.who === sender && event.server === server && event.at <= accepted.at
  );
  if (login === undefined) return false;
  const had = evidence.stored.get(server)?.get(late.id);
  if (had !== undefined && had.at < login.at) return false;
  // While the other server was linked it could still come.
  const origin = evidence.machineOf(parseEntryId(late.id)!.origin);
  const isRenamed = evidence.nameAt(origin, login.at) !== parseEntryId(late.id)!.origin;
  if (!isRenamed && overlaps(evidence.greeted(server, origin), login.at - 1, login.at)) return false;
  const link = evidence.links(server, sender).findLast(({ from }) => from < login.at);
  return link !== undefined && login.at - link.from >= evidence.schedule.settings.holdBackMs;
}

/**
 * Whether `late` may come after `before` although it was published first: the server that let `before` into its log did
 * so when it had had no connection with the one that accepted `late` for the whole of the hold-back time; or it did not
 * know that there is something to wait for, because the sender had no answer to `late` yet when it went elsewhere.
 */
export function mayComeLate(evidence: Evidence, late: Arrived, before: Arrived): boolean {
  const { holdBackMs } = evidence.schedule.settings;
  const { origin } = parseEntryId(late.id)!;
  if (evidence.wasNumberedTwice(keyOf(late)) || evidence.wasNumberedTwice(keyOf(before))) return true;
  const lateOrigin = evidence.machineOf(origin);
  const later = laterCopies(evidence, late, before);
  if (later.some((copy) => waitedInVain(evidence, late, copy) || wasLostThere(evidence, late, copy))) return true;
  if (wasDroppedAlong(evidence, late, before)) return true;
  // Where something later was accepted, and where the receiver was: others decide for themselves.
  const login = evidence.told("connected").findLast((event) =>
    event.session === before.session && event.at <= before.at
  );
  if (login !== undefined && lacksBetween(evidence, late, before, login.server)) return true;
  const deciding = new Set(later.map(({ id }) => evidence.machineOf(parseEntryId(id)!.origin)));
  if (login !== undefined) deciding.add(login.server);
  for (const server of deciding) {
    // What it had of both before an old copy of its data was put back it does not know any more.
    const lostAt = evidence.lossOf(server, late.id, before.at);
    const entered = later.find((copy) => copy.server === server && copy.at >= (lostAt ?? 0));
    if (entered === undefined || !mayHaveWaited(evidence, entered, lostAt)) continue;
    const heldFrom = entered.at - holdBackMs;
    const mayHaveLost = lostAt !== undefined && !isAtLinked(evidence, late, server, heldFrom, entered.at);
    if (server === lateOrigin && !mayHaveLost) continue;
    const had = evidence.stored.get(server)?.get(late.id);
    if (had !== undefined && had.index < entered.index) continue;
    // It has another name since a power cut: nobody is called as `late` says any more.
    if (evidence.nameAt(lateOrigin, entered.at) !== origin) return true;
    if (!overlaps(evidence.greeted(server, lateOrigin), heldFrom, entered.at)) return true;
  }
  return isCutOff(evidence, late, later);
}

/**
 * Whether the server that accepted `late` had lost it, as an old copy of its data was put back, when it accepted the
 * later one, and no server was linked that had it: there was nobody to wait for.
 */
function wasLostThere(evidence: Evidence, late: Arrived, { server, id, at }: Stored): boolean {
  if (server !== evidence.machineOf(late.id) || server !== evidence.machineOf(id)) return false;
  const lostAt = evidence.lossOf(server, late.id, at);
  if (lostAt === undefined || isAtLinked(evidence, late, server, at - 1, at)) return false;
  const copies = evidence.copies.get(keyOf(late))!.filter((copy) => copy.id === late.id && copy.server === server);
  return copies.every((copy) => copy.at < lostAt || copy.at > at);
}

/** Whether an entry was at another server that was linked with `server` in that time. */
function isAtLinked(evidence: Evidence, late: Arrived, server: string, from: number, until: number): boolean {
  return evidence.copies.get(keyOf(late))!.some((copy) =>
    copy.id === late.id && copy.server !== server && copy.at <= until &&
    overlaps(evidence.greeted(server, copy.server), from, until)
  );
}

/**
 * Whether the sender was let in without one that it published after `late`, and had named. A client names its newest
 * one alone, and only that one would have told of `late`.
 */
function isCutOff(evidence: Evidence, { sender }: Arrived, later: readonly Stored[]): boolean {
  const copies = [...new Map(later.map((copy) => [copy.id, copy])).values()];
  return copies.some((one) =>
    copies.some(({ id, n }) => one.n! < n! && waitedInVain(evidence, { sender, id: one.id }, { id }))
  );
}

/**
 * Whether `server` never got something that the sender published between the two, as others had forgotten it: each
 * entry names only the one before it.
 */
function lacksBetween(evidence: Evidence, late: Arrived, before: Pick<Arrived, "n">, server: string): boolean {
  if (!evidence.hasForgetting) return false;
  const between = Array.from({ length: Math.max(0, before.n - late.n - 1) }, (_, index) => late.n + 1 + index);
  return between.some((n) => {
    const copies = evidence.copies.get(`${late.sender}#${n}`);
    return copies !== undefined && copies.every((copy) => copy.server !== server);
  });
}

/**
 * Whether the receiver's server had `late` in its place, and dropped it with numbers before it that were given out
 * twice: then it stands behind `before` there, in the log.
 */
function wasDroppedAlong(evidence: Evidence, late: Arrived, before: Arrived): boolean {
  const server = evidence.told("connected").findLast((event) =>
    event.session === before.session && event.at <= before.at
  )?.server;
  if (server === undefined || server === evidence.machineOf(late.id)) return false;
  const here = evidence.stored.get(server);
  const passedAt = here?.get(before.id)?.index;
  const isBehind = passedAt !== undefined && (here?.get(late.id)?.index ?? 0) > passedAt;
  return isBehind &&
    evidence.copies.get(keyOf(late))!.some((copy) =>
      copy.server === server && copy.id === late.id && copy.index <= passedAt &&
      evidence.told("renamed").some(({ who, ids, at }) => who === server && ids.includes(late.id) && at >= copy.at)
    );
}

/**
 * Whether an entry was at hand for the whole of the hold-back time before it was let in, and came after `since`, when
 * its server had lost what it had. Its own server waits with the login.
 */
function mayHaveWaited(evidence: Evidence, { server, id, at }: Stored, since = 0): boolean {
  if (evidence.machineOf(parseEntryId(id)!.origin) === server) return true;
  const heldFrom = at - evidence.schedule.settings.holdBackMs;
  return [...evidence.stored].some(([other, entries]) => {
    const copy = entries.get(id);
    return other !== server && copy !== undefined && copy.at <= heldFrom &&
      overlaps(evidence.links(server, other), Math.max(copy.at, since), heldFrom + 1);
  });
}

/** What a sender published after `late`, up to `before`, in the order in which it was stored. */
function laterCopies(evidence: Evidence, late: Arrived, before: Arrived): Stored[] {
  const numbers = Array.from({ length: Math.max(0, before.n - late.n) }, (_, index) => late.n + 1 + index);
  return numbers.flatMap((n) => evidence.copies.get(`${late.sender}#${n}`) ?? []).toSorted((a, b) => a.index - b.index);
}
