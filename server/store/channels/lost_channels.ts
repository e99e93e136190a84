/**
 * What is forgotten of one origin, by channel: for each the newest forgotten sequence. So a reader is told of a gap
 * only where something of its channels is missing. The number of channels is bounded. Beyond it, what was forgotten
 * first counts as of any channel: somebody may be told of a gap in vain, and never not be told. Pure.
 */

import type { Filter } from "../../../log/channel_lines.ts";
import type { LostLines } from "../../../log/forgotten_lines.ts";

/** By channel; with the empty name for what has none. */
export type LostChannels = ReadonlyMap<string, number>;

/** What may have been of any channel. No channel is called so. */
export const ANY_CHANNEL = "*";
/** Of a whole log. */
export const NOTHING_LOST: LostChannels = new Map();
/** Of one origin. */
export const MAX_LOST_CHANNELS = 2_000;

/** What is forgotten up to `last` of an origin of which nothing more is known. */
export function lostOfAny(last: number): LostChannels {
  return last === 0 ? NOTHING_LOST : new Map([[ANY_CHANNEL, last]]);
}

/** With more that is forgotten. */
export function withLost(
  lost: LostChannels,
  more: Iterable<LostLines>,
  most: number = MAX_LOST_CHANNELS,
): LostChannels {
  const all = new Map(lost);
  for (const { name, last } of more) if (last > (all.get(name) ?? 0)) all.set(name, last);
  const excess = all.size - most;
  if (excess > 0) {
    const oldest = [...all.values()].sort((a, b) => a - b)[excess - 1]!;
    all.set(ANY_CHANNEL, Math.max(all.get(ANY_CHANNEL) ?? 0, oldest));
  }
  const ofAny = all.get(ANY_CHANNEL) ?? 0;
  for (const [name, last] of all) if (last <= ofAny && name !== ANY_CHANNEL) all.delete(name);
  return all;
}

/** The newest forgotten sequence that `filter` may have wanted, or anybody; 0 if there is none. */
export function lostFor(lost: LostChannels, filter?: Filter): number {
  let newest = 0;
  for (const [name, last] of lost) {
    if (last > newest && (filter === undefined || name === ANY_CHANNEL || filter.wants(name))) newest = last;
  }
  return newest;
}

/** Of an origin that ends at `last`. */
export function lostUpTo(lost: LostChannels, last: number): LostChannels {
  if (lostFor(lost) <= last) return lost;
  const ended = Array.from(lost, ([name, forgotten]) => [name, Math.min(forgotten, last)] as const);
  return new Map(ended.filter(([, forgotten]) => forgotten > 0));
}

/** As a text: a channel a line, with its sequence behind a tab. Written files keep the form. */
export function formatLost(lost: LostChannels): string {
  return Array.from(lost, ([name, last]) => `${name}\t${last}`).join("\n");
}

/** What `formatLost` wrote. */
export function parseLost(text: string): LostChannels {
  return new Map(
    text.split("\n").map((entry) => {
      const tab = entry.indexOf("\t");
      return [entry.slice(0, tab), Number(entry.slice(tab + 1))];
    }),
  );
}
