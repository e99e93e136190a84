/**
 * What users wait for: direct messages as entries of the log, from when they are sent until they are delivered, here or
 * at another server. Writes them into the turn that the journal has open; what one client gets of them is the business
 * of `server/session/client/mailbox.ts`.
 */

import { type Audience, linesOf, SERVERS } from "../../log/segment.ts";
import { encodeDirectMessage, encodeReceipt, parseEntry } from "../../protocol/entry_codec.ts";
import { type EntryId, formatEntryId } from "../../protocol/entry_id.ts";
import type { EntryRange, InboxPortion, Store, WaitingMessage } from "../store/store.ts";
import { type MessageName, MovedDeliveries } from "./moved_deliveries.ts";
import { RecentDeliveries } from "./recent_deliveries.ts";
import type { DeliveredMessage, OutgoingMessage, OwnEntry } from "./entries.ts";
import type { Senders } from "./senders.ts";
import type { TurnBatch } from "./turn_batch.ts";

/**
 * Direct messages that may wait for one user. Anybody can send them, and for each the table of what waits
 * grows at every server: with lines as long as they may be these are 650 MB. More than somebody reads who
 * comes back after a holiday.
 */
export const MAX_WAITING_MESSAGES = 10_000;

/** What of the journal they are written with. */
export interface DirectMessagesJournal {
  readonly senders: Senders;
  /** What the turn that is going on adds to the store beside the log; begins one where there is none. */
  openTurn(): TurnBatch;
  /** Numbers an entry of this server in that turn, made of something that was sent at this Lamport time. */
  nextOwn(lamport: number | undefined): OwnEntry;
  /** Adds the line of an entry to the log. */
  add(entry: EntryId, audience: Audience, line: string): void;
  /** What a user has sent under a `messageId`, be it stored or about to be. */
  usedMessageId(username: string, messageId: string): EntryId | undefined;
  /** What the store says. Throws when it cannot be read. */
  read<T>(read: (store: Store) => T): T;
}

/** A direct message of another server. */
interface CameMessage {
  readonly from: string | undefined;
  readonly to: string;
  readonly messageId: string | undefined;
  /** Its end included. */
  readonly line: string;
}

/** The inboxes of all users. */
export class DirectMessages {
  readonly #journal: DirectMessagesJournal;
  readonly #deliveries = new RecentDeliveries();
  readonly #moved = new MovedDeliveries();
  /** How many messages wait for the users to whom some were sent in this turn; those included. */
  readonly #waitingFor = new Map<string, number>();

  constructor(journal: DirectMessagesJournal) {
    this.#journal = journal;
  }

  /**
   * Takes a direct message in. Gives its identity; that of the first one where the sender has used the `messageId`
   * before. `undefined` when too many wait for its receiver already.
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
    const previous = journal.senders.takePrevious(from, after);
    const afterId = previous === undefined ? undefined : formatEntryId(previous);
    const line = encodeDirectMessage({ ...own, from, to, text, messageId, after: afterId });
    journal.add(own, { kind: "user", username: to }, line);
    turn.addMessage({ origin, sequence, to, line });
    if (messageId !== undefined) {
      turn.addMessageId({ username: from, messageId, origin, sequence, usedAt: own.takenAt });
    }
    return { origin, sequence };
  }

  /** As `Store.inboxOf`: what was delivered in this turn (`isDelivered`) is there too. */
  of(username: string, portion: InboxPortion): readonly WaitingMessage[] {
    return this.#journal.read((store) => store.inboxOf(username, portion));
  }

  /** As `Store.inboxRange`, in the same way. */
  rangeOf(username: string, range: EntryRange, maxBytes: number): readonly WaitingMessage[] {
    return this.#journal.read((store) => store.inboxRange(username, range, maxBytes));
  }

  /** Whether a direct message that the store may still name as one that waits was delivered in this turn. */
  isDelivered(message: EntryId): boolean {
    return this.#deliveries.has(message);
  }

  /**
   * Notes everywhere that a direct message was delivered, and tells its sender. Gives the entry that this is;
   * `undefined` when it is known already.
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
   * A direct message was delivered at another server. Whom the receipt is for here: where two servers delivered it
   * before they heard of each other, its sender is told once.
   */
  deliveredElsewhere(of: EntryId, audience: Audience, messageId: string | undefined): Audience {
    // Another server passes it on, and has told the sender of the message's other receipt, which comes too.
    if (audience.kind !== "user" && messageId !== undefined) {
      if (!this.#isAnother(of, messageId)) this.#journal.openTurn().addDelivered(of);
      return audience;
    }
    if (audience.kind !== "user" || messageId === undefined) {
      this.noteDelivered(of);
      return audience;
    }
    // Where two servers took the message, what waits here may be the other one's.
    const here = this.#journal.usedMessageId(audience.username, messageId);
    // It is still to come, maybe under another number than this.
    if (here === undefined) this.#moved.add({ username: audience.username, messageId });
    const isOfHere = here !== undefined && here.origin === of.origin && here.sequence === of.sequence;
    const isNew = (!isOfHere && this.#isAnother(of, messageId)) || this.noteDelivered(of);
    if (here === undefined || isOfHere) return isNew ? audience : SERVERS;
    return this.noteDelivered(here) && isNew ? audience : SERVERS;
  }

  /**
   * Whether another message than the one with this `messageId` stands under its number here: an old copy of a server's
   * data has given the number out again. That other message goes on waiting.
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

  /** A direct message does not wait any more. Whether that is new. */
  noteDelivered({ origin, sequence }: EntryId): boolean {
    this.#journal.openTurn().addDelivered({ origin, sequence });
    return this.#deliveries.add({ origin, sequence });
  }

  /** Takes in a message that another server has accepted. It waits, unless it was delivered under another number. */
  came({ origin, sequence }: EntryId, { from, to, messageId, line }: CameMessage): void {
    this.#journal.openTurn().addMessage({ origin, sequence, to, line });
    if (this.#moved.has({ username: from, messageId })) this.noteDelivered({ origin, sequence });
  }

  /**
   * Other entries belong under the numbers of `origin` after `sequence` than were here; of those, `delivered` have
   * reached their users before they come. What was here comes again under other numbers; of that, `taken` had reached
   * their users.
   */
  renumbered(
    origin: string,
    sequence: number,
    delivered: readonly EntryId[],
    taken: readonly MessageName[] = [],
  ): void {
    this.#deliveries.cut(origin, sequence);
    for (const message of delivered) this.noteDelivered(message);
    for (const message of taken) this.#moved.add(message);
  }

  /** The turn is over. */
  turnEnded(): void {
    this.#waitingFor.clear();
  }

  /** Whether one more message may wait for a user, and counts it if so. */
  #takesOneMore(username: string): boolean {
    // Once for each turn: for a long inbox that takes as long as a message does.
    const count = this.#waitingFor.get(username) ??
      this.#journal.read((store) => store.inboxCount(username, MAX_WAITING_MESSAGES));
    const takesIt = count < MAX_WAITING_MESSAGES;
    this.#waitingFor.set(username, takesIt ? count + 1 : count);
    return takesIt;
  }
}
