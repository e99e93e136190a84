/**
 * The interface of a store: the log, the accounts, waiting direct messages, used message ids, cursors of plain clients,
 * and known servers.
 *
 * `memory_store.ts` and `server/store/sqlite/sqlite_store.ts` behave the same for all users:
 * `tests/contract/store_contract.ts` puts both through one suite. A batch is taken whole or not at all. After `commit`
 * has returned, it survives a crash of the program. Pure.
 */

import type { Endpoint } from "../../platform/address.ts";
import type { EntryId } from "../../protocol/entry_id.ts";
import type { DiskUse } from "./budget.ts";
import type { KeptByChannel } from "./channels/channel_counts.ts";
import type { Filter } from "../../log/channel_lines.ts";
import type { LogPortion, Wanted } from "../../log/portion.ts";
import type { Position, Segment } from "../../log/segment.ts";
import type { Vector } from "../../log/vector.ts";

/** How verifiers of earlier versions are replaced, when a folder is opened. */
export interface VerifierChange {
  /** How they begin. */
  readonly earlier: string;
  verifier(earlier: string): string;
  /** A line of the log, without its end; itself if it stays. */
  line(line: string): string;
}

/**
 * A registered user. The origin of the account decides between two that claim one name: the lower (lamport, origin)
 * wins.
 */
export interface Account {
  readonly username: string;
  /** The verifier of the secret (`server/accounts/verifier.ts`); never the secret. */
  readonly verifier: string;
  readonly lamport: number;
  readonly origin: string;
}

/** `username` published entry `origin:sequence` under this `messageId`. */
export interface UsedMessageId {
  readonly username: string;
  readonly messageId: string;
  readonly origin: string;
  readonly sequence: number;
  /** Milliseconds since 1970; forgotten after the retention time. */
  readonly usedAt: number;
}

/**
 * The progress of a plain client's connection, as the client cannot say it itself. `position` is the last segment that
 * was sent to it. `undefined` means that it is connected and at the end of the log.
 */
export interface PlainCursor {
  /** Names the connection. Ids increase, so the oldest connection is found first. */
  readonly id: number;
  readonly username: string;
  readonly position: Position | undefined;
  /** Whether the connection was lost. The next login of the user takes the cursor over then. */
  readonly lost: boolean;
}

/** A server of the network, and its address. */
export interface KnownServer extends Endpoint {
  readonly serverId: string;
}

/** A direct message that waits for its receiver. */
export interface StoredMessage extends EntryId {
  /** The user it is for. */
  readonly to: string;
  /** The line for the receiver: the entry's line with its end. */
  readonly line: string;
}

/** A message as it waits. */
export interface WaitingMessage extends StoredMessage {
  /** Grows in the order of the log, and is given to no other message while the store is open. */
  readonly place: number;
}

/** The wanted part of an inbox; all of it by default. */
export interface InboxPortion {
  /** Messages after this place: that of the last one which was read. */
  readonly after?: number;
  /** At least one message if there is one, then as many as fit into this. */
  readonly maxBytes?: number;
}

/** The place of a user whose connection was lost, as its owner wrote it. The store does not read `place`. */
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
 * The server goes on under a new name, because other entries have some of its numbers, too. Its own entries beyond
 * `after` go, with their data beside the log. The rest becomes an origin like any other.
 */
export interface Renaming {
  readonly former: string;
  /** The last entry of the former origin that stays: the end of a segment, or 0. */
  readonly after: number;
  /** The new name: never used before. */
  readonly serverId: string;
}

