/** Where operators give roles to users, for the whole network. `server/rights/roles.ts` says what roles are. */

import type { RoleRule } from "../../config/auth/auth_config.ts";
import type { Claimed } from "../../log/precedes.ts";
import type { Records } from "../rights/records.ts";
import { type GivenRoles, givenRoles, ROLES, rolesFault, rolesOf } from "../rights/roles.ts";
import { type OperatorRecords, type Refused, refused } from "./operator_records.ts";

/** What it is made with. */
export interface RoleOfficeParts {
  readonly records: Pick<Records, "get" | "of">;
  readonly setter: Pick<OperatorRecords, "problem" | "set">;
  /** The account of a name; `undefined` where there is none, or none any more. */
  account(username: string): Claimed | undefined;
  /** As the config has them now. */
  configured(): readonly RoleRule[];
}

/** A user and its roles. */
export interface UserRoles {
  readonly user: string;
  /** All that count. */
  readonly roles: readonly string[];
  /** Those that an operator has given. */
  readonly given: readonly string[];
}

/** What became of roles that an operator wanted to give. */
export type RolesResult = ({ readonly ok: true } & UserRoles) | Refused;

/** One server's. */
export class RoleOffice {
  readonly #parts: RoleOfficeParts;

  constructor(parts: RoleOfficeParts) {
    this.#parts = parts;
  }

  /** As the config says: names of users, or patterns of them. */
  get patterns(): readonly RoleRule[] {
    return this.#parts.configured();
  }

  /** Users who were given a role, or whom the config names without a `*`. Those of a pattern may be everybody. */
  get users(): UserRoles[] {
    const { records, configured } = this.#parts;
    const named = configured().flatMap(({ users }) => users.filter((pattern) => !pattern.includes("*")));
    const given = [...records.of(ROLES)].map(([user]) => user).filter((user) => this.#given(user).length > 0);
    return [...new Set([...named, ...given])].sort().map((user) => this.of(user));
  }

  /** The roles of a user. */
  of(user: string): UserRoles {
    const given = this.#given(user);
    // Where it comes from does not count for a role.
    return { user, roles: rolesOf({ username: user, address: "" }, this.#parts.configured(), given), given };
  }

  /** Gives a user these roles in place of those that an operator gave before. `by` is where that one comes from. */
  give(user: string, roles: readonly string[], by: string): Promise<RolesResult> {
    const { setter, account } = this.#parts;
    const fault = rolesFault(roles);
    if (fault !== undefined) return Promise.resolve(refused("WRONG", fault));
    const claim = account(user);
    if (claim === undefined) return Promise.resolve(refused("UNKNOWN", `there is no user ${JSON.stringify(user)}`));
    const { problem } = setter;
    if (problem !== undefined) return Promise.resolve(problem);
    const words = [...new Set(roles)];
    const { lamport, origin } = claim;
    const value: GivenRoles | null = words.length === 0 ? null : { roles: words, claim: { lamport, origin }, by };
    const event = {
      ...{ what: "rolesChanged", by: "operator", from: by, of: user } as const,
      more: { roles: words.join(" ") },
    };
    const all = rolesOf({ username: user, address: "" }, this.#parts.configured(), words);
    return setter.set({ of: ROLES, key: user, value }, event, { ok: true, user, roles: all, given: words });
  }

  #given(user: string): string[] {
    const { records, account } = this.#parts;
    return givenRoles(records.get(ROLES, user), account(user));
  }
}
