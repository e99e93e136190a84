/**
 * Names and secrets: who may log in, and who may have a name. The costly part runs off the event loop, a few at a time.
 * `fair_queue.ts` decides whose turn it is; `penalties.ts` decides who has to wait after wrong secrets. The caller has
 * the log and the store.
 */

import { networkOf } from "../../platform/address.ts";
import type { Clock } from "../../platform/clock.ts";
import type { SecretCrypto } from "../../platform/crypto.ts";
import { Credentials, type Digest, type Proven } from "./credential.ts";
import { FairQueue, type QueueKind, type QueuePlace } from "./fair_queue.ts";
import { Penalties } from "./penalties.ts";
import type { Passes } from "./passes.ts";
import { checkTicket, makeTicket, stillProven, ticketExpiry, type TicketWorth } from "./ticket.ts";
import {
  makeVerifier,
  matchesVerifier,
  readVerifier,
  scramVerifier,
  type VerifierForm,
  verifierOf,
} from "./verifier.ts";
import { type AccountChange, openChange } from "../../protocol/login/account_change.ts";
import {
  challenge,
  checkChangeKey,
  checkProof,
  type ClientFirst,
  nonceOf,
  type ScramTalk,
} from "../../protocol/login/scram.ts";

/** What a login comes to. */
export type LoginResult = ProvenLogin | RefusedLogin;

/** A good proof. */
export interface ProvenLogin {
  readonly ok: true;
  readonly proven: Proven;
  /** What it was checked by. If the account has another one later, the proof is worth nothing. */
  readonly verifier: string;
}

/** Why a login is refused. */
export type RefusedLogin =
  | { readonly ok: false; readonly reason: "UNKNOWN_USER" | "WRONG_SECRET" }
  /** Too many wrong secrets came from there: this one was not looked at. */
  | { readonly ok: false; readonly reason: "TOO_MANY"; readonly retryAfterMs: number };

/** A question that only who knows the secret can answer. One connection's, and good for one answer. */
export interface Challenge {
  readonly talk: ScramTalk;
  /** The account's, when it was asked. */
  readonly verifier: string;
}

/** What a login that tells no secret comes to. */
export type ChallengeResult = { readonly ok: true; readonly challenge: Challenge } | RefusedLogin;

/** What the answer to a challenge comes to. `serverFinal` is the server's own proof, for the client. */
export type AnswerResult = ProvenLogin & { readonly serverFinal: string } | RefusedLogin;

/** What a user has asked for about its own account, and has proved that it may. */
export type OwnChange = { readonly kind: "secret"; readonly verifier: string } | { readonly kind: "forget" };

/** A connection that waits for an answer; at most one answer at a time. */
export interface Applicant {
  /** The address that it comes from. */
  readonly remoteHost: string;
}

/** The result of a registration. With `ok`, the name is reserved until `settled` is called. */
export type RegistrationResult =
  | { readonly ok: true; readonly verifier: string }
  | { readonly ok: false; readonly reason: "NAME_TAKEN" };

/** Where accounts are looked up. */
export interface AccountSource {
  account(username: string): { readonly verifier: string } | undefined;
}

/** Where the keys of tickets are. */
export interface TicketKeys {
  /** Whose clients get tickets from here. */
  readonly serverId: string;
  keyOf(serverId: string): string | undefined;
  /** How long ago a secret may have been derived that is not derived again; in milliseconds. */
  readonly maxAgeMs: number;
}

/** What tells the time. */
export type AccountClock = Pick<Clock, "nowMs" | "wallMs">;

/** A username with its proof. */
export interface Proof {
  readonly username: string;
  readonly secret: string;
  /** The ticket from an earlier login. With a good ticket, nothing is derived. */
  readonly ticket?: string | undefined;
  /** In place of the secret. */
  readonly pass?: string | undefined;
}

/**
 * The end of a wait for a derivation: it is the applicant's turn, the applicant gave up, or the wait would be too long.
 */
type Turn = "now" | "gaveUp" | "tooMany";

/** Random bytes in a nonce. */
const NONCE_BYTES = 18;
/** Derivations at once: each takes a core and 16 MiB, and the event loop needs a core too. */
const MAX_DERIVATIONS = 2;

