/**
 * Decides about the files of the index: which of those that are found count, which positions of the log they leave out,
 * and which of them become one. Pure.
 */

/** The facts of a file that decide. */
export interface RunFacts {
  readonly serial: number;
  /** It has the ids of the entries after `from` and up to `to`. */
  readonly from: number;
  readonly to: number;
  readonly ids: number;
  /** The numbers of the files that it was made of. */
  readonly replaces: readonly number[];
}

/** Positions of the log: after `from` and up to `to`. */
export interface Positions {
  readonly from: number;
  readonly to: number;
}

/** What is done with the files that were found. */
export interface OpeningPlan<T> {
  /** Those that count, in the order of the log. */
  readonly live: readonly T[];
  /** Those that have become part of others. */
  readonly replaced: readonly T[];
  /** Those that name entries which the log has lost. */
  readonly beyond: readonly T[];
  /** Positions that no file is complete for, in order. The last ones lead up to the head. */
  readonly gaps: readonly Positions[];
}

/** At least so many files become one. */
const MERGED_RUNS = 4;

/** Plans for a log that is kept up to `head`. Up to `baseline` it is not read for ids. */
export function planOpening<T extends RunFacts>(found: readonly T[], baseline: number, head: number): OpeningPlan<T> {
  const beyond = found.filter(({ to }) => to > head);
  const kept = found.filter(({ to }) => to <= head);
  const madeNew = new Set(kept.flatMap(({ replaces }) => replaces));
  const isReplaced = ({ serial }: T) => madeNew.has(serial);
  const live = kept.filter((run) => !isReplaced(run)).sort(inOrder);
  const gaps: Positions[] = [];
  let complete = baseline;
  for (const { from, to } of [...live, { from: head, to: head }]) {
    if (from > complete) gaps.push({ from: complete, to: from });
    complete = Math.max(complete, to);
  }
  return { live, replaced: kept.filter(isReplaced), beyond, gaps };
}

/** In the order of the log. */
export function inOrder(a: Omit<RunFacts, "ids" | "replaces">, b: Omit<RunFacts, "ids" | "replaces">): number {
  return a.to - b.to || a.from - b.from || a.serial - b.serial;
}

/**
 * Which neighbours to merge, as a range of indexes; `undefined` if there are none. The largest of them is no larger
 * than the others together, so an id is written anew only when its file doubles: about as often as the logarithm of
 * their number says.
 */
export function planMerge(
  runs: readonly Pick<RunFacts, "ids">[],
): { readonly from: number; readonly to: number } | undefined {
  let best: { from: number; to: number; sum: number } | undefined;
  for (let from = 0; from + MERGED_RUNS <= runs.length; from++) {
    let [sum, largest] = [0, 0];
    for (let to = from; to < runs.length; to++) {
      // A file takes some bytes also without an id.
      const size = runs[to]!.ids + 1;
      sum += size;
      largest = Math.max(largest, size);
      const isWorth = to - from + 1 >= MERGED_RUNS && 2 * largest <= sum;
      if (isWorth && (best === undefined || sum < best.sum)) best = { from, to: to + 1, sum };
    }
  }
  return best && { from: best.from, to: best.to };
}
