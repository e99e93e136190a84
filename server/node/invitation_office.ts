/**
 * Where invitations are made, listed and taken back, for the whole network. `server/rights/invitations.ts` says what
 * one is, and `server/session/login/invitations.ts` uses them up.
 */

import type { Clock } from "../../platform/clock.ts";
import type { SecretCrypto } from "../../platform/crypto.ts";
import { readableCode } from "../rights/readable_code.ts";
import {
  type Invitation,
  INVITATION_BYTES,
  invitationFault,
  invitationKey,
  INVITATIONS,
  invitationsOf,
  type InvitationState,
  meantInvitation,
} from "../rights/invitations.ts";
import type { Records } from "../rights/records.ts";
import { type OperatorRecords, type Refused, refused } from "./operator_records.ts";

/** What it is made with. */
export interface InvitationOfficeParts {
  readonly records: Pick<Records, "of" | "get">;
  readonly setter: Pick<OperatorRecords, "problem" | "set">;
  readonly crypto: Pick<SecretCrypto, "digest" | "randomBytes">;
  readonly clock: Pick<Clock, "wallMs">;
}

/** What became of an invitation; `code` is for the operator, who hands it on. `key` names it from then on. */
export type InviteResult = { readonly ok: true; readonly code: string; readonly key: string } | Refused;

/** What became of one that is taken back. */
export type WithdrawResult = { readonly ok: true; readonly key: string } | Refused;

/** One server's. */
export class InvitationOffice {
  readonly #parts: InvitationOfficeParts;

  constructor(parts: InvitationOfficeParts) {
    this.#parts = parts;
  }

  /** All that were not taken back, and how they stand. */
  get all(): InvitationState[] {
    const { records, clock } = this.#parts;
    return invitationsOf(records, clock.wallMs());
  }

  /**
   * Makes an invitation: with its code somebody may register where not everybody may. The code is told here and kept
   * nowhere. `by` is where the operator comes from. Never rejects.
   */
  make(invitation: Omit<Invitation, "by">, by: string): Promise<InviteResult> {
    const { crypto, setter } = this.#parts;
    const fault = invitationFault(invitation);
    const problem = fault === undefined ? setter.problem : refused("WRONG", fault);
    if (problem !== undefined) return Promise.resolve(problem);
    const code = readableCode(crypto.randomBytes(INVITATION_BYTES));
    const key = this.#keyOf(code);
    const { uses, until, note } = invitation;
    const value = { uses, until, ...(note === undefined ? {} : { note }), by };
    const more = { uses, ...(until === null ? {} : { until }), ...(note === undefined ? {} : { note }) };
    const event = { what: "invited", by: "operator", from: by, of: key, more } as const;
    return setter.set({ of: INVITATIONS, key, value }, event, { ok: true, code, key });
  }

  /**
   * Takes an invitation back: nobody registers with it any more. `named` is its code, its key, or the beginning of its
   * key. Never rejects.
   */
  withdraw(named: string, by: string): Promise<WithdrawResult> {
    const { records, crypto, setter } = this.#parts;
    const meant = meantInvitation(named, records, (text) => crypto.digest(text));
    // Not what was typed: it may be a code.
    if (meant === undefined) return Promise.resolve(refused("UNKNOWN", "there is no such invitation"));
    if (meant === "several") return Promise.resolve(refused("SEVERAL", "more than one invitation begins so"));
    const { problem } = setter;
    if (problem !== undefined) return Promise.resolve(problem);
    const { key } = meant;
    const event = { what: "invitationWithdrawn", by: "operator", from: by, of: key } as const;
    return setter.set({ of: INVITATIONS, key, value: null }, event, { ok: true, key });
  }

  #keyOf(code: string): string {
    return invitationKey(code, (text) => this.#parts.crypto.digest(text));
  }
}
