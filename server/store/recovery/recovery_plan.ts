/**
 * Decides about a damaged log: which origins continue unchanged, and whether the server needs a new name. An origin
 * ends before its first missing entry if other servers have that entry and send it again. Never renumbers: missing
 * entries stay missing, and are named. Pure.
 */

import { sequenceOf, type Vector } from "../../../log/vector.ts";

/** Entries of one origin that are lost. */
export interface MissingEntries {
  readonly first: number;
  readonly last: number;
  /** Whether all of them were there. Where the index itself is lost, some may have been forgotten before. */
  readonly isCertain: boolean;
}

/** One origin, as it was found. */
export interface FoundOrigin {
  readonly origin: string;
  /** The newest entry that is whole; 0 when none is. */
  readonly last: number;
  /** In order. Entries behind `last` are included, if they are known. */
  readonly missing: readonly MissingEntries[];
  /** Whether it is known that nothing was behind the last entry that the index names. */
  readonly isEndKnown: boolean;
}

/** An origin, with its future. */
export interface RecoveredOrigin extends FoundOrigin {
  /**
   * Its entries are kept up to here, because other servers have all of them and send the rest again. `undefined` keeps
   * everything that is whole.
   */
  readonly cutAfter: number | undefined;
}

/** The decisions about a damaged log. */
export interface RecoveryPlan {
  readonly origins: readonly RecoveredOrigin[];
  /**
   * Whether this server may have given out numbers that nothing here tells of, or will get some of its numbers back
   * from others.
   */
  readonly needsNewName: boolean;
}

interface Track {
  readonly forgottenLast: number;
  last: number;
  /** The newest entry that is known at all. */
  known: number;
  /** Something between the last and the next found segment is unknown. */
  isUnsure: boolean;
  readonly missing: MissingEntries[];
}

/** Walks through a damaged log in the order of its positions. */
export class FoundLog {
  readonly #forgotten: ReadonlyMap<string, number>;
  readonly #tracks = new Map<string, Track>();
  #hasUnknown = false;

  /** `forgotten`: how far entries of an origin were forgotten properly, if it is readable. */
  constructor(forgotten: ReadonlyMap<string, number>) {
    this.#forgotten = forgotten;
  }

  /** These entries are whole. */
  whole(origin: string, first: number, last: number): void {
    const track = this.#gapBefore(origin, first);
    track.last = last;
    track.known = last;
  }

  /** These entries were there, and are not whole. */
  lost(origin: string, first: number, last: number): void {
    const track = this.#gapBefore(origin, first);
    track.missing.push({ first, last, isCertain: true });
    track.known = last;
  }

  /** Entries of any origins may have been here. */
  unknown(): void {
    this.#hasUnknown = true;
    for (const track of this.#tracks.values()) track.isUnsure = true;
  }

  /** All origins, by name. */
  get origins(): FoundOrigin[] {
    return [...this.#tracks].sort(([a], [b]) => a < b ? -1 : 1).map(([origin, { last, missing, isUnsure }]) => ({
      origin,
      last,
      missing: merged(missing),
      isEndKnown: !isUnsure,
    }));
  }

  #gapBefore(origin: string, first: number): Track {
    const track = this.#trackOf(origin);
    const from = Math.max(track.known, track.forgottenLast) + 1;
    // In other places, absent entries were forgotten properly, or were a hole before.
    if (track.isUnsure && first > from) track.missing.push({ first: from, last: first - 1, isCertain: false });
    track.isUnsure = false;
    return track;
  }

  #trackOf(origin: string): Track {
    const known = this.#tracks.get(origin);
    if (known !== undefined) return known;
    const forgottenLast = this.#forgotten.get(origin) ?? 0;
    const track = { forgottenLast, last: 0, known: 0, isUnsure: this.#hasUnknown, missing: [] };
    this.#tracks.set(origin, track);
    return track;
  }
}

/**
 * Plans for `origins`. `peers`: everything that other servers have of each origin; empty if none was asked. `serverId`:
 * the name of the server, if it is readable. `wasClosed`: whether the server was closed properly, so that nothing can
 * be missing from the database unseen.
 */
export function planRecovery(
  origins: readonly FoundOrigin[],
  { peers, serverId, wasClosed }: {
    readonly peers: Vector;
    readonly serverId: string | undefined;
    readonly wasClosed: boolean;
  },
): RecoveryPlan {
  const recovered = origins.map((found): RecoveredOrigin => {
    const { origin, last, missing } = found;
    const [hole] = missing;
    const newest = Math.max(last, ...missing.map((range) => range.last));
    const comesAgain = hole !== undefined && hole.first < last && sequenceOf(peers, origin) >= newest;
    return { ...found, cutAfter: comesAgain ? hole.first - 1 : undefined };
  });
  const own = recovered.find(({ origin }) => origin === serverId);
  const isEndWhole = own === undefined || own.missing.every((range) => range.last < own.last);
  const isProven = serverId !== undefined && wasClosed && (own?.isEndKnown ?? true) && isEndWhole;
  return { origins: recovered, needsNewName: !isProven || own?.cutAfter !== undefined };
}

/** Ranges that touch are one. */
function merged(ranges: readonly MissingEntries[]): MissingEntries[] {
  const all: MissingEntries[] = [];
  for (const range of ranges) {
    const before = all.at(-1);
    if (before === undefined || before.last + 1 !== range.first || before.isCertain !== range.isCertain) {
      all.push(range);
    } else all[all.length - 1] = { ...before, last: range.last };
  }
  return all;
}
