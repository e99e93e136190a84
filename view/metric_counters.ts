/** Counters of a server since its start, for its metrics. Nothing else depends on them. Pure. */

import { CLOSE_REASONS, type CloseReason } from "../protocol/close_reason.ts";
import type { Door } from "./network_view.ts";

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

  /** Adds a span, `times` times. */
  add(spanMs: number, times = 1): void {
    this.#count += times;
    this.#sumMs += spanMs * times;
    const bucket = BUCKETS_MS.findIndex((upToMs) => spanMs <= upToMs);
    if (bucket >= 0) this.#counts[bucket]! += times;
  }

  /** The counts so far. */
  get durations(): Durations {
    const buckets = BUCKETS_MS.map((upToMs, index) => ({ upToMs, count: this.#counts[index]! }));
    return { buckets, count: this.#count, sumMs: this.#sumMs };
  }
}

/** How a login ended: well, sent on to another server, or refused for one of the reasons of `LOGIN_FAILED`. */
export const LOGIN_RESULTS = [
  ...["success", "redirected", "UNKNOWN_USER", "WRONG_SECRET", "LOGGED_IN_ELSEWHERE", "TOO_MANY", "other"] as const,
];

/** One of them. */
export type LoginResult = (typeof LOGIN_RESULTS)[number];

const DOORS: readonly Door[] = ["tcp", "websocket", "grpc"];

/** The counters of one server. `Limit` has the names of its limits. */
export class MetricCounters<Limit extends string = string> {
  /** Connections that were accepted. */
  accepted = 0;
  /** With all reasons: a number that first appears as 1 shows no increase. */
  readonly closed = zeroOf(Object.keys(CLOSE_REASONS) as CloseReason[]);
  /** Logins, by door and by result. */
  readonly logins: Readonly<Record<Door, Record<LoginResult, number>>> = Object.fromEntries(
    DOORS.map((door) => [door, zeroOf(LOGIN_RESULTS)]),
  ) as Record<Door, Record<LoginResult, number>>;
  /** Clients that were told that entries are missing which nobody can give them. */
  gapsTold = 0;
  /** From taking an activity in to having written it to all readers that keep up. */
  readonly deliveries = new DurationCount();
  /** From taking an activity or a direct message in to the first other server that has stored it. */
  readonly replications = new DurationCount();
  /** How many were refused or sent away, by limit. */
  readonly refused: Record<Limit, number>;
  readonly clientHeartbeats: HeartbeatCounts = { sent: 0, unanswered: 0 };
  readonly serverHeartbeats: HeartbeatCounts = { sent: 0, unanswered: 0 };

  /** Metrics show a limit that nobody has reached, too, and show the limits in the order of `limits`. */
  constructor(limits: readonly Limit[]) {
    this.refused = zeroOf(limits);
  }

  /** A connection was refused or sent away because of this limit. */
  limited(limit: Limit): void {
    this.refused[limit]++;
  }

  /** A connection has ended. */
  ended(reason: CloseReason): void {
    this.closed[reason]++;
  }

  /** A login came to this end. `result` may be a reason of `LOGIN_FAILED` that is not counted apart. */
  login(door: Door, result: string | undefined): void {
    const known = LOGIN_RESULTS.find((name) => name === result) ?? "other";
    this.logins[door][known]++;
  }
}

function zeroOf<Name extends string>(names: readonly Name[]): Record<Name, number> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>;
}
