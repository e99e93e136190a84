/**
 * The server program: command line, config file and answers become a configuration, `serve` does the rest, and how it ends becomes an exit
 * code. What people read goes to standard output, what went wrong and the log to standard error.
 */

import { getLogger } from "@logtape/logtape";
import { parseServerArguments, SERVER_PROGRAM, type ServerArguments } from "./config/arguments.ts";
import { type Config, dataFolder, type Endpoint } from "./config/config.ts";
import { EXIT_CODE, type ExitCode } from "./config/exit_code.ts";
import { helpText, UsageError } from "./config/flags.ts";
import { CONFIG_FILE, ConfigError, layered, loadConfig, withLayer } from "./config/load.ts";
import { ask, askHeartbeat, NoAnswer, yesNoQuestion } from "./config/prompts.ts";
import { endpointText, isSecret, secondsText, SECRET } from "./config/values.ts";
import { effectiveHeartbeat } from "./heartbeat/mod.ts";
import { serve, type Server, StoreError } from "./mod.ts";
import { findNetworkSecret, keepNetworkSecret, type NetworkSecret } from "./node/network_secret.ts";
import { startLogging } from "./platform/logging.ts";
import { onStopSignal } from "./platform/signals.ts";
import { canAsk, lineTerminal, styleFor, writeAll } from "./platform/terminal.ts";
import { FileError, readTextFile, writeTextFile } from "./platform/text_file.ts";
import { VERSION } from "./protocol/version.ts";

/** The config file that came with the program: inside it when it is compiled, beside it otherwise. */
const SHIPPED_CONFIG = new URL("./config.json", import.meta.url);

/** The address cannot be listened on. */
class ListenError extends Error {}

const out = styleFor("stdout");
const err = styleFor("stderr");

/** Where the trace goes. */
type Traced = Pick<ServerArguments, "trace" | "traceLimitBytes">;

async function main(args: readonly string[]): Promise<ExitCode> {
  let level: Config["log"]["level"] | undefined;
  try {
    const asked = parseServerArguments(args);
    level = asked.layer.log?.level;
    switch (asked.action) {
      case "help":
        writeAll("stdout", helpText(SERVER_PROGRAM, VERSION, out.bold));
        return EXIT_CODE.done;
      case "version":
        writeAll("stdout", `${SERVER_PROGRAM.name} ${VERSION}\n`);
        return EXIT_CODE.done;
      case "serve": {
        const { config, network } = await configure(asked);
        level = config.log.level;
        return await run(config, network, asked);
      }
    }
  } catch (error) {
    return tellFailure(error, level === "debug" || level === "trace");
  }
}

/** Command line over answers over file over defaults, and the secret of the network. */
async function configure(asked: ServerArguments): Promise<{ config: Config; network: NetworkSecret }> {
  const { config } = await loadConfig(readTextFile, { asked: asked.configFile, shipped: SHIPPED_CONFIG });
  // A variable that is set to nothing says nothing.
  const secret = Deno.env.get("THRUM_SECRET") ?? "";
  if (!isSecret(secret)) throw new UsageError(`THRUM_SECRET must be ${SECRET.allowed}`);
  const settled = layered(config, secret === "" ? {} : { cluster: { secret } }, asked.layer);
  const network = await findNetworkSecret(settled);
  // Before anything is asked: nobody should answer questions for nothing.
  if (settled.cluster.join.length > 0 && network.from === "made") {
    throw new UsageError(
      "To join a network its secret is needed: give it as THRUM_SECRET or with --secret. The first server has shown it, " +
        "or says where it is kept",
    );
  }
  const { intervalMs, count, idleTimeoutMs } = asked.layer.heartbeat ?? {};
  const complete = intervalMs !== undefined && count !== undefined && idleTimeoutMs !== undefined;
  const mayAsk = !complete && asked.mayAsk && canAsk();
  return { config: mayAsk ? await settleByAsking(settled, asked) : settled, network };
}

