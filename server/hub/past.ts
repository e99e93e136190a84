/**
 * The past, for clients that ask for it: a page of activities of the log, read backwards. A page costs what it has, and
 * not the whole log. One question reads a bounded part, and the page says where the next question goes on. Nothing is
 * remembered between two questions.
 */

import { channelsByLine, type Filter, NO_CHANNEL, PLAIN, wantedRanges, wantsLines } from "../../log/channel_lines.ts";
import { linesBackwards, type Position, type Segment, type SegmentLine } from "../../log/segment.ts";
import { sequenceOf, type Vector } from "../../log/vector.ts";
import type { Clock } from "../../platform/clock.ts";
import { type ChannelLimit, PatternSet } from "../../protocol/channels/pattern_set.ts";
import { type EntryId, formatEntryId, parseEntryId } from "../../protocol/entry_id.ts";
import type { HistoryMessage, HistoryPageMessage } from "../../protocol/history_message.ts";
import { pastLine, sentAtOf } from "../../protocol/server_codec.ts";
import type { ClientLog } from "./client_log.ts";
import { CLIENT_SHARE } from "./pump.ts";

/** What is asked of the log. Throws where it cannot be read: nothing may be said about the past then. */
export interface PastLog {
  readonly head: Position;
  /** What the log has at `head`. */
  readonly vector: Vector;
  /** As the store reads it. */
  readonly past: {
    segmentsBefore(position: Position, maxBytes: number): readonly Segment[];
    segmentOf(id: EntryId): Segment | undefined;
    boundOf(id: EntryId): Position | undefined;
    beginning(): {
      readonly oldest?: EntryId & { readonly takenAt: number };
      readonly isWhole: boolean;
    };
  };
}

/** The answer to a question. */
export interface PastPage {
  /** The lines of the activities, each with its end, the oldest first. */
  readonly lines: readonly Uint8Array[];
  readonly end: HistoryPageMessage;
}

/** More activities than this are not in one page. */
export const MAX_PAGE_ACTIVITIES = 500;
/** More bytes than this are not in one page, but for a single line that has more. */
export const MAX_PAGE_BYTES = 131_072;
/** Read at once, after the first time: what is asked for lies behind much that is not. */
const READ_BYTES = 65_536;
/** Read first, for each activity that is asked for, and at least. */
const READ_BYTES_EACH = 512;
const LEAST_READ_BYTES = 4_096;

const decoder = new TextDecoder();

/** A place in the log: an entry, or the bound of one that is not kept. */
interface Place {
  readonly position: Position;
  /** Of the entry, in its segment; absent for a bound. */
  readonly sequence?: number;
}

/** What a page is made of. */
interface Range {
  readonly filter: Filter;
  /** Behind its end. */
  readonly to: Place;
  /** Before its beginning. */
  readonly from: Place;
  readonly sinceMs: number;
  readonly limit: number;
}

/** The pages of one server's log. */
export class Past {
  readonly #log: PastLog;
  readonly #clientLog: Pick<ClientLog, "shows">;
  readonly #clock: Pick<Clock, "nowMs">;

  constructor(log: PastLog, clientLog: Pick<ClientLog, "shows">, clock: Pick<Clock, "nowMs">) {
    this.#log = log;
    this.#clientLog = clientLog;
    this.#clock = clock;
  }

  /**
   * The newest activities that come before `before` and after `since`, as many as a page has; `undefined` where one of
   * the two names an entry that this server does not know. `allowed` is what the one who asks may read at most.
   */
  page(
    { limit, before, since, channel }: Omit<HistoryMessage, "command">,
    allowed?: ChannelLimit,
  ): PastPage | undefined {
    const filter = (channel ?? allowed) === undefined ? PLAIN : new PatternSet([channel ?? NO_CHANNEL], allowed);
    return this.#page({ limit, before, since }, filter);
  }

  /** The newest activities that `filter` wants, up to `position`. */
  pageUpTo(position: Position, limit: number, filter: Filter): PastPage {
    return this.#page({ limit, before: undefined, since: undefined }, filter, position)!;
  }

