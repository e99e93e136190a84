/**
 * What servers of this dialect say to each other after the greeting, as types. `peer_codec.ts` reads and writes them. Field meanings are in docs/protocol.md,
 * section 4; what is written here are shapes and units.
 */

import type {
  EndConnectionMessage,
  HeartbeatAckMessage,
  HeartbeatMessage,
  RefusalMessage,
  WireAccountsSummary,
  WireIncarnation,
  WireServer,
  WireVector,
} from "../message.ts";
import type { OriginMessage } from "./origin_message.ts";

/** What a server must offer in AUTHENTICATE to be taken for one of this dialect. */
export const PEER_FEATURE = "thrum/1";

/** Offered in the greeting by a server that takes announcements which name only what has changed. */
export const CHANGES_FEATURE = "changes";
/** Offered by a server that tells digests of its entries. */
export const DIGESTS_FEATURE = "digests";
/** What this version offers in the greeting. */
export const PEER_FEATURES: readonly string[] = [PEER_FEATURE, CHANGES_FEATURE, DIGESTS_FEATURE];

/** What a server says about itself when a link comes up. */
export interface PeerIdentity {
  readonly serverId: string;
  /** Where it can be reached; where it does not know, the address that it calls from. */
  readonly host: string;
  readonly port: number;
  /** What it has of the log. */
  readonly vector: WireVector;
  readonly lamport: number;
  /** Which of its starts this is; absent where it does not say. */
  readonly incarnation?: WireIncarnation;
  /** What it has of accounts whose origins it has forgotten; absent where it does not say. */
  readonly accounts?: WireAccountsSummary;
  /** What it knows beside what every server does; absent for nothing. */
  readonly features?: readonly string[];
}

/** A member of the network as another one sees it. */
export interface WireMember extends WireServer {
  readonly load: number;
  readonly weight: number;
  /** As in `PeerIdentity`. */
  readonly incarnation?: WireIncarnation;
}

/** The answer to AUTHENTICATE, from the server that was called. */
export interface AuthenticationSuccessMessage extends PeerIdentity {
  readonly command: "AUTHENTICATION_SUCC";
  readonly features: readonly string[];
  /** Those that it has a link to. */
  readonly members: readonly WireMember[];
}

/** How a server is, regularly and soon after its load changed. */
export interface ServerAnnounceMessage {
  readonly command: "SERVER_ANNOUNCE";
  readonly serverId: string;
  readonly host: string;
  readonly port: number;
  /** Logged-in clients. */
  readonly load: number;
  readonly weight: number;
  /** Whether it takes clients: not while it catches up, nor when it is about to stop. */
  readonly online: boolean;
  /** What tickets of its clients can be checked with; not told before it is known who is at the other end. Empty for none. */
  readonly ticketKey: string;
  readonly vector: WireVector;
  /** Whether `vector` names only its own origin and those that have moved since what it said before: in the greeting, or announced. */
  readonly changes?: boolean;
  readonly lamport: number;
  /** Those that it has a link to. */
  readonly members: readonly WireMember[];
  /** Of the program; empty where it is not said. */
  readonly version: string;
  /** When it was started, in milliseconds since 1970; 0 where it is not said. */
  readonly startedAt: number;
  /** Where its HTTP gateway is, `HOST:PORT`; empty for none. */
  readonly http: string;
  /**
   * Whether its log up to `vector` has all that there is to know of those who were logged in there and are not any more.
   * A server of an earlier version never says so, and answers no `PLACE_ASK`.
   */
  readonly places?: boolean;
}

/** Whom entries are for, as the log's segments have it. */
export type WireAudience = "everyone" | "servers" | { readonly user: string };

/** The `last - first + 1` lines that follow are entries of one origin. */
export interface EntriesMessage {
  readonly command: "ENTRIES";
  readonly origin: string;
  readonly first: number;
  readonly last: number;
  /** What the sender takes the receiver to have. What lies between this and `first` was forgotten. */
  readonly after: number;
  readonly to: WireAudience;
  /** The sender's Lamport time. */
  readonly lamport?: number;
  /** How long the sender has had these lines, in milliseconds by a clock that no calendar moves; said where that is long. */
  readonly ageMs?: number;
}

/** Send me these origins, from there on. Replaces what was wanted before; the receiver's own origin needs no asking, but may be asked for anew. */
export interface WantMessage {
  readonly command: "WANT";
  readonly vector: WireVector;
}

/** These are stored here. */
export interface HaveMessage {
  readonly command: "HAVE";
  readonly vector: WireVector;
}

/** A claim to a name, which (lamport, origin) identifies; the answers to it; and that it is over. */
export interface LockMessage {
  readonly command: "LOCK_REQUEST" | "LOCK_ALLOWED" | "LOCK_DENIED" | "LOCK_RELEASE";
  readonly username: string;
  readonly lamport: number;
  readonly origin: string;
}

/** Who is logged in there; not anonymous clients. When a link comes up. */
export interface OnlineMessage {
  readonly command: "ONLINE";
  readonly users: readonly string[];
}

/** A user has the first session there, or has none any more. */
export interface OnlineChangeMessage {
  readonly command: "ONLINE_CHANGE";
  readonly username: string;
  readonly event: "joined" | "left" | "lost";
  /** When it happened: where a user may have only one session, the one that began last stays. */
  readonly lamport: number;
}

/** A server that is asked answers when all that it said before has been sent. */
export interface PlaceAskMessage {
  readonly command: "PLACE_ASK";
  readonly ask: number;
}

/** The answer: its own newest entry. Once that is here, all is known that it has to tell of lost connections. */
export interface PlaceSaidMessage {
  readonly command: "PLACE_SAID";
  readonly ask: number;
  readonly sequence: number;
}

/** How many connections users have there, beside what `ONLINE` says; nothing is said of one that can resume. */
export interface SessionsMessage {
  readonly command: "SESSIONS";
  readonly users: readonly { readonly username: string; readonly plain: number; readonly resuming: number }[];
}

/** Users who have not got all that the sender has announced last, with what they have of the origins that matter. All of them, or the first. */
export interface BehindMessage {
  readonly command: "BEHIND";
  readonly users: readonly { readonly username: string; readonly vector: WireVector }[];
}

/** Where users stood when the sender lost the server `server`, and where they have not been taken up. */
export interface PlacesMessage {
  readonly command: "PLACES";
  readonly server: string;
  readonly users: readonly {
    readonly username: string;
    readonly resumes: boolean;
    readonly lostAt: number;
    readonly vector: WireVector;
  }[];
}

/** What servers say to each other about lost connections. */
export type PlaceTalkMessage = PlaceAskMessage | PlaceSaidMessage | SessionsMessage | BehindMessage | PlacesMessage;

/** Somebody looks at the network from there: say about once a second what has changed here, or do not any more. */
export interface ObserveMessage {
  readonly command: "OBSERVE";
  readonly active: boolean;
}

/** What has changed at the sender since it said so last; with `reset` it is all there is. What the parts mean is in `view/network_view.ts`. */
export interface ObservedMessage {
  readonly command: "OBSERVED";
  readonly reset: boolean;
  /** A JSON merge patch for what it knows of itself. */
  readonly patch: Readonly<Record<string, unknown>>;
  /** Connections that have ended there. */
  readonly ends: readonly Readonly<Record<string, unknown>>[];
  /** Trace events. */
  readonly events: readonly Readonly<Record<string, unknown>>[];
}

/** What a server may say to another. */
export type PeerMessage =
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
  | PlaceTalkMessage
  | HeartbeatMessage
  | HeartbeatAckMessage
  | EndConnectionMessage
  | RefusalMessage;
