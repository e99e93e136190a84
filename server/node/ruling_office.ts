/**
 * Where rulings of operators are laid down and carried out. One is laid down at any server as a record of the log, and
 * comes to all others like every entry. Wherever it comes, whoever it is about is shown out at once.
 * `server/accounts/rulings.ts` knows what holds, and who comes later is refused by it.
 */

import { getLogger } from "@logtape/logtape";
import { isWithin, parseAddressRange } from "../../config/address_range.ts";
import { toHex } from "../../platform/hex.ts";
import type { SecretCrypto } from "../../platform/crypto.ts";
import type { CloseReason } from "../../protocol/close_reason.ts";
import { RECORDS_FEATURE } from "../../protocol/peer/peer_message.ts";
import type { WireRecord } from "../../protocol/peer/record_codec.ts";
import { makeVerifier } from "../accounts/verifier.ts";
import { TOKEN_RECORD, tokenDigest, type TokenRole } from "../accounts/operator_tokens.ts";
import { checkRuling, type Ruling, type RulingKind } from "../accounts/ruling.ts";
import type { Rulings } from "../accounts/rulings.ts";
import type { AuditEvent, AuditKind, Auditor } from "../audit/audit_event.ts";
import type { Backplane } from "../backplane/backplane.ts";
import type { Sessions } from "../hub/sessions.ts";
import type { Journal } from "../journal/journal.ts";
import type { PlaceKeeper } from "../places/place_keeper.ts";
import type { UserLists } from "../presence/user_lists.ts";
import {
  type Invitation,
  INVITATION_BYTES,
  invitationCode,
  invitationFault,
  invitationKey,
  INVITATIONS,
} from "../rights/invitations.ts";
import type { ServedConnection } from "../session/served_connection.ts";

/** What it is made with. */
export interface RulingOfficeParts {
  readonly rulings: Rulings;
  readonly journal: Pick<Journal, "directMessages" | "records" | "whenDelivered" | "saveNote">;
  readonly backplane: Pick<Backplane, "members" | "routes">;
  readonly sessions: Pick<Sessions, "of">;
  readonly connections: Iterable<ServedConnection>;
  readonly userLists: Pick<UserLists, "removed">;
  readonly placeKeeper: Pick<PlaceKeeper, "forgetUser">;
  readonly crypto: SecretCrypto;
  readonly auditor: Auditor;
  /** The notes of the store when it was opened. */
  readonly kept: Readonly<Record<string, string>>;
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

/** Why a ruling was not laid down. */
export type RulingProblem = "WRONG" | "UNKNOWN_USER" | "SERVER_ADDRESS" | "OLDER_VERSION" | "TOO_MANY";

/** A ruling that was not laid down, and why. */
export interface RefusedRuling {
  readonly ok: false;
  readonly problem: RulingProblem;
  readonly sentence: string;
}

/** What became of a ruling. */
export type RulingResult = { readonly ok: true; readonly ruling: Ruling } | RefusedRuling;

/** What became of a reset; `secret` is for the operator, who hands it to the user. */
export type ResetResult = { readonly ok: true; readonly secret: string } | RefusedRuling;

/** What became of an invitation; `code` is for the operator, who hands it on. */
export type InviteResult = { readonly ok: true; readonly code: string } | RefusedRuling;

/** What became of a token; `token` is for the operator, and empty where there is none any more. */
export type TokenResult = { readonly ok: true; readonly token: string } | RefusedRuling;

/** Keeps which members were seen to act on records. */
const KNOWN_NOTE = "records-known";
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
const TOKEN_BYTES = 16;
const SECRET_CHARACTERS = 16;
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const logger = getLogger(["thrum", "server"]);

/** One server's. */
export class RulingOffice {
  readonly #parts: RulingOfficeParts;
  /** Members that were seen to act on records: one that is away now will be told. */
  readonly #known: Set<string>;

