/** The interface of a client: its options, the client itself, activities and events. Types only. */

import type { Endpoint } from "../platform/address.ts";
import type { Vector } from "../log/vector.ts";
import type { Feature, WireGap } from "../protocol/message.ts";
import type { UserScope } from "../protocol/presence/presence_message.ts";
import type {
  ActivitiesOptions,
  CallOptions,
  HistoryOptions,
  PresenceOptions,
  PublishOptions,
} from "./calls/call_options.ts";
import type { ReconnectPolicy } from "./failover/reconnect.ts";

/** Whom a client believes by TLS 1.3. Texts are PEM, as they stand in files. */
export interface TlsOptions {
  /** The certificates of the CAs that are believed. When not given, those that Deno believes. */
  readonly ca?: string;
  /**
   * SHA-256 of the certificates that servers may show: 64 hexadecimal digits, perhaps with colons between the pairs.
   * Without `ca` they are enough: the certificate may be of whomever. With `ca` a server needs both.
   */
  readonly fingerprints?: readonly string[];
  /** The certificate of this client, for servers that want one (`tls.clientAuth`); with `key`. */
  readonly cert?: string;
  /** The key of `cert`, without a password. */
  readonly key?: string;
}

/** How and as whom a client connects, and what it does after a lost connection. */
export interface ConnectOptions {
  /** The server's host name or address. */
  readonly host: string;
  /** The server's port. */
  readonly port: number;
  /**
   * Further servers of the same network, to call if the first one does not answer. The servers themselves name others.
   */
  readonly servers?: readonly Endpoint[];
  /** By TLS: `true` believes whom Deno believes. All servers are called so, and none in another way. */
  readonly tls?: boolean | TlsOptions;
  /** The user to log in. Without it the client is `anonymous`. */
  readonly username?: string;
  /** The user's secret; needed with `username`. */
  readonly secret?: string;
  /**
   * `true` lets the client tell its secret in clear to a server of another machine that offers no other way to log in,
   * as servers of 0.1.0 do. When not given, such a server is refused. A registration always tells the secret.
   */
  readonly clearSecrets?: boolean;
  /** `true` registers the user first, and fails if the name is taken. `"ifNew"` logs in then. */
  readonly register?: boolean | "ifNew";
  /** The code of an invitation, where a registration needs one. */
  readonly invitation?: string;
  /**
   * The features to ask the server for; by default everything that a client of this version can use. Without `ack`,
   * nothing tells whether an activity has arrived. Without `resume`, activities of the time without a connection stay
   * missed.
   */
  readonly features?: readonly Feature[];
  /**
   * Where all iterators of this client begin.
   * `"login"` (when not given): what came since the login is kept for the first iterator of each kind, with what this
   * user missed. Every later iterator begins with the next item.
   * `"now"`: every iterator begins with the next item that comes after it was asked for. Activities that this user
   * missed are left out, and are in `history`. Direct messages that wait come all the same, as they would be lost.
   * A vector of an earlier client (`Client.vector`): as `"login"`, and all other entries that are kept come first.
   */
  readonly from?: "login" | "now" | Vector;
  /** The same as a vector in `from`, of which it is the earlier name. */
  readonly since?: Vector;
  /**
   * `false` for a client that reads no activities, as it only publishes or writes to users. Entries that its user
   * missed then stay for the user's next client. Other clients get them if they have no `since`.
   */
  readonly reads?: boolean;
  /**
   * `"none"` for a client that only publishes, sends and asks. It gets no activities, no direct messages and no event
   * `delivered`, and they cost it nothing. Its user's direct messages wait for another client. Nothing is missed, so
   * there is no event `gap`. `reads` is `false` then, and `from` has no meaning.
   */
  readonly receive?: "none";
  /**
   * The channels that the client reads, as names and patterns (`lab`, `lab/*`, `lab/**`, `**`). `""` stands for what
   * has no channel, and is all that is read when this is not given. `activities` can read further ones for a while.
   */
  readonly channels?: readonly string[];
  /**
   * With a vector in `from`: the Lamport time of that client (`Client.lamport`), so that nothing is published in the
   * past of what
   * it saw.
   */
  readonly lamport?: number;
  /**
   * How to come back after a lost connection. Missing values are those of `DEFAULT_RECONNECT`. `false` does not come
   * back.
   */
  readonly reconnect?: false | Partial<ReconnectPolicy>;
  /**
   * `false`: a program may end although this client tries to come back. While there is no connection after the first
   * login, nothing of the client keeps the process alive, neither a wait nor a call. What was not acknowledged by then
   * is lost with the process. With a connection, or while `connect` waits, the client keeps it alive as always. So does
   * a `heartbeatChannel`, which listens.
   */
  readonly persistent?: boolean;
  /** Gives up waiting for the first login. `connect` rejects with its reason then, and nothing is left. */
  readonly signal?: AbortSignal;
  /** Time allowed to connect, and then to log in; 10,000 when not given. */
  readonly connectTimeoutMs?: number;
  /** The longest line that the server takes; 65,536 bytes when not given. */
  readonly maxLineBytes?: number;
  /**
   * Where to listen for heartbeats out of band, so that a full connection cannot hide that this client lives. Port 0
   * takes a free one. If it cannot listen there, the client does without, and says so with the event `noChannel`.
   */
  readonly heartbeatChannel?: Endpoint;
  /** For tests of supervision: for this time after the first login the client answers no heartbeat, and sends none. */
  readonly blockHeartbeatMs?: number;
  /** A file that every local event, send and receive is appended to, one JSON object a line. */
  readonly trace?: string;
  /** A longer trace goes on in a new file; 67,108,864 bytes if not given. The former file stays as `FILE.1`. */
  readonly traceLimitBytes?: number;
  /** The first listener: as one of `Client.on`, from the first event on. */
  readonly onEvent?: (event: ClientEvent) => void;
}

