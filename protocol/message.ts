/**
 * What can be said on a connection, as types. `codec.ts` reads and writes them. Field meanings are in docs/protocol.md; what is written here are shapes
 * and units.
 */

/** What a client can ask for when it logs in or registers. A client that asks for nothing is a *plain* client. */
export const FEATURES = ["heartbeat", "presence", "ack", "resume", "chat"] as const;
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
  readonly features: readonly Feature[];
}

/** Begins a session. */
export interface LoginMessage {
  readonly command: "LOGIN";
  readonly username: string;
  /** Absent for `anonymous`. */
  readonly secret: string | undefined;
  readonly features: readonly Feature[];
  /** What this client has, when it comes back. */
  readonly resume: WireVector | undefined;
  /** Where the client listens for heartbeats out of band, on the address that it comes from. */
  readonly heartbeatPort: number | undefined;
  /** An address that the client claims for that; only its own is taken. */
  readonly heartbeatHost: string | undefined;
  /** Redirects that the client followed to get here. */
  readonly redirects: number;
  /** What another login of this client was answered with: it spares the derivation from the secret. */
  readonly ticket: string | undefined;
  /** The newest of the client's own activities that was acknowledged, as an `id`: what it publishes next comes after that one, everywhere. */
  readonly last: string | undefined;
  /** `false`: it takes nothing of what is published, and leaves what was missed to its user's next client. */
  readonly reads?: boolean;
  /** Of a client that keeps a trace: what it is called there beside its username, which of its logins this is, and its Lamport time. */
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
  /** The JSON text of the activity as it was written, without any `authenticated_user` that the client claimed. */
  readonly activity: string;
  /** Chosen by the sender, so that saying it again does not publish again. */
  readonly messageId: string | undefined;
  /** The sender's Lamport time. */
  readonly lamport: number | undefined;
}

/** Something for one user. */
export interface SendDirectMessage {
  readonly command: "DIRECT_MESSAGE";
  /** Whom it is for. */
  readonly to: string;
  readonly text: string;
  /** Chosen by the sender, so that saying it again does not send it again, and to name it in receipts. */
  readonly messageId: string | undefined;
  /** The sender's Lamport time. */
  readonly lamport: number | undefined;
}

/** Asks who there is. */
export interface ListUsersMessage {
  readonly command: "LIST_USERS";
  readonly scope: UserScope;
}

/** Users that are logged in somewhere, or all that are registered. */
export type UserScope = "online" | "all";

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
  /** One of `CLOSE_REASONS`, or one that only a newer program knows. */
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

/** Another server wants to be a peer. What `protocol/peer/peer_message.ts` has to say about it is left out for those that are not of this dialect. */
export interface AuthenticateMessage {
  readonly command: "AUTHENTICATE";
  readonly secret: string;
  /** What it said about itself; `undefined` for one that gives only the secret. */
  readonly serverId: string | undefined;
  /** Where it can be reached. */
  readonly host: string | undefined;
  readonly port: number | undefined;
  /** `"thrum/1"` is among them when it is a server of this dialect. */
  readonly features: readonly string[];
  /** What it has of the log; empty where it does not say. */
  readonly vector: WireVector;
  readonly lamport: number | undefined;
  /** Which of its starts this is; absent where it does not say. */
  readonly incarnation?: WireIncarnation;
  /** What it has of accounts whose origins it has forgotten; absent where it does not say. */
  readonly accounts?: WireAccountsSummary;
}

/** Accounts of forgotten origins, in short: the same for the same accounts. */
export interface WireAccountsSummary {
  readonly count: number;
  readonly digest: string;
}

/** Lamport's time at the server when it sent what follows. */
export interface ClockMessage {
  readonly command: "CLOCK";
  readonly lamport: number;
}

/** What a client may say to a server. */
export type ClientMessage =
  | SendDirectMessage
  | ListUsersMessage
  | RegisterMessage
  | LoginMessage
  | LogoutMessage
  | ActivityMessage
  | HeartbeatMessage
  | HeartbeatAckMessage
  | AckMessage
  | EndConnectionMessage
  | AuthenticateMessage;

