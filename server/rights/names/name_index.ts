/** Finds the name that a new one looks like, among all that exist. Pure: the names come in. */

import { areAlike, isAscii, skeletonsOf } from "./skeleton.ts";

/** One name of each kind that has a skeleton: any one will do, as it is only asked whether there is one. */
interface Lookalikes {
  ascii?: string;
  other?: string;
}

/** The names of one server's accounts. */
export class NameIndex {
  readonly #read: () => Iterable<string>;
  /** Absent until the first question: a server on which nobody registers needs none. */
  #bySkeleton: Map<string, Lookalikes> | undefined;
  /** Names of ASCII alone, in small letters. */
  readonly #ascii = new Map<string, string>();

  /** `read` gives the names that exist. */
  constructor(read: () => Iterable<string>) {
    this.#read = read;
  }

  /** A name exists from now on. */
  add(name: string): void {
    // The first question reads it with all others.
    if (this.#bySkeleton !== undefined) this.#put(this.#bySkeleton, name);
  }

  /** A name that exists and looks like `name`, other than `name` itself. */
  alike(name: string): string | undefined {
    const bySkeleton = this.#names();
    const isPlain = isAscii(name);
    const found = [
      isPlain ? this.#ascii.get(name.toLowerCase()) : undefined,
      ...[...skeletonsOf(name)].flatMap((skeleton) => {
        const { ascii, other } = bySkeleton.get(skeleton) ?? {};
        return isPlain ? [other] : [other, ascii];
      }),
    ];
    return found.find((each) => each !== undefined && each !== name && areAlike(each, name));
  }

  #names(): Map<string, Lookalikes> {
    if (this.#bySkeleton === undefined) {
      const names = new Map<string, Lookalikes>();
      for (const name of this.#read()) this.#put(names, name);
      this.#bySkeleton = names;
    }
    return this.#bySkeleton;
  }

  #put(bySkeleton: Map<string, Lookalikes>, name: string): void {
    const kind = isAscii(name) ? "ascii" : "other";
    if (kind === "ascii") this.#ascii.set(name.toLowerCase(), name);
    for (const skeleton of skeletonsOf(name)) {
      const known = bySkeleton.get(skeleton);
      if (known === undefined) bySkeleton.set(skeleton, { [kind]: name });
      else known[kind] ??= name;
    }
  }
}
