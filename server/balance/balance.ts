/**
 * Who goes where, so that all servers have about as many clients: redirects at login, the slow moving of idle clients,
 * and the order in which clients try the others when their server fails. Pure: decides from what the servers have
 * announced. That is always a little old, and the same rule everywhere keeps clients from being sent to and fro: one is
 * sent only where it has it better than here *after* it has moved.
 */

import { RecentMap } from "../../log/recent.ts";
import type { Endpoint } from "../../platform/address.ts";

/** A server and what it has to do. */
export interface Share {
  readonly serverId: string;
  /** Clients that are logged in. */
  readonly load: number;
  /** How much it takes: one of weight 2 is as busy with two clients as one of weight 1 with one. */
  readonly weight: number;
}

/** Another server, as it was announced. */
export interface ServerLoad extends Share, Endpoint {
  /** It answers: neither suspect nor dead. */
  readonly isLive: boolean;
}

/** Who has just logged in. */
export interface Newcomer {
  readonly username: string;
  readonly remoteHost: string;
  /** Redirects that it followed to get here; `undefined` for a plain client, which cannot say. */
  readonly redirects: number | undefined;
  /**
   * It was logged in at another server: that one told it where to go, or failed, and its clients
   * have spread themselves.
   */
  readonly isReturning: boolean;
}

/** So many clients of this server should go to that one. */
export interface Handover {
  readonly to: ServerLoad;
  readonly count: number;
}

/** Redirects that a client follows at most. */
export const MAX_REDIRECTS = 3;
/**
 * How long it is known whom this server has sent away. A client that is sent in a circle is back in
 * well under a second.
 */
export const REDIRECT_MEMORY_MS = 10_000;
/**
 * Redirected clients that are remembered. Beyond that the oldest is forgotten, which costs it one
 * more redirect at worst.
 */
const MAX_REMEMBERED = 10_000;
/** The part of its clients that a server moves at a time. */
const MOVED_PART = 0.05;
/** It moves no more than this at a time, and the plan takes no longer, whatever a server announces. */
const MAX_MOVED = 500;
/** Servers whose loads differ by less than this part are about equally loaded; by `ALIKE_CLIENTS`, too. */
const ALIKE_PART = 0.1;
const ALIKE_CLIENTS = 2;

/**
 * Where a client that has just logged in should go instead; `undefined`: it stays. `own.load` counts it already. With
 * equal weights that is the server with the fewest clients, when it has at least 2 fewer. `redirected`: clients that
 * were sent to each server and are not in its load yet.
 */
export function redirectTarget(
  own: Share,
  others: readonly ServerLoad[],
  redirected: ReadonlyMap<string, number>,
): ServerLoad | undefined {
  let best: ServerLoad | undefined;
  let bestLoad = 0;
  for (const server of others) {
    const load = server.load + (redirected.get(server.serverId) ?? 0);
    if (!server.isLive || !isBetterFor(own, { ...server, load })) continue;
    if (best !== undefined && compareNext({ ...best, load: bestLoad }, { ...server, load }) <= 0) continue;
    best = server;
    bestLoad = load;
  }
  return best;
}

/**
 * What one server knows of its own redirects, and of how it stood when others said how they do. An announcement is
 * a little old: when the clients of a server that failed come to two others at once, each would see the other as it
 * was, and send them there. So for these what is compared is of one moment: the other's load, and this server's
 * when that was announced.
 */
export class RedirectBook {
  /** Not announced yet, for each server. */
  readonly #counts = new Map<string, number>();
  /** This server's load when each server announced its own. */
  readonly #ownLoads = new Map<string, number>();
  /** When each plain client was sent away, oldest first. */
  readonly #sentAt = new RecentMap<string, number>(MAX_REMEMBERED);

