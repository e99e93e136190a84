/**
 * Collects the entries of one turn of the event loop and makes segments of them. Each run of lines with one origin and
 * one audience becomes a segment, in the order of arrival. The bytes are made once, here, for the disk and for every
 * reader. Pure.
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

/** Longer runs are cut, in UTF-16 units. So a reader that is behind never takes much more than this at once. */
const MAX_RUN_LENGTH = 262_144;
const encoder = new TextEncoder();

/** The unfinished end of the log. */
export class SegmentBuilder {
  readonly #last: Record<string, number>;
  /**
   * The last entries of origins that are forgotten as a whole. These entries are not in the log, and must not come
   * again.
   */
  readonly #buried: Map<string, number>;
  #runs: Run[] = [];

  /** Goes on after `vector` and `buried`. */
  constructor(vector: Vector, buried: Vector = {}) {
    this.#last = { ...vector };
    this.#buried = new Map(Object.entries(buried));
  }

  /** The vector of the log, with everything that was added. */
  get vector(): Vector {
    return this.#last;
  }

  /** The sequence of the newest entry of `origin`, also if it was added and is not in the log yet. */
  lastOf(origin: string): number {
    return Object.hasOwn(this.#last, origin) ? this.#last[origin]! : this.buriedAt(origin);
  }

  /** The last entry of a forgotten origin; 0 for other origins. */
  buriedAt(origin: string): number {
    return this.#buried.get(origin) ?? 0;
  }

  /** The last entries of all forgotten origins. */
  get buried(): ReadonlyMap<string, number> {
    return this.#buried;
  }

  /**
   * Forgets `origin` as a whole, at least up to `sequence`. Nothing of it was added since `take`. Gives the last entry
   * that is forgotten.
   */
  bury(origin: string, sequence: number): number {
    const last = Math.max(sequence, this.lastOf(origin));
    delete this.#last[origin];
    this.#buried.set(origin, last);
    return last;
  }

  /**
   * Adds the line of an entry with its end. Entries between the origin's newest one and this one were forgotten
   * elsewhere.
   */
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

  /** The line of an entry that was added since the last `take`, without its end. */
  lineOf(origin: string, sequence: number): string | undefined {
    const run = this.#runs.find((run) => run.origin === origin && run.first <= sequence && sequence <= run.last);
    return run?.text.split("\n", sequence - run.first + 1).at(-1);
  }

  /** The log has `origin` only up to `sequence`: nothing of it was added since `take`. */
  takeBack(origin: string, sequence: number): void {
    takeBack(this.#last, origin, sequence);
  }

  /** The entries that were added since the last call, as segments that follow `head`. */
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
