/**
 * Hears the links to other servers. Tells the parts of the mesh and the server in the right order what a link says, and
 * when a link comes or goes. `peer_links.ts` decides which link counts.
 */

import { getLogger } from "@logtape/logtape";
import { sequenceOf } from "../../../log/vector.ts";
import type { Link } from "../../../platform/transport.ts";
import type { LineFramer } from "../../../protocol/line_framer.ts";
import type {
  PeerIdentity,
  PeerMessage,
  ServerAnnounceMessage,
  WireMember,
} from "../../../protocol/peer/peer_message.ts";
import type { BackplaneParts } from "../../backplane/backplane.ts";
import type { LinkTaker } from "../../backplane/door.ts";
import { takesChannels } from "../entries/peer_reader.ts";
import { type Announcing, reportOf } from "../announcing.ts";
import type { CatchUp } from "../catch_up.ts";
import type { MemberReport, Members } from "../members.ts";
import type { NameClaims } from "../names/name_claims.ts";
import type { CopiedFolders } from "../origins/copied_folders.ts";
import { answersDigests, type Forks } from "../origins/forks.ts";
import type { OriginTalk } from "../origins/origin_talk.ts";
import type { ArrivedLines, PeerEnd } from "./peer_link_parts.ts";
import type { PeerLink, PeerLinkOwner } from "../peer_link.ts";
import type { PeerTimes } from "../peer_times.ts";
import type { Replication } from "../replication.ts";
import type { Dialer } from "./dialer.ts";
import type { Joining } from "./joining.ts";
import { SELF } from "./peer_greeting.ts";
import type { PeerLinks } from "./peer_links.ts";
import { strangerProblem } from "./speaks_for_itself.ts";

/** Who is told of what a link says. */
export interface LinkEventsParts extends Pick<BackplaneParts, "clock" | "journal" | "legacy" | "owner" | "trace"> {
  readonly members: Members;
  readonly joining: Joining;
  readonly links: PeerLinks;
  readonly ticketKeys: Map<string, string>;
  readonly dialer: Dialer;
  readonly announcing: Announcing;
  readonly catchUp: CatchUp;
  readonly copiedFolders: CopiedFolders;
  readonly times: PeerTimes;
  readonly forks: Forks;
  readonly originTalk: OriginTalk;
  readonly replication: Replication;
  readonly nameClaims: NameClaims;
  isStopping(): boolean;
  /** `who` has other entries under numbers of this server, which is to go on under a new name. */
  takeNewServerName(who: string): void;
}

/** After a link to a server of the older dialect that has lasted for so long, the next call is made at once. */
const LASTING_MS = 30_000;
const logger = getLogger(["thrum", "mesh"]);

/** Of all links of one server. */
export class LinkEvents implements PeerLinkOwner {
  readonly #parts: LinkEventsParts;

  constructor(parts: LinkEventsParts) {
    this.#parts = parts;
  }

  // ---- links speak -----------------------------------------------------------------------------------------------

  onOpened(link: PeerLink, peer: PeerIdentity, members: readonly WireMember[]): void {
    this.opened(link, peer, members);
    this.#parts.nameClaims.called(link);
  }

  onMessage(link: PeerLink, message: PeerMessage): void {
    const { links, journal, replication, nameClaims, times, originTalk, owner } = this.#parts;
    if (!links.counts(link)) return;
    const problem = strangerProblem(message, link.serverId, journal.serverId);
    if (problem !== undefined) return link.end("INVALID_MESSAGE", problem);
    switch (message.command) {
      case "SERVER_ANNOUNCE":
        return this.#announced(link, message);
      case "WANT":
        return replication.wants(link, message.vector);
      case "HAVE":
        return replication.has(link, message.vector);
      case "LOCK_REQUEST":
      case "LOCK_ALLOWED":
      case "LOCK_DENIED":
      case "LOCK_RELEASE":
        times.heard(link, message.lamport);
        return nameClaims.onMessage(link, message);
      case "CLONED":
      case "OLD_CLAIM":
      case "RETRACTED":
      case "FORGOTTEN":
      case "WANT_ACCOUNTS":
      case "ACCOUNTS":
      case "DIGESTS_ASK":
      case "DIGESTS":
        return originTalk.onMessage(link, message);
      case "ONLINE_CHANGE":
      case "CHANNEL_READER":
        times.heard(link, message.lamport);
        return owner.said(link.serverId, message);
      case "ONLINE":
      case "PLACE_ASK":
      case "PLACE_SAID":
      case "SESSIONS":
      case "BEHIND":
      case "PLACES":
      case "OBSERVE":
      case "OBSERVED":
      case "OPERATE":
      case "PASS_SPENT":
      case "OPERATED":
      case "AUDIT_END":
      case "AUDIT_KEPT":
      case "CHANNEL_WATCH":
      case "CHANNEL_READERS":
        return owner.said(link.serverId, message);
    }
  }

