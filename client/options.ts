/** What a client is given and what it gives: options, the client itself, activities and events. Types only. */

import type { Endpoint } from "../platform/address.ts";
import type { Vector } from "../log/vector.ts";
import type { Feature, UserScope, WireGap } from "../protocol/message.ts";
import type { ReconnectPolicy } from "./reconnect.ts";

/** How a client connects, as whom, and what it does when the connection is lost. */
export interface ConnectOptions {
  /** The server's host name or address. */
  readonly host: string;
  /** The server's port. */
  readonly port: number;
  /** Further servers of the same network, to be called when the first one does not answer. Others are learnt from the servers themselves. */
  readonly servers?: readonly Endpoint[];
  /** Whom to log in as. Without it the client is `anonymous`. */
  readonly username?: string;
  /** The user's secret; needed with `username`. */
  readonly secret?: string;
  /** `true` registers the user first, and fails when the name is taken; `"ifNew"` then logs in instead. */
  readonly register?: boolean | "ifNew";
  /**
   * What to ask the server for; by default all that a client of this version can do with it. Without `ack` nothing tells whether what was
   * published has arrived; without `resume` activities that were missed while a connection was lost stay missed.
   */
  readonly features?: readonly Feature[];
  /** What a client that was here earlier has (`Client.vector`): everything else that is still kept comes first. */
  readonly since?: Vector;
  /**
   * `false` for a client that takes nothing of what is published, as it only publishes or writes to somebody. What came
   * since its user lost a connection then stays for the user's next client; others are given it when they have no `since`.
   */
  readonly reads?: boolean;
  /** With `since`: the Lamport time of that client (`Client.lamport`), so that nothing is published in the past of what it has seen. */
  readonly lamport?: number;
  /** How to come back when the connection is lost; what is not given is as in `DEFAULT_RECONNECT`. `false` does not come back. */
  readonly reconnect?: false | Partial<ReconnectPolicy>;
  /** Time allowed to connect, and then to log in; 10,000 when not given. */
  readonly connectTimeoutMs?: number;
  /** The longest line that the server takes; 65,536 bytes when not given. */
  readonly maxLineBytes?: number;
  /**
   * Where to listen for heartbeats out of band, so that a full connection cannot hide that this client lives. Port 0 takes a free one;
   * with one that cannot be had the client does without, and says so with the event `noChannel`.
   */
  readonly heartbeatChannel?: Endpoint;
  /** For tests of supervision: for so long after the first login no heartbeat is answered, and none sent. */
  readonly blockHeartbeatMs?: number;
  /** A file that every local event, send and receive is appended to, one JSON object a line. */
  readonly trace?: string;
  /** When the trace is longer than this it goes on in a new file; 67,108,864 bytes when not given. The file before it stays, as `FILE.1`. */
  readonly traceLimitBytes?: number;
  /** Told what happens, as it happens. What it throws ends up unhandled. */
  readonly onEvent?: (event: ClientEvent) => void;
}

/**
 * Somebody in the network: publishes, receives what all publish, and writes to single users and is written to. Made by `connect`; `await using` closes it
 * at the end of the scope.
 */
