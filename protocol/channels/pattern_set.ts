/**
 * What one reader wants: a set of patterns, and whether a channel is among them. A look costs as much as the name has
 * levels, however many patterns there are. A set can have a limit: of what its patterns stand for, it is then only what
 * the limit allows. Pure.
 */

import { NO_CHANNEL, parentOf, readPattern } from "./channel_name.ts";

/** Which channels somebody may have. */
export interface ChannelLimit {
  /** The same for limits that allow the same. It has no line feed. */
  readonly key: string;
  /** Whether `channel` is allowed, or what has none where it is `NO_CHANNEL`. */
  allows(channel: string): boolean;
  /** Whether all that `pattern` stands for is allowed. */
  allowsAll(pattern: string): boolean;
}

const NONE: ReadonlySet<string> = new Set();

/** Patterns. Never changes. */
export class PatternSet {
  /** Each once, in the order of their units. */
  readonly patterns: readonly string[];
  /** The same for sets that stand for the same. */
  readonly key: string;
  /** What of the patterns is allowed; `undefined` where that is all of them. */
  readonly limit: ChannelLimit | undefined;
  /** The same, also where it takes nothing from these patterns. */
  readonly #given: ChannelLimit | undefined;
  readonly #names: ReadonlySet<string>;
  /** What patterns of a level, and of the rest, are below. */
  readonly #levels: ReadonlySet<string>;
  readonly #rests: ReadonlySet<string>;

  /** `patterns` are normal, and have no problem. Without a limit all of them is allowed. */
  constructor(patterns: Iterable<string>, limit?: ChannelLimit) {
    this.patterns = [...new Set(patterns)].sort();
    this.#given = limit;
    // A limit that takes nothing away is none: who may have all shares the buffers of those who are not limited.
    this.limit = this.patterns.every((pattern) => limit?.allowsAll(pattern) ?? true) ? undefined : limit;
    // No pattern has a control character. The empty pattern is another thing than none.
    const key = this.patterns.map((pattern) => `${pattern}\n`).join("");
    this.key = this.limit === undefined ? key : `${key}\n${this.limit.key}`;
    const read = this.patterns.map(readPattern);
    const basesOf = (kind: string) => {
      const bases = read.filter((pattern) => pattern.kind === kind).map(({ base }) => base);
      return bases.length === 0 ? NONE : new Set(bases);
    };
    this.#names = basesOf("name");
    this.#levels = basesOf("level");
    this.#rests = basesOf("rest");
  }

  /** Whether it stands for every channel, and for what has none. */
  get isEverything(): boolean {
    return this.limit === undefined && this.#rests.has("");
  }

  /** Whether one of the patterns stands for `channel`, or for what has none where it is `NO_CHANNEL`. */
  wants(channel: string): boolean {
    return this.#matches(channel) && (this.limit?.allows(channel) ?? true);
  }

  /** With these patterns, too. */
  with(patterns: Iterable<string>): PatternSet {
    return new PatternSet([...this.patterns, ...patterns], this.#given);
  }

  /** Without these patterns. What other patterns stand for stays. */
  without(patterns: Iterable<string>): PatternSet {
    const gone = new Set(patterns);
    return new PatternSet(this.patterns.filter((pattern) => !gone.has(pattern)), this.#given);
  }

  #matches(channel: string): boolean {
    if (this.#names.has(channel)) return true;
    if (this.#levels.size > 0) {
      const parent = parentOf(channel);
      if (parent !== undefined && this.#levels.has(parent)) return true;
    }
    if (this.#rests.size === 0) return false;
    for (let base: string | undefined = channel; base !== undefined; base = parentOf(base)) {
      if (this.#rests.has(base)) return true;
    }
    return false;
  }
}

/** What a client wants that says nothing of channels. */
export const WITHOUT_CHANNEL: PatternSet = new PatternSet([NO_CHANNEL]);
