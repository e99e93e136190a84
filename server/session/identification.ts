/**
 * Finds out who is at the other end of a connection: how long this may take, and what has to be looked up or made
 * before a LOGIN or REGISTER is answered. It ends when the answer is known. `session.ts` decides what the other end
 * may say meanwhile, and what follows.
 */

import type { LimitsConfig } from "../../config/config.ts";
import { getLogger } from "@logtape/logtape";
import type { CloseReason } from "../../protocol/close_reason.ts";
import type { LoginMessage } from "../../protocol/message.ts";
import { UnreadableError } from "../journal/unreadable_store.ts";
import { StoreError } from "../store/store.ts";
import type { Registrant } from "../rights/registration.ts";
import type { Accounts, OwnChange } from "../accounts/accounts.ts";
import type { Rulings } from "../accounts/rulings.ts";
import type { Rights } from "../rights/rights.ts";
import type { Silence, Supervisor, SupervisorDeadline } from "../../heartbeat/supervisor.ts";
import type { FaultGuard } from "../../platform/faults.ts";
import type { Admission, LoginApplicant } from "./login/admission.ts";
import type { AddressRates } from "./limits/address_rates.ts";
import type { LongLogins } from "./limits/long_logins.ts";
import type { ConnectionOwner, SeatGiver, ServedConnection } from "./served_connection.ts";
import {
  type ChangeProblem,
  type LoginFindings,
  onAccountChanged,
  onChallenged,
  onLoginChecked,
  onRegistered,
  standingOf,
} from "./login/logging_in.ts";
import {
  type Limit,
  NEW_SESSION,
  type ProvenChange,
  type Session,
  type SessionEffect,
  type SessionStep,
} from "./session_state.ts";

/** A session of somebody who has not said who it is, or has not proved it yet. */
type NamelessSession = Extract<Session, { kind: "unidentified" | "registered" | "challenged" | "greeted" }>;
/** A session whose LOGIN or REGISTER is checked. */
type VerifyingSession = Extract<Session, { kind: "verifying" }>;
/** A session of somebody whom the server does not know yet. */
export type StrangerSession = NamelessSession | VerifyingSession;

/** Changes accounts for the whole network, as their users have asked for. */
export interface OwnAccounts {
  /** Calls `done` once: without a problem when it is stored, and the others are told. `from` is an address. */
  change(username: string, change: OwnChange, from: string, done: (problem: ChangeProblem) => void): void;
}

/** What the server finds it out with. */
export interface IdentificationParts {
  readonly admission: Pick<Admission, "checkLogin" | "challenge" | "checkAnswer" | "register">;
  readonly accounts: Pick<Accounts, "letOthersGoFirst" | "giveUp">;
  readonly rulings: Pick<Rulings, "barredUser" | "account">;
  readonly ownAccounts: OwnAccounts;
  readonly seats: SeatGiver;
  readonly rates: Pick<AddressRates, "take">;
  readonly rights: Pick<Rights, "of">;
  readonly longLogins: Pick<LongLogins, "hold">;
  readonly supervisor: Pick<Supervisor, "deadline" | "silence">;
  readonly faults: Pick<FaultGuard, "noted">;
  /** Is told when the store cannot be read. */
  readonly served: Pick<ConnectionOwner, "failed">;
  /** How long a connection may take to log in: read each time, as it may change. */
  readonly limits: Pick<LimitsConfig, "identifyTimeoutMs">;
}

/** How far it has come. */
type Stage =
  /** It has to say who it is, before the deadline. */
  | { readonly kind: "nameless"; readonly session: NamelessSession; readonly deadline: SupervisorDeadline }
  /** Its LOGIN or REGISTER is checked. The client waits, so there is no deadline; its silence counts. */
  | { readonly kind: "verifying"; readonly session: VerifyingSession }
  /** Its LOGIN is good, and no seat is free. */
  | { readonly kind: "awaitingSeat"; readonly session: VerifyingSession; readonly deadline: SupervisorDeadline };

/** What a stranger makes the server find out, or do. */
type IdentifyingEffect = Extract<
  SessionEffect,
  { kind: "checkLogin" | "challenge" | "checkAnswer" | "register" | "changeAccount" }
>;

/** The connection. */
export interface IdentificationOwner extends ServedConnection {
  readonly remoteHost: string;
  /** Host and port, for the log. */
  readonly address: string;
  /** Whether it has ended. */
  readonly isGone: boolean;
  /** Its client keeps a trace. */
  traced(login: LoginMessage, trace: NonNullable<LoginMessage["trace"]>): void;
  /** It has made an account. */
  registered(username: string): void;
  /** The server knows what follows. Lines that were held can be taken then. */
  decided(step: SessionStep): void;
  /** Does what others have called back for: what it throws is this connection's own fault. */
  contain(act: () => void): void;
}