export interface Client extends AsyncDisposable {
  /** Whom the client is logged in as. */
  readonly username: string;
  /** Whether this client has registered its user. */
  readonly registered: boolean;
  /** The server that it is, or was last, logged in to. */
  readonly serverId: string | undefined;
  /** The features in force. */
  readonly features: readonly Feature[];
  /**
   * What was taken out of every iterator, for the `since` of a later client: that gets all the rest. Whoever keeps it does so after having dealt
   * with what was taken. Without an iterator it is what came.
   */
  readonly vector: Vector;
  /** Its Lamport time: above that of all that it has sent or seen. */
  readonly lamport: number;
  /** Activities and direct messages that were published or sent, and are not acknowledged yet. */
  readonly unacknowledged: number;
  /** Resolves when the client is closed, by whomever. Never rejects. */
  readonly closed: Promise<CloseInfo>;
  /**
   * Publishes an activity to everyone, in the order of the calls; resolves when it is safe with the server. When the connection is
   * lost before that, it is sent again on the next one, and is published once all the same. A text is published as it is, each digit of it.
   * @throws {TypeError} when it is not a JSON object.
   * @throws {RangeError} when it is longer than a line may be, or nested too deep.
   * @throws {RefusedError | ConnectionEndedError | ConnectError} when the client is closed, or closes before the server has it.
   */
  publish(activity: Readonly<Record<string, unknown>> | string): Promise<Published>;
  /**
   * What is published, the client's own included. The first call gives everything since the login, if it comes before a mebibyte has (else the
   * event `unread` has been told); every other call begins with what comes next. Each call gives an iterator of its own, that has everything. While
   * one is more than a mebibyte behind, nothing more is read from the server, which keeps it: so iterate, or return. An iterator ends after
   * `close()`, and throws what ended the client otherwise.
   */
  activities(): AsyncIterableIterator<Activity>;
  /**
   * Sends `text` to the user `to`, to all places where that one is logged in, or later if there is none; in one order with `publish`. Resolves when it
   * is safe with the server, and is sent again until then, as there. That it was delivered is told by the event `delivered`.
   * @throws {RefusedError} with the command `DIRECT_MESSAGE_FAILED` when nobody has that name, or the server does not take the text. The client goes on.
   * @throws {TypeError} when the text has half a surrogate pair, or the feature `chat` is not in force.
   * @throws {RangeError} when it is longer than a line may be.
   * @throws {RefusedError | ConnectionEndedError | ConnectError} when the client is closed, or closes before the server has it.
   */
  send(to: string, text: string): Promise<Sent>;
  /**
   * Direct messages for this user, by the rules of `activities`, but that nothing tells of what is not kept for the first call: it is not lost. A message
   * counts as delivered when it is taken out of every iterator. What nobody has taken when the client is closed comes again, to the
   * next login of the user that begins without `since`.
   */
  messages(): AsyncIterableIterator<Message>;
  /**
   * Who is logged in anywhere in the network, or who has an account; each once, sorted. When the connection is lost it is asked again on the next one.
   * @throws {TypeError} when the feature `chat` is not in force.
   * @throws {RefusedError | ConnectionEndedError | ConnectError} when the client is closed, or closes before there is an answer.
   */
  users(scope: UserScope): Promise<readonly string[]>;
  /**
   * Who comes and goes, by the rules of `activities`, but that nothing tells of what is not kept for the first call. What happened while there was no
   * connection is not made up for: after the event `connected`, ask `users`.
   */
  presence(): AsyncIterableIterator<Presence>;
  /** Waits until what was published is acknowledged, for 5 s at most, then logs out. Resolves when the connection is gone. */
  close(): Promise<void>;
}

/** What was published is safe with the server. */
export interface Published {
  /** The activity's identity; `undefined` where the feature `ack` is not in force, and nothing but the sending is known. */
  readonly id: string | undefined;
}

/** What somebody published. */
export interface Activity {
  /** The activity, without the name of its user. */
  readonly activity: Readonly<Record<string, unknown>>;
  /** The same as JSON text, as its sender wrote it: for who passes it on, or needs numbers of more than 53 bits. */
  readonly json: string;
  /** Who published it, as the server knows. */
  readonly user: string;
  /** `"<origin>:<sequence>"`: unique, and increasing for each origin. */
  readonly id: string;
  /** Its Lamport time. */
  readonly lamport: number;
  /** Milliseconds since 1970, by the clock of the server that accepted it. */
  readonly sentAt: number;
}

/** A direct message is safe with the server. */
export interface Sent {
  /** Its identity: the `of` of the event `delivered`. */
  readonly id: string;
}

