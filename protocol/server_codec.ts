/**
 * Lines that servers send: the server writes them, the client reads them. Pure.
 */

import { parseFields, readEndConnection, readHeartbeat } from "./client_codec.ts";
import { type Broadcast, broadcastRoom, BroadcastWriter } from "./publication/broadcast_bytes.ts";
import {
  FieldProblem,
  type Fields,
  integerField,
  optionalIntegerField,
  optionalObjectField,
  optionalStringField,
  stringField,
  stringsField,
  vectorField,
} from "./fields.ts";
import { featuresField, isObject } from "./fields.ts";
import { type EntryId } from "./entry_id.ts";
import type { HistoryPageMessage } from "./history_message.ts";
import { readPresence, readUserList, readUserListFailed } from "./presence/presence_fields.ts";
import { rawValue } from "./raw_json.ts";
import type {
  DirectMessage,
  InvalidLine,
  LoginSuccessMessage,
  ReceiptMessage,
  RefusalMessage,
  ServerMessage,
  WireGap,
  WireServer,
} from "./message.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
/** The end of a line of the past. */
const PAST = encoder.encode(',"past":true}\n');
const CLOSE_BRACE = 0x7d;

/** Any message as a line, its end included. Members that are `undefined` are left out. */
export function encodeLine<M extends { readonly command: string }>(message: M): string {
  return JSON.stringify(message) + "\n";
}

/** Any message as the bytes of a line, as `encodeLine` writes it. */
export function lineBytes<M extends { readonly command: string }>(message: M): Uint8Array<ArrayBuffer> {
  return encoder.encode(encodeLine(message));
}

/** A username as it stands in a line. */
export function quoteUsername(username: string): string {
  return JSON.stringify(username);
}

/** An ACTIVITY_BROADCAST line as text, its end included: for tools. */
export function encodeBroadcast(broadcast: Broadcast): string {
  const line = new Uint8Array(broadcastRoom(broadcast));
  return decoder.decode(line.subarray(0, new BroadcastWriter().write(line, 0, broadcast)));
}

/** The line of a broadcast (without its end) as a line of the past, its end included. */
export function pastLine(line: Uint8Array): Uint8Array {
  // What follows the last brace can only be white space.
  const end = line.lastIndexOf(CLOSE_BRACE);
  const past = new Uint8Array(end + PAST.length);
  past.set(line.subarray(0, end));
  past.set(PAST, end);
  return past;
}

/** When the broadcast in `line` was accepted, in milliseconds since 1970; `id` is the line's own. */
export function sentAtOf(line: string, { origin, sequence }: EntryId): number {
  const id = `},"id":"${origin}:${sequence}","lamport":`;
  const found = /^\d+,"sentAt":(\d+)/.exec(line.slice(line.lastIndexOf(id) + id.length));
  return found === null ? Number(JSON.parse(line).sentAt) : Number(found[1]);
}

/** The message in `line`. Never throws. An unknown command is `undefined`: a newer server may know more. */
export function parseServerLine(line: string): ServerMessage | InvalidLine | undefined {
  const fields = parseFields(line);
  if ("problem" in fields) return { command: "", info: fields.problem };
  try {
    return readMessage(fields.fields, line);
  } catch (error) {
    if (error instanceof FieldProblem) return { command: "", info: error.message };
    throw error;
  }
}

