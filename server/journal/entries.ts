/** What the journal takes in, before it is a line of the log. Types only. */

import type { Audience } from "../../log/segment.ts";
import type { EntryFacts } from "../../protocol/entry_codec.ts";
import type { EntryId } from "../../protocol/entry_id.ts";

/** An activity that a client published. */
export interface Publication {
  /** The activity's JSON text. */
  readonly activity: string;
  readonly username: string;
  /** The username as it stands in a line. */
  readonly quotedUsername: string;
  readonly messageId: string | undefined;
  /** The sender's Lamport time. */
  readonly lamport: number | undefined;
  /** The server of the older dialect that it came through, where that does not answer for its user. */
  readonly via?: string;
  /** What this client published before at another server. Where it does not say so, it is what is known of its user. */
  readonly after?: EntryId | undefined;
}

/** Something that a client sends to one user. */
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
}

/** An entry of this server's own that has its number, and no line yet. */
export interface OwnEntry extends EntryId {
  readonly lamport: number;
  /** By the calendar, in milliseconds since 1970: for people. */
  readonly sentAt: number;
  /** By the clock that the log forgets by. */
  readonly takenAt: number;
}

/** What another server has accepted. */
export interface ReplicatedEntry {
  readonly origin: string;
  readonly sequence: number;
  readonly audience: Audience;
  /** With its end. */
  readonly line: string;
  readonly facts: EntryFacts;
  /** How long the server that sent it has had it, where it says so. */
  readonly ageMs?: number;
  /** Where the clock may go by it; where nothing is said, to the entry's own time. */
  readonly reach?: number;
}
