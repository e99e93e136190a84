/**
 * A server put together. Its constructor says what it is made of, and `wiring/` how each part is made. How a server
 * ends is in `closing.ts`. It knows no operating system: clock, transport, store and cryptography are handed in. So
 * several nodes can run on one fake clock.
 */

import { getLogger } from "@logtape/logtape";
import type { AuthConfig } from "../../config/auth/auth_config.ts";
import type { Config } from "../../config/config.ts";
import { effectiveHeartbeat } from "../../heartbeat/liveness.ts";
import type { Clock } from "../../platform/clock.ts";
import type { SecretCrypto } from "../../platform/crypto.ts";
import { type FaultGuard, UNGUARDED } from "../../platform/faults.ts";
import type { SpanOutput } from "../../platform/telemetry/telemetry.ts";
import type { Link, Listener, Transport } from "../../platform/transport.ts";
import type { WireHeartbeat } from "../../protocol/message.ts";
import { VERSION } from "../../protocol/version.ts";
import type { TraceEvent } from "../../trace/trace_event.ts";
import type { Door, NetworkView } from "../../view/network_view.ts";
import type { Ruling } from "../accounts/ruling.ts";
import { RefusalLog } from "../accounts/refusal_log.ts";
import { type Auditor, NO_AUDIT } from "../audit/audit_event.ts";
import { type AuditFiles, AuditLog } from "../audit/audit_log.ts";
import type { Member } from "../backplane/member.ts";
import { type KeptSecrets, NetworkSecrets } from "../backplane/network_secrets.ts";
import type { Guests } from "../guests/guests.ts";
import type { RecordEntries } from "../journal/record_entries.ts";
import { guardedClock } from "../journal/unreadable_store.ts";
import type { NodeMetrics } from "../observe/node_metrics.ts";
import type { Observation, Observer } from "../observe/observatory.ts";
import { type TakenActivities, takenActivities } from "../observe/taken_activities.ts";
import type { Store } from "../store/store.ts";
import { AfterCommit } from "./after_commit.ts";
import { AuditTalk } from "./audit_talk.ts";
import { Closing, type NodeEnd, type NodeState, stateOf } from "./closing.ts";
import type { Engine } from "./engines.ts";
import { liveConfig, takeConfig } from "./live_config.ts";
import { Operator } from "./operator.ts";
import type { LogLevel, Order, OrderResult, ReloadOutcome, SharedOrder, SharedResult } from "./order.ts";
import { SecretOffice } from "./secret_office.ts";
import { InvitationOffice } from "./invitation_office.ts";
import { OperatorRecords } from "./operator_records.ts";
import { RecordSweep } from "./record_sweep.ts";
import { RoleOffice } from "./role_office.ts";
import { type AskedRuling, type ResetResult, RulingOffice, type RulingResult } from "./ruling_office.ts";
import { TokenOffice } from "./token_office.ts";
import { wireClients } from "./wiring/wire_clients.ts";
import { wireLog } from "./wiring/wire_log.ts";
import { wireNetwork } from "./wiring/wire_network.ts";
import { wireObservers } from "./wiring/wire_observers.ts";
import { type MachineParts, Wired } from "./wiring/wired.ts";

/** What a node is made with. */
export interface NodeParts {
  readonly config: Config;
  readonly clock: Clock;
  readonly transport: Transport;
  /** Closed by the node when it stops. */
  readonly store: Store;
  readonly crypto: SecretCrypto;
  /** Where the audit log is; absent for none. */
  readonly auditFiles?: AuditFiles;
  /** What tickets are made with. If absent, a new key is made, and the tickets of clients end with the node. */
  readonly ticketKey?: string;
  /** What links it with other servers; as `engines.ts` chooses if absent. */
  readonly makeBackplane?: Engine;
  /** Makes a new name for this server, if it needs one; by chance if absent. */
  readonly makeServerId?: () => string;
  /** Where trace events go; absent when nobody traces. */
  readonly writeTrace?: (event: TraceEvent) => void;
  /** Is told what clients of this server published, after each turn; absent when nobody watches. */
  readonly watched?: (taken: TakenActivities) => void;
  /** Where spans go; absent when nobody wants any. */
  readonly spans?: SpanOutput;
  /** Told what a handler throws. Then only what the handler belongs to ends. If absent, the exception is thrown on. */
  readonly faults?: FaultGuard;
  /** Changes how much is logged; absent where the log is somebody else's. */
  readonly setLogLevel?: (level: LogLevel) => void;
  /** Reads the configuration anew and takes it (`take`), for whoever `from` names; absent where it is in no file. */
  readonly reload?: (from: string) => Promise<ReloadOutcome>;
  /** The secrets of the network; those of `config` if absent. */
  readonly secrets?: NetworkSecrets;
  /** Writes the secrets of the network down when an operator has changed them; absent where nothing is kept. */
  readonly keepSecrets?: (secrets: KeptSecrets) => Promise<void>;
  /** How many connections without a place are heard; 1,024 if absent. */
  readonly maxLobby?: number;
  /** How much memory this process holds, in bytes. */
  readonly memoryBytes?: () => number;
  /** When the first of its certificates ends, in milliseconds since 1970; `undefined` without TLS. */
  readonly certificateEndsAt?: () => number | undefined;
}

