/**
 * Which other origins to ask which peer for. A server that is linked sends its own entries unasked; what is
 * left are origins without a link: servers that are gone, or that only others can reach. Each of these comes
 * from one peer. Pure.
 */

import { sequenceOf, type Vector } from "../../log/vector.ts";

/** A peer that could send. */
export interface Source {
  readonly serverId: string;
  /** What it has, as it said last. */
  readonly vector: Vector;
  /** Servers that it has a link to. */
  readonly linkedTo: ReadonlySet<string>;
}

/** How far the planner has each origin. */
export interface Had {
  /** Its newest entry, also of one that is forgotten whole. */
  lastOf(origin: string): number;
  /** The same, of one that is forgotten whole only; 0 of others. */
  buriedAt(origin: string): number;
  /** Whether the origin's server belongs to the network, as far as is known: there may be more of it at any time. */
  isMember(origin: string): boolean;
}

/**
 * For each peer that is to send something: what, and how far it is had. From a peer that is linked to the origin's
 * server, if there is one, as it has new entries first; else from the one that has most. `own` is never wanted, nor
 * what is forgotten whole, unless somebody has more of it; nor what nobody has more of, of a server that is gone: of
 * ten thousand dead origins nothing is said. Which peer it is does not change without need: `current` says from whom it
 * comes now. `moved` are the origins that sources have more of since `current` was made; without it all are looked at.
 */
export function planWants(
  own: string | undefined,
  had: Had,
  sources: readonly Source[],
  current: ReadonlyMap<string, string>,
  moved?: readonly string[],
): ReadonlyMap<string, string> {
  const linked = new Set(sources.map(({ serverId }) => serverId));
  const best = new Map<string, Candidate>();
  const now = new Map<string, Candidate>();
  const looked = moved === undefined ? undefined : new Set([...moved, ...current.keys()]);
  const consider = (origin: string, source: Source) => {
    if (origin === own || linked.has(origin)) return;
    const rank = rankOf(source, origin);
    if (!rank.isLinked && rank.has <= had.lastOf(origin) && (rank.has === 0 || !had.isMember(origin))) return;
    const candidate = { source, rank };
    const known = best.get(origin);
    if (known === undefined || isBetter(candidate, known)) best.set(origin, candidate);
    if (current.get(origin) === source.serverId) now.set(origin, candidate);
  };
  for (const source of sources) {
    for (const origin of looked ?? Object.keys(source.vector)) consider(origin, source);
    // A server that a peer is linked to may publish its first entry at any moment.
    for (const origin of source.linkedTo) consider(origin, source);
  }
  const plan = new Map<string, string>();
  for (const [origin, candidate] of best) {
    const { rank } = candidate;
    if (!rank.isLinked && rank.has <= had.buriedAt(origin)) continue;
    const keeps = now.get(origin);
    const isKept = keeps !== undefined && keeps.rank.isLinked === rank.isLinked &&
      (keeps.rank.has >= rank.has || keeps.rank.has > had.lastOf(origin));
    plan.set(origin, (isKept ? keeps : candidate).source.serverId);
  }
  return plan;
}

/** The part of a plan that concerns `peer`, as a WANT says it. */
export function wantedFrom(peer: string, plan: ReadonlyMap<string, string>, had: Pick<Had, "lastOf">): Vector {
  const wanted: Record<string, number> = {};
  for (const [origin, from] of plan) if (from === peer) wanted[origin] = had.lastOf(origin);
  return wanted;
}

interface Candidate {
  readonly source: Source;
  readonly rank: Rank;
}

interface Rank {
  readonly isLinked: boolean;
  readonly has: number;
}

function rankOf({ vector, linkedTo }: Source, origin: string): Rank {
  return { isLinked: linkedTo.has(origin), has: sequenceOf(vector, origin) };
}

function isBetter(a: Candidate, b: Candidate): boolean {
  if (a.rank.isLinked !== b.rank.isLinked) return a.rank.isLinked;
  if (a.rank.has !== b.rank.has) return a.rank.has > b.rank.has;
  return a.source.serverId < b.source.serverId;
}
