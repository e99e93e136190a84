/**
 * Decides which server a client belongs to, so that all servers have about as many clients. Has the redirects at login,
 * the slow moving of idle clients, and the order in which clients try other servers when theirs fails. Pure. The
 * decisions use announcements, which are always a little old. One rule keeps clients from being sent to and fro: a
 * server sends a client only where the client is better off *after* it has moved.
 */

import { RecentMap } from "../../log/recent.ts";
import type { Endpoint } from "../../platform/address.ts";

/** A server and its load. */
export interface Share {
  readonly serverId: string;
  /** Clients that are logged in. */
  readonly load: number;
  /** A server of weight 2 is as busy with two clients as a server of weight 1 with one. */
  readonly weight: number;
}

/** Another server, as it was announced. */
export interface ServerLoad extends Share, Endpoint {
  /** Whether it answers: it is neither suspect nor dead. */
  readonly isLive: boolean;
}

/** A client that has just logged in. */
export interface Newcomer {
  readonly username: string;
  readonly remoteHost: string;
  /** The redirects that it followed to get here; `undefined` for a plain client, which cannot say. */
  readonly redirects: number | undefined;
  /**
   * It was logged in at another server. That server told it where to go, or failed, and its clients spread by
   * themselves.
   */
  readonly isReturning: boolean;
}

/** This many clients of this server should go to that server. */
export interface Handover {
  readonly to: ServerLoad;
  readonly count: number;
}

/** A client follows no more redirects than this. */
export const MAX_REDIRECTS = 3;
/**
 * How long this server knows which clients it has sent away. A client that is sent in a circle is back in well under a
 * second.
 */
export const REDIRECT_MEMORY_MS = 10_000;
/**
 * The number of redirected clients that a server remembers. Beyond that it forgets the oldest one. That costs the
 * client one more redirect at worst.
 */
const MAX_REMEMBERED = 10_000;
/** The part of its clients that a server moves at a time. */
const MOVED_PART = 0.05;
/** A server moves no more clients at a time. So a plan has a bound, whatever other servers announce. */
const MAX_MOVED = 500;
/** Servers whose loads differ by less than this part, or by less than `ALIKE_CLIENTS`, are about equally loaded. */
const ALIKE_PART = 0.1;
const ALIKE_CLIENTS = 2;

/**
 * The server where a client that has just logged in should go instead; `undefined` when it should stay. `own.load`
 * counts the client already. With equal weights the client goes to the server with the fewest clients, if that has at
 * least 2 fewer. `redirected` has the clients that were sent to each server and are not in its load yet.
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
 * The redirects of one server, and its own load at each announcement of another server. An announcement is a little
 * old. When the clients of a failed server come to two others at once, each of these sees the other one as empty, and
 * sends clients there. So the server compares loads of one moment: the other's announced load, and its own at that
 * time.
 */
export class RedirectBook {
  /** Clients sent to each server that its announced load does not have yet. */
  readonly #counts = new Map<string, number>();
  /** This server's load when each server announced its own. */
  readonly #ownLoads = new Map<string, number>();
  /** When each plain client was sent away, oldest first. */
  readonly #sentAt = new RecentMap<string, number>(MAX_REMEMBERED);

  /**
   * The server that `newcomer` is sent to, which is noted; `undefined` when it stays. `own.load` counts it already.
   * Time is monotonic.
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

  /** Whether a newcomer would have been better off at `other` when that server announced itself. */
  #wasBusierThan({ load, weight, serverId }: Share, other: ServerLoad): boolean {
    const then = Math.min(load, (this.#ownLoads.get(other.serverId) ?? load) + 1);
    const redirected = this.#counts.get(other.serverId) ?? 0;
    return isBetterFor({ serverId, load: then, weight }, { ...other, load: other.load + redirected });
  }

  /**
   * Whether a plain client has come back after it was sent away. If not, this notes that it is sent away now. A client
   * that is back is forgotten. Several users behind one address may have one name (`anonymous`), and so only every
   * other one of them is taken for a client that came back.
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
 * How many idle clients this server should hand to which servers now. Empty when the loads are even, or when `isStable`
 * is false because servers have just come or gone. A server moves at most 5 % of its clients, rounded up, and never
 * more than half of the difference between the two servers.
 *
 * Every server makes the plan of all servers, from the same announcements, and does its own part. So two full servers
 * do not both fill up a third one.
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
 * The servers to try when this one is gone, the best first. `rotation` is a whole number from 0 on, another one for
 * each client. It spreads clients over the servers that are about equally loaded.
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

/** Whether a client of `from` is better off at `to`, counted there. */
function isBetterFor(from: Share, to: Share): boolean {
  // A product instead of a quotient: whole numbers compare exactly.
  return (to.load + 1) * from.weight < from.load * to.weight;
}

/** Orders two servers by their load. */
function compareLoad(a: Share, b: Share): number {
  return a.load * b.weight - b.load * a.weight || compareName(a, b);
}

/** Orders two servers by their load with one more client. */
function compareNext(a: Share, b: Share): number {
  return (a.load + 1) * b.weight - (b.load + 1) * a.weight || compareName(a, b);
}

function compareName(a: Share, b: Share): number {
  return a.serverId < b.serverId ? -1 : a.serverId > b.serverId ? 1 : 0;
}
