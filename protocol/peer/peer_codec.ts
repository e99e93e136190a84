/**
 * Lines between servers of this dialect: reading and writing. Names of other dialects (`id`, `ip`, `hostname`,
 * `server_list`) stand beside ours, so that a person with telnet recognises the fields. Pure.
 */

import { channelField } from "../channels/channel_fields.ts";
import { parseFields, readEndConnection, readHeartbeat } from "../client_codec.ts";
import {
  accountsSummaryField,
  clockField,
  FieldProblem,
  type Fields,
  integerField,
  isObject,
  optionalClockField,
  optionalIntegerField,
  optionalStringField,
  stringField,
  vectorField,
} from "../fields.ts";
import { incarnationField } from "./incarnation.ts";
import type { HeartbeatAckMessage, InvalidLine, WireVector } from "../message.ts";
import { readOrderMessage } from "./operate_message.ts";
import { readOriginMessage } from "./origin_message.ts";
import {
  type AuthenticationSuccessMessage,
  type EntriesMessage,
  type ForgottenAudience,
  PEER_FEATURES,
  type PeerIdentity,
  type PeerMessage,
  type ServerAnnounceMessage,
  type WireAudience,
  type WireMember,
} from "./peer_message.ts";
import { readAuditMessage } from "./audit_message.ts";
import { readChannelTalk } from "./channel_talk.ts";
import { readPassSpent } from "./pass_spent.ts";
import { readPlaceTalk } from "./place_talk_codec.ts";
import { eventField, usernameField, usersField } from "./user_fields.ts";
import { encodeLine, readRefusal } from "../server_codec.ts";
import { isServerId } from "../server_id.ts";

/** The most lines under one header: more than a segment has. `server/mesh/peer_link.ts` bounds their bytes. */
export const MAX_ENTRIES_LINES = 8_192;
const MAX_HOST_LENGTH = 255;
const MAX_VERSION_LENGTH = 64;
const MAX_TICKET_KEY_LENGTH = 256;
const MAX_INFO_LENGTH = 500;
/** The most members in one message: more than a network has servers. */
const MAX_MEMBERS = 1_024;
/** The most ends and events in one message. */
const MAX_OBSERVED = 1_000;
/** The most former names of a server: each takes an old copy of its data that is put back. */
const MAX_FORMER_NAMES = 16;
const MAX_LOAD = 1_000_000_000;

/** The message in a peer's `line`. Never throws. An unknown command is `undefined`: a newer server may know more. */
export function parsePeerLine(line: string): PeerMessage | InvalidLine | undefined {
  const fields = parseFields(line);
  if ("problem" in fields) return { command: "", info: fields.problem };
  try {
    return readMessage(fields.fields);
  } catch (error) {
    if (error instanceof FieldProblem) return { command: "", info: error.message };
    throw error;
  }
}

/** The first line on a link that this server has opened: the beginning of a proof. */
export function encodePeerNonce(serverId: string, nonce: string): string {
  return encodeLine({ command: "AUTHENTICATE", serverId, nonce, features: PEER_FEATURES });
}

/** Who this server is, with a proof that it knows the secret of the network, or with the secret in clear. */
export function encodeAuthenticate(
  known: { readonly secret: string } | { readonly proof: string },
  identity: PeerIdentity,
): string {
  return encodeLine({ command: "AUTHENTICATE", ...known, ...identity, features: PEER_FEATURES });
}

/** The answer to AUTHENTICATE, with a proof of this server's where the other one has given one. */
export function encodeAuthenticationSuccess(
  identity: PeerIdentity,
  members: readonly WireMember[],
  proof?: string,
): string {
  return encodeLine({
    command: "AUTHENTICATION_SUCC",
    proof,
    ...identity,
    features: PEER_FEATURES,
    members,
    server_list: members.map(({ serverId, host, port, load }) => ({ serverId, ip: host, port, load, online: true })),
    user_list: [],
    activity_entity: [],
  });
}

/** The state of this server. `updateTime` is milliseconds since 1970. */
export function encodeAnnounce(announce: Omit<ServerAnnounceMessage, "command">, updateTime: number): string {
  const { serverId, host } = announce;
  return encodeLine({
    command: "SERVER_ANNOUNCE",
    ...announce,
    id: serverId,
    ip: host,
    hostname: host,
    updateTime,
    action: "UPDATE_OR_INSERT",
  });
}

/** The header before lines of the log. */
export function encodeEntries(entries: Omit<EntriesMessage, "command">): string {
  return encodeLine({ command: "ENTRIES", ...entries });
}

