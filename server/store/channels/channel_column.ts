/**
 * The column `channels` of an index row: which channels a segment has, with the bytes and the last line of each. So a
 * reader passes over a segment that has nothing for it, and what is kept of a channel is counted, without reading the
 * segment. docs/storage.md describes the form; written files keep it. Pure.
 */

import { type Filter, NO_CHANNEL, plainRanges } from "../../../log/channel_lines.ts";
import type { LostLines } from "../../../log/forgotten_lines.ts";
import type { Audience, ChannelLines, Segment } from "../../../log/segment.ts";
import { ANY_CHANNEL } from "./lost_channels.ts";

/** What the facts are taken from. */
type FactSource = Pick<Segment, "audience" | "bytes" | "first" | "last">;

/** What the column says of one channel; the empty name stands for what has no channel. */
export interface ChannelFact {
  readonly name: string;
  /** Of its lines. */
  readonly bytes: number;
  /** The sequence of the last of them. */
  readonly last: number;
  /** Whether they are forgotten. The bytes are those that they had, as far as this server had them. */
  readonly isForgotten?: true;
}

/**
 * A longer column is not written. In its place stands what no channel is called: a reader has to look. A column grows
 * when its channels are forgotten, by less than that.
 */
const MAX_COLUMN = 4_096;
const MANY = "*";
/** Neither may be in a name. */
const BETWEEN_CHANNELS = "\n";
const BETWEEN_FACTS = "\t";
/** Behind the facts of lines that are forgotten. */
const FORGOTTEN = "x";
const NEWLINE = 0x0a;
const NONE: ReadonlySet<string> = new Set();

/** The column of a segment; `null` where none of its lines is for a channel. */
export function channelColumn(segment: FactSource): string | null {
  if (segment.audience.kind !== "channels") return null;
  const column = columnOf(factsOf(segment));
  return column.length > MAX_COLUMN ? MANY : column;
}

/** The column that says these facts, however long it is. */
export function columnOf(facts: readonly ChannelFact[]): string {
  const entries = facts.map(({ name, bytes, last, isForgotten }) =>
    [name, bytes, last, ...(isForgotten ? [FORGOTTEN] : [])].join(BETWEEN_FACTS)
  );
  return entries.sort().join(BETWEEN_CHANNELS);
}

/** What a segment has of each channel. */
export function factsOf({ audience, bytes, first, last }: FactSource): ChannelFact[] {
  if (audience.kind !== "channels") return [];
  const plain: ChannelLines = { name: NO_CHANNEL, ranges: plainRanges(audience.channels, bytes.length) };
  const parts = [...audience.channels, plain].filter(({ ranges }) => ranges.length > 0)
    .map(({ name, ranges, isForgotten }) => ({
      ...{ name, isForgotten },
      bytes: ranges.reduce((sum, { start, end }) => sum + end - start, 0),
      end: ranges.at(-1)!.end,
    }))
    .sort((a, b) => a.end - b.end);
  let sequence = first;
  let next = bytes.indexOf(NEWLINE);
  return parts.map(({ name, bytes: size, end, isForgotten }) => {
    for (; next >= 0 && next < end - 1; next = bytes.indexOf(NEWLINE, next + 1)) sequence++;
    return { name, bytes: size, last: Math.min(sequence, last), ...(isForgotten ? { isForgotten } : {}) };
  });
}

/** What a column says; `undefined` where it does not name the channels, or nothing but their names. */
export function readFacts(column: string): ChannelFact[] | undefined {
  const facts = column.split(BETWEEN_CHANNELS).map((entry) => {
    const [name = "", bytes, last, forgotten] = entry.split(BETWEEN_FACTS);
    const fact: ChannelFact = { name, bytes: Number(bytes), last: Number(last) };
    return forgotten === FORGOTTEN ? { ...fact, isForgotten: true as const } : fact;
  });
  return facts.every(({ last }) => Number.isSafeInteger(last)) ? facts : undefined;
}

/** Whether a segment with this column may have something that `filter` wants. */
export function mayHave(column: string, filter: Filter): boolean {
  return column === MANY || column.split(BETWEEN_CHANNELS).some((entry) => {
    const end = entry.indexOf(BETWEEN_FACTS);
    // Before there were facts, nothing was said of lines without a channel.
    if (end < 0) return filter.wants(entry) || filter.wants(NO_CHANNEL);
    return filter.wants(entry.slice(0, end)) && !entry.endsWith(BETWEEN_FACTS + FORGOTTEN);
  });
}

/** Whether a column is that of a segment for this audience, as far as its names tell. */
export function isColumnOf(column: string | null, audience: Audience): boolean {
  if (audience.kind !== "channels") return column === null;
  if (column === null || column === MANY) return column === MANY;
  const named = column.split(BETWEEN_CHANNELS).map((entry) => entry.split(BETWEEN_FACTS)[0]!);
  const names = new Set(named.filter((name) => name !== NO_CHANNEL));
  const ofSegment = new Set(audience.channels.map(({ name }) => name));
  return names.size === ofSegment.size && names.isSubsetOf(ofSegment);
}

/** The last lines of a row's segment that may be forgotten, by channel. */
export function lostLinesOf(
  { channels, last }: { readonly channels: string | null; readonly last: number },
): LostLines[] {
  if (channels === null) return [];
  return readFacts(channels)?.filter(({ isForgotten }) => isForgotten) ?? [{ name: ANY_CHANNEL, last }];
}

/** The channels of a column of which lines are forgotten. */
export function forgottenIn(column: string | null): ReadonlySet<string> {
  if (column === null || !column.includes(BETWEEN_FACTS + FORGOTTEN)) return NONE;
  return new Set((readFacts(column) ?? []).filter(({ isForgotten }) => isForgotten).map(({ name }) => name));
}