/** How long a connection may take to log in while there are few seats left. */
const SHORT_IDENTIFY_MS = 3_000;
/** How long a client may take to derive its key and to answer. A slow phone needs a few seconds. */
const CHALLENGE_PATIENCE_MS = 30_000;
/** How long a client waits for a seat that has logged in. */
const SEAT_PATIENCE_MS = 30_000;
/** A LOGIN that names no more is no longer than other lines. */
const FEW_ORIGINS = 1_000;
/** Said where too many such logins wait for their answers. */
const TOO_LONG: Limit = Object.freeze({ info: "too many long logins are on their way", retryAfterMs: 1_000 });
const NO_DEADLINE: SupervisorDeadline = Object.freeze({ cancel: () => {} });
const NEW: Stage = Object.freeze({ kind: "nameless", session: NEW_SESSION, deadline: NO_DEADLINE });
const logger = getLogger(["thrum", "connection"]);

/** One connection's. */
export class Identification implements LoginApplicant {
  readonly #parts: IdentificationParts;
  readonly #owner: IdentificationOwner;
  #stage: Stage = NEW;
  /** Since its LOGIN or REGISTER came. */
  #silence: Silence | undefined;
  /** Ends the hold on a long LOGIN, which is in memory while its client has to answer. */
  #letGo: (() => void) | undefined;

  constructor(parts: IdentificationParts, owner: IdentificationOwner) {
    this.#parts = parts;
    this.#owner = owner;
  }

  get session(): StrangerSession {
    return this.#stage.session;
  }

  /** Whether the server checks something, and takes no line until then. */
  get isBusy(): boolean {
    return this.#stage.session.kind === "verifying";
  }

  /** For how long it has said nothing while it waited for the answer, in milliseconds of awake time. */
  get silentMs(): number {
    return this.#silence?.ms ?? 0;
  }

  get remoteHost(): string {
    return this.#owner.remoteHost;
  }

  get isGone(): boolean {
    return this.#owner.isGone;
  }

  /** Waits for it to say who it is. */
  begin(): void {
    this.#await(NEW_SESSION);
  }

  /** A line of it was taken or answered, and `session` is its session now. */
  goesOn(session: StrangerSession): void {
    if (session.kind !== "verifying") return this.#await(session);
    this.#stopDeadline();
    this.#silence = this.#parts.supervisor.silence();
    this.#stage = { kind: "verifying", session };
  }

  /** Bytes came from it. */
  heard(): void {
    this.#silence?.heard();
  }

  perform(effect: IdentifyingEffect): void {
    switch (effect.kind) {
      case "checkLogin":
        return this.#checkLogin(effect.login);
      case "challenge":
        return this.#challenge(effect);
      case "checkAnswer":
        return this.#checkAnswer(effect);
      case "register":
        return this.#register(effect.registrant);
      case "changeAccount":
        return this.#changeAccount(effect);
    }
  }

  /** It sends nothing more. Clients that may still ask for something go before it. */
  finished(): void {
    this.#parts.accounts.letOthersGoFirst(this);
  }

  /** The server knows who it is, or the connection ends. */
  leave(): void {
    this.#stopDeadline();
    this.#stopSilence();
    this.#letGo?.();
    this.#letGo = undefined;
    this.#parts.accounts.giveUp(this);
  }

  brokeDown(error: unknown): void {
    if (this.isGone || error instanceof UnreadableError) return;
    if (error instanceof StoreError) return this.#parts.served.failed(error);
    logger.error("cannot check the secret of {address}: {error}", { address: this.#owner.address, error });
    this.#parts.faults.noted("session", error);
    this.#owner.end("SERVER_FAILED");
  }

  #checkLogin(login: LoginMessage): void {
    this.#parts.seats.tries(this.#owner, true);
    this.#traced(login);
    this.#parts.admission.checkLogin(login, this, (findings) => this.#checked(login, findings));
  }

  #challenge({ login, first }: Extract<SessionEffect, { kind: "challenge" }>): void {
    const { seats, admission } = this.#parts;
    seats.tries(this.#owner, true);
    this.#traced(login);
    admission.challenge({ login, first }, this, (found) => {
      // Until it answers, it has proved nothing.
      seats.tries(this.#owner, false);
      const findings = found.challenge === undefined || this.#holds(login) ? found : { limit: TOO_LONG };
      this.#owner.contain(() => this.#decide((session) => onChallenged(session, findings)));
    });
  }

  #checkAnswer(answer: Extract<SessionEffect, { kind: "checkAnswer" }>): void {
    const { seats, admission } = this.#parts;
    seats.tries(this.#owner, true);
    admission.checkAnswer(answer, this, (findings) => this.#checked(answer.login, findings));
  }

  /** It takes no seat: its connection ends with the answer. */
  #changeAccount(wanted: ProvenChange): void {
    const { username, change } = wanted;
    this.#parts.ownAccounts.change(
      username,
      change,
      this.remoteHost,
      (problem) => this.#owner.contain(() => this.#decide((session) => onAccountChanged(session, wanted, problem))),
    );
  }

  #checked(login: LoginMessage, found: LoginFindings): void {
    const findings = this.#withRulings(login, found);
    if (findings.change !== undefined) {
      return this.#owner.contain(() => this.#decide((session) => onLoginChecked(session, findings)));
    }
    const { problem, barred, limit, redirect } = findings;
    const isRefused = (problem ?? barred ?? limit ?? redirect) !== undefined;
    // An operator may have laid something down while it waited for a seat.
    const goOn = () =>
      this.#owner.contain(() => this.#decide((session) => onLoginChecked(session, this.#withRulings(login, findings))));
    if (isRefused || this.#parts.seats.enter(this.#owner, standingOf(login), goOn)) goOn();
    else this.#awaitSeat();
  }

  /** What is found out of a login whose proof was good, with its rights, and what operators have laid down since. */
  #withRulings({ username }: LoginMessage, findings: LoginFindings): LoginFindings {
    if (findings.problem !== undefined || findings.limit !== undefined) return findings;
    const { rulings, rights } = this.#parts;
    const { verifier } = findings;
    if (verifier !== undefined && rulings.account(username)?.verifier !== verifier) return { problem: "WRONG_SECRET" };
    const barred = rulings.barredUser(username);
    if (barred !== undefined) return { barred };
    return { ...findings, may: rights.of({ username, address: this.remoteHost }) };
  }

