/**
 * A server put together from its rooms: listens, hands every link to a `Connection`, and stops in two phases. Knows no operating system: clock,
 * transport, store and cryptography are handed in, which is what lets several nodes run on one fake clock.
 */

import { getLogger } from "@logtape/logtape";
import { Accounts } from "../accounts/accounts.ts";
import { makeTicketKey } from "../accounts/ticket.ts";
import type { Config } from "../config/config.ts";
import { effectiveHeartbeat, Supervisor } from "../heartbeat/mod.ts";
import { Hub } from "../hub/hub.ts";
import type { Segment } from "../log/segment.ts";
import type { Member } from "../mesh/members.ts";
import type { Clock, Timer } from "../platform/clock.ts";
import { chanceOf, type SecretCrypto } from "../platform/crypto.ts";
import type { Link, Listener, Transport } from "../platform/transport.ts";
import type { CloseReason } from "../protocol/close_reason.ts";
import type { WireHeartbeat } from "../protocol/message.ts";
import { ANONYMOUS } from "../protocol/names.ts";
import type { Forgotten, Store } from "../store/store.ts";
import type { TraceEvent } from "../trace/trace_event.ts";
import type { Door, NetworkView } from "../view/network_view.ts";
import { Balancer } from "./balancer.ts";
import { Connection } from "./connection.ts";
import type { ConnectionServices, ServedConnection } from "./connection_services.ts";
import { Journal } from "./journal.ts";
import { register } from "./admission.ts";
import { Mesh } from "./mesh.ts";
import { Guests } from "./guests.ts";
import { OlderPeers } from "./older_peers.ts";
import { PresenceBoard } from "./presence_board.ts";
import { PlainCursors } from "./plain_cursors.ts";
import { Sessions } from "./sessions.ts";
import { Counters } from "./counters.ts";
import { Handover } from "./handover.ts";
import { type NodeMetrics, nodeMetrics } from "./node_metrics.ts";
import { type Observation, Observatory, type Observer } from "./observatory.ts";
import { ownView } from "./own_view.ts";
import { Tracer } from "./tracer.ts";

/** What a node is made with. */
export interface NodeParts {
  readonly config: Config;
  readonly clock: Clock;
  readonly transport: Transport;
  /** Closed by the node when it stops. */
  readonly store: Store;
  readonly crypto: SecretCrypto;
  /** What tickets are made with; made anew where it is absent, and then the clients' tickets end with the node. */
  readonly ticketKey?: string;
  /** Where trace events go; absent when nobody traces. */
  readonly writeTrace?: (event: TraceEvent) => void;
  /** What this process holds, in bytes. */
  readonly memoryBytes?: () => number;
}

/** How a node came to its end. */
export interface NodeEnd {
  /** Whether all went well until the end. */
  readonly reason: "stopped" | "failed";
  /** With `failed`: what could not be done. */
  readonly error?: unknown;
}

/** Links that may wait for a place when `limits.maxConnections` is reached; more are turned away. */
const MAX_WAITING_LINKS = 1_024;
/** Between two looks for what the store may forget, and while there is something: the store forgets a small portion at a time. */
const FORGET_INTERVAL_MS = 1_000;
const FORGET_MORE_INTERVAL_MS = 20;
/** How long others may take to take what they miss when this server stops. */
const FINISH_MS = 2_000;
const logger = getLogger(["thrum", "server"]);

/** One running server. */
export class ThrumNode {
  /** Whoever comes in through a door of another protocol. */
  readonly guests: Guests;
  readonly #parts: NodeParts;
  readonly #heartbeat: WireHeartbeat;
  readonly #connections = new Set<ServedConnection>();
  readonly #waitingLinks: { readonly link: Link; readonly over: Door }[] = [];
  readonly #services: ConnectionServices;
  readonly #supervisor: Supervisor;
  readonly #journal: Journal;
  readonly #hub: Hub;
  readonly #sessions: Sessions;
  readonly #mesh: Mesh;
  readonly #older: OlderPeers | undefined;
  readonly #balancer: Balancer;
  readonly #presence: PresenceBoard;
  readonly #observatory: Observatory;
  readonly #handover: Handover;
  readonly #counters = new Counters();
  readonly #startedAt: number;
  /** Where its HTTP gateway is. */
  #http = "";
  #connectionsMade = 0;
  readonly #finished: Promise<NodeEnd>;
  #finish!: (end: NodeEnd) => void;
  #listener: Listener | undefined;
  #forgetting: Timer | undefined;
  #failure: { readonly error: unknown } | undefined;
  #stopping: Promise<void> | undefined;
  #allGone: (() => void) | undefined;
  #isDraining = false;

