/**
 * Sends newcomers on to servers with fewer clients, and moves idle clients there slowly. Tells clients where to go when
 * this server is gone. `balance.ts` decides.
 */

import { getLogger } from "@logtape/logtape";
import type { ClusterConfig } from "../../config/config.ts";
import { backupOrder, clientsToMove, RedirectBook, type ServerLoad } from "./balance.ts";
import type { Member } from "../backplane/member.ts";
import type { Clock, Timer } from "../../platform/clock.ts";
import type { LoginMessage } from "../../protocol/message.ts";
import type { ClientSession, Sessions } from "../hub/sessions.ts";

/** What the balancer needs of its node. */
export interface BalancerParts {
  /** This server. It can get another name. */
  readonly named: { readonly serverId: string };
  readonly cluster: ClusterConfig;
  readonly clock: Clock;
  readonly sessions: Sessions;
  members(): readonly Member[];
  /** Tells the other servers soon how many clients this server has. */
  announceSoon(): void;
  /** From 0 up to but not including 1. */
  chance(): number;
}

/**
 * The time between two looks for clients to move. Half of it is random, so that servers do not act at once. Clients
 * that were moved are announced by then.
 */
const REBALANCE_MS = 3_000;
/**
 * Servers have to be linked for this long before clients are moved. After a failure clients find their servers by
 * themselves.
 */
const STABLE_MS = 5_000;
const logger = getLogger(["thrum", "balance"]);

/** The balance of one server with the others. */
export class Balancer {
  readonly #parts: BalancerParts;
  readonly #book = new RedirectBook();
  #timer: Timer | undefined;
  #told = "";
  /** The load of each server that was answered last. Otherwise two servers would answer each other for ever. */
  readonly #answered = new Map<string, number>();
  #rotation = 0;
  /** Clients handed to each server since it announced its load. */
  readonly #handedTo = new Map<string, number>();

  constructor(parts: BalancerParts) {
    this.#parts = parts;
  }

  start(): void {
    if (this.#parts.cluster.rebalance) this.#rebalanceLater();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** The server that a client is sent to instead of being let in. */
  redirectFor(login: LoginMessage, isPlain: boolean, remoteHost: string): ServerLoad | undefined {
    const servers = this.#servers();
    if (servers.length === 0) return undefined;
    const { sessions, named: { serverId }, cluster, clock } = this.#parts;
    const own = { serverId, load: sessions.load + 1, weight: cluster.weight };
    const newcomer = {
      username: login.username,
      remoteHost,
      redirects: isPlain ? undefined : login.redirects,
      isReturning: login.redirects > 0 || login.resume !== undefined || login.ticket !== undefined,
    };
    return this.#book.redirect(own, servers, newcomer, clock.nowMs());
  }

  /** Members have changed, or one announced its load. */
  membersChanged(announced: string | undefined): void {
    if (announced !== undefined) {
      this.#compare(announced);
      this.#handedTo.delete(announced);
    }
    const servers = this.#servers().filter(({ isLive }) => isLive);
    const names = servers.map(({ serverId, host, port }) => `${serverId} ${host} ${port}`).sort().join();
    if (names === this.#told) return;
    this.#told = names;
    for (const session of this.#parts.sessions) if (session.canResume) this.#tellBackups(session, servers);
  }

  /**
   * A server said how many clients it has. If this server has many more or fewer, it tells its own number soon.
   */
  #compare(serverId: string): void {
    const { sessions, members, announceSoon } = this.#parts;
    this.#book.announced(serverId, sessions.load);
    const load = members().find((member) => member.serverId === serverId)?.load ?? 0;
    if (Math.abs(load - sessions.load) >= 2 && load !== this.#answered.get(serverId)) announceSoon();
    this.#answered.set(serverId, load);
  }

  /** A client has just logged in. */
  begin(session: ClientSession): void {
    if (session.canResume && this.#told !== "") this.#tellBackups(session, this.#servers());
  }

  #tellBackups(session: ClientSession, servers: readonly ServerLoad[]): void {
    const backups = backupOrder(servers, this.#rotation++);
    session.sendBackups(backups.map(({ serverId, host, port }) => ({ serverId, host, port })));
  }

  /** Whether there is another server that takes clients. */
  get hasOthers(): boolean {
    return this.#servers().some(({ isLive }) => isLive);
  }

  /**
   * The server with the most room for one more client of this server, which is about to stop. Counts it as sent there.
   */
  nextTarget(): ServerLoad | undefined {
    const roomOf = ({ serverId, load, weight }: ServerLoad) => (load + (this.#handedTo.get(serverId) ?? 0)) / weight;
    const [target] = this.#servers().filter(({ isLive }) => isLive).sort((one, other) => roomOf(one) - roomOf(other));
    if (target !== undefined) this.#handedTo.set(target.serverId, (this.#handedTo.get(target.serverId) ?? 0) + 1);
    return target;
  }

  #rebalanceLater(): void {
    const delayMs = REBALANCE_MS / 2 + this.#parts.chance() * REBALANCE_MS / 2;
    this.#timer = this.#parts.clock.after(delayMs, () => {
      try {
        this.#rebalance();
      } finally {
        this.#rebalanceLater();
      }
    });
  }

  #rebalance(): void {
    const { sessions, named: { serverId }, cluster, clock, members } = this.#parts;
    const nowMs = clock.nowMs();
    const isStable = members().every(({ state, sinceMs }) => state !== "suspect" && nowMs - sinceMs >= STABLE_MS);
    const own = { serverId, load: sessions.load, weight: cluster.weight };
    for (const { to, count } of clientsToMove(own, this.#servers(), { isStable })) {
      let left = count;
      for (const session of sessions) {
        if (left === 0) break;
        if (!session.canBeMoved(nowMs)) continue;
        left--;
        session.redirect(to);
      }
      if (left < count) {
        logger.info("moved clients to {serverId}: {count}", { count: count - left, serverId: to.serverId });
      }
    }
  }

  #servers(): ServerLoad[] {
    return this.#parts.members().map(({ serverId, host, port, load, weight, online, state }) => ({
      serverId,
      host,
      port,
      load,
      weight,
      isLive: state === "linked" && online,
    }));
  }
}