function readMessage(fields: Fields, line: string): ServerMessage | undefined {
  // One of these, or what a newer server says.
  const command = stringField(fields.command, "command") as ServerMessage["command"];
  switch (command) {
    case "ACTIVITY_BROADCAST": {
      const messageId = optionalStringField(fields.messageId, "messageId");
      const channel = optionalStringField(fields.channel, "channel");
      if (!isObject(fields.activity)) throw new FieldProblem('"activity" must be an object');
      return {
        command,
        activity: fields.activity,
        activityText: rawValue(line, "activity")!,
        id: stringField(fields.id, "id"),
        lamport: integerField(fields.lamport, "lamport", 0, Number.MAX_SAFE_INTEGER),
        sentAt: integerField(fields.sentAt, "sentAt", 0, Number.MAX_SAFE_INTEGER),
        ...(messageId === undefined ? {} : { messageId }),
        ...(channel === undefined ? {} : { channel }),
        ...(fields.past === true ? { past: true } : {}),
      };
    }
    case "HISTORY_PAGE":
      return readHistoryPage(fields);
    case "HISTORY_FAILED": {
      const reason = optionalStringField(fields.reason, "reason") ?? "";
      return { command, reason, info: optionalStringField(fields.info, "info") ?? "" };
    }
    case "ACTIVITY_ACK":
      if (fields.messageId === undefined && fields.upTo !== undefined) {
        return { command, upTo: upToField(fields.upTo), id: stringField(fields.id, "id") };
      }
      return {
        command,
        messageId: stringField(fields.messageId, "messageId"),
        id: stringField(fields.id, "id"),
        ...(fields.differs === true ? { differs: true } : {}),
      };
    case "ACTIVITY_FAILED": {
      const messageId = optionalStringField(fields.messageId, "messageId");
      const reason = optionalStringField(fields.reason, "reason") ?? "";
      const info = optionalStringField(fields.info, "info") ?? "";
      const number = optionalIntegerField(fields.number, "number", 1, Number.MAX_SAFE_INTEGER);
      const about = { ...(messageId === undefined ? {} : { messageId }), ...(number === undefined ? {} : { number }) };
      return { command, reason, info, ...about };
    }
    case "ACTIVITY_PENDING": {
      const info = optionalStringField(fields.info, "info") ?? "";
      if (fields.messageId === undefined && fields.upTo !== undefined) {
        return { command, upTo: upToField(fields.upTo), info };
      }
      return { command, messageId: stringField(fields.messageId, "messageId"), info };
    }
    case "CLOCK":
      return { command, lamport: integerField(fields.lamport, "lamport", 0, Number.MAX_SAFE_INTEGER) };
    case "HEARTBEAT":
      return readHeartbeat(fields);
    case "HEARTBEAT_ACK":
      return { command, sequence: integerField(fields.sequence, "sequence", 0, Number.MAX_SAFE_INTEGER) };
    case "CHALLENGE":
      return { command, scram: stringField(fields.scram, "scram") };
    case "ACCOUNT_CHANGED": {
      const info = optionalStringField(fields.info, "info") ?? "";
      return { command, change: stringField(fields.change, "change"), scram: stringField(fields.scram, "scram"), info };
    }
    case "LOGIN_SUCCESS":
      return readLoginSuccess(fields);
    case "REGISTER_SUCCESS":
      return { command, info: optionalStringField(fields.info, "info") ?? "" };
    case "REGISTER_FAILED":
    case "LOGIN_FAILED":
    case "AUTHENTICATION_FAIL":
    case "INVALID_MESSAGE":
      return readRefusal(command, fields);
    case "REDIRECT":
      return {
        command,
        hostname: stringField(fields.hostname, "hostname"),
        port: integerField(fields.port, "port", 1, 65_535),
      };
    case "DIRECT_MESSAGE":
      return readDirectMessage(fields);
    case "RECEIPT":
      return readReceipt(fields);
    case "DIRECT_MESSAGE_FAILED": {
      const messageId = optionalStringField(fields.messageId, "messageId");
      const reason = optionalStringField(fields.reason, "reason");
      const info = optionalStringField(fields.info, "info") ?? "";
      return { command, info, ...(messageId === undefined ? {} : { messageId }), ...(reason && { reason }) };
    }
    case "USER_LIST":
      return readUserList(fields);
    case "USER_LIST_FAILED":
      return readUserListFailed(fields);
    case "PRESENCE":
      return readPresence(fields);
    case "CAUGHT_UP": {
      const vector = vectorField(fields.vector, "vector");
      return fields.complete === true ? { command, vector, complete: true } : { command, vector };
    }
    case "SUBSCRIBED":
    case "UNSUBSCRIBED": {
      const channels = stringsField(fields.channels, "channels");
      return { command, channels, vector: vectorField(fields.vector, "vector") };
    }
    case "SUBSCRIBE_FAILED": {
      const reason = optionalStringField(fields.reason, "reason") ?? "";
      const about = fields.channels === undefined ? {} : { channels: stringsField(fields.channels, "channels") };
      return { command, reason, info: optionalStringField(fields.info, "info") ?? "", ...about };
    }
    case "POSITION":
      return { command, vector: vectorField(fields.vector, "vector") };
    case "BACKUP_LIST":
      return { command, servers: readServers(fields.servers) };
    case "END_CONNECTION":
      return readEndConnection(fields);
    default:
      command satisfies never;
      return undefined;
  }
}

/** The number of an activity of this connection. */
function upToField(value: unknown): number {
  return integerField(value, "upTo", 1, Number.MAX_SAFE_INTEGER);
}

function readDirectMessage(fields: Fields): DirectMessage {
  const messageId = optionalStringField(fields.messageId, "messageId");
  return {
    command: "DIRECT_MESSAGE",
    from: stringField(fields.from, "from"),
    to: stringField(fields.to, "to"),
    text: stringField(fields.text, "text"),
    id: stringField(fields.id, "id"),
    lamport: integerField(fields.lamport, "lamport", 0, Number.MAX_SAFE_INTEGER),
    sentAt: integerField(fields.sentAt, "sentAt", 0, Number.MAX_SAFE_INTEGER),
    ...(messageId === undefined ? {} : { messageId }),
    ...(fields.offline === true ? { offline: true } : {}),
  };
}