  constructor(parts: RulingOfficeParts) {
    this.#parts = parts;
    this.#known = new Set((parts.kept[KNOWN_NOTE] ?? "").split(" ").filter((name) => name !== ""));
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
   * Lays `asked` down for the whole network. Resolves when it is stored, and carried out here. Never rejects. `from` is
   * the address of a user who asks for its own account.
   */
  make(asked: AskedRuling, from?: string): Promise<RulingResult> {
    const checked = this.#check(asked);
    if ("ok" in checked) return Promise.resolve(checked);
    const { kind: of, about: key, terms: value = null } = checked;
    const who = from === undefined ? { by: "operator", from: asked.by } : { by: checked.about, from };
    return this.#set({ of, key, value }, auditOf(checked, who), { ok: true, ruling: checked });
  }

  /**
   * Gives the account of `username` a new secret, which is told here and kept nowhere. Rejects if it cannot be derived.
   */
  async reset(username: string, by: string): Promise<ResetResult> {
    const { crypto } = this.#parts;
    const secret = madeSecret(crypto.randomBytes(SECRET_CHARACTERS));
    // Looked at first, as a derivation is costly.
    const checked = this.#check({ kind: "secret", about: username, verifier: "-", by });
    if ("ok" in checked) return checked;
    const verifier = await makeVerifier(secret, crypto, "scram");
    const made = await this.make({ kind: "secret", about: username, verifier, by });
    return made.ok ? { ok: true, secret } : made;
  }

  /**
   * Makes the token of a role that counts at every server, in place of the last one; with `ends` there is none from
   * then on. Never rejects.
   */
  setToken(role: TokenRole, by: string, ends = false): Promise<TokenResult> {
    const { crypto } = this.#parts;
    const older = this.#olderProblem();
    if (older !== undefined) return Promise.resolve(older);
    const token = ends ? "" : toHex(crypto.randomBytes(TOKEN_BYTES));
    const value = ends ? null : { digest: tokenDigest(token, (text) => crypto.digest(text)), by };
    const event = { what: "operatorTokenChanged", by: "operator", from: by, of: role, more: { ends } } as const;
    return this.#set({ of: TOKEN_RECORD, key: role, value }, event, { ok: true, token });
  }

  /**
   * Makes an invitation: with its code somebody may register where not everybody may. The code is told here and kept
   * nowhere. Never rejects.
   */
  invite(invitation: Invitation, by: string): Promise<InviteResult> {
    const { crypto } = this.#parts;
    const fault = invitationFault(invitation);
    const problem = fault === undefined ? this.#olderProblem() : refused("WRONG", fault);
    if (problem !== undefined) return Promise.resolve(problem);
    const code = invitationCode(crypto.randomBytes(INVITATION_BYTES));
    const key = invitationKey(code, (text) => crypto.digest(text));
    const { uses, until } = invitation;
    const more = { uses, ...(until === null ? {} : { until }) };
    const event = { what: "invited", by: "operator", from: by, of: key, more } as const;
    return this.#set({ of: INVITATIONS, key, value: { uses, until } }, event, { ok: true, code });
  }

  /** The members that are not known to act on records, with their addresses. One of them may be away. */
  get olderMembers(): string[] {
    const { members, routes } = this.#parts.backplane;
    const linked = new Map([...routes].map(({ serverId, features }) => [serverId, features.includes(RECORDS_FEATURE)]));
    return members.filter(({ serverId }) => !(linked.get(serverId) ?? this.#known.has(serverId)))
      .map(({ serverId, host, port }) => `${serverId} (${host}:${port})`);
  }

  /** There is a way to this server: whether it acts on records is known from now on. */
  met(serverId: string): void {
    const { members, routes } = this.#parts.backplane;
    const route = [...routes].find((route) => route.serverId === serverId);
    if (route === undefined) return;
    const follows = route.features.includes(RECORDS_FEATURE);
    if (this.#known.has(serverId) === follows) return;
    if (follows) this.#known.add(serverId);
    else this.#known.delete(serverId);
    // Not those that are gone for good.
    const names = new Set(members.map((member) => member.serverId));
    for (const name of this.#known) if (!names.has(name)) this.#known.delete(name);
    this.#parts.journal.saveNote(KNOWN_NOTE, [...this.#known].join(" "));
  }

  /** Sets `record` for the whole network. Gives `result` when it is stored, and the audit log has it. */
  #set<R>(record: WireRecord, event: AuditEvent, result: R): Promise<R> {
    const { journal, auditor } = this.#parts;
    return new Promise((resolve) =>
      journal.records.set(record, () => {
        auditor.audit(event);
        resolve(result);
      })
    );
  }

  /** The ruling in its one form, or why it cannot be laid down. */
  #check({ kind, about, lifts = false, ...terms }: AskedRuling): Ruling | RefusedRuling {
    const { journal, rulings } = this.#parts;
    const account = kind === "bannedAddress" ? undefined : rulings.account(about);
    const names = kind === "deleted" || kind === "secret";
    const { lamport = 0, origin = "nobody" } = account ?? {};
    const claimed = names ? { ...terms, claim: { lamport, origin } } : terms;
    const ruling = checkRuling({ kind, about, terms: lifts ? undefined : claimed });
    if ("problem" in ruling) return refused("WRONG", ruling.problem);
    if (!lifts && (names || kind === "disabled") && account === undefined) {
      return refused("UNKNOWN_USER", `there is no user ${JSON.stringify(about)}`);
    }
    const server = lifts || kind !== "bannedAddress" ? undefined : this.#serverIn(ruling.about);
    if (server !== undefined) return refused("SERVER_ADDRESS", `the server ${server} of this network is there`);
    const older = this.#olderProblem();
    if (older !== undefined) return older;
    // Of those that users want there is one for each account.
    if (!lifts && !names && [...journal.records.all.of(kind)].length >= MAX_RULINGS) {
      return refused("TOO_MANY", `${MAX_RULINGS} of these hold already`);
    }
    return ruling;
  }

  #olderProblem(): RefusedRuling | undefined {
    const older = this.olderMembers;
    if (older.length === 0) return undefined;
    return refused("OLDER_VERSION", `not every server of the network is known to follow this: ${older.join(", ")}`);
  }

  #carryOut(ruling: Ruling, origin: string): void {
    const { rulings, journal, sessions, connections, userLists, placeKeeper } = this.#parts;
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
    if (kind !== "deleted" || !rulings.isDeleted(about)) return;
    userLists.removed(about);
    journal.directMessages.drop(about);
    placeKeeper.forgetUser(about);
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

/** Four groups of four letters and digits: 80 bits of chance, and none that is taken for another. */
function madeSecret(chance: Uint8Array): string {
  return [...chance].map((byte, index) => (index > 0 && index % 4 === 0 ? "-" : "") + ALPHABET[byte % 32]).join("");
}

function refused(problem: RulingProblem, sentence: string): RefusedRuling {
  return { ok: false, problem, sentence };
}
