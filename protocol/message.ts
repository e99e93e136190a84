/**
 * The messages of a connection, as types. The codecs read and write them. docs/protocol.md explains the fields; the
 * comments here give shapes and units. Pure.
 */

import type { ActivityAnswer } from "./ack_message.ts";
import type { ChannelAnswer, ChannelMessage } from "./channels/channel_message.ts";
import type { RawText } from "./publication/raw_text.ts";
import type { HistoryFailedMessage, HistoryMessage, HistoryPageMessage } from "./history_message.ts";
import type { AccountChange, AccountChangedMessage } from "./login/account_change.ts";
import type { ChallengeMessage, ResponseMessage } from "./login/scram_message.ts";
import type {
  ListUsersMessage,
  PresenceMessage,
  UserListFailedMessage,
  UserListMessage,
} from "./presence/presence_message.ts";

/**
 * The features that a client can ask for when it logs in or registers. A client that asks for none is a *plain* client.
 */
export const FEATURES = ["heartbeat", "presence", "ack", "resume", "chat", "history", "scram", "channels"] as const;
/** One of `FEATURES`. */
export type Feature = (typeof FEATURES)[number];

/** What a client has: `{origin: sequence}`. */
export type WireVector = Readonly<Record<string, number>>;

/** A range of entries that is no longer kept. `last` is `null` where the server cannot know it. */
export interface WireGap {
  /** The server that accepted the entries. */
  readonly origin: string;
  /** Sequence of the first of them. */
  readonly first: number;
  /** Sequence of the last of them. */
  readonly last: number | null;
}

/** Creates an account. */
export interface RegisterMessage {
  readonly command: "REGISTER";
  readonly username: string;
  readonly secret: string;
  /** The code of an invitation, where one is needed. */
  readonly invitation?: string;
  readonly features: readonly Feature[];
}

/** Begins a session. */
export interface LoginMessage {
  readonly command: "LOGIN";
  readonly username: string;
  /** Absent for `anonymous`, and where the client proves that it knows it. */
  readonly secret: string | undefined;
  /** The client's first message of the exchange in `protocol/login/scram.ts`: `CHALLENGE` follows. */
  readonly scram?: string;
  /** With `scram`: the client does not come in, but changes its account. */
  readonly change?: AccountChange;
  readonly features: readonly Feature[];
  /** What this client has, when it comes back. */
  readonly resume: WireVector | undefined;
  /** Where the client listens for heartbeats out of band, on the address that it comes from. */
  readonly heartbeatPort: number | undefined;
  /** The address that the client claims for heartbeats. The server takes only the client's own. */
  readonly heartbeatHost: string | undefined;
  /** Redirects that the client followed to get here. */
  readonly redirects: number;
  /** The ticket from an earlier login of this client. It saves the derivation from the secret. */
  readonly ticket: string | undefined;
  /** The client wants a pass. A text is the pass that it has, in place of the secret. */
  readonly pass?: true | string;
  /** The newest acknowledged activity of the client, as an `id`. Everywhere, its next activity comes after this one. */
  readonly last: string | undefined;
  /** `false`: the client reads nothing that is published, and leaves missed messages to its user's next client. */
  readonly reads?: boolean;
  /** The client gets nothing of the log. `reads` is `false` then, and `resume` is absent. */
  readonly receive?: "none";
  /** With `channels`: the patterns that the client reads; absent for what has no channel. */
  readonly channels?: readonly string[];
  /** The client understands acknowledgements for ranges. */
  readonly ackRanges?: true;
  /** For a client that keeps a trace: its name there beside the username, which login it is, and its Lamport time. */
  readonly trace?: { readonly node: string; readonly attempt: number; readonly lamport: number };
}

/** Ends the session for good. */
export interface LogoutMessage {
  readonly command: "LOGOUT";
}