function readReceipt(fields: Fields): ReceiptMessage {
  const id = optionalStringField(fields.id, "id");
  return {
    command: "RECEIPT",
    messageId: stringField(fields.messageId, "messageId"),
    state: fields.state === "delivered" ? "delivered" : "stored",
    of: stringField(fields.of, "of"),
    to: stringField(fields.to, "to"),
    ...(id === undefined ? {} : { id }),
    lamport: integerField(fields.lamport, "lamport", 0, Number.MAX_SAFE_INTEGER),
    ...(fields.differs === true ? { differs: true } : {}),
  };
}

function readHistoryPage(fields: Fields): HistoryPageMessage {
  const before = optionalStringField(fields.before, "before");
  const begins = optionalObjectField(fields.begins, "begins");
  return {
    command: "HISTORY_PAGE",
    past: true,
    count: integerField(fields.count, "count", 0, Number.MAX_SAFE_INTEGER),
    more: fields.more === true,
    ...(before === undefined ? {} : { before }),
    ...(begins === undefined ? {} : {
      begins: {
        id: stringField(begins.id, "id"),
        at: integerField(begins.at, "at", Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
      },
    }),
    ...(fields.forgotten === true ? { forgotten: true } : {}),
  };
}

/** The codec between servers uses this function, too. */
export function readServers(value: unknown): WireServer[] {
  if (!Array.isArray(value) || !value.every(isObject)) throw new FieldProblem('"servers" must be a list of servers');
  return value.map((server) => ({
    serverId: stringField(server.serverId, "serverId"),
    host: stringField(server.host, "host"),
    port: integerField(server.port, "port", 1, 65_535),
  }));
}

/** The codec between servers uses this function, too. */
export function readRefusal(command: RefusalMessage["command"], fields: Fields): RefusalMessage {
  const reason = optionalStringField(fields.reason, "reason");
  return {
    command,
    info: optionalStringField(fields.info, "info") ?? "",
    ...(reason === undefined ? {} : { reason }),
  };
}

function readLoginSuccess(fields: Fields): LoginSuccessMessage {
  const serverId = optionalStringField(fields.serverId, "serverId");
  const heartbeat = optionalObjectField(fields.heartbeat, "heartbeat");
  const lamport = optionalIntegerField(fields.lamport, "lamport", 0, Number.MAX_SAFE_INTEGER);
  const resume = optionalObjectField(fields.resume, "resume");
  const ticket = optionalStringField(fields.ticket, "ticket");
  const scram = optionalStringField(fields.scram, "scram");
  return {
    command: "LOGIN_SUCCESS",
    info: optionalStringField(fields.info, "info") ?? "",
    ...(scram === undefined ? {} : { scram }),
    features: featuresField(fields.features),
    ...(fields.receive === "none" ? { receive: "none" } : {}),
    ...(fields.refused === undefined ? {} : { refused: stringsField(fields.refused, "refused") }),
    ...(fields.ackRanges === true ? { ackRanges: true } : {}),
    ...(serverId === undefined ? {} : { serverId }),
    ...(lamport === undefined ? {} : { lamport }),
    ...(ticket === undefined ? {} : { ticket }),
    ...(heartbeat === undefined ? {} : {
      heartbeat: {
        idleTimeoutMs: integerField(heartbeat.idleTimeoutMs, "idleTimeoutMs", 1, Number.MAX_SAFE_INTEGER),
        intervalMs: integerField(heartbeat.intervalMs, "intervalMs", 1, Number.MAX_SAFE_INTEGER),
        count: integerField(heartbeat.count, "count", 1, 1_000_000),
      },
    }),
    ...(resume === undefined ? {} : {
      resume: {
        vector: vectorField(resume.vector, "vector"),
        replayed: integerField(resume.replayed, "replayed", 0, Number.MAX_SAFE_INTEGER),
        ...(resume.forgotten === undefined ? {} : { forgotten: stringsField(resume.forgotten, "forgotten") }),
        ...(resume.gap === undefined ? {} : { gap: readGaps(resume.gap) }),
      },
    }),
  };
}

function readGaps(value: unknown): WireGap[] {
  if (!Array.isArray(value) || !value.every(isObject)) throw new FieldProblem('"gap" must be a list of ranges');
  return value.map((gap) => ({
    origin: stringField(gap.origin, "origin"),
    first: integerField(gap.first, "first", 1, Number.MAX_SAFE_INTEGER),
    last: optionalIntegerField(gap.last, "last", 1, Number.MAX_SAFE_INTEGER) ?? null,
  }));
}
