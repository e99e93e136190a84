/**
 * Collects the entries of one turn of the event loop and makes segments of them: one for each run of lines of one origin and one audience, in the order in
 * which they came. Decides what belongs together; the bytes are made once, here, for the disk and for every reader. Pure.
 */

import { type Audience, type Position, type Segment } from "./segment.ts";
import { takeBack, type Vector } from "./vector.ts";

interface Run {
  readonly origin: string;
  readonly audience: Audience;
  readonly first: number;
  last: number;
  text: string;
}

/** A longer run is cut, so that a reader that is behind never has to take more than about this at once, in UTF-16 units. */
const MAX_RUN_LENGTH = 262_144;
const encoder = new TextEncoder();

/** The unfinished end of the log. */
export class SegmentBuilder {
  readonly #last: Record<string, number>;
  /** Origins that are forgotten whole, and their last entries: not in the log any more, but not to come again either. */
  readonly #buried: Map<string, number>;
  #runs: Run[] = [];

  /** Goes on after what `vector` has, and what is `buried`. */
  constructor(vector: Vector, buried: Vector = {}) {
    this.#last = { ...vector };
    this.#buried = new Map(Object.entries(buried));
  }

  /** What the log will have once everything that was added is in it. */
  get vector(): Vector {
    return this.#last;
  }

  /** The sequence of the newest entry of `origin`, be it in the log or about to be. */
  lastOf(origin: string): number {
    return Object.hasOwn(this.#last, origin) ? this.#last[origin]! : this.buriedAt(origin);
  }

  /** The last entry of an origin that is forgotten whole; 0 of others. */
  buriedAt(origin: string): number {
    return this.#buried.get(origin) ?? 0;
  }

  /** All that are. */
  get buried(): ReadonlyMap<string, number> {
    return this.#buried;
  }

  /** `origin` is forgotten whole, up to `sequence` at least: nothing of it was added since `take`. Gives up to where. */
  bury(origin: string, sequence: number): number {
    const last = Math.max(sequence, this.lastOf(origin));
    delete this.#last[origin];
    this.#buried.set(origin, last);
    return last;
  }

  /** Adds the line of an entry, its end included. What lies between the origin's newest entry and this one was forgotten elsewhere. */
  add(origin: string, sequence: number, audience: Audience, line: string): void {
    const run = this.#runs[this.#runs.length - 1];
    if (
      run !== undefined && run.origin === origin && run.last + 1 === sequence && run.text.length < MAX_RUN_LENGTH &&
      isSameAudience(run.audience, audience)
    ) {
      run.text += line;
      run.last = sequence;
    } else {
      this.#runs.push({ origin, audience, first: sequence, last: sequence, text: line });
    }
    this.#last[origin] = sequence;
    if (this.#buried.size > 0) this.#buried.delete(origin);
  }

  /** The log has `origin` only up to `sequence`: nothing of it was added since `take`. */
  takeBack(origin: string, sequence: number): void {
    takeBack(this.#last, origin, sequence);
  }

  /** What was added since the last call, as segments that follow `head`. */
  take(head: Position, takenAt: number): Segment[] {
    const runs = this.#runs;
    this.#runs = [];
    return runs.map(({ origin, audience, first, last, text }, index) => ({
      position: head + 1 + index,
      origin,
      first,
      last,
      audience,
      takenAt,
      bytes: encoder.encode(text),
    }));
  }
}

function isSameAudience(a: Audience, b: Audience): boolean {
  return a === b || (a.kind === b.kind && (a.kind !== "user" || a.username === (b as typeof a).username));
}