/** A part of the past. */
export interface Past {
  /** The oldest first. */
  readonly activities: readonly Activity[];
  /** Where there may be more: the `before` of the next question. It need not be the id of an activity. */
  readonly before: string | undefined;
  /** The oldest activity that the server keeps, and when it took that in, in milliseconds since 1970. */
  readonly begins: { readonly id: string; readonly takenAt: number } | undefined;
  /** Whether something older, or in between, is no longer kept. */
  readonly isForgotten: boolean;
}

/**
 * A client in the network. It publishes activities and receives all of them, and exchanges direct messages with users.
 * `connect` makes one; `await using` closes it at the end of the scope.
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
   * The entries that were taken out of every iterator. Give it as `since` to a later client, which then gets all the
   * rest. Keep it only after you have handled what you took. Without an iterator, it is everything that came.
   */
  readonly vector: Vector;
  /** Its Lamport time: above the time of everything that it has sent or seen. */
  readonly lamport: number;
  /** Activities and direct messages that were published or sent, and are not acknowledged yet. */
  readonly unacknowledged: number;
  /** Resolves when the client is closed, by whomever. Never rejects. */
  readonly closed: Promise<CloseInfo>;
  /**
   * Tells `listener` each event from now on. Returns how to remove it, as an aborted `signal` does. Listeners are told
   * in the order in which they were added. What one of them throws stops neither the others nor the client: it is
   * reported as an unhandled rejection.
   */
  on(listener: (event: ClientEvent) => void, options?: CallOptions): () => void;
  /** The same for one kind of event. */
  on<K extends ClientEvent["kind"]>(
    kind: K,
    listener: (event: Extract<ClientEvent, { readonly kind: K }>) => void,
    options?: CallOptions,
  ): () => void;
  /**
   * Publishes an activity to everyone, or to who reads its `channel`, in the order of the calls. Resolves when the
   * server has it safely. After a lost connection the client sends it again, and it is still published once. A text is
   * published as it is, with every digit. An aborted `signal` takes an activity back that has not left this client; one
   * that has is published.
   * @throws {TypeError} when it is not a JSON object.
   * @throws {TypeError} when the channel is none, or the feature `channels` is not in force.
   * @throws {RangeError} when it is longer than a line may be, or nested too deep.
   * @throws {RefusedError} with the reason `CHANNELS_LATER` while a server of the network does not know channels, and
   * with `NOT_ALLOWED` where the user may not publish.
   * @throws {RefusedError
   * ConnectionEndedError
   * ConnectError} when the client is closed, or closes before the server has it.
   */
  publish<T extends object>(activity: T | string, options?: PublishOptions): Promise<Published>;
  /**
   * All published activities, also those of this client. The first call gives everything since the login, if it comes
   * within the first mebibyte (else there was the event `unread`). Every later call begins with the next activity.
   * (With `from: "now"` the first one does, too.) Each call gives an iterator of its own, with all activities. While
   * one is more than a mebibyte behind, the client reads nothing more, and the server keeps the rest: so iterate, or
   * return. An iterator ends after `close()`. Otherwise it throws the error that ended the client. An aborted `signal`
   * leaves the iterator, which throws the reason once.
   *
   * With `channels` an iterator gives what is of these, from now on. All iterators share the connection: what several
   * read comes once, and what nobody reads any more is not sent. Such an iterator throws when the server refuses its
   * channels (`RefusedError` with the reason `NOT_ALLOWED` where the user may read nothing of one of them), or does not
   * know any. Of a pattern it gives what the user may read.
   * @throws {TypeError} when the client was told to `receive` none, or a pattern is none.
   *
   * `T` is what the program takes an activity for. Nobody checks that: anybody can publish anything.
   */
  activities<T extends object = Readonly<Record<string, unknown>>>(
    options?: ActivitiesOptions,
  ): AsyncIterableIterator<Activity<T>>;
  /**
   * What was said before: the newest activities that the server keeps, with their order there. They do not come to
   * iterators, and do not count for `vector`. An activity may be in both: its `id` tells. The client asks page by page,
   * and again after a lost connection.
   * @throws {RangeError} when `limit` or `since` makes no sense.
   * @throws {TypeError} when the feature `history` is not in force, as with a server of an earlier version.
   * @throws {RefusedError} with the command `HISTORY_FAILED` when the server does not know the entry that is named, or
   * the user may read nothing of what is asked for.
   * @throws {RefusedError
   * ConnectionEndedError
   * ConnectError} when the client is closed, or closes before there is an answer.
   */
  history(options?: HistoryOptions): Promise<Past>;
  /**
   * Sends `text` to the user `to`: everywhere the user is logged in, or later if nowhere. `send` and `publish` share
   * one order. Resolves when the server has the message safely; until then the client sends it again after a lost
   * connection. The event `delivered` tells that it was delivered. `signal` is as for `publish`.
   * @throws {RefusedError} with the command `DIRECT_MESSAGE_FAILED` when no user has that name, or the server does not
   * take the text. The client goes on.
   * @throws {TypeError} when the text has half a surrogate pair, or the feature `chat` is not in force.
   * @throws {RangeError} when it is longer than a line may be.
   * @throws {RefusedError
   * ConnectionEndedError
   * ConnectError} when the client is closed, or closes before the server has it.
   */
  send(to: string, text: string, options?: CallOptions): Promise<Sent>;
  /**
   * Direct messages for this user, by the rules of `activities`. There is no event for messages that are not kept for
   * the first call: they are not lost. A message counts as delivered when it is taken out of every iterator. Messages
   * that nobody took before the client closed come again, to the next login of the user without a vector.
   */
  messages(options?: CallOptions): AsyncIterableIterator<Message>;
  /**
   * The users who are logged in anywhere in the network, or who have an account; each once, sorted. After a lost
   * connection the client asks again.
   * @throws {TypeError} when the feature `chat` is not in force.
   * @throws {RefusedError
   * ConnectionEndedError
   * ConnectError} when the client is closed, or closes before there is an answer.
   */
  users(scope: UserScope, options?: CallOptions): Promise<readonly string[]>;
  /**
   * The users with a name who read `channel`, anywhere in the network, by whatever pattern, and may read it; each once,
   * sorted. After a lost connection the client asks again. A server that does not answer within two seconds is left
   * out.
   * @throws {TypeError} when the channel is none, or the feature `channels` is not in force.
   * @throws {RefusedError} with the command `USER_LIST_FAILED` when the user may not list users, or may not read the
   * channel (`NOT_ALLOWED`), or asks about too many channels at a time (`TOO_MANY_CHANNELS`).
   * @throws {RefusedError
   * ConnectionEndedError
   * ConnectError} when the client is closed, or closes before there is an answer.
   */
  readers(channel: string, options?: CallOptions): Promise<readonly string[]>;
  /**
   * Gives the user of this client another secret. Nobody hears it: the server gets two keys that are made of it, and
   * sealed. Resolves when that is stored, and other servers are told. All connections of the user end. This client
   * comes back with the new secret; all others have to log in with it.
   * @throws {TypeError} when the secret cannot be one, or the client has no name.
   * @throws {RefusedError} when the server does not do it, with the reason `WRONG_SECRET` when somebody has changed the
   * secret before.
   * @throws {ConnectError} when the server does not answer: then it may have done it all the same.
   */
  changeSecret(newSecret: string): Promise<void>;
  /**
   * Deletes the account of this client's user in the whole network: its secret, and the direct messages that wait for
   * it. The name stays taken, so that nobody can be taken for the user. What the user published stays as long as other
   * activities do. Resolves when that is stored, and this client is closed.
   * @throws {TypeError} when the client has no name.
   * @throws {RefusedError} when the server does not do it.
   * @throws {ConnectError} when the server does not answer: then it may have done it all the same.
   */
  forget(): Promise<void>;
  /**
   * Users who come and go, by the rules of `activities`. There is no event for presence that is not kept for the first
   * call. The time without a connection is not made up for: ask `users` after the event `connected`.
   *
   * With `channel` an iterator gives who begins to read that channel and who ends, from now on, in the whole network:
   * users with a name who read it by whatever pattern, and may. `readers` says who reads it before. Such an iterator
   * throws a `RefusedError` with the command `USER_LIST_FAILED` when the server does not tell it, and a `TypeError`
   * when it does not know channels. Servers are asked only as long as somebody wants it.
   * @throws {TypeError} when the channel is none.
   */
  presence(options?: PresenceOptions): AsyncIterableIterator<Presence>;
  /**
   * Waits up to 5 s until everything is acknowledged, then logs out. Resolves when the connection is gone. An aborted
   * `signal` cuts the connection at once, with what was not acknowledged. Then this rejects, and the client is closed.
   */
  close(options?: CallOptions): Promise<void>;
}