/** Asks for the heartbeat settings that the command line does not give, and whether to keep the answers. */
async function settleByAsking(config: Config, asked: ServerArguments): Promise<Config> {
  // Reading from the terminal cannot be given up, and nothing has been started yet.
  using _interrupt = onStopSignal(() => {
    writeAll("stdout", "\n");
    Deno.exit(EXIT_CODE.done);
  });
  writeAll(
    "stdout",
    `${out.bold(`${SERVER_PROGRAM.name} ${VERSION}`)}\n\n` +
      `How it watches over its connections; Enter takes what stands in brackets.\n\n`,
  );
  const answers = await askHeartbeat(config.heartbeat, asked.layer.heartbeat ?? {}, lineTerminal);
  const { config: heartbeat, warning } = effectiveHeartbeat({ ...config.heartbeat, ...answers });
  if (warning !== undefined) writeAll("stdout", `  ${out.yellow("warning:")} ${warning}\n`);

  const fileName = asked.configFile ?? CONFIG_FILE;
  if (await ask(yesNoQuestion(`Save these answers in ${fileName}?`), lineTerminal)) {
    const keys = Object.keys(answers) as (keyof typeof answers)[];
    await save(fileName, Object.fromEntries(keys.map((key) => [key, heartbeat[key]])));
  }
  writeAll("stdout", "\n");
  return { ...config, heartbeat };
}

/** A file that cannot be written is a pity, and no reason not to serve. */
async function save(fileName: string, heartbeat: Partial<Config["heartbeat"]>): Promise<void> {
  try {
    await writeTextFile(fileName, withLayer(await readTextFile(fileName) ?? "", fileName, { heartbeat }));
    writeAll("stdout", `  Saved in ${fileName}\n`);
  } catch (error) {
    writeAll("stdout", `  ${out.yellow("warning:")} ${(error as Error).message}\n`);
  }
}

/** Serves until it is asked to stop, or cannot go on. */
async function run(config: Config, network: NetworkSecret, traced: Traced): Promise<ExitCode> {
  await using _logging = await startLogging(config.log);
  const asked = Promise.withResolvers<void>();
  // Before anybody can know that there is a server, and so ask it to stop.
  using _signals = onStopSignal(asked.resolve);
  await using server = await start(layered(config, { cluster: { secret: network.secret } }), traced);
  // After the data folder was opened: so it is there, and this server's own.
  await keepNetworkSecret(network);
  writeAll("stdout", startedText(server, config, network));
  // A terminal has just said so; a file has nothing else to tell one run from the next.
  if (config.log.file !== "") {
    getLogger(["thrum", "server"]).info("{program} {version} listens on {address}", {
      program: SERVER_PROGRAM.name,
      version: VERSION,
      address: endpointText(server),
    });
  }

  await Promise.race([server.finished, asked.promise]);
  await server.close();
  const end = await server.finished;
  if (end.reason === "failed") throw end.error;
  return EXIT_CODE.done;
}

async function start(config: Config, { trace, traceLimitBytes }: Traced): Promise<Server> {
  try {
    return await serve({
      ...config,
      ...(trace === undefined ? {} : { trace }),
      ...(traceLimitBytes === undefined ? {} : { traceLimitBytes }),
    });
  } catch (error) {
    throw listenError(error, config.server) ?? error;
  }
}

function startedText(server: Server, config: Config, network: NetworkSecret): string {
  const { heartbeat } = server;
  const row = (name: string, text: string) => `  ${out.dim(name.padEnd(12))}${text}\n`;
  const kept = config.store.ephemeral ? "in memory, gone when it stops" : dataFolder(config);
  return `${out.bold(`${SERVER_PROGRAM.name} ${VERSION}`)} ${out.green(`listening on ${endpointText(server)}`)}\n` +
    row("data", kept) +
    row(
      "heartbeats",
      `after ${secondsText(heartbeat.idleTimeoutMs)} s without data, ` +
        `${heartbeat.count} of them, ${secondsText(heartbeat.intervalMs)} s apart`,
    ) +
    networkRows(server, config, network).map(([name, text]) => row(name, text)).join("") +
    row("stop", "Ctrl-C");
}

