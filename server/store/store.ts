/**
 * What a server keeps: its log, the accounts, direct messages that wait for their receivers, which message ids were used, where plain clients stood,
 * and which servers it knew.
 * `memory_store.ts` and `server/store/sqlite/sqlite_store.ts` are the same to all who use them: `tests/contract/store_contract.ts` puts both through one suite.
 * A batch is taken whole or not at all, and is there after a crash of the program as soon as `commit` has returned.
 */

import type { Endpoint } from "../../platform/address.ts";
import type { EntryId } from "../../protocol/entry_id.ts";
import type { DiskUse } from "./budget.ts";
import type { Position, Segment } from "../../log/segment.ts";
import type { Vector } from "../../log/vector.ts";

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

/** A server of the network, and where it can be reached. */
export interface KnownServer extends Endpoint {
  readonly serverId: string;
}

/** A direct message that waits for its receiver. */
export interface StoredMessage extends EntryId {
  /** The user it is for. */
  readonly to: string;
  /** What the receiver gets: the line of the entry, its end included. */
  readonly line: string;
}

/** A message as it waits. */
export interface WaitingMessage extends StoredMessage {
  /** Grows in the order of the log, and is given to no other message while the store is open. */
  readonly place: number;
}

/** Which part of an inbox is asked for; all of it unless something is said. */
export interface InboxPortion {
  /** Messages after this place: that of the last one which was read. */
  readonly after?: number;
  /** At least one message if there is one, then as many as have no more bytes than this. */
  readonly maxBytes?: number;
}

/** Where a user stands whose connection was lost, as its owner wrote it: the store does not look into `place`. */
export interface StoredPlace {
  /** Names the place. */
  readonly id: number;
  readonly username: string;
  readonly place: string;
}

/** A range of one origin's entries. */
export interface EntryRange {
  readonly origin: string;
  readonly first: number;
  readonly last: number;
  /** Of the entry `first`, where the range says which of two entries of a number it is about. */
  readonly digest?: string;
}

/**
 * A server goes on under a new name, as numbers that it has given out under the old one are others' as well: the entries of its own origin beyond `after` go,
 * with what is known of them beside the log, and what stays is an origin like any other.
 */
export interface Renaming {
  readonly former: string;
  /** The last entry of the former origin that stays: the end of a segment, or 0. */
  readonly after: number;
  /** What it is called from now on: never used before. */
  readonly serverId: string;
}

/** What one turn of the event loop changes. */
export interface Batch {
  /** Of any origins, in any order between them. */
  readonly segments: readonly Segment[];
  /** Accounts that are new or have changed: each takes the place of an earlier one of its name. */
  readonly accounts: readonly Account[];
  /** Of two uses of one message id by one user the first is kept. */
  readonly messageIds: readonly UsedMessageId[];
  /** Cursors that are new or have changed. A lost one has a position. */
  readonly cursors: readonly PlainCursor[];
  /** Cursors that are over, by id; also when they are among `cursors`. */
  readonly endedCursors: readonly number[];
  /** Those of the entries in `segments` that are direct messages and wait from now on. Each stands in a segment for the user it is to. */
  readonly directMessages?: readonly StoredMessage[];
  /**
   * Direct messages that are delivered, wherever that happened: they wait no longer. One that is not here yet never begins to, as servers learn of a
   * delivery by way of another origin, and that may be the shorter one; which of them are awaited is forgotten like direct messages are.
   */
  readonly delivered?: readonly EntryId[];
  /** When given, takes the place of all members that were known before. */
  readonly members?: readonly KnownServer[];
  /** Values by key that are new, have changed or, where they are `null`, go. */
  readonly notes?: Readonly<Record<string, string | null>>;
  /** Places that are new or have changed, by id. */
  readonly places?: readonly StoredPlace[];
  /** Places that are over, by id; also when they are among `places`. */
  readonly endedPlaces?: readonly number[];
  /**
   * Origins that are forgotten whole, before anything else of the batch is taken in: their segments and what is known of their direct messages go; accounts
   * that came from them stay, and so does the head. A tombstone keeps the sequence that is given here, or a higher one that it had; also of an origin of
   * which nothing is known. Segments that come later must begin behind it, and take it away. Never this server itself.
   */
  readonly buried?: Vector;
  /** When given, the server has a new name from then on. Comes before all else in the batch. */
  readonly renamed?: Renaming;
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
  /** The other servers that this one has known, in the order in which they were given: so it finds them again after a restart. */
  readonly members: readonly KnownServer[];
  /** In the order of their ids. */
  readonly places: readonly StoredPlace[];
  /** What was noted last under each key. */
  readonly notes: Readonly<Record<string, string>>;
  /** Origins that were forgotten whole, and up to where. */
  readonly tombstones: Vector;
  /** There when the end of the log was lost in a power cut. */
  readonly cut?: Cut;
}

