/**
 * Lines that clients send: the server reads them, the client writes them. Pure.
 *
 * Reading ignores unknown fields. Every other fault in a line is returned as an `InvalidLine`.
 */

import { optionalChannelField, optionalPatternField, patternsField, readChannels } from "./channels/channel_fields.ts";
import {
  accountsSummaryField,
  featuresField,
  FieldProblem,
  type Fields,
  integerField,
  isObject,
  MAX_MESSAGE_ID_LENGTH,
  optionalClockField,
  optionalIntegerField,
  optionalObjectField,
  optionalStringField,
  stringField,
  vectorField,
} from "./fields.ts";
import type {
  ActivityMessage,
  AuthenticateMessage,
  ClientMessage,
  EndConnectionMessage,
  InvalidLine,
  LoginMessage,
  SendDirectMessage,
} from "./message.ts";
import { ACCOUNT_CHANGES, type AccountChange } from "./login/account_change.ts";
import type { ResponseMessage } from "./login/scram_message.ts";
import type { HistoryMessage } from "./history_message.ts";
import { incarnationField } from "./peer/incarnation.ts";
import { MAX_LAMPORT } from "./lamport_bounds.ts";
import { readListUsers } from "./presence/presence_fields.ts";
import { nestingDepth, rawValue, withoutMember } from "./raw_json.ts";
import { formatTraceParent, parseTraceParent } from "./trace_parent.ts";

/** Deepest nesting of an activity. Parsers of other programs recurse, and no activity may break them. */
export const MAX_ACTIVITY_DEPTH = 64;

/** How many activities of the past are meant by who does not say it. */
export const DEFAULT_HISTORY_LIMIT = 20;

const AUTHENTICATED_USER = "authenticated_user";

/** The message in `line`, or what is wrong with it. Never throws. */
export function parseClientLine(line: string): ClientMessage | InvalidLine {
  const fields = parseFields(line);
  if ("problem" in fields) return invalid(fields.problem);
  try {
    return readMessage(fields.fields, line);
  } catch (error) {
    if (error instanceof FieldProblem) return invalid(error.message);
    throw error;
  }
}

/** The object in `line`, or what is wrong with it. The problem never repeats any part of the line. */
export function parseFields(line: string): { fields: Fields } | { problem: string } {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    if (line.trim() === "") return { problem: "the line is empty" };
    // The engine's own message quotes the line, which may hold a secret; only the place is taken from it.
    const place = /position \d+/.exec((error as Error).message)?.[0];
    return { problem: `the line is not valid JSON${place === undefined ? "" : ` (at ${place})`}` };
  }
  if (!isObject(value)) return { problem: "the line is not a JSON object" };
  return { fields: value };
}

function readMessage(fields: Fields, line: string): ClientMessage | InvalidLine {
  // One of these, or whatever stands there.
  const command = fields.command as ClientMessage["command"];
  switch (command) {
    case "ACTIVITY_MESSAGE":
      return readActivity(fields, line);
    case "HEARTBEAT_ACK":
      return {
        command,
        sequence: integerField(fields.sequence, "sequence", 0, Number.MAX_SAFE_INTEGER),
        ...readTime(fields),
      };
    case "LOGIN":
      return readLogin(fields);
    case "RESPONSE":
      return readResponse(fields);
    case "REGISTER":
      return {
        command,
        username: stringField(fields.username, "username"),
        secret: stringField(fields.secret, "secret"),
        ...readInvitation(fields.invitation),
        features: featuresField(fields.features),
      };
    case "LOGOUT":
      return { command };
    case "DIRECT_MESSAGE":
      return readDirectMessage(fields);
    case "LIST_USERS":
      return readListUsers(fields);
    case "HISTORY":
      return readHistory(fields);
    case "SUBSCRIBE":
    case "UNSUBSCRIBE":
      return readChannels(command, fields);
    case "ACK":
      return { command, vector: vectorField(fields.vector, "vector"), ...readTime(fields) };
    case "HEARTBEAT":
      return readHeartbeat(fields);
    case "END_CONNECTION":
      return readEndConnection(fields);
    case "INVALID_MESSAGE":
      // Whatever else it says: a complaint is not answered with another one.
      return { command };
    case "AUTHENTICATE":
      return readAuthenticate(fields);
    default:
      command satisfies never;
      return noCommand(fields.command);
  }
}

function readInvitation(value: unknown): { readonly invitation?: string } {
  const invitation = optionalStringField(value, "invitation");
  return invitation === undefined ? {} : { invitation };
}

function noCommand(command: unknown): InvalidLine {
  if (command === undefined) return invalid('"command" is missing');
  if (typeof command !== "string") return invalid('"command" must be a string');
  return invalid(`the command is not known${/^[A-Z_]{1,40}$/.test(command) ? `: ${command}` : ""}`);
}

