/**
 * The origins of a vector that have moved, in order. A server that was told the whole vector once is then told only the
 * changes. Origins that stand still cost nothing here, however many there are.
 */

import { sequenceOf, type Vector } from "./vector.ts";

/** A moment in the life of a vector: how often it has moved by then. */
export type VectorMoment = number;

/** The moves since the beginning. */
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

  /** The origin has left the vector. */
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