/** The accounts of one server. */
export class Accounts {
  readonly #source: AccountSource;
  readonly #crypto: SecretCrypto;
  readonly #clock: AccountClock;
  readonly #tickets: TicketKeys | undefined;
  readonly #form: VerifierForm;
  readonly #passes: Pick<Passes, "take" | "make"> | undefined;
  readonly #credentials: Credentials;
  readonly #penalties = new Penalties();
  readonly #reserved = new Set<string>();
  /** For each waiting applicant: the function that takes the end of its wait. */
  readonly #waiting = new Map<Applicant, (turn: Turn) => void>();
  readonly #queue = new FairQueue<Applicant>();
  /** Waiting applicants that let all others go first, oldest first. */
  readonly #last = new Map<Applicant, QueuePlace>();
  #running = 0;

  /** New accounts get verifiers of this `form`. */
  constructor(
    source: AccountSource,
    crypto: SecretCrypto,
    clock: AccountClock,
    tickets?: TicketKeys,
    form: VerifierForm = "scram",
    passes?: Pick<Passes, "take" | "make">,
  ) {
    this.#source = source;
    this.#crypto = crypto;
    this.#clock = clock;
    this.#tickets = tickets;
    this.#form = form;
    this.#passes = passes;
    this.#credentials = new Credentials(crypto);
  }