/**
 * The end of a log that the disk did not keep, found when it was opened. As clients may have seen what is gone, its numbers are not given out a
 * second time: the server has a new `serverId`, and the old one stays as an origin that ends before the cut.
 */
export interface Cut {
  /** What the server was called before. */
  readonly formerServerId: string;
  /** The newest position that is left. */
  readonly after: Position;
  /** Entries that are gone. */
  readonly entries: number;
}

/**
 * A range in which entries were forgotten: sequences `first` to `last` of `origin`. `last` was forgotten for certain; lines that are kept, or that
 * the reader would not have got anyway, can lie before it. What was for one user makes no gap when it is forgotten here: nobody else has lost
 * anything, and the user's messages had their time. Where it never came, as another server had forgotten it before, it is part of a hole like any other:
 * nobody can tell there who it was for.
 */
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
  /** What `vector` does not have and is not kept: at most one range for each origin, and one wherever anything was forgotten. */
  readonly gaps: readonly Gap[];
}

/** How much a store may keep. */
export interface ForgetLimits {
  /** Activities taken in before this go, in milliseconds since 1970. */
  readonly takenBefore: number;
  /** The oldest activities go while all of them together have more bytes than this. */
  readonly maxBytes: number;
  /** Direct messages taken in before this go, and what the log has for one user, in milliseconds since 1970. */
  readonly directMessagesBefore: number;
  /** Message ids used before this go, in milliseconds since 1970. */
  readonly usedBefore: number;
}

/** How old an origin's newest segment has to be before the origin may be forgotten whole; as in `ForgetLimits`. */
export type BurialLimits = Pick<ForgetLimits, "takenBefore" | "directMessagesBefore">;

/** What one call of `forget` did. */
export interface Forgotten {
  /** Activities that are gone. */
  readonly entries: number;
  /** The newest position among them; 0 when there are none. A reader that stood before it has missed something that it was not told about. */
  readonly upTo: Position;
  /** Whether the limits are not met yet: call again soon, but let others have the event loop first. */
  readonly more: boolean;
}

/**
 * Message ids of clients without a name that a store keeps, at most, however young they are: anybody can send them, and the oldest go first. What one of
 * them named can be published a second time then.
 */
export const MAX_ANONYMOUS_IDS = 100_000;

