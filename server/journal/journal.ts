/**
 * The log of this server, being written: what happens in one turn of the event loop is numbered, stored in one
 * transaction, and only then told to anybody. Owns the store, the newest segments in memory, and the Lamport clock
 * (`durable_clock.ts`). Direct messages are added by `direct_messages.ts`.
 */

import { precedes } from "../../log/precedes.ts";
import { type Audience, EVERYONE, type Position, type Segment, SERVERS } from "../../log/segment.ts";
import { SegmentBuilder } from "../../log/segment_builder.ts";
import { Tail } from "../../log/tail.ts";
import { sequenceOf, type Vector } from "../../log/vector.ts";
import { VectorChanges } from "../../log/vector_changes.ts";
import type { Clock } from "../../platform/clock.ts";
import { encodeAccount, type EntryFacts } from "../../protocol/entry_codec.ts";
import { type EntryId, formatEntryId, parseEntryId } from "../../protocol/entry_id.ts";
import { ANONYMOUS } from "../../protocol/names.ts";
import { encodePlace, type PlaceNote } from "../../protocol/peer/place_codec.ts";
import { encodeBroadcast } from "../../protocol/server_codec.ts";
import type { Account, KnownServer, Missing, Store, StoredPlace, UsedMessageId } from "../store/store.ts";
import { DurationCount, type Durations } from "../../view/metric_counters.ts";
import type { AwaitingCommit, Commit } from "./commit.ts";
import { DurableClock } from "./durable_clock.ts";
import type { OwnEntry, Publication, Registration, ReplicatedEntry } from "./entries.ts";
import { Inboxes } from "./direct_messages.ts";
import { Origins } from "./origins.ts";
import { Retention } from "./retention.ts";
import { Senders } from "./senders.ts";
import { Turn } from "./turn_batch.ts";
import { UnreadableError } from "./unreadable_store.ts";

/** A reader, and what of its part of the log has not left this process. */
export interface SentReader {
  /** The last segment that it was sent. */
  readonly position: Position;
  readonly unsentBytes: number;
  /** Where it was read from. */
  readonly began: Position;
  /** Whose direct messages it is sent. */
  readonly username: string;
}

/** Segments that are looked at for one reader: in memory, and in the store, where each costs a read. */
const MAX_LOOKS_BACK = 1_024;
const MAX_READS_BACK = 32;

/** What the journal tells. */
export interface JournalOwner {
  /** A turn has ended, and the store has what came in it. May begin and end further turns. Never throws. */
  committed(commit: Commit): void;
  /**
   * Another server says where a lost connection stood, or that its place was taken up. Told in the turn
   * in which that comes.
   */
  placeNoted?(origin: string, sequence: number, lamport: number, note: PlaceNote): void;
  /**
   * The store took nothing of the last turn, or cannot be read. Nothing more is written to it, and after this call
   * nothing more may be said to anybody.
   */
  failed(error: unknown): void;
}

/**
 * Writes one server's log. Whatever reads it throws `UnreadableError` when the store cannot be read, which is
 * the end of this server.
 */
export class Journal {
  readonly inboxes: Inboxes;
  readonly origins: Origins;
  /** The time by which the log forgets. */
  readonly retention: Retention;
  /** Which origins have moved in the log since the start. */
  readonly changes: VectorChanges = new VectorChanges();
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #owner: JournalOwner;
  readonly #messagesWaitMs: number;
  readonly #tail: Tail;
  readonly #builder: SegmentBuilder;
  readonly #vector: Record<string, number>;
  #head: Position;
  readonly #time: DurableClock;
  #turn = new Turn();
  #lostAccounts: string[] = [];
  readonly #senders = new Senders();
  #waiting = new Set<AwaitingCommit>();
  #registrations: (() => void)[] = [];
  #turnIsOpen = false;
  #hasFailed = false;
  readonly #commits = new DurationCount();
  #accepted = 0;
  #taken = 0;
  /** What the clocks said when the turn began. */
  #wallMs = 0;
  #takenAt = 0;
  #turnMs = 0;

