/**
 * The starts of a server. Each start is an incarnation with a name of its own, and knows the earlier ones. A data
 * folder carries them along. Pure.
 */

/** One start of a server. */
export interface Incarnation {
  /** Its name, by chance. */
  readonly id: string;
  /** Those that the data folder had before, the newest first. */
  readonly before: readonly string[];
}

/** Incarnations that are kept of one folder: more than a server is started anew before its last link is found dead. */
const MAX_BEFORE = 16;

/** The one that begins now, in a folder that has noted `noted` last. */
export function beginIncarnation(noted: string | undefined, id: string): Incarnation {
  const last = noted === undefined ? undefined : JSON.parse(noted) as Incarnation;
  return { id, before: last === undefined ? [] : [last.id, ...last.before].slice(0, MAX_BEFORE) };
}