/** What somebody wrote to this user. */
export interface Message {
  /** Who wrote it, as the server knows. */
  readonly from: string;
  /** This client's user. */
  readonly to: string;
  /** What was written, as it was. Control characters may be in it. */
  readonly text: string;
  /** `"<origin>:<sequence>"`, of one kind with those of activities. */
  readonly id: string;
  /** Its Lamport time. */
  readonly lamport: number;
  /** Milliseconds since 1970, by the clock of the server that accepted it. */
  readonly sentAt: number;
  /** Whether it waited until this user was there. */
  readonly offline: boolean;
}

/** Somebody came or went. */
export interface Presence {
  /** `"left"` by logging out, `"lost"` otherwise. */
  readonly event: "joined" | "left" | "lost";
  /** Who. */
  readonly username: string;
  /** The server's Lamport time. */
  readonly lamport: number;
}

/** How a client ended. */
export interface CloseInfo {
  /** One of `CLOSE_REASONS`, or one that only a newer server knows. */
  readonly reason: string;
  /** For people: what happened, in one sentence. */
  readonly info: string;
  /** What promises reject with because of it; absent after `close()`. */
  readonly error?: Error;
}

/** What happens to a client, for those who want to watch. */
export type ClientEvent =
  /** It cannot listen for heartbeats out of band, and does without. */
  | { readonly kind: "noChannel"; readonly endpoint: Endpoint; readonly info: string }
  | { readonly kind: "connecting"; readonly server: Endpoint }
  | { readonly kind: "registered"; readonly username: string }
  /** Logged in. `returned` says whether it had been logged in before. */
  | {
    readonly kind: "connected";
    readonly server: Endpoint;
    readonly serverId: string | undefined;
    readonly returned: boolean;
    /** Activities that were missed and come first; what came as a direct message is counted by `caughtUp`. */
    readonly missed: number;
  }
  /** All that was missed has come: so many activities, and so many direct messages that had waited (`Message.offline`). Once after each `connected`. */
  | { readonly kind: "caughtUp"; readonly replayed: number; readonly offline: number }
  /** What was published or sent is stored at one server and waits for another one to have it (`cluster.durability` of the servers). It has not failed. */
  | { readonly kind: "pending"; readonly messageId: string; readonly info: string }
  /** The direct message `of` has reached `to`. Told for all that this user sends, by whatever client; it can come before `send` has resolved. */
  | { readonly kind: "delivered"; readonly messageId: string; readonly of: string; readonly to: string }
  /** Some of what was missed is no longer kept by the server. */
  | { readonly kind: "gap"; readonly gaps: readonly WireGap[] }
  /** Nobody has called `activities` yet, and so much came that it is not kept for that any more. */
  | { readonly kind: "unread" }
  /**
   * Answers are waited for (of `publish`, `send` or `users`), so the connection is read, and more comes than is kept for those who iterate: what comes from here on is left out. When they
   * have caught up, the client logs in anew and gets it (`comesAgain`); presence, and what comes without the feature `resume`, it does not.
   */
  | { readonly kind: "overflow"; readonly what: "activities" | "messages" | "presence"; readonly comesAgain: boolean }
  /** An activity, a direct message or a receipt came twice, and was left out the second time. */
  | { readonly kind: "duplicate"; readonly id: string }
  /** The server has said who else is there, best first: where the client goes when this one is lost. */
  | { readonly kind: "backups"; readonly servers: readonly Endpoint[] }
  /** The server has sent the client on to another one. Nothing was lost. */
  | { readonly kind: "redirected"; readonly server: Endpoint }
  /** `byServer` when the server said that it would close, and why. */
  | { readonly kind: "lost"; readonly reason: string; readonly info: string; readonly byServer: boolean }
  | { readonly kind: "unreachable"; readonly server: Endpoint; readonly info: string }
  | { readonly kind: "waiting"; readonly delayMs: number }
  | {
    readonly kind: "heartbeat";
    readonly sequence: number;
    readonly of: number;
    /** `false` when the answer was withheld (`blockHeartbeatMs`). */
    readonly answered: boolean;
    readonly outOfBand: boolean;
  }
  | { readonly kind: "closed"; readonly info: CloseInfo };
