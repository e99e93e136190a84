/**
 * The servers that are compared, and how each is started: on a free port of 127.0.0.1, as it comes, with nothing
 * switched on that costs time, and with room for receivers that are behind, so that none of them is cut off.
 * `start_server.ts` waits until they listen. Of a peer there may be several versions.
 */

import type { Children } from "./children.ts";
import { loadTlsInit } from "../server/gateway/tls/load_init.ts";
import type { WireName } from "./load/job.ts";
import { compareVersions } from "./peers.ts";
import { announcing, denoRun, listening, type RunningServer, sayReady } from "./start_server.ts";

/** What a contender is, whichever version of it. */
export type Family =
  /** thrum with its defaults: on disk. */
  | "stored"
  | "ephemeral"
  /** thrum with `store.synchronous` at "full". */
  | "full"
  /** As `stored`, published to without a message id. */
  | "storedNoIds"
  /** Ephemeral, and with `--trace`. */
  | "traced"
  /** Ephemeral, and with ten dashboards open. */
  | "watched"
  /** Ephemeral, by TLS. */
  | "tls"
  | "bare"
  | "nats"
  | "natsTls"
  | "natsFile"
  | "natsFileIds"
  | "natsMemory"
  | "natsMemoryIds"
  | "natsSynced"
  | "redis"
  | "redisFile"
  | "redisMemory"
  | "redisSynced";

/** A server that can be started. */
export interface Contender {
  readonly family: Family;
  /** As it stands in a table. */
  readonly name: string;
  readonly wire: WireName;
  /** Starts it in `folder`, which is empty and its own. */
  start(children: Children, folder: string): Promise<RunningServer>;
}

/** A program of a peer, and which version it is. */
export interface Peer {
  readonly path: string;
  readonly version: string;
}

/** What is on this machine. */
export interface Programs {
  /** What starts a server of thrum. */
  readonly thrum: readonly string[];
  /** Newest first. */
  readonly nats: readonly Peer[];
  readonly redis: readonly Peer[];
}

const DASHBOARDS = 10;
const THRUM_FLAGS = ["--no-prompt", "--host", "127.0.0.1", "--port", "0", "--log-level", "error"];
/** The first version that can be told to sync for each publication, and how it is told. */
const NATS_SYNCING = "2.10";
/** The first version that shakes hands before it says anything, as everybody else does. */
const NATS_TLS_FIRST = "2.10.4";
const SYNC_ALWAYS = ", sync_interval: always";
const NO_AOF = ["--appendonly", "no"];
const AOF = ["--appendonly", "yes", "--auto-aof-rewrite-percentage", "0", "--appendfsync"];

/** What starts a server of thrum: `serverProgram`, which is a compiled thrum-server; without it, the source. */
export async function thrumCommand(serverProgram: string | undefined): Promise<readonly string[]> {
  return serverProgram === undefined ? denoRun("../server.ts") : [await Deno.realPath(serverProgram)];
}

/** A server of thrum on a free port, with what `more` says. `folder` is its own. */
export function thrumServer(
  family: Family,
  name: string,
  thrum: readonly string[],
  more: (folder: string) => readonly string[],
): Contender {
  return announcing(family, name, (folder) => [...thrum, ...THRUM_FLAGS, ...more(folder)]);
}

/** Starts a server of thrum on a free port, with what `more` says. */
export function startThrum(
  thrum: readonly string[],
  more: readonly string[],
  children: Children,
  folder: string,
): Promise<RunningServer> {
  return thrumServer("stored", "thrum", thrum, () => more).start(children, folder);
}

/** A server of thrum that keeps what `folder` has, with a configuration of its own. */
export function configuredThrum(
  family: Family,
  name: string,
  thrum: readonly string[],
  config: Readonly<Record<string, unknown>>,
): Contender {
  return thrumServer(family, name, thrum, (folder) => {
    Deno.writeTextFileSync(`${folder}/bench.json`, JSON.stringify(config));
    return ["--config", `${folder}/bench.json`, ...(family === "ephemeral" ? ["--ephemeral"] : dataFlags(folder))];
  });
}

