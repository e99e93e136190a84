/**
 * What servers tell each other of whole origins (docs/protocol.md, section 4.9). They tell which numbers were given out
 * twice, which server runs on a copy of another one's folder, which origins are forgotten, and which accounts are left
 * of those. This file hands all of it to the files that act.
 */

import type { Vector } from "../../../log/vector.ts";
import type { OriginMessage } from "../../../protocol/peer/origin_message.ts";
import type { PeerIdentity } from "../../../protocol/peer/peer_message.ts";
import type { CopiedFolders } from "./copied_folders.ts";
import type { Forks } from "./forks.ts";
import type { CatchUp } from "../catch_up.ts";
import type { Journal } from "../../journal/journal.ts";
import { retractedMessage } from "./new_server_name.ts";
import type { OrphanAccounts } from "./orphan_accounts.ts";
import type { PeerLink } from "../peer_link.ts";

/** What is told goes to these. */
export interface OriginTalkParts {
  readonly journal: Journal;
  /** Those that count. */
  readonly links: Iterable<PeerLink>;
  readonly copiedFolders: CopiedFolders;
  readonly orphanAccounts: OrphanAccounts;
  readonly catchUp: CatchUp;
  readonly forks: Forks;
  /** `serverId` names these origins no more. */
  namesNoMore(serverId: string, vector: Vector): void;
  /** Another server has this server's entries up to `has`, and knows that this server's clock was put back. */
  isOldCopy(who: string, has: number): void;
  /** Another server has forgotten these whole. Whether this one lacks something of them. */
  forgotten(vector: Vector): boolean;
}

/** One server's part in it. */
export class OriginTalk {
  readonly #parts: OriginTalkParts;

  constructor(parts: OriginTalkParts) {
    this.#parts = parts;
  }

  /** A link is up. */
  linked(link: PeerLink, { serverId, accounts }: PeerIdentity): void {
    const { journal, orphanAccounts, catchUp, forks } = this.#parts;
    for (const range of journal.origins.retractions.all) link.send(retractedMessage(range));
    forks.askForRetracted(link, journal.origins.retractions.all);
    if (accounts === undefined || accounts.count === 0) return;
    const { count, digest } = orphanAccounts.summary;
    if (accounts.count === count && accounts.digest === digest) return;
    // Nobody is told that there is no such account before they have come.
    catchUp.awaitsAccounts(serverId);
    link.send({ command: "WANT_ACCOUNTS" });
  }

  /**
   * The other server says what it has: it may have by now what belongs under numbers of which this one
   * has the wrong entries.
   */
  announced(link: PeerLink): void {
    const { journal, forks } = this.#parts;
    forks.askForRetracted(link, journal.origins.retractions.all);
  }

  onMessage(link: PeerLink, message: OriginMessage): void {
    const { journal, links, copiedFolders, orphanAccounts, catchUp, forks, forgotten, namesNoMore } = this.#parts;
    switch (message.command) {
      case "CLONED":
        return copiedFolders.found(message.info);
      case "OLD_CLAIM": {
        const { username, claim, has } = message;
        const known = journal.accountOf(username);
        // It goes on under a new name with what it has numbered since.
        if (known?.origin !== journal.serverId || known.lamport !== claim) return;
        if (has < journal.lastOf(journal.serverId)) this.#parts.isOldCopy(link.name, has);
        return;
      }
      case "RETRACTED": {
        const { command: _, ...range } = message;
        if (!journal.origins.retract(range)) return;
        // What came in this turn can be looked at when it is stored.
        journal.flush();
        for (const other of links) {
          other.send(retractedMessage(range));
          forks.askForRetracted(other, [range]);
        }
        return;
      }
      case "DIGESTS_ASK":
      case "DIGESTS":
        return forks.onMessage(link, message);
      case "FORGOTTEN":
        namesNoMore(link.serverId, message.vector);
        if (forgotten(message.vector)) link.send({ command: "WANT_ACCOUNTS" });
        return;
      case "WANT_ACCOUNTS":
        return orphanAccounts.sendTo(link);
      case "ACCOUNTS":
        orphanAccounts.took(message);
        if (!message.more) catchUp.accountsCame(link.serverId);
        return;
      default:
        message satisfies never;
    }
  }

  /** This server has forgotten these origins whole. */
  forgot(vector: Vector): void {
    this.#parts.orphanAccounts.changed();
    for (const link of this.#parts.links) link.send({ command: "FORGOTTEN", vector });
  }
}
