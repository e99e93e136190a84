/**
 * The readers of the log at this server, and the fan-out to them. The hub writes the bytes of a turn as one buffer to
 * all readers at the end of the log. A reader whose outlet is full falls behind. The hub reads the log for it when the
 * outlet drains. No reader has a queue, so memory does not depend on how slow readers are.
 */

import { dropPassed, hasAhead, readSegment } from "../../log/cursor.ts";
import type { Position, Segment } from "../../log/segment.ts";
import type { Vector } from "../../log/vector.ts";
import type { Clock } from "../../platform/clock.ts";
import { type FaultGuard, guarded, UNGUARDED } from "../../platform/faults.ts";
import { joinBytes } from "../../protocol/join_bytes.ts";
import { afterPause, CLIENT_SHARE, pump, type ReadOutcome } from "./pump.ts";
import type { Reader, ReaderState } from "./reader.ts";

/** What the hub needs of the log. */
export interface ReadableLog {
  /** The newest segment's position. */
  readonly head: Position;
  /** The entries that the log has at `head`, by origin. */
  readonly vector: Vector;
  /** Segments after `position` in order: at least one if there is one, then as many as fit into `maxBytes`. */
  segmentsAfter(position: Position, maxBytes: number): readonly Segment[];
}

/** The bytes that one read takes: enough for the disk, and few enough that many readers share the turn. */
const READ_BYTES = 131_072;

/** The readers of one server. */
export class Hub {
  readonly #log: ReadableLog;
  readonly #clock: Clock;
  readonly #live = new Set<Reader>();
  readonly #skipping = new Set<Reader>();
  readonly #behind = new Set<Reader>();
  readonly #faults: FaultGuard;
  readonly #readOnce = (reader: Reader): ReadOutcome => this.#readPortion(reader);

  constructor(log: ReadableLog, clock: Clock, faults: FaultGuard = UNGUARDED) {
    this.#log = log;
    this.#clock = clock;
    this.#faults = faults;
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
    this.#behind.add(reader);
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

  /** The log has forgotten entries up to `position`. Readers that had not read them yet are told. */
  forgot(position: Position): void {
    for (const reader of this.#behind) {
      if (reader.cursor.position >= position) continue;
      this.#fellBehind(reader);
    }
  }

  /**
   * The log goes on after `before`, and entries are missing in between. `holes` has the last missing entry of each
   * origin. A reader that has not got all of them elsewhere is told, and gets nothing that follows. It stays at
   * `before`, or where it was. All other readers read on.
   */
  skipped(before: Position, holes: Vector): void {
    for (const reader of [...this.#live, ...this.#skipping, ...this.#behind]) {
      if (hasAhead(reader.cursor, holes)) continue;
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
    const forEveryone = segments.filter((segment) => segment.audience.kind === "everyone");
    const users = new Set(segments.map(({ audience }) => audience.kind === "user" ? audience.username : undefined));
    users.delete(undefined);
    const bytes = joinBytes(forEveryone.map((segment) => segment.bytes));
    const before = segments[0]!.position - 1;
    // The set may shrink meanwhile: a reader whose outlet is full leaves it.
    for (const reader of this.#live) {
      try {
        if (users.size > 0 && users.has(reader.cursor.username)) {
          reader.cursor.position = before;
          this.#read(reader);
        } else if (bytes.length > 0 && !reader.outlet.write(bytes)) {
          reader.cursor.position = this.#log.head;
          this.#move(reader, "behind");
          reader.owner.movedOn();
        }
      } catch (error) {
        this.#faults.caught("delivery", error);
        // A user whose place this is gets an entry twice rather than never.
        if (reader.state === "live") reader.cursor.position = before;
        this.#cut(reader);
      }
    }
    for (const reader of this.#skipping) this.#guarded(reader, () => this.#read(reader));
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
    const segments = this.#log.segmentsAfter(cursor.position, READ_BYTES);
    if (segments.length === 0 || segments[0]!.position > reader.endsAt) return "end";
    const parts: Uint8Array[] = [];
    for (const segment of segments) {
      if (segment.position > reader.endsAt) break;
      let bytes = readSegment(cursor, segment);
      const { audience } = segment;
      const isForUser = audience.kind === "user" && audience.username === cursor.username;
      if (isForUser) bytes = reader.owner.forUser(segment, bytes);
      if (bytes.length > 0) parts.push(bytes);
    }
    const isFull = parts.length > 0 && !outlet.write(joinBytes(parts));
    return isFull ? "full" : "more";
  }

  #atEnd(reader: Reader): void {
    const { state } = reader;
    const wasBehind = state === "behind";
    // Once it is here every segment passes through `readSegment`, which sees to that.
    if (wasBehind) dropPassed(reader.cursor, this.#log.vector);
    if (reader.endsAt < Infinity) this.#move(reader, "gone");
    else this.#move(reader, reader.cursor.ahead.size === 0 ? "live" : "skipping");
    if (wasBehind) reader.owner.caughtUp();
    else if (reader.state !== state) reader.owner.passedAhead();
  }

  #move(reader: Reader, state: ReaderState): void {
    if (reader.state === state) return;
    this.#setOf(reader.state)?.delete(reader);
    reader.state = state;
    this.#setOf(state)?.add(reader);
  }

  #setOf(state: ReaderState): Set<Reader> | undefined {
    return state === "live"
      ? this.#live
      : state === "skipping"
      ? this.#skipping
      : state === "behind"
      ? this.#behind
      : undefined;
  }
}
