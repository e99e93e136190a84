// @ts-check
/** How many activities passed in each of the last seconds: the beat of the network. Pure. */

/** Seconds that are shown. */
export const PULSE_SECONDS = 60;

/**
 * Activities by second, a second being `Math.floor(at / 1000)`.
 *
 * @typedef {ReadonlyMap<number, number>} Pulse
 */

/**
 * The pulse after `count` activities more. What is too old to be shown is forgotten.
 *
 * @param {Pulse} pulse
 * @param {number} at milliseconds since 1970
 * @param {number} count
 * @returns {Pulse}
 */
export function beat(pulse, at, count) {
  const second = Math.floor(at / 1_000);
  const next = new Map([...pulse].filter(([old]) => second - old <= PULSE_SECONDS));
  next.set(second, (next.get(second) ?? 0) + count);
  return next;
}

/**
 * The last seconds before `now`, oldest first; the one that is not over is left out.
 *
 * @param {Pulse} pulse
 * @param {number} now milliseconds since 1970
 * @returns {readonly number[]}
 */
export function seconds(pulse, now) {
  const last = Math.floor(now / 1_000) - 1;
  return Array.from({ length: PULSE_SECONDS }, (_, index) => pulse.get(last - PULSE_SECONDS + 1 + index) ?? 0);
}

/**
 * The pulse as the `d` of an SVG path: a bar a second, as far up as down, one unit apart and at most `height` high. A
 * second with nothing is a dot.
 *
 * @param {readonly number[]} counts
 * @param {number} height
 */
export function pulsePath(counts, height) {
  const most = Math.max(1, ...counts);
  return counts.map((count, index) => {
    // A single one among thousands is still to be seen.
    const half = count === 0 ? 0.01 : Math.max(1, Math.sqrt(count / most) * height / 2);
    return `M${index + 0.5} ${round(height / 2 - half)}V${round(height / 2 + half)}`;
  }).join("");
}

/** @param {number} value */
function round(value) {
  return Math.round(value * 100) / 100;
}
