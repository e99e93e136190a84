/** Percentiles, medians and ratios of what was measured. Pure. */

/**
 * The smallest value that at least `percent` of `sorted` (ascending) do not exceed. 100 gives the maximum;
 * `NaN` for no values.
 */
export function percentile(sorted: ArrayLike<number>, percent: number): number {
  const rank = Math.max(1, Math.ceil(sorted.length * percent / 100));
  return sorted[rank - 1] ?? NaN;
}

/** The middle value, or the mean of the two middle ones; `NaN` for no values. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length / 2;
  return (percentile(sorted, 50) + (sorted[Math.floor(half)] ?? NaN)) / 2;
}

/**
 * The median of `values[i] / others[i]`: what was measured in one round, seconds apart, is compared with each
 * other, so that a machine that was slower for a while does not favour anyone. Rounds that one of the two does
 * not have are left out.
 */
export function medianRatio(
  values: readonly (number | undefined)[],
  others: readonly (number | undefined)[],
): number {
  const ratios = values.flatMap((value, round) => {
    const other = others[round];
    return value === undefined || other === undefined ? [] : [value / other];
  });
  return median(ratios);
}

/** The straight line through the first and the last point; constant for one, `NaN` for none. */
export function straightLine(points: readonly (readonly [number, number])[]): (at: number) => number {
  const [[x0, y0], [x1, y1]] = [points[0] ?? [NaN, NaN], points.at(-1) ?? [NaN, NaN]];
  const slope = x1 === x0 ? 0 : (y1 - y0) / (x1 - x0);
  return (at) => y0 + slope * (at - x0);
}