/** The changes of one turn of the event loop. */
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
  /** Entries of `segments` that are direct messages and wait from now on. Each is in a segment for its receiver. */
  readonly directMessages?: readonly StoredMessage[];
  /**
   * Direct messages that were delivered anywhere: they wait no longer. A message that has not come yet never begins to
   * wait, because a delivery takes another way than its message, and may come first. Such deliveries are forgotten like
   * direct messages.
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
   * Origins to forget as a whole, before the rest of the batch: their segments go, and so does the data about their
   * direct messages. Accounts from them stay, and so does the head. A tombstone keeps the given sequence, or its former
   * higher one, also for an unknown origin. Later segments must begin behind the tombstone, and remove it. Never this
   * server itself.
   */
  readonly buried?: Vector;
  /** When given, the server has a new name from then on. Comes before all else in the batch. */
  readonly renamed?: Renaming;
  /**
   * It is on the disk when `commit` returns, and so is all before it: a power cut does not take it. Otherwise that is
   * so where the store was opened with `synchronous: "full"`.
   */
  readonly isSynced?: boolean;
  /** The server's Lamport clock after the turn. */
  readonly lamport: number;
}

/** What a store knows when it is opened. */
export interface StoreState {
  /**
   * This server's name as an origin. Made with the store, and never used by another server. Consists of `a-z`, `0-9`
   * and `-`.
   */
  readonly serverId: string;
  readonly lamport: number;
  /** The position of the newest segment; 0 when there is none. Never goes back, also when that segment is forgotten. */
  readonly head: Position;
  /** What the log has, forgotten entries included. */
  readonly vector: Vector;
  /** Cursors that were connected when the server stopped are marked lost here, at the head of that time. */
  readonly cursors: readonly PlainCursor[];
  /** The other servers that this one has known, in the given order. So it finds them again after a restart. */
  readonly members: readonly KnownServer[];
  /** In the order of their ids. */
  readonly places: readonly StoredPlace[];
  /** The last value of each note. */
  readonly notes: Readonly<Record<string, string>>;
  /** Origins that were forgotten whole, and up to where. */
  readonly tombstones: Vector;
  /** There when the end of the log was lost in a power cut. */
  readonly cut?: Cut;
}

/**
 * The end of a log that the disk did not keep, found at the opening. Clients may have seen the lost entries, so their
 * numbers are not given out again. The server has a new `serverId`, and the old one stays as an origin that ends before
 * the cut.
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
 * A range with forgotten entries: sequences `first` to `last` of `origin`. `last` was forgotten for certain. Before it
 * there can be kept lines, or lines that the reader would not get anyway. Entries for one user make no gap when they
 * are forgotten here: no other reader lost anything, and the user's messages had their time. If they were forgotten
 * before they came here, they are part of a hole like any other: nobody here can tell who they were for.
 */
export interface Gap {
  readonly origin: string;
  readonly first: number;
  readonly last: number;
}

/** Where a reader with `vector` begins, and what it gets. */
export interface Missing {
  /** Read segments after this position, and of them the lines that `vector` lacks. The head if nothing is missing. */
  readonly after: Position;
  /** Lines for everyone that `vector` does not have and that are kept. */
  readonly activities: number;
  /**
   * Entries that `vector` lacks and the log has forgotten: at most one range for each origin, and one wherever
   * something was forgotten.
   */
  readonly gaps: readonly Gap[];
}

/** Where the kept activities begin. */
export interface Beginning {
  /** The first line of the oldest kept segment for everyone; absent when there is none. */
  readonly oldest?: EntryId & {
    readonly position: Position;
    /** When it was taken in here, in milliseconds since 1970. */
    readonly takenAt: number;
  };
  /** Whether nothing before it is gone, as far as this server knows. */
  readonly isWhole: boolean;
}

/** How much is kept of some channels. */
export interface ChannelLimits {
  /** The channels: of several limits the first that wants a channel counts. The same object in each call. */
  readonly filter: Filter;
  /** As in `ForgetLimits`, for the activities of these channels. */
  readonly takenBefore: number;
  readonly maxBytes: number;
}

/** How much a store may keep. */
export interface ForgetLimits {
  /** Activities taken in before this go, in milliseconds since 1970. */
  readonly takenBefore: number;
  /** The oldest activities go while all of them together have more bytes than this. */
  readonly maxBytes: number;
  /** Forget direct messages taken in before this, and other entries for one user; milliseconds since 1970. */
  readonly directMessagesBefore: number;
  /** Message ids used before this go, in milliseconds since 1970. */
  readonly usedBefore: number;
  /** What is forgotten of single channels before the limits of all. What has no channel has no others. */
  readonly channels?: readonly ChannelLimits[];
}

