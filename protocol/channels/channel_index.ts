/**
 * Who wants a channel, found without asking everybody. Exact names are in one map. Patterns are found by the levels of
 * the name: `a/b` asks for patterns at `a/b`, at `a` and at the top. So a question costs as much as the name has
 * levels, and what it finds. Pure.
 */

import { parentOf, type Pattern, readPattern } from "./channel_name.ts";

type Places<T> = Map<string, Set<T>>;

/** Owners of patterns, by what they want. */
export class ChannelIndex<T> {
  readonly #places: Readonly<Record<Pattern["kind"], Places<T>>> = {
    name: new Map(),
    level: new Map(),
    rest: new Map(),
  };

  /** `owner` wants `pattern`, which is normal. */
  add(pattern: string, owner: T): void {
    const { kind, base } = readPattern(pattern);
    const places = this.#places[kind];
    const owners = places.get(base);
    if (owners === undefined) places.set(base, new Set([owner]));
    else owners.add(owner);
  }

  /** `owner` does not want `pattern` any more. */
  remove(pattern: string, owner: T): void {
    const { kind, base } = readPattern(pattern);
    const places = this.#places[kind];
    const owners = places.get(base);
    if (owners?.delete(owner) && owners.size === 0) places.delete(base);
  }

  /**
   * Calls `found` for each owner that wants `name`, which may be `NO_CHANNEL`; more than once for an owner with several
   * patterns for it.
   */
  find(name: string, found: (owner: T) => void): void {
    const { name: names, level: levels, rest: rests } = this.#places;
    names.get(name)?.forEach(found);
    if (levels.size > 0) {
      const parent = parentOf(name);
      if (parent !== undefined) levels.get(parent)?.forEach(found);
    }
    if (rests.size === 0) return;
    for (let base: string | undefined = name; base !== undefined; base = parentOf(base)) {
      rests.get(base)?.forEach(found);
    }
  }

  /** Whether nobody wants anything. */
  get isEmpty(): boolean {
    const { name, level, rest } = this.#places;
    return name.size + level.size + rest.size === 0;
  }
}
