/**
 * Holes: entries that a peer does not send, as it has forgotten them. Before a server believes a hole, it asks all
 * peers that say they have these entries, one after the other. It takes the hole when all of them claim it, or have had
 * their time. Of several holes it takes the smallest one. Pure: the time comes in.
 */

/** What to do about the hole of a peer. */
export type HoleDecision =
  | { readonly kind: "take" }
  /** Nothing that came is taken. This peer has to send from there on. */
  | { readonly kind: "ask"; readonly peer: string }
  /** Nothing that came is taken. A peer was asked already. */
  | { readonly kind: "wait" };

/** The facts about one hole. */
interface Hole {
  /** The log has everything up to here. */
  readonly has: number;
  readonly sinceMs: number;
  /** By peer: the entry with which it goes on. */
  readonly claims: Map<string, number>;
  asked: string | undefined;
  isOverdue: boolean;
}

/** The time for asking all others. */
const PATIENCE_MS = 5_000;
/** The number of holes that are asked about at once. Further ones are believed. */
const MAX_HOLES = 256;

/** The holes of one log that are not decided. */
export class Holes {
  readonly #holes = new Map<string, Hole>();

  /** The log has `origin` up to `has`, and `from` goes on with `first`. `others` say that they have more than `has`. */
  claimed(
    origin: string,
    has: number,
    first: number,
    from: string,
    others: readonly string[],
    nowMs: number,
  ): HoleDecision {
    const hole = this.#holeOf(origin, has, nowMs);
    if (hole === undefined) return { kind: "take" };
    const isAnswer = hole.asked === undefined || hole.asked === from || hole.isOverdue;
    hole.claims.set(from, Math.min(first, hole.claims.get(from) ?? first));
    if (!isAnswer && others.includes(hole.asked!)) return { kind: "wait" };
    const next = hole.isOverdue ? undefined : others.find((peer) => peer !== from && !hole.claims.has(peer));
    const best = bestOf(hole);
    if (next === undefined && (best === from || !others.includes(best))) {
      this.#holes.delete(origin);
      return { kind: "take" };
    }
    hole.asked = next ?? best;
    return { kind: "ask", peer: hole.asked };
  }

  /**
   * The log has `origin` up to `has`. The next entries that `from` has are not taken, as other ones belong there.
   * `others` say that they have more. Gives the peer to ask now, if one can have other entries.
   */
  refused(origin: string, has: number, from: string, others: readonly string[], nowMs: number): string | undefined {
    const hole = this.#holeOf(origin, has, nowMs);
    if (hole === undefined) return undefined;
    hole.claims.set(from, Infinity);
    const next = others.find((peer) => !hole.claims.has(peer));
    const best = bestOf(hole);
    const peer = next ?? (hole.claims.get(best)! < Infinity ? best : undefined);
    // It was asked already, and has its time.
    if (peer === undefined || peer === hole.asked) return undefined;
    return hole.asked = peer;
  }

  /** Whether `peer` has to send the missing entries of `origin`. */
  asks(origin: string, peer: string): boolean {
    return this.#holes.get(origin)?.asked === peer;
  }

  /** Whether lines of `from` belong behind a hole that others are asked about. */
  isAsking(origin: string, has: number, from: string): boolean {
    const hole = this.#holes.get(origin);
    return hole?.has === has && hole.claims.has(from) && hole.asked !== from;
  }

  /** A link is gone: its server claims nothing, and nobody waits for it. Gives the peers to ask now. */
  gone(peer: string): { readonly origin: string; readonly peer: string }[] {
    const again: { origin: string; peer: string }[] = [];
    for (const [origin, hole] of this.#holes) {
      hole.claims.delete(peer);
      if (hole.claims.size === 0) this.#holes.delete(origin);
      else if (hole.asked === peer) again.push({ origin, peer: hole.asked = bestOf(hole) });
    }
    return again;
  }

  /**
   * Called regularly. When the asked peers have had their time, gives the peer with the smallest hole. That hole is
   * taken.
   */
  overdue(nowMs: number, lastOf: (origin: string) => number): { readonly origin: string; readonly peer: string }[] {
    const again: { origin: string; peer: string }[] = [];
    for (const [origin, hole] of this.#holes) {
      if (lastOf(origin) !== hole.has) this.#holes.delete(origin);
      else if (!hole.isOverdue && nowMs - hole.sinceMs >= PATIENCE_MS) {
        hole.isOverdue = true;
        again.push({ origin, peer: hole.asked = bestOf(hole) });
      }
    }
    return again;
  }

  /** That after `has`, also when it is new; `undefined` when there are too many. */
  #holeOf(origin: string, has: number, nowMs: number): Hole | undefined {
    const known = this.#holes.get(origin);
    if (known?.has === has) return known;
    if (known === undefined && this.#holes.size >= MAX_HOLES) return undefined;
    const hole = { has, sinceMs: nowMs, claims: new Map(), asked: undefined, isOverdue: false };
    this.#holes.set(origin, hole);
    return hole;
  }
}

/** The peer that goes on with the lowest entry. */
function bestOf({ claims }: Hole): string {
  return [...claims].reduce((best, claim) => claim[1] < best[1] ? claim : best)[0];
}
