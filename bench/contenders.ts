/**
 * The servers that are compared, and how each is started: on a free port of 127.0.0.1, as it comes, with nothing
 * switched on that costs time, and with room for receivers that are behind, so that none of them is cut off.
 */

import { delay } from "@std/async/delay";
import type { Children } from "./children.ts";
import type { WireName } from "./load/job.ts";
import { LOCKED } from "../tools/locked.ts";

/** A server that can be started. */
export interface Contender {
  /** As it stands in a table. */
  readonly name: string;
  readonly wire: WireName;
  /** Starts it in `folder`, which is empty and its own. */
  start(children: Children, folder: string): Promise<RunningServer>;
}

/** A server that listens. */
export interface RunningServer {
  readonly port: number;
  readonly process: Deno.ChildProcess;
  /** What it has written to its output so far, and whether it is still there. */
  state(): string;
}

/** By the names that scenarios use. `undefined` where the program is not installed. */
export interface Contenders {
  readonly stored: Contender;
  readonly ephemeral: Contender;
  /** Ephemeral, and with `--trace`. */
  readonly traced: Contender;
  /** Ephemeral, and with ten dashboards open. */
  readonly watched: Contender;
  readonly bare: Contender;
  readonly nats: Contender | undefined;
  readonly natsFile: Contender | undefined;
  readonly natsMemory: Contender | undefined;
  readonly redis: Contender | undefined;
  readonly redisFile: Contender | undefined;
  readonly redisMemory: Contender | undefined;
}

export type ContenderKey = keyof Contenders;

const START_MS = 10_000;
const POLL_MS = 20;
/** Characters; enough for an error and where it was. */
const KEPT_OUTPUT = 4_000;

/** What starts a server of thrum: `serverProgram`, which is a compiled thrum-server; without it, the source. */
export async function thrumCommand(serverProgram: string | undefined): Promise<readonly string[]> {
  return serverProgram === undefined ? denoRun("../server.ts") : [await Deno.realPath(serverProgram)];
}

/** Starts a server of thrum on a free port, with what `more` says. */
export function startThrum(
  thrum: readonly string[],
  more: readonly string[],
  children: Children,
  folder: string,
): Promise<RunningServer> {
  return announcing("thrum", () => [...thrum, ...THRUM_FLAGS, ...more]).start(children, folder);
}

/** All that is on this machine, and thrum as `thrumCommand` says. */
export async function findContenders(thrum: readonly string[]): Promise<Contenders> {
  const nats = await isInstalled("nats-server");
  const redis = await isInstalled("redis-server");
  return {
    stored: announcing("thrum, SQLite", (folder) => [...thrum, ...THRUM_FLAGS, "--data", `${folder}/data`]),
    ephemeral: announcing("thrum, ephemeral", () => [...thrum, ...THRUM_FLAGS, "--ephemeral"]),
    traced: announcing("thrum, traced", (folder) => [
      ...[...thrum, ...THRUM_FLAGS, "--ephemeral"],
      ...["--trace", `${folder}/trace.jsonl`],
    ]),
    watched: {
      name: `thrum, ${DASHBOARDS} dashboards`,
      wire: "lines",
      start: async (children, folder) => {
        const flags = [...THRUM_FLAGS, "--ephemeral", "--http", "0"];
        const server = await announcing("thrum, watched", () => [...thrum, ...flags]).start(children, folder);
        const [page] = /http:\/\/[\w.:[\]]+/.exec(server.state()) ?? [];
        if (page === undefined) throw new Error(`Cannot find the dashboard: ${server.state()}`);
        const watchers = children.spawn([...denoRun("./load/watchers.ts"), page, String(DASHBOARDS)], folder);
        await start("the dashboards", watchers, (said) => Promise.resolve(said.includes("are open") ? 0 : undefined));
        return server;
      },
    },
    bare: announcing("bare loop", () => denoRun("./bare_server.ts")),
    nats: nats ? natsServer("nats-server", "nats", "") : undefined,
    natsFile: nats ? natsServer("nats JetStream, file", "jetstream-file", JETSTREAM) : undefined,
    natsMemory: nats ? natsServer("nats JetStream, memory", "jetstream-memory", JETSTREAM) : undefined,
    redis: redis ? redisServer("redis-server", "redis", NO_AOF) : undefined,
    redisFile: redis ? redisServer("redis stream, AOF", "redis-stream", AOF) : undefined,
    redisMemory: redis ? redisServer("redis stream, memory", "redis-stream", NO_AOF) : undefined,
  };
}

