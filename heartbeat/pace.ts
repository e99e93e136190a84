/**
 * How finely time is looked at. Supervision wakes once per pulse for all connections, so everything happens a little late; these three numbers
 * are chosen so that all of that lateness together fits into the one interval that `longestSilenceMs` has to spare. Pure.
 *
 *     heard: up to a step · each of `count` heartbeats and the giving up: up to a step · spread: interval / 8 · reading: what is left
 *     (count + 2) × step + spread ≤ ¾ interval + ⅛ interval
 *
 * It holds for intervals of at least (count + 2) × 50 ms (250 ms for 3 heartbeats); below that, a dead peer may be found up to that much later.
 */

import type { LivenessConfig } from "./liveness.ts";

/** More often would be felt on an idle machine; less often than every quarter of a second would be felt by people. */
const SHORTEST_PULSE_MS = 20;
const LONGEST_PULSE_MS = 250;

/** A pulse may come half a pulse late before that is called a stall; on the shortest ones a busy machine is often later than that. */
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

/** The most that awake time advances between two looks at the clock. What takes longer was a stall. */
export function stepFor(pulseMs: number): number {
  return Math.max(LATE_PULSES * pulseMs, SHORTEST_STEP_MS);
}

/**
 * First heartbeats may go out this much late. Connections that fell silent at one moment (a burst of logins is enough) are spread over it,
 * so that their heartbeats and the answers come as a trickle.
 */
export function spreadFor(config: LivenessConfig): number {
  const spare = config.intervalMs - (config.count + 2) * stepFor(pulseFor(config));
  return Math.max(0, Math.min(spare, config.intervalMs / 8));
}

function clamp(pulseMs: number): number {
  return Math.min(LONGEST_PULSE_MS, Math.max(SHORTEST_PULSE_MS, Math.floor(pulseMs)));
}
