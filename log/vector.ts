/**
 * Vectors: for each origin, the sequence up to which a server or a client has all entries. Entries count 1, 2, 3 … per
 * origin without gaps, so a vector says exactly what its owner has. Pure.
 */

/** `{origin: sequence}`: every entry of each origin up to that sequence. An origin without a number stands at 0. */
export type Vector = Readonly<Record<string, number>>;

/** The sequence up to which `vector` has the entries of `origin`. */
export function sequenceOf(vector: Vector, origin: string): number {
  return Object.hasOwn(vector, origin) ? vector[origin]! : 0;
}

/** Whether `whole` has everything that `part` has. */
export function covers(whole: Vector, part: Vector): boolean {
  return Object.keys(part).every((origin) => sequenceOf(whole, origin) >= part[origin]!);
}

/** What either of the two has. */
export function merge(a: Vector, b: Vector): Vector {
  const merged: Record<string, number> = { ...a };
  // Writes only higher numbers, as writing is the cost.
  for (const origin of Object.keys(b)) if (b[origin]! > sequenceOf(a, origin)) merged[origin] = b[origin]!;
  return merged;
}

/** The part of `vector` that `known` does not have. */
export function beyond(vector: Vector, known: Vector): Vector {
  const rest: Record<string, number> = {};
  for (const origin of Object.keys(vector)) {
    if (vector[origin]! > sequenceOf(known, origin)) rest[origin] = vector[origin]!;
  }
  return rest;
}

/** Sets `origin` in `vector` back to `sequence`; 0 removes it. */
export function takeBack(vector: Record<string, number>, origin: string, sequence: number): void {
  if (sequence === 0) delete vector[origin];
  else vector[origin] = sequence;
}
