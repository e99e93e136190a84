/**
 * Writes the log of this server. Numbers the entries of one turn of the event loop, and stores them in one write
 * (`commit_queue.ts`). Only then anybody is told. Owns the store and the Lamport clock (`durable_clock.ts`).
 * `log_reader.ts` reads the log. `direct_messages.ts`, `place_notes.ts` and `replicated_entries.ts` write into its
 * turns.
 */

import type { Filter } from "../../log/channel_lines.ts";
import { type EntryAudience, type Position, type Segment, SERVERS } from "../../log/segment.ts";
import { SegmentBuilder } from "../../log/segment_builder.ts";
import { sequenceOf, type Vector } from "../../log/vector.ts";
import { VectorChanges } from "../../log/vector_changes.ts";
import type { Clock } from "../../platform/clock.ts";
import { encodeAccount } from "../../protocol/entry_codec.ts";
import { type EntryId, parseEntryId } from "../../protocol/entry_id.ts";
import type { PlaceNote } from "../../protocol/peer/place_codec.ts";
import type { Account, KnownServer, Missing, Store, UsedMessageId } from "../store/store.ts";
import type { AwaitingCommit, Commit } from "./commit.ts";
import { ChannelUse } from "./channel_use.ts";
import { CommitQueue, type EndedTurn } from "./commit_queue.ts";
import { DurableClock } from "./durable_clock.ts";
import type { JournalParts, OwnEntry, Publication, Registration, ReplicatedEntry } from "./entries.ts";
import { DirectMessages } from "./direct_messages.ts";
import { LogReader, type SentReader } from "./log_reader.ts";
import { Origins } from "./origins/origins.ts";
import { OwnBroadcasts } from "./own_broadcasts.ts";
import { PlaceNotes } from "./place_notes.ts";
import { RecordEntries } from "./record_entries.ts";
import { ReplicatedEntries } from "./replicated_entries.ts";
import { Retention } from "./retention.ts";
import { Senders } from "./senders.ts";
import { TurnBatch, TurnTimes } from "./turn_batch.ts";

/** What the journal tells. */
export interface JournalOwner {
  /** A turn has ended, and the store has its entries. May begin and end further turns. Never throws. */
  committed(commit: Commit): void;
  /**
   * Another server says where a lost connection stood, or that its place was taken up. Called in the turn in which this
   * comes.
   */
  placeNoted?(origin: string, sequence: number, lamport: number, note: PlaceNote): void;
  /** A name has an account from now on. Called in the turn in which it gets it. */
  named?(username: string): void;
  /**
   * The store took nothing of the last turn, or cannot be read. The journal writes nothing more to it. After this call
   * the server may say nothing more to anybody.
   */
  failed(error: unknown): void;
}

/** Writes one server's log. Reading throws `UnreadableError` when the store cannot be read. That ends the server. */
export class Journal {
  readonly directMessages: DirectMessages;
  readonly origins: Origins;
  readonly places: PlaceNotes;
  readonly records: RecordEntries;
  readonly channels: ChannelUse;
  /** The log, for callers that read it backwards. */
  readonly past: Pick<LogReader, "segmentsBefore" | "segmentOf" | "boundOf" | "beginning">;
  /** As the store's. */
  readonly portionAfter: LogReader["portionAfter"];
  /** The time by which the log forgets. */
  readonly retention: Retention;
  /** Which origins have moved in the log since the start. */
  readonly changes: VectorChanges = new VectorChanges();
  readonly #clock: Clock;
  readonly #owner: JournalOwner;
  readonly #log: LogReader;
  readonly #replicated: ReplicatedEntries;
  readonly #builder: SegmentBuilder;
  readonly #broadcasts: OwnBroadcasts;
  readonly #vector: Record<string, number>;
  readonly #time: DurableClock;
  #turn = new TurnBatch();
  readonly #senders = new Senders();
  #waiting = new Set<AwaitingCommit>();
  #registrations: (() => void)[] = [];
  #turnIsOpen = false;
  /** Turns on their way into the store. */
  readonly queue: CommitQueue;
  /** The newest position of all turns that have ended: the head, or beyond it while turns wait for the disk. */
  #ended: Position;
  #accepted = 0;
  #taken = 0;
  readonly #times = new TurnTimes();

