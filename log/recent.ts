/**
 * Maps and sets that strangers fill, with a bound. Beyond it, the oldest entry goes. The age of an entry counts from
 * its arrival. An entry keeps its age when it is set again (`set`, `add`), and is the newest after `renew`. Pure.
 */

/** The newest entries, by key. */
export class RecentMap<K extends string | number, V> {
  readonly #entries = new Map<K, V>();
  readonly #bound: Bound<K>;

  /** Keeps at most `most` entries. */
  constructor(most: number) {
    this.#bound = new Bound(this.#entries, most);
  }

  get size(): number {
    return this.#entries.size;
  }

  has(key: K): boolean {
    return this.#entries.has(key);
  }

  get(key: K): V | undefined {
    return this.#entries.get(key);
  }

  /**
   * Sets an entry. A new entry is the newest; a known one keeps its age. Returns the value of the entry that has to go,
   * if one does.
   */
  set(key: K, value: V): V | undefined {
    this.#entries.set(key, value);
    const oldest = this.#bound.exceeding();
    if (oldest === undefined) return undefined;
    const gone = this.#entries.get(oldest);
    this.#entries.delete(oldest);
    return gone;
  }

  /** Sets an entry, which is the newest now. */
  renew(key: K, value: V): void {
    this.delete(key);
    this.set(key, value);
  }

  /** Whether it was here. */
  delete(key: K): boolean {
    const wasHere = this.#entries.delete(key);
    if (wasHere) this.#bound.deleted();
    return wasHere;
  }

  /** The values, oldest first. */
  values(): MapIterator<V> {
    return this.#entries.values();
  }

  /** The entries, oldest first. */
  [Symbol.iterator](): MapIterator<[K, V]> {
    return this.#entries[Symbol.iterator]();
  }
}

/** The newest keys. */
export class RecentSet<K extends string | number> {
  readonly #keys = new Set<K>();
  readonly #bound: Bound<K>;

  /** Keeps at most `most` keys. */
  constructor(most: number) {
    this.#bound = new Bound(this.#keys, most);
  }

  get size(): number {
    return this.#keys.size;
  }

  has(key: K): boolean {
    return this.#keys.has(key);
  }

  /** Adds a key. A new key is the newest; a known one keeps its age. */
  add(key: K): void {
    this.#keys.add(key);
    const oldest = this.#bound.exceeding();
    if (oldest !== undefined) this.#keys.delete(oldest);
  }

  /** Adds a key, which is the newest now. */
  renew(key: K): void {
    this.delete(key);
    this.add(key);
  }

  /** Whether it was here. */
  delete(key: K): boolean {
    const wasHere = this.#keys.delete(key);
    if (wasHere) this.#bound.deleted();
    return wasHere;
  }

  /** All keys, oldest first. */
  [Symbol.iterator](): SetIterator<K> {
    return this.#keys.values();
  }
}

/**
 * Finds the oldest key of a map or set that is too large. To find its first key, a map looks at every place that was
 * deleted before it: with 65,536 keys this takes 20 µs. So the search goes on where it ended: an iterator stays in
 * place while keys come and go.
 */
class Bound<K extends string | number> {
  readonly #entries: { readonly size: number; keys(): Iterator<K> };
  readonly #most: number;
  #search: Iterator<K> | undefined;
  /** Keys that were deleted since the search began. */
  #deleted = 0;

  constructor(entries: { readonly size: number; keys(): Iterator<K> }, most: number) {
    this.#entries = entries;
    this.#most = most;
  }

  /** The key that has to go, which is the caller's to do; `undefined` when all fit. */
  exceeding(): K | undefined {
    if (this.#entries.size <= this.#most) return undefined;
    this.#search ??= this.#entries.keys();
    return this.#search.next().value;
  }

  /**
   * A key was deleted that `exceeding` did not find. An iterator that nobody moves keeps every former table of its map
   * alive. So the iterator is dropped after as many deletions as there may be keys. The next search costs less than
   * those deletions did.
   */
  deleted(): void {
    if (++this.#deleted < this.#most) return;
    this.#deleted = 0;
    this.#search = undefined;
  }
}
