/**
 * This server among the others: calls them and is called, keeps one link to each, tells them how it is, and knows when it has joined. What is decided is in `mesh/`;
 * the log between servers is the business of `replication.ts`, names that of `registrar.ts`, and who serves which client that of `balancer.ts`.
 */

import { getLogger } from "@logtape/logtape";
import type { Config } from "../config/config.ts";
import { parseEndpoint } from "../config/values.ts";
import type { Supervisor } from "../heartbeat/mod.ts";
import { Locks } from "../mesh/locks.ts";
import { type Address, type Member, type MemberReport, Members } from "../mesh/members.ts";
import type { Source } from "../mesh/wants.ts";
import type { Clock, Timer } from "../platform/clock.ts";
import { chanceOf, type SecretCrypto } from "../platform/crypto.ts";
import type { Link, Transport } from "../platform/transport.ts";
import type { LineFramer } from "../protocol/line_framer.ts";
import type { AuthenticateMessage } from "../protocol/message.ts";
import { VERSION } from "../protocol/version.ts";
import { encodeAnnounce, isServerId } from "../protocol/peer_codec.ts";
import {
  type ObservedMessage,
  type ObserveMessage,
  type OnlineChangeMessage,
  type OnlineMessage,
  PEER_FEATURE,
  type PeerIdentity,
  type PeerMessage,
  type ServerAnnounceMessage,
  type WireMember,
} from "../protocol/peer_message.ts";
import type { KnownServer } from "../store/store.ts";
import type { Trace } from "../trace/trace_event.ts";
import type { HeartbeatCounts } from "./counters.ts";
import { Caller } from "./caller.ts";
import { Joining } from "./joining.ts";
import type { Journal } from "./journal.ts";
import type { OlderPeers } from "./older_peers.ts";
import {
  type ArrivedLines,
  isUnspecified,
  type LinkTaker,
  type PeerEnd,
  PeerLink,
  type PeerLinkOwner,
  type PeerSupervision,
} from "./peer_link.ts";
import { Registrar } from "./registrar.ts";
import { Replication } from "./replication.ts";

/** What the mesh is made with. */
export interface MeshParts {
  readonly config: Config;
  readonly clock: Clock;
  readonly transport: Transport;
  readonly supervisor: Supervisor;
  readonly journal: Journal;
  readonly crypto: SecretCrypto;
  /** The servers that were known before a restart. */
  readonly known: readonly KnownServer[];
  /** What tickets of this server's clients are made with. */
  readonly ticketKey: string;
  /** Logged-in clients. */
  load(): number;
  hasAccount(username: string): boolean;
  /** Where events go at the moment. */
  trace(): Trace | undefined;
  /** When this server was started, in milliseconds since 1970, and where its HTTP gateway is: empty for none. */
  readonly startedAt: number;
  http(): string;
  /** Counts those to other servers. */
  readonly heartbeats: HeartbeatCounts;
  /** Who looks at the network from here, or from there. */
  readonly observed: MeshObserver;
  /** Servers of the older dialect that hang on this one; absent where none may. */
  readonly older: OlderPeers | undefined;
  /** What a server with a new link has to know of who is online here. */
  online(): OnlineMessage;
  /** Another server says who is online there; `undefined` when it cannot be reached any more. */
  heardOnline(serverId: string, message: OnlineMessage | OnlineChangeMessage | undefined): void;
  /** A member was linked, lost or suspected, or said how it is: `announced` when it was only that. */
  membersChanged(announced: string | undefined): void;
}

/** What of the mesh is told to those who look at the network. */
export interface MeshObserver {
  linked(link: PeerLink): void;
  unlinked(serverId: string): void;
  onObserve(link: PeerLink, message: ObserveMessage): void;
  onObserved(serverId: string, message: ObservedMessage): void;
}

/** Whether a server that said AUTHENTICATE is taken for a peer. */
export type Admission =
  | { readonly kind: "peer"; readonly peer: PeerIdentity }
  /** It speaks the older dialect; one of family A says who it is. */
  | { readonly kind: "older"; readonly serverId: string | undefined }
  | { readonly kind: "refused"; readonly info: string };