/** How a node came to its end. */
export type { NodeEnd };

const logger = getLogger(["thrum", "server"]);

/** One running server. */
export class ThrumNode {
  /** How clients are supervised, after the configured times were brought into order. */
  readonly heartbeat: WireHeartbeat;
  /** Tells of callers that are refused, whatever door they came through. */
  readonly refusals: RefusalLog;
  /** Takes what the audit log has to know, of every door. */
  readonly auditor: Auditor;
  readonly #parts: Pick<NodeParts, "config" | "clock" | "transport">;
  /** What may change in it while the server runs is read each time. */
  readonly #config: Config;
  readonly #secrets: NetworkSecrets;
  readonly #sweep: RecordSweep;
  readonly #wired = new Wired();
  #listener: Listener | undefined;
  /** A further one, for those who come by TLS. */
  #tlsListener: Listener | undefined;

  constructor(parts: NodeParts) {
    const { store, transport, crypto, faults = UNGUARDED } = parts;
    const config = this.#config = liveConfig(parts.config);
    const { ticketKey, makeBackplane, makeServerId, writeTrace, watched, spans, maxLobby } = parts;
    const { memoryBytes, certificateEndsAt } = parts;
    const clock = guardedClock(parts.clock);
    const { secrets = new NetworkSecrets(config.cluster, () => clock.wallMs()) } = parts;
    this.#secrets = secrets;
    const auditLog = parts.auditFiles && new AuditLog({
      ...{ clock, files: parts.auditFiles, hash: (line) => crypto.digest(line) },
      written: () => wired.audits.written(),
    });
    const auditor = this.auditor = auditLog ?? NO_AUDIT;
    const machine: MachineParts = { config, clock, crypto, faults, auditor };
    this.#parts = { config, clock, transport };
    const heartbeat = this.heartbeat = heartbeatOf(config);
    const refusals = this.refusals = new RefusalLog(clock);

    const wired = this.#wired;
    const log = wired.log = wireLog({ ...machine, store }, wired);
    const observers = wired.observers = wireObservers(
      { ...machine, log, writeTrace, spans, memoryBytes, auditLog, certificateEndsAt },
      wired,
    );
    const network = wired.network = wireNetwork(
      {
        ...{ ...machine, transport, opened: store.opened, log, observers, refusals, secrets },
        ...{ ticketKey, makeBackplane, makeServerId },
      },
      wired,
    );
    const clients = wired.clients = wireClients(
      { ...machine, heartbeat, transport, log, observers, network, refusals, maxLobby, notes: store.opened.notes },
      wired,
    );
    const { journal, hub, userLists, budget, forgetting, goneServers } = log;
    const { tracer, spans: entrySpans, observatory } = observers;
    const { supervisor, sessions, legacy, backplane, presence, readers, balancer, handover } = network;
    const { keeper: placeKeeper, talk: placeTalk } = network.places;
    const { connections, guests } = clients;
    wired.afterCommit = new AfterCommit({
      ...{ faults, backplane, hub, origins: journal.origins, budget, tracer, spans: entrySpans, legacy },
      ...{ userLists, guests, observatory, sessions, placeKeeper },
      delivered: observers.delivered,
      watched: watched && ((segments) => watched(takenActivities(segments, journal.serverId))),
    });
    wired.closing = new Closing({
      drainMs: config.cluster.drainMs,
      ...{ store, journal, forgetting, goneServers, budget, connections, handover, balancer, backplane },
      ...{ refusals, placeTalk, legacy, presence, readers, observatory, supervisor, tracer, auditLog },
      audits: () => wired.audits,
      closeListener: async () => {
        await Promise.all([this.#listener?.close(), this.#tlsListener?.close()]);
      },
    });
    wired.operator = new Operator({
      ...{ named: journal, clock, backplane, connections, auditor },
      drain: () => wired.closing.drain(),
      setLogLevel: parts.setLogLevel,
      ...{ reload: parts.reload, faults },
      takeSecret: (order, from) => wired.secretOffice.take(order, from),
    });
    wired.secretOffice = new SecretOffice({
      ...{ secrets, clock, backplane, auditor, keep: parts.keepSecrets },
      operator: () => wired.operator,
    });
    wired.audits = new AuditTalk({
      ...{ log: auditLog, auditor, clock, backplane, notes: store.opened.notes },
      save: (key, value) => journal.saveNote(key, value),
    });
    const setter = wired.operatorRecords = new OperatorRecords({
      ...{ journal, backplane, auditor, kept: store.opened.notes },
    });
    const { rulings } = log;
    wired.rulingOffice = new RulingOffice({
      ...{ rulings, journal, setter, backplane, sessions, connections, userLists, placeKeeper, crypto },
    });
    const { all: records } = journal.records;
    wired.invitationOffice = new InvitationOffice({ records, setter, crypto, clock });
    wired.tokenOffice = new TokenOffice({ setter, crypto });
    wired.roleOffice = new RoleOffice({
      ...{ records, setter },
      account: (username) => rulings.account(username),
      configured: () => config.auth.roles,
    });
    const sweep = this.#sweep = new RecordSweep({
      ...{ clock, records: journal.records },
      forgot: (of, key) => rulings.forgot(of, key),
    });
    // Whoever waits for another server's answer is not kept by a server that has stopped.
    void wired.closing.finished.then(() => {
      wired.operator.stop();
      sweep.stop();
    });
  }

