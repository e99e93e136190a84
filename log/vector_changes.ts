/**
 * Which origins of a vector have moved, and in which order: so that whoever was told the whole vector once is told only
 * what has changed since. Origins that stand still cost nothing here, however many there are.
 */

import { sequenceOf, type Vector } from "./vector.ts";

/** A moment in the life of a vector: how often it has moved by then. */
export type VectorMoment = number;

/** What has moved since the beginning. */
export class VectorChanges {
  readonly #movedAt = new Map<string, VectorMoment>();
  #moves: VectorMoment = 0;

  /** Now. */
  get moment(): VectorMoment {
    return this.#moves;
  }

  /** There is more of `origin`, or less. */
  moved(origin: string): void {
    this.#movedAt.set(origin, ++this.#moves);
  }

  /** The origin is not in the vector any more. */
  gone(origin: string): void {
    this.#movedAt.delete(origin);
  }

  /** The part of `vector` that has moved after `moment`. */
  since(moment: VectorMoment, vector: Vector): Record<string, number> {
    const changes: Record<string, number> = {};
    if (moment === this.#moves) return changes;
    for (const [origin, movedAt] of this.#movedAt) {
      if (movedAt > moment) changes[origin] = sequenceOf(vector, origin);
    }
    return changes;
  }
}