function readMessage(fields: Fields): PeerMessage | InvalidLine | undefined {
  const command = stringField(fields.command, "command");
  switch (command) {
    case "ENTRIES":
      return readEntries(fields);
    case "HAVE":
    case "WANT":
      return { command, vector: originsField(fields.vector, "vector") };
    case "HEARTBEAT":
      return readHeartbeat(fields);
    case "HEARTBEAT_ACK":
      return readHeartbeatAck(fields);
    case "SERVER_ANNOUNCE":
      return {
        command,
        ...readWhere(fields),
        load: integerField(fields.load, "load", 0, MAX_LOAD),
        weight: optionalIntegerField(fields.weight, "weight", 1, 1_000) ?? 1,
        online: booleanField(fields.online, "online", true),
        ticketKey: shortField(fields.ticketKey, "ticketKey", MAX_TICKET_KEY_LENGTH),
        vector: originsField(fields.vector, "vector"),
        ...(booleanField(fields.changes, "changes", false) ? { changes: true } : {}),
        lamport: clockField(fields.lamport),
        members: readMembers(fields.members),
        version: shortField(fields.version, "version", MAX_VERSION_LENGTH),
        startedAt: optionalIntegerField(fields.startedAt, "startedAt", 0, Number.MAX_SAFE_INTEGER) ?? 0,
        http: shortField(fields.http, "http", MAX_HOST_LENGTH + 14),
        ...(booleanField(fields.places, "places", false) ? { places: true } : {}),
        ...readFormerNames(fields.formerly),
      };
    case "OBSERVE":
      return { command, active: booleanField(fields.active, "active", true) };
    case "OBSERVED":
      if (!isObject(fields.patch)) throw new FieldProblem('"patch" must be an object');
      return {
        command,
        reset: booleanField(fields.reset, "reset", false),
        patch: fields.patch,
        ends: readObjects(fields.ends, "ends"),
        events: readObjects(fields.events, "events"),
      };
    case "ONLINE":
      return { command, users: usersField(fields.users) };
    case "ONLINE_CHANGE": {
      const event = eventField(fields.event);
      const lamport = optionalClockField(fields.lamport) ?? 0;
      return { command, username: usernameField(fields.username, "username"), event, lamport };
    }
    case "LOCK_REQUEST":
    case "LOCK_ALLOWED":
    case "LOCK_DENIED":
    case "LOCK_RELEASE":
      return {
        command,
        username: usernameField(fields.username, "username"),
        lamport: integerField(fields.lamport, "lamport", 0, Number.MAX_SAFE_INTEGER),
        origin: serverIdField(fields.origin, "origin"),
      };
    case "PEER_CHALLENGE":
      return { command, nonce: stringField(fields.nonce, "nonce") };
    case "AUTHENTICATION_SUCC":
      return readAuthenticationSuccess(fields);
    case "AUTHENTICATION_FAIL":
    case "INVALID_MESSAGE":
      return withShortInfo(readRefusal(command, fields));
    case "END_CONNECTION":
      return withShortInfo(readEndConnection(fields));
    case "AUTHENTICATE":
      return { command: "", info: "AUTHENTICATE may only be the first line" };
  }
  return readOriginMessage(command, fields) ?? readPlaceTalk(command, fields) ?? readOrderMessage(command, fields) ??
    readPassSpent(command, fields) ?? readAuditMessage(command, fields) ?? readChannelTalk(command, fields);
}

function readHeartbeatAck(fields: Fields): HeartbeatAckMessage {
  const at = optionalIntegerField(fields.at, "at", 0, Number.MAX_SAFE_INTEGER);
  return {
    command: "HEARTBEAT_ACK",
    sequence: integerField(fields.sequence, "sequence", 0, Number.MAX_SAFE_INTEGER),
    ...(at === undefined ? {} : { at }),
  };
}

function readFormerNames(value: unknown): { readonly formerly?: readonly string[] } {
  if (value === undefined || value === null) return {};
  if (!Array.isArray(value) || value.length > MAX_FORMER_NAMES) {
    throw new FieldProblem(`"formerly" must be a list of at most ${MAX_FORMER_NAMES} names`);
  }
  return { formerly: value.map((name) => serverIdField(name, "formerly")) };
}

function readEntries(fields: Fields): EntriesMessage {
  const first = integerField(fields.first, "first", 1, Number.MAX_SAFE_INTEGER);
  const most = Math.min(first + MAX_ENTRIES_LINES - 1, Number.MAX_SAFE_INTEGER);
  const lamport = optionalClockField(fields.lamport);
  const ageMs = optionalIntegerField(fields.ageMs, "ageMs", 0, Number.MAX_SAFE_INTEGER);
  return {
    command: "ENTRIES",
    origin: serverIdField(fields.origin, "origin"),
    first,
    last: integerField(fields.last, "last", first, most),
    after: integerField(fields.after, "after", 0, first - 1),
    to: readAudience(fields.to),
    ...(lamport === undefined ? {} : { lamport }),
    ...(ageMs === undefined ? {} : { ageMs }),
  };
}