  /**
   * The ticket with which the next login of `username`, at any server, needs no derivation. `undefined` if there is no
   * such account, or if the ticket would expire at once.
   */
  ticketFor(username: string, secret: string, { provenAtMs }: Proven): string | undefined {
    const stored = this.#source.account(username)?.verifier;
    const tickets = this.#tickets;
    const key = tickets?.keyOf(tickets.serverId);
    if (tickets === undefined || stored === undefined || key === undefined) return undefined;
    // A server that has not changed its verifiers yet gives the same tickets.
    const verifier = scramVerifier(stored, this.#crypto);
    const { serverId, maxAgeMs } = tickets;
    const nowMs = this.#clock.wallMs();
    const expiresAtMs = ticketExpiry(provenAtMs, nowMs, maxAgeMs);
    if (expiresAtMs <= nowMs) return undefined;
    return makeTicket(key, { serverId, username, secret, verifier, provenAtMs, expiresAtMs }, this.#crypto);
  }

  /** The pass with which the next login of `username` needs no secret; `undefined` if there is none. */
  passFor(username: string, { provenAtMs }: Proven): string | undefined {
    const account = this.#passAccount(username);
    return account && this.#passes?.make(account, provenAtMs);
  }

  /** The user needs this pass no more: it is spent. */
  giveBack(username: string, pass: string): void {
    const account = this.#passAccount(username);
    if (account !== undefined) this.#passes?.take(pass, account);
  }

  /** As with tickets: a server that has not changed its verifiers yet makes the same passes. */
  #passAccount(username: string): { readonly username: string; readonly verifier: string } | undefined {
    const stored = this.#source.account(username)?.verifier;
    return stored === undefined ? undefined : { username, verifier: scramVerifier(stored, this.#crypto) };
  }

  /** Derivations that wait for their turn. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Checks the identity of a client, or (`kind`) the identity that another server states for its client.
   * @throws {Error} when `applicant` gave up.
   */
  async checkLogin(
    { username, secret, ticket, pass }: Proof,
    applicant: Applicant,
    kind: Exclude<QueueKind, "registration"> = "login",
  ): Promise<LoginResult> {
    const account = this.#source.account(username);
    if (account === undefined) return { ok: false, reason: "UNKNOWN_USER" };
    if (pass !== undefined && secret === "") {
      const taken = this.#passes?.take(pass, this.#passAccount(username)!);
      if (taken === undefined) return { ok: false, reason: "WRONG_SECRET" };
      return { ok: true, proven: { digest: undefined, provenAtMs: taken.provenAtMs }, verifier: account.verifier };
    }
    const digest = this.#credentials.digest(username, secret);
    const place = { kind, network: networkOf(applicant.remoteHost), account: username };
    if (ticket !== undefined && !this.#penalties.passesOverTickets(place, this.#clock.nowMs())) {
      const worth = this.#worthOf(ticket, { username, secret, verifier: account.verifier });
      if (worth.kind === "good") {
        return { ok: true, proven: { digest, provenAtMs: worth.provenAtMs }, verifier: account.verifier };
      }
      if (worth.kind === "wrongSecret") {
        this.#penalties.wrongForTicket(place, this.#clock.nowMs());
        return { ok: false, reason: "WRONG_SECRET" };
      }
    }
    // The right secret waits as well, and so does a recognised one. Otherwise an attacker would see which guess is
    // answered.
    if (this.#waitMs(place) > 0) return this.#tooMany(place);
    const { verifier } = account;
    const proven = this.#recognise(username, digest, verifier) ?? await this.#inTurn(applicant, place, async () => {
      // The same client, on another connection, may have been first.
      const known = this.#recognise(username, digest, verifier);
      if (known !== undefined) return known;
      const isRight = await matchesVerifier(secret, verifier, this.#crypto);
      // Before the next one's turn.
      if (!isRight) return this.#penalties.wrong(place, this.#clock.nowMs());
      const derived = { digest, provenAtMs: this.#clock.wallMs() };
      this.#credentials.remember(username, derived, verifier);
      return derived;
    });
    if (proven === "tooMany") return this.#tooMany(place);
    // It may have become another user's in the meantime, when servers that were apart have found each other.
    if (proven === undefined || this.#source.account(username)?.verifier !== verifier) {
      return { ok: false, reason: "WRONG_SECRET" };
    }
    this.#penalties.right(place);
    return { ok: true, proven, verifier };
  }

  /** Asks a client that tells no secret to prove that it knows it. Costs next to nothing. */
  challenge(first: ClientFirst, applicant: Applicant): ChallengeResult {
    const { username } = first;
    const account = this.#source.account(username);
    if (account === undefined) return { ok: false, reason: "UNKNOWN_USER" };
    const place = placeOf(username, applicant);
    if (this.#waitMs(place) > 0) return this.#tooMany(place);
    const read = readVerifier(account.verifier, this.#crypto);
    // It matches no secret at all.
    if (read === undefined) return { ok: false, reason: "WRONG_SECRET" };
    const talk = challenge(first, nonceOf(this.#crypto.randomBytes(NONCE_BYTES)), read);
    return { ok: true, challenge: { talk, verifier: account.verifier } };
  }

  /** Checks the answer to `challenge`. */
  answer({ talk, verifier }: Challenge, response: string, applicant: Applicant): AnswerResult {
    const { username } = talk.first;
    const place = placeOf(username, applicant);
    // Asked again, as any number of challenges may have been open when the wait began.
    if (this.#waitMs(place) > 0) return this.#tooMany(place);
    // It may have become another user's in the meantime.
    if (this.#source.account(username)?.verifier !== verifier) return { ok: false, reason: "WRONG_SECRET" };
    const serverFinal = checkProof(talk, response, readVerifier(verifier, this.#crypto)!, this.#crypto);
    if (serverFinal === undefined) {
      this.#penalties.wrong(place, this.#clock.nowMs());
      return { ok: false, reason: "WRONG_SECRET" };
    }
    this.#penalties.right(place);
    return { ok: true, proven: { digest: undefined, provenAtMs: this.#clock.wallMs() }, verifier, serverFinal };
  }

  /** The change that came sealed with a good answer to `challenge`; `undefined` if it is not what was sealed. */
  changeIn(
    { talk, verifier }: Challenge,
    { scram, change, sealed }: { readonly scram: string; readonly change: AccountChange; readonly sealed: string },
  ): OwnChange | undefined {
    const key = checkChangeKey(talk, scram, readVerifier(verifier, this.#crypto)!, this.#crypto);
    const opened = key && openChange(key, change, sealed, this.#crypto);
    if (opened?.kind !== "secret") return opened;
    return { kind: "secret", verifier: verifierOf(opened.keys) };
  }

  /** Whether `secret` is the secret of the connection's login. Cheap: for every message. */
  matches(username: string, secret: string, digest: Digest | undefined): boolean {
    return digest !== undefined && this.#credentials.isEqual(this.#credentials.digest(username, secret), digest);
  }

  /**
   * Reserves a name and makes its verifier. The caller stores the account, and then calls `settled`.
   * @throws {Error} when `applicant` gave up.
   */
  async register(
    username: string,
    secret: string,
    applicant: Applicant,
    kind: Exclude<QueueKind, "login"> = "registration",
  ): Promise<RegistrationResult> {
    if (this.#reserved.has(username) || this.#source.account(username) !== undefined) {
      return { ok: false, reason: "NAME_TAKEN" };
    }
    this.#reserved.add(username);
    try {
      const place = { kind, network: networkOf(applicant.remoteHost), account: username };
      const verifier = await this.#inTurn(applicant, place, () => makeVerifier(secret, this.#crypto, this.#form));
      if (verifier === "tooMany") throw new TypeError("Cannot refuse a registration: it tries no secret");
      // The newcomer logs in next; it need not wait for the same derivation again.
      const digest = this.#credentials.digest(username, secret);
      this.#credentials.remember(username, { digest, provenAtMs: this.#clock.wallMs() }, verifier);
      return { ok: true, verifier };
    } catch (error) {
      this.#reserved.delete(username);
      throw error;
    }
  }

  /** The account of a successful `register` is stored, or will never be. */
  settled(username: string): void {
    this.#reserved.delete(username);
  }

  /**
   * `applicant` no longer waits for the answer. Its derivation is skipped, if it has not begun. Otherwise impatient
   * clients that come back would find the queue full of their own requests.
   */
  giveUp(applicant: Applicant): void {
    this.#queue.delete(applicant);
    this.#last.delete(applicant);
    this.#tell(applicant, "gaveUp");
  }

  /** From now on everybody else goes before `applicant`. */
  letOthersGoFirst(applicant: Applicant): void {
    const place = this.#queue.delete(applicant);
    if (place !== undefined) this.#last.set(applicant, place);
  }

  #worthOf(ticket: string, account: { username: string; secret: string; verifier: string }): TicketWorth {
    if (this.#tickets === undefined) return { kind: "nothing" };
    const { keyOf, maxAgeMs } = this.#tickets;
    const verifier = scramVerifier(account.verifier, this.#crypto);
    return checkTicket(ticket, { ...account, verifier, nowMs: this.#clock.wallMs(), maxAgeMs }, keyOf, this.#crypto);
  }

  /** Remembered logins expire, as tickets do. */
  #recognise(username: string, digest: Digest, verifier: string): Proven | undefined {
    const known = this.#credentials.recognise(username, digest, verifier);
    const maxAgeMs = this.#tickets?.maxAgeMs ?? Infinity;
    return known !== undefined && stillProven(known.provenAtMs, this.#clock.wallMs(), maxAgeMs) ? known : undefined;
  }

  /** Another server has shown who it is: only its share is looked at. */
  #waitMs(place: QueuePlace): number {
    return place.kind === "login" ? this.#penalties.waitMs(place, this.#clock.nowMs()) : 0;
  }

  #tooMany(place: QueuePlace): RefusedLogin {
    return { ok: false, reason: "TOO_MANY", retryAfterMs: Math.max(1, this.#waitMs(place)) };
  }

  async #inTurn<T>(applicant: Applicant, place: QueuePlace, derive: () => Promise<T>): Promise<T | "tooMany"> {
    if (this.#running < MAX_DERIVATIONS) this.#running++;
    else {
      const turn = await new Promise<Turn>((resolve) => {
        this.#waiting.set(applicant, resolve);
        this.#queue.add(applicant, place);
      });
      if (turn === "gaveUp") throw new Error("Cannot derive from a secret: nobody waits for it any more");
      if (turn === "tooMany") return turn;
    }
    try {
      return await derive();
    } finally {
      this.#handOn();
    }
  }

  /** Hands the place of a finished derivation on, so that no newcomer takes it first. */
  #handOn(): void {
    for (;;) {
      const [next] = this.#queue.size > 0 ? [this.#queue.take()!] : this.#last;
      if (next === undefined) {
        this.#running--;
        return;
      }
      const [applicant, place] = next;
      this.#last.delete(applicant);
      // Other tries from the same address, made in the meantime, may have been too many.
      const turn = this.#waitMs(place) > 0 ? "tooMany" : "now";
      this.#tell(applicant, turn);
      if (turn === "now") return;
    }
  }

  #tell(applicant: Applicant, turn: Turn): void {
    const tell = this.#waiting.get(applicant);
    this.#waiting.delete(applicant);
    tell?.(turn);
  }
}

function placeOf(username: string, { remoteHost }: Applicant): QueuePlace {
  return { kind: "login", network: networkOf(remoteHost), account: username };
}
