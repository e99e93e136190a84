/** What an index of used message ids is opened with, its bounds, and what it takes. Pure. */

import type { Position, Segment } from "../../../log/segment.ts";

/** The log, as the index reads it. */
export interface IndexedLog {
  /** The newest position that is kept. */
  readonly head: Position;
  /** As `Store.segmentsAfter`. */
  segmentsAfter(position: Position, maxBytes: number): readonly Segment[];
  /** Whether the origin was forgotten whole: then its ids do not count. */
  isBuried(name: string): boolean;
}

/** The bounds of an index. */
export interface IndexSizes {
  /** So many ids in memory go to a file. */
  readonly tableIds: number;
  /** With so many that are not in a file the next turn waits until they are. */
  readonly mostTableIds: number;
  /** After so many bytes of the log a file is written, so that little is read after a crash. */
  readonly logBytes: number;
  /** Memory for the filters of files. */
  readonly filterBytes: number;
}

/** What an index is opened with. */
export interface IndexParts {
  readonly folder: string;
  readonly log: IndexedLog;
  /** When there is no file of the index yet: up to this position the log is not read for ids. */
  readonly baseline?: Position;
  /** Ids used before this are forgotten already; in milliseconds since 1970. */
  readonly usedBefore?: number;
  /** The most ids of clients without a name. */
  readonly maxAnonymous?: number | undefined;
  readonly sizes?: IndexSizes;
  /** Whether everything is done in the turn in which it is due, and waits for the disk there. */
  readonly isInPlace?: boolean;
}

/** What it takes. */
export interface IndexUse {
  readonly memoryBytes: number;
  readonly fileBytes: number;
  /** Forgotten ones included that are still in a file. */
  readonly ids: number;
  readonly files: number;
}

/**
 * Sizes that have proven good: two tables take 10 MB, and 38 MB where the disk cannot follow. The filters of 32 million
 * ids have room.
 */
export const INDEX_SIZES: IndexSizes = {
  tableIds: 98_304,
  mostTableIds: 393_216,
  logBytes: 67_108_864,
  filterBytes: 67_108_864,
};