/** How long a connection to another server may take to be made, and to be answered. */
const CALL_TIMEOUT_MS = 3_000;
/** After a change of the load: so that a burst of logins is one announcement. */
const ANNOUNCE_SOON_MS = 50;
/** How often is looked whether anything that waits has waited for long enough. */
const TICK_MS = 250;
const logger = getLogger(["thrum", "mesh"]);
const encoder = new TextEncoder();

/** The other servers, as one server has them. */
export class Mesh implements PeerLinkOwner {
  readonly #parts: MeshParts;
  readonly #members: Members;
  readonly #links = new Map<string, PeerLink>();
  /** Links that are not in `#links`, yet or any more. */
  readonly #others = new Set<PeerLink>();
  readonly #calls = new Map<PeerLink, Address>();
  readonly #ticketKeys = new Map<string, string>();
  readonly #supervision: PeerSupervision;
  readonly #caller: Caller;
  readonly #joining: Joining;
  readonly replication: Replication;
  readonly registrar: Registrar;
  #self: Address = { host: "", port: 0 };
  readonly #timers = new Map<"tick" | "announce" | "soon", Timer>();
  #isStopping = false;
  #allEnded: (() => void) | undefined;

  constructor(parts: MeshParts) {
    this.#parts = parts;
    const { config: { cluster }, clock, journal, supervisor, known } = parts;
    const { timeBeforeReconnectMs, peerIdleTimeoutMs, peerIntervalMs, peerHeartbeats } = cluster;
    const seeds = cluster.join.map((text) => parseEndpoint(text)!);
    this.#members = new Members(journal.serverId, { seeds, known, timeBeforeReconnectMs }, clock.nowMs());
    this.#supervision = {
      supervisor,
      silence: { idleTimeoutMs: peerIdleTimeoutMs, intervalMs: peerIntervalMs, count: peerHeartbeats },
      probes: { idleTimeoutMs: peerIdleTimeoutMs, intervalMs: peerIdleTimeoutMs, count: peerHeartbeats },
      greetingTimeoutMs: CALL_TIMEOUT_MS,
      heartbeats: parts.heartbeats,
    };
    this.#caller = new Caller({
      members: this.#members,
      clock,
      transport: parts.transport,
      timeoutMs: CALL_TIMEOUT_MS,
      chance: () => chanceOf(parts.crypto),
      onLink: (link, address) => this.#onLink(link, address),
      onFailed: () => {
        parts.membersChanged(undefined);
        this.#joining.look();
      },
    });
    this.#joining = new Joining({
      clock,
      vector: () => journal.vector,
      allTried: () => this.#members.allTried,
      joined: () => this.#joined(),
    });
    this.replication = new Replication(journal, clock, cluster.holdBackMs, {
      sources: () => this.#sources(),
      onReplicated: () => this.#joining.look(),
    }, () => parts.trace());
    this.registrar = new Registrar(new Locks(journal.serverId), {
      serverId: journal.serverId,
      links: { [Symbol.iterator]: () => this.#links.values() },
      hasAccount: parts.hasAccount,
      askOlderPeers: (username, told) => parts.older === undefined ? told(true) : parts.older.claim(username, told),
      tick: (lamport) => journal.tick(lamport),
    });
  }

  /** Begins, as soon as it is known where this server listens. */
  start(listening: Address): void {
    const { advertise } = this.#parts.config.cluster;
    this.#self = { host: advertise === "" ? listening.host : advertise, port: listening.port };
    const mayJoin = this.#parts.config.cluster.secret !== "";
    this.#joining.begin(!mayJoin || this.#members.isAlone);
    if (mayJoin) this.#caller.callDue();
    else this.#caller.stop();
    this.#announceRegularly();
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
    return this.#links.values();
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
    if (this.#links.size === 0 || this.#timers.has("soon")) return;
    this.#after("soon", ANNOUNCE_SOON_MS, () => this.#announce());
  }

  /** Says it to every linked server. */
  tell(message: OnlineChangeMessage): void {
    for (const link of this.#links.values()) link.send(message);
  }

  /** Whether whoever said this may be a peer. */
  admit(message: AuthenticateMessage, remoteHost: string): Admission {
    const { config: { cluster }, journal } = this.#parts;
    const refused = (info: string): Admission => ({ kind: "refused", info });
    if (cluster.secret === "") return refused("this server takes no other servers: it has no secret");
    if (!this.#isSecret(message.secret)) return refused("the secret is not the one of this network");
    const { serverId, port, host, features, vector, lamport = 0 } = message;
    if (!features.includes(PEER_FEATURE)) {
      if (this.#parts.older === undefined) return refused("this server takes no servers of the older dialect");
      return { kind: "older", serverId };
    }
    if (serverId === undefined || port === undefined) return refused("a server has to say its serverId and its port");
    if (!isServerId(serverId)) return refused("this serverId is none that a server can have");
    if (serverId === journal.serverId) return refused(SELF);
    if (this.#isStopping) return refused("this server is stopping");
    const reachable = host === undefined || isUnspecified(host) ? remoteHost : host;
    const known = this.#members.get(serverId);
    if (known?.state === "linked" && (known.host !== reachable || known.port !== port)) {
      return refused(
        `the server ${serverId} is linked already, at ${known.host}:${known.port}: was a data folder copied?`,
      );
    }
    return { kind: "peer", peer: { serverId, host: reachable, port, vector, lamport } };
  }

  /** Takes over the link of a server that was admitted. */
  accept(link: Link, framer: LineFramer, admission: Admission): LinkTaker {
    if (admission.kind === "older") return this.#parts.older!.accept(link, framer, admission.serverId);
    if (admission.kind === "refused") throw new TypeError("Cannot accept a server that was refused");
    const { peer } = admission;
    const identity = this.#identity();
    const members = this.#wireMembers();
    const accepted = PeerLink.accept(link, framer, { peer, identity, members }, this.#supervision, this);
    this.#others.add(accepted);
    this.#opened(accepted, peer, []);
    return accepted;
  }

  /** Calls nobody any more, and tells the others that this server takes no clients. */
  retire(): void {
    this.#isStopping = true;
    this.#caller.stop();
    this.#announce();
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

  /** Ends all links. */
  async stop(): Promise<void> {
    this.retire();
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
    this.#joining.stop();
    this.replication.stop();
    const links = [...this.#links.values(), ...this.#others];
    if (links.length === 0) return;
    const ended = new Promise<void>((resolve) => this.#allEnded = resolve);
    for (const link of links) link.end("SERVER_STOPPING");
    await ended;
  }

  // ---- links speak -----------------------------------------------------------------------------------------------

  onOpened(link: PeerLink, peer: PeerIdentity, members: readonly WireMember[]): void {
    this.#opened(link, peer, members);
  }

  onMessage(link: PeerLink, message: PeerMessage): void {
    if (this.#links.get(link.serverId) !== link) return;
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
        return this.registrar.onMessage(link, message);
      case "ONLINE":
      case "ONLINE_CHANGE":
        return this.#parts.heardOnline(link.serverId, message);
      case "OBSERVE":
        return this.#parts.observed.onObserve(link, message);
      case "OBSERVED":
        return this.#parts.observed.onObserved(link.serverId, message);
    }
  }

  onEntries(link: PeerLink, arrived: ArrivedLines): void {
    if (this.#links.get(link.serverId) !== link) return;
    const problem = this.replication.arrived(link, arrived);
    if (problem !== undefined) link.end("INVALID_MESSAGE", problem);
  }

  onDrain(link: PeerLink): void {
    this.replication.drained(link);
  }

  onSuspect(link: PeerLink, isSuspect: boolean): void {
    if (this.#links.get(link.serverId) !== link) return;
    if (isSuspect) logger.warning("{name} is silent", { name: link.name });
    const known = this.#members.get(link.serverId)?.state === "suspect";
    if (isSuspect !== known) this.#note(isSuspect ? "suspected" : "trusted", link.serverId);
    this.#members.suspected(link.serverId, isSuspect, this.#nowMs);
    this.#parts.membersChanged(undefined);
  }

  onEnd(link: PeerLink, end: PeerEnd, why: string): void {
    this.#others.delete(link);
    const calledAt = this.#calls.get(link);
    this.#calls.delete(link);
    if (this.#links.get(link.serverId) === link) this.#lost(link, end, why);
    else if (calledAt !== undefined) this.#callEnded(calledAt, end, why);
    if (this.#links.size + this.#others.size === 0) this.#allEnded?.();
    this.#joining.look();
  }

  // ---- calling ---------------------------------------------------------------------------------------------------

  #onLink(link: Link, address: Address): void {
    const greeting = { secret: this.#parts.config.cluster.secret, identity: this.#identity() };
    const called = PeerLink.call(link, greeting, this.#supervision, this);
    this.#others.add(called);
    this.#calls.set(called, address);
  }

  #callEnded(address: Address, end: PeerEnd, why: string): void {
    if (end === "duplicate") {
      this.#members.called(address, this.#nowMs);
      this.#caller.callDue();
    } else if (end === "refused" && why === SELF) {
      this.#members.isSelf(address);
      this.#joining.look();
    } else this.#caller.failed(address, why, end === "refused");
  }

  onOlderDialect(link: PeerLink, dialled: Link, framer: LineFramer, line: string): LinkTaker | undefined {
    const { older } = this.#parts;
    const address = this.#calls.get(link);
    if (older === undefined || address === undefined) return undefined;
    this.#calls.delete(link);
    this.#others.delete(link);
    return older.called(dialled, framer, line, () => this.#caller.failed(address, "the link is gone"));
  }

  // ---- links come and go -----------------------------------------------------------------------------------------

  #opened(link: PeerLink, peer: PeerIdentity, members: readonly WireMember[]): void {
    const { journal, membersChanged } = this.#parts;
    const { serverId } = peer;
    if (serverId === journal.serverId) return link.end("DUPLICATE_LINK", SELF, "refused");
    const known = this.#links.get(serverId);
    if (known !== undefined) {
      if (!this.#replaces(link, known)) return link.end("DUPLICATE_LINK", undefined, "duplicate");
      this.#others.add(known);
      this.#links.delete(serverId);
      this.replication.end(known);
      known.end("DUPLICATE_LINK", undefined, "duplicate");
    }
    this.#others.delete(link);
    this.#links.set(serverId, link);
    link.openedAtMs = this.#nowMs;
    journal.tick(peer.lamport);
    this.#note("linked", serverId, link.isOwn ? "called" : "was called");
    logger.info("linked with {name}", { name: link.name });
    const load = this.#members.get(serverId)?.load ?? 0;
    // It says itself in a moment whether it takes clients.
    const report: MemberReport = { ...peer, load, weight: 1, online: false, members };
    this.#members.linked(report, this.#calls.get(link), this.#nowMs);
    this.#joining.linked(serverId, peer.vector);
    this.replication.begin(link, peer.vector);
    if (known !== undefined) this.registrar.relinked(link);
    link.send(this.#parts.online());
    this.#parts.observed.linked(link);
    journal.saveMembers(this.#members.all.map(({ serverId, host, port }) => ({ serverId, host, port })));
    this.#announce();
    this.#caller.callDue();
    membersChanged(undefined);
    this.#joining.look();
  }

  /** Of two links that were made at once both ends keep the same one: that which the server with the lower name has made. */
  #replaces(link: PeerLink, known: PeerLink): boolean {
    // Who makes one has none: where the known one is not of the same moment, the other side does not have it any more.
    if (link.isOwn === known.isOwn || this.#nowMs - known.openedAtMs > CALL_TIMEOUT_MS) return true;
    return link.isOwn === (this.#parts.journal.serverId < link.serverId);
  }

  #lost(link: PeerLink, end: PeerEnd, why: string): void {
    const { serverId } = link;
    this.#links.delete(serverId);
    this.#joining.lost(serverId);
    if (end === "left") logger.info("{name} has left", { name: link.name });
    else if (end === "duplicate") logger.debug("{name} keeps another link", { name: link.name });
    else if (!this.#isStopping) logger.warning("lost {name}: {why}", { name: link.name, why });
    this.#note("unlinked", serverId, end === "left" ? "it has left" : why);
    this.#members.lost(serverId, end === "left" || end === "duplicate" ? end : "lost", this.#nowMs);
    this.replication.end(link);
    this.registrar.peerGone(serverId);
    this.#parts.heardOnline(serverId, undefined);
    this.#parts.observed.unlinked(serverId);
    if (this.#isStopping) return;
    this.#announce();
    this.#caller.callDue();
    this.#parts.membersChanged(undefined);
  }

  #announced(link: PeerLink, message: ServerAnnounceMessage): void {
    const { serverId } = link;
    // A server speaks for itself alone, and is where its link says.
    const { version, startedAt, http, lamport } = message;
    const { host, port } = link.peer;
    const about = { version, startedAt, http, lamport };
    this.#members.announced({ ...message, serverId, host, port, about }, this.#nowMs);
    this.#parts.journal.tick(message.lamport);
    if (message.ticketKey !== "") this.#ticketKeys.set(serverId, message.ticketKey);
    this.replication.replan();
    this.#caller.callDue();
    this.#parts.membersChanged(serverId);
  }

  #joined(): void {
    this.#caller.isJoined = true;
    this.#announce();
    if (this.#links.size === 0) return;
    const { replicated } = this.replication;
    logger.info("joined; servers linked: {count}, entries taken from them: {replicated}", {
      count: this.#links.size,
      replicated,
    });
  }

  // ---- regularly -------------------------------------------------------------------------------------------------

  #announceRegularly(): void {
    this.#after("announce", this.#parts.config.cluster.announceIntervalMs, () => {
      this.#announce();
      this.#announceRegularly();
    });
  }

  #announce(): void {
    this.#timers.get("soon")?.cancel();
    this.#timers.delete("soon");
    if (this.#links.size === 0) return;
    const { clock, journal, config, load, ticketKey } = this.#parts;
    const announce = {
      serverId: journal.serverId,
      ...this.#self,
      load: load(),
      weight: config.cluster.weight,
      online: this.isJoined && !this.#isStopping,
      ticketKey,
      vector: journal.vector,
      lamport: journal.tick(),
      members: this.#wireMembers(),
      version: VERSION,
      startedAt: this.#parts.startedAt,
      http: this.#parts.http(),
    };
    const line = encoder.encode(encodeAnnounce(announce, clock.wallMs()));
    for (const link of this.#links.values()) link.write(line);
  }

  #tickRegularly(): void {
    this.#after("tick", TICK_MS, () => {
      this.replication.tick();
      this.#tickRegularly();
    });
  }

  #after(name: "tick" | "announce" | "soon", delayMs: number, run: () => void): void {
    this.#timers.get(name)?.cancel();
    const timer = this.#parts.clock.after(Math.max(0, delayMs), () => {
      this.#timers.delete(name);
      run();
    });
    this.#timers.set(name, timer);
  }

  // ---- facts -----------------------------------------------------------------------------------------------------

  get #nowMs(): number {
    return this.#parts.clock.nowMs();
  }

  #note(event: "linked" | "unlinked" | "suspected" | "trusted", peer: string, what?: string): void {
    const { trace, journal } = this.#parts;
    trace()?.({ event, peer, ...(what === undefined ? {} : { what }) }, journal.tick());
  }

  #identity(): PeerIdentity {
    const { journal } = this.#parts;
    return { serverId: journal.serverId, ...this.#self, vector: journal.vector, lamport: journal.tick() };
  }

  #wireMembers(): WireMember[] {
    return this.#members.all
      .filter(({ serverId }) => this.#links.has(serverId))
      .map(({ serverId, host, port, load, weight }) => ({ serverId, host, port, load, weight }));
  }

  #sources(): Source[] {
    return this.#members.all.filter(({ serverId }) => this.#links.has(serverId));
  }

  #isSecret(secret: string): boolean {
    const { crypto, config } = this.#parts;
    const digest = (text: string) => encoder.encode(crypto.digest(text));
    return crypto.isEqual(digest(secret), digest(config.cluster.secret));
  }
}

/** What a server says to itself, when it was given its own address to join. */
const SELF = "this is the same server";
