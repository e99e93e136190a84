/** A queue that is searched, and cut at both ends: what the memory store keeps segments in. Pure. */

/** Items in order: an array that forgets its beginning without moving the rest each time. */
export class Queue<T> {
  #items: T[] = [];
  #start = 0;

  /** The item at this index, counted from the first one that is left. */
  at(index: number): T | undefined {
    return this.#items[this.#start + index];
  }

  /** Adds it at the end. */
  push(item: T): void {
    this.#items.push(item);
  }

  /** How many are left. */
  get size(): number {
    return this.#items.length - this.#start;
  }

  /** Forgets all items from this index on. */
  cut(index: number): void {
    this.#items.length = this.#start + index;
  }

  /** The index of the first item that `isBehind`, given that it holds for all after one for which it does. */
  search(isBehind: (item: T) => boolean): number {
    let low = this.#start;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isBehind(this.#items[middle]!)) high = middle;
      else low = middle + 1;
    }
    return low - this.#start;
  }

  /** Forgets the first `count` items. */
  drop(count: number): void {
    // The bytes are released at once. The places go when they are half of the array.
    this.#items.fill(undefined as T, this.#start, this.#start + count);
    this.#start += count;
    if (this.#start * 2 >= this.#items.length) {
      this.#items.splice(0, this.#start);
      this.#start = 0;
    }
  }
}
