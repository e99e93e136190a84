/** A server on the real world: the node with real clock, sockets, disk and cryptography. What `mod.ts` offers and `server.ts` runs. */

import { makeTicketKey } from "../accounts/ticket.ts";
import type { ConfigLayer } from "../config/config.ts";
import { dataFolder, DEFAULT_CONFIG } from "../config/config.ts";
import { ConfigError, layered, parseLayer } from "../config/load.ts";
import { nodeCrypto } from "../platform/crypto.ts";
import { type LineFile, openLineFile } from "../platform/line_file.ts";
import { makeServerId } from "../platform/node_id.ts";
import { realClock } from "../platform/real_clock.ts";
import { readTextFile, writePrivateFile } from "../platform/text_file.ts";
import { tcpTransport } from "../platform/tcp_transport.ts";
import type { WireHeartbeat } from "../protocol/message.ts";
import { openMemoryStore } from "../store/memory_store.ts";
import { openSqliteStore } from "../store/sqlite_store.ts";
import { type Store, StoreError } from "../store/store.ts";
import { DEFAULT_TRACE_LIMIT_BYTES, encodeTraceEvent } from "../trace/trace_event.ts";
import { type NodeEnd, ThrumNode } from "./node.ts";

/**
 * What a server is started with: any part of a configuration, laid over the defaults; spans are milliseconds, sizes bytes.
 * Without a `cluster.secret` no other server is let in, and none can be joined.
 */
export interface ServeOptions extends ConfigLayer {
  /** A file that every local event, send and receive is appended to, one JSON object a line. */
  trace?: string;
  /** When the trace is longer than this it goes on in a new file; 67,108,864 bytes when not given. The file before it stays, as `FILE.1`. */
  traceLimitBytes?: number;
}

/** A running server. `await using` stops it at the end of the scope. */
export interface Server extends AsyncDisposable {
  /** The address that it listens on. */
  readonly host: string;
  /** The port that it listens on, also when 0 was asked for. */
  readonly port: number;
  /** Its name in the network; it stays with the data folder. */
  readonly serverId: string;
  /** How it supervises connections: what was asked for, brought into order. */
  readonly heartbeat: WireHeartbeat;
  /** Connections that it has now. */
  readonly connectionCount: number;
  /** Resolves when it has stopped: because it was asked to, or because it failed, with what it could not do. Never rejects. */
  readonly finished: Promise<NodeEnd>;
  /** Tells its clients, stores and sends what is under way, and closes everything. Calling it again waits for the same end. */
  close(): Promise<void>;
}

/**
 * Starts a server.
 *
 * @throws {ConfigError} when an option is not allowed.
 * @throws {StoreError} when the data folder or the trace file cannot be used.
 * @throws {Error} with a `code` such as `EADDRINUSE` when the address cannot be listened on.
 */
export async function serve(options: ServeOptions = {}): Promise<Server> {
  const { trace, traceLimitBytes, ...sections } = options;
  const config = layered(DEFAULT_CONFIG, parseLayer(JSON.stringify(sections), "the options of serve()"));
  if (config.cluster.join.length > 0 && config.cluster.secret === "") {
    throw new ConfigError(
      'Cannot use the options of serve(): "cluster.join" needs the secret of the network, "cluster.secret"',
    );
  }
  const traceFile = trace === undefined
    ? undefined
    : await openTrace(trace, traceLimitBytes ?? DEFAULT_TRACE_LIMIT_BYTES);
  let store: Store | undefined;
  try {
    store = config.store.ephemeral ? openMemoryStore({ serverId: makeServerId() }) : openSqliteStore({
      folder: dataFolder(config),
      makeServerId,
      synchronous: config.store.synchronous,
    });
    const ticketKey = config.store.ephemeral ? undefined : await keptTicketKey(dataFolder(config));
    const node = new ThrumNode({
      config,
      clock: realClock,
      transport: tcpTransport(config.limits.maxPendingBytes),
      store,
      crypto: nodeCrypto,
      ...(ticketKey === undefined ? {} : { ticketKey }),
      ...(traceFile === undefined ? {} : { writeTrace: (event) => traceFile.append(encodeTraceEvent(event)) }),
    });
    await node.start();
    return new RunningServer(node, traceFile);
  } catch (error) {
    store?.close();
    await traceFile?.close();
    throw error;
  }
}

class RunningServer implements Server {
  readonly finished: Promise<NodeEnd>;
  readonly #node: ThrumNode;

  constructor(node: ThrumNode, traceFile: LineFile | undefined) {
    this.#node = node;
    this.finished = node.finished.then(async (end) => {
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

  get heartbeat(): WireHeartbeat {
    return this.#node.heartbeat;
  }

  get connectionCount(): number {
    return this.#node.connectionCount;
  }

  async close(): Promise<void> {
    await this.#node.stop();
    await this.finished;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** The key that tickets are made with: the same after a restart, so that not every client's secret has to be derived then. */
async function keptTicketKey(folder: string): Promise<string> {
  const file = `${folder}/ticket-key`;
  const kept = (await readTextFile(file) ?? "").trim();
  if (/^[0-9a-f]{64}$/.test(kept)) return kept;
  const made = makeTicketKey(nodeCrypto);
  await writePrivateFile(file, `${made}\n`);
  return made;
}

async function openTrace(path: string, limitBytes: number): Promise<LineFile> {
  try {
    return await openLineFile(path, limitBytes);
  } catch (error) {
    throw new StoreError(`Cannot open trace file "${path}": ${(error as Error).message}`, { cause: error });
  }
}