/** A server's memory. Calls return when they are done; none may be made after `close`. */
export interface Store extends Disposable {
  /** Read once, when the store is opened. */
  readonly opened: StoreState;
  /**
   * Takes all of `batch`, or nothing. Positions continue at the head, sequences of each origin above the vector. A segment that begins further on
   * than at the next sequence leaves a hole: the entries in between were forgotten by those that had them, and from now on count as forgotten here.
   * @throws {StoreError} when it cannot be kept: the server cannot go on then.
   * @throws {RangeError} when it does not continue the log.
   */
  commit(batch: Batch): void;
  /**
   * Segments after `position` in order, at least one if there is one, then no more than fit into `maxBytes`. It may be fewer; it is the end of
   * the log only when there are none. Positions have holes where segments were forgotten.
   */
  segmentsAfter(position: Position, maxBytes: number): Segment[];
  /**
   * What a reader that has `vector` is missing. Origins of `vector` that are not known here say nothing; of one that was forgotten whole the reader has a
   * gap if it names it, and only then.
   */
  missing(vector: Vector): Missing;
  /**
   * What a reader that was sent everything up to `position` is missing. `after` is that position, or the head when it lies beyond. Where it cannot
   * be told any more how far the reader got in an origin, the gap begins at its first entry.
   */
  missingAfter(position: Position): Missing;
  /** What a reader has for certain that was sent everything for everyone up to `position`. */
  vectorAt(position: Position): Vector;
  account(username: string): Account | undefined;
  /** Accounts whose names come after `username` in the order of their code points, at most so many. */
  accountsAfter(username: string, limit: number): Account[];
  /** Every registered name, in the order of `Array.sort`. */
  usernames(): string[];
  /** Direct messages that wait for `username`, in the order of this server's log. */
  inboxOf(username: string, portion?: InboxPortion): WaitingMessage[];
  /** Those of them that are in `range`, in order: at least one if there is one, then as many as have no more bytes than `maxBytes`. */
  inboxRange(username: string, range: EntryRange, maxBytes: number): WaitingMessage[];
  /** How many direct messages wait for `username`. Counts them, and no further than `atMost`. */
  inboxCount(username: string, atMost: number): number;
  /** How many direct messages wait, for all users. Counts them: not for every turn. */
  readonly inboxSize: number;
  /** What was noted last under `key`. */
  note(key: string): string | undefined;
  /**
   * Origins of which nothing is kept but what is for servers, and how far they are known: no direct message of them waits, and their newest segment, which is
   * never forgotten alone, is beyond the limits too. At most `limit` of them. This server itself may be among them. Only those are looked at that are named
   * `among`, all where it is left out, and given that `mayGo`.
   */
  buriable(
    before: BurialLimits,
    limit: number,
    choice?: { readonly among?: Iterable<string>; mayGo?(origin: string): boolean },
  ): Vector;
  /** The segment that has this entry; `undefined` where it is not kept. */
  segmentOf(origin: string, sequence: number): Segment | undefined;
  /** Where the newest activity of `origin` stands that is kept; 0 where none is. */
  newestActivity(origin: string): Position;
  /** The entry that `username` published under `messageId`, if that is still known. */
  usedMessageId(username: string, messageId: string): UsedMessageId | undefined;
  /**
   * Forgets activities, direct messages and message ids beyond `limits`, the oldest first; a call does a few milliseconds of work at most. Activities go in
   * the order of the log, so that one which is to stay keeps all after it, whatever the clock said when they came. So do messages that wait, and what each
   * origin has for single users. Never goes: the newest segment of an origin (a message in it waits no longer than others), and what is for
   * servers.
   * @throws {StoreError}
   */
  forget(limits: ForgetLimits): Forgotten;
  /**
   * What is kept on the disk takes, and what is left there; `undefined` where nothing is kept on one. Looks at each file: not for every turn.
   * @throws {StoreError}
   */
  diskUse(): DiskUse | undefined;
  /**
   * Looks whether what it keeps is still where it was, and no shorter: to be called every second or so.
   * @throws {StoreError} when somebody has changed that: the server cannot go on then.
   */
  checkFiles(): void;
  /** Ends it; a second call does nothing. */
  close(): void;
}

/** The store cannot be opened, read or written. The message names the file or folder and what a person can do. */
export class StoreError extends Error {
  /** Its class, by name. */
  override name = "StoreError";
}

/** What is damaged, as far as it is known. */
export interface DamagedPart {
  readonly origin?: string;
  /** Sequences of the entries. */
  readonly first?: number;
  readonly last?: number;
  /** Of the segment. */
  readonly position?: Position;
}

/** Something that was stored is not what was written there. Nothing of it was given out. */
export class DamagedError extends StoreError implements DamagedPart {
  override name = "DamagedError";
  readonly origin?: string;
  readonly first?: number;
  readonly last?: number;
  readonly position?: Position;

  /** Of what `part` says it is. */
  constructor(message: string, { origin, first, last, position }: DamagedPart, options?: ErrorOptions) {
    super(message, options);
    if (origin !== undefined) this.origin = origin;
    if (first !== undefined) this.first = first;
    if (last !== undefined) this.last = last;
    if (position !== undefined) this.position = position;
  }
}
