/**
 * The server program. Command line, config file and answers become a configuration, and `serve` runs it. Its end
 * becomes an exit code. Text for people goes to standard output; errors and the log go to standard error.
 */

import { getLogger } from "@logtape/logtape";
import { parseServerArguments, SERVER_PROGRAM, type ServerArguments } from "./config/server_arguments.ts";
import { type Config, dataFolder } from "./config/config.ts";
import { EXIT_CODE, type ExitCode } from "./config/exit_code.ts";
import { helpText, UsageError } from "./config/flags.ts";
import { CONFIG_FILE, ConfigError, layered, loadConfig, withLayer } from "./config/load.ts";
import { ask, askHeartbeat, NoAnswer, yesNoQuestion } from "./config/prompts.ts";
import {
  endpointText,
  isSecret,
  isToken,
  parseListenAddress,
  quoted,
  secondsText,
  SECRET,
  TOKEN,
} from "./config/values.ts";
import { drainServer } from "./server/gateway/http/drain_command.ts";
import { findHttpToken } from "./server/gateway/http_token.ts";
import { effectiveHeartbeat } from "./heartbeat/liveness.ts";
import { serveGuarded } from "./server/gateway/serve.ts";
import { DoorError, type Server, StoreError } from "./mod.ts";
import { CloneError } from "./server/backplane/clone_error.ts";
import { keepSecret, type KeptSecret } from "./server/gateway/kept_secret.ts";
import { findNetworkSecret } from "./server/gateway/network_secret.ts";
import type { Endpoint } from "./platform/address.ts";
import { Faults } from "./platform/faults.ts";
import { askHttp } from "./platform/http/http_client.ts";
import { startLogging } from "./platform/logging.ts";
import { realClock } from "./platform/real_clock.ts";
import { onStopSignal } from "./platform/signals.ts";
import { catchStrayFaults } from "./platform/stray_faults.ts";
import { canAsk, lineTerminal, styleFor, writeAll } from "./platform/terminal.ts";
import { FileError, readTextFile, writeTextFile } from "./platform/files/text_file.ts";
import { VERSION } from "./protocol/version.ts";

/** The config file that came with the program: inside it when it is compiled, beside it otherwise. */
const SHIPPED_CONFIG = new URL("./config.json", import.meta.url);

/** The address cannot be listened on, or nobody answers there. */
class AddressError extends Error {}

/** The server refuses to drain. */
class RefusedError extends Error {}

const out = styleFor("stdout");
const err = styleFor("stderr");

/** The secrets that the server shares: with the servers of its network, and with browsers that may change something. */
interface Secrets {
  readonly network: KeptSecret;
  /** `undefined` without an HTTP gateway. */
  readonly http: KeptSecret | undefined;
}

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
        const { config, secrets } = await configure(asked);
        level = config.log.level;
        return await run(config, secrets, asked);
      }
      case "drain":
        return await drain(asked);
      case "recover":
        return await recover(asked);
    }
  } catch (error) {
    return tellFailure(error, level === "debug" || level === "trace");
  }
}

/** Command line over environment over file over defaults. */
async function settle(asked: ServerArguments): Promise<Config> {
  const { config } = await loadConfig(readTextFile, { asked: asked.configFile, shipped: SHIPPED_CONFIG });
  // A variable that is set to nothing says nothing.
  const secret = Deno.env.get("THRUM_SECRET") ?? "";
  if (!isSecret(secret)) throw new UsageError(`THRUM_SECRET must be ${SECRET.allowed}`);
  const token = Deno.env.get("THRUM_HTTP_TOKEN") ?? "";
  if (token !== "" && !isToken(token)) throw new UsageError(`THRUM_HTTP_TOKEN must be ${TOKEN.allowed}`);
  return layered(
    config,
    secret === "" ? {} : { cluster: { secret } },
    token === "" ? {} : { gateway: { http: { token } } },
    asked.layer,
  );
}

