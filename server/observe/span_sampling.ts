/**
 * Which entries get spans when there are more than are wanted in a second: then it is each second, fourth, eighth … of an origin's, by the sequence. Servers have the same entries
 * at about the same time, so they choose the same ones, and what is traced is traced everywhere. An entry that is not chosen costs nothing. Pure.
 */

/** The choice at one server. */
export class EntryChoice {
  readonly #perSecond: number;
  #second = 0;
  #seen = 0;
  #taken = 0;
  #overCap = 0;
  /** A power of two, so that what is taken with a large one is taken with a small one too. */
  #every = 1;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /**
   * Those of the sequences `first` to `last` that may get spans. Of these, `ratio` is what the caller is expected to take: it says so for each, with `took`, before
   * it asks for the next.
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

  /** The one that was asked for last gets spans. */
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
