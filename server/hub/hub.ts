/**
 * The readers of the log at this server, and the fan-out to them. The hub writes the bytes of a turn as one buffer to
 * all readers at the end of the log that want the same channels (`reader_groups.ts`). A reader whose outlet is full
 * falls behind. The hub reads the log for it when the outlet drains. No reader has a queue, so memory does not depend
 * on how slow readers are.
 */

import { dropPassed, hasAhead, readSegment } from "../../log/cursor.ts";
import { lostLinesIn } from "../../log/forgotten_lines.ts";
import type { LogPortion, Wanted } from "../../log/portion.ts";
import { hasActivities, type Position, type Segment } from "../../log/segment.ts";
import type { Vector } from "../../log/vector.ts";
import type { Clock, Timer } from "../../platform/clock.ts";
import { type FaultGuard, guarded, UNGUARDED } from "../../platform/faults.ts";
import { NO_CHANNEL } from "../../protocol/channels/channel_name.ts";
import type { PatternSet } from "../../protocol/channels/pattern_set.ts";
import { joinBytes } from "../../protocol/join_bytes.ts";
import { lineBytes } from "../../protocol/server_codec.ts";
import { afterPause, CLIENT_SHARE, pump, type ReadOutcome } from "./pump.ts";
import type { Reader, ReaderState } from "./reader.ts";
import { ReaderGroups } from "./reader_groups.ts";

/** What the hub needs of the log. */
export interface ReadableLog {
  /** The newest segment's position. */
  readonly head: Position;
  /** The entries that the log has at `head`, by origin. */
  readonly vector: Vector;
  /** As `Store.portionAfter`. */
  portionAfter(position: Position, maxBytes: number, wanted: Wanted): LogPortion;
}

/** The bytes that one read takes: enough for the disk, and few enough that many readers share the turn. */
const READ_BYTES = 131_072;

/** How often a reader is told where it stands, in milliseconds, while the log moves on. */
const POSITION_MS = 10_000;
/**
 * After so many activities it is told sooner, but not sooner than after this time: many readers of quiet channels would
 * cost more than what is published.
 */
const POSITION_ACTIVITIES = 1_000;
const LEAST_POSITION_MS = 1_000;
const NO_CHANNELS: ReadonlyMap<string, Position> = new Map();

/** The readers of one server. */
export class Hub {
  readonly #log: ReadableLog;
  readonly #clock: Clock;
  /** All readers, by the channels that they want. */
  readonly #groups = new ReaderGroups<Reader>();
  readonly #skipping = new Set<Reader>();
  readonly #behind = new Set<Reader>();
  /** Readers that are told where they stand. */
  readonly #told = new Set<Reader>();
  /** The newest segments with activities, and with some of channels: those that may have passed a reader by. */
  #newest: Position = 0;
  #newestOfChannels: Position = 0;
  /** How many of them do not read what has no channel: every activity may pass these by. */
  #toldWithout = 0;
  /** Tells them, and whether that is sooner than after `POSITION_MS`. */
  #tellPositions: Timer | undefined;
  #isSoon = false;
  #toldAtMs = -Infinity;
  /** Activities that may have passed readers by since they were told. */
  #passed = 0;
  readonly #faults: FaultGuard;
  readonly #readOnce = (reader: Reader): ReadOutcome => this.#readPortion(reader);

  constructor(log: ReadableLog, clock: Clock, faults: FaultGuard = UNGUARDED) {
    this.#log = log;
    this.#clock = clock;
    this.#faults = faults;
  }

  /** How many read each channel here. */
  get readersOfChannels(): ReaderGroups<Reader>["counts"] {
    return this.#groups.counts;
  }

  /** Channels and patterns of all readers. Those who read the same count once. */
  get patternCount(): number {
    return this.#groups.patternCount;
  }

  /** Begins to read for `reader`, from its cursor. */
  join(reader: Reader): void {
    this.enter(reader);
    this.#read(reader);
  }

  /**
   * As `join`, but reads nothing before `readOn` is called, as something else has to be written first. The hub tells
   * the reader meanwhile when it falls behind.
   */
  enter(reader: Reader): void {
    reader.group = this.#groups.enter(reader.wants);
    this.#behind.add(reader);
    if (reader.isTold) this.#told.add(reader);
    this.#count(reader, 1);
  }

