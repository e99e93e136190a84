/**
 * The configuration: one documented type per section of `config.json`, and the defaults. All spans are milliseconds,
 * all sizes bytes. `load.ts` reads and checks a file; `server.ts` and `client.ts` add command line and answers. A test
 * keeps types, defaults and checks equal. Pure.
 */

import type { Endpoint } from "../platform/address.ts";
import { type AuthConfig, DEFAULT_AUTH } from "./auth/auth_config.ts";
import type { ChannelRetention } from "./store/channel_retention.ts";

/** How a connection is supervised (docs/protocol.md, section 3). */
export interface HeartbeatConfig {
  /**
   * Time without data before heartbeats start. A value below `intervalMs × count` is raised to that. A lower value
   * finds dead peers sooner and costs traffic on idle connections.
   */
  idleTimeoutMs: number;
  /** Time between two heartbeats. This long after the last one, the connection is given up. */
  intervalMs: number;
  /** Heartbeats that may go unanswered. */
  count: number;
  /**
   * Plain clients know no heartbeat. `"keepalive"` lets TCP probe them after `idleTimeoutMs`. `"supervise"` sends them
   * heartbeats anyway, and closes connections that send nothing in answer.
   */
  plainClients: "keepalive" | "supervise";
}

/** The most that one connection, and all together, may cost. */
export interface LimitsConfig {
  /** Longest line, without its end. A longer one is answered with INVALID_MESSAGE. */
  maxLineBytes: number;
  /** How long a connection may take to log in or register. A person who types needs a while. */
  identifyTimeoutMs: number;
  /** The number of places for connections. Further ones wait for a place, or get that of an idle one. */
  maxConnections: number;
  /** This part of the places is kept for users with a name and for servers, while they want places. */
  keptForNamedPercent: number;
  /**
   * Connections of one address; 0 for no limit. Like all limits of addresses, it takes an IPv6 network of 64 bits for
   * one address.
   */
  maxConnectionsPerAddress: number;
  /** Connections of one address without a login; 0 for no limit. */
  maxUnidentifiedPerAddress: number;
  /** Logins that one address may try in a second; 0 for no limit. */
  maxLoginsPerSecondPerAddress: number;
  /** Names that one address may register in an hour; 0 for no limit. */
  maxRegistrationsPerHourPerAddress: number;
  /**
   * Bytes that may wait in this process for one connection. Beyond it, the connection is served from the log when it
   * takes data again.
   */
  maxPendingBytes: number;
  /** Size of the newest part of the log in memory, for connections that are a little behind. */
  tailBytes: number;
  /** Names that one connection may register before it must log in. */
  maxRegistrationsPerConnection: number;
  /** Channels and patterns that one client may read. */
  maxChannelsPerClient: number;
  /** Channels and patterns that all clients of this server may read together. */
  maxPatterns: number;
}

/** The network that this server belongs to. */
export interface ClusterConfig {
  /** The secret that servers of one network share; empty if none is set. */
  secret: string;
  /**
   * Further secrets with which other servers may come in. While the secret is changed, some have the new one and some
   * the old one.
   */
  otherSecrets: string[];
  /**
   * `"never"`: the secret is told to nobody, and taken from nobody: servers prove that they know it. `"upgrade"`:
   * servers of 0.1.0 may tell it in clear, and are told it. What is kept of users' secrets stays readable for them.
   */
  clearSecret: "never" | "upgrade";
  /** Whether this server calls others by TLS, when it has a `tls.cert`. */
  tls: boolean;
  /** The host that others use for this server; empty means the address that it listens on. */
  advertise: string;
  /** Servers of the network to join, as `"HOST:PORT"`. One server that answers is enough: it names the others. */
  join: string[];
  /** Time between two announcements of this server's load. */
  announceIntervalMs: number;
  /** Time before the first call to a lost server. The span doubles after each call, up to 30 s. */
  timeBeforeReconnectMs: number;
  /** Time without data on a link between servers before heartbeats start. */
  peerIdleTimeoutMs: number;
  /** Time between two heartbeats on such a link. */
  peerIntervalMs: number;
  /** Heartbeats that may go unanswered there. */
  peerHeartbeats: number;
  /** How many clients this server takes, compared to others. Weight 2 takes twice as many as weight 1. */
  weight: number;
  /** Whether this server slowly moves idle clients to a server that has fewer. */
  rebalance: boolean;
  /**
   * When an activity is acknowledged: `"local"` when this server has stored it, `"replicated"` when another one has,
   * too.
   */
  durability: "local" | "replicated";
  /** How long an entry waits for the entry that its sender published before it, if that entry's server is gone. */
  holdBackMs: number;
  /** How long an unreachable server is called, and counts as a member. */
  memberRetentionMs: number;
  /**
   * How long this server looks for its network at its start. Until then it is not ready while it has reached nobody,
   * and serves no clients while it lacks what others have.
   */
  joinWaitMs: number;
  /** How long another server may take to answer a claim to a name, or to say that it has an account. */
  lockTimeoutMs: number;
  /** The time in which a stopping server sends its clients away. */
  drainMs: number;
  /** Whether servers of the older dialect may join. */
  olderDialect: boolean;
  /** The window in which such servers' activities are sorted by their times. */
  activityCheckIntervalMs: number;
}

