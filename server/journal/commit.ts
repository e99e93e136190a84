/** The result of a turn that is in the store. Types only. `server/node/after_commit.ts` says what follows. */

import type { Segment } from "../../log/segment.ts";
import type { Vector } from "../../log/vector.ts";

/** One committed turn: this server's store has all of it, and nobody was told yet. */
export interface Commit {
  /** The entries, now the end of the log. Empty if nothing was added to the log. */
  readonly segments: readonly Segment[];
  /**
   * By origin: the last missing entry before `segments`. Other servers have forgotten it. `undefined` without such
   * holes.
   */
  readonly holes: Vector | undefined;
  /** The parts of the server that asked to be told of the commit. */
  readonly waiting: Iterable<AwaitingCommit>;
  /** These names have accounts now. */
  readonly names: readonly string[];
  /** The accounts of these names here do not hold any more: other servers had older claims. */
  readonly lostAccounts: readonly string[];
  /** Called after all of the turn was delivered. Each of them may begin sessions and end turns. */
  readonly registrations: readonly (() => void)[];
}

/** Something that waits until its entries are committed. */
export interface AwaitingCommit {
  committed(): void;
  /**
   * The turn has ended, and will be committed later, when others may have ended already. Gives who is to be told of
   * this one. Without it that is the same one for every turn.
   */
  sealed?(): AwaitingCommit;
  /** `committed` has thrown: its connection has to be cut. All others are told all the same. */
  faulted?(): void;
}
