/**
 * Which of two claims goes first when two servers give away the same name. Every server decides alike, in any order of
 * the claims. Pure.
 */

/** When and where something was claimed. */
export interface Claimed {
  /** The Lamport time of the claim, by the clock of `origin`. */
  readonly lamport: number;
  /** The server that it was made at. */
  readonly origin: string;
}

/** Whether `a` goes before `b`: the lower (lamport, origin) wins. Of two that are equal neither goes first. */
export function precedes(a: Claimed, b: Claimed): boolean {
  return a.lamport < b.lamport || (a.lamport === b.lamport && a.origin < b.origin);
}
