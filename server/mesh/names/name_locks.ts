/**
 * Registration locks: linked servers agree who may have a new name. Each server has one table. A server that wants a
 * name asks all linked servers, and has the name when all of them allow it. A lock is on what the name looks like:
 * names that look alike are one name here. Of two that ask at once the lower (lamport, origin) wins, as both see it so.
 * Pure: the caller sends, and knows the accounts. Servers without a link settle accounts that clash later.
 */

import { precedes } from "../../../log/precedes.ts";
import { RecentMap } from "../../../log/recent.ts";
import { areAlike, skeletonsOf } from "../../rights/names/skeleton.ts";

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
  /** Our own claims that are over, of this name or one that looks like it: the peer's goes before them. */
  readonly loses: readonly string[];
}

/** Who has a name, or is about to. One for each name. */
interface Lock {
  readonly lamport: number;
  readonly origin: string;
  /** Own claims: the peers that have not answered. Empty once the claim is granted, and for the claims of others. */
  readonly waitingFor: Set<string>;
  /** When it was locked, in milliseconds of a monotonic clock. */
  readonly sinceMs: number;
}

/** Locks at once. A registration takes less than a second; so many are a mistake, or an attack by way of a peer. */
export const MAX_LOCKS = 10_000;
/** Claims of others that are remembered: an account comes within seconds, or with the next link. */
const MAX_GIVEN = 10_000;

const DENIED: LockAnswer = Object.freeze({ isAllowed: false, loses: [] });

/** The table of one server. */
export class NameLocks {
  #serverId: string;
  readonly #maxLocks: number;
  readonly #locks = new Map<string, Lock>();
  /** The names that are locked, by each of their skeletons. */
  readonly #bySkeleton = new Map<string, Set<string>>();
  /** Claims of others that were allowed, by server and name: their accounts may come when the lock is gone. */
  readonly #given = new RecentMap<string, number>(MAX_GIVEN);

  constructor(serverId: string, maxLocks = MAX_LOCKS) {
    this.#serverId = serverId;
    this.#maxLocks = maxLocks;
  }

  /**
   * This server has a new name, and no links. What it has claimed under the former one stays locked
   * until it is released.
   */
  renamed(serverId: string): void {
    this.#serverId = serverId;
  }

  /** Names that are locked here, for whomever. */
  get size(): number {
    return this.#locks.size;
  }