  /**
   * Where `newcomer` is to be sent, noting that it was; `undefined`: it stays. `own.load` counts it
   * already. Time is monotonic.
   */
  redirect(own: Share, others: readonly ServerLoad[], newcomer: Newcomer, nowMs: number): ServerLoad | undefined {
    if ((newcomer.redirects ?? 0) >= MAX_REDIRECTS) return undefined;
    const better = newcomer.isReturning ? others.filter((other) => this.#wasBusierThan(own, other)) : others;
    const target = redirectTarget(own, better, this.#counts);
    if (target === undefined || (newcomer.redirects === undefined && this.#isBack(newcomer, nowMs))) return undefined;
    this.#counts.set(target.serverId, (this.#counts.get(target.serverId) ?? 0) + 1);
    return target;
  }

  /** `serverId` has announced its load, when this server's was `ownLoad`. */
  announced(serverId: string, ownLoad: number): void {
    this.#counts.delete(serverId);
    this.#ownLoads.set(serverId, ownLoad);
  }

  /** Whether a newcomer would have had it better on `other` when that announced itself. */
  #wasBusierThan({ load, weight, serverId }: Share, other: ServerLoad): boolean {
    const then = Math.min(load, (this.#ownLoads.get(other.serverId) ?? load) + 1);
    const redirected = this.#counts.get(other.serverId) ?? 0;
    return isBetterFor({ serverId, load: then, weight }, { ...other, load: other.load + redirected });
  }

  /**
   * Whether a plain client has come back after it was sent away; if not, it is noted that it is now. Once back, it is
   * forgotten: several users behind one address may have one name (`anonymous`), and only every other of them is taken
   * for somebody who came back.
   */
  #isBack({ username, remoteHost }: Newcomer, nowMs: number): boolean {
    for (const [who, at] of this.#sentAt) {
      if (nowMs - at < REDIRECT_MEMORY_MS) break;
      this.#sentAt.delete(who);
    }
    const who = `${remoteHost} ${username}`;
    if (this.#sentAt.delete(who)) return true;
    this.#sentAt.set(who, nowMs);
    return false;
  }
}

/**
 * How many of its idle clients this server should hand to whom now; empty when the loads are even, or when `isStable`
 * is false: servers have come or gone only just. At most 5 % of its clients, rounded up, and never more than half of
 * what lies between the two servers.
 *
 * Every server plans for all of them, from the same announcements, and does its own part: so two with many clients do
 * not both fill up a third.
 */
export function clientsToMove(
  own: Share,
  others: readonly ServerLoad[],
  { isStable }: { readonly isStable: boolean },
): Handover[] {
  if (!isStable) return [];
  const shares = [own, ...others.filter(({ isLive }) => isLive)].map(({ serverId, load, weight }) => ({
    serverId,
    load,
    weight,
    mayMove: Math.min(Math.ceil(load * MOVED_PART), MAX_MOVED),
  }));
  const counts = new Map<string, number>();
  for (;;) {
    const to = shares.reduce((least, share) => compareNext(share, least) < 0 ? share : least);
    const givers = shares.filter((share) => share.mayMove > 0 && isBetterFor(share, to));
    if (givers.length === 0) break;
    const from = givers.reduce((most, share) => compareLoad(share, most) > 0 ? share : most);
    from.load--;
    from.mayMove--;
    to.load++;
    if (from.serverId === own.serverId) counts.set(to.serverId, (counts.get(to.serverId) ?? 0) + 1);
  }
  return others.flatMap((to) => {
    const count = counts.get(to.serverId);
    return count === undefined ? [] : [{ to, count }];
  });
}

/**
 * The servers to try when this one is gone, best first. `rotation`, any whole number from 0 on and another for each
 * client, spreads clients over the servers that are about equally loaded, so that not all of them come to the same one.
 */
export function backupOrder(others: readonly ServerLoad[], rotation: number): ServerLoad[] {
  const live = others.filter(({ isLive }) => isLive).toSorted(compareLoad);
  const order: ServerLoad[] = [];
  while (live.length > 0) {
    const least = live[0]!.load / live[0]!.weight;
    const limit = Math.max(least * (1 + ALIKE_PART), least + ALIKE_CLIENTS / live[0]!.weight);
    const count = live.findIndex(({ load, weight }) => load / weight >= limit);
    // By name within the group, so that the list does not change with every login.
    const alike = live.splice(0, count < 0 ? live.length : count).toSorted(compareName);
    const first = rotation % alike.length;
    order.push(...alike.slice(first), ...alike.slice(0, first));
  }
  return order;
}

/** Whether a client of `from` has it better on `to`, counting it there. */
function isBetterFor(from: Share, to: Share): boolean {
  // Multiplied instead of divided: whole numbers compare exactly.
  return (to.load + 1) * from.weight < from.load * to.weight;
}

/** Which of two is the less loaded. */
function compareLoad(a: Share, b: Share): number {
  return a.load * b.weight - b.load * a.weight || compareName(a, b);
}

/** Which of two would be the less loaded with one client more. */
function compareNext(a: Share, b: Share): number {
  return (a.load + 1) * b.weight - (b.load + 1) * a.weight || compareName(a, b);
}

function compareName(a: Share, b: Share): number {
  return a.serverId < b.serverId ? -1 : a.serverId > b.serverId ? 1 : 0;
}
