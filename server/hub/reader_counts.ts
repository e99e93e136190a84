/**
 * How many readers want a channel, by what they have asked for: kept as they come and go, so a question costs as much
 * as the name has levels, however many readers there are. Pure.
 */

import { NO_CHANNEL, parentOf, readPattern } from "../../protocol/channels/channel_name.ts";

/** The readers of one server. */
export class ReaderCounts {
  /** By a name that is asked for as it is, and by a pattern that stands for more. */
  readonly #named = new Map<string, number>();
  readonly #wide = new Map<string, number>();

  /** A reader of these patterns comes (1) or goes (-1). They are those of `countedOf`. */
  add(patterns: readonly string[], by: 1 | -1): void {
    for (const pattern of patterns) {
      const counts = isWide(pattern) ? this.#wide : this.#named;
      const count = (counts.get(pattern) ?? 0) + by;
      if (count === 0) counts.delete(pattern);
      else counts.set(pattern, count);
    }
  }

  /**
   * How many readers get what is published to `channel`, or what has no channel where it is `NO_CHANNEL`. A reader of
   * both `a/*` and `a/b/**` counts twice for `a/b`: only patterns of which one stands for the other are one.
   */
  of(channel: string): number {
    let count = this.#named.get(channel) ?? 0;
    if (this.#wide.size === 0) return count;
    const parent = parentOf(channel);
    if (parent !== undefined) count += this.#wide.get(below(parent, "*")) ?? 0;
    for (let base: string | undefined = channel; base !== undefined; base = parentOf(base)) {
      count += this.#wide.get(below(base, "**")) ?? 0;
    }
    return count;
  }

  /** The channels that are asked for by name, `NO_CHANNEL` among them. */
  get names(): Iterable<string> {
    return this.#named.keys();
  }

  /** How many of them there are. */
  get nameCount(): number {
    return this.#named.size;
  }
}

/** Those of `patterns` that no other of them stands for: so a reader of `a` and `**` is one reader of `a`. */
export function countedOf(patterns: readonly string[]): readonly string[] {
  if (patterns.length < 2 || !patterns.some(isWide)) return patterns;
  const all = new Set(patterns);
  return patterns.filter((pattern) => !isCovered(pattern, all));
}

function isCovered(pattern: string, all: ReadonlySet<string>): boolean {
  const { kind, base } = readPattern(pattern);
  const parent = parentOf(base);
  if (kind === "name" && parent !== undefined && all.has(below(parent, "*"))) return true;
  // What is for the rest of a base stands for all but itself.
  for (let at = kind === "rest" ? parent : base; at !== undefined; at = parentOf(at)) {
    if (all.has(below(at, "**"))) return true;
  }
  return false;
}

function isWide(pattern: string): boolean {
  return pattern.endsWith("*");
}

function below(base: string, what: "*" | "**"): string {
  return base === NO_CHANNEL ? what : `${base}/${what}`;
}
