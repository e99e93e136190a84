/**
 * Who reads the log here, and the fan-out to them. The bytes of a turn are written as one buffer to all who are at the
 * end of the log; who cannot take them falls behind and is read from the log when its outlet drains. Nothing is queued
 * for anybody: memory does not depend on how slow readers are.
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
  /** What the log has at `head`. */
  readonly vector: Vector;
  /** Segments after `position` in order: at least one if there is one, then as many as fit into `maxBytes`. */
  segmentsAfter(position: Position, maxBytes: number): readonly Segment[];
}

/** Read for one reader at once: large enough for the disk, small enough that many readers share the turn. */
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
   * As `join`, but reads nothing before `readOn` is called: something else is to be written first. Meanwhile it is told
   * when it falls behind.
   */
  enter(reader: Reader): void {
    this.#behind.add(reader);
  }

  /** Ends it. What is already written to its outlet stays there. */
  leave(reader: Reader): void {
    if (reader.state === "live") reader.cursor.position = this.#log.head;
    this.#move(reader, "gone");
  }

  /** Reads what is in the log by now for it, and nothing that comes later. Then it is gone. */
  finish(reader: Reader): void {
    if (reader.state === "behind") reader.endsAt = this.#log.head;
    else this.leave(reader);
  }

  /**
   * Reads on for one that is behind: its outlet takes data again, it has asked for more, or what was to
   * be written first is.
   */
  readOn(reader: Reader): void {
    if (reader.state === "behind") this.#read(reader);
  }

  /** The log has forgotten something at and before `position`: whoever had still to read it is told. */
  forgot(position: Position): void {
    for (const reader of this.#behind) {
      if (reader.cursor.position >= position) continue;
      this.#fellBehind(reader);
    }
  }

  /**
   * The log goes on after `before` with something missing in between; `holes` says of each such origin up to where.
   * Whoever has not got all of that elsewhere is told, and gets nothing of what follows: it stands at `before`, or
   * where it was. All others read on.
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
   * Sends what was just added to the log: the segments between the former head and the log's. Called
   * once for each commit.
   */
  deliver(segments: readonly Segment[]): void {
    const forEveryone = segments.filter((segment) => segment.audience.kind === "everyone");
    const users = new Set(segments.map(({ audience }) => audience.kind === "user" ? audience.username : undefined));
    users.delete(undefined);
    const bytes = joinBytes(forEveryone.map((segment) => segment.bytes));
    const before = segments[0]!.position - 1;
    // The set may shrink on the way: a reader whose outlet is full leaves it.
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
        // Once more is better than not at all, for whoever is remembered by this place.
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

  /** A fault on the way to one reader is nobody else's. */
  #guarded(reader: Reader, act: () => void): void {
    guarded(this.#faults, "delivery", act, () => this.#cut(reader));
  }

  /** It is not known what it got. */
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
    const wasBehind = reader.state === "behind";
    // Once it is here every segment passes through `readSegment`, which sees to that.
    if (wasBehind) dropPassed(reader.cursor, this.#log.vector);
    if (reader.endsAt < Infinity) this.#move(reader, "gone");
    else this.#move(reader, reader.cursor.ahead.size === 0 ? "live" : "skipping");
    if (wasBehind) reader.owner.caughtUp();
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
