/**
 * When to try again after a connection ended, or could not be made: soon if there is hope, else after a random part of
 * a growing span ("full jitter"). So the many clients of a failed server do not come back at once. Pure: the caller
 * gives the time and the random number.
 */

import type { ReconnectAdvice } from "../../protocol/close_reason.ts";

/** How patient a client is. */
export interface ReconnectPolicy {
  /** The first span. The client waits for a random part of it; it doubles with every round. */
  readonly minDelayMs: number;
  /** The span grows no further than this. */
  readonly maxDelayMs: number;
  /**
   * The span after a lost connection; the client waits for a random part of it. All other clients of its server look
   * for a new one, too.
   */
  readonly spreadMs: number;
  /** After a connection that lasted this long, counting starts anew. */
  readonly stableAfterMs: number;
  /** How long to go on trying. `Infinity` never gives up. */
  readonly giveUpAfterMs: number;
}

/** The state between attempts. */
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
 * People wait, so the client comes back soon after a hiccup, and after 10 s at most. One login per client in 10 s is no
 * load. In a second, a server can take in some hundreds of clients evenly, and people do not mind a second.
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

/** The state after a connection that lasted `lastedMs`. A good connection makes up for earlier failures. */
export function afterConnection(state: ReconnectState, lastedMs: number, policy: ReconnectPolicy): ReconnectState {
  return lastedMs >= policy.stableAfterMs ? NO_FAILURES : state;
}

/** The next step after `ended`, and the new state. */
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

/** A lost server had many clients. A single server that ended a young connection did that for this client alone. */
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