/** How this server joins others, or others join it. */
function networkRows(server: Server, { cluster }: Config, network: NetworkSecret): [string, string][] {
  const joins: [string, string][] = cluster.join.length === 0 ? [] : [["joins", cluster.join.join(", ")]];
  if (network.from === "given") return joins;
  // What is not a terminal may be kept by others: there it is said where the secret is, if it is anywhere else.
  const isShown = network.file === undefined || (network.from === "made" && Deno.stdout.isTerminal());
  const secret = isShown ? network.secret : `"$(cat ${shellWord(network.file!)})"`;
  const kept = network.file === undefined ? "" : `in ${network.file}`;
  const listens = /^(0\.0\.0\.0|::)$/.test(server.host) ? "HOST" : server.host;
  const host = cluster.advertise === "" ? listens : cluster.advertise;
  // The next port, where both run on one machine.
  const port = server.port < 65_535 ? server.port + 1 : server.port - 1;
  const line = `${SERVER_PROGRAM.name} --port ${port} --join ${endpointText({ host, port: server.port })} -s ${secret}`;
  return [
    [
      "secret",
      isShown ? `${network.secret}  ${out.dim(kept === "" ? "shown once" : `shown once, kept ${kept}`)}` : kept,
    ],
    ["join it", line],
    ...joins,
  ];
}

/** `text` as one word of a command line. */
function shellWord(text: string): string {
  return /^[\w./:-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** One sentence on standard error, with the exit code that belongs to it. */
function tellFailure(error: unknown, withStack: boolean): ExitCode {
  const { code, sentence, hint } = describeFailure(error);
  if (code === EXIT_CODE.done) {
    writeAll("stdout", "\n");
    return code;
  }
  writeAll("stderr", `${err.red(`${SERVER_PROGRAM.name}:`)} ${sentence}\n${hint === undefined ? "" : `${hint}\n`}`);
  if (withStack && error instanceof Error) writeAll("stderr", `${Deno.inspect(error)}\n`);
  return code;
}

function describeFailure(error: unknown): { code: ExitCode; sentence: string; hint?: string } {
  const sentence = error instanceof Error ? error.message : String(error);
  // Ctrl-D at a question, like Ctrl-C: the person does not want a server after all.
  if (error instanceof NoAnswer) return { code: EXIT_CODE.done, sentence };
  if (error instanceof UsageError) {
    return { code: EXIT_CODE.usage, sentence, hint: `Try ${SERVER_PROGRAM.name} --help` };
  }
  if (error instanceof ConfigError) return { code: EXIT_CODE.usage, sentence };
  if (error instanceof StoreError || error instanceof FileError) return { code: EXIT_CODE.store, sentence };
  if (error instanceof ListenError) return { code: EXIT_CODE.unreachable, sentence };
  return { code: EXIT_CODE.fault, sentence: `Fault in the program: ${sentence}`, hint: "--log-level debug says where" };
}

/** What the operating system said about the address to listen on, if that is what `error` is about. */
function listenError(error: unknown, { host, port }: Endpoint): ListenError | undefined {
  const { code = "", syscall } = error as { code?: string; syscall?: string };
  if (syscall !== "listen" && syscall !== "getaddrinfo") return undefined;
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: "another program listens there already; --port 0 takes a free port",
    EACCES: "permission denied; ports below 1024 are for the administrator",
    EADDRNOTAVAIL: "this machine does not have that address",
    // What Deno 2.9 makes of EADDRNOTAVAIL.
    EINVAL: "this machine does not have that address",
    ENOTFOUND: "no such host is known",
  };
  return new ListenError(`Cannot listen on ${endpointText({ host, port })}: ${reasons[code] ?? code}`, {
    cause: error,
  });
}

if (import.meta.main) Deno.exit(await main(Deno.args));
