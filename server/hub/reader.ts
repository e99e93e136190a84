/**
 * One connection as a reader of the log: its outlet, its cursor, and its state. The hub owns the reader, and alone acts
 * for it.
 */

import type { Cursor } from "../../log/cursor.ts";
import type { Segment } from "../../log/segment.ts";
import { type PatternSet, WITHOUT_CHANNEL } from "../../protocol/channels/pattern_set.ts";
import type { Outlet } from "../../platform/transport.ts";
import type { ReaderGroup } from "./reader_groups.ts";

/**
 * The state of a reader:
 * `live`: it is at the end of the log, and gets every new segment at once;
 * `skipping`: it is at the end, too, and has got some of the next entries elsewhere;
 * `behind`: it waits until its outlet takes data again, or for its next share of the turn;
 * `gone`: it reads nothing any more.
 * A reader begins as `behind`.
 */
export type ReaderState = "live" | "skipping" | "behind" | "gone";

/** What the hub tells a reader's owner. */
export interface ReaderOwner {
  /** The reader has come to the end of the log. Called when it gets there, not while it stays. */
  caughtUp(): void;
  /**
   * The reader is at the end of the log, and the log has come past all that the reader had got elsewhere. Called when
   * that happens there, not when the reader comes to the end with nothing of that left.
   */
  passedAhead(): void;
  /** The reader is behind and its cursor has come to a new place. */
  movedOn(): void;
  /**
   * The lines of a segment for its user that this reader still has to get. None if the reader has all of them.
   */
  forUser(segment: Segment, bytes: Uint8Array): Uint8Array;
  /** The log has forgotten its next entries. The reader reads nothing any more. */
  fellBehind(): void;
  /** A fault in writing to it. Nobody knows what it got, so the owner ends it. It reads nothing any more. */
  faulted(): void;
}

/** A cursor with an outlet to write to. */
export class Reader {
  /** Set by the hub alone. */
  state: ReaderState = "behind";
  /** The hub reads no further than this position for it. Set by the hub alone. */
  endsAt = Infinity;
  /** Those that want the same. Set by the hub alone, while it is not gone. */
  group: ReaderGroup<Reader> | undefined;
  /** The end of the log when it was told last where it stands. Set by the hub alone. */
  toldAt = 0;

  constructor(
    readonly outlet: Outlet,
    readonly cursor: Cursor,
    readonly owner: ReaderOwner,
    /** The channels that it reads first. */
    wants: PatternSet = WITHOUT_CHANNEL,
    /** Whether it is told where it stands while much passes that is not for it. */
    readonly isTold = false,
  ) {
    this.wants = wants;
  }

  /** The channels that it reads. Changed by the hub alone. */
  get wants(): PatternSet {
    return this.#wants;
  }

  set wants(wants: PatternSet) {
    this.#wants = wants;
    this.cursor.filter = wants;
  }

  #wants!: PatternSet;
}