  constructor(parts: NodeParts) {
    this.#parts = parts;
    const { config, clock, store, transport, crypto } = parts;
    const { config: heartbeat, warning } = effectiveHeartbeat(config.heartbeat);
    if (warning !== undefined) logger.warning(warning);
    this.#startedAt = clock.wallMs();
    this.#heartbeat = {
      idleTimeoutMs: heartbeat.idleTimeoutMs,
      intervalMs: heartbeat.intervalMs,
      count: heartbeat.count,
    };
    const { cut } = store.opened;
    if (cut !== undefined) {
      logger.warning(
        "the machine stopped before the disk had the newest {entries} entries: they are lost, and this server, {before} until now, is {serverId} from here on",
        { entries: cut.entries, before: cut.formerServerId, serverId: store.opened.serverId },
      );
    }
    this.#finished = new Promise((resolve) => this.#finish = resolve);
    this.#supervisor = new Supervisor(clock);
    const kept = { tailBytes: config.limits.tailBytes, messagesWaitMs: config.store.directMessageRetentionMs };
    this.#journal = new Journal(store, clock, kept, {
      safe: (segments) => this.#mesh.replication.stored(segments),
      stored: (segments, hasHole) => this.#stored(segments, hasHole),
      registered: (usernames) => {
        usernames.forEach((username) => this.#older?.registered(username));
        this.guests.registered(usernames);
        this.#observatory.registered(usernames);
      },
      accountLost: (username) => this.#accountLost(username),
      failed: (error) => this.#failed(error),
    });
    this.#hub = new Hub(this.#journal, clock);
    this.#sessions = new Sessions(() => this.#mesh.loadChanged());
    this.#older = config.cluster.olderDialect ? this.#makeOlderPeers() : undefined;
    this.#observatory = this.#makeObservatory();
    const { writeTrace } = parts;
    const { live } = this.#observatory;
    const events = new Tracer(clock, this.#journal, (event) => {
      writeTrace?.(event);
      live.add(event);
    });
    const tracer = () => writeTrace !== undefined || live.hasRoom ? events : undefined;
    this.#mesh = new Mesh({
      trace: () => tracer()?.trace,
      startedAt: this.#startedAt,
      http: () => this.#http,
      heartbeats: this.#counters.serverHeartbeats,
      observed: this.#observatory,
      older: this.#older,
      config,
      clock,
      transport,
      supervisor: this.#supervisor,
      journal: this.#journal,
      crypto,
      known: store.opened.members,
      ticketKey: parts.ticketKey ?? makeTicketKey(crypto),
      load: () => this.#sessions.load,
      hasAccount: (username) => store.account(username) !== undefined,
      online: () => this.#presence.here,
      heardOnline: (serverId, message) => {
        if (message === undefined) this.#presence.serverGone(serverId);
        else this.#presence.heard(serverId, message);
      },
      membersChanged: (announced) => {
        this.#balancer.membersChanged(announced);
        if (announced === undefined) this.#observatory.soon();
      },
    });
    this.#presence = new PresenceBoard({
      serverId: store.opened.serverId,
      perUser: config.sessions.perUser,
      clock,
      sessions: this.#sessions,
      tellServers: (message) => this.#mesh.tell(message),
      tick: (lamport) => this.#journal.tick(lamport),
      told: (event, lamport) => this.guests.presence(event, lamport),
    });
    this.#balancer = new Balancer({
      serverId: store.opened.serverId,
      cluster: config.cluster,
      clock,
      sessions: this.#sessions,
      members: () => this.#mesh.members,
      announceSoon: () => this.#mesh.loadChanged(),
      chance: () => chanceOf(crypto),
    });
    this.#handover = new Handover({
      clock,
      sessions: this.#sessions,
      hasOthers: () => this.#mesh.linkCount > 0,
      nextTarget: () => this.#balancer.nextTarget(),
    });
    this.#services = {
      config,
      clock,
      mesh: this.#mesh,
      balancer: this.#balancer,
      sessions: this.#sessions,
      presence: this.#presence,
      hasAccount: (username) => this.#journal.hasAccount(username),
      usernames: () => this.#journal.usernames(),
      heartbeat: this.#heartbeat,
      transport,
      supervisor: this.#supervisor,
      hub: this.#hub,
      journal: this.#journal,
      accounts: new Accounts(store, crypto, {
        serverId: store.opened.serverId,
        keyOf: (serverId) => this.#mesh.ticketKeyOf(serverId),
        wallMs: () => clock.wallMs(),
      }),
      plainCursors: new PlainCursors(this.#journal, store.opened.cursors),
      counters: this.#counters,
      get tracer() {
        return tracer();
      },
      ended: (end) => {
        this.#counters.ended(end.reason as CloseReason);
        this.#observatory.ended(end);
      },
      gone: (connection) => this.#gone(connection),
      failed: (error) => this.#failed(error),
    };
    this.guests = new Guests({
      services: this.#services,
      refusal: () => {
        if (this.#stopping !== undefined) return "notNow";
        return this.#connections.size < config.limits.maxConnections ? undefined : "full";
      },
      nextId: () => String(++this.#connectionsMade),
      serve: (guest) => {
        this.#counters.accepted++;
        this.#connections.add(guest);
      },
    });
  }

  /** Begins to listen. @throws {Error} with a `code` such as `EADDRINUSE` when the address cannot be had. */
  async start(): Promise<void> {
    this.#listener = await this.#parts.transport.listen(this.#parts.config.server, (link) => this.#accept(link));
    logger.debug("{serverId} listens on {host}:{port}", { serverId: this.serverId, host: this.host, port: this.port });
    this.#services.tracer?.trace({ event: "start", what: `${this.host}:${this.port}` }, this.#journal.tick());
    this.#forgetLater();
    this.#mesh.start(this.#listener);
    this.#balancer.start();
  }

  /** The other servers of the network, as far as they are known. */
  get members(): readonly Member[] {
    return this.#mesh.members;
  }

  /** Whether it has what the others have, as far as they can be reached: until then it logs nobody in. */
  get isJoined(): boolean {
    return this.#mesh.isJoined;
  }

  /** Logged-in clients. */
  get load(): number {
    return this.#sessions.load;
  }

  /** How clients are supervised, after what was asked for was brought into order. */
  get heartbeat(): WireHeartbeat {
    return this.#heartbeat;
  }

  get serverId(): string {
    return this.#journal.serverId;
  }

  get host(): string {
    return this.#listener?.host ?? "";
  }

  get port(): number {
    return this.#listener?.port ?? 0;
  }

  /** Connections that are served now. */
  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Resolves when the node has stopped, on request or because it could not go on. Never rejects. */
  get finished(): Promise<NodeEnd> {
    return this.#finished;
  }

  /** Where it stands in its life. It logs clients in while `ready`. */
  get state(): "joining" | "ready" | "draining" | "stopping" {
    if (this.#isDraining) return "draining";
    return this.#stopping !== undefined ? "stopping" : this.isJoined ? "ready" : "joining";
  }

  /** Tells everybody, lets what is under way be stored and sent, and closes everything. */
  stop(): Promise<void> {
    this.#handover.hurry();
    return this.#stopping ??= this.#stop("SERVER_STOPPING");
  }

  /** As `stop`, but gently: nobody logs in any more, and clients are handed to other servers when they are in the middle of nothing. */
  drain(): void {
    this.#stopping ??= this.#drain();
  }

  // ---- for other doors -------------------------------------------------------------------------------------------

  /** Serves a connection that came through another door like one that came over TCP. */
  accept(link: Link, over: Door): void {
    this.#accept(link, over);
  }

  /** Begins to look at the whole network; it costs nothing while nobody does. */
  observe(observer: Observer): Observation {
    return this.#observatory.observe(observer);
  }

  /** Looks at the whole network once. */
  look(): Promise<NetworkView> {
    return this.#observatory.look();
  }

  /** What happened in the network within the last `seconds`, at most a minute, as far as it was observed. */
  diagram(seconds: number): readonly TraceEvent[] {
    return this.#observatory.diagram(this.#parts.clock.wallMs() - seconds * 1000);
  }

  /** The others are told that this server has an HTTP gateway, at `HOST:PORT`. */
  announceHttp(address: string): void {
    this.#http = address;
    this.#mesh.loadChanged();
  }

  /** This server in numbers. */
  metrics(): NodeMetrics {
    const { clock } = this.#parts;
    const { vector, lamport, accepted: published, commits } = this.#journal;
    return nodeMetrics({
      ...{ startedAt: this.#startedAt, nowWallMs: clock.wallMs(), vector, lamport, published, commits },
      connections: this.#connections,
      waiting: this.#waitingLinks.length,
      counters: this.#counters,
      sessions: this.#sessions.load,
      members: this.#mesh.members,
      links: this.#mesh.links,
      usersOnline: this.#presence.online.length,
    });
  }

  #accept(link: Link, over: Door = "tcp"): void {
    if (this.#stopping !== undefined) return link.destroy();
    const { maxConnections } = this.#parts.config.limits;
    if (this.#connections.size < maxConnections) return this.#serve(link, over);
    logger.warning("{limit} connections are served: one more has to wait", { limit: maxConnections });
    this.#waitingLinks.push({ link, over });
    if (this.#waitingLinks.length <= MAX_WAITING_LINKS) return;
    // Nobody reads from those that wait, so one that has left is not noticed. The oldest is the likeliest to have.
    logger.error("{limit} connections wait for a place: the oldest is turned away", { limit: MAX_WAITING_LINKS });
    this.#waitingLinks.shift()?.link.destroy();
  }

  #serve(link: Link, over: Door): void {
    this.#counters.accepted++;
    const connection = new Connection(link, this.#services, { id: String(++this.#connectionsMade), over });
    this.#connections.add(connection);
    connection.start();
  }

  #gone(connection: ServedConnection): void {
    this.#connections.delete(connection);
    const waiting = this.#stopping === undefined ? this.#waitingLinks.shift() : undefined;
    if (waiting !== undefined) this.#serve(waiting.link, waiting.over);
    if (this.#connections.size === 0) this.#allGone?.();
  }

  #stored(segments: readonly Segment[], hasHole: boolean): void {
    // Nothing is skipped in silence: whoever comes back is told what it cannot have.
    if (hasHole) this.#hub.skipped(segments[0]!.position - 1);
    this.#services.tracer?.broadcast(segments);
    this.#hub.deliver(segments);
    this.#mesh.replication.delivered();
    this.#older?.stored();
  }

  /** Whoever is logged in with the account that does not hold has to go. */
  #accountLost(username: string): void {
    logger.warning("{username} was registered twice while servers were apart: the older claim holds", { username });
    for (const session of this.#sessions.of(username)) session.end("NAME_LOST");
  }

  /** Ends the server, or makes a failure of the end that it is coming to. */
  #failed(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = { error };
    logger.fatal("cannot go on: {error}", { error: sentenceOf(error) });
    this.#stopping ??= this.#stop("SERVER_FAILED");
  }

  async #drain(): Promise<void> {
    logger.info("draining; connections: {count}", { count: this.#connections.size });
    this.#isDraining = true;
    await this.#retire();
    // Whoever has not logged in yet would come too late.
    for (const connection of this.#connections) {
      if (connection.describe(0).kind === "new") connection.end("SERVER_STOPPING");
    }
    await this.#handover.gently("SERVER_STOPPING");
    this.#isDraining = false;
    await this.#stop("SERVER_STOPPING");
  }

  /** Takes nobody in any more. */
  async #retire(): Promise<void> {
    this.#balancer.stop();
    this.#mesh.retire();
    this.#observatory.soon();
    await this.#listener?.close();
    for (const { link } of this.#waitingLinks.splice(0)) link.destroy();
    this.#journal.flush();
  }

  async #stop(reason: CloseReason): Promise<void> {
    if (this.#failure === undefined) logger.info("stopping; connections: {count}", { count: this.#connections.size });
    this.#forgetting?.cancel();
    await this.#retire();
    await this.#handover.within(this.#failure === undefined ? this.#parts.config.cluster.drainMs : 0, reason);
    this.#journal.flush();
    if (this.#failure === undefined) await this.#mesh.finish(FINISH_MS);
    this.#older?.stop();
    this.#journal.flush();
    await this.#mesh.stop();
    if (this.#connections.size > 0) {
      const allGone = new Promise<void>((resolve) => this.#allGone = resolve);
      for (const connection of this.#connections) connection.end(reason);
      await allGone;
    }
    // What the ends of connections left behind: where plain clients stood.
    this.#journal.flush();
    this.#presence.stop();
    this.#observatory.stop();
    this.#supervisor.stop();
    this.#services.tracer?.trace({ event: "stop", what: reason }, this.#journal.tick());
    try {
      this.#parts.store.close();
    } catch (error) {
      this.#failed(error);
    }
    logger.info("stopped");
    this.#finish(this.#failure === undefined ? { reason: "stopped" } : { reason: "failed", ...this.#failure });
  }

  #makeOlderPeers(): OlderPeers {
    const { config, clock, crypto, store } = this.#parts;
    const isOnline = (username: string) => this.#sessions.of(username).length > 0;
    const hasAccount = (username: string) => store.account(username) !== undefined;
    const self = () => ({ ...this.#mesh.self, load: this.#sessions.load });
    return new OlderPeers({
      journal: this.#journal,
      clock,
      crypto,
      activityCheckIntervalMs: config.cluster.activityCheckIntervalMs,
      rememberedMs: config.store.messageIdRetentionMs,
      self,
      members: () => this.#mesh.members.filter(({ state }) => state === "linked"),
      users: () => usersOf(this.#sessions, store),
      isOnline,
      hasAccount,
      takeAccount: (username, secret, told) => {
        const waiting = { remoteHost: "", isGone: false, brokeDown: () => told(false) };
        if (!hasAccount(username)) return register(username, secret, waiting, this.#services, told);
        this.#services.accounts.checkLogin({ username, secret }).then(({ ok }) => told(ok), () => told(false));
      },
    });
  }

  #makeObservatory(): Observatory {
    const { clock, config, memoryBytes } = this.#parts;
    return new Observatory({
      serverId: this.serverId,
      clock,
      log: this.#journal,
      own: () =>
        ownView({
          self: this.#mesh.self,
          nowWallMs: clock.wallMs(),
          startedAt: this.#startedAt,
          load: this.#sessions.load,
          weight: config.cluster.weight,
          takesClients: this.state === "ready",
          vector: this.#journal.vector,
          lamport: this.#journal.lamport,
          published: this.#journal.accepted,
          memoryBytes: memoryBytes?.(),
          http: this.#http,
          draining: this.#isDraining ? this.#handover.progress : null,
          links: this.#mesh.links,
          connections: this.#connections,
        }),
      members: () => this.#mesh.members,
      links: () => this.#mesh.links,
      online: () => this.#presence.places,
      usernames: () => this.#journal.usernames(),
    });
  }

  /** Regularly and in small portions, so that it is never felt. */
  #forgetLater(delayMs = FORGET_INTERVAL_MS): void {
    const { clock, store, config } = this.#parts;
    this.#forgetting = clock.after(delayMs, () => {
      const { activityRetentionMs, activityRetentionBytes, directMessageRetentionMs, messageIdRetentionMs } =
        config.store;
      const now = clock.wallMs();
      let forgotten: Forgotten;
      try {
        forgotten = store.forget({
          takenBefore: now - activityRetentionMs,
          maxBytes: activityRetentionBytes,
          directMessagesBefore: now - directMessageRetentionMs,
          usedBefore: now - messageIdRetentionMs,
        });
      } catch (error) {
        return this.#failed(error);
      }
      if (forgotten.entries > 0) {
        this.#journal.forgot(forgotten.upTo);
        this.#hub.forgot(forgotten.upTo);
      }
      this.#forgetLater(forgotten.more ? FORGET_MORE_INTERVAL_MS : FORGET_INTERVAL_MS);
    });
  }
}

/** Every user once, those that are logged in first. */
function* usersOf(
  sessions: Sessions,
  store: Store,
): Iterable<{ readonly username: string; readonly isOnline: boolean }> {
  const online = new Set([...sessions].map(({ username }) => username).filter((username) => username !== ANONYMOUS));
  for (const username of online) yield { username, isOnline: true };
  for (const username of store.usernames()) if (!online.has(username)) yield { username, isOnline: false };
}

function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
