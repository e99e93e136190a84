/**
 * In which channels somebody may do something: rules in their order, of which the first one that is about a channel
 * counts. A look costs as much as the name has levels, however many rules there are. Pure.
 */

import { common, parentOf, type Pattern, readPattern } from "../../protocol/channels/channel_name.ts";
import type { ChannelLimit } from "../../protocol/channels/pattern_set.ts";

/** A rule: whether it is allowed in all that these patterns stand for. */
export interface ChannelRule {
  /** Normal, and without a problem. */
  readonly patterns: readonly string[];
  readonly isAllowed: boolean;
}

/** Which rule comes first, by the bases of patterns. */
type FirstRules = Map<string, number>;

/** What somebody may do by channel. Never changes. */
export class ChannelRight implements ChannelLimit {
  readonly key: string;
  readonly #rules: readonly ChannelRule[];
  readonly #otherwise: boolean;
  /** Those of all rules, each once. */
  readonly #patterns: readonly Pattern[];
  readonly #first: Readonly<Record<Pattern["kind"], FirstRules>> = {
    name: new Map(),
    level: new Map(),
    rest: new Map(),
  };

  /** `otherwise` is for the channels that no rule is about. */
  constructor(rules: readonly ChannelRule[], otherwise: boolean) {
    // What the last rules say where nothing is said would be the same.
    const last = rules.findLastIndex(({ isAllowed }) => isAllowed !== otherwise);
    this.#rules = rules.slice(0, last + 1);
    this.#otherwise = otherwise;
    this.key = JSON.stringify([otherwise, ...this.#rules.map(({ patterns, isAllowed }) => [isAllowed, ...patterns])]);
    const patterns: Pattern[] = [];
    for (const [index, rule] of this.#rules.entries()) {
      for (const pattern of rule.patterns.map(readPattern)) {
        const rules = this.#first[pattern.kind];
        if (rules.has(pattern.base)) continue;
        rules.set(pattern.base, index);
        patterns.push(pattern);
      }
    }
    this.#patterns = patterns;
  }

  /** Whether no channel is different from another. */
  get isUniform(): boolean {
    return this.#rules.length === 0;
  }

  /** Whether it is allowed everywhere. */
  get isEverything(): boolean {
    return this.isUniform && this.#otherwise;
  }

  allows(channel: string): boolean {
    return this.#says({ kind: "name", base: channel });
  }

  allowsAll(pattern: string): boolean {
    return !this.#saysSomewhere(pattern, false);
  }

  /** Whether anything that `pattern` stands for is allowed. */
  allowsSome(pattern: string): boolean {
    return this.#saysSomewhere(pattern, true);
  }

  /**
   * Whether `isAllowed` is what holds for a channel of `pattern`. It does so where it holds for all of that but for
   * narrower rules, or for what a narrower rule has in common with it. A level and a rest have endlessly many names: so
   * no number of narrower rules leaves nothing of them.
   */
  #saysSomewhere(pattern: string, isAllowed: boolean): boolean {
    const whole = readPattern(pattern);
    if (this.#says(whole) === isAllowed) return true;
    return this.#patterns.some((each) => {
      const part = common(whole, each);
      return part !== undefined && this.#says(part) === isAllowed;
    });
  }

  /** What the first rule says that is about all of `pattern`. */
  #says({ kind, base }: Pattern): boolean {
    const { name, level, rest } = this.#first;
    let first = Infinity;
    const look = (index: number | undefined) => {
      if (index !== undefined && index < first) first = index;
    };
    if (kind === "name") {
      look(name.get(base));
      const parent = parentOf(base);
      if (parent !== undefined) look(level.get(parent));
    } else if (kind === "level") look(level.get(base));
    if (rest.size > 0) {
      for (let at: string | undefined = base; at !== undefined; at = parentOf(at)) look(rest.get(at));
    }
    return first === Infinity ? this.#otherwise : this.#rules[first]!.isAllowed;
  }
}

/** The pattern that stands for everything. */
export const EVERY_CHANNEL = "**";
