/** Counters of a server since its start, for its metrics. Nothing else depends on them. Pure. */

import type { CloseReason } from "../protocol/close_reason.ts";

/** Time spans, sorted into buckets. */
export interface Durations {
  /**
   * By their upper ends in milliseconds, ascending. Each counts the spans above the bucket before and up to its own
   * end.
   */
  readonly buckets: readonly { readonly upToMs: number; readonly count: number }[];
  /** All spans, with those above the last bucket. */
  readonly count: number;
  readonly sumMs: number;
}

/** Heartbeats to one kind of peer. */
export interface HeartbeatCounts {
  sent: number;
  unanswered: number;
}

/** Upper ends of the buckets: from a commit that never waited for the disk to a commit that every user noticed. */
const BUCKETS_MS = [0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500];

/** Counts spans. */
export class DurationCount {
  readonly #counts = BUCKETS_MS.map(() => 0);
  #count = 0;
  #sumMs = 0;

  add(spanMs: number): void {
    this.#count++;
    this.#sumMs += spanMs;
    const bucket = BUCKETS_MS.findIndex((upToMs) => spanMs <= upToMs);
    if (bucket >= 0) this.#counts[bucket]!++;
  }

  /** The counts so far. */
  get durations(): Durations {
    const buckets = BUCKETS_MS.map((upToMs, index) => ({ upToMs, count: this.#counts[index]! }));
    return { buckets, count: this.#count, sumMs: this.#sumMs };
  }
}

/** The counters of one server. `Limit` has the names of its limits. */
export class MetricCounters<Limit extends string = string> {
  /** Connections that were accepted. */
  accepted = 0;
  readonly closed: { [Reason in CloseReason]?: number } = {};
  /** How many were refused or sent away, by limit. */
  readonly refused: Record<Limit, number>;
  readonly clientHeartbeats: HeartbeatCounts = { sent: 0, unanswered: 0 };
  readonly serverHeartbeats: HeartbeatCounts = { sent: 0, unanswered: 0 };

  /** Metrics show a limit that nobody has reached, too, and show the limits in the order of `limits`. */
  constructor(limits: readonly Limit[]) {
    this.refused = Object.fromEntries(limits.map((limit) => [limit, 0])) as Record<Limit, number>;
  }

  /** A connection was refused or sent away because of this limit. */
  limited(limit: Limit): void {
    this.refused[limit]++;
  }

  /** A connection has ended. */
  ended(reason: CloseReason): void {
    this.closed[reason] = (this.closed[reason] ?? 0) + 1;
  }
}