  /** Users who come in through a door of another protocol. */
  get guests(): Guests {
    return this.#wired.clients.guests;
  }

  /** Begins to listen. @throws {Error} with a `code` such as `EADDRINUSE` if it cannot listen there. */
  async start(): Promise<void> {
    const { config, transport } = this.#parts;
    const accept = (link: Link) => this.accept(link, "tcp");
    const { host } = config.server;
    const { port, required } = config.tls;
    this.#listener = await transport.listen(config.server, accept);
    if (port !== 0) this.#tlsListener = await this.#listenForTls({ host, port, isTls: true }, accept);
    this.auditor.audit({ what: "serverStarted", of: this.serverId, more: { version: VERSION } });
    logger.debug("{serverId} listens on {host}:{port}", { serverId: this.serverId, host: this.host, port: this.port });
    const { log, observers, network } = this.#wired;
    observers.tracer()?.trace({ event: "start", what: `${this.host}:${this.port}` }, log.journal.tick());
    log.forgetting.begin();
    log.goneServers.begin();
    log.budget.begin();
    log.journal.origins.begin(log.incarnation);
    // Others are told the port where they are all let in.
    network.backplane.start(required && this.#tlsListener !== undefined ? this.#tlsListener : this.#listener);
    network.balancer.start();
    this.#sweep.begin();
  }

  /** Nobody is left listening when this fails. */
  async #listenForTls(...args: Parameters<Transport["listen"]>): Promise<Listener> {
    try {
      return await this.#parts.transport.listen(...args);
    } catch (error) {
      await this.#listener?.close();
      throw error;
    }
  }

  /** The other servers of the network, as far as they are known. */
  get members(): readonly Member[] {
    return this.#wired.network.backplane.members;
  }

  /** Whether it has everything that reachable servers have. Until then it logs nobody in. */
  get isJoined(): boolean {
    return this.#wired.network.backplane.isJoined;
  }

  /** Logged-in clients. */
  get load(): number {
    return this.#wired.network.sessions.load;
  }

  get serverId(): string {
    return this.#wired.log.journal.serverId;
  }

  get host(): string {
    return this.#listener?.host ?? "";
  }

  get port(): number {
    return this.#listener?.port ?? 0;
  }

  /** Connections that are served now. */
  get connectionCount(): number {
    return this.#wired.clients.connections.size;
  }

  /** Resolves when the node has stopped, on request or because it could not go on. Never rejects. */
  get finished(): Promise<NodeEnd> {
    return this.#wired.closing.finished;
  }

