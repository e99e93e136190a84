/**
 * A server put together from its rooms: listens, and hands every link to a `Connection`; how it ends is in
 * `closing.ts`. Knows no operating system: clock, transport, store and cryptography are handed in, which is what lets
 * several nodes run on one fake clock.
 */

import { getLogger } from "@logtape/logtape";
import { Accounts } from "../accounts/accounts.ts";
import { RefusalLog } from "../accounts/refusal_log.ts";
import { makeTicketKey } from "../accounts/ticket.ts";
import type { Config } from "../../config/config.ts";
import { effectiveHeartbeat } from "../../heartbeat/liveness.ts";
import { Supervisor } from "../../heartbeat/supervisor.ts";
import { Hub } from "../hub/hub.ts";
import type { Position } from "../../log/segment.ts";
import type { Backplane } from "../backplane/backplane.ts";
import type { Member } from "../backplane/member.ts";
import { beginIncarnation, type Incarnation } from "../journal/origins/incarnation.ts";
import type { Clock } from "../../platform/clock.ts";
import { chanceOf, type SecretCrypto } from "../../platform/crypto.ts";
import { type FaultGuard, UNGUARDED } from "../../platform/faults.ts";
import { makeServerId } from "../../platform/node_id.ts";
import type { SpanOutput } from "../../platform/telemetry.ts";
import type { Link, Listener, Transport } from "../../platform/transport.ts";
import { CLOSE_REASONS } from "../../protocol/close_reason.ts";
import type { WireHeartbeat } from "../../protocol/message.ts";
import type { Store } from "../store/store.ts";
import type { TraceEvent } from "../../trace/trace_event.ts";
import type { Door, NetworkView } from "../../view/network_view.ts";
import { takeAccount } from "../session/admission.ts";
import { GoneServers } from "../journal/origins/gone_servers.ts";
import { Balancer } from "../balance/balancer.ts";
import { ClientLog } from "../hub/client_log.ts";
import { Past } from "../hub/past.ts";
import { AfterCommit } from "./after_commit.ts";
import { Closing, type NodeEnd } from "./closing.ts";
import { chosenEngine, type Engine } from "./engines.ts";
import { NetworkNews } from "./network_news.ts";
import { Connection } from "../session/connection.ts";
import { HeartbeatDials } from "../session/limits/heartbeat_dials.ts";
import type { ConnectionServices } from "../session/connection_services.ts";
import { Connections, MAX_LOBBY } from "../session/connections.ts";
import { Forgetting } from "../journal/forgetting.ts";
import { Journal } from "../journal/journal.ts";
import { LongLogins } from "../session/limits/long_logins.ts";
import { EntrySpans } from "../observe/entry_spans.ts";
import { Guests } from "../guests/guests.ts";
import { LegacyServers } from "../legacy/legacy_servers.ts";
import { INCARNATION } from "../journal/origins/origins.ts";
import { PresenceBoard } from "../presence/presence_board.ts";
import { type UserPlaces, userPlaces } from "../places/user_places.ts";
import { Sessions } from "../hub/sessions.ts";
import { MetricCounters } from "../../view/metric_counters.ts";
import { DiskBudget, MAX_BYTES_NOTE, maxBytesNote } from "../store/disk_budget.ts";
import { Handover } from "../balance/handover.ts";
import { type NodeMetrics, nodeMetrics } from "../observe/node_metrics.ts";
import { type Observation, Observatory, type Observer } from "../observe/observatory.ts";
import { ownServerView } from "../observe/own_server.ts";
import { AddressRates } from "../session/limits/address_rates.ts";
import { LIMIT_NAMES } from "../session/limits/limit_names.ts";
import { type TakenActivities, takenActivities } from "../observe/taken_activities.ts";
import { Tracer } from "../observe/tracer.ts";
import { guardedClock } from "../journal/unreadable_store.ts";
import { UserLists } from "../presence/user_lists.ts";
import { WorkShares } from "../session/limits/work_shares.ts";
import type { Renumbering } from "../../log/renumbering.ts";

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
  /** What links it with other servers; as `engines.ts` chooses where it is absent. */
  readonly makeBackplane?: Engine;
  /** Makes a new name for a server, should this one need it; by chance where it is absent. */
  readonly makeServerId?: () => string;
  /** Where trace events go; absent when nobody traces. */
  readonly writeTrace?: (event: TraceEvent) => void;
  /** Is told what clients of this server published, after each turn; absent when nobody watches. */
  readonly watched?: (taken: TakenActivities) => void;
  /** Where spans go; absent when nobody wants any. */
  readonly spans?: SpanOutput;
  /**
   * Told what is thrown in a handler, which then ends no more than what it belongs to; absent where
   * that is to be thrown on.
   */
  readonly faults?: FaultGuard;
  /** How many connections without a place are heard; 1,024 where it is absent. */
  readonly maxLobby?: number;
  /** What this process holds, in bytes. */
  readonly memoryBytes?: () => number;
}