/** Publishes. */
export interface ActivityMessage {
  readonly command: "ACTIVITY_MESSAGE";
  /** Absent where the client leaves it to the login. */
  readonly username: string | undefined;
  readonly secret: string | undefined;
  /** The JSON text of the activity as it was written, without any `authenticated_user` of the client. */
  readonly activity: string | RawText;
  /** Chosen by the sender. The server publishes one activity for each id, even if the sender repeats it. */
  readonly messageId: string | undefined;
  /** The name of the channel that it is for; absent for everyone. */
  readonly channel?: string | undefined;
  /** The sender's Lamport time. */
  readonly lamport: number | undefined;
  /** The sender's span, in W3C's form. Absent if there is none, or it has another form. */
  readonly traceparent?: string;
}

/** Something for one user. */
export interface SendDirectMessage {
  readonly command: "DIRECT_MESSAGE";
  /** Whom it is for. */
  readonly to: string;
  readonly text: string;
  /** Chosen by the sender. The server sends one message for each id, and receipts name the id. */
  readonly messageId: string | undefined;
  /** The sender's Lamport time. */
  readonly lamport: number | undefined;
}

/** "Are you there?" */
export interface HeartbeatMessage {
  readonly command: "HEARTBEAT";
  readonly sequence: number;
  /** How many will be sent before the connection is given up. */
  readonly of: number;
  readonly intervalMs: number;
  /** The server's time, for a client that keeps a trace. */
  readonly lamport?: number;
}

/** "I am." */
export interface HeartbeatAckMessage {
  readonly command: "HEARTBEAT_ACK";
  readonly sequence: number;
  /** The time of a client that keeps a trace. */
  readonly lamport?: number;
  /** Between servers: when it was answered, in milliseconds since 1970; absent if the server does not say. */
  readonly at?: number;
}

/** "I have durably taken all of this." */
export interface AckMessage {
  readonly command: "ACK";
  readonly vector: WireVector;
  /** The client's time. */
  readonly lamport?: number;
}

/** The other side is about to close, and says why. */
export interface EndConnectionMessage {
  readonly command: "END_CONNECTION";
  /** One of `CLOSE_REASONS`, or a reason that only a newer program knows. */
  readonly reason: string;
  readonly info: string;
  readonly reconnect: "now" | "backoff" | "never";
  readonly retryAfterMs?: number;
}

/** One start of a server. */
export interface WireIncarnation {
  /** Its name. */
  readonly id: string;
  /** Those before it, the newest first. */
  readonly before: readonly string[];
  /** How long it has been running, in milliseconds. */
  readonly runningMs: number;
  /** For how long it has been one of a network. */
  readonly joinedMs: number;
}

/** Another server wants to be a peer. One of another dialect leaves out fields of `protocol/peer/peer_message.ts`. */
export interface AuthenticateMessage {
  readonly command: "AUTHENTICATE";
  /** In clear; absent where the server proves that it knows it. */
  readonly secret: string | undefined;
  /** The beginning of a proof: `PEER_CHALLENGE` follows. Then nothing but the name and the features is there. */
  readonly nonce?: string;
  /** That the server knows the secret, after `PEER_CHALLENGE`. */
  readonly proof?: string;
  /** The name that the server gave itself; `undefined` if it gave only the secret. */
  readonly serverId: string | undefined;
  /** The address where others reach the server. */
  readonly host: string | undefined;
  readonly port: number | undefined;
  /** `"thrum/1"` is among them when it is a server of this dialect. */
  readonly features: readonly string[];
  /** The part of the log that the server has; empty if it does not say. */
  readonly vector: WireVector;
  readonly lamport: number | undefined;
  /** Which of its starts the server runs in; absent if it does not say. */
  readonly incarnation?: WireIncarnation;
  /** Its accounts whose origins it has forgotten; absent if it does not say. */
  readonly accounts?: WireAccountsSummary;
}

/** Accounts of forgotten origins, in short: the same for the same accounts. */
export interface WireAccountsSummary {
  readonly count: number;
  readonly digest: string;
}

/** The server's Lamport time when it sent the next messages. */
export interface ClockMessage {
  readonly command: "CLOCK";
  readonly lamport: number;
}

/** What a client may say to a server. */
export type ClientMessage =
  | SendDirectMessage
  | ListUsersMessage
  | HistoryMessage
  | ChannelMessage
  | RegisterMessage
  | LoginMessage
  | ResponseMessage
  | LogoutMessage
  | ActivityMessage
  | HeartbeatMessage
  | HeartbeatAckMessage
  | AckMessage
  | EndConnectionMessage
  | ComplaintMessage
  | AuthenticateMessage;

