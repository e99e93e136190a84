/**
 * Which names nobody can have any more: those that have an account, those that look like one, and the places of an
 * invitation that are used. Pure: accounts and records come in.
 */

import { isPlaceOfInvitation, placeIn, USES } from "../invitations.ts";
import type { Records } from "../records.ts";
import { NameIndex } from "./name_index.ts";

/** Where it looks. */
export interface TakenNamesParts {
  /** All names that have an account. Asked once. */
  usernames(): Iterable<string>;
  /** Whether there is such a user, stored or not yet. */
  hasAccount(username: string): boolean;
  readonly records: Pick<Records, "get">;
}

/** The names of one server. */
export class TakenNames {
  readonly #parts: TakenNamesParts;
  readonly #index: NameIndex;

  constructor(parts: TakenNamesParts) {
    this.#parts = parts;
    this.#index = new NameIndex(() => parts.usernames());
  }

  /** A name has an account from now on. */
  add(username: string): void {
    this.#index.add(username);
  }

  /** Another name that exists and looks like this one. */
  alike(username: string): string | undefined {
    return this.#index.alike(username);
  }

  /** Whether nobody can claim `name`, by what is known here. */
  isTaken(name: string): boolean {
    if (isPlaceOfInvitation(name)) return this.#parts.records.get(USES, placeIn(name)) !== undefined;
    return this.#parts.hasAccount(name) || this.alike(name) !== undefined;
  }
}
