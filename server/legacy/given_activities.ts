/**
 * The activities that servers of the older dialect were given, by the times under which they got them. Such a server
 * keeps an activity under an id of its own, and sends it back with its history. So it is recognised by its time and its
 * content. All of that follows from the log (`send_times.ts`): a server that was started anew recognises what it gave
 * out before. Only the newest part of the log counts; it is read in the background.
 */

import { RecentMap } from "../../log/recent.ts";
import type { Position } from "../../log/segment.ts";
import type { Clock, Timer } from "../../platform/clock.ts";
import { rawValue } from "../../protocol/raw_json.ts";
import type { Journal } from "../journal/journal.ts";
import { contentOf } from "./activity_content.ts";
import type { LegacyActivity } from "./activity_order.ts";
import { activitiesIn, nextSendTime, sentIn, type SentSegment } from "./send_times.ts";

/** What it is made with. */
export interface GivenActivitiesParts {
  readonly journal: Pick<Journal, "head" | "segmentsAfter">;
  readonly clock: Pick<Clock, "after" | "wallMs">;
  /** Older activities are taken from no history, so nothing is asked about them. */
  readonly rememberedMs: number;
  /** All of the log that counts was read, after a while in which it was not. */
  ready(): void;
}

/**
 * Whose an activity is: `"ours"` when it was given out here, `"theirs"` when it was not, `"unknown"` when it is older
 * than what is known.
 */
export type Giver = "ours" | "theirs" | "unknown";

/** An activity of the log, and where it stands. */
interface Given {
  readonly sendTime: number;
  readonly position: Position;
}

/** How far reading from the end to the beginning has come: block by block, each block forwards. */
interface ReadingBack {
  readonly head: Position;
  /** The block is what lies after `after`, up to `upTo`. */
  after: Position;
  upTo: Position;
  readTo: Position;
  block: SentSegment[];
  /** Segments of blocks that were read, oldest block first. */
  segments: SentSegment[];
  activities: number;
  bytes: number;
  blockSize: number;
}

/** Activities that are remembered: some 10 MB. */
const MAX_ACTIVITIES = 100_000;
/** Of the log that is read at most. */
const MAX_BYTES = 67_108_864;
/** Segments of a block; twice as many after a block in which the log has nothing any more. */
const FIRST_BLOCK = 64;
/** How much of the log is read at once, and how often in one turn. */
const READ_BYTES = 131_072;
const READS_PER_TURN = 8;

/** What one server gave. */
export class GivenActivities {
  readonly #parts: GivenActivitiesParts;
  #given = new RecentMap<number, Given>(MAX_ACTIVITIES);
  /** Nothing of the log was read before the first of these servers came. */
  #readTo: Position | undefined;
  #back: ReadingBack | undefined;
  #lastSendTime = -Infinity;
  #unknownUpTo = -Infinity;
  /** The contents of the segment that was looked at last. */
  #contents: { readonly position: Position; readonly texts: ReadonlySet<string> } | undefined;
  #timer: Timer | undefined;
  /** Whether `ready` is to be called. */
  #hasWaited = false;

  constructor(parts: GivenActivitiesParts) {
    this.#parts = parts;
  }

  /** The newest send time. */
  get lastSendTime(): number {
    return this.#lastSendTime;
  }

  /** Whether it is still read what was given: `whose` cannot tell. */
  get isReading(): boolean {
    return this.#back !== undefined || this.#readTo !== this.#parts.journal.head;
  }

