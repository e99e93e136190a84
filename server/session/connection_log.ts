/**
 * What the operator's log says of one connection: that it came, and why it ended. A caller that is refused again and
 * again costs no lines of its own: `server/accounts/refusal_log.ts` counts it. The audit log is told of logins that
 * failed, and of registrations.
 */

import { getLogger } from "@logtape/logtape";
import type { RefusalLog } from "../accounts/refusal_log.ts";
import type { AuditKind, Auditor } from "../audit/audit_event.ts";
import type { CloseReason } from "../../protocol/close_reason.ts";
import type { Phase } from "./connection_phase.ts";
import type { Session, SessionEffect } from "./session_state.ts";

/** The connection, as its lines need it. */
export interface LoggedConnection {
  readonly remoteHost: string;
  /** Host and port. */
  readonly address: string;
  /** The user where there is one, and the address. */
  readonly name: string;
}

/** Where it is written. */
export interface ConnectionLogParts {
  readonly refusals: RefusalLog;
  readonly auditor: Auditor;
}

/** What a stranger is told. */
type Answer = Extract<SessionEffect, { kind: "send" }>["message"];

/** Refusals with which the name says nothing that others do not know. */
const PUBLIC_NAME: ReadonlySet<string | undefined> = new Set(["WRONG_SECRET", "LOGGED_IN_ELSEWHERE", "NAME_TAKEN"]);
/** Ends that the other side has brought about. */
const BY_CLIENT = new Set<CloseReason>(["CLOSED_BY_OTHER_SIDE", "CONNECTION_RESET", "LOGGED_OUT"]);
/** Ends of those whom the server did not want, if it had not let them in before. */
const REFUSALS = new Set<CloseReason>([
  ...["INVALID_MESSAGE", "AUTHENTICATION_FAIL", "LOGIN_FAILED", "REGISTER_FAILED"] as const,
  ...["IDENTIFY_TIMEOUT", "TOO_MANY"] as const,
]);
const logger = getLogger(["thrum", "connection"]);

/** One connection's lines. */
export class ConnectionLog {
  readonly #connection: LoggedConnection;
  readonly #refusals: RefusalLog;
  readonly #auditor: Auditor;
  #hasBegun = false;
  /** Whether it has connected, and it is not known who it is. */
  #isStranger = false;

  constructor(connection: LoggedConnection, { refusals, auditor }: ConnectionLogParts) {
    this.#connection = connection;
    this.#refusals = refusals;
    this.#auditor = auditor;
  }

  /**
   * It came. This is told once it was let in where its address was refused a moment ago, or has many connections that
   * say nothing.
   */
  came(): void {
    this.#isStranger = this.#refusals.came(this.#connection.remoteHost);
    if (this.#isStranger) this.#begin();
  }

  /** It has said who it is, and that is good. */
  letIn(): void {
    this.settle();
    this.#begin();
  }

  /** It is no stranger any more: somebody else tells of it, or it is over. */
  settle(): void {
    if (!this.#isStranger) return;
    this.#isStranger = false;
    this.#refusals.settled(this.#connection.remoteHost);
  }

  #begin(): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    logger.info("connected with {address}", { address: this.#connection.address });
  }

  /** It is told `message` before it is let in. `session` is what it was until then, `username` whom it asked for. */
  answered(message: Answer, session: Session, username: string | undefined): void {
    const what = refusedAs(message);
    if (what === undefined) return;
    const reason = "reason" in message ? message.reason : undefined;
    const asked = session.kind === "verifying" ? session.message.username : username;
    // Somebody may have typed the secret in the place of the name. Only names that have an account are noted.
    const of = PUBLIC_NAME.has(reason) ? asked : undefined;
    this.#auditor.audit({ what, from: this.#connection.remoteHost, of, ...(reason && { more: { reason } }) });
  }

  /** It has made an account. */
  registered(username: string): void {
    this.letIn();
    this.#auditor.audit({ what: "registered", from: this.#connection.remoteHost, of: username });
    logger.info("registered {username} for {address}", { username, address: this.#connection.address });
  }

  /** It is over. `kind` is what it was; a stranger was not let in. */
  ended(reason: CloseReason, why: string, kind: Phase["kind"], username: string): void {
    this.settle();
    const { name, remoteHost } = this.#connection;
    const words = BY_CLIENT.has(reason)
      ? "closed by client {address}: {why}"
      : "closed by server {address}: {why} ({reason})";
    const isRefused = kind === "stranger" && REFUSALS.has(reason);
    const isNew = !isRefused || this.#refusals.refused(remoteHost, `${why} (${reason})`);
    const end = { address: name, why, reason };
    if (this.#hasBegun && isNew) logger.info(words, end);
    else logger.debug(words, end);
    if (kind === "client") logger.info("{username} disconnected", { username });
  }
}

/** As what the audit log notes this answer; `undefined` if it does not. */
function refusedAs(message: Answer): AuditKind | undefined {
  switch (message.command) {
    case "LOGIN_FAILED":
      return "loginFailed";
    case "REGISTER_FAILED":
      return "registrationFailed";
    // So a client that is not plain is told that it has tried too many secrets.
    case "END_CONNECTION":
      return message.reason === "TOO_MANY" ? "loginFailed" : undefined;
    default:
      return undefined;
  }
}