  /** Where it stands in its life (`stateOf`). */
  get state(): NodeState {
    return stateOf(this.#wired.closing, this.#wired.network.backplane);
  }

  /** Tells everybody, stores and sends what is under way, and closes everything. */
  stop(): Promise<void> {
    return this.#wired.closing.stop();
  }

  /** As `stop`, but gently: nobody logs in any more, and each client goes to another server when it is idle. */
  drain(): void {
    this.#wired.closing.drain();
  }

  /** Carries out what an operator wants, here or at another server. Never rejects. */
  operate(order: Order, by: string): Promise<OrderResult> {
    return this.#wired.operator.carryOut(order, by);
  }

  /**
   * Lays down what an operator wants of users or addresses, for the whole network. Never rejects.
   * @throws {UnreadableError} at once, when the store cannot be read: the server ends.
   */
  rule(ruling: AskedRuling): Promise<RulingResult> {
    return this.#wired.rulingOffice.make(ruling);
  }

  /** Gives an account a new secret. Rejects if it cannot be derived. */
  resetSecret(username: string, by: string): Promise<ResetResult> {
    return this.#wired.rulingOffice.reset(username, by);
  }

  /** Invitations to register, of the whole network. */
  get invitations(): InvitationOffice {
    return this.#wired.invitationOffice;
  }

  /** Roles that operators give to users, for the whole network. */
  get roles(): RoleOffice {
    return this.#wired.roleOffice;
  }

  /** The secret of the network. */
  get networkSecret(): Pick<SecretOffice, "change"> {
    return this.#wired.secretOffice;
  }

  /** Takes of `config` what counts without a start. */
  take(config: Config): void {
    takeConfig(this.#config, config);
    this.#secrets.configure(config.cluster.otherSecrets);
    this.useRights(this.#config.auth);
  }

  /** Tokens that count at every server. */
  get tokens(): TokenOffice {
    return this.#wired.tokenOffice;
  }

  /** All that operators have laid down and that holds. */
  get rulings(): Iterable<Ruling> {
    return this.#wired.rulingOffice.all;
  }

  /** Carries out at every server, or at `only` one, what an operator wants. Never rejects. */
  operateEverywhere(order: SharedOrder, by: string, only?: string): Promise<SharedResult[]> {
    return this.#wired.operator.everywhere(order, by, only);
  }

  /** Ends it, as its store cannot go on. For faults that were caught outside of the node. */
  fail(error: unknown): void {
    this.#wired.closing.fail(error);
  }

  // ---- for other doors -------------------------------------------------------------------------------------------

  /** Serves a connection that came through another door like one that came over TCP. */
  accept(link: Link, over: Door): void {
    this.#wired.clients.connections.accept(link, over);
  }

  /** Begins to look at the whole network. This costs nothing while nobody looks. */
  observe(observer: Observer): Observation {
    return this.#wired.observers.observatory.observe(observer);
  }

  /** Looks at the whole network once. */
  look(): Promise<NetworkView> {
    return this.#wired.observers.observatory.look();
  }

  /** What happened in the network within the last `seconds`, at most a minute, as far as it was observed. */
  diagram(seconds: number): readonly TraceEvent[] {
    return this.#wired.observers.observatory.diagram(this.#parts.clock.wallMs() - seconds * 1000);
  }

  /**
   * Since when `diagram()` has events of the whole network, in milliseconds since 1970; `undefined` while nobody looks.
   */
  get recordedSinceMs(): number | undefined {
    return this.#wired.observers.observatory.live.recordedSinceMs;
  }

  /** Entries that were delivered here within the last `seconds`, as far as somebody looked, and those recorded. */
  deliveredWithin(seconds: number): { readonly all: number; readonly recorded: number } {
    const { observatory } = this.#wired.observers;
    return observatory.live.deliveredSince(this.#parts.clock.wallMs() - seconds * 1000);
  }

  /** Where its HTTP gateway is, as it was announced; empty where there is none. */
  get http(): string {
    return this.#wired.http;
  }

  /** The others are told that this server has an HTTP gateway, at `HOST:PORT`, or at `https://HOST:PORT`. */
  announceHttp(address: string): void {
    this.#wired.http = address;
    this.#wired.network.backplane.announceSoon();
  }

  /** The HTTP gateways of other servers, as they announce them, also of those that cannot be reached now. */
  get gateways(): readonly string[] {
    return this.#wired.network.backplane.members.flatMap(({ about }) =>
      about === undefined || about.http === "" ? [] : [about.http]
    );
  }

  /** The key for tickets that the server `serverId` of the network has made; `undefined` while none is known. */
  ticketKeyOf(serverId: string): string | undefined {
    return this.#wired.network.backplane.ticketKeyOf(serverId);
  }

  /** Whether a visitor from `address` who has shown nothing may look at the network. */
  mayLook(address: string): boolean {
    return this.#wired.clients.rights.mayLook(address);
  }

  /** Goes by this section of the config from now on. Sessions end that may do something else by it. */
  useRights(auth: AuthConfig): void {
    const { rights, rightsWatch } = this.#wired.clients;
    rights.reload(auth);
    rightsWatch.look();
  }

  /** What operators have set for the whole network. */
  get records(): Pick<RecordEntries, "set" | "all"> {
    return this.#wired.log.journal.records;
  }

  /** This server in numbers. */
  metrics(): NodeMetrics {
    return this.#wired.observers.metrics();
  }
}

/** How clients are supervised. Warns of configured times that do not go together. */
function heartbeatOf(config: Config): WireHeartbeat {
  const { config: { idleTimeoutMs, intervalMs, count }, warning } = effectiveHeartbeat(config.heartbeat);
  if (warning !== undefined) logger.warning(warning);
  return { idleTimeoutMs, intervalMs, count };
}
