/**
 * The network as a person sees it from one of its servers: the data of a dashboard, its changes, and the data that
 * servers tell each other for it. Shapes and units only. Strangers choose all names, addresses and
 * activities in it. Pure.
 */

import type { ServerNumbers } from "./server_numbers.ts";

/** The state of a server, seen from the server that answers. */
export type ServerState = "self" | "linked" | "suspect" | "dead" | "left";

/** A link to another server. */
export interface LinkView {
  /** How long the newest heartbeat and its answer took. */
  readonly roundTripMs: number | null;
  readonly state: "watching" | "probing";
  /** The time of the last data, in milliseconds since 1970. */
  readonly silentSince: number;
  /** Unanswered heartbeats, and how many there may be. */
  readonly attempt: number;
  readonly of: number;
}

/**
 * One server. Times are milliseconds since 1970 by the clock of the server that says them. `null` means unknown. A
 * number that only the server knows stands in `SERVER_NUMBERS`.
 */
export interface ServerView extends ServerNumbers {
  /** The name for people: `HOST:PORT`. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** Empty if unknown. */
  readonly version: string;
  readonly state: ServerState;
  readonly stateSince: number;
  /** Set when the server is dead, and nothing says that its process has ended: it may be parted from here. */
  readonly isSilent?: true;
  readonly startedAt: number | null;
  /** Logged-in clients. */
  readonly load: number;
  readonly weight: number;
  readonly takesClients: boolean;
  /** The time of its last announcement. */
  readonly announcedAt: number | null;
  /** The part of the log that the server has. */
  readonly vector: Readonly<Record<string, number>>;
  readonly lamport: number;
  /** By the name of the other server. */
  readonly links: Readonly<Record<string, LinkView>>;
  /** All its connections: with or without a login, and those of other servers. */
  readonly connections: number;
  /** `HOST:PORT` of its own HTTP gateway, `https://HOST:PORT` with TLS. */
  readonly http: string | null;
  /** Connections that were lost with a server that is dead; absent for none. The server that answers says this. */
  readonly lostClients?: number;
  /** Set while the server hands its clients over. */
  readonly draining: { readonly total: number; readonly left: number } | null;
}

/** The other end of a connection: `new` has not logged in yet, `guest` came through another door. */
export type ConnectionKind = "new" | "client" | "plain" | "server" | "guest";

/** The door through which a connection came. */
export type Door = "tcp" | "websocket" | "grpc";

/** One connection. */
export interface ConnectionView {
  /** Empty before a login. */
  readonly user: string;
  readonly address: string;
  readonly kind: ConnectionKind;
  readonly over: Door;
  /** When the connection was opened. */
  readonly since: number;
  readonly state: "watching" | "probing" | "unwatched";
  /** The time of the last data; 0 if no heartbeats watch the connection. */
  readonly heardAt: number;
  /** Unanswered heartbeats, and how many there may be. */
  readonly attempt: number;
  readonly of: number;
  /** Heartbeats sent so far. */
  readonly heartbeats: number;
  readonly roundTripMs: number | null;
  /** Bytes that were written and are still in this process. */
  readonly waitingBytes: number;
  /** Whether the connection still has to get a part of the log. */
  readonly behind: boolean;
}

/** A moment of a connection's heartbeats. */
export interface HeartbeatMoment {
  readonly at: number;
  readonly event: "sent" | "answered" | "unanswered";
  readonly attempt: number;
  readonly of: number;
  /** With `answered`; `null` when other data came. */
  readonly roundTripMs: number | null;
}

/** A connection that has ended. */
export interface EndView {
  /** The server of the connection. */
  readonly server: string;
  readonly at: number;
  /** When the connection was opened; 0 if that is unknown. */
  readonly since: number;
  readonly user: string;
  /** Empty if unknown. */
  readonly address: string;
  /** A key of `CLOSE_REASONS`. */
  readonly reason: string;
  readonly sentence: string;
  /** More about the reason, or the same sentence. */
  readonly why: string;
  /** The newest of its heartbeats, oldest first. */
  readonly heartbeats: readonly HeartbeatMoment[];
}

