/**
 * What one reader wants: a set of patterns, and whether a channel is among them. A look costs as much as the name has
 * levels, however many patterns there are. Pure.
 */

import { NO_CHANNEL, parentOf, readPattern } from "./channel_name.ts";

const NONE: ReadonlySet<string> = new Set();

/** Patterns. Never changes. */
export class PatternSet {
  /** Each once, in the order of their units. */
  readonly patterns: readonly string[];
  /** The same for equal sets. */
  readonly key: string;
  readonly #names: ReadonlySet<string>;
  /** What patterns of a level, and of the rest, are below. */
  readonly #levels: ReadonlySet<string>;
  readonly #rests: ReadonlySet<string>;

  /** `patterns` are normal, and have no problem. */
  constructor(patterns: Iterable<string>) {
    this.patterns = [...new Set(patterns)].sort();
    // No pattern has a control character. The empty pattern is another thing than none.
    this.key = this.patterns.map((pattern) => `${pattern}\n`).join("");
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
    return this.#rests.has("");
  }

  /** Whether one of the patterns stands for `channel`, or for what has none where it is `NO_CHANNEL`. */
  wants(channel: string): boolean {
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

  /** With these patterns, too. */
  with(patterns: Iterable<string>): PatternSet {
    return new PatternSet([...this.patterns, ...patterns]);
  }

  /** Without these patterns. What other patterns stand for stays. */
  without(patterns: Iterable<string>): PatternSet {
    const gone = new Set(patterns);
    return new PatternSet(this.patterns.filter((pattern) => !gone.has(pattern)));
  }
}

/** What a client wants that says nothing of channels. */
export const WITHOUT_CHANNEL: PatternSet = new PatternSet([NO_CHANNEL]);
