/**
 * Decides which other origins to ask which peer for. A linked server sends its own entries unasked. The other origins
 * have no link: their servers are gone, or only others can reach them. Each of these origins comes from one peer. Pure.
 */

import { sequenceOf, type Vector } from "../../log/vector.ts";

/** A peer that could send entries. */
export interface Source {
  readonly serverId: string;
  /** The entries that it has, as it said last. */
  readonly vector: Vector;
  /** Servers that it has a link to. */
  readonly linkedTo: ReadonlySet<string>;
}

/** The entries that the planner has of each origin. */
export interface Had {
  /** The newest entry, also of an origin that is forgotten as a whole. */
  lastOf(origin: string): number;
  /** The same for an origin that is forgotten as a whole; 0 for others. */
  buriedAt(origin: string): number;
  /** Whether the origin's server belongs to the network, as far as is known. It may send more at any time. */
  isMember(origin: string): boolean;
}

/**
 * For each peer: the origins that it should send, and how far this server has each of them. An origin comes from a peer
 * with a link to the origin's server, if there is one, as that peer has new entries first. Otherwise it comes from the
 * peer that has most of it. `own` is never wanted. An origin that is forgotten as a whole is wanted only if somebody
 * has more of it. The same holds for an origin whose server is gone, so ten thousand dead origins are not mentioned.
 * The peer of an origin does not change without need: `current` is the present plan. `moved` has the origins of which
 * sources have more since `current` was made. Without it all origins are looked at.
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
    // A server with a link to a peer may publish its first entry at any moment.
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