function readActivity(fields: Fields, line: string): ActivityMessage {
  const activity = activityField(fields.activity, line);
  const channel = optionalChannelField(fields.channel);
  return {
    command: "ACTIVITY_MESSAGE",
    username: optionalStringField(fields.username, "username"),
    secret: optionalStringField(fields.secret, "secret"),
    activity,
    messageId: messageIdField(fields.messageId),
    ...(channel === undefined ? {} : { channel }),
    lamport: timeField(fields.lamport),
    ...(typeof fields.traceparent === "string" ? readTraceParent(fields.traceparent) : {}),
  };
}

/** W3C wants a bad one to be ignored. */
function readTraceParent(text: string): { readonly traceparent?: string } {
  const parent = parseTraceParent(text);
  return parent === undefined ? {} : { traceparent: formatTraceParent(parent) };
}

/**
 * The JSON text of an activity as it was written in the object `line`, without its `authenticated_user`. `value` is the
 * result of JSON.parse. Codecs between servers use this function, too.
 */
export function activityField(value: unknown, line: string): string {
  if (!isObject(value)) {
    throw new FieldProblem(value === undefined ? '"activity" is missing' : '"activity" must be an object');
  }
  let activity = rawValue(line, "activity")!;
  // Between tokens a carriage return is white space to JSON but the end of a line to many readers.
  if (activity.includes("\r")) activity = activity.replaceAll("\r", " ");
  if (Object.hasOwn(value, AUTHENTICATED_USER)) activity = withoutMember(activity, AUTHENTICATED_USER);
  if (isDeep(activity, MAX_ACTIVITY_DEPTH)) {
    throw new FieldProblem(`"activity" is nested deeper than ${MAX_ACTIVITY_DEPTH} levels`);
  }
  return activity;
}

function messageIdField(value: unknown): string | undefined {
  const messageId = optionalStringField(value, "messageId");
  // Half a surrogate pair cannot be stored. Two ids that differ only in it would become one.
  if (
    messageId !== undefined &&
    (messageId === "" || messageId.length > MAX_MESSAGE_ID_LENGTH || !messageId.isWellFormed())
  ) {
    throw new FieldProblem(`"messageId" must have 1 to ${MAX_MESSAGE_ID_LENGTH} characters`);
  }
  return messageId;
}

function readDirectMessage(fields: Fields): SendDirectMessage {
  const text = stringField(fields.text, "text");
  // The store keeps UTF-8, which has no half of a pair.
  if (!text.isWellFormed()) throw new FieldProblem('"text" must not hold half a surrogate pair');
  return {
    command: "DIRECT_MESSAGE",
    to: stringField(fields.to, "to"),
    text,
    messageId: messageIdField(fields.messageId),
    lamport: timeField(fields.lamport),
  };
}

function readHistory(fields: Fields): HistoryMessage {
  const { since } = fields;
  const channel = optionalPatternField(fields.channel);
  return {
    command: "HISTORY",
    limit: optionalIntegerField(fields.limit, "limit", 1, Number.MAX_SAFE_INTEGER) ?? DEFAULT_HISTORY_LIMIT,
    before: optionalStringField(fields.before, "before"),
    since: typeof since === "number"
      ? integerField(since, "since", 0, Number.MAX_SAFE_INTEGER)
      : optionalStringField(since, "since"),
    ...(channel === undefined ? {} : { channel }),
  };
}

/**
 * Whether `activity` is nested deeper than `limit`. Most activities are short or flat: then the text is not read
 * through.
 */
function isDeep(activity: string, limit: number): boolean {
  // Each level takes two characters.
  if (activity.length <= limit * 2) return false;
  if (activity.indexOf("{", 1) < 0 && activity.indexOf("[", 1) < 0) return false;
  return nestingDepth(activity) > limit;
}

function readLogin(fields: Fields): LoginMessage {
  const resume = optionalObjectField(fields.resume, "resume");
  const heartbeat = optionalObjectField(fields.heartbeat, "heartbeat");
  const trace = optionalObjectField(fields.trace, "trace");
  const isUnread = receivesNothing(fields.receive);
  const scram = optionalStringField(fields.scram, "scram");
  return {
    command: "LOGIN",
    username: stringField(fields.username, "username"),
    secret: optionalStringField(fields.secret, "secret"),
    ...(scram === undefined ? {} : { scram }),
    ...changeField(fields.change),
    features: featuresField(fields.features),
    // Whoever gets nothing of the log has nothing of it.
    resume: resume === undefined || isUnread ? undefined : vectorField(resume.vector, "vector"),
    heartbeatPort: heartbeat === undefined ? undefined : optionalIntegerField(heartbeat.port, "port", 1, 65_535),
    heartbeatHost: heartbeat === undefined ? undefined : optionalStringField(heartbeat.host, "host"),
    redirects: optionalIntegerField(fields.redirects, "redirects", 0, Number.MAX_SAFE_INTEGER) ?? 0,
    ticket: optionalStringField(fields.ticket, "ticket"),
    last: optionalStringField(fields.last, "last"),
    ...(fields.pass === true || typeof fields.pass === "string" ? { pass: fields.pass } : {}),
    ...(fields.reads === false || isUnread ? { reads: false } : {}),
    ...(isUnread ? { receive: "none" } : {}),
    ...(fields.channels === undefined || fields.channels === null ? {} : { channels: patternsField(fields.channels) }),
    ...(fields.ackRanges === true ? { ackRanges: true } : {}),
    ...(trace === undefined ? {} : { trace: readTrace(trace) }),
  };
}