const DASHBOARDS = 10;
const THRUM_FLAGS = ["--no-prompt", "--host", "127.0.0.1", "--port", "0", "--log-level", "error"];
const JETSTREAM = "jetstream { store_dir: data }\n";
const NO_AOF = ["--appendonly", "no"];
const AOF = ["--appendonly", "yes", "--appendfsync", "everysec"];

/** This Deno, so that the same one runs all. */
function denoRun(module: string): string[] {
  return [Deno.execPath(), "run", LOCKED, "-A", new URL(module, import.meta.url).pathname];
}

/** A server that takes a free port and says which: thrum, and the bare loop. */
function announcing(name: string, command: (folder: string) => string[]): Contender {
  return {
    name,
    wire: "lines",
    start: (children, folder) =>
      start(name, children.spawn(command(folder), folder), (said) => {
        const match = /listening on \S*:(\d+)\s/i.exec(said);
        return Promise.resolve(match === null ? undefined : Number(match[1]));
      }),
  };
}

function natsServer(name: string, wire: WireName, more: string): Contender {
  return listening(name, wire, (port, folder) => {
    // A client that is behind may have a lot waiting, and nobody is asked whether it lives.
    const settings = `host: 127.0.0.1\nport: ${port}\nmax_pending: 1GB\nwrite_deadline: "60s"\nping_interval: "1h"\n`;
    Deno.writeTextFileSync(`${folder}/nats.conf`, settings + more);
    return ["nats-server", "-c", `${folder}/nats.conf`];
  });
}

function redisServer(name: string, wire: WireName, more: string[]): Contender {
  return listening(name, wire, (port, folder) => [
    ...["redis-server", "--bind", "127.0.0.1", "--port", String(port), "--dir", folder, "--save", ""],
    ...["--maxclients", "15000", "--client-output-buffer-limit", "pubsub", "0", "0", "0", ...more],
  ]);
}

/** A server that is given its port, and is there when it can be connected to. */
function listening(name: string, wire: WireName, command: (port: number, folder: string) => string[]): Contender {
  return {
    name,
    wire,
    start: (children, folder) => {
      const port = freePort();
      return start(name, children.spawn(command(port, folder), folder), async () => {
        try {
          (await Deno.connect({ hostname: "127.0.0.1", port })).close();
          return port;
        } catch {
          // Not yet.
          return undefined;
        }
      });
    },
  };
}

/** Asks `portOf`, which is given what the server has said, again and again until it knows the port. */
async function start(
  name: string,
  process: Deno.ChildProcess,
  portOf: (said: string) => Promise<number | undefined>,
): Promise<RunningServer> {
  let said = "";
  let hasEnded = false;
  process.status.then(() => hasEnded = true);
  for (const stream of [process.stdout, process.stderr]) {
    // All is read, as a server would stop when nobody did; the beginning is kept.
    const sink = new WritableStream<string>({
      write: (text) => {
        if (said.length < KEPT_OUTPUT) said += text;
      },
    });
    stream.pipeThrough(new TextDecoderStream()).pipeTo(sink).catch(() => {/* The process is gone. */});
  }
  const state = () => `the server ${hasEnded ? "has ended" : "is running"} and has said: ${said.trim() || "nothing"}`;

  const startedAt = performance.now();
  while (!hasEnded && performance.now() - startedAt < START_MS) {
    const port = await portOf(said);
    if (port !== undefined) return { port, process, state };
    await delay(POLL_MS);
  }
  throw new Error(`Cannot start ${name} within ${START_MS / 1000} s: ${state()}`);
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function isInstalled(program: string): Promise<boolean> {
  try {
    await new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null" }).output();
    return true;
  } catch {
    // Not on the PATH.
    return false;
  }
}
