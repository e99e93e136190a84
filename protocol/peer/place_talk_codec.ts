/** Reads messages between servers about lost connections from the fields of a line. Pure. */

import {
  FieldProblem,
  type Fields,
  integerField,
  isObject,
  optionalIntegerField,
  stringField,
  vectorField,
} from "../fields.ts";
import type { WireVector } from "../message.ts";
import { usernameProblem } from "../names.ts";
import type { PlaceTalkMessage } from "./peer_message.ts";
import { isServerId } from "../server_id.ts";

/** The most users in one message. */
export const MAX_TALKED_USERS = 1_000;
const MAX_SESSIONS = 1_000_000;
const MAX_INTEGER = Number.MAX_SAFE_INTEGER;

/** The message in such a line; `undefined` for another command. @throws {FieldProblem} */
export function readPlaceTalk(command: string, fields: Fields): PlaceTalkMessage | undefined {
  switch (command) {
    case "PLACE_ASK":
      return { command, ask: integerField(fields.ask, "ask", 0, MAX_INTEGER) };
    case "PLACE_SAID":
      return {
        command,
        ask: integerField(fields.ask, "ask", 0, MAX_INTEGER),
        sequence: integerField(fields.sequence, "sequence", 0, MAX_INTEGER),
      };
    case "SESSIONS":
      return {
        command,
        users: readUsers(fields.users, (user) => ({
          plain: integerField(user.plain, "plain", 0, MAX_SESSIONS),
          resuming: integerField(user.resuming, "resuming", 0, MAX_SESSIONS),
          ...(user.behind === undefined || user.behind === null ? {} : { behind: readVector(user.behind) }),
        })),
      };
    case "BEHIND":
      return { command, users: readUsers(fields.users, (user) => ({ vector: readVector(user.vector) })) };
    case "PLACES":
      return {
        command,
        server: readServer(fields.server),
        ...readStartedAt(fields.startedAt),
        users: readUsers(fields.users, (user) => ({
          resumes: user.resumes === true,
          lostAt: integerField(user.lostAt, "lostAt", 0, MAX_INTEGER),
          vector: readVector(user.vector),
          ...(user.whole === true ? { whole: true } : {}),
        })),
      };
  }
  return undefined;
}

function readVector(value: unknown): WireVector {
  const vector = vectorField(value, "vector");
  if (Object.keys(vector).every(isServerId)) return vector;
  throw new FieldProblem('"vector" has a name that no server can have');
}

function readServer(value: unknown): string {
  const server = stringField(value, "server");
  if (!isServerId(server)) throw new FieldProblem('"server" is not the name of a server');
  return server;
}

function readStartedAt(value: unknown): { readonly startedAt?: number } {
  const startedAt = optionalIntegerField(value, "startedAt", 1, MAX_INTEGER);
  return startedAt === undefined ? {} : { startedAt };
}

function readUsers<T>(value: unknown, readUser: (user: Fields) => T): (T & { readonly username: string })[] {
  if (!Array.isArray(value) || value.length > MAX_TALKED_USERS || !value.every(isObject)) {
    throw new FieldProblem(`"users" must be a list of at most ${MAX_TALKED_USERS} objects`);
  }
  return value.map((user) => {
    const username = stringField(user.username, "username");
    if (usernameProblem(username) !== undefined) throw new FieldProblem('"username" cannot be the name of a user');
    return { username, ...readUser(user) };
  });
}
