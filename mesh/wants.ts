/**
 * Which other origins to ask which peer for. A server that is linked sends its own entries unasked; what is left are origins without a link: servers that are gone, or that only others
 * can reach. Each of these comes from one peer. Pure.
 */

import { sequenceOf, type Vector } from "../log/vector.ts";

/** A peer that could send. */
export interface Source {
  readonly serverId: string;
  /** What it has, as it said last. */
  readonly vector: Vector;
  /** Servers that it has a link to. */
  readonly linkedTo: ReadonlySet<string>;
}

/**
 * For each peer that is to send something: what, and how far it is had. From a peer that is linked to the origin's server, if there is one, as it has new entries first; else from the one
 * that has most. `own` is never wanted. Which peer it is does not change without need: `current` says from whom it comes now.
 */
export function planWants(
  own: string | undefined,
  has: Vector,
  sources: readonly Source[],
  current: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const plan = new Map<string, string>();
  const linked = new Set(sources.map(({ serverId }) => serverId));
  // A server that a peer is linked to may publish its first entry at any moment.
  const origins = new Set(sources.flatMap(({ vector, linkedTo }) => [...Object.keys(vector), ...linkedTo]));
  for (const origin of origins) {
    if (origin === own || linked.has(origin)) continue;
    const candidates = sources
      .filter(({ vector, linkedTo }) => linkedTo.has(origin) || sequenceOf(vector, origin) > 0)
      .map((source) => ({ source, rank: rankOf(source, origin) }));
    let best = candidates[0];
    for (const candidate of candidates) if (isBetter(candidate, best!)) best = candidate;
    const now = candidates.find(({ source }) => source.serverId === current.get(origin));
    if (best === undefined) continue;
    const keeps = now !== undefined && now.rank.isLinked === best.rank.isLinked &&
      (now.rank.has >= best.rank.has || now.rank.has > sequenceOf(has, origin));
    plan.set(origin, (keeps ? now : best).source.serverId);
  }
  return plan;
}

/** The part of a plan that concerns `peer`, as a WANT says it. */
export function wantedFrom(peer: string, plan: ReadonlyMap<string, string>, has: Vector): Vector {
  const wanted: Record<string, number> = {};
  for (const [origin, from] of plan) if (from === peer) wanted[origin] = sequenceOf(has, origin);
  return wanted;
}

interface Rank {
  readonly isLinked: boolean;
  readonly has: number;
}

function rankOf({ vector, linkedTo }: Source, origin: string): Rank {
  return { isLinked: linkedTo.has(origin), has: sequenceOf(vector, origin) };
}

function isBetter(a: { source: Source; rank: Rank }, b: { source: Source; rank: Rank }): boolean {
  if (a.rank.isLinked !== b.rank.isLinked) return a.rank.isLinked;
  if (a.rank.has !== b.rank.has) return a.rank.has > b.rank.has;
  return a.source.serverId < b.source.serverId;
}
