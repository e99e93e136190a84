/** The colour of a name: the same on every screen and every day. Pure. */

/** Of xterm's 256: neither so dark nor so bright that they cannot be read on a black or a white ground. */
const COLOURS = [33, 37, 35, 64, 68, 71, 98, 104, 133, 136, 166, 167, 169, 172] as const;

/** One of xterm's 256 colours. */
export function nameColour(name: string): number {
  // FNV-1a: short, and it spreads names that differ in one letter.
  let hash = 0x811c9dc5;
  for (let index = 0; index < name.length; index++) hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
  return COLOURS[(hash >>> 0) % COLOURS.length]!;
}
