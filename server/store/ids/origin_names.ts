/** Numbers for the names of origins, as they are while a store is open. Files have numbers of their own. Pure. */

/** All names that the index has met. */
export class OriginNames {
  readonly #names: string[] = [];
  readonly #numbers = new Map<string, number>();

  /** The number of a name, from 0. */
  readonly numberOf = (name: string): number => {
    let number = this.#numbers.get(name);
    if (number === undefined) {
      number = this.#names.push(name) - 1;
      this.#numbers.set(name, number);
    }
    return number;
  };

  /** The name with a number that `numberOf` gave. */
  readonly nameOf = (number: number): string => this.#names[number]!;
}
