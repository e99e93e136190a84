/**
 * Lines between this server and those of the older dialect. Reads theirs, and writes what each family understands. Two
 * families are known. **A** says who it is, and keeps lists of users and activities in step. **S** knows little, and
 * breaks on the rest. Both are known from watching them, so lists are read leniently: an element that makes no sense is
 * left out. `legacy_dialect.ts` decides what lines do. Pure.
 */

import { activityField, parseFields } from "../../protocol/client_codec.ts";
import { parseEntryId } from "../../protocol/entry_id.ts";
import {
  FieldProblem,
  type Fields,
  isObject,
  optionalIntegerField,
  optionalStringField,
  stringField,
} from "../../protocol/fields.ts";
import type { InvalidLine, WireServer } from "../../protocol/message.ts";
import { ANONYMOUS, secretProblem, usernameProblem } from "../../protocol/names.ts";
import { PEER_FEATURE } from "../../protocol/peer/peer_message.ts";
import { rawElements, rawValue } from "../../protocol/raw_json.ts";
import { encodeLine } from "../../protocol/server_codec.ts";
import type { LegacyActivity } from "./activity_order.ts";
import { OLDER } from "./send_times.ts";

/** Which programs a server belongs to. */
export type Family = "A" | "S";

/** A server as these announce it. */
export interface LegacyServer extends WireServer {
  readonly load: number;
}

/** An account as these write it: its secret in clear. */
export interface LegacyUser {
  readonly username: string;
  readonly secret: string;
}

/** What a server of the older dialect says. */
export type LegacyMessage =
  /** `activity` is missing when it is one of ours that came back. */
  | { readonly command: "ACTIVITY_BROADCAST"; readonly activity: LegacyActivity | undefined }
  | { readonly command: "ACTIVITY_SYNC"; readonly activities: readonly LegacyActivity[] }
  | { readonly command: "USER_SYNC"; readonly users: readonly LegacyUser[] }
  | {
    readonly command: "LOCK_REQUEST" | "LOCK_ALLOWED" | "LOCK_DENIED";
    readonly username: string;
    readonly secret: string;
  }
  /** `family`: what the shape of it tells about whoever writes like this. */
  | { readonly command: "SERVER_ANNOUNCE"; readonly server: LegacyServer; readonly family: Family }
  | {
    readonly command: "AUTHENTICATION_SUCC";
    /** A server of this version's dialect says it. */
    readonly isThrum: boolean;
    readonly users: readonly LegacyUser[];
    readonly activities: readonly LegacyActivity[];
  }
  | { readonly command: "AUTHENTICATION_FAIL" | "INVALID_MESSAGE"; readonly info: string }
  /** Known, and nothing to be done about. */
  | { readonly command: "BACKUP_LIST" | "ACTIVITY_UPDATE" | "USER_REGISTER_RESULT" };

/** Longest `id` of an activity, as text. */
const MAX_ID_LENGTH = 64;
const MAX_LOAD = 1_000_000_000;
/** 2 to the 53rd is the year 287396; what is later comes from a mistake, and could not be made larger by one. */
const MAX_TIME_MS = 2 ** 52;
/**
 * Characters that a list of users may take: a line of `limits.maxLineBytes` has to hold it, with the widest characters.
 */
const MAX_USER_LIST_CHARACTERS = 12_000;

/** What the third family is told. */
export const NO_SUCH_DIALECT = "this server does not speak that dialect";

/**
 * Whether a line is of the third family, with which there is no getting along: it comes back hundreds of times a second
 * unless it is refused.
 */
export function isThirdFamily(line: string): boolean {
  if (line === "h") return true;
  if (!line.includes('"BUNDLE"')) return false;
  const fields = parseFields(line);
  return "fields" in fields && fields.fields.command === "BUNDLE";
}

/** What `line` says. Never throws. `wallMs`: now, for activities that do not say when they were sent. */
export function parseLegacyLine(line: string, wallMs: number): LegacyMessage | InvalidLine {
  const fields = parseFields(line);
  if ("problem" in fields) return { command: "", info: fields.problem };
  try {
    return readMessage(fields.fields, line, wallMs);
  } catch (error) {
    if (error instanceof FieldProblem) return { command: "", info: error.message };
    throw error;
  }
}

