/**
 * When to try again after a connection ended, or could not be made: soon when there is hope, else after a random part of a growing span
 * ("full jitter"), so that the many clients of a server that failed do not come back as one. Pure: the time and the chance come in.
 */

import type { ReconnectAdvice } from "../protocol/close_reason.ts";

/** How patient a client is. */
export interface ReconnectPolicy {
  /** The first span of which a random part is waited; it doubles with every round. */
  readonly minDelayMs: number;
  /** The span grows no further than this. */
  readonly maxDelayMs: number;
  /** The span of which a random part is waited when a connection was lost: all the others of its server are looking for one as well. */
  readonly spreadMs: number;
  /** A connection that lasted so long was a good one: after it, counting starts anew. */
  readonly stableAfterMs: number;
  /** How long to go on trying. `Infinity` never gives up. */
  readonly giveUpAfterMs: number;
}

/** What is remembered between attempts. */
export interface ReconnectState {
  /** Attempts that failed, and connections that did not last, one after the other. */
  readonly failures: number;
  /** When the trying began, in milliseconds of a monotonic clock. */
  readonly since: number | undefined;
}

/** A connection is over, or an attempt failed. */
export interface Ended {
  /** Now, in milliseconds of a monotonic clock. */
  readonly at: number;
  /** How long the client was logged in; 0 when it did not come to that. */
  readonly lastedMs: number;
  readonly advice: ReconnectAdvice;
  /** The server sent its clients away one by one: they are spread already. */
  readonly isOrderly: boolean;
  /** The server asked not to be called earlier. */
  readonly retryAfterMs: number;
  /** How many servers there are to try: all of them are tried once before anything is waited. */
  readonly servers: number;
  /** Evenly distributed from 0 up to but not including 1. */
  readonly chance: number;
}

/** What to do next. */
export type ReconnectDecision =
  | { readonly kind: "retry"; readonly delayMs: number }
  /** `"told"`: it would not help, or is not wanted. `"patience"`: it has taken too long. */
  | { readonly kind: "giveUp"; readonly because: "told" | "patience" };

/**
 * Soon back after a hiccup, and 10 s at most: those who wait are people, and one login a client in 10 s is no load. A second is enough for a server to take
 * in some hundreds of clients evenly, and as long as people do not mind.
 */
export const DEFAULT_RECONNECT: ReconnectPolicy = Object.freeze({
  minDelayMs: 100,
  maxDelayMs: 10_000,
  spreadMs: 1_000,
  stableAfterMs: 10_000,
  giveUpAfterMs: Infinity,
});

/** Nothing has failed so far. */
export const NO_FAILURES: ReconnectState = Object.freeze({ failures: 0, since: undefined });

/** What to remember after a connection that lasted `lastedMs`: a good one makes up for the failures before it. */
export function afterConnection(state: ReconnectState, lastedMs: number, policy: ReconnectPolicy): ReconnectState {
  return lastedMs >= policy.stableAfterMs ? NO_FAILURES : state;
}

/** What to do now that `ended` has happened, and what to remember. */
export function stepReconnect(
  state: ReconnectState,
  ended: Ended,
  policy: ReconnectPolicy,
): { readonly state: ReconnectState; readonly decision: ReconnectDecision } {
  const before = afterConnection(state, ended.lastedMs, policy);
  const since = before.since ?? ended.at;
  const next = { failures: before.failures + 1, since };
  if (ended.advice === "never") return { state: next, decision: { kind: "giveUp", because: "told" } };
  const spanMs = Math.max(spread(ended, policy), backoff(before.failures, ended, policy));
  const delayMs = ended.retryAfterMs + ended.chance * spanMs;
  return ended.at + delayMs - since > policy.giveUpAfterMs
    ? { state: next, decision: { kind: "giveUp", because: "patience" } }
    : { state: next, decision: { kind: "retry", delayMs } };
}

/** A server that is gone had many clients. One that ended a young connection, and is the only one there is, did that for this client alone. */
function spread({ lastedMs, servers, isOrderly }: Ended, { spreadMs, stableAfterMs }: ReconnectPolicy): number {
  if (servers > 1) return lastedMs > 0 && !isOrderly ? spreadMs : 0;
  return lastedMs >= stableAfterMs ? spreadMs : 0;
}

/** Who is told to back off has called the server that he would call next. */
function backoff(failures: number, { advice, servers }: Ended, { minDelayMs, maxDelayMs }: ReconnectPolicy): number {
  const calls = failures + (advice === "backoff" ? 1 : 0);
  const round = Math.floor(calls / Math.max(1, servers));
  return round === 0 ? 0 : Math.min(maxDelayMs, minDelayMs * 2 ** (round - 1));
}
