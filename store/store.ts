/**
 * What a server keeps: its log, the accounts, which message ids were used, and where plain clients stood. `memory_store.ts` and
 * `sqlite_store.ts` are the same to all who use them: `tests/contract/store_contract.ts` puts both through one suite.
 * A batch is taken whole or not at all, and is there after a crash of the program as soon as `commit` has returned.
 */

import type { Position, Segment } from "../log/segment.ts";
import type { Vector } from "../log/vector.ts";

/** A registered user. Where the account came from decides between two that claim one name: the lower (lamport, origin) wins. */
export interface Account {
  readonly username: string;
  /** What a secret is checked against (accounts/secret.ts); never the secret. */
  readonly verifier: string;
  readonly lamport: number;
  readonly origin: string;
}

/** That `username` published entry `origin:sequence` under a `messageId` of its own choice. */
export interface UsedMessageId {
  readonly username: string;
  readonly messageId: string;
  readonly origin: string;
  readonly sequence: number;
  /** Milliseconds since 1970; forgotten after the retention time. */
  readonly usedAt: number;
}

/**
 * How far a plain client's connection got, as it cannot say so itself. `position` is the last segment that it was sent;
 * `undefined` means that it is connected and at the end of the log.
 */
export interface PlainCursor {
  /** Names the connection. Increasing, so that the oldest is found first. */
  readonly id: number;
  readonly username: string;
  readonly position: Position | undefined;
  /** Whether its connection was lost, so that the next login of the user takes it over. */
  readonly lost: boolean;
}

/** What one turn of the event loop changes. */
export interface Batch {
  readonly segments: readonly Segment[];
  readonly accounts: readonly Account[];
  readonly messageIds: readonly UsedMessageId[];
  /** Cursors that are new or have changed. */
  readonly cursors: readonly PlainCursor[];
  /** Cursors that are over, by id. */
  readonly endedCursors: readonly number[];
  /** The server's Lamport clock after the turn. */
  readonly lamport: number;
}

/** What a store knows when it is opened. */
export interface StoreState {
  /** This server's name as an origin: made when the store was, and never used by another. Made of `a-z`, `0-9` and `-`. */
  readonly serverId: string;
  readonly lamport: number;
  /** The position of the newest segment; 0 when there is none. Never goes back, also when that segment is forgotten. */
  readonly head: Position;
  /** What the log has, forgotten entries included. */
  readonly vector: Vector;
  /** Those that were connected when the server went are marked lost here, at the head where they stood at it. */
  readonly cursors: readonly PlainCursor[];
}

/** A range of entries that was forgotten: sequences `first` to `last` of `origin`. */
export interface Gap {
  readonly origin: string;
  readonly first: number;
  readonly last: number;
}

/** Where a reader that has `vector` has to begin, and what it will get. */
export interface Missing {
  /** Read segments after this position, and of these the lines that `vector` does not have. The head when nothing is missing. */
  readonly after: Position;
  /** Lines for everyone that `vector` does not have and that are kept. */
  readonly activities: number;
  /** What `vector` does not have and is not kept. */
  readonly gaps: readonly Gap[];
}

/** A server's memory. Calls return when they are done; none may be made after `close`. */
export interface Store extends Disposable {
  /** Read once, when the store is opened. */
  readonly opened: StoreState;
  /**
   * Takes all of `batch`, or nothing. Positions continue at the head, sequences at the vector.
   * @throws {StoreError} when it cannot be kept: the server cannot go on then.
   */
  commit(batch: Batch): void;
  /** Segments after `position` in order, at least one if there is one, then as many as fit into `maxBytes`. */
  segmentsAfter(position: Position, maxBytes: number): Segment[];
  /** What a reader that has `vector` is missing. Origins of `vector` that are not known here say nothing. */
  missing(vector: Vector): Missing;
  /** What a reader that was sent everything up to `position` is missing. */
  missingAfter(position: Position): Missing;
  account(username: string): Account | undefined;
  /** Every registered name, in order. */
  usernames(): string[];
  /** The entry that `username` published under `messageId`, if that is still known. */
  usedMessageId(username: string, messageId: string): UsedMessageId | undefined;
  /**
   * Forgets activities that were taken in before `takenBefore`, and the oldest beyond `maxBytes`, and message ids used before `usedBefore`. Never
   * the newest segment of an origin, never what is for servers. Returns how many entries were forgotten.
   */
  forget(limits: { takenBefore: number; maxBytes: number; usedBefore: number }): number;
  close(): void;
}

/** The store cannot be opened, read or written. The message names the file or folder and what a person can do. */
export class StoreError extends Error {
  override name = "StoreError";
}