/** How a node came to its end. */
export type { NodeEnd };

/** How often is looked whether whole origins may be forgotten. */
const BURYING_INTERVAL_MS = 600_000;
const logger = getLogger(["thrum", "server"]);

/** One running server. */
export class ThrumNode {
  /** Whoever comes in through a door of another protocol. */
  readonly guests: Guests;
  /** Tells of callers that are refused, through whatever door. */
  readonly refusals: RefusalLog;
  readonly #parts: NodeParts;
  readonly #heartbeat: WireHeartbeat;
  readonly #connections: Connections;
  readonly #services: ConnectionServices;
  readonly #supervisor: Supervisor;
  readonly #journal: Journal;
  readonly #hub: Hub;
  readonly #sessions: Sessions;
  readonly #backplane: Backplane;
  readonly #legacy: LegacyServers | undefined;
  readonly #balancer: Balancer;
  readonly #presence: PresenceBoard;
  readonly #userLists: UserLists;
  readonly #places: UserPlaces;
  readonly #observatory: Observatory;
  readonly #handover: Handover;
  readonly #spans: EntrySpans | undefined;
  readonly #afterCommit: AfterCommit;
  readonly #counters = new MetricCounters(LIMIT_NAMES);
  readonly #startedAt: number;
  readonly #incarnation: Incarnation;
  /** Where its HTTP gateway is. */
  #http = "";
  readonly #forgetting: Forgetting;
  readonly #goneServers: GoneServers;
  readonly #budget: DiskBudget;
  readonly #closing: Closing;
  #listener: Listener | undefined;