  /** Of the log in `store`. */
  constructor(
    store: Store,
    clock: Clock,
    { tailBytes, ...arriving }: JournalParts,
    owner: JournalOwner,
  ) {
    const { vector, lamport, notes } = store.opened;
    this.#clock = clock;
    this.#owner = owner;
    this.past = this.#log = new LogReader(store, tailBytes, (error) => owner.failed(error));
    this.portionAfter = (...asked) => this.#log.portionAfter(...asked);
    this.queue = new CommitQueue({
      ...{ store, clock },
      stored: (turn) => this.#stored(turn),
      failed: (error) => this.#log.fail(error),
    });
    this.#ended = store.opened.head;
    this.#builder = new SegmentBuilder(vector, store.opened.tombstones);
    this.#broadcasts = new OwnBroadcasts(this.#builder);
    this.#vector = { ...vector };
    this.#time = new DurableClock(lamport);
    const openTurn = () => (this.#openTurn(), this.#turn);
    this.origins = new Origins(store.opened, {
      vector: this.#vector,
      changes: this.changes,
      builder: this.#builder,
      openTurn,
      flush: () => this.flush(),
      read: (read) => this.#log.read(read),
      dropTail: () => this.#log.dropTo(this.#log.head),
      inboxes: () => this.directMessages,
    });
    this.retention = new Retention(store, clock, (key, value) => openTurn().note(key, value));
    const writing = {
      openTurn,
      nextOwn: (lamport: number | undefined) => this.#nextOwn(lamport),
      add: ({ origin, sequence }: EntryId, audience: EntryAudience, line: string) =>
        this.#builder.add(origin, sequence, audience, line),
      whenDelivered: (run: () => void) => this.whenDelivered(run),
      usedMessageId: (username: string, messageId: string) => this.#usedMessageId(username, messageId),
    };
    this.places = new PlaceNotes(writing);
    this.records = new RecordEntries(writing, notes);
    this.channels = new ChannelUse(store);
    const read = <T>(read: (store: Store) => T) => this.#log.read(read);
    this.directMessages = new DirectMessages({ ...writing, senders: this.#senders, read });
    this.#replicated = new ReplicatedEntries({
      builder: this.#builder,
      time: this.#time,
      times: this.#times,
      ...{ ...writing, senders: this.#senders, directMessages: this.directMessages, records: this.records },
      account: (username) => this.accountOf(username),
      placeNoted: (...note) => this.#owner.placeNoted?.(...note),
      named: (username) => this.#owner.named?.(username),
    }, arriving);
  }

  /** The name of this server, as an origin. */
  get serverId(): string {
    return this.origins.serverId;
  }

  get head(): Position {
    return this.#log.head;
  }

  get vector(): Vector {
    return this.#vector;
  }

  get lamport(): number {
    return this.#time.now;
  }

  /** When the newest turn with entries began, in milliseconds of a monotonic clock. */
  get turnMs(): number {
    return this.#times.turnMs;
  }

  /** Whether this server has numbered entries of its own since it was started. */
  get hasAccepted(): boolean {
    return this.#accepted > 0;
  }

  /** Entries that it has numbered since then. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Entries of all servers that were stored since it was started. */
  get taken(): number {
    return this.#taken;
  }

  /** The newest sequence of `origin`, stored or in the open turn. */
  lastOf(origin: string): number {
    return this.#builder.lastOf(origin);
  }

  /** The same for an origin that is forgotten as a whole; 0 for others. */
  readonly buriedAt = (origin: string): number => this.#builder.buriedAt(origin);

  /** What is stored, with what is in the open turn. */
  get comingVector(): Vector {
    return this.#builder.vector;
  }

  /** A message of this Lamport time came, or something happened here if there is no time. Gives the time after it. */
  tick(lamport?: number): number {
    const now = this.#time.receive(lamport);
    this.#writeLamport();
    return now;
  }

  /** The clock of a door has come to this time. */
  reach(lamport: number): void {
    if (lamport <= this.#time.now) return;
    this.#time.reach(lamport);
    this.#writeLamport();
  }

  /** As `tick`, for a message that enters the log in this turn: the clock is written with it. */
  tickInTurn(lamport: number | undefined): number {
    return this.#time.receive(lamport);
  }

  /** Whether the store has failed. Then the journal writes nothing any more, and reading throws. */
  get hasFailed(): boolean {
    return this.#log.hasFailed;
  }

  segmentsAfter(position: Position, maxBytes: number): readonly Segment[] {
    return this.#log.segmentsAfter(position, maxBytes);
  }

  /** As the store's. */
  missing(vector: Vector, filter?: Filter): Missing {
    return this.#log.read((store) => store.missing(vector, filter));
  }

  /** As the store's. */
  vectorAt(position: Position): Vector {
    return this.#log.read((store) => store.vectorAt(position));
  }

  /** The store has forgotten segments up to `position`. */
  forgot(position: Position): void {
    this.#log.dropTo(position);
  }

  /** As `LogReader.positionBefore`. */
  positionBefore(reader: SentReader): Position {
    return this.#log.positionBefore(reader);
  }

  /**
   * Takes an activity in, and gives its id. If the sender has used the `messageId` before, gives the id of the first
   * one.
   */
  publish(publication: Publication): EntryId {
    const { username, messageId, lamport, after } = publication;
    this.#openTurn();
    if (messageId !== undefined) {
      const first = this.#usedMessageId(username, messageId);
      if (first !== undefined) return first;
    }
    const own = this.#nextOwn(lamport);
    const { origin, sequence } = own;
    this.#broadcasts.add(own, publication, this.#senders.takePreviousId(username, after));
    if (messageId !== undefined) {
      this.#turn.addMessageId({ username, messageId, origin, sequence, usedAt: own.takenAt });
    }
    return { origin, sequence };
  }

  /** Whether this user has sent something under this `messageId` before, as far as the server still knows. */
  hasUsed(username: string, messageId: string): boolean {
    return this.#usedMessageId(username, messageId) !== undefined;
  }

  /** The line of an entry, stored or not yet. */
  lineOf(id: EntryId): string | undefined {
    return this.#builder.lineOf(id.origin, id.sequence) ?? this.queue.lineOf(id) ?? this.#log.lineOf(id);
  }

  /** The account of this name, stored or in the open turn. */
  accountOf(username: string): Account | undefined {
    return this.#turn.accounts.get(username) ?? this.queue.account(username) ?? this.storedAccount(username);
  }

  /** Whether there is such a user, stored or not yet. */
  hasAccount(username: string): boolean {
    return this.accountOf(username) !== undefined;
  }

  /** The account of a user, if it is stored. */
  storedAccount(username: string): Account | undefined {
    return this.#log.read((store) => store.account(username));
  }

  /** As the store's. */
  usernames(): readonly string[] {
    return this.#log.read((store) => store.usernames());
  }

  /** Whether the entry of `id` is here. Also true when `id` names no entry. */
  isHere(id: string): boolean {
    const entry = parseEntryId(id);
    return entry === undefined || this.#builder.lastOf(entry.origin) >= entry.sequence;
  }

  /**
   * Takes a registration in. Calls `delivered` when all of the turn is committed and delivered. Unlike `whenCommitted`,
   * it may begin sessions and end turns. `undefined` when the name has got an account since the claim.
   */
  register(registration: Registration, delivered: (id: EntryId) => void): EntryId | undefined {
    const { username, verifier, claim } = registration;
    this.#openTurn();
    if (this.accountOf(username) !== undefined) return undefined;
    const own = this.#nextOwn(undefined);
    const { origin, sequence } = own;
    this.#builder.add(origin, sequence, SERVERS, encodeAccount({ ...own, ...registration }));
    this.records.registered(registration, own);
    this.#turn.accounts.set(username, { username, verifier, lamport: claim, origin });
    this.#owner.named?.(username);
    this.#registrations.push(() => delivered({ origin, sequence }));
    return { origin, sequence };
  }

  /** Takes in an entry of another server: the next kept one of its origin. */
  replicate(entry: ReplicatedEntry): void {
    this.#replicated.take(entry);
  }

  /** As `ReplicatedEntries.takeAccounts`. */
  takeAccounts(accounts: Iterable<Account>): void {
    this.#replicated.takeAccounts(accounts);
  }

  /** As the store's. */
  accountsAfter(username: string, limit: number): Account[] {
    return this.#log.read((store) => store.accountsAfter(username, limit));
  }

  /** Notes the servers of the network, so that this server finds them after a restart. */
  saveMembers(members: readonly KnownServer[]): void {
    this.#openTurn();
    this.#turn.saveMembers(members);
  }

  /** Keeps `value` under `key`, for later starts. */
  saveNote(key: string, value: string | null): void {
    this.#openTurn();
    this.#turn.note(key, value);
  }

  /** Tells `waiting` once, when all entries so far are committed, and before any of them is delivered. */
  whenCommitted(waiting: AwaitingCommit): void {
    this.#openTurn();
    this.#waiting.add(waiting);
  }

  /** Calls `run` when all of the turn is committed and delivered: it may begin sessions and end turns. */
  whenDelivered(run: () => void): void {
    this.#openTurn();
    this.#registrations.push(run);
  }

  /**
   * Ends the turn now, and not with the turn of the event loop. It is stored and told when this returns, and so are all
   * turns before it. Where the store waits for the disk, this waits in place.
   */
  flush(): void {
    this.#endTurn();
    this.queue.finish();
  }

  /**
   * All of the turn goes to the store, and nothing of it stays here. Whatever the owner begins then belongs to the next
   * turn.
   */
  #endTurn(): void {
    this.#turnIsOpen = false;
    this.directMessages.turnEnded();
    if (this.#log.hasFailed) return;
    const segments = this.#builder.take(this.#ended, this.#times.takenAt);
    const [batch, waiting, registrations] = [this.#turn, this.#waiting, this.#registrations];
    [this.#turn, this.#waiting, this.#registrations] = [new TurnBatch(), new Set(), []];
    this.#ended = segments.at(-1)?.position ?? this.#ended;
    this.channels.come(segments, batch);
    this.#keep({ segments, batch, waiting, registrations }, segments.length > 0 || batch.isWorthKeeping);
  }

  /** Writes the clock before anybody is told a time that it could fall behind after a restart. */
  #writeLamport(): void {
    if (!this.#time.isToBeWritten || this.#log.hasFailed) return;
    this.#keep({ segments: [], batch: new TurnBatch(), waiting: [], registrations: [], isSilent: true }, true);
  }

  #keep(turn: EndedTurn, isWorthKeeping: boolean): void {
    try {
      this.queue.add(turn, isWorthKeeping ? turn.batch.batch(turn.segments, this.#time.now) : undefined);
      if (isWorthKeeping) this.#time.written();
    } catch (error) {
      this.#log.fail(error);
    }
  }

  /** The store has a turn, and all before it were told. */
  #stored({ segments, batch, waiting, registrations, isSilent }: EndedTurn): void {
    if (this.#log.hasFailed || isSilent) return;
    const holes = this.#accept(segments);
    const names = [...batch.accounts.keys()];
    this.#owner.committed({ segments, holes, waiting, names, lostAccounts: batch.lostAccounts, registrations });
  }

  /** The holes before them, as in `Commit`. */
  #accept(segments: readonly Segment[]): Vector | undefined {
    let holes: Record<string, number> | undefined;
    for (const segment of segments) {
      const had = sequenceOf(this.#vector, segment.origin) || this.origins.reborn(segment.origin);
      if (segment.first > had + 1) (holes ??= {})[segment.origin] = segment.first - 1;
      this.#log.push(segment);
      this.#taken += segment.last - segment.first + 1;
      this.#vector[segment.origin] = segment.last;
      this.changes.moved(segment.origin);
    }
    return holes;
  }

  #openTurn(): void {
    if (this.#turnIsOpen) return;
    this.#turnIsOpen = true;
    this.#times.begin(this.#clock, this.retention);
    this.#clock.endOfTurn(() => void (this.#turnIsOpen && this.#endTurn()));
  }

  /** Numbers an entry of this server. Its cause was sent at this Lamport time. */
  #nextOwn(lamport: number | undefined): OwnEntry {
    this.#accepted++;
    this.origins.accepts();
    return {
      origin: this.serverId,
      sequence: this.#builder.lastOf(this.serverId) + 1,
      lamport: this.#time.receive(lamport),
      sentAt: this.#times.wallMs,
      takenAt: this.#times.takenAt,
    };
  }

  #usedMessageId(username: string, messageId: string): UsedMessageId | undefined {
    const used = this.#turn.usedMessageId(username, messageId) ?? this.queue.usedMessageId(username, messageId);
    if (used !== undefined) return used;
    const stored = this.#log.read((store) => store.usedMessageId(username, messageId));
    // This turn may take an entry back, and take it in anew. Such an entry is no repeat of itself.
    return stored === undefined || this.#turn.takesBack(stored) ? undefined : stored;
  }
}
