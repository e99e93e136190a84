/**
 * A backplane of servers that are linked by TCP. This file puts it together, and answers its server.
 * `server/mesh/linking/dialer.ts` makes the calls, and `server/mesh/linking/link_events.ts` hears the links.
 * `announcing.ts` says how this server is. `replication.ts` carries the log, and `server/mesh/names/name_claims.ts`
 * decides names.
 */

import { getLogger } from "@logtape/logtape";
import { endpointText, parseEndpoint } from "../../config/values.ts";
import type { Segment } from "../../log/segment.ts";
import type { Vector } from "../../log/vector.ts";
import type { Endpoint } from "../../platform/address.ts";
import type { Timer } from "../../platform/clock.ts";
import { chanceOf } from "../../platform/crypto.ts";
import type { Link } from "../../platform/transport.ts";
import type { EntryId } from "../../protocol/entry_id.ts";
import type { LineFramer } from "../../protocol/line_framer.ts";
import type { Backplane, BackplaneParts, JoinState, NameClaim, Route, Talk } from "../backplane/backplane.ts";
import type { PeerDoor } from "../backplane/door.ts";
import type { AdmittedPeer } from "../backplane/peer_admission.ts";
import type { Member } from "../backplane/member.ts";
import { unlessUnreadable } from "../journal/unreadable_store.ts";
import type { KnownServer } from "../store/store.ts";
import { Announcing } from "./announcing.ts";
import { CatchUp } from "./catch_up.ts";
import { Dialer } from "./linking/dialer.ts";
import { remind } from "./linking/join_reminders.ts";
import { Joining } from "./linking/joining.ts";
import { LinkEvents } from "./linking/link_events.ts";
import { MeshDoor } from "./linking/mesh_door.ts";
import { OwnIdentity } from "./linking/own_identity.ts";
import { PeerLinks } from "./linking/peer_links.ts";
import { Members } from "./members.ts";
import { NameClaims } from "./names/name_claims.ts";
import { NameLocks } from "./names/name_locks.ts";
import { networkClaim } from "./names/network_claim.ts";
import { CopiedFolders } from "./origins/copied_folders.ts";
import { cutBack } from "./origins/cut_back.ts";
import { Forks } from "./origins/forks.ts";
import { takeNewServerName } from "./origins/new_server_name.ts";
import { OriginTalk } from "./origins/origin_talk.ts";
import { OrphanAccounts } from "./origins/orphan_accounts.ts";
import type { PeerLinkParts } from "./linking/peer_link_parts.ts";
import { PeerLink } from "./peer_link.ts";
import { PeerTimes } from "./peer_times.ts";
import { Replication } from "./replication.ts";
import type { Source } from "./wants.ts";

/** How long a connection to another server may take to be made, and to be answered. */
const CALL_TIMEOUT_MS = 3_000;
/** The time between two looks for waits that are over. */
const TICK_MS = 250;
const logger = getLogger(["thrum", "mesh"]);

/** The other servers, as one server has them. */
export class Mesh implements Backplane {
  readonly door: PeerDoor;
  readonly #parts: BackplaneParts;
  readonly #members: Members;
  readonly #joining: Joining;
  readonly #links: PeerLinks;
  readonly #ticketKeys = new Map<string, string>();
  readonly #linkParts: PeerLinkParts;
  readonly #dialer: Dialer;
  readonly #announcing: Announcing;
  readonly #catchUp: CatchUp;
  readonly #identity: OwnIdentity;
  readonly #originTalk: OriginTalk;
  readonly #forks: Forks;
  readonly #replication: Replication;
  readonly #nameClaims: NameClaims;
  readonly #events: LinkEvents;
  #self: Endpoint = { host: "", port: 0 };
  #ticking: Timer | undefined;
  #isStopping = false;
  /** Whether others tell it what became of the users who were here before its restart. */
  #tellsPlaces = false;

