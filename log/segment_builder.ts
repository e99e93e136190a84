/**
 * Collects the entries of one turn of the event loop and makes segments of them: one for each run of lines with the same audience. Decides what
 * belongs together; the bytes are made once, here, for the disk and for every reader. Pure.
 */

import { type Audience, type Position, type Segment } from "./segment.ts";

interface Run {
  readonly audience: Audience;
  readonly first: number;
  last: number;
  text: string;
}

/** A longer run is cut, so that a reader that is behind never has to take more than about this at once, in UTF-16 units. */
const MAX_RUN_LENGTH = 262_144;
const encoder = new TextEncoder();

/** The unfinished end of one origin's log. */
export class SegmentBuilder {
  readonly #origin: string;
  #runs: Run[] = [];
  #last: number;

  /** Goes on after sequence `last` of `origin`. */
  constructor(origin: string, last: number) {
    this.#origin = origin;
    this.#last = last;
  }

  /** The sequence that the next entry has to carry. */
  get nextSequence(): number {
    return this.#last + 1;
  }

  /** Whether there is nothing to take. */
  get isEmpty(): boolean {
    return this.#runs.length === 0;
  }

  /** Adds the line of entry `nextSequence`, its end included. */
  add(audience: Audience, line: string): void {
    const sequence = ++this.#last;
    const run = this.#runs[this.#runs.length - 1];
    if (run !== undefined && run.text.length < MAX_RUN_LENGTH && isSameAudience(run.audience, audience)) {
      run.text += line;
      run.last = sequence;
    } else {
      this.#runs.push({ audience, first: sequence, last: sequence, text: line });
    }
  }

  /** What was added since the last call, as segments that follow `head`. */
  take(head: Position, takenAt: number): Segment[] {
    const runs = this.#runs;
    this.#runs = [];
    return runs.map(({ audience, first, last, text }, index) => ({
      position: head + 1 + index,
      origin: this.#origin,
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
