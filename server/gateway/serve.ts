/**
 * A server on the real world: the node with real clock, sockets, disk and cryptography, and its doors. `mod.ts` exports
 * this, and `server.ts` runs it.
 */

import { getLogger } from "@logtape/logtape";
import { NetworkSecrets } from "../backplane/network_secrets.ts";
import { openAuditFiles } from "../audit/audit_folder.ts";
import type { AuditFiles } from "../audit/audit_log.ts";
import { makeTicketKey } from "../accounts/ticket.ts";
import { verifierChange } from "../accounts/verifier_change.ts";
import { type Config, type ConfigLayer, dataFolder, DEFAULT_CONFIG } from "../../config/config.ts";
import { channelRetentionProblem } from "../../config/store/channel_retention.ts";
import { ConfigError, layered, parseLayer } from "../../config/load.ts";
import { CALL_OPTIONS, checkOptions } from "../../client/calls/known_options.ts";
import { gatewayText, parseListenAddress } from "../../config/values.ts";
import type { Endpoint } from "../../platform/address.ts";
import { unlessAborted } from "../../platform/abort.ts";
import { nodeCrypto } from "../../platform/crypto.ts";
import { Faults } from "../../platform/faults.ts";
import { enduringClock } from "../../platform/enduring_clock.ts";
import { bootId } from "../../platform/files/boot.ts";
import { DiskWorker } from "../../platform/files/disk_worker.ts";
import { type LineFile, openLineFile } from "../../platform/files/line_file.ts";
import { makeServerId } from "../../platform/node_id.ts";
import { heldBytes } from "../../platform/memory.ts";
import { openFiles, type OpenFilesPlan, planOpenFiles } from "../../platform/files/open_files.ts";
import { realClock } from "../../platform/real_clock.ts";
import { type ExportedSpans, openTelemetry } from "../../platform/telemetry/telemetry.ts";
import { readTextFile, writePrivateFile } from "../../platform/files/text_file.ts";
import { DENO_VERSION } from "../../platform/tls/own_version.ts";
import { tcpTransport } from "../../platform/tcp/tcp_transport.ts";
import type { WireHeartbeat } from "../../protocol/message.ts";
import { VERSION } from "../../protocol/version.ts";
import { openMemoryStore } from "../store/memory_store.ts";
import { openSqliteStore } from "../store/sqlite/sqlite_store.ts";
import { type Store, StoreError } from "../store/store.ts";
import { DEFAULT_TRACE_LIMIT_BYTES, encodeTraceEvent } from "../../trace/trace_event.ts";
import { MAX_LOBBY } from "../session/connections.ts";
import { type NodeEnd, type NodeParts, ThrumNode } from "../node/node.ts";
import { UnreadableError } from "../journal/unreadable_store.ts";
import type { TakenActivities } from "../observe/taken_activities.ts";
import { openOrRecover } from "./recover_folder.ts";
import { type Certificates, openCertificates } from "./tls/certificates.ts";
import { readKeptSecrets, writeKeptSecrets } from "./kept_secrets.ts";
import { Reloading } from "./reloading.ts";
import { secretWarnings } from "./secret_warnings.ts";
import { type Door, DoorError, type DoorParts } from "./door.ts";

/** Connections at once to each other door: usually as many as the operating system lets wait for acceptance. */
const MAX_CALLERS = 4_096;

/**
 * The options of a server: any part of a configuration, laid over the defaults. Spans are milliseconds, sizes bytes.
 * Without a `cluster.secret` the server lets no other server in, and can join none.
 */
export interface ServeOptions extends ConfigLayer {
  /** A file that every local event, send and receive is appended to, one JSON object a line. */
  trace?: string;
  /** A longer trace goes on in a new file; 67,108,864 bytes if not given. The former file stays as `FILE.1`. */
  traceLimitBytes?: number;
  /** Called after each turn in which clients of this server published activities, when they are stored. */
  onActivities?: (taken: TakenActivities) => void;
  /** Gives up starting: `serve` rejects with its reason, and nothing is left. Later it means nothing. */
  signal?: AbortSignal;
}

/** Where a door is. */
export interface DoorAddress extends Endpoint {
  /** Whether it speaks TLS. */
  readonly isSecure: boolean;
}

