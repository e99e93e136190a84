/**
 * Gives a running server a new name. Its entries are written anew (`server/journal/origins/renaming.ts`). Its links end
 * and are made again, and the other servers are told. Clients that can resume come back at once, and are told which of
 * their entries have other numbers.
 */

import { getLogger } from "@logtape/logtape";
import type { RetractedMessage } from "../../../protocol/peer/origin_message.ts";
import type { BackplaneParts } from "../../backplane/backplane.ts";
import type { EntryRange } from "../../store/store.ts";
import type { Dialer } from "../linking/dialer.ts";
import type { PeerLink } from "../peer_link.ts";
import type { PeerLinks } from "../linking/peer_links.ts";
import type { Replication } from "../replication.ts";

/** What a new name is made with. */
export type NewServerNameParts = Pick<BackplaneParts, "journal" | "makeServerId" | "owner" | "ticketKey">;

/** What of the mesh has the name. */
export interface NewServerNameOwner {
  readonly links: PeerLinks;
  readonly dialer: Dialer;
  /** A link does not count any more. */
  lost(link: PeerLink, why: string): void;
  /** Whoever has to know the new name. */
  readonly heirs: readonly { renamed(serverId: string): void }[];
  readonly replication: Replication;
  readonly ticketKeys: Map<string, string>;
  /** Of an entry that is kept. */
  digestOf(origin: string, sequence: number): string | undefined;
}

/** Why links end then. */
const NEW_NAME = "the server goes on under a new name";
const logger = getLogger(["thrum", "mesh"]);

/** What a peer is told of `range`. */
export function retractedMessage(range: EntryRange): RetractedMessage {
  return { command: "RETRACTED", ...range };
}

/** Who has others of a server's own entries, and which. */
export interface Fork {
  readonly who: string;
  /** Beyond this one. */
  readonly after: number;
  /** Whether the very next one of both is known, and not the same. */
  readonly isNextKnown: boolean;
}

/** Gives this server a new name, as others have entries of it whose numbers it has given out again. */
export function takeNewServerName(
  { who, after, isNextKnown }: Fork,
  { journal, makeServerId, owner, ticketKey }: NewServerNameParts,
  { links, dialer, lost, heirs, replication, ticketKeys, digestOf }: NewServerNameOwner,
): void {
  const former = journal.serverId;
  journal.flush();
  const first = journal.origins.endBefore(former, after) + 1;
  // One that may be everybody's must not be told: this server would refuse it whoever sends it.
  const digest = isNextKnown && first === after + 1 ? digestOf(former, first) : undefined;
  const retracted = {
    ...{ origin: former, first, last: journal.lastOf(former) },
    ...(digest === undefined ? {} : { digest }),
  };
  const serverId = makeServerId();
  const numbers = journal.origins.rename(serverId, retracted);
  logger.error(
    "an old copy of the data of {former} was put back, and its numbers were given out twice: {who} has the former entries. " +
      "This server is now {serverId}; its newest entries moved to that name: {entries}",
    { former, who, serverId, entries: numbers.size },
  );
  owner.renumbered(former, numbers);
  // Tickets that it has given are good still.
  ticketKeys.set(former, ticketKey);
  for (const link of links.all) {
    const counts = links.counts(link);
    if (counts) {
      dialer.takeCall(link);
      links.setAside(link);
    }
    // Before its clients are sent away: some go there.
    if (counts) link.send(retractedMessage(retracted));
    link.end("SERVER_STOPPING", NEW_NAME);
    if (counts) lost(link, NEW_NAME);
  }
  for (const heir of heirs) heir.renamed(serverId);
  replication.renamed(numbers);
  owner.renamed({ origin: former, after: first - 1, now: { origin: serverId, numbers } });
}