  #page(
    { limit, before, since }: Omit<HistoryMessage, "command" | "channel">,
    filter: Filter,
    upTo: Position = this.#log.head,
  ): PastPage | undefined {
    const log = this.#log;
    const to = before === undefined ? { position: upTo + 1 } : this.#placeOf(before);
    let from: Place | undefined = typeof since === "string" ? this.#placeOf(since) : { position: 0 };
    // Nothing is to be left out of what came after an entry that is forgotten.
    if (from !== undefined && from.sequence === undefined) from = { position: 0 };
    if (to === undefined || from === undefined) return undefined;
    const sinceMs = typeof since === "number" ? since : -Infinity;
    const collected = new Collected({ to, from, sinceMs, limit, filter }, this.#clientLog);
    let readBytes = Math.min(READ_BYTES, Math.max(LEAST_READ_BYTES, limit * READ_BYTES_EACH));
    const untilMs = this.#clock.nowMs() + CLIENT_SHARE.ms;
    let at = to.sequence === undefined ? to.position : to.position + 1;
    for (let reads = 0; reads < CLIENT_SHARE.reads && (reads === 0 || this.#clock.nowMs() < untilMs); reads++) {
      const segments = log.past.segmentsBefore(at, readBytes);
      readBytes = READ_BYTES;
      collected.take(segments);
      if (segments.length === 0) collected.isAtEnd = true;
      if (collected.isDone) break;
      at = segments[0]!.position;
    }
    return this.#pageOf(collected);
  }

  #placeOf(text: string): Place | undefined {
    const id = parseEntryId(text);
    if (id === undefined || sequenceOf(this.#log.vector, id.origin) < id.sequence) return undefined;
    const segment = this.#log.past.segmentOf(id);
    if (segment !== undefined) return { position: segment.position, sequence: id.sequence };
    const bound = this.#log.past.boundOf(id);
    return bound === undefined ? undefined : { position: bound };
  }

  #pageOf({ lines, isAtEnd, oldest, passed }: Collected): PastPage {
    const { oldest: first, isWhole } = this.#log.past.beginning();
    const isFirst = first !== undefined && oldest?.origin === first.origin && oldest.sequence === first.sequence;
    const more = !isAtEnd && !isFirst;
    return {
      lines: lines.toReversed(),
      end: {
        command: "HISTORY_PAGE",
        past: true,
        count: lines.length,
        more,
        ...(more && passed !== undefined ? { before: formatEntryId(passed) } : {}),
        ...(first === undefined ? {} : { begins: { id: formatEntryId(first), at: Math.floor(first.takenAt) } }),
        ...(isWhole ? {} : { forgotten: true }),
      },
    };
  }
}

/** What is found of a page, from its newest activity on. */
class Collected {
  /** The newest first. */
  readonly lines: Uint8Array[] = [];
  /** Whether nothing that is asked for stands before what was looked at. */
  isAtEnd = false;
  /** The oldest of `lines`. */
  oldest: EntryId | undefined;
  /** The oldest entry that was looked at, whoever it was for. */
  passed: EntryId | undefined;
  readonly #range: Range;
  readonly #limit: number;
  readonly #clientLog: Pick<ClientLog, "shows">;
  #bytes = 0;
  #isFull = false;

  constructor(range: Range, clientLog: Pick<ClientLog, "shows">) {
    this.#range = range;
    this.#limit = Math.min(range.limit, MAX_PAGE_ACTIVITIES);
    this.#clientLog = clientLog;
  }

  get isDone(): boolean {
    return this.#isFull || this.isAtEnd;
  }

  /** Takes `segments`, which end where the last ones began. */
  take(segments: readonly Segment[]): void {
    const { from, sinceMs } = this.#range;
    for (const segment of segments.toReversed()) {
      const { position, takenAt } = segment;
      // The clock of a server can be ahead of this one's, but what was taken in before was sent before.
      if (position < from.position || takenAt < sinceMs) this.isAtEnd = true;
      else this.#takeSegment(segment);
      if (this.isDone) return;
    }
  }

  #takeSegment(segment: Segment): void {
    const { position, origin, first, audience } = segment;
    const { to, from } = this.#range;
    const after = position === from.position ? from.sequence ?? 0 : 0;
    const before = position === to.position ? to.sequence : undefined;
    const { filter } = this.#range;
    if (wantedRanges(audience, segment.bytes.length, filter).length > 0) {
      const channelAt = channelsByLine(audience);
      for (const line of linesBackwards(segment, before)) {
        if (line.sequence <= after) break;
        if (!wantsLines(filter, channelAt(line.bytes.byteOffset - segment.bytes.byteOffset))) continue;
        if (!this.#takeLine(segment, line)) return;
      }
    }
    this.passed = { origin, sequence: Math.max(first, after + 1) };
    // What is asked for begins behind an entry of this segment.
    if (after >= first) this.isAtEnd = true;
  }

  /** Gives whether there was room for it. */
  #takeLine(segment: Segment, line: SegmentLine): boolean {
    const { sequence, bytes } = line;
    const { sinceMs } = this.#range;
    const id = { origin: segment.origin, sequence };
    if (!this.#clientLog.shows(segment, line)) return true;
    if (sinceMs > -Infinity && sentAtOf(decoder.decode(bytes), id) < sinceMs) return true;
    const past = pastLine(bytes);
    this.#isFull = this.lines.length === this.#limit ||
      (this.lines.length > 0 && this.#bytes + past.length > MAX_PAGE_BYTES);
    if (this.#isFull) return false;
    this.#bytes += past.length;
    this.lines.push(past);
    this.oldest = this.passed = id;
    return true;
  }
}
