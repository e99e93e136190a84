/**
 * This server among the others: keeps one link to each, whoever has made it, and knows when it has joined. Files beside
 * it decide; calls are the business of `dialer.ts`, what servers say of themselves that of `announcing.ts`, the log
 * between them that of `replication.ts`, names that of `server/mesh/names/name_claims.ts`, and who serves which client
 * that of `server/balance/balancer.ts`.
 */

import { getLogger } from "@logtape/logtape";
import { parseEndpoint } from "../../config/values.ts";
import { Strikes } from "../accounts/strikes.ts";
import { sequenceOf } from "../../log/vector.ts";
import { Locks } from "./names/name_locks.ts";
import { strangerProblem } from "./speaks_for_itself.ts";
import { type MemberReport, Members } from "./members.ts";
import type { Member } from "../backplane/member.ts";
import type { Vector } from "../../log/vector.ts";
import type { Source } from "./wants.ts";
import { type Endpoint, networkOf } from "../../platform/address.ts";
import type { Timer } from "../../platform/clock.ts";
import { chanceOf } from "../../platform/crypto.ts";
import type { Link } from "../../platform/transport.ts";
import type { LineFramer } from "../../protocol/line_framer.ts";
import type { AuthenticateMessage } from "../../protocol/message.ts";
import type {
  OnlineChangeMessage,
  PeerIdentity,
  PeerMessage,
  ServerAnnounceMessage,
  WireMember,
} from "../../protocol/peer/peer_message.ts";
import type { KnownServer } from "../store/store.ts";
import { Announcing, reportOf } from "./announcing.ts";
import { Caller } from "./dialer.ts";
import { cutBack } from "./origins/cut_back.ts";
import { answersDigests, Forks } from "./origins/forks.ts";
import { Joining } from "./catch_up.ts";
import { Clones } from "./origins/copied_folders.ts";
import type { MeshParts } from "./mesh_parts.ts";
import { takeNewName } from "./origins/new_server_name.ts";
import { OriginTalk } from "./origins/origin_talk.ts";
import { type Admission, admitPeer, type Admitted, SELF } from "./peer_greeting.ts";
import {
  type ArrivedLines,
  type LinkTaker,
  type PeerEnd,
  PeerLink,
  type PeerLinkOwner,
  type PeerSupervision,
} from "./peer_link.ts";
import { PeerLinks } from "./peer_links.ts";
import { PeerTimes } from "./peer_times.ts";
import { Registrar } from "./names/name_claims.ts";
import { Replication } from "./replication.ts";
import { unlessUnreadable } from "../journal/unreadable_store.ts";

/** What `Mesh.admit` gives. */
export type { Admission, Admitted };

/** How long a connection to another server may take to be made, and to be answered. */
const CALL_TIMEOUT_MS = 3_000;
/** How often is looked whether anything that waits has waited for long enough. */
const TICK_MS = 250;
/**
 * What wrong secrets of the network cost an address. Not much at most: a server that was given the right one at last
 * may be behind the same.
 */
const WRONG_SECRETS = { free: 5, forgetMs: 60_000, firstMs: 1_000, mostMs: 8_000 };
const logger = getLogger(["thrum", "mesh"]);
const encoder = new TextEncoder();

/** The other servers, as one server has them. */
export class Mesh implements PeerLinkOwner {
  readonly #parts: MeshParts;
  readonly #members: Members;
  readonly #links: PeerLinks;
  readonly #ticketKeys = new Map<string, string>();
  readonly #strikes = new Strikes(WRONG_SECRETS);
  readonly #supervision: PeerSupervision;
  readonly #caller: Caller;
  readonly #announcing: Announcing;
  readonly #joining: Joining;
  readonly #clones: Clones;
  readonly #times: PeerTimes;
  readonly #originTalk: OriginTalk;
  readonly #forks: Forks;
  readonly replication: Replication;
  readonly registrar: Registrar;
  #self: Endpoint = { host: "", port: 0 };
  #ticking: Timer | undefined;
  #isStopping = false;
  /** Whether it is told what became of those who were here before this server was started anew. */
  #tellsPlaces = false;

