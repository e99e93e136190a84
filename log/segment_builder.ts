/**
 * Collects the entries of one turn of the event loop and makes segments of them. Each run of lines with one origin and
 * one audience becomes a segment, in the order of arrival. The bytes are made once, here, for the disk and for every
 * reader. Pure.
 */

import { type Audience, type EntryAudience, EVERYONE, type LineRange, type Position, type Segment } from "./segment.ts";
import { takeBack, type Vector } from "./vector.ts";

interface Run {
  readonly origin: string;
  /** Without its channels. */
  readonly audience: Audience;
  /**
   * Where lines of channels stand, from the beginning of the run on: those that are there, and those that are
   * forgotten. Absent while it has none.
   */
  channels?: Map<string, Range[]>;
  forgotten?: Map<string, Range[]>;
  readonly first: number;
  last: number;
  /** Where its lines stand among the bytes of the turn. */
  readonly from: number;
  to: number;
}

interface Range extends LineRange {
  end: number;
}

/** Longer runs are cut. So a reader that is behind never takes much more than this at once. */
const MAX_RUN_BYTES = 262_144;
/** The room for a turn, and how much of it is kept for the next one. */
const TURN_BYTES = 65_536;
const MAX_KEPT_BYTES = 1_048_576;
/** A UTF-16 unit takes at most so many bytes. */
const MAX_UNIT_BYTES = 3;
const NEWLINE = 0x0a;
const NOTHING = new Uint8Array(0);
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The unfinished end of the log. */
export class SegmentBuilder {
  readonly #last: Record<string, number>;
  /**
   * The last entries of origins that are forgotten as a whole. These entries are not in the log, and must not come
   * again.
   */
  readonly #buried: Map<string, number>;
  #runs: Run[] = [];
  /** The lines of the turn. Each segment gets a copy of its part, as this is written again in the next turn. */
  #bytes: Uint8Array = NOTHING;
  #length = 0;

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
  add(origin: string, sequence: number, audience: EntryAudience, line: string): void {
    const from = this.#length;
    const into = this.reserve(line.length * MAX_UNIT_BYTES);
    this.append(origin, sequence, audience, from + encoder.encodeInto(line, into.subarray(from)).written);
  }

  /** Where the next line begins. */
  get length(): number {
    return this.#length;
  }

  /** The bytes of the turn, with room for at least `room` more from `length` on. A line is written there. */
  reserve(room: number): Uint8Array {
    if (this.#bytes.length - this.#length < room) this.#grow(this.#length + room);
    return this.#bytes;
  }

  /** As `add`, of a line that was written from `length` up to `to`. */
  append(origin: string, sequence: number, entryAudience: EntryAudience, to: number): void {
    const from = this.#length;
    this.#length = to;
    // Lines of channels stay among the others: else a sender's activities would lose their order.
    const audience = entryAudience.kind === "channel" ? EVERYONE : entryAudience;
    let run = this.#runs[this.#runs.length - 1];
    if (
      run !== undefined && run.origin === origin && run.last + 1 === sequence && run.to - run.from < MAX_RUN_BYTES &&
      isSameAudience(run.audience, audience)
    ) {
      run.last = sequence;
      run.to = to;
    } else {
      run = { origin, audience, first: sequence, last: sequence, from, to };
      this.#runs.push(run);
    }
    if (entryAudience.kind === "channel") {
      const { name, isForgotten } = entryAudience;
      const lines = isForgotten ? run.forgotten ??= new Map() : run.channels ??= new Map();
      addRange(lines, name, from - run.from, to - run.from);
    }
    this.#last[origin] = sequence;
    if (this.#buried.size > 0) this.#buried.delete(origin);
  }

  /** The line of an entry that was added since the last `take`, without its end. */
  lineOf(origin: string, sequence: number): string | undefined {
    const run = this.#runs.find((run) => run.origin === origin && run.first <= sequence && sequence <= run.last);
    if (run === undefined) return undefined;
    let from = run.from;
    for (let skip = sequence - run.first; skip > 0; skip--) from = this.#bytes.indexOf(NEWLINE, from) + 1;
    return decoder.decode(this.#bytes.subarray(from, this.#bytes.indexOf(NEWLINE, from)));
  }

  /** The log has `origin` only up to `sequence`: nothing of it was added since `take`. */
  takeBack(origin: string, sequence: number): void {
    takeBack(this.#last, origin, sequence);
  }

  /** The entries that were added since the last call, as segments that follow `head`. */
  take(head: Position, takenAt: number): Segment[] {
    const runs = this.#runs;
    const bytes = this.#bytes;
    this.#runs = [];
    this.#length = 0;
    if (bytes.length > MAX_KEPT_BYTES) this.#bytes = NOTHING;
    return runs.map(({ origin, audience, channels, forgotten, first, last, from, to }, index) => ({
      position: head + 1 + index,
      origin,
      first,
      last,
      audience: channels === undefined && forgotten === undefined ? audience : audienceOf(channels, forgotten),
      takenAt,
      bytes: bytes.slice(from, to),
    }));
  }

  #grow(least: number): void {
    const grown = new Uint8Array(Math.max(least, this.#bytes.length * 2, TURN_BYTES));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

function addRange(channels: Map<string, Range[]>, channel: string, start: number, end: number): void {
  const ranges = channels.get(channel);
  const last = ranges?.at(-1);
  if (ranges === undefined) channels.set(channel, [{ start, end }]);
  else if (last!.end === start) last!.end = end;
  else ranges.push({ start, end });
}

type Ranges = ReadonlyMap<string, readonly LineRange[]>;

function audienceOf(channels: Ranges = new Map(), forgotten: Ranges = new Map()): Audience {
  return {
    kind: "channels",
    channels: [
      ...Array.from(channels, ([name, ranges]) => ({ name, ranges })),
      ...Array.from(forgotten, ([name, ranges]) => ({ name, ranges, isForgotten: true as const })),
    ],
  };
}

function isSameAudience(a: Audience, b: Audience): boolean {
  return a === b || (a.kind === b.kind && (a.kind !== "user" || a.username === (b as typeof a).username));
}
