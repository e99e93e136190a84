/**
 * How often one address may do something, where the operator has set a limit. `RateLimit` decides and has no
 * clock; `Rates` has one.
 */

import type { LimitsConfig } from "../../../config/config.ts";
import { RecentMap } from "../../../log/recent.ts";
import { networkOf } from "../../../platform/address.ts";
import type { Clock } from "../../../platform/clock.ts";
import type { Limit } from "../session.ts";
import type { MetricCounters } from "../../../view/metric_counters.ts";

/** Addresses that are remembered; beyond, the one that has been quiet for longest is forgotten. */
const MAX_KEYS = 10_000;
const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;

/** So many within a span, by whatever they are counted by: all at once, or one after the other. */
export class RateLimit {
  readonly #most: number;
  readonly #spanMs: number;
  /** How many are left, and when that was. Whoever asked longest ago is first. */
  readonly #keys: RecentMap<string, { readonly left: number; readonly at: number }>;

  constructor(most: number, spanMs: number, maxKeys = MAX_KEYS) {
    this.#most = most;
    this.#spanMs = spanMs;
    this.#keys = new RecentMap(maxKeys);
  }

  /** Keys that are remembered. */
  get size(): number {
    return this.#keys.size;
  }

  /** `key` does it once more. Gives 0, or how long it has to wait until it may. */
  take(key: string, nowMs: number): number {
    const known = this.#keys.get(key);
    const each = this.#spanMs / this.#most;
    const left = Math.min(this.#most, (known?.left ?? this.#most) + (nowMs - (known?.at ?? nowMs)) / each);
    this.#keys.renew(key, { left: left < 1 ? left : left - 1, at: nowMs });
    // Fractions are not exact; nobody waits for a millionth more.
    return left < 1 ? Math.max(1, Math.ceil((1 - left) * each - 1e-6)) : 0;
  }
}

/** The rates of one server. */
export class Rates {
  readonly #clock: Pick<Clock, "nowMs">;
  readonly #counters: MetricCounters;
  readonly #logins: RateLimit | undefined;
  readonly #registrations: RateLimit | undefined;

  constructor(limits: LimitsConfig, clock: Pick<Clock, "nowMs">, counters: MetricCounters) {
    const { maxLoginsPerSecondPerAddress: logins, maxRegistrationsPerHourPerAddress: registrations } = limits;
    this.#clock = clock;
    this.#counters = counters;
    if (logins > 0) this.#logins = new RateLimit(logins, SECOND_MS);
    if (registrations > 0) this.#registrations = new RateLimit(registrations, HOUR_MS);
  }

  /** Somebody tries to log in. Gives why not now. */
  login(remoteHost: string): Limit | undefined {
    return this.#take("logins", this.#logins, remoteHost);
  }

  /** Somebody tries to register. */
  registration(remoteHost: string): Limit | undefined {
    return this.#take("registrations", this.#registrations, remoteHost);
  }

  #take(what: "logins" | "registrations", rate: RateLimit | undefined, remoteHost: string): Limit | undefined {
    const retryAfterMs = rate?.take(networkOf(remoteHost), this.#clock.nowMs()) ?? 0;
    if (retryAfterMs === 0) return undefined;
    this.#counters.limited(what);
    return { info: `this address has reached its limit of ${what}`, retryAfterMs };
  }
}
