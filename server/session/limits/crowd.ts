/**
 * Things by owner. It knows at once which owner has the most. Each call takes the same time, however many things there
 * are. Pure.
 */

/** Things, each of them once, in the order in which they came. */
export class Crowd<T> {
  readonly #owners = new Map<string, Set<T>>();
  /** By how many they have. None is empty. */
  readonly #bySize = new Map<number, Set<string>>();
  #most = 0;
  #size = 0;

  /** How many there are. */
  get size(): number {
    return this.#size;
  }

  /** The most that one owner has. */
  get most(): number {
    return this.#most;
  }

  /** How many `owner` has. */
  sizeOf(owner: string): number {
    return this.#owners.get(owner)?.size ?? 0;
  }

  /** `thing` is one more, and the newest. */
  add(owner: string, thing: T): void {
    const things = this.#owners.get(owner) ?? new Set();
    const before = things.size;
    things.add(thing);
    this.#resized(owner, things, before);
  }

  /** `thing` is not there any more. */
  delete(owner: string, thing: T): void {
    const things = this.#owners.get(owner);
    if (things === undefined) return;
    const before = things.size;
    things.delete(thing);
    this.#resized(owner, things, before);
  }

  /**
   * The oldest thing of `owner` of which `holds` is true. Looks at `tries` things at most. The things that it passes
   * over become the newest.
   */
  oldestOf(owner: string, holds: (thing: T) => boolean, tries: number): T | undefined {
    const things = this.#owners.get(owner);
    for (let count = Math.min(tries, things?.size ?? 0); count > 0; count--) {
      const oldest = things!.values().next().value!;
      if (holds(oldest)) return oldest;
      things!.delete(oldest);
      things!.add(oldest);
    }
    return undefined;
  }

  /** An owner that has the most. */
  get largest(): string | undefined {
    return this.#bySize.get(this.#most)?.values().next().value;
  }

  /** The oldest thing of the owner whose turn it is. Owners have their turns one after the other. The thing stays. */
  next(): T | undefined {
    const [first] = this.#owners;
    if (first === undefined) return undefined;
    const [owner, things] = first;
    this.#owners.delete(owner);
    this.#owners.set(owner, things);
    return things.values().next().value;
  }

  #resized(owner: string, things: Set<T>, before: number): void {
    const { size } = things;
    if (size === before) return;
    this.#size += size - before;
    const old = this.#bySize.get(before);
    old?.delete(owner);
    if (old?.size === 0) this.#bySize.delete(before);
    if (size === 0) this.#owners.delete(owner);
    else {
      this.#owners.set(owner, things);
      const now = this.#bySize.get(size);
      if (now === undefined) this.#bySize.set(size, new Set([owner]));
      else now.add(owner);
    }
    // One step is enough: the owner with the most has at most one more, or one less.
    if (size > this.#most) this.#most = size;
    else if (before === this.#most && !this.#bySize.has(before)) this.#most = size;
  }
}
