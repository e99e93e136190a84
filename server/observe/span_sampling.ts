/**
 * Chooses the entries that get spans when there are too many in a second: each second, fourth, eighth … of an origin,
 * by sequence. Servers have the same entries at about the same time. So they choose the same ones, and a traced entry
 * is traced everywhere. Other entries cost nothing. Pure.
 */

/** The choice at one server. */
export class SpanSampling {
  readonly #perSecond: number;
  #second = 0;
  #seen = 0;
  #taken = 0;
  #overCap = 0;
  /** A power of two: an entry that a large one chooses, a small one chooses, too. */
  #every = 1;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /**
   * The sequences from `first` to `last` that may get spans. The caller takes `ratio` of these, and says so for each,
   * with `took`, before it asks for the next.
   */
  *among(first: number, last: number, second: number, ratio: number): Generator<number> {
    if (second !== this.#second) {
      const before = second === this.#second + 1 ? this.#seen * ratio / this.#perSecond : 0;
      this.#every = before <= 1 ? 1 : 2 ** Math.ceil(Math.log2(before));
      this.#second = second;
      this.#seen = this.#taken = 0;
    }
    this.#seen += last - first + 1;
    let next = first;
    for (let sequence = Math.ceil(first / this.#every) * this.#every; sequence <= last; sequence += this.#every) {
      // The load has only now begun.
      if (this.#taken >= this.#perSecond) break;
      this.#overCap += sequence - next;
      next = sequence + 1;
      yield sequence;
    }
    this.#overCap += last + 1 - next;
  }

  /** The last given sequence gets spans. */
  took(): void {
    this.#taken++;
  }

  /** How many were not chosen since this was asked last. */
  takeOverCap(): number {
    const count = this.#overCap;
    this.#overCap = 0;
    return count;
  }
}
