/** Finds out between servers who may have a new name, as `name_locks.ts` decides. */

import { getLogger } from "@logtape/logtape";
import { precedes } from "../../../log/precedes.ts";
import { sequenceOf } from "../../../log/vector.ts";
import { ClaimEvidence } from "./claim_evidence.ts";
import type { AccountClaim } from "../entry_intake.ts";
import type { Claim, NameLocks } from "./name_locks.ts";
import type { Clock } from "../../../platform/clock.ts";
import { isPlaceOfInvitation } from "../../rights/invitations.ts";
import type { LockMessage } from "../../../protocol/peer/peer_message.ts";
import type { Account } from "../../store/store.ts";
import type { PeerLink } from "../peer_link.ts";

/** What the registrar needs of its node. */
export interface NameClaimsOwner {
  readonly serverId: string;
  readonly links: Iterable<PeerLink>;
  readonly clock: Clock;
  /** How long a server may take to answer (`cluster.lockTimeoutMs`). */
  readonly lockTimeoutMs: number;
  account(username: string): Account | undefined;
  /** Whether nobody can claim a name, as somebody has it, or one that looks like it. */
  isTaken(name: string): boolean;
  /** The newest entry of `origin` that is here, or about to be. */
  lastOf(origin: string): number;
  /** A server does not answer: its link has to end. */
  silent(serverId: string, why: string): void;
  /** Asks servers of the older dialect that hang on this one; tells at once where there are none. */
  askLegacyServers(username: string, told: (isAllowed: boolean) => void): void;
  /** The server's Lamport time after something happened. */
  tick(): number;
}

/** An own claim that peers were asked about. */
interface AwaitingGrants {
  readonly claim: Claim;
  settled(isGranted: boolean): void;
}

/**
 * Locks of others are freed after so many timeouts: who registers a name asks, then waits until everybody has the
 * account, each for no longer than that.
 */
const LOCK_LIFETIMES = 4;
const logger = getLogger(["thrum", "mesh"]);

/** The claims of one server's clients, and its answers to those of other servers. */
export class NameClaims {
  readonly #owner: NameClaimsOwner;
  readonly #locks: NameLocks;
  readonly #waiting = new Map<string, AwaitingGrants>();
  readonly #evidence = new ClaimEvidence();
  /**
   * Calls on which this server has said what it has numbered, and that are not answered: what it numbers meanwhile
   * looks as if it had not asked.
   */
  readonly #calls = new Set<PeerLink>();
  /** Claims that wait for such calls. */
  readonly #later = new Set<{ readonly calls: Set<PeerLink>; readonly run: () => void }>();

  constructor(locks: NameLocks, owner: NameClaimsOwner) {
    this.#locks = locks;
    this.#owner = owner;
  }

  /** This server has called another one, and greeted. */
  calling(link: PeerLink): void {
    this.#calls.add(link);
  }