/** An activity that passed. Direct messages are never here. */
export interface ActivityView {
  /** `ORIGIN:SEQUENCE`. */
  readonly id: string;
  /** Who published it; `anonymous` without a name. */
  readonly user: string;
  /** When it was accepted, in milliseconds since 1970. */
  readonly at: number;
  /** The entry's Lamport time. */
  readonly lamport: number;
  /** The activity, or the beginning of its JSON text if `cut`. */
  readonly activity: unknown;
  /** It was too long, and `activity` is its beginning. */
  readonly cut?: true;
}

/** A channel, or what has none. */
export interface ChannelView {
  /** Who reads it, at all servers that tell. */
  readonly readers: number;
  /** Activities a second, over the last seconds. */
  readonly rate: number;
  /** Bytes of its activities that the server `from` keeps; absent where it does not count them. */
  readonly bytes?: number;
}

/** The whole network. */
export interface NetworkView {
  /** When the view was made, by the clock of the server `from`. */
  readonly at: number;
  readonly from: string;
  readonly servers: Readonly<Record<string, ServerView>>;
  /** By server, then by a name that is unique there. */
  readonly connections: Readonly<Record<string, Readonly<Record<string, ConnectionView>>>>;
  /** The registered and online users, with their servers: none if the user is offline. */
  readonly users: Readonly<Record<string, readonly string[]>>;
  /** How many direct messages wait, of users for whom any wait. */
  readonly waiting: Readonly<Record<string, number>>;
  /**
   * When the last connection of users who are offline ended, in milliseconds since 1970, as far as the server `from`
   * has noticed it since its start.
   */
  readonly lastSeen: Readonly<Record<string, number>>;
  /**
   * Changes with whatever operators set for the network: bans, roles, invitations. Whoever shows these asks for them
   * again then. Absent at older servers.
   */
  readonly laidDown?: number;
  /** By name, at most `MAX_CHANNELS`; an empty name stands for what has no channel. Absent at older servers. */
  readonly channels?: Readonly<Record<string, ChannelView>>;
  /** How many more channels are known. */
  readonly channelsLeftOut?: number;
  /** Oldest first, at most `MAX_ENDS`. */
  readonly ends: readonly EndView[];
  /** Oldest first, at most `MAX_ACTIVITIES`. */
  readonly activities: readonly ActivityView[];
}

/** A JSON merge patch (RFC 7396) for a `T`. */
export type Patch<T> = { readonly [Key in keyof T]?: Patch<T[Key]> | T[Key] | null };

/** What changed since the last change, or since the view. */
export interface NetworkChange {
  readonly at: number;
  readonly patch: Patch<Omit<NetworkView, "at" | "from" | "ends" | "activities">>;
  /** For the end of the list. */
  readonly ends: readonly EndView[];
  /** Servers that were there all the time: their ends with the reason `SERVER_LOST` count no more. */
  readonly takenBack?: readonly string[];
  readonly activities: readonly ActivityView[];
  /** The number of activities that are not in `activities`, because there were too many. */
  readonly skipped: number;
}

/** The part that only the server itself knows. It tells this to other servers while people look there. */
export interface OwnView {
  readonly server: ServerView;
  readonly connections: Readonly<Record<string, ConnectionView>>;
  /** How many read each channel here: of `MAX_CHANNELS`, those with the most readers. Absent at older servers. */
  readonly channels?: Readonly<Record<string, number>>;
}

/** The most channels that are shown, and that servers tell each other. Strangers name them. */
export const MAX_CHANNELS = 300;
/** The most ends that are remembered. */
export const MAX_ENDS = 200;
/** The most activities that are remembered. */
export const MAX_ACTIVITIES = 100;
/** The longest JSON text of an activity; a longer one is cut. */
export const MAX_ACTIVITY_LENGTH = 2_048;