/** The configuration of a new server, with the answers to questions, and its secrets. */
async function configure(asked: ServerArguments): Promise<{ config: Config; secrets: Secrets }> {
  const settled = await settle(asked);
  const network = await findNetworkSecret(settled);
  const http = settled.gateway.http.listen === "" ? undefined : await findHttpToken(settled);
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
  return { config: mayAsk ? await settleByAsking(settled, asked) : settled, secrets: { network, http } };
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
      `How the server watches its connections. Enter takes the value in brackets.\n\n`,
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
async function run(config: Config, secrets: Secrets, traced: Traced): Promise<ExitCode> {
  await using _logging = await startLogging(config.log);
  const asked = Promise.withResolvers<void>();
  // Before anybody can know that there is a server, and so ask it to stop.
  using _signals = onStopSignal(asked.resolve);
  const { network, http } = secrets;
  const known = layered(
    config,
    { cluster: { secret: network.secret } },
    http === undefined ? {} : { gateway: { http: { token: http.secret } } },
  );
  const faults = new Faults();
  using _net = catchStrayFaults(faults);
  await using server = await start(known, traced, faults);
  // After the data folder was opened: so it is there, and this server's own.
  await keepSecret(network);
  if (http !== undefined) await keepSecret(http);
  writeAll("stdout", startedText(server, config, secrets));
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

async function start(config: Config, { trace, traceLimitBytes }: Traced, faults: Faults): Promise<Server> {
  try {
    const options = {
      ...config,
      ...(trace === undefined ? {} : { trace }),
      ...(traceLimitBytes === undefined ? {} : { traceLimitBytes }),
    };
    return await serveGuarded(options, faults);
  } catch (error) {
    throw listenError(error, config.server) ?? error;
  }
}

/** Asks a server that runs to stop gently, and waits for it. */
async function drain(asked: ServerArguments): Promise<ExitCode> {
  const config = await settle(asked);
  const at = parseListenAddress(config.gateway.http.listen);
  if (at === undefined || at.port === 0) {
    throw new UsageError("drain needs the address of the server's HTTP gateway: --http [HOST:]PORT");
  }
  const { secret: token, from, file } = await findHttpToken(config);
  if (from === "made") {
    throw new UsageError(
      `The server's token is needed: give it as THRUM_HTTP_TOKEN${
        file === undefined ? "" : `, or say with --data where the server keeps it (it is not in ${quoted(file)})`
      }`,
    );
  }
  // An address to listen on may stand for all of them; calling needs one.
  const host = at.host === "0.0.0.0" ? "127.0.0.1" : at.host === "::" ? "::1" : at.host;
  const end = await drainServer({
    at: { host, port: at.port },
    token,
    clock: realClock,
    ask: askHttp,
    tell: (line) => writeAll("stdout", `${line}\n`),
  });
  if (end.kind === "unreachable") throw new AddressError(end.sentence);
  if (end.kind === "refused") throw new RefusedError(end.sentence);
  return EXIT_CODE.done;
}

/** Repairs a data folder that no server uses. */
async function recover(asked: ServerArguments): Promise<ExitCode> {
  const config = await settle(asked);
  const { secret, from } = await findNetworkSecret(config);
  if (config.cluster.join.length > 0 && from === "made") {
    throw new UsageError(
      "To ask other servers the secret of their network is needed: give it as THRUM_SECRET or with --secret",
    );
  }
  const { recoverDataFolder } = await import("./server/gateway/recover_folder.ts");
  const { recoveryLines } = await import("./server/gateway/recovery_text.ts");
  const { recovery, answered } = (await recoverDataFolder(layered(config, { cluster: { secret } })))!;
  const asks = config.cluster.join.length;
  if (asks > 0) writeAll("stdout", `servers that answered: ${answered} of ${asks}\n`);
  for (const line of recoveryLines(recovery)) writeAll("stdout", `${line}\n`);
  return EXIT_CODE.done;
}

function startedText(server: Server, config: Config, secrets: Secrets): string {
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
    [...networkRows(server, config, secrets.network), ...gatewayRows(server, secrets.http)]
      .map(([name, text]) => row(name, text)).join("") +
    row("stop", "Ctrl-C");
}

/** How this server joins others, or others join it. */
function networkRows(server: Server, { cluster }: Config, network: KeptSecret): [string, string][] {
  const joins: [string, string][] = cluster.join.length === 0 ? [] : [["joins", cluster.join.join(", ")]];
  if (network.from === "given") return joins;
  const secret = isShown(network) ? network.secret : `"$(cat ${shellWord(network.file!)})"`;
  const listens = isEveryAddress(server.host) ? "HOST" : server.host;
  const host = cluster.advertise === "" ? listens : cluster.advertise;
  // The next port, where both run on one machine.
  const port = server.port < 65_535 ? server.port + 1 : server.port - 1;
  const line = `${SERVER_PROGRAM.name} --port ${port} --join ${endpointText({ host, port: server.port })} -s ${secret}`;
  return [["secret", secretText(network)], ["join it", line], ...joins];
}

/** The address for browsers, and the token that lets them change something. */
function gatewayRows({ http, grpc }: Server, token: KeptSecret | undefined): [string, string][] {
  const rows: [string, string][] = [];
  if (http !== undefined) {
    const host = isEveryAddress(http.host) ? "HOST" : http.host;
    rows.push(["dashboard", `http://${endpointText({ host, port: http.port })}/`]);
  }
  if (token !== undefined && token.from !== "given") rows.push(["token", secretText(token)]);
  if (grpc !== undefined) rows.push(["Chitty-Chat", endpointText(grpc)]);
  return rows;
}

/** Others may keep the output, if it is no terminal. Then it names the place of a secret, if there is one. */
function isShown({ from, file }: KeptSecret): boolean {
  return file === undefined || (from === "made" && Deno.stdout.isTerminal());
}

function secretText(kept: KeptSecret): string {
  if (!isShown(kept)) return `in ${kept.file}`;
  const where = kept.file === undefined ? "shown once" : `shown once, kept in ${kept.file}`;
  return `${kept.secret}  ${out.dim(where)}`;
}

/** Whether listening on `host` is listening on every address of this machine. */
function isEveryAddress(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
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
  if (error instanceof AddressError) return { code: EXIT_CODE.unreachable, sentence };
  if (error instanceof DoorError) {
    const { door, endpoint, code } = error;
    const sentence = `Cannot listen for ${door} on ${endpointText(endpoint)}: ${listenReason(code)}`;
    return { code: EXIT_CODE.unreachable, sentence };
  }
  if (error instanceof CloneError) return { code: EXIT_CODE.clone, sentence };
  if (error instanceof RefusedError) return { code: EXIT_CODE.refused, sentence };
  return { code: EXIT_CODE.fault, sentence: `Fault in the program: ${sentence}`, hint: "--log-level debug says where" };
}

/** What the operating system said about the address to listen on, if that is what `error` is about. */
function listenError(error: unknown, { host, port }: Endpoint): AddressError | undefined {
  const { code = "", syscall } = error as { code?: string; syscall?: string };
  if (syscall !== "listen" && syscall !== "getaddrinfo") return undefined;
  const hint = code === "EADDRINUSE" ? "; --port 0 takes a free one" : "";
  const sentence = `Cannot listen on ${endpointText({ host, port })}: ${listenReason(code)}${hint}`;
  return new AddressError(sentence, { cause: error });
}

function listenReason(code: string): string {
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: "another program listens there already",
    EACCES: "permission denied; ports below 1024 are for the administrator",
    EADDRNOTAVAIL: "this machine does not have that address",
    // What Deno 2.9 makes of EADDRNOTAVAIL.
    EINVAL: "this machine does not have that address",
    ENOTFOUND: "no such host is known",
  };
  return reasons[code] ?? code;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
