/**
 * Whether a server gave out numbers that others have already, and from which one on. Then an old copy of its data was
 * put back, and the server began to number at one of its starts. Digests of its entries at those places tell it,
 * compared with another server's. Pure.
 */

/** Digests of entries of one origin, by their sequences. What is not kept has none. */
export type Digests = ReadonlyMap<number, string>;

/** What a server knows of its own origin. */
export interface OwnOrigin {
  /** Its newest entry. */
  readonly last: number;
  /** The entries that its starts began to number after, in any order. */
  readonly bases: readonly number[];
  readonly digests: Digests;
}

/** Starts of a server that are remembered. */
export const MAX_BASES = 16;

/**
 * Of which entries another server is asked: the newest one, those that starts began to number after, and the first one
 * of each start. Where one of two neighbours is not kept, the other one tells whether the histories parted there.
 */
export function comparedSequences({ last, bases }: Pick<OwnOrigin, "last" | "bases">): number[] {
  return [...new Set([last, ...bases, ...bases.map((base) => base + 1)])]
    .filter((sequence) => sequence > 0 && sequence <= last);
}

/**
 * The last entry that both have, where `theirs` has others under numbers of `own`; `undefined` where none is known
 * to differ. Of several places where they may have parted it is the first one: then more entries have two names,
 * and none is missing.
 */
export function forkOf({ last, bases, digests }: OwnOrigin, theirs: Digests): number | undefined {
  let same = 0;
  let different = Infinity;
  for (const [sequence, digest] of theirs) {
    const known = digests.get(sequence);
    if (known === undefined || sequence > last) continue;
    if (known === digest) same = Math.max(same, sequence);
    else different = Math.min(different, sequence);
  }
  if (different === Infinity) return undefined;
  const candidates = bases.filter((base) => base >= same && base < different);
  return candidates.length === 0 ? Math.min(same, different - 1) : Math.min(...candidates);
}
