/**
 * Direct messages as entries of the log. They wait from when they are sent until they are delivered, here or at another
 * server. This file writes them into the open turn of the journal. `server/session/client/mailbox.ts` decides which of
 * them one client gets.
 */

import { type EntryAudience, linesOf, SERVERS } from "../../log/segment.ts";
import { encodeDirectMessage, encodeReceipt, parseEntry } from "../../protocol/entry_codec.ts";
import { type EntryId, formatEntryId } from "../../protocol/entry_id.ts";
import type { EntryRange, InboxPortion, Store, WaitingMessage } from "../store/store.ts";
import { type MessageName, MovedDeliveries } from "./moved_deliveries.ts";
import { RecentDeliveries } from "./recent_deliveries.ts";
import type { DeliveredMessage, OutgoingMessage, OwnEntry } from "./entries.ts";
import type { Senders } from "./senders.ts";
import type { TurnBatch } from "./turn_batch.ts";

/**
 * The number of direct messages that may wait for one user. Anybody can send them, and every server keeps them. With
 * the longest lines they take 650 MB. Nobody who comes back from a holiday reads more.
 */
export const MAX_WAITING_MESSAGES = 10_000;

/** The parts of the journal that write them. */
export interface DirectMessagesJournal {
  readonly senders: Senders;
  /** What the open turn adds to the store beside the log. Begins a turn if none is open. */
  openTurn(): TurnBatch;
  /** Numbers an entry of this server in that turn. Its cause was sent at this Lamport time. */
  nextOwn(lamport: number | undefined): OwnEntry;
  /** Adds the line of an entry to the log. */
  add(entry: EntryId, audience: EntryAudience, line: string): void;
  /** The entry that a user has sent under a `messageId`, stored or in the open turn. */
  usedMessageId(username: string, messageId: string): EntryId | undefined;
  /** The store's answer. Throws when the store cannot be read. */
  read<T>(read: (store: Store) => T): T;
}

/** A direct message of another server. */
interface CameMessage {
  readonly from: string | undefined;
  readonly to: string;
  readonly messageId: string | undefined;
  /** With its end. */
  readonly line: string;
}

/** The inboxes of all users. */
export class DirectMessages {
  readonly #journal: DirectMessagesJournal;
  readonly #deliveries = new RecentDeliveries();
  readonly #moved = new MovedDeliveries();
  /** Messages whose receipts went with what an old copy had given: they come again, and maybe nobody was told. */
  readonly #untold = new RecentDeliveries();
  /** How many messages wait for each receiver of this turn, with those of this turn. */
  readonly #waitingFor = new Map<string, number>();

  constructor(journal: DirectMessagesJournal) {
    this.#journal = journal;
  }

