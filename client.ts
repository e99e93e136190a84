/**
 * The client program. Command line and config file give the command and the server, and a command of `client/terminal/`
 * runs. Its end becomes an exit code. Data goes to standard output, everything about it to standard error.
 */

import { askName, checkTls, connect, reach } from "./client/connect.ts";
import { ConnectError, ConnectionEndedError, RefusedError, TraceFileError } from "./client/errors.ts";
import type { ConnectOptions, TlsOptions } from "./client/options.ts";
import { type CommandParts, leavable } from "./client/terminal/command.ts";
import { forget, passwd } from "./client/terminal/account.ts";
import { exchange } from "./client/terminal/exchange.ts";
import { AnswerError } from "./client/terminal/identity.ts";
import { talk } from "./client/terminal/chat/interactive.ts";
import { LateError, listen } from "./client/terminal/listen.ts";
import { InputError, publish } from "./client/terminal/publish.ts";
import { refusalHint } from "./client/terminal/refusal_hint.ts";
import { register } from "./client/terminal/register.ts";
import { send } from "./client/terminal/send.ts";
import { users } from "./client/terminal/users.ts";
import type { HistoryFile } from "./client/terminal/chat/history_file.ts";
import type { StateFile } from "./client/terminal/chat/remembered_login.ts";
import { visible } from "./client/terminal/screen/visible.ts";
import {
  CLIENT_PROGRAM,
  type ClientArguments,
  type ClientCommand,
  heartbeatEndpoint,
  parseClientArguments,
} from "./config/client_arguments.ts";
import type { TlsArguments } from "./config/tls/tls_flags.ts";
import { quoted } from "./config/values.ts";
import { commandHelpText } from "./config/command_help.ts";
import { completionScript } from "./config/completion_script.ts";
import { EXIT_CODE, type ExitCode } from "./config/exit_code.ts";
import { helpText, UsageError } from "./config/flags.ts";
import { ConfigError, layered, loadConfig } from "./config/load.ts";
import { manualPage } from "./config/manual_page.ts";
import { NoAnswer } from "./config/prompts.ts";
import { makeSecret } from "./platform/crypto.ts";
import { realClock } from "./platform/real_clock.ts";
import { onStopSignal, onTerminateSignal } from "./platform/signals.ts";
import { stdio } from "./platform/stdio.ts";
import { appendPrivateFile, FileError, readTextFile, replacePrivateFile } from "./platform/files/text_file.ts";
import { VERSION } from "./protocol/version.ts";

/** The config file that came with the program: inside it when it is compiled, beside it otherwise. */
const SHIPPED_CONFIG = new URL("./config.json", import.meta.url);

const COMMANDS: Readonly<Record<ClientCommand, (parts: CommandParts) => Promise<void>>> = {
  interactive: talk,
  publish,
  listen,
  send,
  users,
  register,
  passwd,
  forget,
  exchange,
};

async function main(args: readonly string[]): Promise<ExitCode> {
  let asked: ClientArguments | undefined;
  try {
    asked = parseClientArguments(args);
    switch (asked.action) {
      case "help":
        await stdio.write(
          asked.helpFor !== undefined && commandHelpText(CLIENT_PROGRAM, asked.helpFor, stdio.out.bold) ||
            helpText(CLIENT_PROGRAM, VERSION, stdio.out.bold),
        );
        return EXIT_CODE.done;
      case "completion":
        await stdio.write(completionScript(CLIENT_PROGRAM, asked.shell!));
        return EXIT_CODE.done;
      case "man":
        await stdio.write(manualPage(CLIENT_PROGRAM, VERSION));
        return EXIT_CODE.done;
      case "version":
        await stdio.write(`${CLIENT_PROGRAM.name} ${VERSION}\n`);
        return EXIT_CODE.done;
      default:
        await COMMANDS[asked.action](await makeParts(asked));
        return EXIT_CODE.done;
    }
  } catch (error) {
    return tellFailure(error, asked);
  }
}

async function makeParts(args: ClientArguments): Promise<CommandParts> {
  const loaded = await loadConfig(readTextFile, { asked: args.configFile, shipped: SHIPPED_CONFIG });
  const config = layered(loaded.config, args.layer);
  const tls = args.tls && await readTls(args.tls);
  return {
    args,
    server: config.server,
    heartbeatChannel: heartbeatEndpoint(args, { config, layer: loaded.layer }),
    // A variable that is set to nothing says nothing.
    secret: args.secret ?? (Deno.env.get("THRUM_SECRET") || undefined),
    systemUser: Deno.env.get("USER") ?? Deno.env.get("USERNAME"),
    stdio: leavable(stdio, onStopSignal, onTerminateSignal),
    clock: realClock,
    connect: (options) =>
      connect({
        ...{ ...options, ...tls && { tls }, clearSecrets: args.clearSecrets, ...traceOf(args) },
        ...(args.invitation === undefined ? {} : { invitation: args.invitation }),
      }),
    reach: (server = config.server) => reach(server, tls),
    askName: (username, server = config.server) => askName(server, username, tls),
    stateFile: stateFile(),
    historyFile: historyFile(),
    makeSecret,
    onStop: onStopSignal,
  };
}

