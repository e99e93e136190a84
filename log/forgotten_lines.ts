/**
 * Forgetting the lines of single channels in a segment. Each of them becomes an empty line. So the segment still has a
 * line for each number, and its table still says which channel that was: readers of other channels see no gap, and
 * other servers copy the rest as it is. Pure.
 */

import type { ChannelLines, LineRange, Segment } from "./segment.ts";

/** A channel of which lines are forgotten, with the sequence of the last of them. */
export interface LostLines {
  readonly name: string;
  readonly last: number;
}

const NEWLINE = 0x0a;
const NONE: readonly LostLines[] = Object.freeze([]);

/** The channels of which lines are forgotten in a segment. */
export function lostLinesIn({ audience, first, bytes }: Segment): readonly LostLines[] {
  if (audience.kind !== "channels" || !audience.channels.some(({ isForgotten }) => isForgotten)) return NONE;
  return audience.channels.filter(({ isForgotten }) => isForgotten).map(({ name, ranges }) => (
    { name, last: first + linesIn(bytes, 0, ranges.at(-1)!.end) - 1 }
  ));
}

/** `segment` with empty lines in place of those of each channel that `isGone`. The segment itself if it has none. */
export function withoutLines(segment: Segment, isGone: (channel: string) => boolean): Segment {
  const { audience, bytes } = segment;
  if (audience.kind !== "channels") return segment;
  const isToGo = ({ name, isForgotten }: ChannelLines) => isForgotten !== true && isGone(name);
  if (!audience.channels.some(isToGo)) return segment;
  const left = new Uint8Array(bytes.length);
  const moved = new Map<ChannelLines, LineRange[]>(audience.channels.map((lines) => [lines, []]));
  const inOrder = audience.channels.flatMap((lines) => lines.ranges.map((range) => ({ lines, ...range })))
    .sort((a, b) => a.start - b.start);
  let [from, to] = [0, 0];
  const keep = (end: number) => {
    left.set(bytes.subarray(from, end), to);
    to += end - from;
    from = end;
  };
  for (const { lines, start, end } of inOrder) {
    keep(start);
    const begin = to;
    if (isToGo(lines)) {
      const count = linesIn(bytes, start, end);
      left.fill(NEWLINE, to, to + count);
      to += count;
      from = end;
    } else keep(end);
    moved.get(lines)!.push({ start: begin, end: to });
  }
  keep(bytes.length);
  const channels = audience.channels.map((lines): ChannelLines => (
    { ...lines, ranges: moved.get(lines)!, ...(isToGo(lines) ? { isForgotten: true } : {}) }
  ));
  return { ...segment, audience: { kind: "channels", channels }, bytes: left.slice(0, to) };
}

function linesIn(bytes: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE, start); at >= 0 && at < end; at = bytes.indexOf(NEWLINE, at + 1)) count++;
  return count;
}