  /**
   * Takes a direct message in, and gives its id. If the sender has used the `messageId` before, gives the id of the
   * first one. `undefined` when too many messages wait for the receiver already.
   */
  send({ from, to, text, messageId, lamport, after }: OutgoingMessage): EntryId | undefined {
    const journal = this.#journal;
    const turn = journal.openTurn();
    if (messageId !== undefined) {
      const first = journal.usedMessageId(from, messageId);
      if (first !== undefined) return first;
    }
    if (!this.#takesOneMore(to)) return undefined;
    const own = journal.nextOwn(lamport);
    const { origin, sequence } = own;
    const afterId = journal.senders.takePreviousId(from, after);
    const line = encodeDirectMessage({ ...own, from, to, text, messageId, after: afterId });
    journal.add(own, { kind: "user", username: to }, line);
    turn.addMessage({ origin, sequence, to, line });
    if (messageId !== undefined) {
      turn.addMessageId({ username: from, messageId, origin, sequence, usedAt: own.takenAt });
    }
    return { origin, sequence };
  }

  /** How many messages wait, for all users, and when the first of them was taken in. */
  get waiting(): { readonly count: number; readonly oldestTakenAt: number | undefined } {
    return this.#journal.read(({ inboxSize, inboxOldest }) => ({ count: inboxSize, oldestTakenAt: inboxOldest }));
  }

  /** How many wait, of users for whom any wait. Costs nothing; not to be kept. */
  get waitingByUser(): ReadonlyMap<string, number> {
    return this.#journal.read(({ inboxSizes }) => inboxSizes);
  }

  /** As `Store.inboxOf`. Messages that were delivered in this turn (`isDelivered`) are still in it. */
  of(username: string, portion: InboxPortion): readonly WaitingMessage[] {
    return this.#journal.read((store) => store.inboxOf(username, portion));
  }

  /** As `Store.inboxRange`, in the same way. */
  rangeOf(username: string, range: EntryRange, maxBytes: number): readonly WaitingMessage[] {
    return this.#journal.read((store) => store.inboxRange(username, range, maxBytes));
  }

  /** Whether a message was delivered in this turn. The store may still say that it waits. */
  isDelivered(message: EntryId): boolean {
    return this.#deliveries.has(message);
  }

  /**
   * Notes everywhere that a direct message was delivered, and tells its sender. Gives the entry of the receipt;
   * `undefined` when the delivery is known already.
   */
  delivered({ origin, sequence, from, to, messageId }: DeliveredMessage): EntryId | undefined {
    if (!this.#deliveries.add({ origin, sequence })) return undefined;
    const turn = this.#journal.openTurn();
    const own = this.#journal.nextOwn(undefined);
    const of = formatEntryId({ origin, sequence });
    const audience = messageId === undefined ? SERVERS : { kind: "user" as const, username: from };
    this.#journal.add(own, audience, encodeReceipt({ ...own, of, to, messageId }));
    turn.addDelivered({ origin, sequence });
    return { origin: own.origin, sequence: own.sequence };
  }

  /**
   * A direct message was delivered at another server. Gives the audience of the receipt here. When two servers deliver
   * a message before they hear of each other, its sender is told once.
   */
  deliveredElsewhere(of: EntryId, audience: EntryAudience, messageId: string | undefined): EntryAudience {
    // Another server passes it on, and has told the sender of the message's other receipt, which comes too.
    if (audience.kind !== "user" && messageId !== undefined) {
      if (!this.#isAnother(of, messageId)) this.#journal.openTurn().addDelivered(of);
      return audience;
    }
    if (audience.kind !== "user" || messageId === undefined) {
      this.noteDelivered(of);
      return audience;
    }
    // Two servers may have taken the message. Then the other one's may wait here.
    const here = this.#journal.usedMessageId(audience.username, messageId);
    // The message is still to come, maybe under another number.
    if (here === undefined) this.#moved.add({ username: audience.username, messageId });
    const isOfHere = here !== undefined && here.origin === of.origin && here.sequence === of.sequence;
    const isUntold = this.#untold.delete(of);
    const isNew = (!isOfHere && this.#isAnother(of, messageId)) || this.noteDelivered(of) || isUntold;
    if (here === undefined || isOfHere) return isNew ? audience : SERVERS;
    return this.noteDelivered(here) && isNew ? audience : SERVERS;
  }

  /**
   * Whether another message than the one with this `messageId` has its number here. Then an old copy of a server's data
   * has given the number out again. That other message goes on waiting.
   */
  #isAnother(entry: EntryId, messageId: string): boolean {
    const turn = this.#journal.openTurn();
    const line = turn.messageLine(entry) ?? (turn.takesBack(entry) ? undefined : this.#storedLine(entry));
    const facts = line === undefined ? undefined : parseEntry(line);
    return facts?.to !== undefined && facts.messageId !== messageId;
  }

  #storedLine({ origin, sequence }: EntryId): string | undefined {
    const segment = this.#journal.read((store) => store.segmentOf(origin, sequence));
    return segment && linesOf(segment.bytes)[sequence - segment.first];
  }

  /**
   * Nobody is there any more who could get what waits for `username`: it waits no longer, here. Every server does this
   * itself. Senders hear nothing, as nothing was delivered.
   */
  drop(username: string): void {
    for (const message of this.#journal.read((store) => store.inboxOf(username))) this.noteDelivered(message);
  }

  /** Notes that a direct message does not wait any more. Gives whether that is new. */
  noteDelivered({ origin, sequence }: EntryId): boolean {
    this.#journal.openTurn().addDelivered({ origin, sequence });
    return this.#deliveries.add({ origin, sequence });
  }

  /** Takes in a message of another server. It waits, unless it was delivered under another number. */
  came({ origin, sequence }: EntryId, { from, to, messageId, line }: CameMessage): void {
    this.#journal.openTurn().addMessage({ origin, sequence, to, line });
    if (this.#moved.has({ username: from, messageId })) this.noteDelivered({ origin, sequence });
  }

  /**
   * Other entries belong under the numbers of `origin` after `sequence` than were here; of those, `delivered` have
   * reached their users before they come. What was here comes again under other numbers; of that, `taken` had reached
   * their users, and of the messages `untold` the receipts go.
   */
  renumbered(
    origin: string,
    sequence: number,
    delivered: readonly EntryId[],
    taken: readonly MessageName[] = [],
    untold: readonly EntryId[] = [],
  ): void {
    this.#deliveries.cut(origin, sequence);
    for (const message of delivered) this.noteDelivered(message);
    for (const message of taken) this.#moved.add(message);
    this.comeAgain(untold);
  }

  /** Receipts of these come again as they were: their senders are told as if it was for the first time. */
  comeAgain(messages: Iterable<EntryId>): void {
    for (const message of messages) this.#untold.add(message);
  }

  /** The turn is over. */
  turnEnded(): void {
    this.#waitingFor.clear();
  }

  /** Whether one more message may wait for a user, and counts it if so. */
  #takesOneMore(username: string): boolean {
    // What this turn sends is not in the store yet.
    const count = this.#waitingFor.get(username) ??
      this.#journal.read((store) => store.inboxSizes.get(username) ?? 0);
    const takesIt = count < MAX_WAITING_MESSAGES;
    this.#waitingFor.set(username, takesIt ? count + 1 : count);
    return takesIt;
  }
}
