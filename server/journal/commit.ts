/** What the journal hands on when a turn is in the store. Types only. What follows is `server/node/after_commit.ts`. */

import type { Segment } from "../../log/segment.ts";
import type { Vector } from "../../log/vector.ts";

/** One turn that is committed: this server's store has all of it, and nobody was told yet. */
export interface Commit {
  /** The entries, which are the end of the log now. Empty where nothing was added to the log. */
  readonly segments: readonly Segment[];
  /**
   * By origin: the last entry that is missing before `segments`, as it was forgotten elsewhere.
   * `undefined` without such holes.
   */
  readonly holes: Vector | undefined;
  /** Who asked to be told that the turn is committed. */
  readonly waiting: Iterable<AwaitingCommit>;
  /** These names have accounts now. */
  readonly names: readonly string[];
  /** The accounts that these names had here do not hold any more: other servers had older claims. */
  readonly lostAccounts: readonly string[];
  /** Called when all of the turn was delivered. Each may begin sessions and end turns. */
  readonly registrations: readonly (() => void)[];
}

/** Who is to be told that what it gave to the journal is committed. */
export interface AwaitingCommit {
  committed(): void;
  /** `committed` has thrown: what it belongs to is to be cut. The others are told all the same. */
  faulted?(): void;
}