/** @throws {UsageError} when one of the files cannot be read or used. */
async function readTls({ ca, fingerprints, own }: TlsArguments): Promise<TlsOptions> {
  const tls = {
    fingerprints,
    ...ca && { ca: await readGiven("--ca", ca) },
    ...own && { cert: await readGiven("--cert", own.cert), key: await readGiven("--key", own.key) },
  };
  await checkTls(tls).catch((error: Error) => {
    throw new UsageError(error.message.replace(/"tls\.(\w+)"/, "--$1"), { cause: error });
  });
  return tls;
}

/** The text of a file that the command line names. */
async function readGiven(flag: string, path: string): Promise<string> {
  const reason = (error: unknown) => new UsageError(`Cannot read ${flag} ${quoted(path)}: ${(error as Error).message}`);
  const text = await readTextFile(path).catch((error) => {
    throw reason(error);
  });
  if (text === undefined) throw reason(new Error("there is no such file"));
  return text;
}

function traceOf({ trace, traceLimitBytes }: ClientArguments): Pick<ConnectOptions, "trace" | "traceLimitBytes"> {
  return {
    ...(trace === undefined ? {} : { trace }),
    ...(traceLimitBytes === undefined ? {} : { traceLimitBytes }),
  };
}

/** `client.json`: who talked last. */
function stateFile(): StateFile | undefined {
  const path = personalFile("client.json");
  if (path === undefined) return undefined;
  return { read: () => readTextFile(path), write: (text) => replacePrivateFile(path, text) };
}

/** `history`: what people typed, a line each. */
function historyFile(): HistoryFile | undefined {
  const path = personalFile("history");
  if (path === undefined) return undefined;
  return {
    read: () => readTextFile(path),
    append: (text) => appendPrivateFile(path, text),
    replace: (text) => replacePrivateFile(path, text),
  };
}

/** A file in the folder for programs' data about one person. */
function personalFile(name: string): string | undefined {
  const home = Deno.env.get("HOME");
  const folder = Deno.env.get("XDG_CONFIG_HOME") ||
    (Deno.build.os === "windows" ? Deno.env.get("APPDATA") : undefined) ||
    (home && `${home}/.config`);
  return folder ? `${folder}/thrum/${name}` : undefined;
}

/** One sentence on standard error, with the exit code that belongs to it. */
function tellFailure(error: unknown, asked: ClientArguments | undefined): ExitCode {
  const { code, sentence, hint } = describeFailure(error, asked);
  if (sentence === undefined) {
    // The person left at a question: the shell's prompt goes below it.
    stdio.terminal.write("\n");
    return code;
  }
  // The server's own words may be part of the sentence.
  const said = visible(sentence);
  stdio.tell(`${stdio.err.red(`${CLIENT_PROGRAM.name}:`)} ${said}\n${hint === undefined ? "" : `${visible(hint)}\n`}`);
  return code;
}

function describeFailure(
  error: unknown,
  asked: ClientArguments | undefined,
): { code: ExitCode; sentence?: string; hint?: string | undefined } {
  const sentence = error instanceof Error ? error.message : String(error);
  if (error instanceof NoAnswer) return { code: EXIT_CODE.done };
  if (error instanceof UsageError) {
    return { code: EXIT_CODE.usage, sentence, hint: `Try ${CLIENT_PROGRAM.name} --help` };
  }
  if (error instanceof TraceFileError) return { code: EXIT_CODE.usage, sentence };
  if (error instanceof ConfigError || error instanceof InputError || error instanceof AnswerError) {
    return { code: EXIT_CODE.usage, sentence };
  }
  // Standard output on a full disk, above all: what comes from standard input is an `InputError`.
  if (error instanceof FileError) return { code: EXIT_CODE.store, sentence };
  if (error instanceof LateError) return { code: EXIT_CODE.late, sentence };
  if (error instanceof ConnectError) return { code: EXIT_CODE.unreachable, sentence };
  if (error instanceof RefusedError) {
    const wasAsked = stdio.canAsk && asked?.mayAsk === true;
    return { code: EXIT_CODE.refused, sentence, hint: asked && refusalHint(error.reason, asked, wasAsked) };
  }
  if (error instanceof ConnectionEndedError) return { code: EXIT_CODE.ended, sentence };
  return { code: EXIT_CODE.fault, sentence: `Fault in the program: ${sentence}` };
}

if (import.meta.main) Deno.exit(await main(Deno.args));