/** A running server. `await using` stops it at the end of the scope. */
export interface Server extends AsyncDisposable {
  /** The address that it listens on. */
  readonly host: string;
  /** The port that it listens on, also when 0 was asked for. */
  readonly port: number;
  /** Its name in the network; it stays with the data folder. */
  readonly serverId: string;
  /** The address of its HTTP gateway: dashboard, web client, metrics and health. `undefined` if it has none. */
  readonly http: DoorAddress | undefined;
  /** SHA-256 of its certificate, for clients that pin it. `undefined` without TLS. */
  readonly fingerprint: string | undefined;
  /** Where the Chitty-Chat door listens. `undefined` when it has none. */
  readonly grpc: DoorAddress | undefined;
  /** How it supervises connections: the given settings, after correction. */
  readonly heartbeat: WireHeartbeat;
  /** Connections that it has now. */
  readonly connectionCount: number;
  /** Resolves when the server has stopped, on request or after a failure, with the failure. Never rejects. */
  readonly finished: Promise<NodeEnd>;
  /**
   * Reads the files of its certificates again. What they hold is for connections that come later; those that are there
   * go on. What cannot be used is told in the log, and the former stays. Resolves with whether all could be used.
   */
  reloadCertificates(): Promise<boolean>;
  /** Takes no more clients, hands its clients to other servers when they are idle, and then stops: see `finished`. */
  drain(): void;
  /**
   * Tells its clients, stores and sends everything under way, and closes. A second call waits for the same end. An
   * aborted `signal` ends the waiting, and this rejects with its reason. The server closes all the same.
   */
  close(options?: { readonly signal?: AbortSignal }): Promise<void>;
}

/**
 * Starts a server.
 * @throws {ConfigError} when an option is not allowed, or a file of `tls` cannot be used.
 * @throws {StoreError} when the data folder or the trace file cannot be used.
 * @throws {DoorError} when it cannot listen at the address of its HTTP gateway or of the Chitty-Chat door.
 * @throws {Error} with a `code` such as `EADDRINUSE` when it cannot listen at its own address.
 * @throws the reason of `signal`.
 */
export function serve(options: ServeOptions = {}): Promise<Server> {
  return serveGuarded(options, new Faults());
}

/** What an operator may change of the program around a server. */
export interface ProgramParts extends Pick<NodeParts, "setLogLevel"> {
  /** Reads the configuration as at the start of the program. @throws what is wrong with it. */
  readonly readConfig?: () => Promise<Config>;
}

/** A server that reads its configuration anew when it is told. */
export interface ProgramServer extends Server {
  /** Does so, for whoever `from` names. What is wrong is in the log, and changes nothing. */
  reload(from: string): Promise<void>;
}

/**
 * Like `serve`; `faults` takes exceptions in handlers, and counts them.
 * @throws {FileError} when the secrets that the data folder keeps cannot be read.
 */
