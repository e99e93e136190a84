/** How often one address may do something, if the operator has set a limit. `RateLimit` decides, without a clock. */

import type { LimitsConfig } from "../../../config/config.ts";
import { RecentMap } from "../../../log/recent.ts";
import { networkOf } from "../../../platform/address.ts";
import type { Clock } from "../../../platform/clock.ts";
import type { Limit } from "../session_state.ts";
import type { MetricCounters } from "../../../view/metric_counters.ts";

/** Addresses that are remembered. Beyond this number, the address that was quiet for longest is forgotten. */
const MAX_KEYS = 10_000;
const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;

/** What an address may do only so often, with the key of its limit in the configuration. */
const RATES = {
  logins: { limit: "maxLoginsPerSecondPerAddress", spanMs: SECOND_MS },
  registrations: { limit: "maxRegistrationsPerHourPerAddress", spanMs: HOUR_MS },
} as const satisfies Readonly<Record<string, { readonly limit: keyof LimitsConfig; readonly spanMs: number }>>;
/** A key of these. */
export type RateName = keyof typeof RATES;
/** All of them. */
export const RATE_NAMES = Object.keys(RATES) as readonly RateName[];

/** So many (`most`) for each key within a span, all at once or one after the other. */
export class RateLimit {
  readonly most: number;
  readonly #spanMs: number;
  /** How many are left, and when this was. The key that asked longest ago is first. */
  readonly #keys: RecentMap<string, { readonly left: number; readonly at: number }>;

  constructor(most: number, spanMs: number, maxKeys = MAX_KEYS) {
    this.most = most;
    this.#spanMs = spanMs;
    this.#keys = new RecentMap(maxKeys);
  }

  /** Keys that are remembered. */
  get size(): number {
    return this.#keys.size;
  }

  /** `key` does it once more. Returns 0, or how long it has to wait, in milliseconds. */
  take(key: string, nowMs: number): number {
    const known = this.#keys.get(key);
    const each = this.#spanMs / this.most;
    const left = Math.min(this.most, (known?.left ?? this.most) + (nowMs - (known?.at ?? nowMs)) / each);
    this.#keys.renew(key, { left: left < 1 ? left : left - 1, at: nowMs });
    // Fractions are not exact, and nobody waits for a millionth.
    return left < 1 ? Math.max(1, Math.ceil((1 - left) * each - 1e-6)) : 0;
  }
}

/** The rates of one server. */
export class AddressRates {
  readonly #limits: Pick<LimitsConfig, (typeof RATES)[RateName]["limit"]>;
  readonly #clock: Pick<Clock, "nowMs">;
  readonly #counters: Pick<MetricCounters<RateName>, "limited">;
  readonly #rates = new Map<RateName, RateLimit>();

  /** `limits` are read each time: they may change. */
  constructor(
    limits: Pick<LimitsConfig, (typeof RATES)[RateName]["limit"]>,
    clock: Pick<Clock, "nowMs">,
    counters: Pick<MetricCounters<RateName>, "limited">,
  ) {
    this.#limits = limits;
    this.#clock = clock;
    this.#counters = counters;
  }

  /** Somebody at `remoteHost` tries `what`. Returns why not now, if so. */
  take(what: RateName, remoteHost: string): Limit | undefined {
    const retryAfterMs = this.#rateOf(what)?.take(networkOf(remoteHost), this.#clock.nowMs()) ?? 0;
    if (retryAfterMs === 0) return undefined;
    this.#counters.limited(what);
    return { info: `this address has reached its limit of ${what}`, retryAfterMs };
  }

  /** What is remembered of another limit does not count. */
  #rateOf(what: RateName): RateLimit | undefined {
    const { limit, spanMs } = RATES[what];
    const most = this.#limits[limit];
    if (most === 0) return undefined;
    let rate = this.#rates.get(what);
    if (rate?.most !== most) this.#rates.set(what, rate = new RateLimit(most, spanMs));
    return rate;
  }
}
