/**
 * The messages of servers of this dialect after the greeting, as types. `peer_codec.ts` reads and writes them.
 * docs/protocol.md, section 4, explains the fields; the comments here give shapes and units. Pure.
 */

import type {
  COMMANDS,
  EndConnectionMessage,
  HeartbeatAckMessage,
  HeartbeatMessage,
  RefusalMessage,
  WireAccountsSummary,
  WireIncarnation,
  WireServer,
  WireVector,
} from "../message.ts";
import type { AuditMessage } from "./audit_message.ts";
import type { ChannelTalkMessage } from "./channel_talk.ts";
import { OPERATE_FEATURE, type OrderMessage, SECRETS_FEATURE } from "./operate_message.ts";
import type { OriginMessage } from "./origin_message.ts";

/** A server offers this feature in AUTHENTICATE to show that it speaks this dialect. */
export const PEER_FEATURE = "thrum/1";
/** Offered by a server that proves that it knows the secret of the network. */
export const PROOF_FEATURE = "thrum/2";

/** A server that offers this in the greeting takes announcements with only the changes. */
export const CHANGES_FEATURE = "changes";
/** Offered by a server that tells digests of its entries. */
export const DIGESTS_FEATURE = "digests";
/** Offered by a server that acts on `RECORD` entries. */
export const RECORDS_FEATURE = "records";
/** Offered by a server that shows activities of a channel only to who reads it. */
export const CHANNELS_FEATURE = "channels";
/** What this version offers in the greeting. */
export const PEER_FEATURES: readonly string[] = [
  ...[PEER_FEATURE, PROOF_FEATURE, CHANGES_FEATURE, DIGESTS_FEATURE, OPERATE_FEATURE, RECORDS_FEATURE],
  ...[CHANNELS_FEATURE, SECRETS_FEATURE],
];

/** What a server says about itself when a link opens. */
export interface PeerIdentity {
  readonly serverId: string;
  /** Where others can reach the server. If the server does not know, the address that it calls from. */
  readonly host: string;
  readonly port: number;
  /** The part of the log that the server has. */
  readonly vector: WireVector;
  readonly lamport: number;
  /** Which of its starts the server runs in; absent if it does not say. */
  readonly incarnation?: WireIncarnation;
  /** Its accounts whose origins it has forgotten; absent if it does not say. */
  readonly accounts?: WireAccountsSummary;
  /** The features of the server beyond the basic ones; absent for none. */
  readonly features?: readonly string[];
}

/** A member of the network, as another member sees it. */
export interface WireMember extends WireServer {
  readonly load: number;
  readonly weight: number;
  /** As in `PeerIdentity`. */
  readonly incarnation?: WireIncarnation;
}

/** The called server asks for a proof of the secret of the network. */
export interface PeerChallengeMessage {
  readonly command: "PEER_CHALLENGE";
  readonly nonce: string;
}

/** The answer to AUTHENTICATE, from the called server. */
export interface AuthenticationSuccessMessage extends PeerIdentity {
  readonly command: "AUTHENTICATION_SUCC";
  /** That the called server knows the secret, too; absent where it was told in clear. */
  readonly proof?: string;
  readonly features: readonly string[];
  /** The members that the server has a link to. */
  readonly members: readonly WireMember[];
}

