/**
 * What can be configured: one documented type per section of `config.json`, and the defaults. All spans are milliseconds, all sizes bytes.
 * `load.ts` reads and checks a file; `server.ts` and `client.ts` lay command line and answers over it. A test keeps types, defaults and checks equal.
 */

import type { Endpoint } from "../platform/address.ts";

/** How a connection is supervised (docs/protocol.md, section 3). */
export interface HeartbeatConfig {
  /**
   * Time without data before heartbeats start. Not below `intervalMs × count`: a lower value is raised to that.
   * Lower finds dead peers sooner and costs traffic on idle connections.
   */
  idleTimeoutMs: number;
  /** Time between two heartbeats, and how long after the last one the connection is given up. */
  intervalMs: number;
  /** Heartbeats that may go unanswered. */
  count: number;
  /**
   * Plain clients know no heartbeat. `"keepalive"` lets TCP probe them after `idleTimeoutMs`; `"supervise"` sends them heartbeats all
   * the same, and closes those that do not send anything in answer.
   */
  plainClients: "keepalive" | "supervise";
}

/** What one connection, and all together, may cost. */
export interface LimitsConfig {
  /** Longest line, without its end. A longer one is answered with INVALID_MESSAGE. */
  maxLineBytes: number;
  /** How long a connection may take to log in or register. */
  identifyTimeoutMs: number;
  /** So many connections have a place. Further ones wait for one, or get that of an idle one. */
  maxConnections: number;
  /** This part of the places is for users with a name and for servers, if they want them. */
  keptForNamedPercent: number;
  /** Connections that one address may have; 0 for no limit. Like all limits of addresses it takes an IPv6 network of 64 bits for one address. */
  maxConnectionsPerAddress: number;
  /** Those of them that have not logged in; 0 for no limit. */
  maxUnidentifiedPerAddress: number;
  /** Logins that one address may try in a second; 0 for no limit. */
  maxLoginsPerSecondPerAddress: number;
  /** Names that one address may register in an hour; 0 for no limit. */
  maxRegistrationsPerHourPerAddress: number;
  /** Bytes that may wait in this process for one connection; beyond, it is read from the log when it takes data again. */
  maxPendingBytes: number;
  /** Newest part of the log that is kept in memory for connections that are a little behind. */
  tailBytes: number;
  /** Names that one connection may register before it must log in. */
  maxRegistrationsPerConnection: number;
}

/** The network that this server belongs to. */
export interface ClusterConfig {
  /** Shared by the servers of one network; empty means that none is set. */
  secret: string;
  /** The host that others are told to use for this server; empty means the address it listens on. */
  advertise: string;
  /** Servers of the network to join, as `"HOST:PORT"`. One that answers is enough: it names the others. */
  join: string[];
  /** Time between two announcements of this server's load. */
  announceIntervalMs: number;
  /** How long to wait before a server that was lost is called again, the first time; afterwards the span doubles, up to 30 s. */
  timeBeforeReconnectMs: number;
  /** Time without data on a link between servers before heartbeats start. */
  peerIdleTimeoutMs: number;
  /** Time between two heartbeats on such a link. */
  peerIntervalMs: number;
  /** Heartbeats that may go unanswered there. */
  peerHeartbeats: number;
  /** How many clients this server takes, compared to others: one of weight 2 takes twice as many as one of weight 1. */
  weight: number;
  /** Whether idle clients are moved, slowly, when another server has fewer. */
  rebalance: boolean;
  /** When an activity is acknowledged: `"local"` once this server has stored it, `"replicated"` once another one has, too. */
  durability: "local" | "replicated";
  /** How long an entry waits for one that its sender published before it, when the server that has that one is gone. */
  holdBackMs: number;
  /** How long a server that cannot be reached is called, and counts as a member. */
  memberRetentionMs: number;
  /** How long another server may take to answer for a name, or to say that it has an account. */
  lockTimeoutMs: number;
  /** The span over which clients are sent away when this server stops. */
  drainMs: number;
  /** Whether servers of the older dialect may join. */
  olderDialect: boolean;
  /** Window in which activities of such servers are put in the order of their times. */
  activityCheckIntervalMs: number;
}

/** What is kept, where, and how long. */
export interface StoreConfig {
  /** The data folder. Empty means `thrum-data/PORT` in the working directory. */
  data: string;
  /** Keep everything in memory only: fast, and gone when the server stops. */
  ephemeral: boolean;
  /** Activities older than this are forgotten. */
  activityRetentionMs: number;
  /** The oldest activities are forgotten when they take more than this (in memory: with `ephemeral`). */
  activityRetentionBytes: number;
  /** A direct message waits so long for its receiver; afterwards it is forgotten. */
  directMessageRetentionMs: number;
  /** How long a `messageId` is remembered, so that a repeated one is not published again. */
  messageIdRetentionMs: number;
  /** How much the data folder may take; 0 means four fifths of what was free at its first start. Beyond it nothing is taken that clients publish. */
  maxBytes: number;
  /** How much of the disk is left free, whoever fills it. Below it nothing is taken that clients publish. */
  minFreeBytes: number;
  /**
   * `"normal"` survives a crash of the program, not a power cut within the last moments; `"full"` survives both and waits for the disk
   * at every turn.
   */
  synchronous: "normal" | "full";
  /** Whether a folder that is found damaged at the start is recovered, where another server of the network answers. */
  recover: boolean;
}

