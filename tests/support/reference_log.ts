/**
 * The log of a store, done in the dumbest way: nothing is ever deleted, only marked, and every question is answered by
 * looking at all of it. What `tests/contract/store_contract.ts` compares the stores with.
 */

import { hasActivities, type Segment } from "../../log/segment.ts";
import { sequenceOf, type Vector } from "../../log/vector.ts";
import type { ForgetLimits, Forgotten, Gap, Missing } from "../../server/store/store.ts";

/** A log that one can trust. */
export class ReferenceLog {
  /** A hole is a forgotten segment at the position of the one that follows it. Nobody is told of one that is over. */
  readonly #all: { readonly segment: Segment; isForgotten: boolean; isOver: boolean }[] = [];

  get head(): number {
    return this.#all.at(-1)?.segment.position ?? 0;
  }

  get kept(): Segment[] {
    return this.#all.filter(({ isForgotten, isOver }) => !isForgotten && !isOver).map(({ segment }) => segment);
  }

  get vector(): Vector {
    return Object.fromEntries(this.#all.map(({ segment }) => [segment.origin, segment.last]));
  }

  push(segments: readonly Segment[]): void {
    for (const segment of segments) {
      const last = segment.first - 1;
      const before = sequenceOf(this.vector, segment.origin);
      if (last > before) {
        this.#all.push({ segment: { ...segment, first: before + 1, last }, isForgotten: true, isOver: false });
      }
      this.#all.push({ segment, isForgotten: false, isOver: false });
    }
  }

  missing(vector: Vector): Missing {
    const isMissing = (segment: Segment) => segment.last > sequenceOf(vector, segment.origin);
    const first = this.kept.find(isMissing);
    return {
      after: first === undefined ? this.head : first.position - 1,
      activities: this.#countActivities((segment, sequence) => sequence > sequenceOf(vector, segment.origin)),
      gaps: this.#gaps(isMissing, (origin) => sequenceOf(vector, origin) + 1),
    };
  }

  missingAfter(position: number): Missing {
    return {
      after: Math.min(position, this.head),
      activities: this.#countActivities((segment) => segment.position > position),
      gaps: this.#gaps((segment) => segment.position > position, (origin) => this.#lastRead(origin, position) + 1),
    };
  }

  forget({ takenBefore, maxBytes, directMessagesBefore }: ForgetLimits): Pick<Forgotten, "entries" | "upTo"> {
    this.#forgetForUsers(directMessagesBefore);
    const isActivities = ({ audience }: Segment) => hasActivities(audience);
    let entries = 0;
    let upTo = 0;
    for (const item of this.#all) {
      const { segment } = item;
      if (item.isForgotten || !isActivities(segment) || segment.last === this.vector[segment.origin]) continue;
      const bytes = this.kept.filter(isActivities).reduce((sum, { bytes }) => sum + bytes.length, 0);
      if (segment.takenAt >= takenBefore && bytes <= maxBytes) break;
      item.isForgotten = true;
      entries += segment.last - segment.first + 1;
      upTo = segment.position;
    }
    return { entries, upTo };
  }

  #forgetForUsers(takenBefore: number): void {
    for (const origin of Object.keys(this.vector)) {
      const forUsers = this.#all.filter(({ segment, isForgotten, isOver }) =>
        segment.origin === origin && segment.audience.kind === "user" && !isForgotten && !isOver
      );
      for (const item of forUsers) {
        if (item.segment.takenAt >= takenBefore || item.segment.last === this.vector[origin]) break;
        item.isOver = true;
      }
    }
  }

  #countActivities(counts: (segment: Segment, sequence: number) => boolean): number {
    let activities = 0;
    for (const segment of this.kept) {
      if (!hasActivities(segment.audience)) continue;
      for (let sequence = segment.first; sequence <= segment.last; sequence++) {
        if (counts(segment, sequence)) activities++;
      }
    }
    return activities;
  }

  /** How far somebody has got in the activities of `origin`, going by those that are kept. */
  #lastRead(origin: string, position: number): number {
    const read = this.kept.filter((segment) =>
      segment.origin === origin && segment.position <= position && hasActivities(segment.audience)
    );
    return read.at(-1)?.last ?? 0;
  }

  #gaps(isMissing: (segment: Segment) => boolean, firstOf: (origin: string) => number): Gap[] {
    const gaps = new Map<string, Gap>();
    for (const { segment, isForgotten } of this.#all) {
      const { origin, last } = segment;
      if (isForgotten && isMissing(segment)) gaps.set(origin, { origin, first: firstOf(origin), last });
    }
    return [...gaps.values()];
  }
}