export async function serveGuarded(
  options: ServeOptions,
  faults: Faults,
  program: ProgramParts = {},
): Promise<ProgramServer> {
  const { trace, traceLimitBytes, onActivities, signal, ...sections } = options;
  const asked = layered(DEFAULT_CONFIG, parseLayer(JSON.stringify(sections), "the options of serve()"));
  const { config, plan } = withinOpenFiles(asked);
  if (config.cluster.join.length > 0 && config.cluster.secret === "") {
    throw new ConfigError(
      'Cannot use the options of serve(): "cluster.join" needs the secret of the network, "cluster.secret"',
    );
  }
  const retention = channelRetentionProblem(config.store);
  if (retention !== undefined) throw new ConfigError(`Cannot use the options of serve(): ${retention}`);
  const clock = enduringClock(realClock, faults);
  const certificates = await openCertificates(config, clock, DENO_VERSION);
  signal?.throwIfAborted();
  const traceFile = trace === undefined
    ? undefined
    : await openTrace(trace, traceLimitBytes ?? DEFAULT_TRACE_LIMIT_BYTES);
  let store: Store | undefined;
  let node: ThrumNode;
  let spans: ExportedSpans | undefined;
  let auditFiles: AuditFiles | undefined;
  let reloading: Reloading | undefined;
  const { readConfig, setLogLevel } = program;
  try {
    const { ephemeral, synchronous } = config.store;
    const verifiers = config.cluster.clearSecret === "never" ? { verifiers: verifierChange(nodeCrypto) } : {};
    const open = () => {
      const disk = new DiskWorker();
      const background = { clock, sync: (path: string) => disk.sync(path), close: () => void disk.close() };
      const folder = dataFolder(config);
      return openSqliteStore({ folder, makeServerId, synchronous, background, boot: bootId, ...verifiers });
    };
    store = ephemeral ? openMemoryStore({ serverId: makeServerId() }) : await openOrRecover(config, open);
    signal?.throwIfAborted();
    const secrets = await openSecrets(config, clock);
    const ticketKey = config.store.ephemeral ? undefined : await keptTicketKey(dataFolder(config));
    auditFiles = ephemeral || !config.audit.enabled ? undefined : await openAudit(config);
    spans = await openTelemetry({
      ...{ name: "thrum", version: VERSION, instanceId: store.opened.serverId, clock },
      randomBytes: (size) => nodeCrypto.randomBytes(size),
    });
    node = new ThrumNode({
      config,
      clock,
      faults,
      transport: tcpTransport(config.limits.maxPendingBytes, {
        faults,
        maxSockets: plan.maxSockets,
        ...certificates.server,
      }),
      maxLobby: plan.maxLobby,
      store,
      crypto: nodeCrypto,
      memoryBytes: heldBytes,
      certificateEndsAt: () => certificates.endsAt,
      secrets,
      ...(ephemeral ? {} : { keepSecrets: (kept) => writeKeptSecrets(dataFolder(config), kept) }),
      ...(setLogLevel === undefined ? {} : { setLogLevel }),
      ...(readConfig === undefined ? {} : { reload: (from) => reloading!.run(from) }),
      ...(spans === undefined ? {} : { spans }),
      ...(onActivities === undefined ? {} : { watched: onActivities }),
      ...(ticketKey === undefined ? {} : { ticketKey }),
      ...(auditFiles === undefined ? {} : { auditFiles }),
      ...(traceFile === undefined ? {} : { writeTrace: (event) => traceFile.append(encodeTraceEvent(event)) }),
    });
    faults.takesOver = (error) => {
      // Of that the server knows, and comes to its end.
      if (error instanceof UnreadableError) return true;
      if (error instanceof StoreError) node.fail(error);
      return error instanceof StoreError;
    };
    if (readConfig !== undefined) {
      // What it was asked for, and not what the machine let it have.
      reloading = new Reloading({ config: asked, certificates, node, read: readConfig, setLogLevel });
    }
    await node.start();
    for (const warning of secretWarnings(config)) getLogger(["thrum", "server"]).warning(warning);
  } catch (error) {
    store?.close();
    await auditFiles?.close();
    await traceFile?.close();
    await spans?.close();
    throw error;
  }
  const doors: OpenDoors = {};
  const server = new RunningServer({ node, traceFile, doors, spans, certificates, reloading });
  certificates.watch();
  try {
    const parts = { node, config, clock, faults, crypto: nodeCrypto, maxCallers: plan.maxCallers };
    await openDoors(doors, parts, certificates);
    signal?.throwIfAborted();
  } catch (error) {
    await server.close();
    throw error;
  }
  return server;
}

/** The configuration with as many connections as this process may have files for, and who may have how many. */
function withinOpenFiles(config: Config): { readonly config: Config; readonly plan: OpenFilesPlan } {
  const { limits, gateway: { http, grpc } } = config;
  const { limit, used } = openFiles();
  const doors = [http.listen, grpc.listen].filter((listen) => listen !== "").length;
  const wish = { maxConnections: limits.maxConnections, maxLobby: MAX_LOBBY, maxCallers: MAX_CALLERS, doors };
  const plan = planOpenFiles(limit, used, wish);
  const { maxConnections } = plan;
  if (maxConnections === limits.maxConnections) return { config, plan };
  getLogger(["thrum", "server"]).warning(
    "limits.maxConnections is {wanted}, but this process may have only {limit} files open (ulimit -n): {maxConnections} connections are served",
    { wanted: limits.maxConnections, limit, maxConnections },
  );
  return { config: { ...config, limits: { ...limits, maxConnections } }, plan };
}

/** Doors that are open. */
interface OpenDoors {
  http?: Door;
  grpc?: Door;
}

/** Opens the doors of the configuration. Their modules are loaded only then. */
async function openDoors(doors: OpenDoors, parts: DoorParts, certificates: Certificates): Promise<void> {
  const { config: { gateway, cluster }, node } = parts;
  if (gateway.http.listen !== "") {
    const { openHttpDoor } = await import("./http/http_door.ts");
    const at = parseListenAddress(gateway.http.listen)!;
    const door = doors.http = await openHttpDoor({ ...parts, tls: certificates.of("http") }, at).catch((
      error: unknown,
    ) => failedToOpen("the HTTP gateway", at, error));
    const host = cluster.advertise === "" ? door.host : cluster.advertise;
    node.announceHttp(gatewayText({ host, port: door.port }, door.isSecure));
  }
  if (gateway.grpc.listen !== "") {
    const { openGrpcDoor } = await import("./grpc/grpc_door.ts");
    const at = parseListenAddress(gateway.grpc.listen)!;
    doors.grpc = await openGrpcDoor({ ...parts, tls: certificates.of("grpc") }, at).catch((error: unknown) =>
      failedToOpen("the Chitty-Chat door", at, error)
    );
  }
}

