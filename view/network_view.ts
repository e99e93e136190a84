/**
 * The network as a person sees it, from one of its servers: what a dashboard shows, what changes in it, and what one server tells another of itself for that. Shapes
 * and units only. All names, addresses and activities in it are the data of strangers.
 */

/** How a server is, seen from the one that answers. */
export type ServerState = "self" | "linked" | "suspect" | "dead" | "left";

/** A link to another server. */
export interface LinkView {
  /** How long the newest heartbeat took there and back. */
  readonly roundTripMs: number | null;
  readonly state: "watching" | "probing";
  /** Since when nothing came, in milliseconds since 1970. */
  readonly silentSince: number;
  /** Heartbeats that went unanswered, of those that may. */
  readonly attempt: number;
  readonly of: number;
}

/** One server. Times are milliseconds since 1970 by the clock of whoever says it; `null` where it is not known. */
export interface ServerView {
  /** How people call it: `HOST:PORT`. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** Empty where it is not known. */
  readonly version: string;
  readonly state: ServerState;
  readonly stateSince: number;
  readonly startedAt: number | null;
  /** Logged-in clients. */
  readonly load: number;
  readonly weight: number;
  readonly takesClients: boolean;
  /** When it said last how it is. */
  readonly announcedAt: number | null;
  /** What it has of the log. */
  readonly vector: Readonly<Record<string, number>>;
  readonly lamport: number;
  /** By the name of the other server. */
  readonly links: Readonly<Record<string, LinkView>>;
  /** All that it serves, logged in or not, other servers included. */
  readonly connections: number;
  /** Entries that it has accepted since it was started. */
  readonly published: number | null;
  /** What its process holds. */
  readonly memoryBytes: number | null;
  /** Where its own HTTP gateway is, `HOST:PORT`. */
  readonly http: string | null;
  /** While its clients are handed over. */
  readonly draining: { readonly total: number; readonly left: number } | null;
}

/** What is at the other end of a connection: `new` has not said it yet, `guest` came through another door. */
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
  /** When it was opened. */
  readonly since: number;
  readonly state: "watching" | "probing" | "unwatched";
  /** When something came last; 0 where nobody watches. */
  readonly heardAt: number;
  /** Heartbeats that went unanswered, of those that may. */
  readonly attempt: number;
  readonly of: number;
  /** Heartbeats sent so far. */
  readonly heartbeats: number;
  readonly roundTripMs: number | null;
  /** Bytes that were written and have not left the process. */
  readonly waitingBytes: number;
  /** Whether it is still to be read something of the log. */
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
  /** Whose connection it was. */
  readonly server: string;
  readonly at: number;
  readonly since: number;
  readonly user: string;
  readonly address: string;
  /** A key of `CLOSE_REASONS`. */
  readonly reason: string;
  readonly sentence: string;
  /** What else there is to say; the same sentence where nothing is. */
  readonly why: string;
  /** The newest of its heartbeats, oldest first. */
  readonly heartbeats: readonly HeartbeatMoment[];
}

/** An activity that passed. Direct messages are never here. */
export interface ActivityView {
  readonly id: string;
  readonly user: string;
  /** When it was accepted, in milliseconds since 1970. */
  readonly at: number;
  readonly lamport: number;
  /** The activity; the beginning of its JSON text where `cut`. */
  readonly activity: unknown;
  readonly cut?: true;
}

/** The whole network. */
export interface NetworkView {
  /** When it was made, by the clock of the server `from`. */
  readonly at: number;
  readonly from: string;
  readonly servers: Readonly<Record<string, ServerView>>;
  /** By server, and by a name that is unique there. */
  readonly connections: Readonly<Record<string, Readonly<Record<string, ConnectionView>>>>;
  /** Who is registered or online, and at which servers: none when offline. */
  readonly users: Readonly<Record<string, readonly string[]>>;
  /** Oldest first, at most `MAX_ENDS`. */
  readonly ends: readonly EndView[];
  /** Oldest first, at most `MAX_ACTIVITIES`. */
  readonly activities: readonly ActivityView[];
}

/** A JSON merge patch (RFC 7396) for a `T`. */
export type Patch<T> = { readonly [Key in keyof T]?: Patch<T[Key]> | T[Key] | null };

/** What has changed since the last change, or since the view. */
export interface NetworkChange {
  readonly at: number;
  readonly patch: Patch<Pick<NetworkView, "servers" | "connections" | "users">>;
  /** To be appended. */
  readonly ends: readonly EndView[];
  readonly activities: readonly ActivityView[];
  /** Activities that passed and are not in `activities`, as there were too many. */
  readonly skipped: number;
}

/** What a server knows of itself alone, and tells others that look. */
export interface OwnView {
  readonly server: ServerView;
  readonly connections: Readonly<Record<string, ConnectionView>>;
}

/** Ends that are remembered. */
export const MAX_ENDS = 200;
/** Activities that are remembered. */
export const MAX_ACTIVITIES = 100;
/** An activity whose JSON text is longer is cut. */
export const MAX_ACTIVITY_LENGTH = 2_048;
