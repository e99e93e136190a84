/** Guesses a mistyped word: the known word nearest to an unknown one. Pure. */

import { closestString } from "@std/text/closest-string";
import { levenshteinDistance } from "@std/text/levenshtein-distance";

/** The word of `known` that is near enough to `given` for a slip of the fingers, if there is one. */
export function nearest(given: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  const closest = closestString(given, known);
  // One slip in three letters: "prot" finds "port", and nothing finds "activityRetentionBytes" by chance.
  const slips = Math.max(1, Math.ceil(closest.length / 3));
  return levenshteinDistance(given.toLowerCase(), closest.toLowerCase()) <= slips ? closest : undefined;
}