/** Adds the address to an error of the operating system about it. Other errors stay unchanged. */
function failedToOpen(name: string, at: Endpoint, error: unknown): never {
  const { code, syscall } = error as { code?: unknown; syscall?: unknown };
  if (typeof code === "string" && syscall !== undefined) throw new DoorError(name, at, code, { cause: error });
  throw error;
}

/** What a running server is made of. */
interface RunningParts {
  readonly node: ThrumNode;
  readonly traceFile: LineFile | undefined;
  readonly doors: OpenDoors;
  readonly spans: ExportedSpans | undefined;
  readonly certificates: Certificates;
  /** Absent where the configuration is in no file. */
  readonly reloading: Reloading | undefined;
}

class RunningServer implements ProgramServer {
  readonly finished: Promise<NodeEnd>;
  readonly #node: ThrumNode;
  readonly #doors: OpenDoors;
  readonly #certificates: Certificates;
  readonly #reloading: Reloading | undefined;

  constructor({ node, traceFile, doors, spans, certificates, reloading }: RunningParts) {
    this.#certificates = certificates;
    this.#reloading = reloading;
    this.#node = node;
    this.#doors = doors;
    this.finished = node.finished.then(async (end) => {
      certificates.close();
      await Promise.all([...Object.values(doors), ...spans === undefined ? [] : [spans]].map((one) => one.close()));
      try {
        await traceFile?.close();
      } catch (error) {
        return { reason: "failed", error: new StoreError("Cannot write the trace file", { cause: error }) };
      }
      return end;
    });
  }

  get host(): string {
    return this.#node.host;
  }

  get port(): number {
    return this.#node.port;
  }

  get serverId(): string {
    return this.#node.serverId;
  }

  get http(): DoorAddress | undefined {
    return addressOf(this.#doors.http);
  }

  get fingerprint(): string | undefined {
    return this.#certificates.server?.kept.current.fingerprint;
  }

  get grpc(): DoorAddress | undefined {
    return addressOf(this.#doors.grpc);
  }

  get heartbeat(): WireHeartbeat {
    return this.#node.heartbeat;
  }

  get connectionCount(): number {
    return this.#node.connectionCount;
  }

  reloadCertificates(): Promise<boolean> {
    return this.#certificates.reload();
  }

  async reload(from: string): Promise<void> {
    await this.#reloading?.run(from);
  }

  drain(): void {
    this.#node.drain();
  }

  async close(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    checkOptions(options, CALL_OPTIONS, "close()");
    await unlessAborted(this.#close(), options.signal);
  }

  async #close(): Promise<void> {
    await this.#node.stop();
    await this.finished;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function addressOf(door: Door | undefined): DoorAddress | undefined {
  return door && { host: door.host, port: door.port, isSecure: door.isSecure };
}

/** The key for tickets. It is the same after a restart, so that not every client's secret has to be derived then. */
async function keptTicketKey(folder: string): Promise<string> {
  const file = `${folder}/ticket-key`;
  const kept = (await readTextFile(file) ?? "").trim();
  if (/^[0-9a-f]{64}$/.test(kept)) return kept;
  const made = makeTicketKey(nodeCrypto);
  await writePrivateFile(file, `${made}\n`);
  return made;
}

/** The secrets of the network, with what operators have changed. The folder is this server's own by now. */
async function openSecrets(config: Config, clock: { wallMs(): number }): Promise<NetworkSecrets> {
  const folder = dataFolder(config);
  const kept = config.store.ephemeral ? undefined : await readKeptSecrets(folder);
  const secrets = new NetworkSecrets(config.cluster, () => clock.wallMs(), kept);
  const { secret } = config.cluster;
  if (secret !== "" && secret !== secrets.current) {
    getLogger(["thrum", "server"]).warning(
      "the secret that this server was given is a former one of the network: it takes the one in {file}. Give it that one",
      { file: `${folder}/secret` },
    );
  }
  return secrets;
}

/** The store was opened before: so the folder is there, and this server's own. */
async function openAudit(config: Config): Promise<AuditFiles> {
  try {
    return await openAuditFiles(dataFolder(config), config.audit, (line) => nodeCrypto.digest(line));
  } catch (error) {
    throw new StoreError((error as Error).message, { cause: error });
  }
}

async function openTrace(path: string, limitBytes: number): Promise<LineFile> {
  try {
    return await openLineFile(path, limitBytes);
  } catch (error) {
    throw new StoreError(`Cannot open trace file "${path}": ${(error as Error).message}`, { cause: error });
  }
}
