/** Reads the messages about who there is from the fields of a line, for both directions of the codec. Pure. */

import { optionalChannelField } from "../channels/channel_fields.ts";
import {
  FieldProblem,
  type Fields,
  optionalIntegerField,
  optionalStringField,
  stringField,
  stringsField,
} from "../fields.ts";
import type {
  ListUsersMessage,
  PresenceMessage,
  UserListFailedMessage,
  UserListMessage,
  UserScope,
} from "./presence_message.ts";

/** `LIST_USERS`. @throws {FieldProblem} */
export function readListUsers(fields: Fields): ListUsersMessage {
  const channel = optionalChannelField(fields.channel);
  const { presence } = fields;
  if (channel === undefined) {
    const scope = stringField(fields.scope, "scope");
    if (scope !== "online" && scope !== "all") throw new FieldProblem('"scope" must be "online" or "all"');
    return { command: "LIST_USERS", scope };
  }
  // Who has gone reads nothing.
  if ((optionalStringField(fields.scope, "scope") ?? "online") !== "online") {
    throw new FieldProblem('"scope" must be "online" with a channel');
  }
  const told = presence === true || presence === false ? { presence } : {};
  return { command: "LIST_USERS", scope: "online", channel, ...told };
}

/** `USER_LIST`. @throws {FieldProblem} */
export function readUserList(fields: Fields): UserListMessage {
  const users = stringsField(fields.users, "users");
  const partial = fields.partial === true ? { partial: true } as const : {};
  return { command: "USER_LIST", ...readAbout(fields), users, ...partial };
}

/** `USER_LIST_FAILED`. @throws {FieldProblem} */
export function readUserListFailed(fields: Fields): UserListFailedMessage {
  const reason = optionalStringField(fields.reason, "reason") ?? "";
  const info = optionalStringField(fields.info, "info") ?? "";
  return { command: "USER_LIST_FAILED", ...readAbout(fields), reason, info };
}

/** `PRESENCE`; `undefined` for an event that only a newer server knows. @throws {FieldProblem} */
export function readPresence(fields: Fields): PresenceMessage | undefined {
  const event = stringField(fields.event, "event");
  if (event !== "joined" && event !== "left" && event !== "lost") return undefined;
  const lamport = optionalIntegerField(fields.lamport, "lamport", 0, Number.MAX_SAFE_INTEGER) ?? 0;
  const username = stringField(fields.username, "username");
  return { command: "PRESENCE", event, username, lamport, ...readChannel(fields) };
}

function readAbout(fields: Fields): { readonly scope: UserScope; readonly channel?: string } {
  return { scope: fields.scope === "all" ? "all" : "online", ...readChannel(fields) };
}

function readChannel({ channel: value }: Fields): { readonly channel?: string } {
  const channel = optionalStringField(value, "channel");
  return channel === undefined ? {} : { channel };
}
