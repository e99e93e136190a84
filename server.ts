/**
 * The server program. Command line, config file and answers become a configuration, and `serve` runs it. Its end
 * becomes an exit code. Text for people goes to standard output; errors and the log go to standard error.
 */

import { getLogger } from "@logtape/logtape";
import { visible } from "./client/terminal/screen/visible.ts";
import { parseServerArguments, SERVER_PROGRAM, type ServerArguments } from "./config/server_arguments.ts";
import { type Config, dataFolder } from "./config/config.ts";
import { EXIT_CODE, type ExitCode } from "./config/exit_code.ts";
import { helpText, UsageError } from "./config/flags.ts";
import { type Invocation, invocationText } from "./config/invocation.ts";
import { CONFIG_FILE, ConfigError, layered, loadConfig, withLayer } from "./config/load.ts";
import { ask, askHeartbeat, NoAnswer, yesNoQuestion } from "./config/prompts.ts";
import { endpointText, isSecret, isToken, quoted, SECRET, TOKEN } from "./config/values.ts";
import { gatewayToCall, operatorToken, refuseClearToken } from "./server/gateway/admin/operator_call.ts";
import { drainServer } from "./server/gateway/http/drain_command.ts";
import { findHttpToken } from "./server/gateway/http_token.ts";
import { effectiveHeartbeat } from "./heartbeat/liveness.ts";
// Not from `mod.ts`: the library has a client, too, and a server would load it.
import { DoorError } from "./server/gateway/door.ts";
import { type ProgramServer, serveGuarded } from "./server/gateway/serve.ts";
import type { TakenActivities } from "./server/observe/taken_activities.ts";
import { StoreError } from "./server/store/store.ts";
import { CloneError } from "./server/backplane/clone_error.ts";
import { keepSecret, withSecrets } from "./server/gateway/kept_secret.ts";
import { findNetworkSecret, readNetworkSecret } from "./server/gateway/network_secret.ts";
import { type Secrets, startedText } from "./server/gateway/started_text.ts";
import type { Endpoint } from "./platform/address.ts";
import { nodeCrypto } from "./platform/crypto.ts";
import { Faults } from "./platform/faults.ts";
import { ownGateway } from "./server/gateway/tls/own_gateway.ts";
import { setLogLevel, startLogging } from "./platform/logging.ts";
import { realClock } from "./platform/real_clock.ts";
import { PatientOutput } from "./platform/patient_output.ts";
import { onHangUp, onStopSignal } from "./platform/signals.ts";
import { catchStrayFaults } from "./platform/stray_faults.ts";
import { stdio } from "./platform/stdio.ts";
import { canAsk, hasTerminal, lineTerminal, styleFor, writeAll } from "./platform/terminal.ts";
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

/** Answers that a person may want to keep. */
interface Answers {
  readonly fileName: string;
  readonly heartbeat: Partial<Config["heartbeat"]>;
}

/** Lines of activities that may wait for a slow terminal. */
const MAX_SHOWN_LINES = 1_000;

async function main(args: readonly string[]): Promise<ExitCode> {
  let level: Config["log"]["level"] | undefined;
  try {
    const asked = parseServerArguments(args);
    level = asked.layer.log?.level;
    switch (asked.action) {
      case "help":
        writeAll("stdout", helpText(SERVER_PROGRAM, VERSION, out.bold));
        return EXIT_CODE.done;
      case "adminHelp": {
        const { adminHelpText } = await import("./server/gateway/admin/admin_task.ts");
        writeAll("stdout", adminHelpText(SERVER_PROGRAM.name, out.bold));
        return EXIT_CODE.done;
      }
      case "version":
        writeAll("stdout", `${SERVER_PROGRAM.name} ${VERSION}\n`);
        return EXIT_CODE.done;
      case "serve": {
        const { config, secrets, answers } = await configure(asked);
        level = config.log.level;
        return await run(config, secrets, asked, answers);
      }
      case "drain":
        return await drain(asked);
      case "recover":
        return await recover(asked);
      case "tlsInit":
        return await initTls(asked.tlsInit!);
      case "auditLog":
        return await verifyAuditLog(asked);
      case "admin":
        return await administerNetwork(asked);
    }
  } catch (error) {
    return tellFailure(error, level === "debug" || level === "trace");
  }
}

