/** Entries before they are lines of the log. Types only. */

import type { EntryAudience } from "../../log/segment.ts";
import type { EntryFacts } from "../../protocol/entry_codec.ts";
import type { RawText } from "../../protocol/publication/raw_text.ts";
import type { EntryId } from "../../protocol/entry_id.ts";
import type { Account } from "../store/store.ts";

/** What the journal of a server is made with, beside its store. */
export interface JournalParts {
  /** So much of the newest part of the log is in memory, in bytes. */
  readonly tailBytes: number;
  /** A direct message waits for at most this long. */
  readonly messagesWaitMs: number;
  /** Whether the account of this name is gone: then no message waits for it. */
  isGone?(username: string): boolean;
  /** Replaces verifiers of earlier versions in what comes. Absent while servers of these versions have to read them. */
  readonly verifiers?: {
    entry(entry: ReplicatedEntry): ReplicatedEntry;
    account(account: Account): Account;
  } | undefined;
}

/** An activity that a client published. */
export interface Publication {
  /** The activity's JSON text. */
  readonly activity: string | RawText;
  readonly username: string;
  /** The username as it stands in a line. */
  readonly quotedUsername: string;
  readonly messageId: string | undefined;
  /** Those who read this channel get it; absent for everyone. */
  readonly channel?: string | undefined;
  /** The sender's Lamport time. */
  readonly lamport: number | undefined;
  /** The server of the older dialect that it came through. Absent if that server answers for its user. */
  readonly via?: string;
  /** The sender's span, in W3C's form. */
  readonly traceparent?: string | undefined;
  /** What this client published before at another server. If it does not say so: what is known of its user. */
  readonly after?: EntryId | undefined;
}

/** A direct message of a client to one user. */
export interface OutgoingMessage {
  readonly from: string;
  readonly to: string;
  readonly text: string;
  readonly messageId: string | undefined;
  /** The sender's Lamport time. */
  readonly lamport: number | undefined;
  /** As in `Publication`. */
  readonly after?: EntryId | undefined;
}

/** A direct message that was delivered. */
export interface DeliveredMessage extends EntryId {
  readonly from: string;
  readonly to: string;
  readonly messageId: string | undefined;
}

/** A registration that may be taken in. */
export interface Registration {
  readonly username: string;
  readonly verifier: string;
  /** Lamport time of the claim to the name. */
  readonly claim: number;
  /** The place of an invitation that it takes: `KEY:NUMBER`. */
  readonly invitation?: string | undefined;
}

/** An entry of this server that has a number, and no line yet. */
export interface OwnEntry extends EntryId {
  readonly lamport: number;
  /** By the calendar, in milliseconds since 1970: for people. */
  readonly sentAt: number;
  /** By the clock that the log forgets by. */
  readonly takenAt: number;
}

/** An entry that another server has accepted. */
export interface ReplicatedEntry {
  readonly origin: string;
  readonly sequence: number;
  readonly audience: EntryAudience;
  /** With its end. */
  readonly line: string;
  readonly facts: EntryFacts;
  /** How long the sending server has had it, if that server says so. */
  readonly ageMs?: number;
  /** The time that the clock may go to because of it; by default the entry's own time. */
  readonly reach?: number;
}
