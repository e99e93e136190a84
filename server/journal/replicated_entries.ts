/**
 * Takes entries of other servers into the open turn of the journal. Decides whom such an entry is for here, whether it
 * waits for a user, and which of two accounts of one name holds.
 */

import { precedes } from "../../log/precedes.ts";
import { type EntryAudience, SERVERS } from "../../log/segment.ts";
import type { SegmentBuilder } from "../../log/segment_builder.ts";
import type { EntryFacts } from "../../protocol/entry_codec.ts";
import { ANONYMOUS } from "../../protocol/names.ts";
import type { PlaceNote } from "../../protocol/peer/place_codec.ts";
import type { Account, UsedMessageId } from "../store/store.ts";
import type { DirectMessages } from "./direct_messages.ts";
import type { DurableClock } from "./durable_clock.ts";
import type { JournalParts, ReplicatedEntry } from "./entries.ts";
import type { RecordEntries } from "./record_entries.ts";
import type { Senders } from "./senders.ts";
import type { TurnBatch, TurnTimes } from "./turn_batch.ts";

/** The parts of the journal that write them. */
export interface ReplicatedJournal {
  readonly builder: SegmentBuilder;
  readonly time: DurableClock;
  readonly times: TurnTimes;
  readonly senders: Senders;
  readonly directMessages: DirectMessages;
  /** What the open turn adds to the store beside the log. Begins a turn if none is open. */
  openTurn(): TurnBatch;
  /** The account of a name, stored or in the open turn. */
  account(username: string): Account | undefined;
  /** The entry that a user has sent under a `messageId`, stored or in the open turn. */
  usedMessageId(username: string, messageId: string): UsedMessageId | undefined;
  /** As `JournalOwner.placeNoted`. */
  placeNoted(origin: string, sequence: number, lamport: number, note: PlaceNote): void;
  /** What operators have set, and which invitations are used. */
  readonly records: Pick<RecordEntries, "took" | "registered">;
  /** A name has an account. */
  named(username: string): void;
}

/** The entries of other servers. */
export class ReplicatedEntries {
  readonly #journal: ReplicatedJournal;
  readonly #messagesWaitMs: number;
  readonly #verifiers: JournalParts["verifiers"];
  readonly #isGone: (username: string) => boolean;

  /** With what the journal was made with. */
  constructor(
    journal: ReplicatedJournal,
    { messagesWaitMs, verifiers, isGone = () => false }: Pick<JournalParts, "messagesWaitMs" | "verifiers" | "isGone">,
  ) {
    this.#journal = journal;
    this.#messagesWaitMs = messagesWaitMs;
    this.#verifiers = verifiers;
    this.#isGone = isGone;
  }

  /** Takes in the next entry of its origin that is still kept. */
  take(entry: ReplicatedEntry): void {
    const journal = this.#journal;
    const { origin, sequence, audience, line, facts, ageMs = 0, reach } = this.#verifiers?.entry(entry) ?? entry;
    const turn = journal.openTurn();
    journal.time.reach(reach ?? facts.lamport);
    const reached = this.#audienceOf(turn, origin, sequence, audience, facts);
    journal.builder.add(origin, sequence, reached, line);
    const { username, account, to, place, record } = facts;
    // One that is a second time here waits already. One that had its time may be all that is left of its origin,
    // and that it was delivered is forgotten. Its date and the calendar of this server would not tell: one of
    // the two may be wrong.
    const isInTime = ageMs < this.#messagesWaitMs;
    if (to !== undefined && reached.kind === "user" && isInTime && !this.#isGone(to)) {
      journal.directMessages.came({ origin, sequence }, { from: username, to, messageId: facts.messageId, line });
    }
    if (username !== undefined && username !== ANONYMOUS) journal.senders.came(username, { origin, sequence });
    if (place !== undefined) journal.placeNoted(origin, sequence, facts.lamport, place);
    if (record !== undefined) journal.records.took(record, { lamport: facts.lamport, origin });
    if (account === undefined) return;
    journal.records.registered(account, { lamport: facts.lamport, origin });
    const { invitation: _, ...registered } = account;
    this.#takeAccount({ ...registered, lamport: account.claim, origin });
  }

  /** Accounts of origins that may be forgotten. Each one holds if its claim is older than that of the account here. */
  takeAccounts(accounts: Iterable<Account>): void {
    this.#journal.openTurn();
    for (const account of accounts) this.#takeAccount(this.#verifiers?.account(account) ?? account);
  }

  /**
   * The audience of a replicated entry here. If its sender has published it through another server already, nobody gets
   * it a second time.
   */
  #audienceOf(
    turn: TurnBatch,
    origin: string,
    sequence: number,
    audience: EntryAudience,
    facts: EntryFacts,
  ): EntryAudience {
    const { directMessages, times } = this.#journal;
    const { username, messageId, of } = facts;
    if (of !== undefined) return directMessages.deliveredElsewhere(of, audience, messageId);
    if (username === undefined || messageId === undefined) return audience;
    const first = this.#journal.usedMessageId(username, messageId);
    if (first !== undefined) {
      // Its receiver got the message before it came here.
      if (directMessages.isDelivered({ origin, sequence })) directMessages.noteDelivered(first);
      return SERVERS;
    }
    turn.addMessageId({ username, messageId, origin, sequence, usedAt: times.takenAt });
    return audience;
  }

  /** Of two accounts of one name the one with the older claim holds, on every server. */
  #takeAccount(account: Account): void {
    const { username } = account;
    const known = this.#journal.account(username);
    if (known !== undefined && !precedes(account, known)) return;
    const turn = this.#journal.openTurn();
    turn.accounts.set(username, account);
    this.#journal.named(username);
    if (known !== undefined) turn.lostAccounts.push(username);
  }
}
