/** Fields of messages between servers that name users. Pure. */

import { FieldProblem, stringField, stringsField } from "../fields.ts";
import { usernameProblem } from "../names.ts";

/** The most users that are online at one server. */
const MAX_USERS = 200_000;

/** A username. @throws {FieldProblem} */
export function usernameField(value: unknown, name: string): string {
  const username = stringField(value, name);
  const problem = usernameProblem(username);
  if (problem !== undefined) throw new FieldProblem(`"${name}": ${problem}`);
  return username;
}

/** The field `users`. @throws {FieldProblem} */
export function usersField(value: unknown): readonly string[] {
  const users = stringsField(value, "users");
  if (users.length > MAX_USERS) throw new FieldProblem(`"users" may name at most ${MAX_USERS} users`);
  for (const username of users) usernameField(username, "users");
  return users;
}

/** How a user came or went. @throws {FieldProblem} */
export function eventField(event: unknown): "joined" | "left" | "lost" {
  if (event === "joined" || event === "left" || event === "lost") return event;
  throw new FieldProblem('"event" must be "joined", "left" or "lost"');
}
