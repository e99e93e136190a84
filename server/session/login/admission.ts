/**
 * Who may come in: what the server finds out, here and in the network, before it answers a LOGIN or a REGISTER.
 * `logging_in.ts` decides what the answer is. Nobody tells a connection that is gone meanwhile.
 */

import type { Accounts, Applicant, Challenge, RefusedLogin } from "../../accounts/accounts.ts";
import type { SessionsConfig } from "../../../config/config.ts";
import { sequenceOf } from "../../../log/vector.ts";
import { type FaultGuard, guarded } from "../../../platform/faults.ts";
import type { LoginMessage } from "../../../protocol/message.ts";
import { ANONYMOUS } from "../../../protocol/names.ts";
import type { ClientFirst } from "../../../protocol/login/scram.ts";
import type { LoginFindings } from "./logging_in.ts";
import { type SessionEffect, TOO_MANY_SECRETS } from "../session_state.ts";
import type { MetricCounters } from "../../../view/metric_counters.ts";
import type { Balancer } from "../../balance/balancer.ts";
import type { Journal } from "../../journal/journal.ts";
import type { Backplane } from "../../backplane/backplane.ts";
import type { PlaceTalk } from "../../places/place_talk.ts";
import type { Clock } from "../../../platform/clock.ts";
import type { TakenNames } from "../../rights/names/taken_names.ts";
import { looksAlike, NAME_TAKEN, type Registrant, type RegistrationRefusal } from "../../rights/registration.ts";
import type { Rights } from "../../rights/rights.ts";
import type { Invitations } from "./invitations.ts";
import type { PresenceBoard } from "../../presence/presence_board.ts";
import type { AddressRates } from "../limits/address_rates.ts";
import type { LimitName } from "../limits/limit_names.ts";
import { unlessUnreadable } from "../../journal/unreadable_store.ts";

/** What the server looks at to find it out. */
export interface AdmissionParts {
  readonly accounts: Pick<Accounts, "checkLogin" | "challenge" | "answer" | "changeIn" | "register" | "settled">;
  readonly balancer: Pick<Balancer, "redirectFor">;
  readonly journal: Pick<Journal, "serverId" | "vector" | "hasAccount" | "register">;
  readonly backplane: Pick<Backplane, "whenJoined" | "whenHere" | "claim">;
  readonly placeTalk: Pick<PlaceTalk, "whenKnown">;
  readonly presence: Pick<PresenceBoard, "isOnline">;
  readonly perUser: SessionsConfig["perUser"];
  readonly rights: Pick<Rights, "registrationRefusal">;
  readonly invitations: Pick<Invitations, "claim">;
  readonly takenNames: Pick<TakenNames, "alike">;
  readonly clock: Pick<Clock, "wallMs">;
  readonly counters: Pick<MetricCounters<LimitName>, "limited">;
  readonly rates: Pick<AddressRates, "take">;
  readonly faults: FaultGuard;
}

/** A client that waits for the answer. */
export interface LoginApplicant extends Applicant {
  readonly remoteHost: string;
  /** Whether it does not wait any more. */
  readonly isGone: boolean;
  /** The secret could not be derived, or the store could not be read. */
  brokeDown(error: unknown): void;
}

/** A name and its secret. */
interface NameAndSecret {
  readonly username: string;
  readonly secret: string;
}

