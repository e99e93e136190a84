/**
 * The lines of a segment that one reader wants, where some of them are for a channel alone. The table of a segment says
 * which bytes are of which channel, so nothing is looked for in the lines. Pure.
 */

import type { Audience, ChannelLines, LineRange, Segment } from "./segment.ts";

/** What a reader wants of activities. */
export interface Filter {
  /** Whether it wants the lines of `channel`; of those without one, where that is empty. */
  wants(channel: string): boolean;
}

/** Who a line is for. */
export type LineChannel = Pick<ChannelLines, "name" | "isForgotten">;

/** Stands for what has no channel. */
export const NO_CHANNEL = "";
/** Of a reader that has said nothing of channels. */
export const PLAIN: Filter = Object.freeze({ wants: (channel: string) => channel === NO_CHANNEL });

const PLAIN_LINE: LineChannel = Object.freeze({ name: NO_CHANNEL });
const NOTHING = new Uint8Array(0);
const NO_RANGES: readonly LineRange[] = Object.freeze([]);

/** Whether `filter` wants the lines of a channel, and they are kept. */
export function wantsLines(filter: Filter, { name, isForgotten }: LineChannel): boolean {
  return isForgotten !== true && filter.wants(name);
}

/** Where the activities of a segment of `length` bytes stand that `filter` wants, in order. */
export function wantedRanges(audience: Audience, length: number, filter: Filter): readonly LineRange[] {
  if (audience.kind === "everyone") return filter.wants(NO_CHANNEL) ? [{ start: 0, end: length }] : NO_RANGES;
  if (audience.kind !== "channels") return NO_RANGES;
  const { channels } = audience;
  if (!filter.wants(NO_CHANNEL)) return inOrder(channels.filter((lines) => wantsLines(filter, lines)));
  return outside(inOrder(channels.filter((lines) => !wantsLines(filter, lines))), length);
}

/** Where the lines without a channel stand, in order. */
export function plainRanges(channels: readonly ChannelLines[], length: number): readonly LineRange[] {
  return outside(inOrder(channels), length);
}

/**
 * The lines of `segment` that `filter` wants, from byte `from` on, where a line begins: all bytes, a part of them
 * without a copy, or a copy of several parts.
 */
export function wantedLines({ audience, bytes }: Segment, filter: Filter, from = 0): Uint8Array {
  const ranges = wantedRanges(audience, bytes.length, filter);
  return joinRanges(bytes, from === 0 ? ranges : behind(ranges, from));
}

/** How many bytes `wantedLines` would give. */
export function wantedBytes({ audience, bytes }: Segment, filter: Filter): number {
  return wantedRanges(audience, bytes.length, filter).reduce((sum, { start, end }) => sum + end - start, 0);
}

/** The channel of each line of a segment, by where the line begins; with the empty name for none. */
export function channelsByLine(audience: Audience): (start: number) => LineChannel {
  if (audience.kind !== "channels") return () => PLAIN_LINE;
  const all = audience.channels.flatMap((lines) => lines.ranges.map(({ start, end }) => ({ lines, start, end })));
  all.sort((a, b) => a.start - b.start);
  return (at) => {
    let low = 0;
    let high = all.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (all[middle]!.end > at) high = middle;
      else low = middle + 1;
    }
    const found = all[low];
    return found !== undefined && found.start <= at ? found.lines : PLAIN_LINE;
  };
}

function inOrder(channels: readonly ChannelLines[]): readonly LineRange[] {
  if (channels.length === 0) return NO_RANGES;
  if (channels.length === 1) return channels[0]!.ranges;
  return channels.flatMap(({ ranges }) => ranges).sort((a, b) => a.start - b.start);
}

/** The rest of `length` bytes. */
function outside(ranges: readonly LineRange[], length: number): readonly LineRange[] {
  const rest: LineRange[] = [];
  let at = 0;
  for (const { start, end } of ranges) {
    if (start > at) rest.push({ start: at, end: start });
    at = end;
  }
  if (at < length) rest.push({ start: at, end: length });
  return rest;
}

/** The parts of `ranges` from `from` on. */
function behind(ranges: readonly LineRange[], from: number): readonly LineRange[] {
  return ranges.filter(({ end }) => end > from).map(({ start, end }) => ({ start: Math.max(start, from), end }));
}

function joinRanges(bytes: Uint8Array, ranges: readonly LineRange[]): Uint8Array {
  if (ranges.length === 0) return NOTHING;
  if (ranges.length === 1) return bytes.subarray(ranges[0]!.start, ranges[0]!.end);
  const joined = new Uint8Array(ranges.reduce((sum, { start, end }) => sum + end - start, 0));
  let at = 0;
  for (const { start, end } of ranges) {
    joined.set(bytes.subarray(start, end), at);
    at += end - start;
  }
  return joined;
}
