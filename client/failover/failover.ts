/**
 * Where and when a client without a connection goes: to a backup of its lost server, to the target of a redirect, or
 * once more to a server that did not answer. Decides with `server_list.ts` and `reconnect.ts`, and remembers. The
 * caller gives the time and the random numbers.
 */

import type { Endpoint } from "../../platform/address.ts";
import { CLOSE_REASONS } from "../../protocol/close_reason.ts";
import type { WireServer } from "../../protocol/message.ts";
import {
  afterConnection,
  DEFAULT_RECONNECT,
  type Ended,
  NO_FAILURES,
  type ReconnectPolicy,
  type ReconnectState,
  stepReconnect,
} from "./reconnect.ts";
import {
  nextBest,
  nextServer,
  redirected,
  serverCount,
  type ServerList,
  serverList,
  withBackups,
} from "./server_list.ts";
import type { SessionEnd } from "../session.ts";

/** When something happens to a client, and its luck. */
export interface Moment {
  /** Milliseconds of a monotonic clock. */
  readonly at: number;
  /** Evenly distributed from 0 up to but not including 1. */
  readonly chance: number;
}

/** The end of a connection that nobody wanted and that is no refusal. */
export type BrokenEnd = Extract<SessionEnd, { kind: "lost" | "endedByServer" }>;

/** The end of a connection, as far as it matters for coming back. */
type Farewell = Pick<Ended, "advice" | "retryAfterMs" | "isOrderly">;

/** The next step: call `Failover.server` after `delayMs`, or stop. */
export type NextCall = { readonly kind: "call"; readonly delayMs: number } | { readonly kind: "giveUp" };

/** A network of servers keeps a client after 3; more means that they send it in circles. */
export const MAX_REDIRECTS = 5;
/**
 * How many servers in a row may not know a user that one of them knew, before the client believes them. A server that
 * has just joined learns of the user a moment later.
 */
const MAX_DOUBTS = 5;
const AT_ONCE: NextCall = Object.freeze({ kind: "call", delayMs: 0 });
/** Nothing was said. */
const UNREACHABLE: Farewell = Object.freeze({ advice: "backoff", retryAfterMs: 0, isOrderly: false });

/** Keeps the servers that a client knows, and how it went with them. */
export class Failover {
  readonly #policy: ReconnectPolicy;
  readonly #comesBack: boolean;
  #servers: ServerList;
  #state: ReconnectState = NO_FAILURES;
  #redirects = 0;
  #doubts = 0;
  /** Since when the client is logged in, while it is. */
  #openedAt: number | undefined;
  #hasBeenOpen = false;

  /** Begins with the first of `servers`. `reconnect` is as in `ConnectOptions`. */
  constructor(
    servers: readonly [Endpoint, ...Endpoint[]],
    reconnect: false | Partial<ReconnectPolicy> | undefined,
  ) {
    this.#servers = serverList(...servers);
    this.#policy = { ...DEFAULT_RECONNECT, ...reconnect || {} };
    this.#comesBack = reconnect !== false;
  }

  /** The server to call, or that was called last. */
  get server(): Endpoint {
    return this.#servers.current;
  }

  /** Redirects that the client followed since it last had to find a server by itself. */
  get redirects(): number {
    return this.#redirects;
  }

  /**
   * The server `serverId` names others of its network; they replace all former backups. Returns the ones that are
   * taken.
   */
  backups(servers: readonly WireServer[], serverId: string | undefined): readonly Endpoint[] {
    const others = servers.filter((server) => server.serverId !== serverId).map(({ host, port }) => ({ host, port }));
    this.#servers = withBackups(this.#servers, others);
    return others;
  }

  /** The client is logged in. */
  opened(at: number): void {
    this.#openedAt = at;
    this.#hasBeenOpen = true;
    this.#doubts = 0;
  }

  /** The server could not be reached. */
  unreachable(now: Moment): NextCall {
    return this.#again(now, 0, UNREACHABLE, nextServer(this.#servers));
  }

  /**
   * The server refuses the login. A client that was logged in before may try on. If another server knew the user, this
   * one may learn of them. If the user may log in only once, the refusal lasts until the lost connection is noticed.
   */
  refused(now: Moment, reason: string | undefined): NextCall {
    const isDoubted = reason === "UNKNOWN_USER" && serverCount(this.#servers) > 1 && this.#doubts < MAX_DOUBTS;
    if (!this.#hasBeenOpen || !(isDoubted || reason === "LOGGED_IN_ELSEWHERE")) return { kind: "giveUp" };
    if (isDoubted) this.#doubts++;
    this.#closed(now);
    return this.unreachable(now);
  }

  /** The connection is over, before the client was logged in or after it. */
  lost(now: Moment, end: BrokenEnd): NextCall {
    const lastedMs = this.#closed(now);
    if (lastedMs === undefined) return this.#again(now, 0, farewellOf(end), nextServer(this.#servers));
    this.#redirects = 0;
    return this.#again(now, lastedMs, farewellOf(end), nextBest(this.#servers));
  }

  /** The server named another one. That is no failure, unless it is done again and again. */
  redirected(now: Moment, server: Endpoint): NextCall {
    const lastedMs = this.#closed(now) ?? 0;
    this.#state = afterConnection(this.#state, lastedMs, this.#policy);
    if (lastedMs >= this.#policy.stableAfterMs) this.#redirects = 0;
    const servers = redirected(this.#servers, server);
    if (++this.#redirects > MAX_REDIRECTS) {
      if (!this.#hasBeenOpen) return { kind: "giveUp" };
      this.#redirects = 0;
      // They all answer: there is none left to try before it waits.
      return this.#again(now, 0, UNREACHABLE, servers, 1);
    }
    this.#servers = servers;
    // A server has answered, and may do so again when the other one does not.
    if (!this.#hasBeenOpen) this.#state = NO_FAILURES;
    return AT_ONCE;
  }

  /** Returns how long the client was logged in, if it was. */
  #closed({ at }: Moment): number | undefined {
    const lastedMs = this.#openedAt === undefined ? undefined : at - this.#openedAt;
    this.#openedAt = undefined;
    return lastedMs;
  }

  /** The current server failed, and it is the turn of that of `next`. */
  #again(
    { at, chance }: Moment,
    lastedMs: number,
    farewell: Farewell,
    next: ServerList,
    servers = serverCount(this.#servers),
  ): NextCall {
    this.#servers = next;
    const { state, decision } = stepReconnect(
      this.#state,
      { at, chance, lastedMs, servers, ...farewell },
      this.#policy,
    );
    this.#state = state;
    // Who has never been logged in is told at once, after each server was tried.
    const isHopeless = this.#hasBeenOpen ? !this.#comesBack : state.failures >= servers;
    return isHopeless || decision.kind === "giveUp" ? { kind: "giveUp" } : { kind: "call", delayMs: decision.delayMs };
  }
}

function farewellOf(end: BrokenEnd): Farewell {
  if (end.kind === "endedByServer") {
    const { advice, retryAfterMs, reason } = end;
    return { advice, retryAfterMs, isOrderly: reason === "SERVER_STOPPING" && advice === "now" };
  }
  // A program that is no server now may be a server again later.
  const advice = end.reason === "INVALID_MESSAGE" ? "backoff" : CLOSE_REASONS[end.reason].reconnect;
  return { advice, retryAfterMs: 0, isOrderly: false };
}
