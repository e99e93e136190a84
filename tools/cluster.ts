/**
 * `deno task cluster 3`: so many servers on this machine, as one network, to look at and to kill. Each is a process of
 * its own with a data folder of its own, `thrum-data/cluster-1` and so on; what they log is shown with their number
 * before it. With `--tls` they have certificates, made for this one run. Ctrl-C ends all of them.
 */

import { SERVER_PROGRAM } from "../config/server_arguments.ts";
import { DEFAULT_CONFIG } from "../config/config.ts";
import { type Flags, helpText, parseCommandLine, type Program, UsageError } from "../config/flags.ts";
import { layered } from "../config/load.ts";
import { endpointText, LISTENING_PORTS, quoted, wholeNumber } from "../config/values.ts";
import { findNetworkSecret, keepNetworkSecret } from "../server/gateway/network_secret.ts";
import type { Endpoint } from "../platform/address.ts";
import { loadTlsInit } from "../server/gateway/tls/load_init.ts";
import { onStopSignal } from "../platform/signals.ts";
import { styleFor } from "../platform/terminal.ts";
import { tlsSupport } from "../platform/tls/tls_support.ts";
import { VERSION } from "../protocol/version.ts";
import { LOCKED } from "./locked.ts";
import { fromSources, SERVER_PERMISSIONS } from "./permissions.ts";

/** A server that has said where it listens. */
interface Running {
  readonly number: number;
  readonly host: string;
  readonly port: number;
  /** Of its dashboard. */
  readonly httpPort: number;
  readonly child: Deno.ChildProcess;
}

/** A server could not be started. */
class StartError extends Error {}

const HOST = "127.0.0.1";
/** More than a network is designed for are a mistake, and slow. */
const COUNT = wholeNumber("a number", { least: 1, most: 16 });
const DEFAULT_COUNT = 3;
const DEFAULT_PORT = 8001;
/** Of a terminal: cyan, yellow, magenta, green, blue, red; then from the beginning. */
const COLOURS = [36, 33, 35, 32, 34, 31] as const;

const FLAGS = {
  port: {
    heading: "Flags",
    value: "PORT",
    reader: wholeNumber("a port", LISTENING_PORTS),
    help: "port of the first, the others follow; 0 takes free ones",
    default: String(DEFAULT_PORT),
  },
  tls: { help: "with TLS between them, to clients and to browsers; the certificates are made for this one run" },
  help: { short: ["-h"], help: "show this" },
} satisfies Flags;

const PROGRAM: Program<typeof FLAGS> = {
  name: "deno task cluster",
  summary: "several servers on this machine, as one network",
  usage: ["[N] [--port PORT] [--tls]"],
  commands: {},
  flags: FLAGS,
  environment: [["NO_COLOR", "any value: no colours"]],
  examples: [
    ["3", "three servers, on the ports 8001, 8002 and 8003"],
    ["3 --tls", "the same by TLS, and what a client then types"],
  ],
  exitCodes: [[0, "ended by Ctrl-C, in good order"], [
    1,
    "the command line is wrong, or a server could not be started",
  ]],
};

const { bold, dim, green, red } = styleFor("stdout");
const isColoured = Deno.stdout.isTerminal() && !Deno.noColor;
const children = new Map<number, Deno.ChildProcess>();
let isEnding = false;

/** The files of one run with TLS. */
interface RunTls {
  readonly folder: string;
  /** Names the certificate. */
  readonly configFile: string;
  readonly caFile: string;
}

/** Makes certificates that are gone with the run. They are for this machine alone. */
async function makeTls(): Promise<RunTls> {
  if (!tlsSupport(Deno.version.deno).hasOnePort) throw new UsageError("--tls needs Deno 2.8");
  const { tlsInit } = await loadTlsInit();
  const folder = await Deno.makeTempDir({ prefix: "thrum-tls-" });
  const asked = { folder, name: "server", for: "server", hosts: ["localhost"] } as const;
  const { authority, certificate } = await tlsInit(asked, Date.now(), crypto.randomUUID().slice(0, 6));
  const tls = { cert: certificate.file, key: certificate.keyFile, ca: authority.file };
  const configFile = `${folder}/config.json`;
  await Deno.writeTextFile(configFile, JSON.stringify({ tls }));
  return { folder, configFile, caFile: authority.file };
}