  /**
   * A client here wants `username`. Unless it is denied, the claim ends with `release`, or with an outcome `"denied"`.
   * `lamport` must be above that of every request that was received.
   */
  claim(username: string, lamport: number, peers: readonly string[], nowMs = 0): ClaimResult {
    // Whoever we allowed it may have it by now, so that it does not matter which of the two is lower.
    if (this.#alike(username).length > 0) return "denied";
    this.#lock(username, { lamport, origin: this.#serverId, waitingFor: new Set(peers), sinceMs: nowMs });
    return peers.length === 0 ? "granted" : "wait";
  }

  /** A link to `peer` has come up: it is asked about these own claims as well, which wait for others. */
  alsoAsk(peer: string): Claim[] {
    const asked: Claim[] = [];
    for (const [username, { lamport, origin, waitingFor }] of this.#locks) {
      if (origin !== this.#serverId || waitingFor.size === 0) continue;
      waitingFor.add(peer);
      asked.push({ username, lamport, origin });
    }
    return asked;
  }

  /** Peers that have not answered an own claim that was made before this moment. */
  silentSince(beforeMs: number): Set<string> {
    const silent = new Set<string>();
    for (const { waitingFor, sinceMs } of this.#locks.values()) {
      if (sinceMs <= beforeMs) { for (const peer of waitingFor) silent.add(peer); }
    }
    return silent;
  }

  /** Frees what others have held since before this moment: a registration does not take so long. Gives the names. */
  expire(beforeMs: number): string[] {
    const expired = [...this.#locks].filter(([, { origin, sinceMs }]) =>
      origin !== this.#serverId && sinceMs <= beforeMs
    ).map(([username]) => username);
    for (const username of expired) this.#free(username);
    return expired;
  }

  /** Whether this claim of another server was allowed here, as far as that is remembered. */
  wasGiven({ origin, username, lamport }: Claim): boolean {
    return this.#given.get(keyOf(origin, username)) === lamport;
  }

  /** A server allows the name to somebody else: what it was allowed before it has given up. */
  gaveUp(origin: string, username: string): void {
    this.#given.delete(keyOf(origin, username));
  }

  /** A peer asks. `isTaken`: by what is known here, somebody has the name, or one that looks like it. */
  onRequest(claim: Claim, isTaken: boolean, nowMs = 0): LockAnswer {
    const answer = this.#answer(claim, isTaken, nowMs);
    if (!answer.isAllowed) return answer;
    this.#given.renew(keyOf(claim.origin, claim.username), claim.lamport);
    return answer;
  }

  #answer({ username, lamport, origin }: Claim, isTaken: boolean, nowMs: number): LockAnswer {
    if (isTaken) return DENIED;
    const alike = this.#alike(username);
    if (alike.length === 0 && this.#locks.size >= this.#maxLocks) return DENIED;
    const held = alike.map((name) => ({ name, ...this.#locks.get(name)! }));
    const others = held.filter((lock) => lock.origin !== origin);
    // Granted: all who are linked to us have allowed it, and ask for it no more.
    const isGranted = (lock: Lock) => lock.origin === this.#serverId && lock.waitingFor.size === 0;
    if (others.some((lock) => isGranted(lock) || !precedes({ lamport, origin }, lock))) return DENIED;
    // A claim of a third server is passed over too: that one hears of the lower claim itself, and loses. If we
    // denied, both might lose.
    for (const { name } of held) this.#free(name);
    this.#lock(username, { lamport, origin, waitingFor: new Set(), sinceMs: nowMs });
    return {
      isAllowed: true,
      loses: others.filter((lock) => lock.origin === this.#serverId).map(({ name }) => name),
    };
  }

  /**
   * A peer has answered the own claim of that time. `undefined`: others have not, or it is about a claim that is over.
   */
  onAnswer(username: string, lamport: number, peer: string, isAllowed: boolean): "granted" | "denied" | undefined {
    const held = this.#locks.get(username);
    if (held?.origin !== this.#serverId || held.lamport !== lamport || !held.waitingFor.delete(peer)) return undefined;
    if (!isAllowed) {
      this.#free(username);
      return "denied";
    }
    return held.waitingFor.size === 0 ? "granted" : undefined;
  }

  /**
   * The link to `peer` is gone: its locks are freed, and nobody waits for it. Gives the own claims that
   * are granted by that.
   */
  peerGone(peer: string): Claim[] {
    const granted: Claim[] = [];
    for (const [username, { lamport, origin, waitingFor }] of this.#locks) {
      if (origin === peer) this.#free(username);
      else if (waitingFor.delete(peer) && waitingFor.size === 0) granted.push({ username, lamport, origin });
    }
    return granted;
  }

  /** Frees what `peer` holds: what it still wants it asks for again. */
  freeOf(peer: string): void {
    for (const [username, { origin }] of this.#locks) if (origin === peer) this.#free(username);
  }

  /**
   * A claim is over, an own one or a peer's: everybody who was asked has its account, or it was given up. Whoever
   * claimed says so to all that it asked, also when it was denied.
   */
  release({ username, lamport, origin }: Claim): void {
    const held = this.#locks.get(username);
    if (held?.origin === origin && held.lamport === lamport) this.#free(username);
  }

  /** Locked names that look like this one, itself included. */
  #alike(username: string): string[] {
    const near = [...skeletonsOf(username)].flatMap((skeleton) => [...this.#bySkeleton.get(skeleton) ?? []]);
    return [...new Set(near)].filter((name) => areAlike(name, username));
  }

  #lock(username: string, lock: Lock): void {
    this.#locks.set(username, lock);
    for (const skeleton of skeletonsOf(username)) {
      const names = this.#bySkeleton.get(skeleton) ?? new Set();
      this.#bySkeleton.set(skeleton, names.add(username));
    }
  }

  #free(username: string): void {
    this.#locks.delete(username);
    for (const skeleton of skeletonsOf(username)) {
      const names = this.#bySkeleton.get(skeleton);
      if (names?.delete(username) && names.size === 0) this.#bySkeleton.delete(skeleton);
    }
  }
}

function keyOf(origin: string, username: string): string {
  // No name of a server has a blank.
  return `${origin} ${username}`;
}
