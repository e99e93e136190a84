/**
 * How finely supervision looks at time. It wakes once per pulse for all connections, so everything happens a little
 * late. These three numbers keep the sum of all lateness within the one spare interval of `longestSilenceMs`. Pure.
 *
 *     heard: up to a step · each of `count` heartbeats and the giving up: up to a step · spread: interval / 8 ·
 *     reading: what is left
 *     (count + 2) × step + spread ≤ ¾ interval + ⅛ interval
 *
 * This holds for intervals of at least (count + 2) × 50 ms (250 ms for 3 heartbeats). With shorter ones, a dead peer
 * may be found up to that much later.
 */

import type { LivenessConfig } from "./liveness.ts";

/** A shorter pulse would cost an idle machine too much. People would notice one above a quarter of a second. */
const SHORTEST_PULSE_MS = 20;
const LONGEST_PULSE_MS = 250;

/**
 * A pulse may come half a pulse late before the delay is called a stall. With very short pulses, a busy machine is
 * often later than that.
 */
const LATE_PULSES = 1.5;
const SHORTEST_STEP_MS = 50;

/** Time between two pulses that `config` needs: a tenth of the interval for 3 heartbeats, less for more. */
export function pulseFor(config: LivenessConfig): number {
  return clamp(config.intervalMs / (2 * (config.count + 2)));
}

/** Time between two pulses that a plain deadline needs: a tenth of it. */
export function pulseForDelay(delayMs: number): number {
  return clamp(delayMs / 10);
}

/** The most that awake time advances between two looks. A longer span was a stall. */
export function stepFor(pulseMs: number): number {
  return Math.max(LATE_PULSES * pulseMs, SHORTEST_STEP_MS);
}

/**
 * First heartbeats may go out this much late. Connections that fell silent at one moment (after a burst of logins) are
 * spread over it. So their heartbeats and answers come as a trickle.
 */
export function spreadFor(config: LivenessConfig): number {
  const spare = config.intervalMs - (config.count + 2) * stepFor(pulseFor(config));
  return Math.max(0, Math.min(spare, config.intervalMs / 8));
}

function clamp(pulseMs: number): number {
  return Math.min(LONGEST_PULSE_MS, Math.max(SHORTEST_PULSE_MS, Math.floor(pulseMs)));
}