/** Starts `count` servers one after the other: each has all that were before it to join. */
async function startAll(count: number, firstPort: number, tls: RunTls | undefined): Promise<Running[]> {
  // Kept where the first server would keep it, so that it is the same the next time and for one
  // that is started by hand.
  const store = { data: folderOf(1), ephemeral: false };
  const network = await findNetworkSecret(layered(DEFAULT_CONFIG, { store }));
  await Deno.mkdir(folderOf(1), { recursive: true, mode: 0o700 });
  await keepNetworkSecret(network);
  const running: Running[] = [];
  while (running.length < count && !isEnding) {
    const number = running.length + 1;
    const port = firstPort === 0 ? 0 : firstPort + running.length;
    const child = spawn(serverArguments({ number, port, httpPort: 0 }, running[0], tls), network.secret);
    children.set(number, child);
    running.push({ number, child, ...await listening(child, number, count) });
  }
  return running;
}

/** A page that is open goes on by itself when its server comes back at the same port. */
function serverArguments(
  { number, port, httpPort }: Pick<Running, "number" | "port" | "httpPort">,
  first: Running | undefined,
  tls: RunTls | undefined,
): string[] {
  const config = tls === undefined ? [] : ["--config", tls.configFile];
  const join = first === undefined ? [] : ["--join", endpointText(first)];
  const listening = ["--host", HOST, "--port", String(port), "--http", String(httpPort)];
  return ["--no-prompt", ...listening, ...config, "--data", folderOf(number), ...join];
}

function folderOf(number: number): string {
  return `thrum-data/cluster-${number}`;
}