/** Command line over environment over file over defaults. */
async function settle(asked: ServerArguments): Promise<Config> {
  const { config } = await loadConfig(readTextFile, { asked: asked.configFile, shipped: SHIPPED_CONFIG });
  // A variable that is set to nothing says nothing.
  const secret = asked.secretFile === undefined
    ? Deno.env.get("THRUM_SECRET") ?? ""
    : await readNetworkSecret(asked.secretFile);
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

/** The configuration of a new server, its secrets, and the answers of a person. */
async function configure(
  asked: ServerArguments,
): Promise<{ config: Config; secrets: Secrets; answers: Answers | undefined }> {
  const settled = await settle(asked);
  let network = await findNetworkSecret(settled);
  const http = settled.gateway.http.listen === "" ? undefined : await findHttpToken(settled);
  const mayAsk = asked.mayAsk && canAsk();
  // Before anything else is asked: nobody should answer questions for nothing.
  if (settled.cluster.join.length > 0 && network.from === "made") {
    const secret = mayAsk ? await askNetworkSecret() : "";
    if (secret === "") {
      throw new UsageError(
        "To join a network its secret is needed: give it as THRUM_SECRET or with --secret-file. The first server has " +
          "shown it, or says where it is kept",
      );
    }
    network = { ...network, secret, from: "given" };
  }
  const { intervalMs, count, idleTimeoutMs } = asked.layer.heartbeat ?? {};
  const isComplete = intervalMs !== undefined && count !== undefined && idleTimeoutMs !== undefined;
  const secrets = { network, http };
  if (isComplete || !mayAsk) return { config: settled, secrets, answers: undefined };
  return { ...await settleByAsking(settled, asked), secrets };
}

/** Asks for the secret of the network to join. Nobody sees it. */
async function askNetworkSecret(): Promise<string> {
  for (;;) {
    const secret = await askSecretly("The secret of the network:");
    if (secret === "" || isSecret(secret)) return secret;
    writeAll("stdout", `  The secret must be ${SECRET.allowed}\n`);
  }
}

/** Asks for the heartbeat settings that the command line does not give. */
async function settleByAsking(
  config: Config,
  asked: ServerArguments,
): Promise<{ config: Config; answers: Answers }> {
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
  writeAll("stdout", "\n");
  const keys = Object.keys(answers) as (keyof typeof answers)[];
  return {
    config: { ...config, heartbeat },
    answers: {
      fileName: asked.configFile ?? CONFIG_FILE,
      heartbeat: Object.fromEntries(keys.map((key) => [key, heartbeat[key]])),
    },
  };
}

/** Asks whether to keep the answers. The server runs meanwhile, and may end before there is an answer. */
async function offerToSave({ fileName, heartbeat }: Answers): Promise<void> {
  try {
    if (await ask(yesNoQuestion(`Save these answers in ${fileName}?`), lineTerminal)) await save(fileName, heartbeat);
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    writeAll("stdout", "\n");
  }
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
async function run(
  config: Config,
  secrets: Secrets,
  wishes: ServerArguments,
  answers: Answers | undefined,
): Promise<ExitCode> {
  await using logging = await startLogging(config.log);
  const asked = Promise.withResolvers<void>();
  // Before anybody can know that there is a server, and so ask it to stop.
  using _signals = onStopSignal(asked.resolve);
  let running: ProgramServer | undefined;
  const faults = new Faults();
  // A service has no terminal: its log file was moved away, or it has another configuration, or new certificates.
  const refresh = () => {
    logging.reopen();
    running?.reload("SIGHUP").catch((error) => faults.caught("process", error));
  };
  // Without its terminal nobody could stop it.
  using _hangUp = onHangUp(hasTerminal() ? asked.resolve : refresh);
  const { network, http } = secrets;
  const readConfig = async () => {
    const settled = withSecrets(await settle(wishes), network, http);
    return answers === undefined ? settled : { ...settled, heartbeat: config.heartbeat };
  };
  using _net = catchStrayFaults(faults);
  await using server = running = await start(withSecrets(config, network, http), wishes, faults, readConfig);
  // After the data folder was opened: so it is there, and this server's own.
  await keepSecret(network);
  if (http !== undefined) await keepSecret(http);
  writeAll(
    "stdout",
    startedText(server, config, secrets, {
      title: `${SERVER_PROGRAM.name} ${VERSION}`,
      command: invocationText(invocation(), "server"),
      out,
      isTerminal: Deno.stdout.isTerminal(),
    }),
  );
  // A terminal has just said so; a file has nothing else to tell one run from the next.
  if (config.log.file !== "") {
    getLogger(["thrum", "server"]).info("{program} {version} listens on {address}", {
      program: SERVER_PROGRAM.name,
      version: VERSION,
      address: endpointText(server),
    });
  }

  // Not awaited: the server runs, whether somebody answers or not.
  if (answers !== undefined) void offerToSave(answers);
  await Promise.race([server.finished, asked.promise]);
  await server.close();
  const end = await server.finished;
  if (end.reason === "failed") throw end.error;
  return EXIT_CODE.done;
}

async function start(
  config: Config,
  { trace, traceLimitBytes, showsActivities }: ServerArguments,
  faults: Faults,
  readConfig: () => Promise<Config>,
): Promise<ProgramServer> {
  try {
    const options = {
      ...config,
      ...(trace === undefined ? {} : { trace }),
      ...(traceLimitBytes === undefined ? {} : { traceLimitBytes }),
      ...(showsActivities ? { onActivities: showActivities() } : {}),
    };
    return await serveGuarded(options, faults, { setLogLevel, readConfig });
  } catch (error) {
    throw listenError(error, config.server) ?? error;
  }
}

/** Prints activities, each on a line: who, and what. */
function showActivities(): (taken: TakenActivities) => void {
  const leftOut = (count: number) => out.dim(`… ${count} more`);
  const output = new PatientOutput(stdio.write, { maxLines: MAX_SHOWN_LINES, leftOut });
  return ({ activities, skipped }) => output.add(activities.map(activityLine), skipped);
}

/** Who, and what. Others wrote it, so nothing in it is for the terminal. */
function activityLine({ user, activity, cut }: TakenActivities["activities"][number]): string {
  const what = typeof activity === "string" ? activity : JSON.stringify(activity);
  return `${out.bold(visible(user))}: ${visible(what)}${cut ? "…" : ""}`;
}

/** How this program was started. */
function invocation(): Invocation {
  const isCompiled = Deno.build.standalone;
  return {
    isCompiled,
    executable: Deno.execPath(),
    denoVersion: Deno.version.deno,
    mainModule: Deno.mainModule,
    folder: Deno.cwd(),
    // A compiled program may not read this variable, and no task starts it.
    isTask: !isCompiled && Deno.env.get("INIT_CWD") !== undefined,
  };
}

/** Asks a server that runs to stop gently, and waits for it. */
async function drain(asked: ServerArguments): Promise<ExitCode> {
  const config = await settle(asked);
  const at = gatewayToCall(config, "drain");
  const { isSecure, ask } = await ownGateway(config);
  refuseClearToken(config, at, isSecure);
  const end = await drainServer({
    at,
    token: await operatorToken(config),
    clock: realClock,
    ask,
    tell: (line) => writeAll("stdout", `${line}\n`),
  });
  if (end.kind === "unreachable") throw new AddressError(end.sentence);
  if (end.kind === "refused") throw new RefusedError(end.sentence);
  return EXIT_CODE.done;
}

/** Asks a server that runs for what an operator wants of the whole network. */
async function administerNetwork(asked: ServerArguments): Promise<ExitCode> {
  const { runAdmin } = await import("./server/gateway/admin/run_admin.ts");
  const end = await runAdmin(await settle(asked), asked.admin!, {
    nowMs: realClock.wallMs(),
    emphasis: out,
    askPerson: asked.mayAsk && canAsk() ? askSecretly : undefined,
    secretFile: asked.secretFile,
    warn: (sentence) => writeAll("stderr", `${err.yellow("warning:")} ${sentence}\n`),
  });
  if (end.kind === "unreachable") throw new AddressError(end.sentence);
  if (end.kind === "refused") throw new RefusedError(end.sentence);
  for (const line of end.lines) writeAll("stdout", `${line}\n`);
  if (end.kind === "partly") throw new RefusedError(end.sentence);
  return EXIT_CODE.done;
}

/** Asks for something that nobody sees. */
async function askSecretly(question: string): Promise<string> {
  const { askHidden } = await import("./client/terminal/screen/hidden_prompt.ts");
  return (await askHidden(question, stdio)).trim();
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

/** Makes or renews certificates. */
async function initTls(asked: NonNullable<ServerArguments["tlsInit"]>): Promise<ExitCode> {
  const { runTlsInit } = await import("./server/gateway/tls/init_command.ts");
  const server = invocationText(invocation(), "server");
  const done = await runTlsInit(asked, {
    clock: realClock,
    crypto: nodeCrypto,
    title: `${SERVER_PROGRAM.name} ${VERSION}`,
    // They lie beside each other.
    commands: { server, client: server.replace(/\bserver(?=\.ts$|$)/, "client") },
    out,
  });
  writeAll("stdout", done);
  return EXIT_CODE.done;
}

/** Says whether an audit log is whole. A server may use its folder meanwhile. */
async function verifyAuditLog(asked: ServerArguments): Promise<ExitCode> {
  const folder = asked.folder ?? dataFolder(await settle(asked));
  const { checkAuditFolder } = await import("./server/audit/audit_folder.ts");
  const { auditLines } = await import("./server/gateway/audit_text.ts");
  const report = await checkAuditFolder(folder, (line) => nodeCrypto.digest(line));
  if (report === undefined) throw new FileError(`There is no audit log in ${quoted(folder)}`);
  for (const line of auditLines(report, quoted(folder))) writeAll("stdout", `${line}\n`);
  return report.broken === 0 ? EXIT_CODE.done : EXIT_CODE.store;
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
