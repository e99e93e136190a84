/**
 * Whether a claim to a name can be as early as it says, when another account has the name. Of two accounts of one name
 * the one with the lower claim holds. So a server that may choose the number could take any name. But a claim is made
 * at the present Lamport time of its server. A server may have said, or must have had, a later time before it numbered
 * the entry. Then its claim is a late one with a low number. The only exception: the claim was under way meanwhile.
 * Then this server was asked for the name before it heard of that time. Pure.
 */

import { RecentMap } from "../../../log/recent.ts";

/** Servers that something is remembered of: more than a network has. */
const MAX_SERVERS = 1_024;
/** Claims that this server was asked for. */
const MAX_ASKED = 10_000;

/** What other servers have let be seen of their clocks. */
export class ClaimEvidence {
  /** By server: the highest time that its clock had come to when it had numbered no entry that was not here. */
  readonly #times = new RecentMap<string, number>(MAX_SERVERS);
  /** Claims of servers, by server and name, that were as late as they said when this server was asked. */
  readonly #asked = new RecentMap<string, number>(MAX_ASKED);

  /**
   * The clock of `server` was at `lamport` when the newest of its entries was `numbered`, and here is
   * all of it up to `last`.
   */
  seen(server: string, lamport: number, numbered: number, last: number): void {
    if (numbered > last || lamport <= (this.#times.get(server) ?? 0)) return;
    this.#times.set(server, lamport);
  }

  /**
   * This server was asked for a name that `server` claims, made at `claim`. Whatever the answer is: the other one may
   * be alone when it comes, and then decides without this server.
   */
  asked(server: string, username: string, claim: number): void {
    if (claim >= (this.#times.get(server) ?? 0)) this.#asked.renew(keyOf(server, username), claim);
  }

  /** `server` has given the name up, or gives leave to somebody else. */
  gaveUp(server: string, username: string): void {
    this.#asked.delete(keyOf(server, username));
  }

  /** An entry of `server` was refused: it says of a claim that it was made at `claim`, and it was not. */
  lied(server: string, username: string, claim: number): void {
    this.gaveUp(server, username);
    this.seen(server, claim + 1, 0, 0);
  }

  /** Whether an entry that `server` has numbered since, with a claim at this time, was claimed later than it says. */
  isLate(server: string, username: string, claim: number): boolean {
    return claim < (this.#times.get(server) ?? 0) && this.#asked.get(keyOf(server, username)) !== claim;
  }
}

function keyOf(server: string, username: string): string {
  // No name of a server has a blank.
  return `${server} ${username}`;
}