  /** Reads what was not read yet: a part at once, and the rest soon. */
  read(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const { head } = this.#parts.journal;
    if (this.#readTo === undefined || head - this.#readTo > MAX_ACTIVITIES) this.#begin(head);
    for (let reads = 0; reads < READS_PER_TURN && this.isReading; reads++) {
      if (this.#back === undefined) this.#readForwards();
      else this.#readBack(this.#back);
    }
    const hasWaited = this.#hasWaited;
    this.#hasWaited = this.isReading;
    if (this.isReading) this.#timer = this.#parts.clock.after(0, () => this.read());
    else if (hasWaited) this.#parts.ready();
  }

  /** The activity of the segment at `position` was given with this send time. */
  gave(sendTime: number, position: Position): void {
    this.#lastSendTime = Math.max(this.#lastSendTime, sendTime);
    this.#remember(sendTime, position);
  }

  /** Whose an activity is that comes from such a server. */
  whose(activity: LegacyActivity): Giver {
    if (!activity.isTimed) return "theirs";
    const { sendTime, text } = activity;
    const given = this.#given.get(sendTime);
    if (given !== undefined && this.#has(given.position, text)) return "ours";
    return sendTime <= this.#unknownUpTo ? "unknown" : "theirs";
  }

  stop(): void {
    this.#timer?.cancel();
  }

  // ---- the log ---------------------------------------------------------------------------------------------------

  #begin(head: Position): void {
    this.#given = new RecentMap(MAX_ACTIVITIES);
    this.#readTo = 0;
    const after = Math.max(0, head - FIRST_BLOCK);
    this.#back = {
      ...{ head, after, upTo: head, readTo: after, block: [], segments: [] },
      ...{ activities: 0, bytes: 0, blockSize: FIRST_BLOCK },
    };
  }

  #readBack(back: ReadingBack): void {
    const segments = this.#parts.journal.segmentsAfter(back.readTo, READ_BYTES);
    for (const segment of segments) {
      if (segment.position > back.upTo) break;
      const sentSegment = sentIn(segment);
      back.block.push(sentSegment);
      back.activities += sentSegment.sent.length;
      back.bytes += segment.bytes.length;
    }
    const last = segments.at(-1);
    if (last !== undefined && last.position < back.upTo) {
      back.readTo = last.position;
      return;
    }
    back.segments = [...back.block, ...back.segments];
    if (back.after === 0 || this.#isEnough(back)) return this.#finish(back);
    if (back.block.length === 0) back.blockSize *= 2;
    back.block = [];
    back.upTo = back.after;
    back.after = Math.max(0, back.after - back.blockSize);
    back.readTo = back.after;
  }

  #isEnough({ activities, bytes, segments }: ReadingBack): boolean {
    const { clock, rememberedMs } = this.#parts;
    const oldest = segments.find(({ sent }) => sent.length > 0)?.sent[0]?.sentAt ?? Infinity;
    return activities >= MAX_ACTIVITIES || bytes >= MAX_BYTES || oldest < clock.wallMs() - rememberedMs;
  }

  #finish({ head, after, segments }: ReadingBack): void {
    this.#back = undefined;
    this.#readTo = head;
    const first = segments.findIndex(({ sent }) => sent.length > 0);
    // What was forgotten, or was not read, may have been given out too.
    const isWhole = first < 0 || (after === 0 && segments[first]!.position === first + 1);
    if (!isWhole) this.#unknownUpTo = Math.max(this.#unknownUpTo, segments[first]!.sent[0]!.sentAt);
    for (const segment of segments) this.#take(segment, true);
  }

  #readForwards(): void {
    const { journal } = this.#parts;
    const segments = journal.segmentsAfter(this.#readTo!, READ_BYTES);
    for (const segment of segments) this.#take(sentIn(segment), false);
    this.#readTo = segments.at(-1)?.position ?? journal.head;
  }

  /**
   * `wasHere`: it was in the log before this server was started. Of what came since it is known who got it (`gave`):
   * what one of these servers has brought was not given to that one, which may send the same again.
   */
  #take({ position, sent }: SentSegment, wasHere: boolean): void {
    for (const { sentAt, isFromOlder } of sent) {
      this.#lastSendTime = nextSendTime(sentAt, this.#lastSendTime);
      if (wasHere || !isFromOlder) this.#remember(this.#lastSendTime, position);
    }
  }

  #remember(sendTime: number, position: Position): void {
    const forgotten = this.#given.set(sendTime, { sendTime, position });
    if (forgotten !== undefined) this.#unknownUpTo = Math.max(this.#unknownUpTo, forgotten.sendTime);
  }

  /** Whether this activity is in the segment at `position`. Of one that the log has forgotten its time has to do. */
  #has(position: Position, text: string): boolean {
    if (this.#contents?.position !== position) {
      const [segment] = this.#parts.journal.segmentsAfter(position - 1, 0);
      if (segment?.position !== position) return true;
      const texts = activitiesIn(segment).map((line) => contentOf(rawValue(line, "activity")!));
      this.#contents = { position, texts: new Set(texts) };
    }
    return this.#contents.texts.has(contentOf(text));
  }
}
