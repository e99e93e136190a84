/**
 * The log of this server, being written: what happens in one turn of the event loop is numbered, stored in one transaction, and only then told to
 * anybody. Owns the store, the newest segments in memory, and the Lamport clock.
 */

import { type Audience, EVERYONE, type Position, type Segment, SERVERS } from "../log/segment.ts";
import { SegmentBuilder } from "../log/segment_builder.ts";
import { Tail } from "../log/tail.ts";
import { sequenceOf, type Vector } from "../log/vector.ts";
import type { Clock } from "../platform/clock.ts";
import { encodeAccount, encodeDirectMessage, encodeReceipt, type EntryFacts } from "../protocol/entry_codec.ts";
import { type EntryId, formatEntryId, parseEntryId } from "../protocol/entry_id.ts";
import { ANONYMOUS } from "../protocol/names.ts";
import { encodeBroadcast } from "../protocol/server_codec.ts";
import type {
  Account,
  EntryRange,
  InboxPortion,
  KnownServer,
  Missing,
  PlainCursor,
  Store,
  UsedMessageId,
  WaitingMessage,
} from "../store/store.ts";
import { receive } from "../trace/lamport_clock.ts";
import { DurationCount, type Durations } from "./counters.ts";
import { Deliveries } from "./deliveries.ts";
import type { DeliveredMessage, OutgoingMessage, Publication, Registration, ReplicatedEntry } from "./entries.ts";
import { Senders } from "./senders.ts";
import { Turn } from "./turn.ts";

/** Who is to be told that what it gave to the journal is safe. */
export interface Committed {
  committed(): void;
}

/**
 * Direct messages that may wait for one user. Anybody can send them, and for each the table of what waits grows at every server: with lines as long as they may be
 * these are 650 MB. More than somebody reads who comes back after a holiday.
 */
export const MAX_WAITING_MESSAGES = 10_000;

/**
 * How far the Lamport clock may go on with nothing written. Most of its times are only said (to clients, in announcements, in claims to names), and a write for each would be
 * many: so a server that starts takes its clock to be this much further than the store knows, and one that runs stays within it.
 */
const UNWRITTEN_TICKS = 256;

/** What the journal tells. */
export interface JournalOwner {
  /** These are stored; nobody was told so. */
  safe(segments: readonly Segment[]): void;
  /** These are stored, and are the end of the log now; those who waited for that were told. `hasHole`: some of what belongs before them was forgotten elsewhere and is not here. */
  stored(segments: readonly Segment[], hasHole: boolean): void;
  /** These names have accounts now. */
  registered(usernames: readonly string[]): void;
  /** Another server's registration holds, and the account that this name had here does not any more. Told when that is stored. */
  accountLost(username: string): void;
  /** The store took nothing of the last turn, or cannot be read. Nothing more is written to it. */
  failed(error: unknown): void;
}

/** Writes one server's log. */
export class Journal {
  readonly serverId: string;
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #owner: JournalOwner;
  readonly #messagesWaitMs: number;
  readonly #tail: Tail;
  readonly #builder: SegmentBuilder;
  readonly #vector: Record<string, number>;
  #head: Position;
  #lamport: number;
  /** What the store has of it. */
  #writtenLamport: number;
  #turn = new Turn();
  /** Names of accounts that are stored and were not told yet. */
  #storedNames: readonly string[] = [];
  #lostAccounts: string[] = [];
  readonly #senders = new Senders();
  /** How many messages wait for the users to whom some were sent in this turn; those included. */
  readonly #waitingFor = new Map<string, number>();
  readonly #deliveries = new Deliveries();
  #waiting = new Set<Committed>();
  #registered: (() => void)[] = [];
  #turnIsOpen = false;
  #hasFailed = false;
  readonly #commits = new DurationCount();
  #accepted = 0;
  #wallMs = 0;
  #turnMs = 0;