/** The answer to AUTHENTICATE, for A alone. Secrets are left empty: what A makes of that, `LegacyDialect` mends. */
export function encodeLegacySuccess(
  self: LegacyServer,
  users: Iterable<{ readonly username: string; readonly isOnline: boolean }>,
  wallMs: number,
): string {
  const userList = [];
  let characters = 0;
  for (const { username, isOnline } of users) {
    characters += username.length + 80;
    if (characters > MAX_USER_LIST_CHARACTERS) break;
    // The oldest time there is, so that nobody takes this for newer than what it knows itself.
    userList.push({ username, secret: "", online: isOnline, updateTime: 0 });
  }
  const { serverId, load, host, port } = self;
  const own = { serverId, load, ip: host, port, online: true, updateTime: wallMs, action: "UPDATE_OR_INSERT" };
  return encodeLine({
    command: "AUTHENTICATION_SUCC",
    serverId,
    server_list: [own],
    user_list: userList,
    activity_entity: [],
  });
}

/** How a server is. Where the family is not known, one line that suits both. */
export function encodeLegacyAnnounce(
  { serverId, load, host, port }: LegacyServer,
  family: Family | undefined,
  wallMs: number,
): string {
  const forA = { ip: host, online: true, updateTime: wallMs, action: "UPDATE_OR_INSERT" };
  return encodeLine({
    command: "SERVER_ANNOUNCE",
    ...(family === "A" ? {} : { id: serverId }),
    ...(family === "S" ? {} : { serverId }),
    load,
    ...(family === "A" ? {} : { hostname: host }),
    port,
    ...(family === "S" ? {} : forA),
  });
}

/** Where to go when this server is gone. */
export function encodeLegacyBackups(servers: readonly WireServer[]): string {
  const list = servers.map(({ serverId, host, port }) => ({ serverId, host, port }));
  return encodeLine({ command: "BACKUP_LIST", servers: list });
}

/** A claim to a name. `secret` is made for this: never a user's own. */
export function encodeLegacyLock({ username, secret }: LegacyUser): string {
  return encodeLine({ command: "LOCK_REQUEST", username, secret });
}

/** The claim is allowed. Some servers drop their link where `server`, whoever allows it, is missing. */
export function encodeLegacyLockAllowed({ username, secret }: LegacyUser, server: string): string {
  return encodeLine({ command: "LOCK_ALLOWED", username, secret, server });
}

/** Somebody has the name. */
export function encodeLegacyLockDenied({ username, secret }: LegacyUser): string {
  return encodeLine({ command: "LOCK_DENIED", username, secret });
}

/** A user that exists now, with a secret that was made for this. */
export function encodeUserUpdate({ username, secret }: LegacyUser, isOnline: boolean, wallMs: number): string {
  return encodeLine({ command: "USER_UPDATE", username, secret, online: isOnline, updateTime: wallMs });
}

/**
 * An activity of the log, for a server of that family. `id` is its `"<origin>:<sequence>"`; `text` its own, with
 * `authenticated_user`.
 */
export function encodeLegacyActivity(id: string, text: string, sendTime: number, family: Family | undefined): string {
  // S hands the line to its clients as it is.
  if (family === "S") return `{"command":"ACTIVITY_BROADCAST","activity":${text}}\n`;
  return `{"command":"ACTIVITY_BROADCAST","id":${
    JSON.stringify(id)
  },"activity":${text},"sendTime":${sendTime},"updateTime":${sendTime},"isDelivered":false}\n`;
}

/**
 * Says that an activity is not taken. An A writes what it does not know into its log, and goes on. An S breaks on what
 * it does not know: all that it hands on is an activity, so that is said as one, by the server itself. `undefined`
 * where nothing is known that the family would bear.
 */
export function encodeLegacyRefusal(
  info: string,
  activity: Pick<LegacyActivity, "sendTime" | "isTimed">,
  serverId: string,
  family: Family | undefined,
): string | undefined {
  if (family === "A") {
    const { sendTime } = activity;
    return encodeLine({
      command: "ACTIVITY_FAILED",
      ...(activity.isTimed ? { sendTime } : {}),
      reason: "NOT_ALLOWED",
      info,
    });
  }
  if (family !== "S") return undefined;
  return encodeLine({ command: "ACTIVITY_BROADCAST", activity: { text: info, authenticated_user: serverId } });
}

