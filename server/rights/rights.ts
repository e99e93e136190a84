/**
 * What the rules of one server come to: who may come in and do what, and who may register. The config and the records
 * of operators come in. Pure.
 */

import type { AuthConfig } from "../../config/auth/auth_config.ts";
import { ANONYMOUS } from "../../protocol/names.ts";
import { freePlace } from "./invitations.ts";
import type { TakenNames } from "./names/taken_names.ts";
import {
  areSamePermissions,
  EVERYTHING,
  mayReadAll,
  type Permissions,
  permissionsOf,
  type ReadRule,
  readRules,
  type Subject,
} from "./permissions.ts";
import type { Claimed } from "../../log/precedes.ts";
import type { Records } from "./records.ts";
import { type Registrant, type RegistrationRefusal, registrationRefusal } from "./registration.ts";
import { givenRoles, ROLES, rolesOf } from "./roles.ts";

/** Where it looks. */
export interface RightsParts {
  /** At the start. `reload` takes another one. */
  readonly auth: AuthConfig;
  readonly records: Pick<Records, "get">;
  readonly takenNames: Pick<TakenNames, "alike">;
  hasAccount(username: string): boolean;
  /** The account of a name that roles are given to. */
  account(username: string): Claimed | undefined;
  /** By which servers know the code of an invitation. */
  invitationKey(code: string): string;
}

/** The rules of one server. */
export class Rights {
  readonly #parts: RightsParts;
  #auth: AuthConfig;
  #table: readonly ReadRule[];

  constructor(parts: RightsParts) {
    this.#parts = parts;
    this.#auth = parts.auth;
    this.#table = readRules(parts.auth.rights);
  }

  /** Goes by `auth` from now on. `RightsWatch` sees to the sessions whose rights are others now. */
  reload(auth: AuthConfig): void {
    this.#auth = auth;
    this.#table = readRules(auth.rights);
  }

  /** Whether somebody may come in without a name. */
  get allowsAnonymous(): boolean {
    return this.#auth.anonymous;
  }

  /** What `subject` may do. */
  of(subject: Subject): Permissions {
    if (this.#table.length === 0) return EVERYTHING;
    const { records, account } = this.#parts;
    const value = records.get(ROLES, subject.username);
    const given = value === undefined ? [] : givenRoles(value, account(subject.username));
    return permissionsOf(subject, rolesOf(subject, this.#auth.roles, given), this.#table);
  }

  /** Whether `subject` may do what it could do before, and no more. */
  areStill(before: Permissions, subject: Subject): boolean {
    return areSamePermissions(before, this.of(subject));
  }

  /** Whether what comes through a door that asks for no login is published under this name. */
  mayPublish(username: string, address: string): boolean {
    return (username !== ANONYMOUS || this.allowsAnonymous) && this.of({ username, address }).publish;
  }

  /** Whether who has shown nothing may look at the network: who there is, what is said, and in which channels. */
  mayLook(address: string): boolean {
    const may = this.of({ username: ANONYMOUS, address });
    return may.listUsers && mayReadAll(may);
  }

  /** Why nobody may register this at `wallMs`, in milliseconds since 1970; `undefined` if somebody may. */
  registrationRefusal(registrant: Registrant, wallMs: number): RegistrationRefusal | undefined {
    const { records, takenNames, hasAccount, invitationKey } = this.#parts;
    return registrationRefusal(registrant, this.#auth, {
      hasAccount,
      alike: (username) => takenNames.alike(username),
      invitationProblem: (code) => {
        const found = freePlace(invitationKey(code), records, wallMs);
        return found.ok ? undefined : found.problem;
      },
    });
  }
}