/** The state of a server. Sent regularly, and soon after its load changed. */
export interface ServerAnnounceMessage {
  readonly command: "SERVER_ANNOUNCE";
  readonly serverId: string;
  readonly host: string;
  readonly port: number;
  /** Logged-in clients. */
  readonly load: number;
  readonly weight: number;
  /** Whether the server takes clients. It does not while it catches up, or before it stops. */
  readonly online: boolean;
  /** The key that checks its clients' tickets. Empty until the server knows its peer, and if it has no key. */
  readonly ticketKey: string;
  readonly vector: WireVector;
  /**
   * Whether `vector` names only the sender's own origin, and origins that moved since its last words: the greeting, or
   * an announcement.
   */
  readonly changes?: boolean;
  readonly lamport: number;
  /** The members that the server has a link to. */
  readonly members: readonly WireMember[];
  /** The version of the program; empty if the server does not say. */
  readonly version: string;
  /** The time of its start in milliseconds since 1970; 0 if the server does not say. */
  readonly startedAt: number;
  /** `HOST:PORT` of its HTTP gateway, `https://HOST:PORT` with TLS; empty if it has none. */
  readonly http: string;
  /**
   * Whether its log up to `vector` has everything about users who were logged in there and have gone. A server of an
   * earlier version never says so, and answers no `PLACE_ASK`.
   */
  readonly places?: boolean;
  /** Names that the server had before, since its start. */
  readonly formerly?: readonly string[];
}

/** The audience of entries, as the segments of the log have it. */
export type WireAudience = "everyone" | "servers" | { readonly user: string };

/** Of entries of a channel that the sender has forgotten: no lines follow. */
export interface ForgottenAudience {
  /** The channel that they were for. */
  readonly forgotten: string;
}

/** The `last - first + 1` lines that follow are entries of one origin. */
export interface EntriesMessage {
  readonly command: "ENTRIES";
  readonly origin: string;
  readonly first: number;
  readonly last: number;
  /**
   * The sequence that the receiver should have, as the sender believes. Entries between this and `first` were
   * forgotten.
   */
  readonly after: number;
  readonly to: WireAudience | ForgottenAudience;
  /** The sender's Lamport time. */
  readonly lamport?: number;
  /** How long the sender has had these lines, in milliseconds of a monotonic clock. Given if that is long. */
  readonly ageMs?: number;
}

/**
 * Asks for entries of these origins from the given sequences on. Replaces the former WANT. The receiver sends its own
 * origin anyway, but a server may ask for it anew.
 */
export interface WantMessage {
  readonly command: "WANT";
  readonly vector: WireVector;
}

/** The sender has stored these entries. */
export interface HaveMessage {
  readonly command: "HAVE";
  readonly vector: WireVector;
}

/** A claim to a name, an answer to one, or its end. (lamport, origin) identifies a claim. */
export interface LockMessage {
  readonly command: "LOCK_REQUEST" | "LOCK_ALLOWED" | "LOCK_DENIED" | "LOCK_RELEASE";
  readonly username: string;
  readonly lamport: number;
  readonly origin: string;
}

/** The users who are logged in at the sender, without anonymous clients. Sent when a link opens. */
export interface OnlineMessage {
  readonly command: "ONLINE";
  readonly users: readonly string[];
}

/** A user opened the first session at the sender, or closed the last one. */
export interface OnlineChangeMessage {
  readonly command: "ONLINE_CHANGE";
  readonly username: string;
  readonly event: "joined" | "left" | "lost";
  /** When the change happened. If a user may have only one session, the session that began last stays. */
  readonly lamport: number;
}

/** A question to a server. It answers after it has sent everything that came before. */
export interface PlaceAskMessage {
  readonly command: "PLACE_ASK";
  readonly ask: number;
}

/** The answer: the sender's newest entry. With that entry, the receiver knows all about lost connections there. */
export interface PlaceSaidMessage {
  readonly command: "PLACE_SAID";
  readonly ask: number;
  readonly sequence: number;
}

/** How many connections users have there, beside `ONLINE`. A connection that can resume is not counted. */
export interface SessionsMessage {
  readonly command: "SESSIONS";
  readonly users: readonly {
    readonly username: string;
    readonly plain: number;
    readonly resuming: number;
    /** A connection of the user begins, and has only so much of these origins. It is said until the next `BEHIND`. */
    readonly behind?: WireVector;
  }[];
}

/**
 * Users who have not got everything that the sender announces next, or has just greeted with. `vector` has the origins
 * that matter. The message names all of them, or the first ones.
 */