/** How users are logged in. */
export interface SessionsConfig {
  /**
   * What happens when a user who is logged in logs in again: `"many"` lets both be, `"replace"` ends the earlier session, wherever it is, and `"refuse"`
   * refuses the later one. Anonymous clients are always many.
   */
  perUser: "many" | "replace" | "refuse";
  /** How long after its secret was derived a user is let in again without that. */
  ticketMaxAgeMs: number;
}

/** What is told to the operator. */
export interface LogConfig {
  /** The least important messages that are told. */
  level: "trace" | "debug" | "info" | "warning" | "error" | "fatal";
  /** Lines for people, or one JSON object a line. */
  format: "text" | "json";
  /** A file to write to instead of the terminal; it is rotated at 10 MiB, and five are kept. Empty means the terminal. */
  file: string;
}

/** The dashboard, the web client, metrics and health, over HTTP. */
export interface HttpGatewayConfig {
  /** `"HOST:PORT"`, or `"PORT"` on 127.0.0.1; empty means that there is none. */
  listen: string;
  /** What whoever changes something has to show, and whoever comes from another machine; empty means that one is made and kept in the data folder. */
  token: string;
  /** Hosts that browsers call it by, besides the one it listens on: a name of this machine, or of a proxy before it. */
  names: string[];
  /** Addresses of proxies that hand requests on, and whose `X-Forwarded-For` is believed. */
  trustedProxies: string[];
}

/** The Chitty-Chat door, over gRPC. */
export interface GrpcGatewayConfig {
  /** `"HOST:PORT"`, or `"PORT"` on 127.0.0.1; empty means that there is none. */
  listen: string;
  /** Hosts that participants may be called at, besides this machine. */
  participantHosts: string[];
}

/** Other doors than the line protocol's. */
export interface GatewayConfig {
  /** The dashboard and what is beside it. */
  http: HttpGatewayConfig;
  /** The Chitty-Chat door. */
  grpc: GrpcGatewayConfig;
}

/** A whole configuration. */
export interface Config {
  /** Where a server listens, and whom a client calls. */
  server: Endpoint;
  /** For a client: where it can be called out of band (section 3). Not used by a server. */
  client: Endpoint;
  /** How connections are supervised. */
  heartbeat: HeartbeatConfig;
  /** What connections may cost. */
  limits: LimitsConfig;
  /** The network that the server belongs to. */
  cluster: ClusterConfig;
  /** How users are logged in. */
  sessions: SessionsConfig;
  /** What is kept. */
  store: StoreConfig;
  /** Other doors. */
  gateway: GatewayConfig;
  /** What is told to the operator. */
  log: LogConfig;
}

/** A part of a configuration, to be laid over another. */
export type ConfigLayer = PartOf<Config>;

/** Any keys of `T`, at each level; a list is there whole or not at all. */
export type PartOf<T> = {
  [Key in keyof T]?: T[Key] extends readonly unknown[] ? T[Key] : T[Key] extends object ? PartOf<T[Key]>
  : T[Key];
};

/** What holds where nothing else is said. */
export const DEFAULT_CONFIG: Readonly<Config> = {
  server: { host: "127.0.0.1", port: 8000 },
  client: { host: "127.0.0.1", port: 8001 },
  heartbeat: { idleTimeoutMs: 30_000, intervalMs: 10_000, count: 3, plainClients: "keepalive" },
  limits: {
    maxLineBytes: 65_536,
    identifyTimeoutMs: 10_000,
    maxConnections: 50_000,
    keptForNamedPercent: 20,
    maxConnectionsPerAddress: 0,
    maxUnidentifiedPerAddress: 0,
    maxLoginsPerSecondPerAddress: 0,
    maxRegistrationsPerHourPerAddress: 0,
    maxPendingBytes: 262_144,
    tailBytes: 33_554_432,
    maxRegistrationsPerConnection: 8,
  },
  cluster: {
    secret: "",
    advertise: "",
    join: [],
    announceIntervalMs: 5_000,
    timeBeforeReconnectMs: 0,
    peerIdleTimeoutMs: 2_000,
    peerIntervalMs: 500,
    peerHeartbeats: 4,
    weight: 1,
    rebalance: true,
    durability: "local",
    holdBackMs: 2_000,
    memberRetentionMs: 86_400_000,
    lockTimeoutMs: 5_000,
    drainMs: 1_000,
    olderDialect: false,
    activityCheckIntervalMs: 1_000,
  },
  store: {
    data: "",
    ephemeral: false,
    activityRetentionMs: 7 * 86_400_000,
    activityRetentionBytes: 1_073_741_824,
    directMessageRetentionMs: 30 * 86_400_000,
    messageIdRetentionMs: 86_400_000,
    maxBytes: 0,
    minFreeBytes: 67_108_864,
    synchronous: "normal",
    recover: false,
  },
  sessions: { perUser: "many", ticketMaxAgeMs: 7 * 86_400_000 },
  gateway: {
    http: { listen: "", token: "", names: [], trustedProxies: [] },
    grpc: { listen: "", participantHosts: [] },
  },
  log: { level: "info", format: "text", file: "" },
};

/** The data folder of a server: the one that is configured, else one for its port, so that two on a machine do not meet. */
export function dataFolder({ server, store }: Config): string {
  return store.data === "" ? `thrum-data/${server.port}` : store.data;
}