/**
 * Whether a client wants nothing of the log. Any other value is taken for a wish that only a newer server understands:
 * the client gets everything, and `LOGIN_SUCCESS` does not say otherwise.
 */
function receivesNothing(value: unknown): boolean {
  return value === "none" || (Array.isArray(value) && value.length === 0);
}

/** A client that wants a change which this server does not know must not be let in as if it wanted none. */
function changeField(value: unknown): { readonly change?: AccountChange } {
  const change = optionalStringField(value, "change");
  if (change === undefined) return {};
  const known = ACCOUNT_CHANGES.find((name) => name === change);
  if (known === undefined) throw new FieldProblem(`"change" must be one of ${ACCOUNT_CHANGES.join(", ")}`);
  return { change: known };
}

function readResponse(fields: Fields): ResponseMessage {
  const sealed = optionalStringField(fields.sealed, "sealed");
  return {
    command: "RESPONSE",
    scram: stringField(fields.scram, "scram"),
    ...(sealed === undefined ? {} : { sealed }),
  };
}

function readTrace(fields: Fields): NonNullable<LoginMessage["trace"]> {
  const node = stringField(fields.node, "node");
  if (!/^[a-z0-9]{1,16}$/.test(node)) throw new FieldProblem('"node" must have 1 to 16 of a-z and 0-9');
  return {
    node,
    attempt: integerField(fields.attempt, "attempt", 0, Number.MAX_SAFE_INTEGER),
    lamport: timeField(fields.lamport) ?? 0,
  };
}

/** The first message of any server. Servers of the older dialect leave out most fields. */
function readAuthenticate(fields: Fields): AuthenticateMessage {
  const features = fields.features ?? [];
  const incarnation = incarnationField(fields.incarnation);
  const accounts = accountsSummaryField(fields.accounts);
  const nonce = optionalStringField(fields.nonce, "nonce");
  const proof = optionalStringField(fields.proof, "proof");
  return {
    command: "AUTHENTICATE",
    secret: (nonce ?? proof) === undefined ? stringField(fields.secret, "secret") : undefined,
    ...(nonce === undefined ? {} : { nonce }),
    ...(proof === undefined ? {} : { proof }),
    serverId: optionalStringField(fields.serverId, "serverId"),
    host: optionalStringField(fields.host, "host"),
    port: optionalIntegerField(fields.port, "port", 1, 65_535),
    features: Array.isArray(features) ? features.filter((feature) => typeof feature === "string") : [],
    vector: fields.vector === undefined ? {} : vectorField(fields.vector, "vector"),
    ...(incarnation === undefined ? {} : { incarnation }),
    ...(accounts === undefined ? {} : { accounts }),
    lamport: optionalClockField(fields.lamport),
  };
}

/** The server's codec uses this function, too: either side may ask. */
export function readHeartbeat(fields: Fields): Extract<ClientMessage, { command: "HEARTBEAT" }> {
  return {
    command: "HEARTBEAT",
    sequence: integerField(fields.sequence, "sequence", 0, Number.MAX_SAFE_INTEGER),
    of: optionalIntegerField(fields.of, "of", 1, 1_000_000) ?? 1,
    intervalMs: optionalIntegerField(fields.intervalMs, "intervalMs", 0, Number.MAX_SAFE_INTEGER) ?? 0,
    ...readTime(fields, Number.MAX_SAFE_INTEGER),
  };
}

/** The sender's time, if the line has one that may count. */
function readTime(fields: Fields, highest?: number): { readonly lamport?: number } {
  const lamport = timeField(fields.lamport, highest);
  return lamport === undefined ? {} : { lamport };
}

/** The sender's time; `undefined` if the line has none, or one that is too high to count. */
function timeField(value: unknown, highest: number = MAX_LAMPORT): number | undefined {
  const lamport = optionalIntegerField(value, "lamport", 0, Number.MAX_SAFE_INTEGER);
  return lamport === undefined || lamport > highest ? undefined : lamport;
}

/** The server's codec uses this function, too: either side may end a connection. */
export function readEndConnection(fields: Fields): EndConnectionMessage {
  const reconnect = optionalStringField(fields.reconnect, "reconnect");
  const retryAfterMs = optionalIntegerField(fields.retryAfterMs, "retryAfterMs", 0, Number.MAX_SAFE_INTEGER);
  return {
    command: "END_CONNECTION",
    reason: optionalStringField(fields.reason, "reason") ?? "",
    info: optionalStringField(fields.info, "info") ?? "",
    reconnect: reconnect === "never" || reconnect === "backoff" ? reconnect : "now",
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

function invalid(info: string): InvalidLine {
  return { command: "", info };
}