  constructor(parts: BackplaneParts) {
    this.#parts = parts;
    const { config, clock, crypto, journal, supervisor, kept, owner, secrets } = parts;
    const { cluster } = config;
    const { timeBeforeReconnectMs, memberRetentionMs, peerIdleTimeoutMs, peerIntervalMs, peerHeartbeats } = cluster;
    const seeds = cluster.join.map((text) => parseEndpoint(text)!);
    this.#members = new Members(
      journal.serverId,
      { seeds, known: kept.members, timeBeforeReconnectMs, memberRetentionMs },
      clock.nowMs(),
    );
    this.#joining = new Joining(cluster.joinWaitMs, () => !secrets.isSet || this.#members.isAlone);
    const times = new PeerTimes(journal, clock);
    this.#links = new PeerLinks(journal.serverId, CALL_TIMEOUT_MS);
    this.#linkParts = {
      ...{ supervisor, clock },
      silence: { idleTimeoutMs: peerIdleTimeoutMs, intervalMs: peerIntervalMs, count: peerHeartbeats },
      probes: { idleTimeoutMs: peerIdleTimeoutMs, intervalMs: peerIdleTimeoutMs, count: peerHeartbeats },
      greetingTimeoutMs: CALL_TIMEOUT_MS,
      heartbeats: parts.heartbeats,
      cipher: crypto,
    };
    const orphanAccounts = new OrphanAccounts({ journal, clock, digest: (text) => crypto.digest(text) }, kept.notes);
    const copiedFolders = new CopiedFolders({
      clock,
      incarnation: parts.incarnation,
      named: journal,
      link: (serverId) => this.#links.get(serverId),
      isClone: (error) => owner.isClone(error),
    });
    this.#identity = new OwnIdentity({
      ...{ journal, orphanAccounts, copiedFolders, links: this.#links, members: this.#members, crypto, secrets },
      address: () => this.#self,
    });
    this.#dialer = new Dialer({
      members: this.#members,
      clock,
      transport: parts.transport,
      timeoutMs: CALL_TIMEOUT_MS,
      faults: parts.faults,
      chance: () => chanceOf(crypto),
      greet: (link, isInClear, former) => this.#greet(link, isInClear, former),
      mayTellSecret: cluster.clearSecret === "upgrade" || parts.legacy !== undefined,
      tellsFirst: (address) =>
        parts.legacy !== undefined && cluster.join.includes(endpointText(address)) && !this.#members.hasMet(address),
      ...{ joining: this.#joining, secrets },
      onFailed: () => {
        owner.membersChanged(undefined);
        // The promise tells it, and clients that waited are let in now.
        unlessUnreadable(() => this.#catchUp.look());
      },
    });
    const { ticketKey, startedAt, load, http } = parts;
    this.#announcing = new Announcing({ config, clock, journal, ticketKey, startedAt, load, http }, {
      links: this.#links,
      address: () => this.#self,
      takesClients: () => this.isJoined && !this.#isStopping,
      tellsPlaces: () => this.#tellsPlaces,
      announcesNext: () => owner.announcesNext(),
      members: () => this.#identity.linked,
    });
    this.#catchUp = new CatchUp({
      clock,
      timeoutMs: cluster.joinWaitMs,
      vector: () => journal.vector,
      buriedAt: (origin) => journal.buriedAt(origin),
      allTried: () => this.#members.allTried,
      joined: () => this.#joined(),
      faults: parts.faults,
    });
    this.#forks = new Forks({
      journal,
      digest: (text) => crypto.digest(text),
      isSame: (link, last) => {
        if (!this.#links.counts(link)) return;
        if (!this.#replication.ownIsSafe({ [journal.serverId]: last })) return this.#takeNewServerName(link.name);
        this.#replication.release(link);
      },
      isFork: (link, ...fork) => this.#takeNewServerName(link.name, ...fork),
      isRetracted: (origin, after) => this.#cutBack(origin, after),
    });
    this.#originTalk = new OriginTalk({
      ...{ journal, links: this.#links, copiedFolders, orphanAccounts, catchUp: this.#catchUp },
      forks: this.#forks,
      forgotten: (vector) => owner.forgotten(vector),
      isOldCopy: (who, has) => this.#takeNewServerName(who, has, false),
      namesNoMore: (serverId, vector) => this.#members.forgot(serverId, vector),
    });
    this.#replication = new Replication(journal, clock, cluster, {
      sources: () => this.#sources(),
      onReplicated: () => this.#catchUp.look(),
      // Not within the turn that finds it out.
      onOldCopy: () => void clock.after(0, () => this.#takeNewServerName("another server")),
      isMember: (origin) => this.#members.get(origin) !== undefined,
      isRetracted: (header, lines) => this.#forks.isRetracted(header, lines),
      hasReserve: () => parts.hasReserve(),
      hasRoom: () => parts.hasRoom(),
      heard: (link, lamport) => times.heard(link, lamport),
      counts: (link, lamport) => times.counts(link, lamport),
      isVoid: (account, sender) => this.#nameClaims.isVoid(account, sender),
      silent: (serverId, why) => this.#links.get(serverId)?.end("PEER_SILENT", why),
    }, { trace: () => parts.trace(), faults: parts.faults, replications: parts.replications });
    this.#nameClaims = new NameClaims(new NameLocks(journal.serverId), {
      get serverId() {
        return journal.serverId;
      },
      links: this.#links,
      clock,
      lockTimeoutMs: cluster.lockTimeoutMs,
      account: (username) => journal.accountOf(username),
      isTaken: (name) => parts.isTaken(name),
      lastOf: (origin) => journal.lastOf(origin),
      silent: (serverId, why) => this.#links.get(serverId)?.end("PEER_SILENT", why),
      askLegacyServers: (username, told) =>
        parts.legacy === undefined ? told(true) : parts.legacy.claim(username, told),
      tick: () => journal.tick(),
    });
    this.#events = new LinkEvents({
      ...{ clock, journal, owner, copiedFolders, times, legacy: parts.legacy, trace: parts.trace },
      ...{ members: this.#members, links: this.#links, ticketKeys: this.#ticketKeys, dialer: this.#dialer },
      joining: this.#joining,
      ...{ announcing: this.#announcing, catchUp: this.#catchUp, forks: this.#forks, originTalk: this.#originTalk },
      ...{ replication: this.#replication, nameClaims: this.#nameClaims },
      isStopping: () => this.#isStopping,
      takeNewServerName: (who) => this.#takeNewServerName(who),
    });
    this.door = new MeshDoor(parts, {
      members: this.#members,
      isStopping: () => this.#isStopping,
      enters: (link, framer, admission, gone) => this.#enters(link, framer, admission, gone),
    });
  }

  // ---- the life of a server --------------------------------------------------------------------------------------

  start(listening: Endpoint): void {
    const { advertise, secret } = this.#parts.config.cluster;
    this.#self = { host: advertise === "" ? listening.host : advertise, port: listening.port };
    const mayJoin = secret !== "";
    this.#joining.begin(this.#parts.clock.nowMs());
    this.#catchUp.begin(!mayJoin || this.#members.isAlone);
    if (mayJoin) this.#dialer.callDue();
    else this.#dialer.stop();
    this.#announcing.begin();
    this.#tickRegularly();
  }

  /** Calls nobody any more, and tells the others that this server takes no clients. */
  retire(): void {
    this.#isStopping = true;
    this.#dialer.stop();
    this.#announcing.now();
  }

  async finish(graceMs: number): Promise<void> {
    const last = this.#parts.journal.lastOf(this.#parts.journal.serverId);
    if (this.#links.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = this.#parts.clock.after(graceMs, resolve);
      this.#replication.whenAllHave(last, () => {
        timer.cancel();
        resolve();
      });
    });
  }

  silence(): void {
    this.#isStopping = true;
    this.#links.end("SERVER_STOPPING");
  }

  /** Ends all links. */
  async stop(): Promise<void> {
    this.retire();
    this.#announcing.stop();
    this.#ticking?.cancel();
    this.#catchUp.stop();
    this.#replication.stop();
    await this.#links.endAll("SERVER_STOPPING");
  }

  // ---- the log ---------------------------------------------------------------------------------------------------

  committed(segments: readonly Segment[]): void {
    this.#replication.committed(segments);
  }

  delivered(): void {
    this.#replication.delivered();
  }

  whenSafe({ origin, sequence }: EntryId, run: () => void, pending?: () => void): void {
    const { config: { cluster }, journal } = this.#parts;
    // Two servers have an entry that came from another one.
    if (cluster.durability === "local" || origin !== journal.serverId || this.#members.isAlone) run();
    else this.#replication.whenOneHas(sequence, run, pending);
  }

  get pending(): number {
    return this.#replication.pending;
  }

  get isJoined(): boolean {
    return this.#catchUp.isOver;
  }

  get joinState(): JoinState {
    return this.#joining.state(this.#parts.clock.nowMs());
  }

  whenJoined(run: () => void): void {
    this.#catchUp.whenOver(run);
  }

  whenHere(id: string | undefined, run: () => void): void {
    this.#replication.whenHere(id, run);
  }

  reserveIsBack(): void {
    this.#replication.takeAgain();
  }

  forgot(vector: Vector): void {
    this.#originTalk.forgot(vector);
    this.#replication.replan();
  }

  // ---- names -----------------------------------------------------------------------------------------------------

  claim(username: string, settled: (claim: NameClaim | undefined) => void): void {
    const { lockTimeoutMs } = this.#parts.config.cluster;
    this.#nameClaims.claim(username, (claim) => {
      if (claim === undefined) return settled(undefined);
      settled(networkClaim(claim.lamport, {
        release: () => this.#nameClaims.release(claim),
        whenAllHave: (sequence, done) => this.#replication.whenAllHaveWithin(sequence, lockTimeoutMs, done),
      }));
    });
  }

  // ---- who there is ----------------------------------------------------------------------------------------------

  get self(): KnownServer {
    return { serverId: this.#parts.journal.serverId, ...this.#self };
  }

  get members(): readonly Member[] {
    return this.#members.all;
  }

  get routes(): Iterable<Route> {
    return this.#links;
  }

  get isAlone(): boolean {
    return this.#members.isAlone;
  }

  /** Whether it belongs to the network, by what this server and others know. */
  isMember(serverId: string): boolean {
    return serverId === this.#parts.journal.serverId || this.#members.get(serverId) !== undefined ||
      this.#replication.isReachable(serverId);
  }

  ticketKeyOf(serverId: string): string | undefined {
    return serverId === this.#parts.journal.serverId ? this.#parts.ticketKey : this.#ticketKeys.get(serverId);
  }

  // ---- small talk ------------------------------------------------------------------------------------------------

  say(message: Talk, to?: string): void {
    if (to !== undefined) return this.#links.get(to)?.send(message);
    for (const link of this.#links) link.send(message);
  }

  announceSoon(): void {
    this.#announcing.soon();
  }

  // ---- links are made --------------------------------------------------------------------------------------------

  #greet(link: Link, isInClear: boolean, former?: string): PeerLink {
    const greeting = this.#identity.greeting(isInClear, link.channel, former);
    const called = PeerLink.call(link, greeting, this.#linkParts, this.#events);
    this.#links.add(called);
    this.#announcing.greeted(called);
    this.#nameClaims.calling(called);
    return called;
  }

  #enters(link: Link, framer: LineFramer, admission: AdmittedPeer, gone: () => void): PeerLink {
    const { peer } = admission;
    const identity = this.#identity.for(peer.serverId);
    const members = this.#identity.linked;
    const accepted = PeerLink.accept(
      link,
      framer,
      { admission, identity, members },
      this.#linkParts,
      this.#events,
      gone,
    );
    this.#links.add(accepted);
    this.#announcing.greeted(accepted);
    // Also when the store cannot be read. The lines that came with the greeting are the peer's, and no client's.
    unlessUnreadable(() => this.#events.opened(accepted, peer, []));
    return accepted;
  }

  // ---- what follows for all of it --------------------------------------------------------------------------------

  /** An old copy of its data was put back. It has given numbers beyond `after` to other entries than `who` has. */
  #takeNewServerName(who: string, after?: number, isNextKnown = true): void {
    if (this.#isStopping || (after === undefined && this.#replication.ownIsSafe({}))) return;
    const { journal, makeServerId, owner, ticketKey } = this.#parts;
    const lastGood = after ?? journal.origins.acceptedAfter ?? 0;
    takeNewServerName({ who, after: lastGood, isNextKnown }, { journal, makeServerId, owner, ticketKey }, {
      digestOf: (origin, sequence) => this.#forks.digestOf(origin, sequence),
      links: this.#links,
      dialer: this.#dialer,
      lost: (link, why) => this.#events.lost(link, "lost", why),
      heirs: [this.#members, this.#links, this.#nameClaims],
      replication: this.#replication,
      ticketKeys: this.#ticketKeys,
    });
    this.#dialer.callDue();
  }

  /** What is here of `origin` beyond `after` has another name by now. */
  #cutBack(origin: string, after: number): void {
    logger.warning(
      "the entries of {origin} beyond {after} stand under another name: those that belong there are asked for",
      { origin, after },
    );
    cutBack(this.#parts.journal, origin, after, (renumbering) => this.#parts.owner.cutBack(renumbering));
    this.#replication.cutBack(origin);
  }

  #joined(): void {
    this.#dialer.isJoined = true;
    this.#parts.owner.joined(() => {
      this.#tellsPlaces = true;
      this.#announcing.now();
    });
    this.#announcing.now();
    if (this.#links.size === 0) return;
    const { replicated } = this.#replication;
    logger.info("joined; servers linked: {count}, entries taken from them: {replicated}", {
      count: this.#links.size,
      replicated,
    });
  }

  // ---- regularly -------------------------------------------------------------------------------------------------

  #tickRegularly(): void {
    this.#ticking = this.#parts.clock.after(TICK_MS, () => {
      try {
        this.#replication.tick();
        this.#nameClaims.tick();
        if (!this.#isStopping) remind(this.#joining, this.#parts.clock.nowMs());
      } finally {
        this.#tickRegularly();
      }
    });
  }

  #sources(): Source[] {
    return this.#members.all.filter(({ serverId }) => this.#links.get(serverId) !== undefined);
  }
}