  onEntries(link: PeerLink, arrived: ArrivedLines): void {
    const { links, replication } = this.#parts;
    if (!links.counts(link)) return;
    const problem = replication.arrived(link, arrived);
    if (problem !== undefined) link.end("INVALID_MESSAGE", problem);
  }

  onDrain(link: PeerLink): void {
    this.#parts.replication.drained(link);
  }

  onSuspect(link: PeerLink, isSuspect: boolean): void {
    const { links, members, owner } = this.#parts;
    if (!links.counts(link)) return;
    if (isSuspect) logger.warning("{name} is suspect: it is silent", { name: link.name });
    const known = members.get(link.serverId)?.state === "suspect";
    if (isSuspect !== known) this.#note(isSuspect ? "suspected" : "trusted", link.serverId);
    members.suspected(link.serverId, isSuspect, this.#nowMs);
    owner.membersChanged(undefined);
  }

  onEnd(link: PeerLink, end: PeerEnd, why: string): void {
    const { dialer, links, nameClaims, catchUp } = this.#parts;
    const calledAt = dialer.takeCall(link);
    if (links.delete(link)) this.lost(link, end, why);
    else if (calledAt !== undefined) dialer.ended(link, calledAt, end, why);
    nameClaims.called(link);
    catchUp.look();
  }

  get takesOlderDialect(): boolean {
    return this.#parts.legacy !== undefined;
  }

  onLegacyDialect(
    link: PeerLink,
    dialled: Link,
    framer: LineFramer,
    line: string | undefined,
  ): LinkTaker | undefined {
    const { legacy, dialer, links, nameClaims, members, joining, catchUp } = this.#parts;
    const address = dialer.calledAt(link);
    if (legacy === undefined || address === undefined) return undefined;
    // A server of this dialect that stands still is silent, too.
    if (line === undefined && members.hasMet(address)) return undefined;
    dialer.takeCall(link);
    links.delete(link);
    nameClaims.called(link);
    joining.linked();
    const begunAtMs = this.#nowMs;
    const taker = legacy.called(dialled, framer, line, () => {
      if (this.#nowMs - begunAtMs >= LASTING_MS) members.hasLasted(address);
      dialer.failed(address, "the link is gone");
    });
    members.isOlder(address);
    // There is no log that would have to come from it first.
    catchUp.look();
    return taker;
  }

  // ---- links come and go -----------------------------------------------------------------------------------------

  /** The other end has greeted. */
  opened(link: PeerLink, peer: PeerIdentity, told: readonly WireMember[]): void {
    const { journal, links, members, copiedFolders, owner, replication, forks, catchUp, announcing, dialer } =
      this.#parts;
    const { serverId } = peer;
    if (!copiedFolders.mayLink(link, peer)) {
      if (!link.isOver) link.end("DUPLICATE_LINK", SELF, "refused");
      return;
    }
    // It would show everybody what is for a channel.
    if (journal.channels.isUsed && !takesChannels(peer)) return link.end("TOO_OLD", undefined, "refused");
    const known = links.get(serverId);
    if (known !== undefined) {
      if (!links.replaces(link, known, this.#nowMs)) return link.end("DUPLICATE_LINK", undefined, "duplicate");
      // Who was there with the former link may be there no more, and nothing else tells so.
      if (links.isLost(link, known, this.#nowMs)) owner.startedAnew(serverId);
      links.setAside(known);
      replication.end(known);
      known.end("DUPLICATE_LINK", undefined, "duplicate");
    }
    links.set(link, this.#nowMs);
    this.#parts.joining.linked();
    copiedFolders.linked();
    this.#parts.times.greeted(link, peer.lamport);
    this.#note("linked", serverId, link.isOwn ? "called" : "was called");
    logger.info("linked with {name}", { name: link.name });
    const load = members.get(serverId)?.load ?? 0;
    // It says itself in a moment whether it takes clients.
    const report: MemberReport = { ...peer, load, weight: 1, online: false, members: told };
    members.linked(report, dialer.calledAt(link), this.#nowMs);
    // Whoever can tell what it has is asked first, and answers before anything else that is asked of it.
    const isAsked = forks.ask(link, sequenceOf(peer.vector, journal.serverId));
    if (!isAsked && !replication.ownIsSafe(peer.vector)) return this.#parts.takeNewServerName(link.name);
    catchUp.linked(serverId, peer.vector);
    replication.begin(link, peer.vector, isAsked);
    this.#parts.nameClaims.linked(link);
    this.#parts.originTalk.linked(link, peer);
    owner.met(serverId);
    journal.saveMembers(members.all.map(({ serverId, host, port }) => ({ serverId, host, port })));
    announcing.now();
    dialer.callDue();
    owner.membersChanged(undefined);
    catchUp.look();
  }

  /** The link counts no more. */
  lost(link: PeerLink, end: PeerEnd, why: string): void {
    const { catchUp, members, replication, nameClaims, owner, isStopping, announcing, dialer } = this.#parts;
    const { serverId } = link;
    catchUp.lost(serverId);
    if (end === "left") logger.info("{name} has left", { name: link.name });
    else if (end === "duplicate") logger.info("{name} keeps another link", { name: link.name });
    else if (!isStopping()) {
      // After all heartbeats nobody calls it any more: to this server it is dead, until it is back.
      const what = end === "silent" ? "{name} is dead: {why}" : "the link to {name} is lost: {why}";
      logger.warning(what, { name: link.name, why });
    }
    this.#note("unlinked", serverId, end === "left" ? "it has left" : why);
    const isCall = end === "refused" || end === "clearOnly" || end === "proofOnly" || end === "otherSecret";
    members.lost(serverId, isCall ? "lost" : end, this.#nowMs);
    replication.end(link);
    nameClaims.peerGone(serverId);
    owner.gone(serverId);
    if (isStopping()) return;
    announcing.now();
    dialer.callDue();
    owner.membersChanged(undefined);
  }

  #announced(link: PeerLink, message: ServerAnnounceMessage): void {
    const {
      replication,
      forks,
      journal,
      members,
      copiedFolders,
      times,
      nameClaims,
      ticketKeys,
      owner,
      dialer,
      originTalk,
    } = this.#parts;
    const { serverId } = link;
    if (replication.wouldDoubt(message.vector)) {
      if (!answersDigests(link)) {
        replication.ownIsSafe(message.vector);
        return this.#parts.takeNewServerName(link.name);
      }
      forks.ask(link, sequenceOf(message.vector, journal.serverId));
    }
    members.announced(reportOf(message, link.peer), this.#nowMs);
    originTalk.announced(link);
    copiedFolders.told(message.members);
    times.heard(link, message.lamport);
    nameClaims.announced(link, message.lamport, sequenceOf(message.vector, serverId));
    if (message.ticketKey !== "") ticketKeys.set(serverId, message.ticketKey);
    replication.replan(message.changes ? Object.keys(message.vector) : undefined);
    const { places: tells = false, vector, startedAt, formerly = [] } = message;
    owner.announced(serverId, { startedAt, has: sequenceOf(vector, serverId), tells, formerly });
    dialer.callDue();
    owner.membersChanged(serverId);
  }

  // ---- facts -----------------------------------------------------------------------------------------------------

  get #nowMs(): number {
    return this.#parts.clock.nowMs();
  }

  #note(event: "linked" | "unlinked" | "suspected" | "trusted", peer: string, what?: string): void {
    const { trace, journal } = this.#parts;
    trace()?.({ event, peer, ...(what === undefined ? {} : { what }) }, journal.tick());
  }
}