  #traced(login: LoginMessage): void {
    if (login.trace !== undefined) this.#owner.traced(login, login.trace);
  }

  /** Whether `login` may stay in memory until its client has answered: few long ones may. */
  #holds({ resume = {} }: LoginMessage): boolean {
    if (Object.keys(resume).length <= FEW_ORIGINS) return true;
    this.#letGo = this.#parts.longLogins.hold(this.remoteHost);
    return this.#letGo !== undefined;
  }

  #register(registrant: Registrant): void {
    const { seats, rates, admission } = this.#parts;
    const limit = rates.take("registrations", this.remoteHost);
    if (limit !== undefined) {
      return this.#decide((session) => onRegistered(session, { reason: "TOO_MANY", ...limit }));
    }
    seats.tries(this.#owner, true);
    admission.register(registrant, this, (refusal) => {
      seats.tries(this.#owner, false);
      this.#owner.contain(() => {
        if (refusal === undefined) this.#owner.registered(registrant.username);
        this.#decide((session) => onRegistered(session, refusal));
      });
    });
  }

  #decide(stepFrom: (session: Session) => SessionStep): void {
    if (!this.isGone) this.#owner.decided(stepFrom(this.session));
  }

  #await(session: NamelessSession): void {
    this.#stopSilence();
    const { seats, limits: { identifyTimeoutMs } } = this.#parts;
    if (session.kind === "challenged" || session.kind === "greeted") {
      const spanMs = Math.min(identifyTimeoutMs, seats.isShort ? SHORT_IDENTIFY_MS : CHALLENGE_PATIENCE_MS);
      const deadline = this.#deadline(
        spanMs,
        "IDENTIFY_TIMEOUT",
        `no answer to the challenge came within ${spanMs / 1000} seconds`,
      );
      this.#stage = { kind: "nameless", session, deadline };
      return;
    }
    // If few seats are left it may come back, as it had less time than is promised.
    const isShort = seats.isShort && SHORT_IDENTIFY_MS < identifyTimeoutMs;
    const deadline = isShort
      ? this.#deadline(SHORT_IDENTIFY_MS, "TOO_MANY", `${noLoginWithin(SHORT_IDENTIFY_MS)}, and few places are left`)
      : this.#deadline(identifyTimeoutMs, "IDENTIFY_TIMEOUT", noLoginWithin(identifyTimeoutMs));
    this.#stage = { kind: "nameless", session, deadline };
  }

  #awaitSeat(): void {
    const { session } = this.#stage;
    if (this.isGone || session.kind !== "verifying") return;
    const why = `no place was left for ${SEAT_PATIENCE_MS / 1000} seconds`;
    this.#stage = { kind: "awaitingSeat", session, deadline: this.#deadline(SEAT_PATIENCE_MS, "TOO_MANY", why) };
  }

  #deadline(spanMs: number, reason: CloseReason, why: string): SupervisorDeadline {
    this.#stopDeadline();
    return this.#parts.supervisor.deadline(spanMs, () => this.#owner.end(reason, why));
  }

  #stopSilence(): void {
    this.#silence?.cancel();
    this.#silence = undefined;
  }

  #stopDeadline(): void {
    if (this.#stage.kind !== "verifying") this.#stage.deadline.cancel();
  }
}

function noLoginWithin(spanMs: number): string {
  return `no LOGIN came within ${spanMs / 1000} seconds`;
}