function readMessage(fields: Fields, line: string, wallMs: number): LegacyMessage | InvalidLine {
  const { command } = fields;
  switch (command) {
    case "ACTIVITY_BROADCAST":
      return { command, activity: readActivity(fields, line, wallMs) };
    case undefined:
      // What A only passes on has no command.
      if (isObject(fields.activity) && fields.id !== undefined) {
        return { command: "ACTIVITY_BROADCAST", activity: readActivity(fields, line, wallMs) };
      }
      return { command: "", info: '"command" is missing' };
    case "ACTIVITY_SYNC":
      return { command, activities: readHistory(fields, line, wallMs) };
    case "USER_SYNC":
      return { command, users: readUsers(fields.user_list) };
    case "USER_UPDATE":
      return { command: "USER_SYNC", users: readUsers([fields]) };
    case "LOCK_REQUEST":
    case "LOCK_ALLOWED":
    case "LOCK_DENIED":
      return {
        command,
        username: stringField(fields.username, "username"),
        secret: optionalStringField(fields.secret, "secret") ?? "",
      };
    case "SERVER_ANNOUNCE":
      return { command, server: readServer(fields), family: fields.serverId === undefined ? "S" : "A" };
    case "AUTHENTICATION_SUCC":
      return {
        command,
        isThrum: Array.isArray(fields.features) && fields.features.includes(PEER_FEATURE),
        users: readUsers(fields.user_list),
        activities: readHistory(fields, line, wallMs),
      };
    case "AUTHENTICATION_FAIL":
    case "INVALID_MESSAGE":
      return { command, info: typeof fields.info === "string" ? fields.info : "" };
    case "BACKUP_LIST":
    case "ACTIVITY_UPDATE":
    case "USER_REGISTER_RESULT":
      return { command };
    case "AUTHENTICATE":
      return { command: "", info: "AUTHENTICATE may only be the first line" };
  }
  return { command: "", info: "the command is not one that servers of the older dialect send" };
}

/** `undefined` for an activity of ours: A has sent it back. */
function readActivity(fields: Fields, text: string, wallMs: number): LegacyActivity | undefined {
  const { id, activity } = fields;
  if (typeof id === "string" && parseEntryId(id) !== undefined) return undefined;
  const given = optionalIntegerField(fields.sendTime, "sendTime", 0, MAX_TIME_MS);
  const timeBack = optionalIntegerField(fields.timeBack, "timeBack", -MAX_TIME_MS, MAX_TIME_MS) ?? 0;
  const user = isObject(activity) ? activity.authenticated_user : undefined;
  const isName = typeof user === "string" && usernameProblem(user) === undefined;
  return {
    text: activityField(activity, text),
    username: isName ? user : ANONYMOUS,
    sendTime: given ?? wallMs - timeBack,
    isTimed: given !== undefined,
    identity: given === undefined ? undefined : identityOf(id, given),
  };
}

/** Two with one `id` and different times are two: an A takes a hash of the text for it. */
function identityOf(id: unknown, sendTime: number): string | undefined {
  const isUsable = Number.isSafeInteger(id) ||
    (typeof id === "string" && id.length <= MAX_ID_LENGTH && id.isWellFormed());
  return isUsable ? `${OLDER}${id}/${sendTime}` : undefined;
}

/** Every activity of every owner once; in the order of the list. */
function readHistory(fields: Fields, line: string, wallMs: number): LegacyActivity[] {
  const activities = new Map<string, LegacyActivity>();
  for (const owner of elementsOf(fields.activity_entity, rawValue(line, "activity_entity"))) {
    for (const { fields, text } of elementsOf(owner.fields.activity_list, rawValue(owner.text, "activity_list"))) {
      const activity = unlessWrong(() => readActivity(fields, text, wallMs));
      // Without an identity it would be taken anew with every list.
      if (activity?.identity !== undefined) activities.set(activity.identity, activity);
    }
  }
  return [...activities.values()];
}

/** The objects of a list, as values and as they are written. */
function elementsOf(value: unknown, text: string | undefined): { fields: Fields; text: string }[] {
  if (!Array.isArray(value) || text === undefined) return [];
  const texts = rawElements(text);
  return value.flatMap((fields: unknown, n) => isObject(fields) ? [{ fields, text: texts[n]! }] : []);
}

function readUsers(value: unknown): LegacyUser[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((user: unknown) => {
    if (!isObject(user) || typeof user.username !== "string" || typeof user.secret !== "string") return [];
    return [{ username: user.username, secret: user.secret }];
  });
}

/** Whether an account can be made of it. */
export function isUsable({ username, secret }: LegacyUser): boolean {
  return usernameProblem(username) === undefined && secretProblem(secret) === undefined;
}

function readServer(fields: Fields): LegacyServer {
  const serverId = fields.serverId ?? fields.id;
  return {
    serverId: stringField(typeof serverId === "number" ? String(serverId) : serverId, "serverId"),
    host: optionalStringField(fields.ip ?? fields.hostname ?? fields.host, "ip") ?? "",
    port: optionalIntegerField(fields.port, "port", 0, 65_535) ?? 0,
    load: optionalIntegerField(fields.load, "load", 0, MAX_LOAD) ?? 0,
  };
}

function unlessWrong<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof FieldProblem) return undefined;
    throw error;
  }
}