/** The age at which an origin's newest segment allows forgetting the whole origin; as in `ForgetLimits`. */
export type BurialLimits = Pick<ForgetLimits, "takenBefore" | "directMessagesBefore">;

/** The result of one call of `forget`. */
export interface Forgotten {
  /** Activities that are gone. */
  readonly entries: number;
  /** The newest forgotten position; 0 if there is none. A reader before it has missed entries without being told. */
  readonly upTo: Position;
  /** Whether the limits are not met yet: call again soon, but let others have the event loop first. */
  readonly more: boolean;
  /** For each channel with limits of its own the newest position of what is forgotten of it; absent if nothing is. */
  readonly channels?: ReadonlyMap<string, Position>;
}

/**
 * The most message ids of clients without a name, even young ones. Anybody can send them, so the oldest go first. Then
 * a message with such an id can be published a second time.
 */
export const MAX_ANONYMOUS_IDS = 100_000;

/** A server's memory. Calls return when they are done; none may be made after `close`. */
export interface Store extends Disposable {
  /** Read once, when the store is opened. */
  readonly opened: StoreState;
  /**
   * Takes all of `batch`, or nothing. Positions continue at the head, sequences of each origin above the vector. A
   * segment may begin further on than the next sequence. That leaves a hole: the entries between were forgotten
   * elsewhere, and count as forgotten here.
   * @throws {StoreError} when the store cannot keep it: the server cannot go on then.
   * @throws {RangeError} when it does not continue the log.
   */
  commit(batch: Batch): void;
  /**
   * There if a commit waits for the disk. As `commit`, but waits beside the event loop, for all batches together that
   * came meanwhile. Calls `done` when the batch is on the disk, in the order of the batches. Until then no reader of
   * the store finds anything of it. With an `error` the store has not kept it: the server cannot go on then.
   * @throws as `commit`.
   */
  readonly commitInBackground?: (batch: Batch, done: (error?: unknown) => void) => void;
  /** Whether there is room for what clients publish. Else too much waits for the disk, and they should wait. */
  readonly hasRoom: boolean;
  /**
   * Waits in place for all batches that are not on the disk yet, and calls what waits for them. @throws {StoreError}
   */
  finishCommits?(): void;
  /**
   * Segments after `position` in order: at least one if there is one, then at most as many as fit into `maxBytes`, or
   * fewer. Only an empty result means the end of the log. Positions have holes where segments were forgotten.
   */
  segmentsAfter(position: Position, maxBytes: number): Segment[];
  /**
   * The same for a reader of some channels: segments in which it wants nothing are left out, and are not read from the
   * disk. The portion ends where `maxBytes` are full, or after some hundred segments that are left out.
   */
  portionAfter(position: Position, maxBytes: number, wanted: Wanted): LogPortion;
  /**
   * Segments before `position` in order, up to the one before it: at least one if there is one, then at most as many as
   * fit into `maxBytes`, or fewer. Only an empty result means the beginning of the log.
   */
  segmentsBefore(position: Position, maxBytes: number): Segment[];
  /**
   * A position for an entry that is not kept: all that came before the entry stands before it. What stands there of
   * other origins may have come after the entry. `undefined` if the log does not know the entry.
   */
  boundOf(origin: string, sequence: number): Position | undefined;
  /** Where the kept activities begin. Looks at each origin, and at nothing on the disk. */
  beginning(): Beginning;
  /**
   * The entries that a reader with `vector` lacks. Unknown origins in `vector` do not count. A forgotten origin is a
   * gap only for a reader that names it. With a `filter` only what may have been of its channels is a gap.
   */
  missing(vector: Vector, filter?: Filter): Missing;
  /**
   * The entries that a reader lacks after it got everything up to `position`. `after` is that position, or the head if
   * it lies beyond. If the reader's progress in an origin is no longer known, the gap begins at the origin's first
   * entry.
   */
  missingAfter(position: Position): Missing;
  /** The entries that a reader has for certain after it got everything for everyone up to `position`. */
  vectorAt(position: Position): Vector;
  account(username: string): Account | undefined;
  /** Accounts whose names come after `username` in the order of code points, at most `limit`. */
  accountsAfter(username: string, limit: number): Account[];
  /** Every registered name, in the order of `Array.sort`. */
  usernames(): string[];
  /** Direct messages that wait for `username`, in the order of this server's log. */
  inboxOf(username: string, portion?: InboxPortion): WaitingMessage[];
  /** Messages in `range`, in order: at least one if there is one, then as many as fit into `maxBytes`. */
  inboxRange(username: string, range: EntryRange, maxBytes: number): WaitingMessage[];
  /** How many direct messages wait, for all users. Costs nothing: the store keeps count. */
  readonly inboxSize: number;
  /** The same for each user for whom any wait. It changes with the store: not to be kept. */
  readonly inboxSizes: ReadonlyMap<string, number>;
  /**
   * When the first of them, in the order of this server's log, was taken in, in milliseconds since 1970; `undefined`
   * when none waits. Reads one row.
   */
  readonly inboxOldest: number | undefined;
  /** The last note under `key`. */
  note(key: string): string | undefined;
  /**
   * Origins with nothing but entries for servers, and how far they are known. None of their direct messages waits.
   * Their newest segment, which is never forgotten alone, is beyond the limits, too. At most `limit` of them. This
   * server itself may be among them.
   */
  buriable(
    before: BurialLimits,
    limit: number,
    choice?: { readonly among?: Iterable<string>; mayGo?(origin: string): boolean },
  ): Vector;
  /** The segment with this entry; `undefined` if it is not kept. */
  segmentOf(origin: string, sequence: number): Segment | undefined;
  /** The position of the newest kept activity of `origin`; 0 if there is none. */
  newestActivity(origin: string): Position;
  /** The entry that `username` published under `messageId`, if that is still known. */
  usedMessageId(username: string, messageId: string): UsedMessageId | undefined;
  /**
   * Forgets activities, direct messages and message ids beyond `limits`, oldest first. A call does a few milliseconds
   * of work at most. Activities go in the order of the log: one that stays keeps all after it, whatever the clock said.
   * The same holds for waiting messages, and for each origin's entries for single users. Never forgotten: the newest
   * segment of an origin (a message in it waits no longer than others), and entries for servers.
   *
   * With limits of channels an activity leaves its number and its channel (`log/forgotten_lines.ts`), also in the
   * newest segment. What a used message id still needs is forgotten some seconds later.
   * @throws {StoreError}
   */
  forget(limits: ForgetLimits): Forgotten;
  /** What is kept of each channel. Costs nothing that is on the disk. */
  keptByChannel(): KeptByChannel;
  /**
   * The size of the data on the disk, and the free space; `undefined` without a disk. Looks at each file: not for every
   * turn.
   * @throws {StoreError}
   */
  diskUse(): DiskUse | undefined;
  /**
   * Checks that the files are still in place, and not shorter. Call it about every second.
   * @throws {StoreError} when somebody changed them: the server cannot go on then.
   */
  checkFiles(): void;
  /** Ends it; a second call does nothing. */
  close(): void;
}

/** The store cannot be opened, read or written. The message names the file or folder, and what a person can do. */
export class StoreError extends Error {
  /** Its class, by name. */
  override name = "StoreError";
}

/** The known part of the damage. */
export interface DamagedPart {
  readonly origin?: string;
  /** Sequences of the entries. */
  readonly first?: number;
  readonly last?: number;
  /** Of the segment. */
  readonly position?: Position;
}

/** Stored data has changed. None of it was returned. */
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
