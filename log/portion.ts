/**
 * The next portion of the log for one reader. Where the log stands on a disk, segments in which the reader wants
 * nothing are passed over and not read, so a portion says how far it goes. Pure.
 */

import { type Filter, wantedRanges } from "./channel_lines.ts";
import type { Position, Segment } from "./segment.ts";

/** What a reader wants of the log; a cursor says that (`cursor.ts`). */
export interface Wanted {
  readonly filter: Filter;
  /** The user whose direct messages it reads; `undefined` for none. */
  readonly username: string | undefined;
}

/** A part of the log, without segments that its reader does not want. */
export interface LogPortion {
  /** In order. Some may have nothing for the reader all the same. */
  readonly segments: readonly Segment[];
  /** The reader has got all that it wants up to here. Where this is where it stood, the log is at its end. */
  readonly upTo: Position;
}

/** Whether a segment has something for the reader. */
export function isWanted({ audience, bytes }: Segment, { filter, username }: Wanted): boolean {
  if (audience.kind === "user") return audience.username === username;
  return wantedRanges(audience, bytes.length, filter).length > 0;
}

/** The portion that these segments are, which follow `position` in the log. */
export function portionOf(segments: readonly Segment[], position: Position, wanted: Wanted): LogPortion {
  return {
    segments: segments.filter((segment) => isWanted(segment, wanted)),
    upTo: segments.at(-1)?.position ?? position,
  };
}
