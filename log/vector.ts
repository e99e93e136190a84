/**
 * Vectors: for each origin, the sequence up to which something is had. As entries count 1, 2, 3 … without gaps per origin, a vector says
 * exactly what a server or a client has. Pure.
 */

/** `{origin: sequence}`: everything of each origin up to and including that sequence. An origin that is not named stands at 0. */
export type Vector = Readonly<Record<string, number>>;

/** The sequence up to which `vector` has the entries of `origin`. */
export function sequenceOf(vector: Vector, origin: string): number {
  return Object.hasOwn(vector, origin) ? vector[origin]! : 0;
}

/** Whether everything that `part` has is in `whole` too. */
export function covers(whole: Vector, part: Vector): boolean {
  return Object.keys(part).every((origin) => sequenceOf(whole, origin) >= part[origin]!);
}

/** What either of the two has. */
export function merge(a: Vector, b: Vector): Vector {
  const merged: Record<string, number> = { ...a };
  // Written only where it says more: to write is what costs.
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

/** Says in `vector` that of `origin` there is only what comes up to `sequence`. */
export function takeBack(vector: Record<string, number>, origin: string, sequence: number): void {
  if (sequence === 0) delete vector[origin];
  else vector[origin] = sequence;
}