/** All that there is to compare. */
export function allContenders({ thrum, nats, redis }: Programs): Contender[] {
  return [
    thrumServer("stored", "thrum, stored", thrum, dataFlags),
    { ...thrumServer("storedNoIds", "thrum, stored, no ids", thrum, dataFlags), wire: "lines-no-ids" },
    configuredThrum("full", "thrum, synchronous full", thrum, { store: { synchronous: "full" } }),
    thrumServer("ephemeral", "thrum, ephemeral", thrum, () => ["--ephemeral"]),
    thrumServer("traced", "thrum, traced", thrum, (folder) => ["--ephemeral", "--trace", `${folder}/trace.jsonl`]),
    watched(thrum),
    tlsThrum(thrum),
    announcing("bare", "bare loop", () => denoRun("./bare_server.ts")),
    ...nats.flatMap((peer) => [
      natsServer("nats", "nats-server", peer, "nats", ""),
      ...(compareVersions(peer.version, NATS_TLS_FIRST) < 0 ? [] : [tlsNats(peer)]),
      natsServer("natsFileIds", "JetStream file, ids", peer, "jetstream-file-ids", jetstream("")),
      natsServer("natsFile", "JetStream file", peer, "jetstream-file", jetstream("")),
      natsServer("natsMemoryIds", "JetStream memory, ids", peer, "jetstream-memory-ids", jetstream("")),
      natsServer("natsMemory", "JetStream memory", peer, "jetstream-memory", jetstream("")),
      ...(compareVersions(peer.version, NATS_SYNCING) < 0 ? [] : [
        natsServer("natsSynced", "JetStream sync always, ids", peer, "jetstream-file-ids", jetstream(SYNC_ALWAYS)),
      ]),
    ]),
    ...redis.flatMap((peer) => [
      redisServer("redis", "redis-server", peer, "redis", NO_AOF),
      redisServer("redisFile", "Redis stream, AOF everysec", peer, "redis-stream", [...AOF, "everysec"]),
      redisServer("redisMemory", "Redis stream, memory", peer, "redis-stream", NO_AOF),
      redisServer("redisSynced", "Redis stream, AOF always", peer, "redis-stream", [...AOF, "always"]),
    ]),
  ];
}

function dataFlags(folder: string): string[] {
  return ["--data", `${folder}/data`];
}

function jetstream(more: string): string {
  return `jetstream { store_dir: data${more} }\n`;
}

function watched(thrum: readonly string[]): Contender {
  const name = `thrum, ${DASHBOARDS} dashboards`;
  const server = thrumServer("watched", name, thrum, () => ["--ephemeral", "--http", "0"]);
  return {
    ...server,
    start: async (children, folder) => {
      const running = await server.start(children, folder);
      const [page] = /http:\/\/[\w.:[\]]+/.exec(running.state()) ?? [];
      if (page === undefined) throw new Error(`Cannot find the dashboard: ${running.state()}`);
      const watchers = children.spawn([...denoRun("./load/watchers.ts"), page, String(DASHBOARDS)], folder);
      await sayReady("the dashboards", watchers, "are open");
      return running;
    },
  };
}

/** `contender`, whose folder has certificates before it starts. */
function byTls(contender: Contender): Contender {
  return {
    ...contender,
    start: async (children, folder) => {
      const { tlsInit } = await loadTlsInit();
      await tlsInit({ folder, name: "server", for: "server", hosts: ["localhost"] }, Date.now(), "bench");
      return { ...await contender.start(children, folder), isTls: true };
    },
  };
}

/** Ephemeral, by TLS. */
export function tlsThrum(thrum: readonly string[]): Contender {
  return byTls(thrumServer("tls", "thrum, ephemeral, TLS", thrum, (folder) => {
    const tls = { cert: `${folder}/server.pem`, key: `${folder}/server-key.pem`, ca: `${folder}/ca.pem` };
    Deno.writeTextFileSync(`${folder}/bench.json`, JSON.stringify({ tls }));
    return ["--config", `${folder}/bench.json`, "--ephemeral"];
  }));
}

/** As thrum, it asks callers for no certificate. */
function tlsNats(peer: Peer): Contender {
  const files = 'cert_file: "server.pem"\nkey_file: "server-key.pem"';
  return byTls(natsServer("natsTls", "nats-server, TLS", peer, "nats", `tls {\n${files}\nhandshake_first: true\n}\n`));
}

function natsServer(family: Family, name: string, peer: Peer, wire: WireName, more: string): Contender {
  return listening(family, `${name}, ${peer.version}`, wire, (port, folder) => {
    // A client that is behind may have a lot waiting, and nobody is asked whether it lives.
    const settings = `host: 127.0.0.1\nport: ${port}\nmax_pending: 1GB\nwrite_deadline: "60s"\nping_interval: "1h"\n`;
    Deno.writeTextFileSync(`${folder}/nats.conf`, settings + more);
    return [peer.path, "-c", `${folder}/nats.conf`];
  });
}

function redisServer(family: Family, name: string, peer: Peer, wire: WireName, more: readonly string[]): Contender {
  return listening(family, `${name}, ${peer.version}`, wire, (port, folder) => [
    ...[peer.path, "--bind", "127.0.0.1", "--port", String(port), "--dir", folder, "--save", ""],
    ...["--maxclients", "15000", "--client-output-buffer-limit", "pubsub", "0", "0", "0", ...more],
  ]);
}
