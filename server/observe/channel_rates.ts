/**
 * How many activities pass in each channel, over the last seconds, while somebody looks. The caller says when. Pure.
 */

import type { LineRange, Segment } from "../../log/segment.ts";
import { NO_CHANNEL } from "../../protocol/channels/channel_name.ts";

/** What passed in one span. */
interface Bucket {
  readonly sinceMs: number;
  /** By channel. */
  readonly counts: Map<string, number>;
}

/** Rates are those of so many milliseconds. */
const WINDOW_MS = 5_000;
const BUCKET_MS = 1_000;
/** Strangers name channels: what passes in further ones is not counted by name. */
export const MAX_RATED_CHANNELS = 1_000;
const NEWLINE = 0x0a;

/** What passes at one server, which is what passes in the network. */
export class ChannelRates {
  /** The oldest first. */
  #buckets: Bucket[];

  constructor(nowMs: number) {
    this.#buckets = [{ sinceMs: nowMs, counts: new Map() }];
  }

  /** These came into the log. */
  passed(segments: readonly Segment[]): void {
    const { counts } = this.#buckets.at(-1)!;
    const add = (channel: string, count: number) => {
      const known = counts.get(channel);
      if (known === undefined && (count === 0 || counts.size >= MAX_RATED_CHANNELS && channel !== NO_CHANNEL)) return;
      counts.set(channel, (known ?? 0) + count);
    };
    for (const { audience, bytes, first, last } of segments) {
      const all = last - first + 1;
      if (audience.kind === "everyone") add(NO_CHANNEL, all);
      if (audience.kind !== "channels") continue;
      let named = 0;
      for (const { name, ranges } of audience.channels) {
        const isWhole = ranges.length === 1 && ranges[0]!.end - ranges[0]!.start === bytes.length;
        const count = isWhole ? all : linesIn(bytes, ranges);
        named += count;
        add(name, count);
      }
      add(NO_CHANNEL, all - named);
    }
  }

  /** Activities a second by channel, of those in which any passed lately. */
  look(nowMs: number): ReadonlyMap<string, number> {
    const newest = this.#buckets.at(-1)!;
    const spanMs = Math.max(BUCKET_MS, nowMs - this.#buckets[0]!.sinceMs);
    const sums = new Map<string, number>();
    for (const { counts } of this.#buckets) {
      for (const [channel, count] of counts) sums.set(channel, (sums.get(channel) ?? 0) + count);
    }
    for (const [channel, sum] of sums) sums.set(channel, rounded(sum * 1_000 / spanMs));
    if (nowMs - newest.sinceMs >= BUCKET_MS) {
      this.#buckets.push({ sinceMs: nowMs, counts: new Map() });
      this.#buckets = this.#buckets.filter(({ sinceMs }, index, all) =>
        index === all.length - 1 || nowMs - sinceMs < WINDOW_MS
      );
    }
    return sums;
  }
}

/** As many digits as mean something: else the figures of all channels would change each second. */
function rounded(rate: number): number {
  return rate < 10 ? Math.round(rate * 10) / 10 : Math.round(rate);
}

function linesIn(bytes: Uint8Array, ranges: readonly LineRange[]): number {
  let count = 0;
  for (const { start, end } of ranges) {
    for (let at = bytes.indexOf(NEWLINE, start); at !== -1 && at < end; at = bytes.indexOf(NEWLINE, at + 1)) count++;
  }
  return count;
}
