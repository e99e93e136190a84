/**
 * Registration locks: how servers that are linked agree who may have a new name. Each server has one table; whoever wants a name asks all servers
 * that it is linked to, and has it when all of them allow it. Of two that ask at once the lower (lamport, origin) wins, as both see it so. Pure:
 * sending, and what is known of accounts, is the caller's; between servers that are not linked, accounts that clash are settled later.
 */

/** One server's claim of a name. `lamport` is the time at which it was made, by the clock of `origin`. */
export interface Claim {
  readonly username: string;
  readonly lamport: number;
  readonly origin: string;
}

/** What an own claim comes to at first. `"wait"`: all peers have to be asked. */
export type ClaimResult = "wait" | "granted" | "denied";

/** The answer to a peer's request. */
export interface LockAnswer {
  readonly isAllowed: boolean;
  /** Our own claim of the name is over: the peer's goes before it. */
  readonly loses: boolean;
}

/** Who has a name, or is about to. One for each name. */
interface Lock {
  readonly lamport: number;
  readonly origin: string;
  /** Own claims: the peers that have not answered. Empty once the claim is granted, and for the claims of others. */
  readonly waitingFor: Set<string>;
}

/** Locks at once. A registration takes less than a second; so many are a mistake, or an attack by way of a peer. */
export const MAX_LOCKS = 10_000;

const ALLOWED: LockAnswer = Object.freeze({ isAllowed: true, loses: false });
const ALLOWED_AND_LOST: LockAnswer = Object.freeze({ isAllowed: true, loses: true });
const DENIED: LockAnswer = Object.freeze({ isAllowed: false, loses: false });

/** The table of one server. */
export class Locks {
  #serverId: string;
  readonly #maxLocks: number;
  readonly #locks = new Map<string, Lock>();

  constructor(serverId: string, maxLocks = MAX_LOCKS) {
    this.#serverId = serverId;
    this.#maxLocks = maxLocks;
  }

  /** This server has a new name, and no links. What it has claimed under the former one stays locked until it is released. */
  renamed(serverId: string): void {
    this.#serverId = serverId;
  }

  /** Names that are locked here, for whomever. */
  get size(): number {
    return this.#locks.size;
  }

  /**
   * A client here wants `username`. Unless it is denied, the claim ends with `release`, or with an outcome `"denied"`. `lamport` must be above
   * that of every request that was received.
   */
  claim(username: string, lamport: number, peers: readonly string[]): ClaimResult {
    // Whoever we allowed it may have it by now, so that it does not matter which of the two is lower.
    if (this.#locks.has(username)) return "denied";
    this.#locks.set(username, { lamport, origin: this.#serverId, waitingFor: new Set(peers) });
    return peers.length === 0 ? "granted" : "wait";
  }

  /** A peer asks. `hasAccount`: the name is taken, by what is known here. */
  onRequest({ username, lamport, origin }: Claim, hasAccount: boolean): LockAnswer {
    if (hasAccount) return DENIED;
    const held = this.#locks.get(username);
    if (held === undefined) {
      if (this.#locks.size >= this.#maxLocks) return DENIED;
    } else if (held.origin !== origin) {
      const isOwn = held.origin === this.#serverId;
      // Granted: all who are linked to us have allowed it, and ask for it no more.
      if (isOwn && held.waitingFor.size === 0) return DENIED;
      if (!isBefore(lamport, origin, held)) return DENIED;
      // A claim of a third server is passed over too: that one hears of the lower claim itself, and loses. If we denied, both might lose.
      this.#locks.set(username, { lamport, origin, waitingFor: new Set() });
      return isOwn ? ALLOWED_AND_LOST : ALLOWED;
    }
    this.#locks.set(username, { lamport, origin, waitingFor: new Set() });
    return ALLOWED;
  }

  /** A peer has answered the own claim of that time. `undefined`: others have not, or it is about a claim that is over. */
  onAnswer(username: string, lamport: number, peer: string, isAllowed: boolean): "granted" | "denied" | undefined {
    const held = this.#locks.get(username);
    if (held?.origin !== this.#serverId || held.lamport !== lamport || !held.waitingFor.delete(peer)) return undefined;
    if (!isAllowed) {
      this.#locks.delete(username);
      return "denied";
    }
    return held.waitingFor.size === 0 ? "granted" : undefined;
  }

  /** The link to `peer` is gone: its locks are freed, and nobody waits for it. Gives the own claims that are granted by that. */
  peerGone(peer: string): Claim[] {
    const granted: Claim[] = [];
    for (const [username, { lamport, origin, waitingFor }] of this.#locks) {
      if (origin === peer) this.#locks.delete(username);
      else if (waitingFor.delete(peer) && waitingFor.size === 0) granted.push({ username, lamport, origin });
    }
    return granted;
  }

  /** Frees what `peer` holds: what it still wants it asks for again. */
  freeOf(peer: string): void {
    for (const [username, { origin }] of this.#locks) if (origin === peer) this.#locks.delete(username);
  }

  /**
   * A claim is over, an own one or a peer's: everybody who was asked has its account, or it was given up. Whoever claimed says so to all that it
   * asked, also when it was denied.
   */
  release({ username, lamport, origin }: Claim): void {
    const held = this.#locks.get(username);
    if (held?.origin === origin && held.lamport === lamport) this.#locks.delete(username);
  }
}

/** Whether a claim goes before the one that is `held`. */
function isBefore(lamport: number, origin: string, held: Lock): boolean {
  return lamport < held.lamport || (lamport === held.lamport && origin < held.origin);
}