export interface BehindMessage {
  readonly command: "BEHIND";
  readonly users: readonly { readonly username: string; readonly vector: WireVector }[];
}

/** Positions of users when the sender lost the server `server`, as far as nobody has taken them up. */
export interface PlacesMessage {
  readonly command: "PLACES";
  readonly server: string;
  /** The time of its start that `server` had announced; absent if the sender does not know it. */
  readonly startedAt?: number;
  readonly users: readonly {
    readonly username: string;
    readonly resumes: boolean;
    readonly lostAt: number;
    readonly vector: WireVector;
    /** As in `LostNote`. */
    readonly whole?: boolean;
  }[];
}

/** Messages between servers about lost connections. */
export type PlaceTalkMessage = PlaceAskMessage | PlaceSaidMessage | SessionsMessage | BehindMessage | PlacesMessage;

/**
 * A person looks at the network from the sender's dashboard, or stops looking. While they look, the receiver tells
 * about once a second what changed.
 */
export interface ObserveMessage {
  readonly command: "OBSERVE";
  readonly active: boolean;
}

/**
 * What changed at the sender since its last message; with `reset`, everything. `view/network_view.ts` explains the
 * parts.
 */
export interface ObservedMessage {
  readonly command: "OBSERVED";
  readonly reset: boolean;
  /** A JSON merge patch for the sender's own view. */
  readonly patch: Readonly<Record<string, unknown>>;
  /** Connections that ended there. */
  readonly ends: readonly Readonly<Record<string, unknown>>[];
  /** Trace events. */
  readonly events: readonly Readonly<Record<string, unknown>>[];
}

/** These passes count no more: they were used, or their users have logged out. */
export interface PassSpentMessage {
  readonly command: "PASS_SPENT";
  /** When each expires, in milliseconds since 1970, by the first 32 digits of its SHA-256. */
  readonly passes: Readonly<Record<string, number>>;
}

/** A message from one server to another. */
export type PeerMessage =
  | PeerChallengeMessage
  | PassSpentMessage
  | AuditMessage
  | AuthenticationSuccessMessage
  | ServerAnnounceMessage
  | EntriesMessage
  | WantMessage
  | HaveMessage
  | LockMessage
  | OnlineMessage
  | OnlineChangeMessage
  | ObserveMessage
  | ObservedMessage
  | OriginMessage
  | OrderMessage
  | PlaceTalkMessage
  | ChannelTalkMessage
  | HeartbeatMessage
  | HeartbeatAckMessage
  | EndConnectionMessage
  | RefusalMessage;

/** All commands that only servers know. A message without its command here does not compile. */
export const PEER_COMMANDS: Readonly<Record<Exclude<PeerMessage["command"], keyof typeof COMMANDS>, true>> = {
  ...{ AUTHENTICATION_SUCC: true, SERVER_ANNOUNCE: true, ENTRIES: true, WANT: true, HAVE: true, ONLINE: true },
  ...{ LOCK_REQUEST: true, LOCK_ALLOWED: true, LOCK_DENIED: true, LOCK_RELEASE: true, ONLINE_CHANGE: true },
  ...{ OBSERVE: true, OBSERVED: true, PLACE_ASK: true, PLACE_SAID: true, SESSIONS: true, BEHIND: true, PLACES: true },
  ...{ RETRACTED: true, DIGESTS_ASK: true, DIGESTS: true, CLONED: true, OLD_CLAIM: true, FORGOTTEN: true },
  ...{ PASS_SPENT: true, WANT_ACCOUNTS: true, ACCOUNTS: true, OPERATE: true, OPERATED: true, PEER_CHALLENGE: true },
  ...{ AUDIT_END: true, AUDIT_KEPT: true, CHANNEL_WATCH: true, CHANNEL_READERS: true, CHANNEL_READER: true },
};