  /**
   * Keeps the newest `tailBytes` of the log in memory. A direct message waits for `messagesWaitMs`
   * after it was taken in.
   */
  constructor(
    store: Store,
    clock: Clock,
    { tailBytes, messagesWaitMs }: { readonly tailBytes: number; readonly messagesWaitMs: number },
    owner: JournalOwner,
  ) {
    const { head, vector, lamport } = store.opened;
    this.#store = store;
    this.#clock = clock;
    this.#owner = owner;
    this.#messagesWaitMs = messagesWaitMs;
    this.#tail = new Tail(tailBytes);
    this.#builder = new SegmentBuilder(vector, store.opened.tombstones);
    this.#vector = { ...vector };
    this.#head = head;
    this.#time = new DurableClock(lamport);
    const openTurn = () => {
      this.#openTurn();
      return this.#turn;
    };
    this.origins = new Origins(store.opened, {
      vector: this.#vector,
      changes: this.changes,
      builder: this.#builder,
      openTurn,
      flush: () => this.flush(),
      read: (read) => this.#read(() => read(store)),
      dropTail: () => this.#tail.dropTo(this.#head),
      inboxes: () => this.inboxes,
    });
    this.retention = new Retention(store, clock, (key, value) => openTurn().note(key, value));
    this.inboxes = new Inboxes({
      senders: this.#senders,
      openTurn,
      nextOwn: (lamport) => this.#nextOwn(lamport),
      add: ({ origin, sequence }, audience, line) => this.#builder.add(origin, sequence, audience, line),
      usedMessageId: (username, messageId) => this.#usedMessageId(username, messageId),
      read: (read) => this.#read(() => read(store)),
    });
  }

  /** What this server is called: the origin of what it accepts. */
  get serverId(): string {
    return this.origins.serverId;
  }

  get head(): Position {
    return this.#head;
  }

  get vector(): Vector {
    return this.#vector;
  }

  get lamport(): number {
    return this.#time.now;
  }

  /** When the turn began in which something came last, in milliseconds of a monotonic clock. */
  get turnMs(): number {
    return this.#turnMs;
  }

  /** Whether this server has numbered entries of its own since it was started. */
  get hasAccepted(): boolean {
    return this.#accepted > 0;
  }

  /** Entries that this server has numbered since it was started. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Entries of all servers that are stored since this one was started. */
  get taken(): number {
    return this.#taken;
  }

  /** How long the store took for each turn in which there was something to store. */
  get commits(): Durations {
    return this.#commits.durations;
  }

  /** The newest sequence of `origin`, be it stored or about to be. */
  lastOf(origin: string): number {
    return this.#builder.lastOf(origin);
  }

  /** The same of an origin that is forgotten whole; 0 of others. */
  readonly buriedAt = (origin: string): number => this.#builder.buriedAt(origin);

  /** What is stored, and what is about to be. */
  get comingVector(): Vector {
    return this.#builder.vector;
  }