/** A line that means nothing: what was wrong with it, in words that repeat no secret. */
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
  /** Below: only for clients that asked for features. */
  readonly features?: readonly Feature[];
  readonly serverId?: string;
  readonly heartbeat?: WireHeartbeat;
  readonly lamport?: number;
  /** With `resume`: what the client has once it has got the `replayed` activities that come first. */
  readonly resume?: WireResume;
  /** With `resume`: to be given at the next login, at any server of the network. */
  readonly ticket?: string;
}

/** Where a client stands that has logged in. */
export interface WireResume {
  readonly vector: WireVector;
  readonly replayed: number;
  readonly gap?: readonly WireGap[];
  /** Origins that the client named, and that are forgotten whole: it need not name them any more. */
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
  /** The activity's own text, as it came: numbers that JSON.parse cannot hold are whole in it. */
  readonly activityText: string;
  /** `"<origin>:<sequence>"`. */
  readonly id: string;
  readonly lamport: number;
  /** Milliseconds since 1970, by the clock of the server that accepted it. */
  readonly sentAt: number;
  readonly messageId?: string;
}

/** What was published under `messageId` is safe. */
export interface ActivityAckMessage {
  readonly command: "ACTIVITY_ACK";
  readonly messageId: string;
  readonly id: string;
}

/** What was published or sent under `messageId` is stored, and waits for another server to have it too: the acknowledgement will still come. */
export interface ActivityPendingMessage {
  readonly command: "ACTIVITY_PENDING";
  readonly messageId: string;
  /** For people. */
  readonly info: string;
}

/** An activity was not taken: nobody gets it, and it may be sent again later. */
export interface ActivityFailedMessage {
  readonly command: "ACTIVITY_FAILED";
  /** That of the activity, if it had one. */
  readonly messageId?: string;
  /** For programs: `"NO_SPACE"`. */
  readonly reason: string;
  /** For people. */
  readonly info: string;
}

/** Somebody sent something to this user. For all of the user's sessions. */
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

/** How far a direct message got, for all sessions of its sender: `"stored"` is told once, to the one that sent it. */
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
}

/** Nobody has that name, or the text cannot be sent. */
export interface DirectMessageFailedMessage {
  readonly command: "DIRECT_MESSAGE_FAILED";
  readonly messageId?: string;
  /** For programs, where there is one: `"NO_SPACE"`. */
  readonly reason?: string;
  readonly info: string;
}

/** The answer to LIST_USERS, over the whole network. */
export interface UserListMessage {
  readonly command: "USER_LIST";
  readonly scope: UserScope;
  /** In the order of `Array.sort`, each once. */
  readonly users: readonly string[];
}

/** Somebody came or went: `"left"` by logging out, `"lost"` otherwise. Not of anonymous clients. */
export interface PresenceMessage {
  readonly command: "PRESENCE";
  readonly event: "joined" | "left" | "lost";
  readonly username: string;
  readonly lamport: number;
}

/** To clients with `chat`, once for each login: everything that was missed has been sent, and with it the client has all of `vector`. */
export interface CaughtUpMessage {
  readonly command: "CAUGHT_UP";
  readonly vector: WireVector;
  /** The client brought a vector, and the server has all that this names: nothing that waited before that is still to come. */
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

/** Where to go when this server is gone, best first. For clients with `resume`, after the login and whenever it changes. */
export interface BackupListMessage {
  readonly command: "BACKUP_LIST";
  readonly servers: readonly WireServer[];
}

/** What a server may say to a client. */
export type ServerMessage =
  | ClockMessage
  | LoginSuccessMessage
  | RegisterSuccessMessage
  | RefusalMessage
  | ActivityBroadcastMessage
  | ActivityAckMessage
  | ActivityFailedMessage
  | ActivityPendingMessage
  | DirectMessage
  | ReceiptMessage
  | DirectMessageFailedMessage
  | UserListMessage
  | PresenceMessage
  | CaughtUpMessage
  | RedirectMessage
  | BackupListMessage
  | HeartbeatMessage
  | HeartbeatAckMessage
  | EndConnectionMessage;