/** Of one server. */
export class Admission {
  readonly #parts: AdmissionParts;

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
  }

  /** Finds out whether `login` may be let in, and tells it: at once, if nothing has to be waited for. */
  checkLogin(login: LoginMessage, applicant: LoginApplicant, told: (findings: LoginFindings) => void): void {
    const { username, secret = "", ticket } = login;
    const pass = typeof login.pass === "string" ? login.pass : undefined;
    this.#whenHere(login, applicant, told, () => {
      if (username === ANONYMOUS) return orBreakDown(applicant, () => this.#mayLogIn(login, applicant, told));
      this.#parts.accounts.checkLogin({ username, secret, ticket, pass }, applicant).then((result) => {
        if (applicant.isGone) return;
        if (!result.ok) return told(this.#refused(result));
        this.#whenKnown(login, applicant, () => this.#mayLogIn(login, applicant, told, result));
      }).catch((error) => applicant.brokeDown(error));
    });
  }

  /** Finds out whether the client may be asked for a proof, and tells the question. */
  challenge(
    { login, first }: { readonly login: LoginMessage; readonly first: ClientFirst },
    applicant: LoginApplicant,
    told: (findings: LoginFindings & { readonly challenge?: Challenge }) => void,
  ): void {
    this.#whenHere(login, applicant, told, () =>
      orBreakDown(applicant, () => {
        const result = this.#parts.accounts.challenge(first, applicant);
        told(result.ok ? { challenge: result.challenge } : this.#refused(result));
      }));
  }

  /** Finds out what the answer of the client to `challenge` proves. */
  checkAnswer(
    { login, challenge, response, sealed = "" }: Omit<Extract<SessionEffect, { kind: "checkAnswer" }>, "kind">,
    applicant: LoginApplicant,
    told: (findings: LoginFindings) => void,
  ): void {
    orBreakDown(applicant, () => {
      const result = this.#parts.accounts.answer(challenge, response, applicant);
      if (!result.ok) return told(this.#refused(result));
      const { change } = login;
      if (change === undefined) {
        return this.#whenKnown(login, applicant, () => this.#mayLogIn(login, applicant, told, result));
      }
      const asked = this.#parts.accounts.changeIn(challenge, { scram: response, change, sealed });
      told({ ...result, change: asked ?? "unreadable" });
    });
  }

  /**
   * Makes an account, if nobody in the network has the name, or one that looks like it. Tells why it did not; or
   * `undefined` once every server that can be reached knows the account.
   */
  register(
    registrant: Registrant,
    applicant: LoginApplicant,
    told: (refusal: RegistrationRefusal | undefined) => void,
    kind: "registration" | "peer" = "registration",
  ): void {
    const { username, secret } = registrant;
    const { accounts, backplane } = this.#parts;
    backplane.whenJoined(() => {
      if (applicant.isGone) return;
      accounts.register(username, secret, applicant, kind).then((result) => {
        if (!result.ok) return told(NAME_TAKEN);
        // Nobody is told any more, so the name stays free for the next who tries.
        if (applicant.isGone) return accounts.settled(username);
        this.#claim(registrant, result.verifier, told);
      }).catch((error) => applicant.brokeDown(error));
    });
  }

  /**
   * As `register`, for a server of the older dialect. If the name has an account, tells whether the secret is the
   * account's.
   */
  takeAccount(
    { username, secret, remoteHost }: NameAndSecret & { readonly remoteHost: string },
    told: (isTaken: boolean) => void,
  ): void {
    const { journal, accounts, faults, rights, clock } = this.#parts;
    const applicant = { remoteHost, isGone: false, brokeDown: () => told(false) };
    if (!journal.hasAccount(username)) {
      const registrant = { username, secret };
      if (rights.registrationRefusal(registrant, clock.wallMs()) !== undefined) return told(false);
      return this.register(registrant, applicant, (refusal) => told(refusal === undefined), "peer");
    }
    const tell = (isTaken: boolean) => guarded(faults, "peers", () => told(isTaken), () => {});
    accounts.checkLogin({ username, secret }, applicant, "peer").then(({ ok }) => ok, () => false)
      .then((ok) => void unlessUnreadable(() => tell(ok)));
  }

  /** The server knows its network, and has the entries that the client names. */
  #whenHere(
    { last }: LoginMessage,
    applicant: LoginApplicant,
    told: (findings: LoginFindings) => void,
    run: () => void,
  ): void {
    const { backplane, rates } = this.#parts;
    const limit = rates.take("logins", applicant.remoteHost);
    if (limit !== undefined) return told({ limit });
    backplane.whenJoined(() => backplane.whenHere(last, () => void (applicant.isGone || run())));
  }

  /**
   * A client that does not say what it has gets what came since its connection was lost. Another server may have lost
   * the connection a moment ago.
   */
  #whenKnown({ username, resume, reads }: LoginMessage, applicant: LoginApplicant, run: () => void): void {
    if (resume !== undefined || reads === false) return run();
    this.#parts.placeTalk.whenKnown(username, () => void (applicant.isGone || run()));
  }

  /** Its proof is good, if it needs one. */
  #mayLogIn(
    login: LoginMessage,
    { remoteHost }: LoginApplicant,
    told: (findings: LoginFindings) => void,
    { proven, verifier, serverFinal }: Pick<LoginFindings, "proven" | "verifier" | "serverFinal"> = {},
  ): void {
    const { balancer, journal, presence, perUser } = this.#parts;
    const { username, features } = login;
    if (perUser === "refuse" && username !== ANONYMOUS && presence.isOnline(username)) {
      return told({ problem: "LOGGED_IN_ELSEWHERE" });
    }
    const redirect = lacksWhatItNames(login, journal)
      ? undefined
      : balancer.redirectFor(login, features.length === 0, remoteHost);
    told({
      ...(proven === undefined ? {} : { proven }),
      ...(verifier === undefined ? {} : { verifier }),
      ...(serverFinal === undefined ? {} : { serverFinal }),
      ...(redirect === undefined ? {} : { redirect }),
    });
  }

  #refused(result: RefusedLogin): LoginFindings {
    if (result.reason !== "TOO_MANY") return { problem: result.reason };
    this.#parts.counters.limited("secrets");
    return { limit: { info: TOO_MANY_SECRETS, retryAfterMs: result.retryAfterMs } };
  }

  /** The name is free here. If it is free everywhere, and a place of the invitation is, the account is made. */
  #claim(
    { username, invitation }: Registrant,
    verifier: string,
    told: (refusal: RegistrationRefusal | undefined) => void,
  ): void {
    const { accounts, journal, backplane, invitations, takenNames } = this.#parts;
    invitations.claim(invitation, (place) => {
      const refused = (refusal: RegistrationRefusal) => {
        accounts.settled(username);
        if (place.ok) place.release();
        told(refusal);
      };
      if (!place.ok) return refused(place.refusal);
      backplane.claim(username, (claim) => {
        if (claim === undefined) return refused(NAME_TAKEN);
        const alike = takenNames.alike(username);
        const registration = { username, verifier, claim: claim.lamport, invitation: place.key };
        const id = alike === undefined
          ? journal.register(registration, (entry) => {
            accounts.settled(username);
            place.registered(entry);
            claim.registered(entry, () => told(undefined));
          })
          : undefined;
        if (id !== undefined) return;
        claim.release();
        refused(alike === undefined ? NAME_TAKEN : looksAlike(alike));
      });
    });
  }
}

/**
 * Whether a client has more of this server's own entries than this server. Other servers do not know that these entries
 * are lost. The client can be told only here, so it is not sent there before.
 */
function lacksWhatItNames(
  { resume, features }: LoginMessage,
  { serverId, vector }: Pick<Journal, "serverId" | "vector">,
): boolean {
  if (resume === undefined || !features.includes("resume")) return false;
  return sequenceOf(resume, serverId) > sequenceOf(vector, serverId);
}

/** A later call that throws is the fault of the client that waited, and not of the clients that wait behind it. */
function orBreakDown(applicant: LoginApplicant, act: () => void): void {
  try {
    act();
  } catch (error) {
    applicant.brokeDown(error);
  }
}