/** The name of a server. The name becomes a key, so some strings are refused. */
function serverIdField(value: unknown, name: string): string {
  const serverId = stringField(value, name);
  if (!isServerId(serverId)) throw new FieldProblem(`"${name}" is not the name of a server`);
  return serverId;
}

function booleanField(value: unknown, name: string, otherwise: boolean): boolean {
  if (value === undefined || value === null) return otherwise;
  if (typeof value === "boolean") return value;
  throw new FieldProblem(`"${name}" must be true or false`);
}

/** `{origin: sequence}`, with allowed server names only. */
function originsField(value: unknown, name: string): WireVector {
  const vector = vectorField(value, name);
  for (const origin of Object.keys(vector)) serverIdField(origin, name);
  return vector;
}

function hostField(value: unknown): string {
  const host = optionalStringField(value, "host") ?? "";
  const problem = hostProblem(host);
  if (problem !== undefined) throw new FieldProblem(problem);
  return host;
}

/** Why `host` cannot be a server's host. Servers call this host, and people read it. */
export function hostProblem(host: string): string | undefined {
  if (host.length > MAX_HOST_LENGTH) return `"host" may have at most ${MAX_HOST_LENGTH} characters`;
  return /[\s\p{Cc}]/u.test(host) ? '"host" has a space or a control character' : undefined;
}

/** `info` goes to the log, cut to a length that people read. */
function withShortInfo<M extends { readonly info: string }>(message: M): M {
  return { ...message, info: message.info.slice(0, MAX_INFO_LENGTH) };
}

/** A string of at most `most` UTF-16 units; empty if the field is absent. */
function shortField(value: unknown, name: string, most: number): string {
  const text = optionalStringField(value, name) ?? "";
  if (text.length > most) throw new FieldProblem(`"${name}" may have at most ${most} characters`);
  return text;
}

function readAudience(to: unknown): WireAudience | ForgottenAudience {
  if (to === "everyone" || to === "servers") return to;
  if (!isObject(to)) throw new FieldProblem('"to" must be "everyone", "servers", a user or what is forgotten');
  return to.forgotten === undefined
    ? { user: usernameField(to.user, "user") }
    : { forgotten: channelField(to.forgotten, "forgotten") };
}

function readAuthenticationSuccess(fields: Fields): AuthenticationSuccessMessage {
  const features = fields.features;
  const incarnation = incarnationField(fields.incarnation);
  const accounts = accountsSummaryField(fields.accounts);
  const proof = optionalStringField(fields.proof, "proof");
  return {
    command: "AUTHENTICATION_SUCC",
    ...(proof === undefined ? {} : { proof }),
    ...readWhere(fields),
    ...(incarnation === undefined ? {} : { incarnation }),
    ...(accounts === undefined ? {} : { accounts }),
    features: Array.isArray(features) ? features.filter((feature) => typeof feature === "string") : [],
    vector: fields.vector === undefined ? {} : originsField(fields.vector, "vector"),
    lamport: optionalClockField(fields.lamport) ?? 0,
    members: readMembers(fields.members ?? []),
  };
}

function readWhere(fields: Fields): { serverId: string; host: string; port: number } {
  return {
    serverId: serverIdField(fields.serverId, "serverId"),
    host: hostField(fields.host),
    port: integerField(fields.port, "port", 1, 65_535),
  };
}

function readObjects(value: unknown, name: string): Fields[] {
  if (!Array.isArray(value) || value.length > MAX_OBSERVED || !value.every(isObject)) {
    throw new FieldProblem(`"${name}" must be a list of at most ${MAX_OBSERVED} objects`);
  }
  return value;
}

function readMembers(value: unknown): WireMember[] {
  if (!Array.isArray(value) || value.length > MAX_MEMBERS || !value.every(isObject)) {
    throw new FieldProblem('"members" must be a list of servers');
  }
  return value.map((member) => {
    const incarnation = incarnationField(member.incarnation);
    return {
      ...readWhere(member),
      load: integerField(member.load, "load", 0, MAX_LOAD),
      weight: optionalIntegerField(member.weight, "weight", 1, 1_000) ?? 1,
      ...(incarnation === undefined ? {} : { incarnation }),
    };
  });
}
