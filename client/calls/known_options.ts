/**
 * The known options, and the fault of those that a program gives. Otherwise a mistyped option would be one that nobody
 * reads. Pure.
 */

import { nearest } from "../../config/nearest.ts";
import type { Vector } from "../../log/vector.ts";
import type { Endpoint } from "../../platform/address.ts";
import { channelProblem, normalName, patternProblem } from "../../protocol/channels/channel_name.ts";
import type { Feature } from "../../protocol/message.ts";
import { ANONYMOUS } from "../../protocol/names.ts";
import type { ReconnectPolicy } from "../failover/reconnect.ts";
import type {
  ActivitiesOptions,
  CallOptions,
  HistoryOptions,
  PresenceOptions,
  PublishOptions,
} from "./call_options.ts";
import type { ConnectOptions, TlsOptions } from "../options.ts";

/** An option that is missing here does not compile, nor does one too many. */
type Names<Options> = Readonly<Record<keyof Options, true>>;

/** Time to connect, if no other is given. */
export const DEFAULT_CONNECT_TIMEOUT_MS = 10_000;
/** What can be said in a call. */
export const CALL_OPTIONS: Names<CallOptions> = { signal: true };
/** The same of `history`. */
export const HISTORY_OPTIONS: Names<HistoryOptions> = {
  ...CALL_OPTIONS,
  limit: true,
  before: true,
  since: true,
  channel: true,
};
/** The same of `presence`. */
export const PRESENCE_OPTIONS: Names<PresenceOptions> = { ...CALL_OPTIONS, channel: true };
/** The same of `publish`. */
export const PUBLISH_OPTIONS: Names<PublishOptions> = { signal: true, channel: true };
/** The same of `activities`. */
export const ACTIVITIES_OPTIONS: Names<ActivitiesOptions> = { signal: true, channels: true };
const ENDPOINT: Names<Endpoint> = { host: true, port: true };
const RECONNECT: Names<ReconnectPolicy> = {
  minDelayMs: true,
  maxDelayMs: true,
  spreadMs: true,
  stableAfterMs: true,
  giveUpAfterMs: true,
};
const TLS: Names<TlsOptions> = { ca: true, fingerprints: true, cert: true, key: true };
const CONNECT: Names<ConnectOptions> = {
  ...ENDPOINT,
  servers: true,
  tls: true,
  username: true,
  secret: true,
  clearSecrets: true,
  register: true,
  invitation: true,
  features: true,
  from: true,
  since: true,
  reads: true,
  receive: true,
  channels: true,
  lamport: true,
  reconnect: true,
  persistent: true,
  signal: true,
  connectTimeoutMs: true,
  maxLineBytes: true,
  heartbeatChannel: true,
  blockHeartbeatMs: true,
  trace: true,
  traceLimitBytes: true,
  onEvent: true,
};

/**
 * Refuses options that there are not, also within options, and a name without a secret.
 * @throws {TypeError} for the first fault.
 * @throws the reason of a signal that is aborted already.
 */
export function checkConnectOptions(options: ConnectOptions): void {
  checkOptions(options, CONNECT, "connect()");
  const { servers = [], tls, heartbeatChannel, reconnect, signal, receive } = options;
  signal?.throwIfAborted();
  for (const server of servers) checkOptions(server, ENDPOINT, '"servers" of connect()');
  if (typeof tls === "object") checkOptions(tls, TLS, '"tls" of connect()');
  if (heartbeatChannel !== undefined) checkOptions(heartbeatChannel, ENDPOINT, '"heartbeatChannel" of connect()');
  if (reconnect) checkOptions(reconnect, RECONNECT, '"reconnect" of connect()');
  if (receive !== undefined && receive !== "none") throw new TypeError('"receive" must be "none", or is left out');
  if (options.channels !== undefined) checkedPatterns(options.channels);
  const { username = ANONYMOUS, secret } = options;
  if (username === ANONYMOUS || secret !== undefined) return;
  throw new TypeError(`Cannot log in as "${username}": there is no secret`);
}

/**
 * Refuses options of a call that are not among `known`. `call` is what has them, as people write it.
 * @throws {TypeError} for the first one.
 */
export function checkOptions(options: object, known: Readonly<Record<string, true>>, call: string): void {
  if (typeof options !== "object" || options === null) throw new TypeError(`The options of ${call} are no object`);
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(known, name)) continue;
    const near = nearest(name, Object.keys(known));
    const hint = near === undefined ? `known are ${Object.keys(known).join(", ")}` : `did you mean "${near}"?`;
    throw new TypeError(`Unknown option "${name}" of ${call}; ${hint}`);
  }
}

/** Patterns as servers compare them. @throws {TypeError} when one of them is none. */
export function checkedPatterns(patterns: readonly string[]): readonly string[] {
  if (!Array.isArray(patterns)) throw new TypeError('"channels" must be a list of names and patterns');
  return patterns.map((pattern) => checkedName(pattern, patternProblem));
}

/** The name of a channel as servers compare it. @throws {TypeError} when it is none. */
export function checkedChannel(channel: string): string {
  return checkedName(channel, channelProblem);
}

function checkedName(text: string, problemOf: (name: string) => string | undefined): string {
  if (typeof text !== "string") throw new TypeError("A channel must be a string");
  const name = normalName(text);
  const problem = problemOf(name);
  if (problem === undefined) return name;
  throw new TypeError(`${problem[0]!.toUpperCase()}${problem.slice(1)}: ${JSON.stringify(text)}`);
}

/** Where the iterators of a client begin; `"never"` when it receives nothing. */
export type BeginsAt = Vector | "login" | "now" | "never";

/** Where the iterators of a client begin. @throws {TypeError} when they cannot begin there. */
export function beginningOf({ from, since, receive }: ConnectOptions, features: readonly Feature[]): BeginsAt {
  if (receive === "none") {
    if (from === undefined && since === undefined) return "never";
    throw new TypeError('Cannot begin anywhere while "receive" is "none"');
  }
  if (from !== undefined && since !== undefined) throw new TypeError('Cannot begin at both "from" and "since"');
  const beginning = from ?? since ?? "login";
  if (typeof beginning === "string") {
    if (beginning === "login" || beginning === "now") return beginning;
    throw new TypeError('"from" must be "login", "now" or a vector');
  }
  if (features.includes("resume")) return beginning;
  throw new TypeError('Cannot come back to where a client was before without the feature "resume"');
}

/** How long `connect` may take with these options, in milliseconds. */
export function connectTimeoutOf({ connectTimeoutMs }: Pick<ConnectOptions, "connectTimeoutMs">): number {
  return connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS;
}