  #count({ isTold, wants }: Reader, by: number): void {
    if (isTold && !wants.wants(NO_CHANNEL)) this.#toldWithout += by;
  }

  /** From where `reader` stands on, it reads these channels. Nobody else feels it. */
  wants(reader: Reader, wants: PatternSet): void {
    const { group } = reader;
    if (group === undefined) return;
    this.#count(reader, -1);
    reader.wants = wants;
    this.#count(reader, 1);
    reader.group = this.#groups.enter(wants);
    if (group.live.delete(reader)) reader.group.live.add(reader);
    this.#groups.leave(group);
  }

  /** Ends the reader. Bytes that are already in its outlet stay there. */
  leave(reader: Reader): void {
    if (reader.state === "live") reader.cursor.position = this.#log.head;
    this.#move(reader, "gone");
  }

  /** Gives the reader what is in the log now, and nothing later. Then the reader is gone. */
  finish(reader: Reader): void {
    if (reader.state === "behind") reader.endsAt = this.#log.head;
    else this.leave(reader);
  }

  /**
   * Reads on for a reader that is behind. Its outlet takes data again, it has asked for more, or the bytes that had to
   * be first are written.
   */
  readOn(reader: Reader): void {
    if (reader.state === "behind") this.#read(reader);
  }

  /**
   * The log has forgotten entries up to `position`, and of each of `channels` up to a position of its own. Readers that
   * had not read them yet are told.
   */
  forgot(position: Position, channels: ReadonlyMap<string, Position> = NO_CHANNELS): void {
    for (const reader of this.#behind) {
      const { cursor } = reader;
      const isLost = ([channel, upTo]: readonly [string, Position]) =>
        cursor.position < upTo && cursor.filter.wants(channel);
      if (cursor.position < position || [...channels].some(isLost)) this.#fellBehind(reader);
    }
  }

  /**
   * The log goes on after `before`, and entries are missing in between. `holes` has the last missing entry of each
   * origin. A reader that has not got all of them elsewhere is told, and gets nothing that follows. It stays at
   * `before`, or where it was. All other readers read on.
   */
  skipped(before: Position, holes: Vector): void {
    this.#tellLost(before, ({ cursor }) => !hasAhead(cursor, holes));
  }

  /**
   * These are the next segments, and some of their lines were forgotten before they came. A reader of one of their
   * channels that has not got them elsewhere is told, as with `skipped`.
   */
  lacks(segments: readonly Segment[]): void {
    const lost = segments.flatMap((segment) =>
      lostLinesIn(segment).map(({ name, last }) => ({ origin: segment.origin, name, last }))
    );
    if (lost.length === 0) return;
    this.#tellLost(
      segments[0]!.position - 1,
      ({ cursor: { filter, ahead } }) =>
        lost.some(({ name, origin, last }) => filter.wants(name) && (ahead.get(origin) ?? 0) < last),
    );
  }

  #tellLost(before: Position, hasLost: (reader: Reader) => boolean): void {
    for (const reader of [...this.#live(), ...this.#skipping, ...this.#behind]) {
      if (!hasLost(reader)) continue;
      if (reader.state !== "behind") reader.cursor.position = before;
      this.#fellBehind(reader);
    }
  }

  /** How far `reader` has been sent the log. */
  positionOf(reader: Reader): Position {
    return reader.state === "live" ? this.#log.head : reader.cursor.position;
  }

  /**
   * Sends the segments that were just added to the log: those after the former head. Called once for each commit.
   */
  deliver(segments: readonly Segment[]): void {
    const users = new Set(segments.map(({ audience }) => audience.kind === "user" ? audience.username : undefined));
    users.delete(undefined);
    const before = segments[0]!.position - 1;
    for (const [{ live }, bytes] of this.#groups.buffersOf(segments)) {
      // The set may shrink meanwhile: a reader whose outlet is full leaves it.
      for (const reader of live) {
        if (users.size === 0 || !users.has(reader.cursor.username)) this.#deliverTo(reader, bytes, before);
      }
    }
    if (users.size > 0) {
      for (const reader of this.#live()) {
        if (users.has(reader.cursor.username)) this.#readAgain(reader, before);
      }
    }
    for (const reader of this.#skipping) this.#guarded(reader, () => this.#read(reader));
    if (this.#told.size > 0) this.#passedBy(segments);
  }

  /** Some readers may get nothing of `segments`. */
  #passedBy(segments: readonly Segment[]): void {
    let count = 0;
    for (const { position, audience, first, last } of segments) {
      if (audience.kind === "channels") this.#newestOfChannels = position;
      if (!hasActivities(audience)) continue;
      this.#newest = position;
      count += last - first + 1;
    }
    const newest = this.#toldWithout > 0 ? this.#newest : this.#newestOfChannels;
    if (newest < segments[0]!.position) return;
    this.#passed += count;
    if (this.#passed < POSITION_ACTIVITIES) this.#tellPositions ??= this.#tellAfter(POSITION_MS);
    else if (!this.#isSoon) {
      this.#tellPositions?.cancel();
      this.#isSoon = true;
      this.#tellPositions = this.#tellAfter(Math.max(0, this.#toldAtMs + LEAST_POSITION_MS - this.#clock.nowMs()));
    }
  }

  #tellAfter(delayMs: number): Timer {
    return this.#clock.after(delayMs, () => this.#positionsDue());
  }

  *#live(): Iterable<Reader> {
    for (const { live } of this.#groups) yield* live;
  }

  #deliverTo(reader: Reader, bytes: Uint8Array, before: Position): void {
    try {
      if (!reader.outlet.write(bytes)) {
        reader.cursor.position = this.#log.head;
        this.#move(reader, "behind");
        reader.owner.movedOn();
      }
    } catch (error) {
      this.#faultyDelivery(reader, before, error);
    }
  }

  /** Some of the turn is for its user alone, so the reader gets all of the turn in its order. */
  #readAgain(reader: Reader, before: Position): void {
    try {
      reader.cursor.position = before;
      this.#read(reader);
    } catch (error) {
      this.#faultyDelivery(reader, before, error);
    }
  }

  #faultyDelivery(reader: Reader, before: Position, error: unknown): void {
    this.#faults.caught("delivery", error);
    // A user whose place this is gets an entry twice rather than never.
    if (reader.state === "live") reader.cursor.position = before;
    this.#cut(reader);
  }

  /** Readers of quiet channels are told how far the log is: else their vectors grow old. */
  #positionsDue(): void {
    this.#tellPositions = undefined;
    this.#isSoon = false;
    this.#passed = 0;
    this.#toldAtMs = this.#clock.nowMs();
    const { head, vector } = this.#log;
    let line: Uint8Array | undefined;
    for (const reader of this.#told) {
      // One that is not at the end is told later.
      if (reader.state !== "live" || !this.#mayHaveMissed(reader)) continue;
      line ??= lineBytes({ command: "POSITION", vector });
      reader.toldAt = head;
      this.#deliverTo(reader, line, head);
    }
  }

  /** Whether something has passed it by since it was told. */
  #mayHaveMissed({ wants, toldAt }: Reader): boolean {
    if (wants.isEverything) return false;
    return toldAt < (wants.wants(NO_CHANNEL) ? this.#newestOfChannels : this.#newest);
  }

  #fellBehind(reader: Reader): void {
    this.#move(reader, "gone");
    this.#guarded(reader, () => reader.owner.fellBehind());
  }

  /** A fault in writing to one reader touches no other reader. */
  #guarded(reader: Reader, act: () => void): void {
    guarded(this.#faults, "delivery", act, () => this.#cut(reader));
  }

  /** Nobody knows what the reader got. */
  #cut(reader: Reader): void {
    this.#move(reader, "gone");
    reader.owner.faulted();
  }

  #read(reader: Reader): void {
    const outcome = pump(this.#clock, CLIENT_SHARE, reader, this.#readOnce);
    if (outcome === "end") return this.#atEnd(reader);
    this.#move(reader, "behind");
    reader.owner.movedOn();
    if (outcome === "paused") afterPause(this.#clock, () => this.#guarded(reader, () => this.readOn(reader)));
  }

  #readPortion(reader: Reader): ReadOutcome {
    const { cursor, outlet } = reader;
    const { segments, upTo } = this.#log.portionAfter(cursor.position, READ_BYTES, cursor);
    const end = Math.min(upTo, reader.endsAt);
    if (end <= cursor.position) return "end";
    const parts: Uint8Array[] = [];
    for (const segment of segments) {
      if (segment.position > end) break;
      let bytes = readSegment(cursor, segment);
      const { audience } = segment;
      const isForUser = audience.kind === "user" && audience.username === cursor.username;
      if (isForUser) bytes = reader.owner.forUser(segment, bytes);
      if (bytes.length > 0) parts.push(bytes);
    }
    // What stands between was not for it, and was not read.
    cursor.position = end;
    const isFull = parts.length > 0 && !outlet.write(joinBytes(parts));
    return isFull ? "full" : "more";
  }

  #atEnd(reader: Reader): void {
    const { state } = reader;
    const wasBehind = state === "behind";
    // The login has said where it is now.
    if (reader.toldAt === 0) reader.toldAt = this.#log.head;
    // Once it is here every segment passes through `readSegment`, which sees to that.
    if (wasBehind) dropPassed(reader.cursor, this.#log.vector);
    if (reader.endsAt < Infinity) this.#move(reader, "gone");
    else this.#move(reader, reader.cursor.ahead.size === 0 ? "live" : "skipping");
    if (wasBehind) reader.owner.caughtUp();
    else if (reader.state !== state) reader.owner.passedAhead();
  }

  #move(reader: Reader, state: ReaderState): void {
    if (reader.state === state) return;
    this.#setOf(reader)?.delete(reader);
    reader.state = state;
    this.#setOf(reader)?.add(reader);
    if (state === "gone") this.#forget(reader);
  }

  #forget(reader: Reader): void {
    if (reader.group === undefined) return;
    this.#groups.leave(reader.group);
    reader.group = undefined;
    this.#count(reader, -1);
    this.#told.delete(reader);
    if (this.#told.size > 0) return;
    this.#tellPositions?.cancel();
    this.#tellPositions = undefined;
    this.#isSoon = false;
  }

  #setOf({ state, group }: Reader): Set<Reader> | undefined {
    return state === "live"
      ? group?.live
      : state === "skipping"
      ? this.#skipping
      : state === "behind"
      ? this.#behind
      : undefined;
  }
}
