/**
 * What a user may do: a short table of the operator's, in which the first rule that matches counts. Rules match by
 * name, by role and by address. Where none matches, everything is allowed. Pure.
 */

import { type AddressRange, isWithin, parseAddressRange } from "../../config/address_range.ts";
import type { RightsRule, RoleRule } from "../../config/auth/auth_config.ts";
import { ANONYMOUS } from "../../protocol/names.ts";
import { matchesPattern } from "./pattern.ts";

/** What somebody may do, or not. */
export interface Permissions {
  readonly publish: boolean;
  /** To get activities and direct messages, new ones and past ones. */
  readonly read: boolean;
  /** To send direct messages. */
  readonly message: boolean;
  /** To ask who there is, and to be told who comes and goes. */
  readonly listUsers: boolean;
}

/** One of them. */
export type Right = keyof Permissions;

/** Somebody who has come through a door. */
export interface Subject {
  readonly username: string;
  /** The address that it comes from. */
  readonly address: string;
  /** A participant of the Chitty-Chat door: nobody has asked it for a secret. */
  readonly isGuest?: boolean;
}

/** A rule, read. */
export interface ReadRule {
  readonly users: readonly string[] | undefined;
  readonly roles: readonly string[] | undefined;
  readonly addresses: readonly AddressRange[] | undefined;
  readonly permissions: Permissions;
}

/** All rights. */
export const EVERYTHING: Permissions = Object.freeze({ publish: true, read: true, message: true, listUsers: true });

/** The table that the config has. */
export function readRules(rules: readonly RightsRule[]): ReadRule[] {
  return rules.map(({ users, roles, addresses, may }) => ({
    users,
    roles,
    addresses: addresses?.map((range) => parseAddressRange(range)!),
    permissions: Object.freeze({
      publish: may.includes("publish"),
      read: may.includes("read"),
      message: may.includes("message"),
      listUsers: may.includes("listUsers"),
    }),
  }));
}

/** The roles of `subject`: those that everybody of its kind has, those of the config, and `given`, of an operator. */
export function rolesOf(subject: Subject, config: readonly RoleRule[], given: readonly string[] = []): string[] {
  const { username, isGuest } = subject;
  if (username === ANONYMOUS) return ["anonymous"];
  // Nobody has proved to be the one that an operator meant.
  if (isGuest === true) return ["guest"];
  const configured = config.filter(({ users }) => users.some((pattern) => matchesPattern(pattern, username)));
  return ["named", ...configured.map(({ role }) => role), ...given];
}

/** What `subject` may do that has these roles. */
export function permissionsOf(
  { username, address }: Subject,
  roles: readonly string[],
  table: readonly ReadRule[],
): Permissions {
  const rule = table.find((rule) =>
    (rule.users?.some((pattern) => matchesPattern(pattern, username)) ?? true) &&
    (rule.roles?.some((role) => roles.includes(role)) ?? true) &&
    (rule.addresses?.some((range) => isWithin(range, address)) ?? true)
  );
  return rule?.permissions ?? EVERYTHING;
}