/** The client cannot make sense of a line that the server has sent: the connection is over. */
export interface ComplaintMessage {
  readonly command: "INVALID_MESSAGE";
}

/** A line without a meaning, and what is wrong with it. The sentence repeats no secret. */
export interface InvalidLine {
  readonly command: "";
  readonly info: string;
}

/** How a server supervises the connections of clients that asked for `heartbeat`. */
export interface WireHeartbeat {
  /** Time without data before heartbeats start. */
  readonly idleTimeoutMs: number;
  /** Time between heartbeats. */
  readonly intervalMs: number;
  /** Heartbeats that may go unanswered. */
  readonly count: number;
}

/** The login was accepted. */
export interface LoginSuccessMessage {
  readonly command: "LOGIN_SUCCESS";
  readonly info: string;
  /** The server's last message of the exchange in `protocol/login/scram.ts`: its own proof. */
  readonly scram?: string;
  /** Below: only for clients that asked for features. */
  readonly features?: readonly Feature[];
  /** The client gets nothing of the log, as it asked. */
  readonly receive?: "none";
  /** What the user may do. Absent where nothing is forbidden. */
  readonly may?: readonly string[];
  /** With `channels`: the patterns of the login of which the user may read nothing. The client does not read them. */
  readonly refused?: readonly string[];
  /** With `ack`: activities are acknowledged in ranges, as the client asked. */
  readonly ackRanges?: true;
  readonly serverId?: string;
  readonly heartbeat?: WireHeartbeat;
  readonly lamport?: number;
  /** With `resume`: the client has this vector after the `replayed` activities that come first. */
  readonly resume?: WireResume;
  /** With `resume`: for the next login, at any server of the network. */
  readonly ticket?: string;
  /** In place of the secret, for one more login, at any server of the network. */
  readonly pass?: string;
}

/** The position of a client after its login. */
export interface WireResume {
  readonly vector: WireVector;
  readonly replayed: number;
  readonly gap?: readonly WireGap[];
  /** Origins that the client named and the network has forgotten. The client need not name them again. */
  readonly forgotten?: readonly string[];
}

/** A refusal, after which the server closes. */
export interface RefusalMessage {
  readonly command: "REGISTER_FAILED" | "LOGIN_FAILED" | "AUTHENTICATION_FAIL" | "INVALID_MESSAGE";
  readonly info: string;
  /** For programs: which of several reasons it was. */
  readonly reason?: string;
}

/** The account exists now, everywhere. */
export interface RegisterSuccessMessage {
  readonly command: "REGISTER_SUCCESS";
  readonly info: string;
}

/** Somebody published. */
export interface ActivityBroadcastMessage {
  readonly command: "ACTIVITY_BROADCAST";
  /** With `authenticated_user` added. */
  readonly activity: Readonly<Record<string, unknown>>;
  /** The activity's own text. Numbers that JSON.parse cannot hold are unharmed in it. */
  readonly activityText: string;
  /** `"<origin>:<sequence>"`. */
  readonly id: string;
  readonly lamport: number;
  /** Milliseconds since 1970, by the clock of the server that accepted it. */
  readonly sentAt: number;
  readonly messageId?: string;
  /** Absent for everyone. */
  readonly channel?: string;
  /** A line of a page of the past: outside the order of the others, and of vectors. */
  readonly past?: boolean;
}

/** A user sent a message to this user. All of this user's sessions get it. */
export interface DirectMessage {
  readonly command: "DIRECT_MESSAGE";
  readonly from: string;
  readonly to: string;
  readonly text: string;
  /** `"<origin>:<sequence>"`. */
  readonly id: string;
  readonly lamport: number;
  /** Milliseconds since 1970, by the clock of the server that accepted it. */
  readonly sentAt: number;
  readonly messageId?: string;
  /** It waited until the user was there. */
  readonly offline?: boolean;
}