  /** It has answered, and can be asked now; or it is gone. */
  called(link: PeerLink): void {
    if (!this.#calls.delete(link)) return;
    for (const claim of this.#later) {
      claim.calls.delete(link);
      if (claim.calls.size > 0) continue;
      this.#later.delete(claim);
      claim.run();
    }
  }

  /**
   * Claims a name in the network; `settled` is told when that is decided, at once where nobody has to be asked. A claim
   * that is granted has to be released when every server has its account, or it was given up.
   */
  claim(username: string, settled: (claim: Claim | undefined) => void): void {
    if (this.#calls.size === 0) return this.#claim(username, settled);
    this.#later.add({ calls: new Set(this.#calls), run: () => this.#claim(username, settled) });
  }

  #claim(username: string, settled: (claim: Claim | undefined) => void): void {
    const claim = { username, lamport: this.#owner.tick(), origin: this.#owner.serverId };
    const links = [...this.#owner.links];
    const decided = (isGranted: boolean) => {
      if (!isGranted) return settled(undefined);
      this.#askLegacyServers(username, (isAllowed) => {
        if (!isAllowed) this.release(claim);
        settled(isAllowed ? claim : undefined);
      });
    };
    switch (this.#locks.claim(username, claim.lamport, links.map(({ serverId }) => serverId), this.#nowMs)) {
      case "denied":
        return decided(false);
      case "granted":
        return decided(true);
      case "wait":
        this.#waiting.set(username, {
          claim,
          settled: (isGranted) => {
            this.#waiting.delete(username);
            if (!isGranted) this.#tellReleased(claim);
            decided(isGranted);
          },
        });
        for (const link of links) link.send({ command: "LOCK_REQUEST", ...claim });
    }
  }

  /** They make an account of each name that they are asked for. */
  #askLegacyServers(name: string, told: (isAllowed: boolean) => void): void {
    if (isPlaceOfInvitation(name)) told(true);
    else this.#owner.askLegacyServers(name, told);
  }

  /** This server has a new name, and no links. */
  renamed(serverId: string): void {
    this.#locks.renamed(serverId);
  }

  /** The claim is over. */
  release(claim: Claim): void {
    this.#locks.release(claim);
    this.#tellReleased(claim);
  }

  /** A peer asks, answers, or has done. */
  onMessage(link: PeerLink, message: LockMessage): void {
    const { command, username, lamport, origin } = message;
    switch (command) {
      case "LOCK_REQUEST": {
        this.#evidence.asked(origin, username, lamport);
        const { isAllowed, loses } = this.#locks.onRequest(
          message,
          this.#owner.isTaken(username),
          this.#nowMs,
        );
        for (const lost of loses) this.#waiting.get(lost)?.settled(false);
        const claim = { username, lamport, origin };
        const answer = (isAllowed: boolean) => {
          if (!isAllowed) this.#locks.release(claim);
          link.send({ command: isAllowed ? "LOCK_ALLOWED" : "LOCK_DENIED", ...claim });
        };
        if (isAllowed) this.#askLegacyServers(username, answer);
        else link.send({ command: "LOCK_DENIED", ...claim });
        return;
      }
      case "LOCK_ALLOWED":
      case "LOCK_DENIED": {
        // Whoever answers has heard of the claim: what it claims itself from now on is later.
        this.#saw(link, lamport + 1, sequenceOf(link.peer.vector, link.serverId));
        if (command === "LOCK_ALLOWED") {
          this.#evidence.gaveUp(link.serverId, username);
          this.#locks.gaveUp(link.serverId, username);
        }
        const outcome = this.#locks.onAnswer(username, lamport, link.serverId, command === "LOCK_ALLOWED");
        if (outcome !== undefined) this.#waiting.get(username)?.settled(outcome === "granted");
        return;
      }
      case "LOCK_RELEASE":
        this.#evidence.gaveUp(link.serverId, username);
        this.#locks.release(message);
        return;
      default:
        command satisfies never;
    }
  }

  /** A link is gone: its server is not asked any more. */
  peerGone(serverId: string): void {
    for (const { username } of this.#locks.peerGone(serverId)) this.#waiting.get(username)?.settled(true);
  }

  /**
   * A link is up. Where it took the place of another one to the same server, questions, answers and releases may
   * have been lost on that.
   */
  linked(link: PeerLink): void {
    this.#locks.freeOf(link.serverId);
    for (const claim of this.#locks.alsoAsk(link.serverId)) {
      link.send({ command: "LOCK_REQUEST", ...claim });
    }
  }

  /** A server said how it is: its clock is at `lamport`, and it has numbered its own entries up to `numbered`. */
  announced(link: PeerLink, lamport: number, numbered: number): void {
    this.#saw(link, lamport, numbered);
  }

  /**
   * Called regularly: who has not answered in time is not waited for any more, and what is locked
   * for too long is freed.
   */
  tick(): void {
    const { lockTimeoutMs, silent } = this.#owner;
    for (const peer of this.#locks.silentSince(this.#nowMs - lockTimeoutMs)) {
      silent(peer, `it has not answered LOCK_REQUEST for ${lockTimeoutMs} ms`);
      this.peerGone(peer);
    }
    for (const username of this.#locks.expire(this.#nowMs - LOCK_LIFETIMES * lockTimeoutMs)) {
      logger.warning("the lock on the name {username} lasted too long; the name is free again", {
        username,
      });
    }
  }

  /**
   * Whether an account of another server, which `sender` sends, is none: it takes a name from an account that is here
   * with a claim that was made later than it says. By what this server has seen itself: who numbers such an entry while
   * it is linked has to ask, and nobody's clock goes back.
   */
  isVoid({ username, claim, origin, sequence }: AccountClaim, sender: string): boolean {
    const known = this.#owner.account(username);
    if (known === undefined || !precedes({ lamport: claim, origin }, known)) return false;
    if (this.#locks.wasGiven({ username, lamport: claim, origin })) return false;
    const link = [...this.#owner.links].find(({ serverId }) => serverId === sender);
    const isNew = sender === origin && link !== undefined && sequence > sequenceOf(link.peer.vector, origin);
    if (isNew) this.#evidence.lied(origin, username, claim);
    const isTooLate = isNew || this.#evidence.isLate(origin, username, claim);
    // A server whose clock was put back with its data does not know it. Its link ends with this entry.
    if (isTooLate && sender === origin) {
      link?.send({ command: "OLD_CLAIM", username, claim, has: this.#owner.lastOf(origin) });
    }
    return isTooLate;
  }

  #saw({ serverId }: PeerLink, lamport: number, numbered: number): void {
    this.#evidence.seen(serverId, lamport, numbered, this.#owner.lastOf(serverId));
  }

  get #nowMs(): number {
    return this.#owner.clock.nowMs();
  }

  #tellReleased(claim: Claim): void {
    for (const link of this.#owner.links) link.send({ command: "LOCK_RELEASE", ...claim });
  }
}
