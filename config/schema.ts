/**
 * The allowed values of a config file, for each key of `config.ts`: in code, and in the words that a refusal quotes
 * after "must be". `load.ts` finds unknown keys. The types below keep this equal to `config.ts`; a test keeps the keys
 * equal. Pure.
 */

import * as v from "valibot";
import { channelProblem, normalName } from "../protocol/channels/channel_name.ts";
import { AUTH_SCHEMA } from "./auth/auth_schema.ts";
import { CHANNEL_RETENTION_SCHEMA } from "./store/channel_retention.ts";
import type { ConfigLayer } from "./config.ts";
import {
  DURABILITIES,
  HEARTBEAT_COUNT,
  HEARTBEAT_INTERVAL_MS,
  IDLE_TIMEOUT_MS,
  isAddress,
  isHost,
  isSecret,
  isToken,
  LISTEN_ADDRESS,
  LISTENING_PORTS,
  LOG_FORMATS,
  LOG_LEVELS,
  parseEndpoint,
  parseListenAddress,
  type Range,
  SECRET,
  SEND_INTERVAL_MS,
  TOKEN,
  WAIT_MS,
  WEIGHT,
  WINDOW_MS,
  wordList,
} from "./values.ts";

const DAY_MS = 86_400_000;
const TEN_YEARS_MS = 3_650 * DAY_MS;
const MIB = 1_048_576;

const host = v.custom<string>((value) => typeof value === "string" && isHost(value), "a host name or an address");

const secret = v.custom<string>(
  (value) => typeof value === "string" && isSecret(value),
  `${SECRET.allowed}; empty means none`,
);

const flag = v.boolean("true or false");

/** A port, as a number or as a string of digits. */
const port = v.pipe(
  v.custom<number | string>(
    (value) => isWithin(typeof value === "string" && /^\d{1,5}$/.test(value) ? Number(value) : value, LISTENING_PORTS),
    `a port from ${LISTENING_PORTS.least} to ${LISTENING_PORTS.most}`,
  ),
  v.transform(Number),
);

const file = v.string("the name of a file");

const endpoint = section({ host, port });

const doorTls = section({
  use: oneOf(["asServer", "own", "off"]),
  cert: file,
  key: file,
  ca: file,
  clientAuth: flag,
});

