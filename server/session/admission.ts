/**
 * Who may come in: what has to be found out, here and in the network, before a LOGIN or a REGISTER is answered. What
 * the answer then is, is decided by `session.ts`; a connection that is gone meanwhile is told nothing.
 */

import type { Accounts, Applicant } from "../accounts/accounts.ts";
import type { Config } from "../../config/config.ts";
import type { Proven } from "../accounts/credential.ts";
import { sequenceOf } from "../../log/vector.ts";
import { type FaultGuard, guarded } from "../../platform/faults.ts";
import type { LoginMessage } from "../../protocol/message.ts";
import { ANONYMOUS } from "../../protocol/names.ts";
import { type LoginFindings, TOO_MANY_SECRETS } from "./session.ts";
import type { MetricCounters } from "../../view/metric_counters.ts";
import type { Balancer } from "../balance/balancer.ts";
import type { Journal } from "../journal/journal.ts";
import type { Backplane } from "../backplane/backplane.ts";
import type { PlaceTalk } from "../places/place_talk.ts";
import type { PresenceBoard } from "../presence/presence_board.ts";
import type { AddressRates } from "./limits/address_rates.ts";
import type { LimitName } from "./limits/limit_names.ts";
import { unlessUnreadable } from "../journal/unreadable_store.ts";

/** What is needed to find it out. */
export interface AdmissionServices {
  readonly accounts: Accounts;
  readonly balancer: Balancer;
  readonly journal: Journal;
  readonly backplane: Backplane;
  readonly placeTalk: PlaceTalk;
  readonly presence: PresenceBoard;
  readonly config: Config;
  readonly counters: MetricCounters<LimitName>;
  readonly rates: AddressRates;
  readonly faults: FaultGuard;
}

/** Whoever waits for it. */
export interface LoginApplicant extends Applicant {
  readonly remoteHost: string;
  /** Whether it does not wait any more. */
  readonly isGone: boolean;
  /** The secret could not be derived, or the store not be read. */
  brokeDown(error: unknown): void;
}

/** Finds out whether `login` may be let in, and tells it: at once, where nothing has to be waited for. */
export function checkLogin(
  login: LoginMessage,
  applicant: LoginApplicant,
  services: AdmissionServices,
  told: (findings: LoginFindings) => void,
): void {
  const { accounts, balancer, backplane, placeTalk, presence, config: { sessions: { perUser } } } = services;
  const { username, secret = "", ticket, last, resume, reads } = login;
  const limit = services.rates.take("logins", applicant.remoteHost);
  if (limit !== undefined) return told({ limit });
  const mayLogIn = (proven?: Proven) => {
    if (perUser === "refuse" && username !== ANONYMOUS && presence.isOnline(username)) {
      return told({ problem: "LOGGED_IN_ELSEWHERE" });
    }
    const redirect = lacksWhatItNames(login, services.journal)
      ? undefined
      : balancer.redirectFor(login, login.features.length === 0, applicant.remoteHost);
    told({ ...(proven === undefined ? {} : { proven }), ...(redirect === undefined ? {} : { redirect }) });
  };
  // Who does not say what it has is to be given what came since it was lost elsewhere, which may just have happened.
  const whenKnown = (run: () => void) => {
    if (resume !== undefined || reads === false) return run();
    placeTalk.whenKnown(username, () => void (applicant.isGone || run()));
  };
  backplane.whenJoined(() =>
    backplane.whenHere(last, () => {
      if (applicant.isGone) return;
      if (username === ANONYMOUS) return orBreakDown(applicant, () => mayLogIn());
      accounts.checkLogin({ username, secret, ticket }, applicant).then((result) => {
        if (applicant.isGone) return;
        if (result.ok) return whenKnown(() => mayLogIn(result.proven));
        if (result.reason !== "TOO_MANY") return told({ problem: result.reason });
        services.counters.limited("secrets");
        told({ limit: { info: TOO_MANY_SECRETS, retryAfterMs: result.retryAfterMs } });
      }).catch((error) => applicant.brokeDown(error));
    })
  );
}

/**
 * Whether a client has more of this server's own entries than this server. Other servers do not know that those are
 * lost: only here can the client be told, so it is not sent there before.
 */
function lacksWhatItNames({ resume, features }: LoginMessage, { serverId, vector }: Journal): boolean {
  if (resume === undefined || !features.includes("resume")) return false;
  return sequenceOf(resume, serverId) > sequenceOf(vector, serverId);
}

/** What is called back later is the fault of whoever waited when it throws, and not of those who wait behind. */
function orBreakDown(applicant: LoginApplicant, act: () => void): void {
  try {
    act();
  } catch (error) {
    applicant.brokeDown(error);
  }
}

/**
 * Makes an account, if nobody in the network has the name; tells whether it did once the account can be used at every
 * server that can be reached.
 */
export function register(
  { username, secret }: { readonly username: string; readonly secret: string },
  applicant: LoginApplicant,
  services: AdmissionServices,
  told: (isRegistered: boolean) => void,
  kind: "registration" | "peer" = "registration",
): void {
  const { accounts, backplane } = services;
  backplane.whenJoined(() => {
    if (applicant.isGone) return;
    accounts.register(username, secret, applicant, kind).then((result) => {
      if (!result.ok) return told(false);
      // Nobody is told any more, so the name stays free for whoever tries again.
      if (applicant.isGone) return accounts.settled(username);
      claim(username, result.verifier, services, told);
    }).catch((error) => applicant.brokeDown(error));
  });
}

/**
 * As `register`, for a server of the older dialect; where the name has an account, tells whether the
 * secret is that one's.
 */
export function takeAccount(
  { username, secret, remoteHost }: { readonly username: string; readonly secret: string; readonly remoteHost: string },
  services: AdmissionServices,
  told: (isTaken: boolean) => void,
): void {
  const applicant = { remoteHost, isGone: false, brokeDown: () => told(false) };
  if (!services.journal.hasAccount(username)) return register({ username, secret }, applicant, services, told, "peer");
  const tell = (isTaken: boolean) => guarded(services.faults, "peers", () => told(isTaken), () => {});
  services.accounts.checkLogin({ username, secret }, applicant, "peer").then(({ ok }) => ok, () => false)
    .then((ok) => void unlessUnreadable(() => tell(ok)));
}

/** The name is free here; if it is everywhere, the account is made. */
function claim(
  username: string,
  verifier: string,
  { accounts, journal, backplane }: AdmissionServices,
  told: (isRegistered: boolean) => void,
): void {
  const taken = () => {
    accounts.settled(username);
    told(false);
  };
  backplane.claim(username, (claim) => {
    if (claim === undefined) return taken();
    const id = journal.register({ username, verifier, claim: claim.lamport }, (entry) => {
      accounts.settled(username);
      claim.registered(entry, () => told(true));
    });
    if (id !== undefined) return;
    claim.release();
    taken();
  });
}