/** The data, its place, and how long it stays. */
export interface StoreConfig {
  /** The data folder. Empty means `thrum-data/PORT` in the working directory. */
  data: string;
  /** Keep everything in memory only: fast, and lost when the server stops. */
  ephemeral: boolean;
  /** Older activities are forgotten. */
  activityRetentionMs: number;
  /** The oldest activities are forgotten beyond this size (in memory: with `ephemeral`). */
  activityRetentionBytes: number;
  /** How long a direct message waits for its receiver. Afterwards it is forgotten. */
  directMessageRetentionMs: number;
  /**
   * Channels that are forgotten sooner: for each channel the first entry counts whose pattern stands for it. What an
   * entry does not say is as for all activities.
   */
  channels: ChannelRetention[];
  /** How long a `messageId` is remembered. In this time a repeated message is not published again. */
  messageIdRetentionMs: number;
  /**
   * The most that the data folder may take; 0 means four fifths of the free space at its first start. Beyond it, the
   * server refuses what clients publish.
   */
  maxBytes: number;
  /** Space that stays free on the disk, no matter who fills it. Below it, the server refuses what clients publish. */
  minFreeBytes: number;
  /**
   * `"normal"` survives a crash of the program, but not a power cut within the last moments. `"full"` survives both,
   * and waits for the disk at every turn.
   */
  synchronous: "normal" | "full";
  /** Whether the server repairs a damaged folder at its start, if another server of the network answers. */
  recover: boolean;
}

/** TLS for clients, and between servers. The files are PEM. */
export interface TlsConfig {
  /** The file with the server's certificate, and after it those that lead to its CA; empty for no TLS. */
  cert: string;
  /** The file with the key of the certificate. */
  key: string;
  /** The file with the CAs that are believed; empty for those that Deno believes. */
  ca: string;
  /** Whether clients and servers have to show a certificate that `ca` has signed. */
  clientAuth: boolean;
  /** Whether other machines have to come by TLS. */
  required: boolean;
  /** A further port, for TLS alone; 0 for none. Deno before 2.8 needs it. */
  port: number;
}

/** How users log in. */
export interface SessionsConfig {
  /**
   * What happens when a logged-in user logs in again. `"many"` keeps both sessions. `"replace"` ends the earlier one,
   * on any server. `"refuse"` refuses the later one. Anonymous clients are always many.
   */
  perUser: "many" | "replace" | "refuse";
  /** How long a user may come back without a new derivation from the secret. */
  ticketMaxAgeMs: number;
  /** How long a page that is loaded anew goes on without the secret; 0 for never. */
  passMs: number;
}

/** The audit log: who did what, in the data folder. */
export interface AuditConfig {
  /** Whether there is one. A server that keeps nothing (`store.ephemeral`) has none. */
  enabled: boolean;
  /** A file of it that is longer is not added to: the next one begins. */
  maxFileBytes: number;
  /** So many files are kept. */
  maxFiles: number;
}

/** The log for the operator. */
export interface LogConfig {
  /** The lowest level that is logged. */
  level: "trace" | "debug" | "info" | "warning" | "error" | "fatal";
  /** Lines for people, or one JSON object a line. */
  format: "text" | "json";
  /** The log file, rotated at 10 MiB, five kept. Empty means the terminal. */
  file: string;
}

/** TLS of a door for another protocol. The files are PEM. */
export interface DoorTlsConfig {
  /**
   * `"asServer"`: as the section `tls` says, and none without it. `"own"`: with the files of this section. `"off"`:
   * none, as something before the door has it.
   */
  use: "asServer" | "own" | "off";
  /** With `"own"`: the file with the certificate, and after it those that lead to its CA. */
  cert: string;
  /** With `"own"`: the file with the key of the certificate. */
  key: string;
  /** With `"own"`: the file with the CAs whose certificates callers have to show, where they have to. */
  ca: string;
  /** With `"own"`: whether callers have to show a certificate that `ca` has signed. */
  clientAuth: boolean;
}

/** The dashboard, the web client, metrics and health, over HTTP. */
export interface HttpGatewayConfig {
  /** `"HOST:PORT"`, or `"PORT"` on 127.0.0.1; empty for none. */
  listen: string;
  /**
   * The token for every change, and for every request from another machine. Empty: the server makes one and keeps it in
   * the data folder.
   */
  token: string;
  /**
   * Whether a token that lets its owner act may come in clear from other machines. On this machine, and by TLS, it
   * always may.
   */
  clearToken: boolean;
  /** Host names that browsers use, besides the one that it listens on: of this machine, or of a proxy before it. */
  names: string[];
  /** Addresses of proxies whose `X-Forwarded-For` is believed. */
  trustedProxies: string[];
  /** Its TLS. */
  tls: DoorTlsConfig;
}

