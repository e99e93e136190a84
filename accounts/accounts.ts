/**
 * Names and secrets: who may log in, and who may have a name. The costly part runs off the event loop, a few at a time; the log and the store
 * are the caller's business.
 */

import type { SecretCrypto } from "../platform/crypto.ts";
import { Credentials, type Digest } from "./credential.ts";
import { checkTicket, makeTicket, TICKET_LIFETIME_MS } from "./ticket.ts";
import { makeVerifier, matchesVerifier } from "./verifier.ts";

/** What a login comes to. */
export type LoginResult =
  | { readonly ok: true; readonly digest: Digest }
  | { readonly ok: false; readonly reason: "UNKNOWN_USER" | "WRONG_SECRET" };

/** Stands for whoever waits for an answer; no more than one at a time. */
export type Applicant = object;

/** What a registration comes to. With `ok` the name is reserved until `settled` is called. */
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
  /** Milliseconds since 1970. */
  wallMs(): number;
}

/** A username and what proves that it is its user's. */
export interface Proof {
  readonly username: string;
  readonly secret: string;
  /** What an earlier login was given. Where it is good, nothing is derived. */
  readonly ticket?: string | undefined;
}

/** Derivations at once: each takes a core and 16 MiB, and the event loop needs a core too. */
const MAX_DERIVATIONS = 2;

/** The accounts of one server. */
export class Accounts {
  readonly #source: AccountSource;
  readonly #crypto: SecretCrypto;
  readonly #tickets: TicketKeys | undefined;
  readonly #credentials: Credentials;
  readonly #reserved = new Set<string>();
  /** Who waits for a derivation, oldest first, and how to tell them whether it is their turn now; then those who let everybody go first. */
  readonly #waiting = new Map<Applicant, (isTurn: boolean) => void>();
  readonly #last = new Map<Applicant, (isTurn: boolean) => void>();
  #running = 0;

  constructor(source: AccountSource, crypto: SecretCrypto, tickets?: TicketKeys) {
    this.#source = source;
    this.#crypto = crypto;
    this.#tickets = tickets;
    this.#credentials = new Credentials(crypto);
  }

  /** What spares the next login of `username`, at any server, the derivation; `undefined` when there is no such account. */
  ticketFor(username: string): string | undefined {
    const verifier = this.#source.account(username)?.verifier;
    const tickets = this.#tickets;
    const key = tickets?.keyOf(tickets.serverId);
    if (tickets === undefined || verifier === undefined || key === undefined) return undefined;
    const expiresAtMs = tickets.wallMs() + TICKET_LIFETIME_MS;
    return makeTicket(key, { serverId: tickets.serverId, username, verifier, expiresAtMs }, this.#crypto);
  }

  /** Checks who a client says it is. @throws {Error} when `applicant` gave up. */
  async checkLogin({ username, secret, ticket }: Proof, applicant: Applicant = {}): Promise<LoginResult> {
    const account = this.#source.account(username);
    if (account === undefined) return { ok: false, reason: "UNKNOWN_USER" };
    const digest = this.#credentials.digest(username, secret);
    if (ticket !== undefined && this.#isGood(ticket, username, account.verifier)) return { ok: true, digest };
    if (!this.#credentials.recognises(username, digest, account.verifier)) {
      const matches = await this.#inTurn(applicant, () => matchesVerifier(secret, account.verifier, this.#crypto));
      // It may have become another user's in the meantime, when servers that were apart have found each other.
      if (!matches || this.#source.account(username)?.verifier !== account.verifier) {
        return { ok: false, reason: "WRONG_SECRET" };
      }
      this.#credentials.remember(username, digest, account.verifier);
    }
    return { ok: true, digest };
  }

  /** Whether `secret` is the one that a connection logged in with. Cheap: for every message. */
  matches(username: string, secret: string, digest: Digest): boolean {
    return this.#credentials.isEqual(this.#credentials.digest(username, secret), digest);
  }

  /**
   * Reserves a name and makes its verifier. The caller stores the account, and then calls `settled`.
   * @throws {Error} when `applicant` gave up.
   */
  async register(username: string, secret: string, applicant: Applicant = {}): Promise<RegistrationResult> {
    if (this.#reserved.has(username) || this.#source.account(username) !== undefined) {
      return { ok: false, reason: "NAME_TAKEN" };
    }
    this.#reserved.add(username);
    try {
      const verifier = await this.#inTurn(applicant, () => makeVerifier(secret, this.#crypto));
      // The newcomer logs in next; it need not wait for the same derivation again.
      this.#credentials.remember(username, this.#credentials.digest(username, secret), verifier);
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
   * Nobody waits for the answer to `applicant` any more. A derivation that was not begun is spared: clients that lose their patience and come back would
   * otherwise find the queue full of themselves.
   */
  giveUp(applicant: Applicant): void {
    for (const queue of [this.#waiting, this.#last]) {
      queue.get(applicant)?.(false);
      queue.delete(applicant);
    }
  }

  /** From now on everybody else goes before `applicant`. */
  letOthersGoFirst(applicant: Applicant): void {
    const tell = this.#waiting.get(applicant);
    if (tell === undefined) return;
    this.#waiting.delete(applicant);
    this.#last.set(applicant, tell);
  }

  #isGood(ticket: string, username: string, verifier: string): boolean {
    if (this.#tickets === undefined) return false;
    const { keyOf, wallMs } = this.#tickets;
    return checkTicket(ticket, username, verifier, wallMs(), keyOf, this.#crypto);
  }

  async #inTurn<T>(applicant: Applicant, derive: () => Promise<T>): Promise<T> {
    if (this.#running < MAX_DERIVATIONS) this.#running++;
    else if (!await new Promise<boolean>((resolve) => this.#waiting.set(applicant, resolve))) {
      throw new Error("Cannot derive from a secret: nobody waits for it any more");
    }
    try {
      return await derive();
    } finally {
      // The place is handed on, not given back, so that nobody slips in between.
      const queue = this.#waiting.size > 0 ? this.#waiting : this.#last;
      const [next] = queue;
      if (next === undefined) this.#running--;
      else {
        queue.delete(next[0]);
        next[1](true);
      }
    }
  }
}