/** The server has the activity safely. */
export interface Published {
  /** The activity's identity; `undefined` without the feature `ack`: then only the sending is known. */
  readonly id: string | undefined;
}

/** An activity of a user. */
export interface Activity<T extends object = Readonly<Record<string, unknown>>> {
  /** The activity, without the name of its user. */
  readonly activity: T;
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
  /** The channel that it is for; absent for everyone. */
  readonly channel?: string;
}

/** A direct message is safe with the server. */
export interface Sent {
  /** Its identity: the `of` of the event `delivered`. */
  readonly id: string;
}

/** A direct message to this user. */
export interface Message {
  /** Who wrote it, as the server knows. */
  readonly from: string;
  /** This client's user. */
  readonly to: string;
  /** The text as its sender wrote it. It may contain control characters. */
  readonly text: string;
  /** `"<origin>:<sequence>"`, like the ids of activities. */
  readonly id: string;
  /** Its Lamport time. */
  readonly lamport: number;
  /** Milliseconds since 1970, by the clock of the server that accepted it. */
  readonly sentAt: number;
  /** Whether it waited until this user was there. */
  readonly offline: boolean;
}

/** Somebody came or went; with a channel, began or ended to read that. */
export interface Presence {
  /** `"left"` by logging out, or by reading the channel no more; `"lost"` otherwise. */
  readonly event: "joined" | "left" | "lost";
  /** Who. */
  readonly username: string;
  /** The server's Lamport time. */
  readonly lamport: number;
  /** The channel that it is about. */
  readonly channel?: string;
}

