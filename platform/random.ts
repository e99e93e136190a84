/**
 * Chance where nothing depends on its being unforeseeable: delays, names of messages. For secrets there is `crypto.ts`.
 */

/** Evenly distributed from 0 up to but not including 1. */
export function random(): number {
  return Math.random();
}
