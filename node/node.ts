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
import { Balancer } from "./balancer.ts";
import { Connection } from "./connection.ts";
import type { ConnectionServices, ServedConnection } from "./connection_services.ts";
import { Journal } from "./journal.ts";
import { register } from "./admission.ts";
import { Mesh } from "./mesh.ts";
import { OlderPeers } from "./older_peers.ts";
import { PresenceBoard } from "./presence_board.ts";
import { PlainCursors } from "./plain_cursors.ts";
import { Sessions } from "./sessions.ts";
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
/** While clients are sent away, between two portions of them. */
const DRAIN_STEP_MS = 20;
/** How long others may take to take what they miss when this server stops. */
const FINISH_MS = 2_000;
const logger = getLogger(["thrum", "server"]);

/** One running server. */
export class ThrumNode {
  readonly #parts: NodeParts;
  readonly #heartbeat: WireHeartbeat;
  readonly #connections = new Set<ServedConnection>();
  readonly #waitingLinks: Link[] = [];
  readonly #services: ConnectionServices;
  readonly #supervisor: Supervisor;
  readonly #journal: Journal;
  readonly #hub: Hub;
  readonly #sessions: Sessions;
  readonly #mesh: Mesh;
  readonly #older: OlderPeers | undefined;
  readonly #balancer: Balancer;
  readonly #presence: PresenceBoard;
  readonly #finished: Promise<NodeEnd>;
  #finish!: (end: NodeEnd) => void;
  #listener: Listener | undefined;
  #forgetting: Timer | undefined;
  #failure: { readonly error: unknown } | undefined;
  #stopping: Promise<void> | undefined;
  #allGone: (() => void) | undefined;

  constructor(parts: NodeParts) {
    this.#parts = parts;
    const { config, clock, store, transport, crypto } = parts;
    const { config: heartbeat, warning } = effectiveHeartbeat(config.heartbeat);
    if (warning !== undefined) logger.warning(warning);
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
      registered: (usernames) => usernames.forEach((username) => this.#older?.registered(username)),
      accountLost: (username) => this.#accountLost(username),
      failed: (error) => this.#failed(error),
    });
    this.#hub = new Hub(this.#journal, clock);
    this.#sessions = new Sessions(() => this.#mesh.loadChanged());
    this.#older = config.cluster.olderDialect ? this.#makeOlderPeers() : undefined;
    const { writeTrace } = parts;
    const tracer = writeTrace && new Tracer(clock, this.#journal, writeTrace);
    this.#mesh = new Mesh({
      trace: tracer?.trace,
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
      membersChanged: (announced) => this.#balancer.membersChanged(announced),
    });
    this.#presence = new PresenceBoard({
      serverId: store.opened.serverId,
      perUser: config.sessions.perUser,
      clock,
      sessions: this.#sessions,
      tellServers: (message) => this.#mesh.tell(message),
      tick: (lamport) => this.#journal.tick(lamport),
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
      tracer,
      gone: (connection) => this.#gone(connection),
      failed: (error) => this.#failed(error),
    };
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

  /** Tells everybody, lets what is under way be stored and sent, and closes everything. */
  stop(): Promise<void> {
    return this.#stopping ??= this.#stop("SERVER_STOPPING");
  }

  #accept(link: Link): void {
    if (this.#stopping !== undefined) return link.destroy();
    const { maxConnections } = this.#parts.config.limits;
    if (this.#connections.size < maxConnections) return this.#serve(link);
    logger.warning("{limit} connections are served: one more has to wait", { limit: maxConnections });
    this.#waitingLinks.push(link);
    if (this.#waitingLinks.length <= MAX_WAITING_LINKS) return;
    // Nobody reads from those that wait, so one that has left is not noticed. The oldest is the likeliest to have.
    logger.error("{limit} connections wait for a place: the oldest is turned away", { limit: MAX_WAITING_LINKS });
    this.#waitingLinks.shift()?.destroy();
  }

  #serve(link: Link): void {
    const connection = new Connection(link, this.#services);
    this.#connections.add(connection);
    connection.start();
  }

  #gone(connection: ServedConnection): void {
    this.#connections.delete(connection);
    const waiting = this.#stopping === undefined ? this.#waitingLinks.shift() : undefined;
    if (waiting !== undefined) this.#serve(waiting);
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

  async #stop(reason: CloseReason): Promise<void> {
    if (this.#failure === undefined) logger.info("stopping; connections: {count}", { count: this.#connections.size });
    this.#forgetting?.cancel();
    this.#balancer.stop();
    this.#mesh.retire();
    await this.#listener?.close();
    for (const link of this.#waitingLinks.splice(0)) link.destroy();
    this.#journal.flush();
    await this.#sendClientsAway(reason);
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

  /** Clients that have somewhere else to go are sent there little by little, the others at once. */
  async #sendClientsAway(reason: CloseReason): Promise<void> {
    const { clock, config: { cluster } } = this.#parts;
    const sessions = [...this.#sessions];
    const hasOthers = this.#mesh.linkCount > 0 && this.#failure === undefined;
    const steps = hasOthers ? Math.max(1, Math.min(sessions.length, Math.floor(cluster.drainMs / DRAIN_STEP_MS))) : 1;
    for (let step = 0; step < steps; step++) {
      if (step > 0) await new Promise<void>((resolve) => clock.after(cluster.drainMs / steps, resolve));
      const [from, to] = [step, step + 1].map((part) => Math.floor(sessions.length * part / steps));
      for (const session of sessions.slice(from, to)) session.end(reason);
    }
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
