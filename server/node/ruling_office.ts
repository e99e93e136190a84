/**
 * Where rulings of operators are laid down and carried out. One is laid down at any server as a record of the log, and
 * comes to all others like every entry. Wherever it comes, whoever it is about is shown out at once.
 * `server/accounts/rulings.ts` knows what holds, and who comes later is refused by it.
 */

import { getLogger } from "@logtape/logtape";
import { isWithin, parseAddressRange } from "../../config/address_range.ts";
import type { SecretCrypto } from "../../platform/crypto.ts";
import { readableCode } from "../rights/readable_code.ts";
import type { CloseReason } from "../../protocol/close_reason.ts";
import { makeVerifier } from "../accounts/verifier.ts";
import { checkRuling, type Ruling, type RulingKind } from "../accounts/ruling.ts";
import type { Rulings } from "../accounts/rulings.ts";
import type { AuditEvent, AuditKind } from "../audit/audit_event.ts";
import type { Backplane } from "../backplane/backplane.ts";
import type { Sessions } from "../hub/sessions.ts";
import type { Journal } from "../journal/journal.ts";
import type { PlaceKeeper } from "../places/place_keeper.ts";
import type { UserLists } from "../presence/user_lists.ts";
import type { ServedConnection } from "../session/served_connection.ts";
import { type OperatorRecords, type Refused, refused } from "./operator_records.ts";

/** What it is made with. */
export interface RulingOfficeParts {
  readonly rulings: Rulings;
  readonly journal: Pick<Journal, "directMessages" | "records" | "whenDelivered">;
  readonly setter: Pick<OperatorRecords, "problem" | "set">;
  readonly backplane: Pick<Backplane, "members">;
  readonly sessions: Pick<Sessions, "of">;
  readonly connections: Iterable<ServedConnection>;
  readonly userLists: Pick<UserLists, "removed">;
  readonly placeKeeper: Pick<PlaceKeeper, "forgetUser">;
  readonly crypto: SecretCrypto;
}

/** A ruling as it is asked for: the account that it is about is looked up. */
export interface AskedRuling {
  readonly kind: RulingKind;
  readonly about: string;
  /** Whether an earlier one is lifted. */
  readonly lifts?: boolean;
  readonly until?: number;
  readonly why?: string;
  readonly verifier?: string;
  readonly by: string;
}

/** What became of a ruling. */
export type RulingResult = { readonly ok: true; readonly ruling: Ruling } | Refused;

/** What became of a reset; `secret` is for the operator, who hands it to the user. */
export type ResetResult = { readonly ok: true; readonly secret: string } | Refused;

/** More than operators make by hand. Programs that ban addresses have to let their bans end. */
export const MAX_RULINGS = 20_000;
/** What those hear who are shown out. */
const REASONS: Readonly<Record<RulingKind, CloseReason>> = {
  ban: "BANNED",
  bannedAddress: "BANNED",
  disabled: "DISABLED",
  deleted: "DELETED",
  secret: "SECRET_CHANGED",
};
/** What the audit log calls it when one is laid down, and when it is lifted. */
const AUDITED: Readonly<Record<RulingKind, readonly [made: AuditKind, lifted: AuditKind]>> = {
  ban: ["banned", "banLifted"],
  bannedAddress: ["banned", "banLifted"],
  disabled: ["accountDisabled", "accountEnabled"],
  deleted: ["accountForgotten", "accountForgotten"],
  secret: ["secretChanged", "secretChanged"],
};
/** Four groups of four characters: 80 bits of chance. */
const SECRET_CHARACTERS = 16;
const GROUP_OF = 4;
const logger = getLogger(["thrum", "server"]);

/** One server's. */
export class RulingOffice {
  readonly #parts: RulingOfficeParts;

