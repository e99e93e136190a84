/**
 * Readers by what they want of the log. Those that want the same are a group, and share one buffer a turn. The groups
 * that want a channel are found without asking the others, so a subscription costs nothing to anybody else. Pure.
 */

import { joinBytes } from "../../protocol/join_bytes.ts";
import { ChannelIndex } from "../../protocol/channels/channel_index.ts";
import { NO_CHANNEL } from "../../protocol/channels/channel_name.ts";
import type { PatternSet } from "../../protocol/channels/pattern_set.ts";
import { plainRanges } from "../../log/channel_lines.ts";
import { countedOf, ReaderCounts } from "./reader_counts.ts";
import type { LineRange, Segment } from "../../log/segment.ts";

/** Readers that want the same. */
export interface ReaderGroup<R> {
  readonly wants: PatternSet;
  /** Those of them that get every new segment at once. */
  readonly live: Set<R>;
}

interface CountedGroup<R> extends ReaderGroup<R> {
  /** Readers in it, in whatever state. */
  readers: number;
  /** What each of them counts for. */
  readonly counted: readonly string[];
}

/** A part of one of the segments of a turn. */
interface Part extends LineRange {
  /** Which of the segments. */
  readonly of: number;
}

type Find<G> = (channel: string, found: (group: G) => void) => void;

/** All groups of one server. */
export class ReaderGroups<R> implements Iterable<ReaderGroup<R>> {
  readonly #groups = new Map<string, CountedGroup<R>>();
  readonly #index = new ChannelIndex<ReaderGroup<R>>();
  /** Those that do not get all of what their patterns stand for. */
  #limited = 0;
  readonly #counts = new ReaderCounts();
  #patternCount = 0;

  [Symbol.iterator](): Iterator<ReaderGroup<R>> {
    return this.#groups.values();
  }

  /**
   * How many have asked for each channel, in whatever state they are. A reader whose rights limit what it gets of a
   * pattern counts for all that the pattern stands for.
   */
  get counts(): Pick<ReaderCounts, "of" | "names" | "nameCount"> {
    return this.#counts;
  }

  /** Channels and patterns of all groups together: what they take of the memory. */
  get patternCount(): number {
    return this.#patternCount;
  }

  /** A reader comes that wants this. `leave` has to follow. */
  enter(wants: PatternSet): ReaderGroup<R> {
    let group = this.#groups.get(wants.key);
    if (group === undefined) {
      group = { wants, live: new Set(), readers: 0, counted: countedOf(wants.patterns) };
      this.#groups.set(wants.key, group);
      if (wants.limit !== undefined) this.#limited++;
      this.#patternCount += wants.patterns.length;
      for (const pattern of wants.patterns) this.#index.add(pattern, group);
    }
    group.readers++;
    this.#counts.add(group.counted, 1);
    return group;
  }

  /** A reader of `group` has gone, or wants something else. */
  leave({ wants }: ReaderGroup<R>): void {
    const group = this.#groups.get(wants.key)!;
    this.#counts.add(group.counted, -1);
    if (--group.readers > 0) return;
    this.#groups.delete(wants.key);
    if (wants.limit !== undefined) this.#limited--;
    this.#patternCount -= wants.patterns.length;
    for (const pattern of wants.patterns) this.#index.remove(pattern, group);
  }

  /** What each group gets of `segments`, which came in one turn. Groups that get nothing are not there. */
  buffersOf(segments: readonly Segment[]): ReadonlyMap<ReaderGroup<R>, Uint8Array> {
    const find: Find<ReaderGroup<R>> = (channel, found) => {
      if (this.#limited === 0) return this.#index.find(channel, found);
      this.#index.find(channel, (group) => {
        if (group.wants.limit?.allows(channel) ?? true) found(group);
      });
    };
    if (segments.some(({ audience }) => audience.kind === "channels")) return buffersByChannel(segments, find);
    const buffers = new Map<ReaderGroup<R>, Uint8Array>();
    const forEveryone = segments.filter(({ audience }) => audience.kind === "everyone");
    if (forEveryone.length === 0) return buffers;
    const bytes = joinBytes(forEveryone.map((segment) => segment.bytes));
    find(NO_CHANNEL, (group) => buffers.set(group, bytes));
    return buffers;
  }
}

/** The same, where some lines are for a channel. Each group gets its lines in the order of the log. */
function buffersByChannel<G>(segments: readonly Segment[], find: Find<G>): ReadonlyMap<G, Uint8Array> {
  const channels = partsByChannel(segments);
  const wanted = new Map<G, (readonly Part[])[]>();
  for (const [channel, parts] of channels) {
    find(channel, (group) => {
      const lists = wanted.get(group);
      if (lists === undefined) wanted.set(group, [parts]);
      // A group with several patterns for a channel gets it once.
      else if (lists.at(-1) !== parts) lists.push(parts);
    });
  }
  // Groups that want the same one channel of this turn, or all of them, share the bytes.
  const shared = new Map<readonly Part[], Uint8Array>();
  let whole: Uint8Array | undefined;
  const bytesOf = (lists: readonly (readonly Part[])[]): Uint8Array => {
    if (lists.length === channels.size) return whole ??= joinParts(segments, inOrder(lists));
    if (lists.length > 1) return joinParts(segments, inOrder(lists));
    const only = lists[0]!;
    let bytes = shared.get(only);
    if (bytes === undefined) shared.set(only, bytes = joinParts(segments, only));
    return bytes;
  };
  return new Map(Array.from(wanted, ([group, lists]) => [group, bytesOf(lists)]));
}

/** Where the lines of each channel stand, and those without one. */
function partsByChannel(segments: readonly Segment[]): ReadonlyMap<string, readonly Part[]> {
  const channels = new Map<string, Part[]>();
  const add = (channel: string, of: number, ranges: readonly LineRange[]) => {
    if (ranges.length === 0) return;
    let parts = channels.get(channel);
    if (parts === undefined) channels.set(channel, parts = []);
    for (const { start, end } of ranges) parts.push({ of, start, end });
  };
  segments.forEach(({ audience, bytes }, of) => {
    if (audience.kind === "everyone") add(NO_CHANNEL, of, [{ start: 0, end: bytes.length }]);
    if (audience.kind !== "channels") return;
    add(NO_CHANNEL, of, plainRanges(audience.channels, bytes.length));
    for (const { name, ranges, isForgotten } of audience.channels) if (isForgotten !== true) add(name, of, ranges);
  });
  return channels;
}

function inOrder(lists: readonly (readonly Part[])[]): readonly Part[] {
  if (lists.length === 1) return lists[0]!;
  return lists.flat().sort((a, b) => a.of - b.of || a.start - b.start);
}

function joinParts(segments: readonly Segment[], parts: readonly Part[]): Uint8Array {
  return joinBytes(parts.map(({ of, start, end }) => segments[of]!.bytes.subarray(start, end)));
}