  /** Keeps the newest `tailBytes` of the log in memory. A direct message waits for `messagesWaitMs` after it was sent. */
  constructor(
    store: Store,
    clock: Clock,
    { tailBytes, messagesWaitMs }: { readonly tailBytes: number; readonly messagesWaitMs: number },
    owner: JournalOwner,
  ) {
    const { serverId, head, vector, lamport } = store.opened;
    this.serverId = serverId;
    this.#store = store;
    this.#clock = clock;
    this.#owner = owner;
    this.#messagesWaitMs = messagesWaitMs;
    this.#tail = new Tail(tailBytes);
    this.#builder = new SegmentBuilder(vector);
    this.#vector = { ...vector };
    this.#head = head;
    // Only a store that is new has none: the first tick is written at once.
    this.#lamport = lamport === 0 ? 0 : lamport + UNWRITTEN_TICKS;
    this.#writtenLamport = lamport;
  }

  get head(): Position {
    return this.#head;
  }

  get vector(): Vector {
    return this.#vector;
  }

  get lamport(): number {
    return this.#lamport;
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

  /** How long the store took for each turn in which there was something to store. */
  get commits(): Durations {
    return this.#commits.durations;
  }

  /** The newest sequence of `origin`, be it stored or about to be. */
  lastOf(origin: string): number {
    return this.#builder.lastOf(origin);
  }

  /** What is stored, and what is about to be. */
  get comingVector(): Vector {
    return this.#builder.vector;
  }

  /** A message came that was sent at this Lamport time, or (without one) something happened here. Gives the time after it. */
  tick(lamport?: number): number {
    this.#lamport = receive(this.#lamport, lamport);
    if (this.#writtenLamport === 0 || this.#lamport > this.#writtenLamport + UNWRITTEN_TICKS) this.#writeLamport();
    return this.#lamport;
  }

  /** A clock beside this one, of a door, has come to this time. */
  reach(lamport: number): void {
    if (lamport <= this.#lamport) return;
    this.#lamport = lamport;
    if (this.#writtenLamport === 0 || lamport > this.#writtenLamport + UNWRITTEN_TICKS) this.#writeLamport();
  }

  /** As `tick`, of a message that is taken into the log in this turn: the clock is written with it. */
  tickInTurn(lamport: number | undefined): number {
    return this.#lamport = receive(this.#lamport, lamport);
  }

  segmentsAfter(position: Position, maxBytes: number): readonly Segment[] {
    if (position >= this.#head) return [];
    return this.#tail.after(position, maxBytes) ?? this.#read(() => this.#store.segmentsAfter(position, maxBytes)) ??
      [];
  }

  /** As the store's; `undefined` when it cannot be read, which is the end of this server. */
  missing(vector: Vector): Missing | undefined {
    return this.#read(() => this.#store.missing(vector));
  }

  /** As the store's; `undefined` when it cannot be read, which is the end of this server. */
  missingAfter(position: Position): Missing | undefined {
    return this.#read(() => this.#store.missingAfter(position));
  }

  /** The store has forgotten something at and before `position`. */
  forgot(position: Position): void {
    this.#tail.dropTo(position);
  }

  /** Where a reader stood before the last `unsentBytes` of what it was sent up to `position`: at the beginning of a segment. */
  positionBefore(position: Position, unsentBytes: number): Position {
    let before = position;
    for (let unsent = unsentBytes; unsent > 0 && before > 0; before--) {
      const segment = this.segmentsAfter(before - 1, 0)[0];
      if (segment?.position !== before) break;
      if (segment.audience.kind === "everyone") unsent -= segment.bytes.length;
    }
    return before;
  }

  /** Takes an activity in. Gives its identity; that of the first one where the sender has used the `messageId` before. */
  publish({ activity, username, quotedUsername, messageId, lamport, after }: Publication): EntryId {
    this.#openTurn();
    if (messageId !== undefined) {
      const first = this.#usedMessageId(username, messageId);
      if (first !== undefined) return first;
    }
    this.#lamport = receive(this.#lamport, lamport);
    const { origin, sequence } = this.#nextOwn();
    const previous = this.#senders.takePrevious(username, after);
    this.#builder.add(
      origin,
      sequence,
      EVERYONE,
      encodeBroadcast({
        activity,
        quotedUsername,
        origin,
        sequence,
        lamport: this.#lamport,
        sentAt: this.#wallMs,
        messageId,
        after: previous === undefined ? undefined : formatEntryId(previous),
      }),
    );
    if (messageId !== undefined) {
      const used = { username, messageId, origin, sequence, usedAt: this.#wallMs };
      this.#turn.addMessageId(used);
    }
    return { origin, sequence };
  }

  /**
   * Takes a direct message in. Gives its identity; that of the first one where the sender has used the `messageId` before. `undefined` when too many
   * wait for its receiver already.
   */
  send({ from, to, text, messageId, lamport, after }: OutgoingMessage): EntryId | undefined {
    this.#openTurn();
    if (messageId !== undefined) {
      const first = this.#usedMessageId(from, messageId);
      if (first !== undefined) return first;
    }
    if (!this.#takesOneMore(to)) return undefined;
    this.#lamport = receive(this.#lamport, lamport);
    const entry = this.#nextOwn();
    const previous = this.#senders.takePrevious(from, after);
    const line = encodeDirectMessage({
      ...entry,
      from,
      to,
      text,
      messageId,
      lamport: this.#lamport,
      sentAt: this.#wallMs,
      after: previous === undefined ? undefined : formatEntryId(previous),
    });
    this.#builder.add(entry.origin, entry.sequence, { kind: "user", username: to }, line);
    this.#turn.addMessage({ ...entry, to, line });
    if (messageId !== undefined) {
      this.#turn.addMessageId({ username: from, messageId, ...entry, usedAt: this.#wallMs });
    }
    return entry;
  }

  /** Whether there is such a user. `true` also when that cannot be read, which is the end of this server: nobody is told that there is none. */
  hasAccount(username: string): boolean {
    return this.#account(username) !== undefined || this.#hasFailed;
  }

  /** As the store's; `undefined` when they cannot be read, which is the end of this server. */
  usernames(): readonly string[] | undefined {
    return this.#read(() => this.#store.usernames());
  }

  /** As the store's: what was delivered in this turn (`isDelivered`) is there too. `undefined` when it cannot be read, which is the end of this server. */
  inboxOf(username: string, portion: InboxPortion): readonly WaitingMessage[] | undefined {
    return this.#read(() => this.#store.inboxOf(username, portion));
  }

  /** As the store's, in the same way. */
  inboxRange(username: string, range: EntryRange, maxBytes: number): readonly WaitingMessage[] | undefined {
    return this.#read(() => this.#store.inboxRange(username, range, maxBytes));
  }

  /** Whether a direct message that the store may still name as one that waits was delivered in this turn. */
  isDelivered(message: EntryId): boolean {
    return this.#deliveries.has(message);
  }

  /** Notes everywhere that a direct message was delivered, and tells its sender. Gives the entry that this is; `undefined` when it is known already. */
  delivered({ origin, sequence, from, to, messageId }: DeliveredMessage): EntryId | undefined {
    if (!this.#deliveries.add({ origin, sequence })) return undefined;
    this.#openTurn();
    this.#lamport = receive(this.#lamport, undefined);
    const own = this.#nextOwn();
    const of = formatEntryId({ origin, sequence });
    const line = encodeReceipt({ ...own, of, to, messageId, lamport: this.#lamport });
    const audience = messageId === undefined ? SERVERS : { kind: "user" as const, username: from };
    this.#builder.add(own.origin, own.sequence, audience, line);
    this.#turn.addDelivered({ origin, sequence });
    return own;
  }

  /** Whether the entry that `id` names is here, as far as it is one of another server. */
  isHere(id: string): boolean {
    const entry = parseEntryId(id);
    return entry === undefined || entry.origin === this.serverId ||
      this.#builder.lastOf(entry.origin) >= entry.sequence;
  }

  /**
   * Takes a registration in. Calls `isSafe` when that is safe and all of the turn has been told and delivered: unlike those who wait for `tell`, it may
   * begin sessions and end turns. `undefined` when the name has got an account since it was claimed.
   */
  register({ username, verifier, claim }: Registration, isSafe: (id: EntryId) => void): EntryId | undefined {
    this.#openTurn();
    if (this.#account(username) !== undefined) return undefined;
    this.#lamport = receive(this.#lamport, undefined);
    const { origin, sequence } = this.#nextOwn();
    const entry = { username, verifier, claim, origin, sequence, lamport: this.#lamport, sentAt: this.#wallMs };
    this.#builder.add(origin, sequence, SERVERS, encodeAccount(entry));
    this.#turn.accounts.set(username, { username, verifier, lamport: claim, origin });
    const id = { origin, sequence };
    this.#registered.push(() => isSafe(id));
    return id;
  }

  /** Takes in what another server has accepted: the next one of its origin that is still kept. */
  replicate({ origin, sequence, audience, line, facts }: ReplicatedEntry): void {
    this.#openTurn();
    this.#lamport = Math.max(this.#lamport, facts.lamport);
    const reached = this.#audienceOf(origin, sequence, audience, facts);
    this.#builder.add(origin, sequence, reached, line);
    const { username, account, to, sentAt = 0 } = facts;
    // One that is a second time here waits already. One that had its time may be all that is left of its origin, and that it was delivered is forgotten.
    if (to !== undefined && reached.kind === "user" && this.#wallMs - sentAt < this.#messagesWaitMs) {
      this.#turn.addMessage({ origin, sequence, to, line });
    }
    if (username !== undefined && username !== ANONYMOUS) this.#senders.came(username, { origin, sequence });
    if (account !== undefined) this.#takeAccount({ ...account, lamport: account.claim, origin });
  }

  /** Notes the servers of the network, to be found again after a restart. */
  saveMembers(members: readonly KnownServer[]): void {
    this.#openTurn();
    this.#turn.saveMembers(members);
  }

  /** Notes where a plain client stands. */
  saveCursor(cursor: PlainCursor): void {
    this.#openTurn();
    this.#turn.saveCursor(cursor);
  }

  /** Forgets a plain client's place. */
  endCursor(id: number): void {
    this.#openTurn();
    this.#turn.endCursor(id);
  }

  /** Tells `waiting`, once, when everything that was taken in so far is safe, and before any of it is delivered. */
  tell(waiting: Committed): void {
    this.#openTurn();
    this.#waiting.add(waiting);
  }

  /** Ends the turn now instead of with the event loop's. */
  flush(): void {
    this.#turnIsOpen = false;
    this.#waitingFor.clear();
    if (this.#hasFailed) return;
    const segments = this.#builder.take(this.#head, this.#wallMs);
    let hasHole = false;
    if (segments.length > 0 || this.#turn.isWorthKeeping) {
      try {
        const begunAtMs = this.#clock.nowMs();
        this.#store.commit(this.#turn.batch(segments, this.#lamport));
        this.#commits.add(this.#clock.nowMs() - begunAtMs);
      } catch (error) {
        this.#fail(error);
        return;
      }
      this.#writtenLamport = this.#lamport;
      hasHole = this.#accept(segments);
      // First of all, as it is what survives this server.
      if (segments.length > 0) this.#owner.safe(segments);
    }
    const waiting = this.#waiting;
    if (waiting.size > 0) {
      this.#waiting = new Set();
      for (const one of waiting) one.committed();
    }
    if (segments.length > 0) this.#owner.stored(segments, hasHole);
    const storedNames = this.#storedNames;
    if (storedNames.length > 0) {
      this.#storedNames = [];
      this.#owner.registered(storedNames);
    }
    const lostAccounts = this.#lostAccounts;
    if (lostAccounts.length > 0) {
      this.#lostAccounts = [];
      for (const username of lostAccounts) this.#owner.accountLost(username);
    }
    const registered = this.#registered;
    if (registered.length > 0) {
      this.#registered = [];
      for (const isSafe of registered) isSafe();
    }
  }

  /** Before anybody is told a time that the clock could fall behind after a restart. */
  #writeLamport(): void {
    if (this.#hasFailed) return;
    const nothing = { segments: [], accounts: [], messageIds: [], cursors: [], endedCursors: [] };
    try {
      this.#store.commit({ ...nothing, lamport: this.#lamport });
      this.#writtenLamport = this.#lamport;
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Whether there is a hole before any of them. */
  #accept(segments: readonly Segment[]): boolean {
    let hasHole = false;
    for (const segment of segments) {
      if (segment.first > sequenceOf(this.#vector, segment.origin) + 1) hasHole = true;
      this.#tail.push(segment);
      this.#vector[segment.origin] = segment.last;
      this.#head = segment.position;
    }
    this.#storedNames = [...this.#turn.accounts.keys()];
    this.#turn = new Turn();
    return hasHole;
  }

  #openTurn(): void {
    if (this.#turnIsOpen) return;
    this.#turnIsOpen = true;
    // One reading of the clocks for all that happens in a turn.
    this.#wallMs = this.#clock.wallMs();
    this.#turnMs = this.#clock.nowMs();
    this.#clock.endOfTurn(() => {
      if (this.#turnIsOpen) this.flush();
    });
  }

  /** Whom a replicated entry is for here. What its sender has published through another server already nobody gets a second time. */
  #audienceOf(origin: string, sequence: number, audience: Audience, facts: EntryFacts): Audience {
    const { username, messageId, of } = facts;
    if (of !== undefined) return this.#deliveredElsewhere(of, audience, messageId);
    if (username === undefined || messageId === undefined) return audience;
    const first = this.#usedMessageId(username, messageId);
    if (first !== undefined) {
      // Its receiver got it before it came here.
      if (this.#deliveries.has({ origin, sequence })) this.#noteDelivered(first);
      return SERVERS;
    }
    const used = { username, messageId, origin, sequence, usedAt: this.#wallMs };
    this.#turn.addMessageId(used);
    return audience;
  }

  /**
   * A direct message was delivered at another server. Whom the receipt is for here: where two servers delivered it before they heard of each other, its
   * sender is told once.
   */
  #deliveredElsewhere(of: EntryId, audience: Audience, messageId: string | undefined): Audience {
    // Another server passes it on, and has told the sender of the message's other receipt, which comes too.
    if (audience.kind !== "user" && messageId !== undefined) {
      this.#turn.addDelivered(of);
      return audience;
    }
    const isNew = this.#noteDelivered(of);
    if (audience.kind !== "user" || messageId === undefined) return audience;
    // Where two servers took the message, what waits here may be the other one's.
    const here = this.#usedMessageId(audience.username, messageId);
    if (here === undefined || (here.origin === of.origin && here.sequence === of.sequence)) {
      return isNew ? audience : SERVERS;
    }
    return this.#noteDelivered(here) && isNew ? audience : SERVERS;
  }

  /** Whether that is new. */
  #noteDelivered({ origin, sequence }: EntryId): boolean {
    this.#turn.addDelivered({ origin, sequence });
    return this.#deliveries.add({ origin, sequence });
  }

  /** Of two accounts of one name the one that was claimed first holds, on every server. */
  #takeAccount(account: Account): void {
    const { username } = account;
    const known = this.#account(username);
    if (known !== undefined && !isBefore(account, known)) return;
    this.#turn.accounts.set(username, account);
    if (known !== undefined) this.#lostAccounts.push(username);
  }

  /** Whether one more message may wait for a user, and counts it if so. */
  #takesOneMore(username: string): boolean {
    // Once for each turn: for a long inbox that takes as long as a message does.
    const count = this.#waitingFor.get(username) ??
      this.#read(() => this.#store.inboxCount(username, MAX_WAITING_MESSAGES)) ?? 0;
    const takesIt = count < MAX_WAITING_MESSAGES;
    this.#waitingFor.set(username, takesIt ? count + 1 : count);
    return takesIt;
  }

  #nextOwn(): EntryId {
    this.#accepted++;
    return { origin: this.serverId, sequence: this.#builder.lastOf(this.serverId) + 1 };
  }

  #account(username: string): Account | undefined {
    return this.#turn.accounts.get(username) ?? this.#read(() => this.#store.account(username));
  }

  #usedMessageId(username: string, messageId: string): UsedMessageId | undefined {
    return this.#turn.usedMessageId(username, messageId) ??
      this.#read(() => this.#store.usedMessageId(username, messageId));
  }

  /** What the store says; nothing, and the end of this server, when it cannot be read. */
  #read<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  #fail(error: unknown): void {
    this.#hasFailed = true;
    this.#owner.failed(error);
  }
}

/** Whether `a` has the older claim. */
function isBefore(a: Account, b: Account): boolean {
  return a.lamport < b.lamport || (a.lamport === b.lamport && a.origin < b.origin);
}