  constructor(given: NodeParts) {
    const parts = { ...given, clock: guardedClock(given.clock) };
    this.#parts = parts;
    const { config, clock, store, transport, crypto, faults = UNGUARDED, watched } = parts;
    const { config: heartbeat, warning } = effectiveHeartbeat(config.heartbeat);
    if (warning !== undefined) logger.warning(warning);
    this.#startedAt = clock.wallMs();
    this.refusals = new RefusalLog(clock);
    const { idleTimeoutMs, intervalMs, count } = heartbeat;
    this.#heartbeat = { idleTimeoutMs, intervalMs, count };
    const { cut } = store.opened;
    if (cut !== undefined) {
      logger.warning(
        "the machine stopped before the disk had the newest entries. Entries lost: {entries}. The server is now {serverId}; it was {before}",
        { entries: cut.entries, before: cut.formerServerId, serverId: store.opened.serverId },
      );
    }
    this.#supervisor = new Supervisor(clock, faults);
    const kept = { tailBytes: config.limits.tailBytes, messagesWaitMs: config.store.directMessageRetentionMs };
    this.#journal = new Journal(store, clock, kept, {
      committed: (commit) => this.#afterCommit.committed(commit),
      placeNoted: (origin, sequence, lamport, note) => {
        this.#places.keeper.heard(origin, sequence, lamport, note);
        if (note.event === "lost") this.#places.talk.heardPlace(origin, note.username);
      },
      failed: (error) => this.#closing.fail(error),
    });
    this.#userLists = this.#makeUserLists();
    const journal = this.#journal;
    const incarnationId = [...crypto.randomBytes(8)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    this.#incarnation = beginIncarnation(store.opened.notes[INCARNATION], incarnationId);
    const clientLog = new ClientLog(journal, store.opened.head);
    this.#hub = new Hub(clientLog, clock, faults);
    this.#budget = new DiskBudget({
      clock,
      limits: config.store,
      keptMaxBytes: maxBytesNote(store.opened.notes),
      keep: (maxBytes) => this.#journal.saveNote(MAX_BYTES_NOTE, `${maxBytes}`),
      use: () => store.diskUse(),
      reserveIsBack: () => this.#backplane.reserveIsBack(),
      failed: (error) => this.#closing.fail(error),
    });
    this.#connections = new Connections({
      limits: config.limits,
      maxLobby: parts.maxLobby ?? MAX_LOBBY,
      clock,
      counters: this.#counters,
      refusals: this.refusals,
      isClosing: () => this.#closing.hasBegun,
      connect: (link, origin) => new Connection(link, this.#services, origin),
    });
    this.#spans = parts.spans && this.#makeSpans(parts.spans);
    this.#sessions = new Sessions(() => this.#backplane.announceSoon());
    this.#legacy = config.cluster.olderDialect ? this.#makeLegacyServers() : undefined;
    this.#observatory = this.#makeObservatory();
    const { writeTrace } = parts;
    const { live } = this.#observatory;
    const events = new Tracer(clock, this.#journal, (event) => {
      writeTrace?.(event);
      live.add(event);
    });
    const tracer = () => writeTrace !== undefined || live.hasRoom ? events : undefined;
    this.#places = userPlaces({
      journal: this.#journal,
      clock,
      opened: store.opened,
      startedAt: this.#startedAt,
      backplane: () => this.#backplane,
      presence: () => this.#presence,
    });
    const { makeBackplane = chosenEngine } = parts;
    this.#backplane = makeBackplane({
      ...{ config, clock, transport, crypto, faults, supervisor: this.#supervisor, journal },
      ...{ incarnation: this.#incarnation, startedAt: this.#startedAt, legacy: this.#legacy, kept: store.opened },
      ticketKey: parts.ticketKey ?? makeTicketKey(crypto),
      makeServerId: parts.makeServerId ?? makeServerId,
      heartbeats: this.#counters.serverHeartbeats,
      load: () => this.#sessions.load,
      http: () => this.#http,
      hasReserve: () => this.#budget.hasReserve,
      trace: () => tracer()?.trace,
      owner: new NetworkNews({
        backplane: () => this.#backplane,
        balancer: () => this.#balancer,
        presence: () => this.#presence,
        isClosing: () => this.#closing.hasBegun,
        places: this.#places.talk,
        observatory: this.#observatory,
        forgotten: (vector) => this.#goneServers.heard(vector),
        renamed: (renumbering) => this.#renamed(renumbering),
        cutBack: (renumbering) => this.#renumbered(renumbering),
        isClone: (error) => this.#closing.fail(error),
      }),
    });
    this.#presence = new PresenceBoard({
      named: this.#journal,
      perUser: config.sessions.perUser,
      clock,
      sessions: this.#sessions,
      tellServers: (message) => this.#backplane.say(message),
      tick: (lamport) => this.#journal.tick(lamport),
      told: (event, lamport) => this.guests.presence(event, lamport),
    });
    this.#balancer = new Balancer({
      named: this.#journal,
      cluster: config.cluster,
      clock,
      sessions: this.#sessions,
      members: () => this.#backplane.members,
      announceSoon: () => this.#backplane.announceSoon(),
      chance: () => chanceOf(crypto),
    });
    this.#handover = new Handover({
      clock,
      sessions: this.#sessions,
      hasOthers: () => [...this.#backplane.routes].length > 0,
      nextTarget: () => this.#balancer.nextTarget(),
    });
    this.#services = {
      config,
      clock,
      backplane: this.#backplane,
      balancer: this.#balancer,
      sessions: this.#sessions,
      presence: this.#presence,
      hasAccount: (username) => this.#journal.hasAccount(username),
      userLists: this.#userLists,
      longLogins: new LongLogins(),
      refusals: this.refusals,
      shares: new WorkShares(clock),
      heartbeat: this.#heartbeat,
      transport,
      supervisor: this.#supervisor,
      hub: this.#hub,
      journal: this.#journal,
      past: new Past(journal, clientLog, clock),
      accounts: new Accounts({ account: (username) => this.#journal.storedAccount(username) }, crypto, clock, {
        get serverId() {
          return journal.serverId;
        },
        keyOf: (serverId) => this.#backplane.ticketKeyOf(serverId),
        maxAgeMs: config.sessions.ticketMaxAgeMs,
      }),
      placeKeeper: this.#places.keeper,
      placeTalk: this.#places.talk,
      counters: this.#counters,
      seats: this.#connections,
      rates: new AddressRates(config.limits, clock, this.#counters),
      budget: this.#budget,
      faults,
      heartbeatDials: new HeartbeatDials(this.#heartbeat.idleTimeoutMs),
      get tracer() {
        return tracer();
      },
      ended: (end) => {
        this.#counters.ended(end.reason);
        const { sentence } = CLOSE_REASONS[end.reason];
        this.#observatory.ended({ ...end, server: this.serverId, at: clock.wallMs(), sentence });
      },
      gone: (connection) => this.#connections.gone(connection),
      failed: (error) => this.#closing.fail(error),
    };
    this.guests = new Guests({
      services: this.#services,
      refusal: () => this.#closing.hasBegun ? "notNow" : this.#connections.isFull ? "full" : undefined,
      nextId: () => this.#connections.nextId(),
      serve: (guest) => this.#connections.add(guest),
    });
    this.#afterCommit = new AfterCommit({
      faults,
      backplane: this.#backplane,
      hub: this.#hub,
      origins: this.#journal.origins,
      budget: this.#budget,
      tracer,
      watched: watched === undefined ? undefined : (segments) => watched(takenActivities(segments, this.serverId)),
      spans: this.#spans,
      legacy: this.#legacy,
      userLists: this.#userLists,
      guests: this.guests,
      observatory: this.#observatory,
      accountLost: (username) => this.#accountLost(username),
    });
    this.#forgetting = new Forgetting({
      clock,
      store,
      now: () => this.#journal.retention.look(),
      limits: config.store,
      expire: (notedBefore) => this.#places.keeper.expire(notedBefore),
      forgot: (upTo) => this.#forgot(upTo),
      failed: (error) => this.#closing.fail(error),
    });
    this.#goneServers = new GoneServers({
      ...{ clock, journal, limits: config.store },
      intervalMs: Math.min(BURYING_INTERVAL_MS, config.cluster.memberRetentionMs),
      now: () => journal.retention.at(clock.nowMs()),
      isMember: (origin) => this.#backplane.isMember(origin),
      forgot: (upTo) => this.#forgot(upTo),
      buried: (vector) => this.#backplane.forgot(vector),
    });
    this.#closing = new Closing({
      drainMs: config.cluster.drainMs,
      store,
      journal: this.#journal,
      forgetting: this.#forgetting,
      goneServers: this.#goneServers,
      budget: this.#budget,
      connections: this.#connections,
      handover: this.#handover,
      balancer: this.#balancer,
      refusals: this.refusals,
      backplane: this.#backplane,
      placeTalk: this.#places.talk,
      legacy: this.#legacy,
      presence: this.#presence,
      observatory: this.#observatory,
      supervisor: this.#supervisor,
      tracer,
      closeListener: async () => await this.#listener?.close(),
    });
  }

  /** Begins to listen. @throws {Error} with a `code` such as `EADDRINUSE` when the address cannot be had. */
  async start(): Promise<void> {
    this.#listener = await this.#parts.transport.listen(this.#parts.config.server, (link) => this.accept(link, "tcp"));
    logger.debug("{serverId} listens on {host}:{port}", { serverId: this.serverId, host: this.host, port: this.port });
    this.#services.tracer?.trace({ event: "start", what: `${this.host}:${this.port}` }, this.#journal.tick());
    this.#forgetting.begin();
    this.#goneServers.begin();
    this.#budget.begin();
    this.#journal.origins.begin(this.#incarnation);
    this.#backplane.start(this.#listener);
    this.#balancer.start();
  }

  /** The other servers of the network, as far as they are known. */
  get members(): readonly Member[] {
    return this.#backplane.members;
  }

  /** Whether it has what the others have, as far as they can be reached: until then it logs nobody in. */
  get isJoined(): boolean {
    return this.#backplane.isJoined;
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
    return this.#closing.finished;
  }

  /**
   * Where it stands in its life. It is `ready` when it has found its network and logs clients in, or has looked for it
   * for long enough; `refused` while nobody of the network was reached but servers that do not want it.
   */
  get state(): "joining" | "refused" | "ready" | "draining" | "stopping" {
    if (this.#closing.isDraining) return "draining";
    if (this.#closing.hasBegun) return "stopping";
    const { joinState, isJoined } = this.#backplane;
    if (joinState === "refused") return "refused";
    return isJoined && joinState !== "joining" ? "ready" : "joining";
  }

  /** Tells everybody, lets what is under way be stored and sent, and closes everything. */
  stop(): Promise<void> {
    return this.#closing.stop();
  }

  /**
   * As `stop`, but gently: nobody logs in any more, and clients are handed to other servers when they are in
   * the middle of nothing.
   */
  drain(): void {
    this.#closing.drain();
  }

  /** Ends it: the store cannot go on. For faults that were caught outside of it. */
  fail(error: unknown): void {
    this.#closing.fail(error);
  }

  // ---- for other doors -------------------------------------------------------------------------------------------

  /** Serves a connection that came through another door like one that came over TCP. */
  accept(link: Link, over: Door): void {
    this.#connections.accept(link, over);
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

  /**
   * Since when `diagram()` has events of the whole network, in milliseconds since 1970; `undefined` while nobody looks.
   */
  get recordedSinceMs(): number | undefined {
    return this.#observatory.live.recordedSinceMs;
  }

  /** Where its HTTP gateway is, as it was announced; empty where there is none. */
  get http(): string {
    return this.#http;
  }

  /** The others are told that this server has an HTTP gateway, at `HOST:PORT`. */
  announceHttp(address: string): void {
    this.#http = address;
    this.#backplane.announceSoon();
  }

  /** The HTTP gateways of other servers, `HOST:PORT`, also of those that cannot be reached now. */
  get gateways(): readonly string[] {
    return this.#backplane.members.flatMap(({ about }) => about === undefined || about.http === "" ? [] : [about.http]);
  }

  /** This server in numbers. */
  metrics(): NodeMetrics {
    const { clock } = this.#parts;
    const { vector, lamport, accepted: published, commits } = this.#journal;
    return nodeMetrics({
      ...{ startedAt: this.#startedAt, nowWallMs: clock.wallMs(), vector, lamport, published, commits },
      connections: this.#connections,
      waiting: this.#connections.waiting,
      counters: this.#counters,
      sessions: this.#sessions.load,
      members: this.#backplane.members,
      links: this.#backplane.routes,
      usersOnline: this.#presence.listed.length,
      maxConnections: this.#parts.config.limits.maxConnections,
      pending: this.#backplane.pending,
      joinState: this.#backplane.joinState,
      disk: this.#budget.state,
      faults: (this.#parts.faults ?? UNGUARDED).counts,
    });
  }

  #makeUserLists(): UserLists {
    const presence = () => this.#presence;
    return new UserLists({
      readUsernames: () => this.#journal.usernames(),
      get online() {
        return presence().listed;
      },
      get onlineChanges() {
        return presence().changes;
      },
    });
  }

  #forgot(upTo: Position): void {
    this.#journal.forgot(upTo);
    this.#hub.forgot(upTo);
  }

  /**
   * Clients that know ids of the former name come back, here or elsewhere, to be told which of them are
   * not as they have them.
   */
  #renamed(renumbering: Renumbering): void {
    this.#presence.renamed(renumbering.origin);
    this.#renumbered(renumbering);
  }

  #renumbered(renumbering: Renumbering): void {
    for (const session of [...this.#sessions]) {
      session.renumbered(renumbering);
      if (session.canResume) session.end("FELL_BEHIND");
    }
  }

  /** Whoever is logged in with the account that does not hold has to go. */
  #accountLost(username: string): void {
    logger.warning("two servers registered {username} while they had no link: the older registration counts", {
      username,
    });
    for (const session of this.#sessions.of(username)) session.end("NAME_LOST");
    this.#places.keeper.forgetUser(username);
  }

  #makeLegacyServers(): LegacyServers {
    const { config, clock, crypto } = this.#parts;
    return new LegacyServers({
      faults: this.#parts.faults ?? UNGUARDED,
      journal: this.#journal,
      clock,
      crypto,
      activityCheckIntervalMs: config.cluster.activityCheckIntervalMs,
      rememberedMs: config.store.messageIdRetentionMs,
      self: () => ({ ...this.#backplane.self, load: this.#sessions.load }),
      members: () => this.#backplane.members.filter(({ state }) => state === "linked"),
      sessions: this.#sessions,
      takeAccount: (account, told) => takeAccount(account, this.#services, told),
      hasSpace: () => this.#budget.hasSpace,
      refusals: this.refusals,
    });
  }

  #makeSpans(output: SpanOutput): EntrySpans {
    const { clock, crypto } = this.#parts;
    return new EntrySpans({
      named: this.#journal,
      clock,
      digest: (text) => crypto.digest(text),
      output,
      turnMs: () => this.#journal.turnMs,
      readersOf: (audience) =>
        audience.kind === "user" ? this.#sessions.of(audience.username).length : this.#sessions.load,
    });
  }

  #makeObservatory(): Observatory {
    const { clock, config, memoryBytes } = this.#parts;
    return new Observatory({
      named: this.#journal,
      clock,
      log: this.#journal,
      own: () =>
        ownServerView({
          self: this.#backplane.self,
          nowWallMs: clock.wallMs(),
          startedAt: this.#startedAt,
          load: this.#sessions.load,
          weight: config.cluster.weight,
          takesClients: this.isJoined && !this.#closing.hasBegun && !this.#closing.isDraining,
          vector: this.#journal.vector,
          lamport: this.#journal.lamport,
          published: this.#journal.accepted,
          memoryBytes: memoryBytes?.(),
          http: this.#http,
          draining: this.#closing.isDraining ? this.#handover.progress : null,
          links: this.#backplane.routes,
          connections: this.#connections,
        }),
      members: () => this.#backplane.members,
      say: (message, to) => this.#backplane.say(message, to),
      online: () => this.#presence.servers,
      usernames: () => this.#userLists.usernames,
      lostWith: (serverId) => this.#presence.lostWith(serverId),
    });
  }
}