function spawn(args: readonly string[], secret: string): Deno.ChildProcess {
  const server = new URL("../server.ts", import.meta.url).pathname;
  return new Deno.Command(Deno.execPath(), {
    args: ["run", LOCKED, ...fromSources(SERVER_PERMISSIONS), "--quiet", server, ...args],
    // Out of sight of the process list.
    env: { THRUM_SECRET: secret },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Shows what `child` logs, and waits until it says where it listens. */
async function listening(
  child: Deno.ChildProcess,
  number: number,
  count: number,
): Promise<Pick<Running, "host" | "port" | "httpPort">> {
  const where = Promise.withResolvers<Pick<Running, "host" | "port" | "httpPort">>();
  let endpoint: Endpoint | undefined;
  let failure = "";
  const logging = eachLine(child.stderr, (line) => {
    // One sentence says why a server ends; a hint may follow it.
    if (!failure.startsWith(SERVER_PROGRAM.name)) failure = line;
    console.log(`${tag(number)} ${line}`);
  });
  const printing = eachLine(child.stdout, (line) => {
    const [, host, port] = line.match(/listening on (\S+):(\d+)$/) ?? [];
    if (host !== undefined) endpoint = { host, port: Number(port) };
    const [, httpPort] = line.match(/dashboard +https?:\S+:(\d+)\//) ?? [];
    if (httpPort !== undefined && endpoint !== undefined) where.resolve({ ...endpoint, httpPort: Number(httpPort) });
  });
  const ended = Promise.all([child.status, logging, printing]).then(([{ code }]) => {
    children.delete(number);
    where.reject(
      new StartError(`Cannot start server ${number} of ${count}: ${failure || `it ended with exit code ${code}`}`),
    );
  });
  // It resolves whatever happens; that nobody may be waiting for `where` any more is fine.
  void ended;
  return await where.promise;
}

/** Says when a server ends that nobody asked to, and how to bring it back. */
async function watch(server: Running, others: readonly Running[], tls: RunTls | undefined): Promise<void> {
  const { number, child } = server;
  const { code, signal } = await child.status;
  if (isEnding) return;
  const join = others.find((other) => other.number !== number && children.has(other.number));
  const args = serverArguments(server, join, tls).join(" ").replace(" --data", " \\\n    --data");
  console.log(
    `${tag(number)} ${red(`has ended: ${signal ?? `exit code ${code}`}`)}. To bring it back, in another terminal:\n\n` +
      // In rows of their own and without the number, so that it can be copied.
      `  THRUM_SECRET=$(cat ${folderOf(1)}/secret) \\\n    deno task server ${args}\n`,
  );
}

function showHelp(running: readonly Running[], tls: RunTls | undefined): void {
  const [first, ...rest] = running;
  const second = rest[0] ?? first!;
  const third = rest[1] ?? first!;
  const rows = running.map((server) =>
    `  ${tag(server.number)} ${endpointText(server)}  pid ${String(server.child.pid).padEnd(7)}  ` +
    `${tls === undefined ? "http" : "https"}://localhost:${server.httpPort}  ${folderOf(server.number)}`
  );
  const trust = tls === undefined ? "" : ` --tls --ca ${tls.caFile}`;
  const typed: [string, string][] = [
    [`deno task client --port ${first!.port}${trust}`, "talk"],
    [`deno task --quiet client listen --port ${second.port}${trust}`, "see it elsewhere"],
    [`deno task --quiet client publish '{"n": 1}' --port ${third.port}${trust}`, "say something"],
    [`kill -9 ${second.child.pid}`, `kill server ${second.number}`],
  ];
  const columns = Math.max(...typed.map(([line]) => line.length));
  const commands = typed.map(([line, does]) => `  ${line.padEnd(columns)}  ${dim(does)}`);
  console.log(
    `\n${bold(`${running.length} servers`)} ${green("listening")}\n\n${rows.join("\n")}\n\n` +
      `In a browser${
        tls === undefined ? "" : ` that trusts ${tls.caFile}`
      }: the dashboard of any of them shows all. In other terminals:\n\n${
        commands.join("\n")
      }\n\nCtrl-C ends all of them.\n`,
  );
}

/** Asks every server to stop, and waits for it. */
async function endAll(): Promise<void> {
  isEnding = true;
  await Promise.all([...children.values()].map(async (child) => {
    try {
      child.kill("SIGTERM");
    } catch {
      // It has ended by itself meanwhile.
    }
    await child.status;
  }));
}

async function eachLine(stream: ReadableStream<Uint8Array>, take: (line: string) => void): Promise<void> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    lines.forEach(take);
  }
  if (rest !== "") take(rest);
}

function tag(number: number): string {
  const text = `[${number}]`;
  return isColoured ? `\x1b[${COLOURS[(number - 1) % COLOURS.length]}m${text}\x1b[39m` : text;
}

async function main(): Promise<number> {
  const { words, values } = parseCommandLine(PROGRAM, Deno.args);
  if (values.help) {
    console.log(helpText(PROGRAM, VERSION, bold));
    return 0;
  }
  if (words.length > 1) throw new UsageError(`Unexpected argument ${quoted(words[1]!)}`);
  const count = words.length === 0 ? DEFAULT_COUNT : COUNT.read(words[0]!);
  if (count === undefined) throw new UsageError(`How many servers must be ${COUNT.allowed}, not ${quoted(words[0]!)}`);
  const port = values.port ?? DEFAULT_PORT;
  if (port + count - 1 > LISTENING_PORTS.most) {
    throw new UsageError(`There are no ports for ${count} servers from ${port} on`);
  }
  const asked = Promise.withResolvers<void>();
  using _signals = onStopSignal(() => {
    isEnding = true;
    asked.resolve();
  });
  const tls = values.tls ? await makeTls() : undefined;
  try {
    const running = await Promise.race([startAll(count, port, tls), asked.promise]);
    if (running === undefined || isEnding) return 0;
    showHelp(running, tls);
    const over = Promise.all(running.map((server) => watch(server, running, tls)));
    await Promise.race([asked.promise, over]);
    return 0;
  } finally {
    await endAll();
    if (tls !== undefined) await Deno.remove(tls.folder, { recursive: true });
  }
}

try {
  Deno.exit(await main());
} catch (error) {
  if (!(error instanceof Error)) throw error;
  console.error(`${red("cluster:")} ${error.message}`);
  Deno.exit(1);
}