/**
 * How far a direct message got. All sessions of the sender get this, but `"stored"` goes once, to the session that sent
 * it.
 */
export interface ReceiptMessage {
  readonly command: "RECEIPT";
  readonly messageId: string;
  readonly state: "stored" | "delivered";
  /** The `id` of the direct message. */
  readonly of: string;
  /** Whom it was for. */
  readonly to: string;
  /** With `"delivered"`: this line's own place in the log. */
  readonly id?: string;
  readonly lamport: number;
  /** With `"stored"`: something else was stored under this message id before. The message was thrown away. */
  readonly differs?: true;
}

/** No user has that name, or the server cannot send the text. */
export interface DirectMessageFailedMessage {
  readonly command: "DIRECT_MESSAGE_FAILED";
  readonly messageId?: string;
  /** For programs: `"NO_SPACE"`, or nothing. */
  readonly reason?: string;
  readonly info: string;
}

/**
 * To clients with `chat`, once for each login: the server has sent all missed entries, and the client now has all of
 * `vector`.
 */
export interface CaughtUpMessage {
  readonly command: "CAUGHT_UP";
  readonly vector: WireVector;
  /** The client brought a vector, and the server has everything in it. No entry that waited before is still to come. */
  readonly complete?: true;
}

/** This server is busier than that one. */
export interface RedirectMessage {
  readonly command: "REDIRECT";
  readonly hostname: string;
  readonly port: number;
}

/** A server of the network, and where clients reach it. */
export interface WireServer {
  readonly serverId: string;
  readonly host: string;
  readonly port: number;
}

/**
 * The servers to try when this one is gone, best first. Clients with `resume` get the list after the login and after
 * each change.
 */
export interface BackupListMessage {
  readonly command: "BACKUP_LIST";
  readonly servers: readonly WireServer[];
}

/** What a server may say to a client. */
export type ServerMessage =
  | ClockMessage
  | ChallengeMessage
  | AccountChangedMessage
  | LoginSuccessMessage
  | RegisterSuccessMessage
  | RefusalMessage
  | ActivityBroadcastMessage
  | ActivityAnswer
  | DirectMessage
  | ReceiptMessage
  | DirectMessageFailedMessage
  | UserListMessage
  | UserListFailedMessage
  | HistoryPageMessage
  | HistoryFailedMessage
  | ChannelAnswer
  | PresenceMessage
  | CaughtUpMessage
  | RedirectMessage
  | BackupListMessage
  | HeartbeatMessage
  | HeartbeatAckMessage
  | EndConnectionMessage;

/** All commands between clients and servers. A message without its command here does not compile. */
export const COMMANDS: Readonly<Record<(ClientMessage | ServerMessage)["command"], true>> = {
  ...{ REGISTER: true, REGISTER_SUCCESS: true, REGISTER_FAILED: true, LOGIN: true, LOGIN_SUCCESS: true },
  ...{ LOGIN_FAILED: true, LOGOUT: true, AUTHENTICATE: true, AUTHENTICATION_FAIL: true, INVALID_MESSAGE: true },
  ...{ ACTIVITY_MESSAGE: true, ACTIVITY_BROADCAST: true, ACTIVITY_ACK: true, ACTIVITY_FAILED: true },
  ...{ ACTIVITY_PENDING: true, DIRECT_MESSAGE: true, DIRECT_MESSAGE_FAILED: true, RECEIPT: true, ACK: true },
  ...{ LIST_USERS: true, USER_LIST: true, USER_LIST_FAILED: true, PRESENCE: true, CAUGHT_UP: true },
  ...{ CLOCK: true, HEARTBEAT: true, HEARTBEAT_ACK: true, REDIRECT: true, BACKUP_LIST: true, END_CONNECTION: true },
  ...{ CHALLENGE: true, RESPONSE: true, HISTORY: true, HISTORY_PAGE: true, HISTORY_FAILED: true, POSITION: true },
  ...{ SUBSCRIBE: true, SUBSCRIBED: true, SUBSCRIBE_FAILED: true, UNSUBSCRIBE: true, UNSUBSCRIBED: true },
  ...{ ACCOUNT_CHANGED: true },
};
