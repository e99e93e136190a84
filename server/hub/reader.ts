/**
 * One connection as a reader of the log: its outlet, its cursor, and where it stands. Acts only through
 * the hub, which owns it.
 */

import type { Cursor } from "../../log/cursor.ts";
import type { Segment } from "../../log/segment.ts";
import type { Outlet } from "../../platform/transport.ts";

/**
 * Where a reader stands:
 * `live`: at the end of the log, and gets every new segment as it comes;
 * `skipping`: at the end too, but it has already got elsewhere some of what will come;
 * `behind`: waits until its outlet takes data again, or for its next share of the turn;
 * `gone`: reads nothing any more.
 * A reader begins as `behind`.
 */
export type ReaderState = "live" | "skipping" | "behind" | "gone";

/** What the hub tells a reader's owner. */
export interface ReaderOwner {
  /** The reader is at the end of the log; called when it gets there, not while it stays. */
  caughtUp(): void;
  /** The reader is behind and its cursor has come to a new place. */
  movedOn(): void;
  /**
   * What a segment that is for its user becomes for it: `bytes` are those lines of it that are to be read; none where
   * the reader has it all.
   */
  forUser(segment: Segment, bytes: Uint8Array): Uint8Array;
  /** What it should read next was forgotten. It reads nothing any more. */
  fellBehind(): void;
  /** A fault on the way to it: nobody knows what it got, so the owner ends it. It reads nothing any more. */
  faulted(): void;
}

/** A cursor with an outlet to write to. */
export class Reader {
  /** Set by the hub alone. */
  state: ReaderState = "behind";
  /** It is read no further than this position. Set by the hub alone. */
  endsAt = Infinity;

  constructor(readonly outlet: Outlet, readonly cursor: Cursor, readonly owner: ReaderOwner) {}
}