/** The whole file, and each section of it. Every key may be left out. */
export const CONFIG_SCHEMA = section({
  server: endpoint,
  client: endpoint,
  heartbeat: section({
    idleTimeoutMs: whole("milliseconds", IDLE_TIMEOUT_MS),
    intervalMs: whole("milliseconds", HEARTBEAT_INTERVAL_MS),
    count: whole("a number", HEARTBEAT_COUNT),
    plainClients: oneOf(["keepalive", "supervise"]),
  }),
  limits: section({
    // Below 1 KiB the protocol's own lines would not fit; a line is held in memory whole, so above 16 MiB is a mistake.
    maxLineBytes: whole("bytes", { least: 1024, most: 16 * MIB }),
    identifyTimeoutMs: whole("milliseconds", { least: 1, most: DAY_MS }),
    maxConnections: whole("a number", { least: 1, most: 1_000_000 }),
    keptForNamedPercent: whole("a number", { least: 0, most: 100 }),
    maxConnectionsPerAddress: whole("a number", { least: 0, most: 1_000_000 }),
    maxUnidentifiedPerAddress: whole("a number", { least: 0, most: 1_000_000 }),
    maxLoginsPerSecondPerAddress: whole("a number", { least: 0, most: 1_000_000 }),
    maxRegistrationsPerHourPerAddress: whole("a number", { least: 0, most: 1_000_000 }),
    maxPendingBytes: whole("bytes", { least: 1024, most: 1024 * MIB }),
    tailBytes: whole("bytes", { least: 0, most: 16_384 * MIB }),
    maxChannelsPerClient: whole("a number", { least: 1, most: 100_000 }),
    maxPatterns: whole("a number", { least: 1, most: 100_000_000 }),
    maxRegistrationsPerConnection: whole("a number", { least: 1, most: 1_000_000 }),
  }),
  cluster: section({
    secret,
    otherSecrets: v.array(
      v.custom<string>((value) => typeof value === "string" && value !== "" && isSecret(value), SECRET.allowed),
      "a list of secrets",
    ),
    clearSecret: oneOf(["never", "upgrade"]),
    tls: flag,
    advertise: v.custom<string>(
      (value) => typeof value === "string" && (value === "" || isHost(value)),
      "a host name or an address; empty means the one listened on",
    ),
    join: v.array(v.custom<string>(isEndpoint, "HOST:PORT"), "a list of HOST:PORT"),
    announceIntervalMs: whole("milliseconds", SEND_INTERVAL_MS),
    timeBeforeReconnectMs: whole("milliseconds", WAIT_MS),
    peerIdleTimeoutMs: whole("milliseconds", IDLE_TIMEOUT_MS),
    peerIntervalMs: whole("milliseconds", HEARTBEAT_INTERVAL_MS),
    peerHeartbeats: whole("a number", HEARTBEAT_COUNT),
    weight: whole("a number", WEIGHT),
    rebalance: flag,
    durability: oneOf(DURABILITIES),
    holdBackMs: whole("milliseconds", WAIT_MS),
    memberRetentionMs: whole("milliseconds", { least: 1_000, most: TEN_YEARS_MS }),
    joinWaitMs: whole("milliseconds", WAIT_MS),
    lockTimeoutMs: whole("milliseconds", { least: 100, most: 3_600_000 }),
    drainMs: whole("milliseconds", WAIT_MS),
    olderDialect: flag,
    activityCheckIntervalMs: whole("milliseconds", WINDOW_MS),
  }),
  store: section({
    data: v.string("the name of a folder"),
    ephemeral: flag,
    activityRetentionMs: whole("milliseconds", { least: 1, most: TEN_YEARS_MS }),
    activityRetentionBytes: whole("bytes", { least: 0, most: Number.MAX_SAFE_INTEGER }),
    directMessageRetentionMs: whole("milliseconds", { least: 1, most: TEN_YEARS_MS }),
    channels: CHANNEL_RETENTION_SCHEMA,
    messageIdRetentionMs: whole("milliseconds", { least: 1, most: TEN_YEARS_MS }),
    maxBytes: whole("bytes", { least: 0, most: Number.MAX_SAFE_INTEGER }),
    minFreeBytes: whole("bytes", { least: 0, most: Number.MAX_SAFE_INTEGER }),
    synchronous: oneOf(["normal", "full"]),
    recover: flag,
  }),
  gateway: section({
    http: section({
      listen: v.custom<string>(isListenAddress, LISTEN_ADDRESS.allowed),
      token: v.custom<string>(
        (value) => typeof value === "string" && (value === "" || isToken(value)),
        `${TOKEN.allowed}; empty means that one is made`,
      ),
      clearToken: flag,
      names: v.array(
        v.custom<string>((value) => typeof value === "string" && isHost(value), "a host name or an address"),
        "a list of hosts",
      ),
      trustedProxies: v.array(
        v.custom<string>((value) => typeof value === "string" && isAddress(value), "an address"),
        "a list of addresses",
      ),
      tls: doorTls,
    }),
    grpc: section({
      listen: v.custom<string>(isListenAddress, LISTEN_ADDRESS.allowed),
      participantHosts: v.array(
        v.custom<string>((value) => typeof value === "string" && isHost(value), "a host name or an address"),
        "a list of hosts",
      ),
      broadcasts: oneOf(["sideBySide", "oneByOne"]),
      channel: v.custom<string>(
        (value) => typeof value === "string" && (value === "" || channelProblem(normalName(value)) === undefined),
        "the name of a channel; empty means none",
      ),
      tls: doorTls,
    }),
  }),
  tls: section({ cert: file, key: file, ca: file, clientAuth: flag, required: flag, port }),
  auth: AUTH_SCHEMA,
  sessions: section({
    perUser: oneOf(["many", "replace", "refuse"]),
    ticketMaxAgeMs: whole("milliseconds", { least: 0, most: TEN_YEARS_MS }),
    passMs: whole("milliseconds", { least: 0, most: 86_400_000 }),
  }),
  audit: section({
    enabled: flag,
    maxFileBytes: whole("bytes", { least: 65_536, most: 1024 * MIB }),
    maxFiles: whole("a number", { least: 2, most: 10_000 }),
  }),
  log: section({
    level: oneOf(LOG_LEVELS),
    format: oneOf(LOG_FORMATS),
    file,
  }),
}) satisfies v.GenericSchema<unknown, ConfigLayer>;

/** An object of these keys, all of them optional. */
function section<E extends v.ObjectEntries>(entries: E) {
  type Optional = { [Key in keyof E]: v.ExactOptionalSchema<E[Key], undefined> };
  const optional = Object.entries(entries).map(([key, schema]) => [key, v.exactOptional(schema)]);
  // valibot takes an array for an object; `load.ts` lets none get here.
  return v.object(Object.fromEntries(optional) as Optional, "an object in braces");
}

function whole(what: string, range: Range) {
  return v.custom<number>((value) => isWithin(value, range), `${what} from ${range.least} to ${range.most}`);
}

/** Whether `value` says where to listen, or (empty) nowhere. */
function isListenAddress(value: unknown): boolean {
  return value === "" || (typeof value === "string" && parseListenAddress(value) !== undefined);
}

/** Whether `value` is text of the form HOST:PORT; an IPv6 address stands in brackets. */
function isEndpoint(value: unknown): boolean {
  return typeof value === "string" && parseEndpoint(value) !== undefined;
}

function oneOf<const T extends string>(words: readonly T[]) {
  return v.picklist(words, wordList(words.map((word) => `"${word}"`)));
}

function isWithin(value: unknown, range: Range): boolean {
  return Number.isInteger(value) && (value as number) >= range.least && (value as number) <= range.most;
}