/**
 * How the Chitty-Chat door calls its participants: `"sideBySide"`, or `"oneByOne"`, each after the answer of the one
 * before.
 */
export type GrpcBroadcasts = "sideBySide" | "oneByOne";

/** The Chitty-Chat door, over gRPC. */
export interface GrpcGatewayConfig {
  /** `"HOST:PORT"`, or `"PORT"` on 127.0.0.1; empty for none. */
  listen: string;
  /** Hosts where the server may call participants, besides this machine. */
  participantHosts: string[];
  /** Who is called when. */
  broadcasts: GrpcBroadcasts;
  /** The channel that participants talk in, and hear alone; empty for none. */
  channel: string;
  /** Its TLS. Participants are called without. */
  tls: DoorTlsConfig;
}

/** Doors for other protocols. */
export interface GatewayConfig {
  /** The dashboard, the web client and the rest of HTTP. */
  http: HttpGatewayConfig;
  /** The Chitty-Chat door. */
  grpc: GrpcGatewayConfig;
}

/** A whole configuration. */
export interface Config {
  /** The address where a server listens, and that a client calls. */
  server: Endpoint;
  /** For a client: the address for heartbeats out of band (section 3). A server ignores it. */
  client: Endpoint;
  /** How connections are supervised. */
  heartbeat: HeartbeatConfig;
  /** The most that connections may cost. */
  limits: LimitsConfig;
  /** The network that the server belongs to. */
  cluster: ClusterConfig;
  /** TLS for clients, and between servers. */
  tls: TlsConfig;
  /** How users prove who they are. */
  auth: AuthConfig;
  /** How users log in. */
  sessions: SessionsConfig;
  /** The data. */
  store: StoreConfig;
  /** Doors for other protocols. */
  gateway: GatewayConfig;
  /** The audit log. */
  audit: AuditConfig;
  /** The log for the operator. */
  log: LogConfig;
}

/** A part of a configuration, to lay over another one. */
export type ConfigLayer = PartOf<Config>;

/** Any keys of `T`, at each level. A list is taken as a whole. */
export type PartOf<T> = {
  [Key in keyof T]?: T[Key] extends readonly unknown[] ? T[Key] : T[Key] extends object ? PartOf<T[Key]>
  : T[Key];
};

const DOOR_TLS: Readonly<DoorTlsConfig> = { use: "asServer", cert: "", key: "", ca: "", clientAuth: false };

/** The defaults. */
export const DEFAULT_CONFIG: Readonly<Config> = {
  server: { host: "127.0.0.1", port: 8000 },
  client: { host: "127.0.0.1", port: 8001 },
  heartbeat: { idleTimeoutMs: 30_000, intervalMs: 10_000, count: 3, plainClients: "keepalive" },
  limits: {
    maxLineBytes: 65_536,
    identifyTimeoutMs: 60_000,
    maxConnections: 50_000,
    keptForNamedPercent: 20,
    maxConnectionsPerAddress: 0,
    maxUnidentifiedPerAddress: 0,
    maxLoginsPerSecondPerAddress: 0,
    maxRegistrationsPerHourPerAddress: 0,
    maxPendingBytes: 262_144,
    tailBytes: 33_554_432,
    maxRegistrationsPerConnection: 8,
    maxChannelsPerClient: 1_000,
    maxPatterns: 500_000,
  },
  cluster: {
    secret: "",
    otherSecrets: [],
    clearSecret: "never",
    tls: true,
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
    joinWaitMs: 10_000,
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
    channels: [],
    messageIdRetentionMs: 86_400_000,
    maxBytes: 0,
    minFreeBytes: 67_108_864,
    synchronous: "normal",
    recover: false,
  },
  tls: { cert: "", key: "", ca: "", clientAuth: false, required: false, port: 0 },
  auth: DEFAULT_AUTH,
  sessions: { perUser: "many", ticketMaxAgeMs: 7 * 86_400_000, passMs: 8 * 3_600_000 },
  gateway: {
    http: { listen: "", token: "", clearToken: false, names: [], trustedProxies: [], tls: { ...DOOR_TLS } },
    grpc: { listen: "", participantHosts: [], broadcasts: "sideBySide", channel: "", tls: { ...DOOR_TLS } },
  },
  audit: { enabled: true, maxFileBytes: 8_388_608, maxFiles: 8 },
  log: { level: "info", format: "text", file: "" },
};

/**
 * The data folder of a server: the configured one, else one for its port, so that two servers on a machine do not share
 * a folder.
 */
export function dataFolder({ server, store }: Config): string {
  return store.data === "" ? `thrum-data/${server.port}` : store.data;
}