/** How a client ended. */
export interface CloseInfo {
  /** One of `CLOSE_REASONS`, or a reason that only a newer server knows. */
  readonly reason: string;
  /** For people: what happened, in one sentence. */
  readonly info: string;
  /** The error with which promises reject because of it; absent after `close()`. */
  readonly error?: Error;
}

/** Events of a client, for programs that want to watch it. */
export type ClientEvent =
  /** The client cannot listen for heartbeats out of band, and does without. */
  | { readonly kind: "noChannel"; readonly endpoint: Endpoint; readonly info: string }
  | { readonly kind: "connecting"; readonly server: Endpoint }
  | { readonly kind: "registered"; readonly username: string }
  /** The client is logged in. `returned` says whether it had been logged in before. */
  | {
    readonly kind: "connected";
    readonly server: Endpoint;
    readonly serverId: string | undefined;
    readonly returned: boolean;
    /** The number of missed activities, which come first. `caughtUp` counts direct messages. */
    readonly missed: number;
  }
  /**
   * All missed entries have come: this many activities, and this many direct messages that had waited
   * (`Message.offline`). Once after each `connected`.
   */
  | { readonly kind: "caughtUp"; readonly replayed: number; readonly offline: number }
  /**
   * One server has stored the message, and waits until another one has it (`cluster.durability` of the servers). It has
   * not failed.
   */
  | { readonly kind: "pending"; readonly messageId: string; readonly info: string }
  /**
   * The direct message `of` has reached `to`. Comes for messages of all clients of this user, and may come before
   * `send` has resolved.
   */
  | { readonly kind: "delivered"; readonly messageId: string; readonly of: string; readonly to: string }
  /** The server no longer has some missed entries. */
  | { readonly kind: "gap"; readonly gaps: readonly WireGap[] }
  /** The user may read nothing of these, of the `channels` that the client reads in any case. Nothing of them comes. */
  | { readonly kind: "notAllowed"; readonly channels: readonly string[] }
  /** Nobody has called `activities` yet, and too much came to keep it for the first call. */
  | { readonly kind: "unread" }
  /**
   * The connection is read for answers (of `publish`, `send` or `users`), and more comes than is kept for the
   * iterators. From here on, new entries are left out. When the iterators have caught up, the client logs in anew and
   * gets them (`comesAgain`). It does not get presence again, or anything without the feature `resume`.
   */
  | { readonly kind: "overflow"; readonly what: "activities" | "messages" | "presence"; readonly comesAgain: boolean }
  /** An activity, a direct message or a receipt came twice, and was left out the second time. */
  | { readonly kind: "duplicate"; readonly id: string }
  /** The server named other servers, best first. The client goes there if this one is lost. */
  | { readonly kind: "backups"; readonly servers: readonly Endpoint[] }
  /** The server has sent the client on to another one. Nothing was lost. */
  | { readonly kind: "redirected"; readonly server: Endpoint }
  /** `byServer` if the server announced the end and gave a reason. */
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