  /**
   * A message came that was sent at this Lamport time, or (without one) something happened here.
   * Gives the time after it.
   */
  tick(lamport?: number): number {
    const now = this.#time.receive(lamport);
    if (this.#time.isToBeWritten) this.#writeLamport();
    return now;
  }

  /** A clock beside this one, of a door, has come to this time. */
  reach(lamport: number): void {
    if (lamport <= this.#time.now) return;
    this.#time.reach(lamport);
    if (this.#time.isToBeWritten) this.#writeLamport();
  }

  /** As `tick`, of a message that is taken into the log in this turn: the clock is written with it. */
  tickInTurn(lamport: number | undefined): number {
    return this.#time.receive(lamport);
  }

  /** Whether the store has failed. Then nothing is written any more, and reading throws. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  segmentsAfter(position: Position, maxBytes: number): readonly Segment[] {
    if (position >= this.#head) return [];
    return this.#tail.after(position, maxBytes) ?? this.#read(() => this.#store.segmentsAfter(position, maxBytes));
  }

  /** As the store's. */
  missing(vector: Vector): Missing {
    return this.#read(() => this.#store.missing(vector));
  }

  /** As the store's. */
  vectorAt(position: Position): Vector {
    return this.#read(() => this.#store.vectorAt(position));
  }

  /** The store has forgotten something at and before `position`. */
  forgot(position: Position): void {
    this.#tail.dropTo(position);
  }

  /**
   * Where a reader stood before the last `unsentBytes` of what it was sent up to `position`: at the beginning of a
   * segment, and never before `began`, where it was read from. Asked for each reader whenever servers talk: so it looks
   * at a bounded number of segments, and gives `began` when that is not enough.
   */
  positionBefore({ position, unsentBytes, began, username }: SentReader): Position {
    let before = position;
    let [looks, reads] = [0, 0];
    for (let unsent = unsentBytes; unsent > 0 && before > began; before--) {
      if (++looks > MAX_LOOKS_BACK) return began;
      let segment = this.#tail.after(before - 1, 0)?.[0];
      if (segment === undefined && ++reads > MAX_READS_BACK) return began;
      segment ??= this.segmentsAfter(before - 1, 0)[0];
      if (segment?.position !== before) break;
      const { audience, bytes } = segment;
      const wasSent = audience.kind === "everyone" || (audience.kind === "user" && audience.username === username);
      if (wasSent) unsent -= bytes.length;
    }
    return Math.max(before, began);
  }

  /**
   * Takes an activity in. Gives its identity; that of the first one where the sender has used the `messageId` before.
   */
  publish({ activity, username, quotedUsername, messageId, lamport, after, via }: Publication): EntryId {
    this.#openTurn();
    if (messageId !== undefined) {
      const first = this.#usedMessageId(username, messageId);
      if (first !== undefined) return first;
    }
    const own = this.#nextOwn(lamport);
    const { origin, sequence } = own;
    const previous = this.#senders.takePrevious(username, after);
    const afterId = previous === undefined ? undefined : formatEntryId(previous);
    const line = encodeBroadcast({ ...own, activity, quotedUsername, messageId, after: afterId, via });
    this.#builder.add(origin, sequence, EVERYONE, line);
    if (messageId !== undefined) {
      this.#turn.addMessageId({ username, messageId, origin, sequence, usedAt: own.takenAt });
    }
    return { origin, sequence };
  }

  /** Whether this user has published something under this `messageId`, as far as that is remembered. */
  hasUsed(username: string, messageId: string): boolean {
    return this.#usedMessageId(username, messageId) !== undefined;
  }

  /** The account of this name, be it stored or about to be. */
  accountOf(username: string): Account | undefined {
    return this.#account(username);
  }

  /** Whether there is such a user, be it stored or about to be. */
  hasAccount(username: string): boolean {
    return this.#account(username) !== undefined;
  }

  /** The account of a user, if it is stored. */
  storedAccount(username: string): Account | undefined {
    return this.#read(() => this.#store.account(username));
  }

  /** As the store's. */
  usernames(): readonly string[] {
    return this.#read(() => this.#store.usernames());
  }

  /** Whether this user has sent something under this `messageId` before, as far as that is still known. */
  isRepeated(username: string, messageId: string): boolean {
    return this.#usedMessageId(username, messageId) !== undefined;
  }

  /** Whether the entry that `id` names is here, as far as it is one of another server. */
  isHere(id: string): boolean {
    const entry = parseEntryId(id);
    return entry === undefined || entry.origin === this.serverId ||
      this.#builder.lastOf(entry.origin) >= entry.sequence;
  }

  /**
   * Takes a registration in. Calls `delivered` when all of the turn is committed and delivered: unlike `whenCommitted`,
   * it may begin sessions and end turns. `undefined` when the name has got an account since it was claimed.
   */
  register({ username, verifier, claim }: Registration, delivered: (id: EntryId) => void): EntryId | undefined {
    this.#openTurn();
    if (this.#account(username) !== undefined) return undefined;
    const own = this.#nextOwn(undefined);
    const { origin, sequence } = own;
    this.#builder.add(origin, sequence, SERVERS, encodeAccount({ ...own, username, verifier, claim }));
    this.#turn.accounts.set(username, { username, verifier, lamport: claim, origin });
    const id = { origin, sequence };
    this.#registrations.push(() => delivered(id));
    return id;
  }

  /** Takes in what another server has accepted: the next one of its origin that is still kept. */
  replicate({ origin, sequence, audience, line, facts, ageMs = 0, reach }: ReplicatedEntry): void {
    this.#openTurn();
    this.#time.reach(reach ?? facts.lamport);
    const reached = this.#audienceOf(origin, sequence, audience, facts);
    this.#builder.add(origin, sequence, reached, line);
    const { username, account, to, place } = facts;
    // One that is a second time here waits already. One that had its time may be all that is left of its origin,
    // and that it was delivered is forgotten. Its date and the calendar of this server would not tell: one of
    // the two may be wrong.
    if (to !== undefined && reached.kind === "user" && ageMs < this.#messagesWaitMs) {
      this.#turn.addMessage({ origin, sequence, to, line });
    }
    if (username !== undefined && username !== ANONYMOUS) this.#senders.came(username, { origin, sequence });
    if (place !== undefined) this.#owner.placeNoted?.(origin, sequence, facts.lamport, place);
    if (account !== undefined) this.#takeAccount({ ...account, lamport: account.claim, origin });
  }

  /** Accounts that others have, of origins that may be forgotten: each holds if it was claimed before what there is. */
  takeAccounts(accounts: Iterable<Account>): void {
    this.#openTurn();
    for (const account of accounts) this.#takeAccount(account);
  }

  /** As the store's. */
  accountsAfter(username: string, limit: number): Account[] {
    return this.#read(() => this.#store.accountsAfter(username, limit));
  }

  /** Notes the servers of the network, to be found again after a restart. */
  saveMembers(members: readonly KnownServer[]): void {
    this.#openTurn();
    this.#turn.saveMembers(members);
  }

  /** Keeps `value` under `key`, for the starts after this one. */
  saveNote(key: string, value: string): void {
    this.#openTurn();
    this.#turn.note(key, value);
  }

  /**
   * Tells all servers what is to be known of a user's lost connections; `note` is given the Lamport time of the entry.
   */
  notePlace(note: (lamport: number) => PlaceNote): OwnEntry {
    this.#openTurn();
    const own = this.#nextOwn(undefined);
    const noted = note(own.lamport);
    const audience = { kind: "user" as const, username: noted.username };
    this.#builder.add(own.origin, own.sequence, audience, encodePlace(noted, own));
    return own;
  }

  /** Notes where a user's connection stands, or stood. */
  savePlace(place: StoredPlace): void {
    this.#openTurn();
    this.#turn.savePlace(place);
  }

  /** Forgets that. */
  endPlace(id: number): void {
    this.#openTurn();
    this.#turn.endPlace(id);
  }

  /** Forgets a plain client's place, as earlier versions kept it. */
  endCursor(id: number): void {
    this.#openTurn();
    this.#turn.endCursor(id);
  }

  /**
   * Tells `waiting`, once, when everything that was taken in so far is committed, and before any of it is delivered.
   */
  whenCommitted(waiting: AwaitingCommit): void {
    this.#openTurn();
    this.#waiting.add(waiting);
  }

  /**
   * Ends the turn now instead of with the event loop's. What came in it is committed in one transaction, and handed to
   * the owner in one call.
   */
  flush(): void {
    this.#turnIsOpen = false;
    this.inboxes.turnEnded();
    if (this.#hasFailed) return;
    let commit: Commit;
    try {
      commit = this.#commit();
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#owner.committed(commit);
  }

  /**
   * All of the turn is in the commit, and nothing of it here any more: what its owner begins now
   * belongs to the next turn.
   */
  #commit(): Commit {
    const segments = this.#builder.take(this.#head, this.#takenAt);
    const turn = this.#turn;
    let holes: Vector | undefined;
    let names: readonly string[] = [];
    if (segments.length > 0 || turn.isWorthKeeping) {
      const begunAtMs = this.#clock.nowMs();
      this.#store.commit(turn.batch(segments, this.#time.now));
      this.#commits.add(this.#clock.nowMs() - begunAtMs);
      this.#time.written();
      holes = this.#accept(segments);
      names = [...turn.accounts.keys()];
      this.#turn = new Turn();
    }
    const [waiting, lostAccounts, registrations] = [this.#waiting, this.#lostAccounts, this.#registrations];
    this.#waiting = new Set();
    this.#lostAccounts = [];
    this.#registrations = [];
    return { segments, holes, waiting, names, lostAccounts, registrations };
  }

  /** Before anybody is told a time that the clock could fall behind after a restart. */
  #writeLamport(): void {
    if (this.#hasFailed) return;
    const nothing = { segments: [], accounts: [], messageIds: [], cursors: [], endedCursors: [] };
    try {
      this.#store.commit({ ...nothing, lamport: this.#time.now });
      this.#time.written();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The holes before them, as in `Commit`. */
  #accept(segments: readonly Segment[]): Vector | undefined {
    let holes: Record<string, number> | undefined;
    for (const segment of segments) {
      const had = sequenceOf(this.#vector, segment.origin) || this.origins.reborn(segment.origin);
      if (segment.first > had + 1) (holes ??= {})[segment.origin] = segment.first - 1;
      this.#tail.push(segment);
      this.#taken += segment.last - segment.first + 1;
      this.#vector[segment.origin] = segment.last;
      this.changes.moved(segment.origin);
      this.#head = segment.position;
    }
    return holes;
  }

  #openTurn(): void {
    if (this.#turnIsOpen) return;
    this.#turnIsOpen = true;
    // One reading of the clocks for all that happens in a turn.
    this.#wallMs = this.#clock.wallMs();
    this.#turnMs = this.#clock.nowMs();
    this.#takenAt = this.retention.at(this.#turnMs);
    this.#clock.endOfTurn(() => {
      if (this.#turnIsOpen) this.flush();
    });
  }

  /**
   * Whom a replicated entry is for here. What its sender has published through another server already
   * nobody gets a second time.
   */
  #audienceOf(origin: string, sequence: number, audience: Audience, facts: EntryFacts): Audience {
    const { username, messageId, of } = facts;
    if (of !== undefined) return this.inboxes.deliveredElsewhere(of, audience, messageId);
    if (username === undefined || messageId === undefined) return audience;
    const first = this.#usedMessageId(username, messageId);
    if (first !== undefined) {
      // Its receiver got it before it came here.
      if (this.inboxes.isDelivered({ origin, sequence })) this.inboxes.noteDelivered(first);
      return SERVERS;
    }
    const used = { username, messageId, origin, sequence, usedAt: this.#takenAt };
    this.#turn.addMessageId(used);
    return audience;
  }

  /** Of two accounts of one name the one that was claimed first holds, on every server. */
  #takeAccount(account: Account): void {
    const { username } = account;
    const known = this.#account(username);
    if (known !== undefined && !precedes(account, known)) return;
    this.#turn.accounts.set(username, account);
    if (known !== undefined) this.#lostAccounts.push(username);
  }

  /** Numbers an entry of this server's own, made of something that was sent at this Lamport time. */
  #nextOwn(lamport: number | undefined): OwnEntry {
    this.#accepted++;
    this.origins.accepts();
    return {
      origin: this.serverId,
      sequence: this.#builder.lastOf(this.serverId) + 1,
      lamport: this.#time.receive(lamport),
      sentAt: this.#wallMs,
      takenAt: this.#takenAt,
    };
  }

  #account(username: string): Account | undefined {
    return this.#turn.accounts.get(username) ?? this.storedAccount(username);
  }

  #usedMessageId(username: string, messageId: string): UsedMessageId | undefined {
    return this.#turn.usedMessageId(username, messageId) ??
      this.#read(() => this.#store.usedMessageId(username, messageId));
  }

  /** What the store says. */
  #read<T>(read: () => T): T {
    if (this.#hasFailed) throw new UnreadableError("The store has failed before");
    try {
      return read();
    } catch (error) {
      this.#fail(error);
      throw new UnreadableError("The store cannot be read", { cause: error });
    }
  }

  #fail(error: unknown): void {
    this.#hasFailed = true;
    this.#owner.failed(error);
  }
}