  constructor(parts: RulingOfficeParts) {
    this.#parts = parts;
    const { journal, rulings } = parts;
    journal.records.all.listen((record) => {
      const ruling = rulings.came(record);
      if (ruling !== undefined) journal.whenDelivered(() => this.#carryOut(ruling, record.origin));
    });
  }

  /** All that hold. */
  get all(): Iterable<Ruling> {
    return this.#parts.rulings;
  }

  /**
   * An account of this name comes into the log. It may be one that was deleted before it came: then what belongs to it
   * goes with it.
   */
  named(username: string): void {
    const { journal } = this.#parts;
    if (journal.records.all.get("deleted", username) === undefined) return;
    journal.whenDelivered(() => this.#forgetDeleted(username));
  }

  /**
   * Lays `asked` down for the whole network. Resolves when it is stored, and carried out here. Never rejects. `from` is
   * the address of a user who asks for its own account.
   */
  make(asked: AskedRuling, from?: string): Promise<RulingResult> {
    const checked = this.#check(asked);
    if ("ok" in checked) return Promise.resolve(checked);
    const { kind: of, about: key, terms: value = null } = checked;
    const who = from === undefined ? { by: "operator", from: asked.by } : { by: checked.about, from };
    return this.#parts.setter.set({ of, key, value }, auditOf(checked, who), { ok: true, ruling: checked });
  }

  /**
   * Gives the account of `username` a new secret, which is told here and kept nowhere. Rejects if it cannot be derived.
   */
  async reset(username: string, by: string): Promise<ResetResult> {
    const { crypto } = this.#parts;
    const secret = readableCode(crypto.randomBytes(SECRET_CHARACTERS), GROUP_OF);
    // Looked at first, as a derivation is costly.
    const checked = this.#check({ kind: "secret", about: username, verifier: "-", by });
    if ("ok" in checked) return checked;
    const verifier = await makeVerifier(secret, crypto, "scram");
    const made = await this.make({ kind: "secret", about: username, verifier, by });
    return made.ok ? { ok: true, secret } : made;
  }

  /** The ruling in its one form, or why it cannot be laid down. */
  #check({ kind, about, lifts = false, ...terms }: AskedRuling): Ruling | Refused {
    const { rulings, setter } = this.#parts;
    const account = kind === "bannedAddress" ? undefined : rulings.account(about);
    const names = kind === "deleted" || kind === "secret";
    const { lamport = 0, origin = "nobody" } = account ?? {};
    const claimed = names ? { ...terms, claim: { lamport, origin } } : terms;
    const ruling = checkRuling({ kind, about, terms: lifts ? undefined : claimed });
    if ("problem" in ruling) return refused("WRONG", ruling.problem);
    if (!lifts && (names || kind === "disabled") && account === undefined) {
      return refused("UNKNOWN", `there is no user ${JSON.stringify(about)}`);
    }
    const server = lifts || kind !== "bannedAddress" ? undefined : this.#serverIn(ruling.about);
    if (server !== undefined) return refused("SERVER_ADDRESS", `the server ${server} of this network is there`);
    const { problem } = setter;
    if (problem !== undefined) return problem;
    // Of those that users want there is one for each account. Those that have ended keep nobody out.
    if (!lifts && !names && [...rulings].filter((one) => one.kind === kind).length >= MAX_RULINGS) {
      return refused("TOO_MANY", `${MAX_RULINGS} of these hold already`);
    }
    return ruling;
  }

  #carryOut(ruling: Ruling, origin: string): void {
    const { rulings, sessions, connections } = this.#parts;
    const { kind, about, terms } = ruling;
    logger.info("{what}, as {by} at {origin} wants", { what: textOf(ruling), by: terms?.by ?? "somebody", origin });
    if (kind === "bannedAddress") {
      for (const connection of [...connections]) {
        const barred = rulings.barredAddress(connection.remoteHost);
        if (barred !== undefined && connection.describe(0).kind !== "server") connection.end("BANNED", barred.info);
      }
      return;
    }
    const barred = rulings.barredUser(about);
    // A secret of an account that lost its name to another one is nobody's.
    const isNewSecret = kind === "secret" && rulings.account(about)?.verifier === terms?.verifier;
    if (barred !== undefined || isNewSecret) {
      for (const session of sessions.of(about)) session.end(REASONS[kind], barred?.info);
    }
    if (kind === "deleted") this.#forgetDeleted(about);
  }

  /** Nobody finds, writes to or is the user any more, and nothing waits for it. */
  #forgetDeleted(username: string): void {
    const { rulings, journal, userLists, placeKeeper } = this.#parts;
    if (!rulings.isDeleted(username)) return;
    userLists.removed(username);
    journal.directMessages.drop(username);
    placeKeeper.forgetUser(username);
  }

  /** A server of the network in this range, as far as its address is known. */
  #serverIn(address: string): string | undefined {
    const range = parseAddressRange(address)!;
    return this.#parts.backplane.members.find(({ host }) => isWithin(range, host))?.serverId;
  }
}

/** What the audit log says of a ruling. The server writes it that was asked. */
function auditOf({ kind, about, terms }: Ruling, who: Pick<AuditEvent, "by" | "from">): AuditEvent {
  const { until, why } = terms ?? {};
  const more = { ...(until === undefined ? {} : { until }), ...(why === undefined ? {} : { why }) };
  return { what: AUDITED[kind][terms === undefined ? 1 : 0], ...who, of: about, more };
}

/** A ruling in words, for the log. */
function textOf({ kind, about, terms }: Ruling): string {
  const holds = terms !== undefined;
  switch (kind) {
    case "ban":
    case "bannedAddress":
      return `${about} is ${holds ? "banned" : "not banned any more"}`;
    case "disabled":
      return `the account ${about} is ${holds ? "disabled" : "enabled"}`;
    case "deleted":
      return `the account ${about} is deleted`;
    case "secret":
      return `the account ${about} has another secret`;
  }
}
