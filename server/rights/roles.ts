/**
 * Who has which role: those that everybody of a kind has, those of the config, and those that an operator has given.
 * Here they are joined, and nowhere else. What an operator gives is a record of the log. It is about one registration:
 * who gets the name later, as another server had registered it earlier, has none of its roles. Pure.
 */

import { BUILT_IN_ROLES, isRole, type RoleRule } from "../../config/auth/auth_config.ts";
import type { Claimed } from "../../log/precedes.ts";
import { ANONYMOUS } from "../../protocol/names.ts";
import { matchesPattern } from "./pattern.ts";
import type { Subject } from "./permissions.ts";

/** The kind of record that the roles of a user are. Its key is the name, its value `GivenRoles`. */
export const ROLES = "role";

/** What a record says. */
export interface GivenRoles {
  readonly roles: readonly string[];
  /** The registration that they are given to. */
  readonly claim: Claimed;
  /** Where the operator came from. */
  readonly by: string;
}

/** How many an operator may give to one user. */
export const MAX_GIVEN_ROLES = 16;

/** What is wrong with roles that an operator wants to give, in words. */
export function rolesFault(roles: readonly string[]): string | undefined {
  if (roles.length > MAX_GIVEN_ROLES) return `a user is given ${MAX_GIVEN_ROLES} roles at most`;
  const wrong = roles.find((role) => !isRole(role));
  if (wrong !== undefined) return `${JSON.stringify(wrong)} is no role: a word of 1 to 32 letters, digits, - and _`;
  const builtIn = roles.find((role) => BUILT_IN_ROLES.includes(role));
  return builtIn === undefined ? undefined : `nobody is given the role ${builtIn}: it says how somebody came in`;
}

/** The roles in a record, for the `account` of its name; none where it is about another one, or makes no sense. */
export function givenRoles(value: unknown, account: Claimed | undefined): string[] {
  if (typeof value !== "object" || value === null || account === undefined) return [];
  const { roles, claim } = value as Partial<GivenRoles>;
  const isAbout = claim?.lamport === account.lamport && claim.origin === account.origin;
  if (!isAbout || !Array.isArray(roles)) return [];
  const words = roles.filter((role) => typeof role === "string");
  return rolesFault(words) === undefined ? words : [];
}

/** The roles of `subject`: `config` is `auth.roles`, and `given` what an operator has given. Each once. */
export function rolesOf(subject: Subject, config: readonly RoleRule[], given: readonly string[] = []): string[] {
  const { username, isGuest } = subject;
  if (username === ANONYMOUS) return ["anonymous"];
  // Nobody has proved to be the one that an operator meant.
  if (isGuest === true) return ["guest"];
  const configured = config.filter(({ users }) => users.some((pattern) => matchesPattern(pattern, username)));
  return [...new Set(["named", ...configured.map(({ role }) => role), ...given])];
}
