/**
 * The cost of wrong secrets, and who pays it: the address they come from, and the account they are for at that address.
 * The user of the account does not have to wait at other addresses. Pure.
 */

import { RecentSet } from "../../log/recent.ts";
import { Strikes } from "./strikes.ts";

/** Who tries a secret. */
export interface Attempt {
  /** Whom the address belongs to. */
  readonly network: string;
  readonly account: string;
}

/** For one account from one address: a person may mistype. */
const OF_ACCOUNT = { free: 3, forgetMs: 60_000, firstMs: 1_000, mostMs: 60_000 };
/** For all accounts from one address: behind it may be a class of people who mistype. */
const OF_NETWORK = { free: 100, forgetMs: 10_000, firstMs: 1_000, mostMs: 60_000 };
/**
 * For a wrong secret with a ticket of the account. The ticket was stolen; without this penalty it would make each guess
 * cheap.
 */
const WITH_TICKET = { free: 3, forgetMs: 600_000, firstMs: 60_000, mostMs: 3_600_000 };
/** Pairs whose last login went well. */
const MAX_KNOWN = 20_000;

/** One server's. */
export class Penalties {
  readonly #ofAccount = new Strikes(OF_ACCOUNT);
  readonly #ofNetwork = new Strikes(OF_NETWORK);
  readonly #withTicket = new Strikes(WITH_TICKET);
  /** Oldest first. Wrong guesses of others at the same address do not count here. */
  readonly #known = new RecentSet<string>(MAX_KNOWN);

  /** How long `attempt` has to wait; 0 when it has not. */
  waitMs(attempt: Attempt, nowMs: number): number {
    const key = keyOf(attempt);
    const own = this.#ofAccount.waitMs(key, nowMs);
    return this.#known.has(key) ? own : Math.max(own, this.#ofNetwork.waitMs(attempt.network, nowMs));
  }

  /** The secret was wrong. */
  wrong(attempt: Attempt, nowMs: number): void {
    this.#ofAccount.add(keyOf(attempt), nowMs);
    this.#ofNetwork.add(attempt.network, nowMs);
  }

  /** Whether tickets of the account say nothing for now: its user has to show the secret as if there were none. */
  passesOverTickets({ account }: Attempt, nowMs: number): boolean {
    return this.#withTicket.waitMs(account, nowMs) > 0;
  }

  /** The secret is not the one of the ticket. */
  wrongForTicket(attempt: Attempt, nowMs: number): void {
    this.wrong(attempt, nowMs);
    this.#withTicket.add(attempt.account, nowMs);
  }

  /** The secret was right. Other guesses from the address still count: an attacker may have an account, too. */
  right(attempt: Attempt): void {
    const key = keyOf(attempt);
    this.#ofAccount.forget(key);
    this.#known.renew(key);
  }
}

function keyOf({ network, account }: Attempt): string {
  // No address holds a space.
  return `${network} ${account}`;
}
