/**
 * Which of two servers of one name is a copy. Each start of a server is an incarnation with a name of its own, and
 * knows the earlier ones. A data folder carries them along. If two incarnations live at the same time, and neither
 * follows the other, one server runs on a copy of the folder. The copy is the one that joined the network later. Pure.
 */

import type { Incarnation } from "../../journal/origins/incarnation.ts";

/** An incarnation somewhere in the network. */
export interface SeenIncarnation extends Incarnation {
  /**
   * When it joined: had a link to another server for the first time, in milliseconds of the clock of whoever compares.
   */
  readonly joinedAtMs: number;
  /** When it was started, on the same clock. */
  readonly startedAtMs: number;
}

/** How an incarnation stands to another one that is known. */
export type Kinship = "same" | "later" | "earlier" | "other";

/** Clocks of several machines are compared by what came over links: what is closer than this counts as one moment. */
const SAME_MOMENT_MS = 100;

/** How `one` stands to `known`. */
export function kinshipOf(one: Incarnation, known: Incarnation): Kinship {
  if (one.id === known.id) return "same";
  if (one.before.includes(known.id)) return "later";
  return known.before.includes(one.id) ? "earlier" : "other";
}

/** Whether `a`, and not `b`, is the copy: it joined later. Every server decides alike. */
export function isCopy(a: SeenIncarnation, b: SeenIncarnation): boolean {
  for (const when of ["joinedAtMs", "startedAtMs"] as const) {
    const difference = a[when] - b[when];
    if (Math.abs(difference) > SAME_MOMENT_MS) return difference > 0;
  }
  return a.id > b.id;
}
