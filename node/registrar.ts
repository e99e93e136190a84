/** Who may have a new name: carries out between servers what `mesh/locks.ts` decides. */

import type { Claim, Locks } from "../mesh/locks.ts";
import type { LockMessage } from "../protocol/peer_message.ts";
import type { PeerLink } from "./peer_link.ts";

/** What the registrar needs of its node. */
export interface RegistrarOwner {
  readonly serverId: string;
  readonly links: Iterable<PeerLink>;
  hasAccount(username: string): boolean;
  /** Asks servers of the older dialect that hang on this one; tells at once where there are none. */
  askOlderPeers(username: string, told: (isAllowed: boolean) => void): void;
  /** The server's Lamport time after something happened. */
  tick(): number;
}

/** An own claim that peers were asked about. */
interface Waiting {
  readonly claim: Claim;
  settled(isGranted: boolean): void;
}

/** The claims of one server's clients, and its answers to those of other servers. */
export class Registrar {
  readonly #owner: RegistrarOwner;
  readonly #locks: Locks;
  readonly #waiting = new Map<string, Waiting>();

  constructor(locks: Locks, owner: RegistrarOwner) {
    this.#locks = locks;
    this.#owner = owner;
  }

  /**
   * Claims a name in the network; `settled` is told when that is decided, at once where nobody has to be asked. A claim that is granted has to be
   * released when every server has its account, or it was given up.
   */
  claim(username: string, settled: (claim: Claim | undefined) => void): void {
    const claim = { username, lamport: this.#owner.tick(), origin: this.#owner.serverId };
    const links = [...this.#owner.links];
    const decided = (isGranted: boolean) => {
      if (!isGranted) return settled(undefined);
      this.#owner.askOlderPeers(username, (isAllowed) => {
        if (!isAllowed) this.release(claim);
        settled(isAllowed ? claim : undefined);
      });
    };
    switch (this.#locks.claim(username, claim.lamport, links.map(({ serverId }) => serverId))) {
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
        for (const link of links) link.send({ command: "LOCK_REQUEST", ...claim } as LockMessage);
    }
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
        const { isAllowed, loses } = this.#locks.onRequest(message, this.#owner.hasAccount(username));
        if (loses) this.#waiting.get(username)?.settled(false);
        const claim = { username, lamport, origin };
        const answer = (isAllowed: boolean) => {
          if (!isAllowed) this.#locks.release(claim);
          link.send({ command: isAllowed ? "LOCK_ALLOWED" : "LOCK_DENIED", ...claim } as LockMessage);
        };
        if (isAllowed) this.#owner.askOlderPeers(username, answer);
        else link.send({ command: "LOCK_DENIED", ...claim } as LockMessage);
        return;
      }
      case "LOCK_ALLOWED":
      case "LOCK_DENIED": {
        if (origin !== this.#owner.serverId) return;
        const outcome = this.#locks.onAnswer(username, lamport, link.serverId, command === "LOCK_ALLOWED");
        if (outcome !== undefined) this.#waiting.get(username)?.settled(outcome === "granted");
        return;
      }
      case "LOCK_RELEASE":
        // Only whoever holds it.
        if (origin === link.serverId) this.#locks.release(message);
    }
  }

  /** A link is gone: its server is not asked any more. */
  peerGone(serverId: string): void {
    for (const { username } of this.#locks.peerGone(serverId)) this.#waiting.get(username)?.settled(true);
  }

  /** A link took the place of another one to the same server, on which questions, answers and releases may have been lost. */
  relinked(link: PeerLink): void {
    this.#locks.freeOf(link.serverId);
    for (const { claim } of this.#waiting.values()) link.send({ command: "LOCK_REQUEST", ...claim } as LockMessage);
  }

  #tellReleased(claim: Claim): void {
    for (const link of this.#owner.links) link.send({ command: "LOCK_RELEASE", ...claim } as LockMessage);
  }
}
