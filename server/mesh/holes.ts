/**
 * Holes: entries that a peer does not send, as it has forgotten them. Before one is believed, all others that have
 * these entries, by what they say, are asked for them, one after the other; it is taken as soon as all say the same, or
 * have had their time. Then the smallest one is, from whoever claims that. Pure: the time comes in.
 */

/** What to do about a hole that a peer claims. */
export type HoleDecision =
  | { readonly kind: "take" }
  /** Nothing of what came is taken; this peer is to send from there on. */
  | { readonly kind: "ask"; readonly peer: string }
  /** Nothing of what came is taken; somebody was asked already. */
  | { readonly kind: "wait" };

/** What is known of one hole. */
interface Hole {
  /** All up to here is in the log. */
  readonly has: number;
  readonly sinceMs: number;
  /** By peer: where it goes on. */
  readonly claims: Map<string, number>;
  asked: string | undefined;
  isOverdue: boolean;
}

/** How long others are asked in all. */
const PATIENCE_MS = 5_000;
/** Holes that are looked into at once; others are believed. */
const MAX_HOLES = 256;

/** The holes of one log that are not decided. */
export class Holes {
  readonly #holes = new Map<string, Hole>();

  /** `from` goes on with `first` of `origin` where `has` is in the log; `others` say that they have more than that. */
  claimed(
    origin: string,
    has: number,
    first: number,
    from: string,
    others: readonly string[],
    nowMs: number,
  ): HoleDecision {
    let hole = this.#holes.get(origin);
    if (hole === undefined || hole.has !== has) {
      if (hole === undefined && this.#holes.size >= MAX_HOLES) return { kind: "take" };
      hole = { has, sinceMs: nowMs, claims: new Map(), asked: undefined, isOverdue: false };
      this.#holes.set(origin, hole);
    }
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

  /** Whether `peer` is to send what is missing of `origin`. */
  asks(origin: string, peer: string): boolean {
    return this.#holes.get(origin)?.asked === peer;
  }

  /** Whether what came from `from` belongs behind a hole that others are asked about. */
  isAsking(origin: string, has: number, from: string): boolean {
    const hole = this.#holes.get(origin);
    return hole?.has === has && hole.claims.has(from) && hole.asked !== from;
  }

  /** A link is gone: its server claims nothing, and is not waited for. Gives who is to be asked now. */
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
   * Called regularly. Whoever was asked has had its time: gives who is to be asked for the smallest hole,
   * which is taken then.
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
}

/** Who goes on first. */
function bestOf({ claims }: Hole): string {
  return [...claims].reduce((best, claim) => claim[1] < best[1] ? claim : best)[0];
}