  constructor(parts: MeshParts) {
    this.#parts = parts;
    const { config: { cluster }, clock, journal, supervisor, known } = parts;
    const { timeBeforeReconnectMs, memberRetentionMs, peerIdleTimeoutMs, peerIntervalMs, peerHeartbeats } = cluster;
    const seeds = cluster.join.map((text) => parseEndpoint(text)!);
    this.#members = new Members(
      journal.serverId,
      { seeds, known, timeBeforeReconnectMs, memberRetentionMs },
      clock.nowMs(),
    );
    this.#times = new PeerTimes(journal, clock);
    this.#links = new PeerLinks(journal.serverId, CALL_TIMEOUT_MS);
    this.#supervision = {
      supervisor,
      silence: { idleTimeoutMs: peerIdleTimeoutMs, intervalMs: peerIntervalMs, count: peerHeartbeats },
      probes: { idleTimeoutMs: peerIdleTimeoutMs, intervalMs: peerIdleTimeoutMs, count: peerHeartbeats },
      greetingTimeoutMs: CALL_TIMEOUT_MS,
      heartbeats: parts.heartbeats,
    };
    this.#clones = new Clones({
      clock,
      incarnation: parts.incarnation,
      named: journal,
      link: (serverId) => this.#links.get(serverId),
      isClone: parts.isClone,
    });
    this.#caller = new Caller({
      members: this.#members,
      clock,
      transport: parts.transport,
      timeoutMs: CALL_TIMEOUT_MS,
      faults: parts.faults,
      chance: () => chanceOf(parts.crypto),
      greet: (link) => this.#greet(link),
      onFailed: () => {
        parts.membersChanged(undefined);
        // Told by a promise, and clients that waited are let in now.
        unlessUnreadable(() => this.#joining.look());
      },
    });
    this.#announcing = new Announcing(parts, {
      links: this.#links,
      address: () => this.#self,
      takesClients: () => this.isJoined && !this.#isStopping,
      tellsPlaces: () => this.#tellsPlaces,
      announced: () => parts.places.announcedHere(),
      members: () => this.#wireMembers(),
    });
    this.#joining = new Joining({
      clock,
      vector: () => journal.vector,
      buriedAt: (origin) => journal.buriedAt(origin),
      allTried: () => this.#members.allTried,
      joined: () => this.#joined(),
      faults: parts.faults,
    });
    this.#forks = new Forks({
      journal,
      digest: (text) => parts.crypto.digest(text),
      isSame: (link, last) => {
        if (!this.#links.counts(link)) return;
        if (!this.replication.ownIsSafe({ [journal.serverId]: last })) return this.#takeNewName(link.name);
        this.replication.release(link);
      },
      isFork: (link, after) => this.#takeNewName(link.name, after),
      isRetracted: (origin, after) => this.#cutBack(origin, after),
    });
    this.#originTalk = new OriginTalk({
      ...{ journal, links: this.#links, clones: this.#clones, orphans: parts.orphans, joining: this.#joining },
      forks: this.#forks,
      forgotten: parts.forgotten,
      namesNoMore: (serverId, vector) => this.#members.forgot(serverId, vector),
    });
    this.replication = new Replication(journal, clock, cluster.holdBackMs, {
      sources: () => this.#sources(),
      onReplicated: () => this.#joining.look(),
      // Not within the turn in which it is found out.
      onOldCopy: () => void clock.after(0, () => this.#takeNewName("another server")),
      isMember: (origin) => this.#members.get(origin) !== undefined,
      isRetracted: (header, lines) => this.#forks.isRetracted(header, lines),
      hasReserve: () => parts.hasReserve(),
      heard: (link, lamport) => this.#times.heard(link, lamport),
      counts: (link, lamport) => this.#times.counts(link, lamport),
      isVoid: (account, sender) => this.registrar.isVoid(account, sender),
      silent: (serverId, why) => this.#links.get(serverId)?.end("PEER_SILENT", why),
    }, { trace: () => parts.trace(), faults: parts.faults });
    this.registrar = new Registrar(new Locks(journal.serverId), {
      get serverId() {
        return journal.serverId;
      },
      links: this.#links,
      clock,
      lockTimeoutMs: cluster.lockTimeoutMs,
      account: (username) => journal.accountOf(username),
      lastOf: (origin) => journal.lastOf(origin),
      silent: (serverId, why) => this.#links.get(serverId)?.end("PEER_SILENT", why),
      askOlderPeers: (username, told) => parts.older === undefined ? told(true) : parts.older.claim(username, told),
      tick: () => journal.tick(),
    });
  }

  /** Begins, as soon as it is known where this server listens. */
  start(listening: Endpoint): void {
    const { advertise } = this.#parts.config.cluster;
    this.#self = { host: advertise === "" ? listening.host : advertise, port: listening.port };
    const mayJoin = this.#parts.config.cluster.secret !== "";
    this.#joining.begin(!mayJoin || this.#members.isAlone);
    if (mayJoin) this.#caller.callDue();
    else this.#caller.stop();
    this.#announcing.begin();
    this.#tickRegularly();
  }

  /** This server, as others reach it. */
  get self(): KnownServer {
    return { serverId: this.#parts.journal.serverId, ...this.#self };
  }

  /** All other servers that are known. */
  get members(): readonly Member[] {
    return this.#members.all;
  }

  /** Servers that there is a link to. */
  get linkCount(): number {
    return this.#links.size;
  }

  /** Links to other servers. */
  get links(): Iterable<PeerLink> {
    return this.#links;
  }

  /** Whether nobody else belongs to the network, as far as is known. */
  get isAlone(): boolean {
    return this.#members.isAlone;
  }

  get isJoined(): boolean {
    return this.#joining.isOver;
  }

  /** Calls `run` once this server has what the others have, or has found out that it is alone; at once when it has. */
  whenJoined(run: () => void): void {
    this.#joining.whenOver(run);
  }

  /** The key for tickets of `serverId`'s clients. */
  ticketKeyOf(serverId: string): string | undefined {
    return serverId === this.#parts.journal.serverId ? this.#parts.ticketKey : this.#ticketKeys.get(serverId);
  }

  /** The number of logged-in clients has changed: the others are told soon. */
  loadChanged(): void {
    this.#announcing.soon();
  }

  /** Says it to every linked server. */
  tell(message: OnlineChangeMessage): void {
    for (const link of this.#links) link.send(message);
  }

  /** Whether whoever said this may be a peer. */
  admit(message: AuthenticateMessage, remoteHost: string): Admission {
    const { config: { cluster }, journal, older } = this.#parts;
    const from = networkOf(remoteHost);
    return admitPeer(message, remoteHost, {
      waitMs: this.#strikes.waitMs(from, this.#nowMs),
      serverId: journal.serverId,
      incarnationId: this.#parts.incarnation.id,
      hasSecret: cluster.secret !== "",
      takesOlderDialect: older !== undefined,
      isStopping: this.#isStopping,
      isSecret: (secret) => {
        const isRight = this.#isSecret(secret);
        if (isRight) this.#strikes.forget(from);
        else this.#strikes.add(from, this.#nowMs);
        return isRight;
      },
      member: (serverId) => this.#members.get(serverId),
    });
  }

  /** Takes over the link of a server that was admitted; `gone` is told when the link is gone. */
  accept(link: Link, framer: LineFramer, admission: Admitted, gone: () => void): LinkTaker {
    if (admission.kind === "older") return this.#parts.older!.accept(link, framer, admission.serverId, gone);
    const { peer } = admission;
    const identity = this.#identity(peer.serverId);
    const members = this.#wireMembers();
    const accepted = PeerLink.accept(link, framer, { peer, identity, members }, this.#supervision, this, gone);
    this.#links.add(accepted);
    this.#announcing.greeted(accepted);
    // Also when the store cannot be read: the lines that came with the greeting are its own, and no client's.
    unlessUnreadable(() => this.#opened(accepted, peer, []));
    return accepted;
  }

  /** Whether it belongs to the network, as far as is known. */
  isMember(serverId: string): boolean {
    return serverId === this.#parts.journal.serverId || this.#members.get(serverId) !== undefined ||
      this.replication.isReachable(serverId);
  }

  /** This server has forgotten these origins whole. */
  forgot(vector: Vector): void {
    this.#originTalk.forgot(vector);
    this.replication.replan();
  }

  /** Calls nobody any more, and tells the others that this server takes no clients. */
  retire(): void {
    this.#isStopping = true;
    this.#caller.stop();
    this.#announcing.now();
  }

  /** Resolves when all others have everything of this server, or `graceMs` later. */
  async finish(graceMs: number): Promise<void> {
    const last = this.#parts.journal.lastOf(this.#parts.journal.serverId);
    if (this.#links.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = this.#parts.clock.after(graceMs, resolve);
      this.replication.whenAllHave(last, () => {
        timer.cancel();
        resolve();
      });
    });
  }

  /** Says nothing more to any server. */
  silence(): void {
    this.#isStopping = true;
    this.#links.end("SERVER_STOPPING");
  }

  /** Ends all links. */
  async stop(): Promise<void> {
    this.retire();
    this.#announcing.stop();
    this.#ticking?.cancel();
    this.#joining.stop();
    this.replication.stop();
    this.#parts.places.stop();
    await this.#links.endAll("SERVER_STOPPING");
  }

  // ---- links speak -----------------------------------------------------------------------------------------------

  onOpened(link: PeerLink, peer: PeerIdentity, members: readonly WireMember[]): void {
    this.#opened(link, peer, members);
    this.registrar.called(link);
  }

  onMessage(link: PeerLink, message: PeerMessage): void {
    if (!this.#links.counts(link)) return;
    const problem = strangerProblem(message, link.serverId, this.#parts.journal.serverId);
    if (problem !== undefined) return link.end("INVALID_MESSAGE", problem);
    switch (message.command) {
      case "SERVER_ANNOUNCE":
        return this.#announced(link, message);
      case "WANT":
        return this.replication.wants(link, message.vector);
      case "HAVE":
        return this.replication.has(link, message.vector);
      case "LOCK_REQUEST":
      case "LOCK_ALLOWED":
      case "LOCK_DENIED":
      case "LOCK_RELEASE":
        this.#times.heard(link, message.lamport);
        return this.registrar.onMessage(link, message);
      case "ONLINE_CHANGE":
        this.#times.heard(link, message.lamport);
        return this.#parts.heardOnline(link.serverId, message);
      case "ONLINE":
        return this.#parts.heardOnline(link.serverId, message);
      case "CLONED":
      case "RETRACTED":
      case "FORGOTTEN":
      case "WANT_ACCOUNTS":
      case "ACCOUNTS":
      case "DIGESTS_ASK":
      case "DIGESTS":
        return this.#originTalk.onMessage(link, message);
      case "PLACE_ASK":
      case "PLACE_SAID":
      case "SESSIONS":
      case "BEHIND":
      case "PLACES":
        return this.#parts.places.onMessage(link, message);
      case "OBSERVE":
        return this.#parts.observed.onObserve(link, message);
      case "OBSERVED":
        return this.#parts.observed.onObserved(link.serverId, message);
    }
  }

  onEntries(link: PeerLink, arrived: ArrivedLines): void {
    if (!this.#links.counts(link)) return;
    const problem = this.replication.arrived(link, arrived);
    if (problem !== undefined) link.end("INVALID_MESSAGE", problem);
  }

  onDrain(link: PeerLink): void {
    this.replication.drained(link);
  }

  onSuspect(link: PeerLink, isSuspect: boolean): void {
    if (!this.#links.counts(link)) return;
    if (isSuspect) logger.warning("{name} is silent", { name: link.name });
    const known = this.#members.get(link.serverId)?.state === "suspect";
    if (isSuspect !== known) this.#note(isSuspect ? "suspected" : "trusted", link.serverId);
    this.#members.suspected(link.serverId, isSuspect, this.#nowMs);
    this.#parts.membersChanged(undefined);
  }

  onEnd(link: PeerLink, end: PeerEnd, why: string): void {
    const calledAt = this.#caller.takeCall(link);
    if (this.#links.delete(link)) this.#lost(link, end, why);
    else if (calledAt !== undefined) this.#caller.ended(calledAt, end, why);
    this.registrar.called(link);
    this.#joining.look();
  }

  // ---- calling ---------------------------------------------------------------------------------------------------

  #greet(link: Link): PeerLink {
    const greeting = { secret: this.#parts.config.cluster.secret, identity: this.#identity() };
    const called = PeerLink.call(link, greeting, this.#supervision, this);
    this.#links.add(called);
    this.#announcing.greeted(called);
    this.registrar.calling(called);
    return called;
  }

  onOlderDialect(link: PeerLink, dialled: Link, framer: LineFramer, line: string): LinkTaker | undefined {
    const { older } = this.#parts;
    const address = older === undefined ? undefined : this.#caller.takeCall(link);
    if (older === undefined || address === undefined) return undefined;
    this.#links.delete(link);
    this.registrar.called(link);
    return older.called(dialled, framer, line, () => this.#caller.failed(address, "the link is gone"));
  }

  // ---- links come and go -----------------------------------------------------------------------------------------

  #opened(link: PeerLink, peer: PeerIdentity, members: readonly WireMember[]): void {
    const { journal, membersChanged } = this.#parts;
    const { serverId } = peer;
    if (!this.#clones.mayLink(link, peer)) {
      if (!link.isOver) link.end("DUPLICATE_LINK", SELF, "refused");
      return;
    }
    const known = this.#links.get(serverId);
    if (known !== undefined) {
      if (!this.#links.replaces(link, known, this.#nowMs)) return link.end("DUPLICATE_LINK", undefined, "duplicate");
      // Who was there with the former link may be there no more, and nothing else tells so.
      if (this.#links.isLost(link, known, this.#nowMs)) this.#parts.places.gone(serverId);
      this.#links.setAside(known);
      this.replication.end(known);
      known.end("DUPLICATE_LINK", undefined, "duplicate");
    }
    this.#links.set(link, this.#nowMs);
    this.#clones.linked();
    this.#times.greeted(link, peer.lamport);
    this.#note("linked", serverId, link.isOwn ? "called" : "was called");
    logger.info("linked with {name}", { name: link.name });
    const load = this.#members.get(serverId)?.load ?? 0;
    // It says itself in a moment whether it takes clients.
    const report: MemberReport = { ...peer, load, weight: 1, online: false, members };
    this.#members.linked(report, this.#caller.calledAt(link), this.#nowMs);
    // Whoever can tell what it has is asked first, and answers before anything else that is asked of it.
    const isAsked = this.#forks.ask(link, sequenceOf(peer.vector, journal.serverId));
    if (!isAsked && !this.replication.ownIsSafe(peer.vector)) return this.#takeNewName(link.name);
    this.#joining.linked(serverId, peer.vector);
    this.replication.begin(link, peer.vector, isAsked);
    this.registrar.linked(link);
    this.#originTalk.linked(link, peer);
    link.send(this.#parts.online());
    this.#parts.places.linked(link);
    this.#parts.observed.linked(link);
    journal.saveMembers(this.#members.all.map(({ serverId, host, port }) => ({ serverId, host, port })));
    this.#announcing.now();
    this.#caller.callDue();
    membersChanged(undefined);
    this.#joining.look();
  }

  #lost(link: PeerLink, end: PeerEnd, why: string): void {
    const { serverId } = link;
    this.#joining.lost(serverId);
    if (end === "left") logger.info("{name} has left", { name: link.name });
    else if (end === "duplicate") logger.info("{name} keeps another link", { name: link.name });
    else if (!this.#isStopping) logger.warning("lost {name}: {why}", { name: link.name, why });
    this.#note("unlinked", serverId, end === "left" ? "it has left" : why);
    this.#members.lost(serverId, end === "left" || end === "duplicate" ? end : "lost", this.#nowMs);
    this.replication.end(link);
    this.registrar.peerGone(serverId);
    this.#parts.heardOnline(serverId, undefined);
    this.#parts.observed.unlinked(serverId);
    if (this.#isStopping) return;
    this.#announcing.now();
    this.#caller.callDue();
    this.#parts.membersChanged(undefined);
  }

  #announced(link: PeerLink, message: ServerAnnounceMessage): void {
    const { serverId } = link;
    if (this.replication.wouldDoubt(message.vector)) {
      if (!answersDigests(link)) {
        this.replication.ownIsSafe(message.vector);
        return this.#takeNewName(link.name);
      }
      this.#forks.ask(link, sequenceOf(message.vector, this.#parts.journal.serverId));
    }
    this.#members.announced(reportOf(message, link.peer), this.#nowMs);
    this.#clones.told(message.members);
    this.#times.heard(link, message.lamport);
    this.registrar.announced(link, message.lamport, sequenceOf(message.vector, serverId));
    if (message.ticketKey !== "") this.#ticketKeys.set(serverId, message.ticketKey);
    this.replication.replan(message.changes ? Object.keys(message.vector) : undefined);
    const { places: tells = false, vector, startedAt } = message;
    this.#parts.places.announced(serverId, { startedAt, has: sequenceOf(vector, serverId), tells });
    this.#caller.callDue();
    this.#parts.membersChanged(serverId);
  }

  /** As an old copy of its data was put back, and it has numbered others than `who` has beyond `after`. */
  #takeNewName(who: string, after?: number): void {
    if (this.#isStopping || (after === undefined && this.replication.ownIsSafe({}))) return;
    const { acceptedAfter } = this.#parts.journal.origins;
    takeNewName({ who, after: after ?? acceptedAfter ?? 0 }, this.#parts, {
      digestOf: (origin, sequence) => this.#forks.digestOf(origin, sequence),
      links: this.#links,
      caller: this.#caller,
      lost: (link, why) => this.#lost(link, "lost", why),
      heirs: [this.#members, this.#links, this.registrar],
      replication: this.replication,
      ticketKeys: this.#ticketKeys,
    });
    this.#caller.callDue();
  }

  /** What is here of `origin` beyond `after` has another name by now. */
  #cutBack(origin: string, after: number): void {
    logger.warning(
      "the entries of {origin} beyond {after} stand under another name: those that belong there are asked for",
      {
        origin,
        after,
      },
    );
    cutBack(this.#parts.journal, origin, after);
    this.replication.cutBack(origin);
    this.#parts.cutBack();
  }

  #joined(): void {
    this.#caller.isJoined = true;
    this.#parts.places.joined(() => {
      this.#tellsPlaces = true;
      this.#announcing.now();
    });
    this.#announcing.now();
    if (this.#links.size === 0) return;
    const { replicated } = this.replication;
    logger.info("joined; servers linked: {count}, entries taken from them: {replicated}", {
      count: this.#links.size,
      replicated,
    });
  }

  // ---- regularly -------------------------------------------------------------------------------------------------

  #tickRegularly(): void {
    this.#ticking = this.#parts.clock.after(TICK_MS, () => {
      try {
        this.replication.tick();
        this.registrar.tick();
      } finally {
        this.#tickRegularly();
      }
    });
  }

  // ---- facts -----------------------------------------------------------------------------------------------------

  get #nowMs(): number {
    return this.#parts.clock.nowMs();
  }

  #note(event: "linked" | "unlinked" | "suspected" | "trusted", peer: string, what?: string): void {
    const { trace, journal } = this.#parts;
    trace()?.({ event, peer, ...(what === undefined ? {} : { what }) }, journal.tick());
  }

  /** What this server says of itself, to the one of this name if it is known. */
  #identity(caller?: string): PeerIdentity {
    const { journal } = this.#parts;
    const { own: incarnation } = this.#clones;
    const about = { incarnation, accounts: this.#parts.orphans.summary };
    const buriedAt = caller === undefined ? 0 : journal.buriedAt(caller);
    // One that was taken for gone for good need not send again what was had of it.
    const vector = caller === undefined || buriedAt === 0 ? journal.vector : { ...journal.vector, [caller]: buriedAt };
    return { serverId: journal.serverId, ...this.#self, vector, lamport: journal.tick(), ...about };
  }

  #wireMembers(): WireMember[] {
    return [...this.#links].flatMap((link): WireMember[] => {
      const member = this.#members.get(link.serverId);
      const incarnation = this.#clones.of(link);
      if (member === undefined) return [];
      const { serverId, host, port, load, weight } = member;
      return [{ serverId, host, port, load, weight, ...(incarnation === undefined ? {} : { incarnation }) }];
    });
  }

  #sources(): Source[] {
    return this.#members.all.filter(({ serverId }) => this.#links.get(serverId) !== undefined);
  }

  #isSecret(secret: string): boolean {
    const { crypto, config } = this.#parts;
    const digest = (text: string) => encoder.encode(crypto.digest(text));
    return crypto.isEqual(digest(secret), digest(config.cluster.secret));
  }
}
