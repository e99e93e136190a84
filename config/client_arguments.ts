/**
 * The command line of the client: its table, and its result: a layer over the config file, and settings of this one
 * run. `-rh -rp -lh -lp -s -u` are usual in this protocol family. Pure.
 */

import type { Endpoint } from "../platform/address.ts";
import { type ConfigLayer, DEFAULT_CONFIG } from "./config.ts";
import { EXIT_CODE } from "./exit_code.ts";
import { type Flags, type FlagValues, parseCommandLine, type Program, unknownCommand, UsageError } from "./flags.ts";
import { LISTEN_FLAGS, type ListenArguments, listenOf, publishedTo } from "./listen/listen_flags.ts";
import type { LoadedConfig } from "./load.ts";
import { CONFIG, flag, given, HELP, NO_PROMPT, refuseWords, toggle, TRACE, traceOf } from "./shared_flags.ts";
import { TLS_FLAGS, type TlsArguments, tlsOf } from "./tls/tls_flags.ts";
import {
  BLOCK_MS,
  CALLED_PORTS,
  LISTENING_PORTS,
  oneOf,
  seconds,
  secondsText,
  SECRET,
  SEND_INTERVAL_MS,
  SERVER_ADDRESS,
  text,
  wholeNumber,
} from "./values.ts";

/** The commands of a client. Without a command it is `"interactive"`. */
export type ClientCommand =
  | ("interactive" | "publish" | "listen" | "send" | "users" | "register" | "passwd" | "forget")
  | "exchange";

/** The shells that a client can complete its command lines for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;
/** One of them. */
export type Shell = typeof SHELLS[number];

/** The result of a client's command line. Spans are milliseconds. `undefined` means that the flag was not given. */
export interface ClientArguments {
  /** A command, or what the program tells of itself. */
  readonly action: ClientCommand | "help" | "version" | "completion" | "man";
  /** `help`: the command that it is about. */
  readonly helpFor: string | undefined;
  /** `completion`: for which shell. */
  readonly shell: Shell | undefined;
  /** The flags for the configuration: the server to call. */
  readonly layer: ConfigLayer;
  /** The config file that the command line names. */
  readonly configFile: string | undefined;
  /** Whether the program may ask questions, if there is a terminal. */
  readonly mayAsk: boolean;
  /** How the server is called by TLS; `undefined` for a call without. */
  readonly tls: TlsArguments | undefined;
  readonly username: string | undefined;
  /** From the command line only. THRUM_SECRET is used after it. */
  readonly secret: string | undefined;
  /** The code of an invitation, for a new name. */
  readonly invitation: string | undefined;
  /** The secret may be told in clear where nothing else is offered. */
  readonly clearSecrets: boolean;
  /** Interactive session: keep the secret for the next time. */
  readonly remember: boolean;
  /** Write JSON lines on standard output instead of text for people. */
  readonly json: boolean;
  /** `publish`: the activity, as it was typed. Without it, activities come on standard input. */
  readonly activity: string | undefined;
  /** `publish`: take what is published as a text, and not as JSON. */
  readonly isText: boolean;
  /** `publish`: tell of lines that cannot be published, and go on. */
  readonly skipInvalid: boolean;
  /** `publish`: the channel that it is for; `undefined` for everyone. */
  readonly channel: string | undefined;
  readonly listen: ListenArguments;
  /** `listen`, and talking: how much of the past is shown first. */
  readonly last: number | undefined;
  /** `send`: the receiver and the text of the direct message. */
  readonly direct: { readonly to: string; readonly text: string } | undefined;
  /** `forget`: the account is to be deleted, and nobody is asked. */
  readonly isSure: boolean;
  /** `users`: only logged-in users. */
  readonly online: boolean;
  /** `exchange`: time between two data messages. */
  readonly intervalMs: number | undefined;
  /** `exchange`: for how long the client answers no heartbeat. */
  readonly blockHeartbeatMs: number | undefined;
  /** `exchange`: the text of a data message. */
  readonly message: string | undefined;
  /** The port for heartbeats out of band; see `heartbeatEndpoint`. */
  readonly heartbeatPort: number | undefined;
  /** The trace file. */
  readonly trace: string | undefined;
  /** The size at which the trace goes on in a new file. */
  readonly traceLimitBytes: number | undefined;
}

/** The settings of `exchange` without flags. */
export const EXCHANGE_DEFAULTS = { intervalMs: 5_000, blockHeartbeatMs: 0, message: "Hello, there" } as const;

const { server } = DEFAULT_CONFIG;

const COMMANDS = {
  "": "talk: write to others, see what they write and who comes and goes",
  publish: "publish this activity, or one for each JSON line of standard input",
  listen: "show activities, and direct messages for NAME, until Ctrl-C",
  send: "send a direct message to NAME",
  users: "list the registered users; with --online only those logged in",
  register: "register a username, and leave",
  passwd: "give NAME another secret; NAME has to log in again everywhere",
  forget: "delete the account of NAME: its secret, and the messages that wait; nobody can have the name again",
  exchange: "publish a message at every interval, and show the echo that comes back",
  completion: "write what makes bash, zsh or fish complete command lines of this program",
  man: "write the manual page",
  help: "show this, or the help of one command",
} as const;

/** How many words follow a command; none if it is not here. */
const WORDS: Readonly<Record<string, number>> = { publish: 1, send: 2, completion: 1, help: 1 };

const ALL_BUT_INTERACTIVE = ["publish", "listen", "send", "users", "register", "passwd", "exchange"];

const CLIENT_FLAGS = {
  // The family has two pairs of flags. A client needs one: the server to call.
  host: flag("HOST[:PORT]", SERVER_ADDRESS, {
    heading: "Whom it calls",
    short: ["-rh", "-lh"],
    help: "the server's host, perhaps with its port",
    default: server.host,
  }),
  port: flag("PORT", wholeNumber("a port", CALLED_PORTS), {
    short: ["-rp", "-lp"],
    help: "the server's port",
    default: String(server.port),
  }),

  ...TLS_FLAGS,

  username: flag("NAME", text("a name that is not empty"), {
    heading: "Who calls",
    short: ["-u"],
    help: "log in as NAME; without a secret the client asks for it, or registers NAME with a new one",
    default: "anonymous",
    completes: "users",
  }),
  secret: flag("SECRET", SECRET, {
    short: ["-s"],
    secret: true,
    help: "the secret of NAME; better given as THRUM_SECRET, or when asked for",
  }),
  invitation: flag("CODE", text("the code of an invitation"), {
    secret: true,
    help: "the code of an invitation, where a new name needs one",
  }),
  "clear-secrets": toggle({
    help: "tell the secret in clear where a server of an earlier version offers nothing else",
  }),
  remember: toggle({
    only: [""],
    help: "when talking: keep the secret for the next time, in a file that only you can read",
  }),

  json: toggle({ heading: "What it does", only: ALL_BUT_INTERACTIVE, help: "write JSON lines, made for pipes" }),
  text: toggle({
    only: ["publish"],
    help: 'publish: take the argument, or each line, as plain text: {"text": …}',
  }),
  "skip-invalid": toggle({
    only: ["publish"],
    help: "publish: tell of a line that cannot be published, and go on with the next",
  }),
  ...LISTEN_FLAGS,
  yes: toggle({ only: ["forget"], help: "forget: ask nothing, the account is to be deleted" }),
  online: toggle({ only: ["users"], help: "users: only those who are logged in somewhere" }),
  interval: flag("SECONDS", seconds(SEND_INTERVAL_MS), {
    only: ["exchange"],
    help: "exchange: time between messages, fractions allowed",
    default: secondsText(EXCHANGE_DEFAULTS.intervalMs),
  }),
  "block-heartbeat": flag("SECONDS", seconds(BLOCK_MS), {
    only: ["exchange"],
    help: "exchange: answer no heartbeat for this time, as a test",
    default: secondsText(EXCHANGE_DEFAULTS.blockHeartbeatMs),
  }),
  message: flag("TEXT", text("a text that is not empty"), {
    only: ["exchange"],
    help: "exchange: what each message says",
    default: `"${EXCHANGE_DEFAULTS.message}"`,
  }),
  "heartbeat-port": flag("PORT", wholeNumber("a port", LISTENING_PORTS), {
    help: "take heartbeats on their own port, so that a full connection delays none; 0 takes a free one",
  }),

  config: {
    ...CONFIG,
    heading: "How it runs",
    help: "read the configuration from FILE; its client section opens the heartbeat port",
  },
  "no-prompt": NO_PROMPT,
  ...TRACE,
  ...HELP,
} satisfies Flags;

/** The client's command line. */
export const CLIENT_PROGRAM: Program<typeof CLIENT_FLAGS> = {
  name: "thrum-client",
  summary: "a client of an activity network",
  usage: [
    "[flags]",
    "publish [JSON] [flags]",
    "listen [flags]",
    "send NAME TEXT -u NAME [flags]",
    "users [flags]",
    "register [flags]",
    "passwd -u NAME [flags]",
    "forget -u NAME [flags]",
    "exchange [flags]",
    "completion SHELL",
    "man",
    "help [COMMAND]",
  ],
  commands: COMMANDS,
  flags: CLIENT_FLAGS,
  about: {
    publish: {
      usage: ["publish [JSON] [flags]"],
      examples: [
        `publish '{"temperature": 21.5}' -u sensor`,
        `…tail -f app.log | thrum-client publish --text`,
        `publish --channel lab/door --skip-invalid < measurements.jsonl`,
      ],
    },
    listen: {
      usage: ["listen [flags]"],
      examples: [
        "listen --from sensor --count 1 --timeout 10",
        "listen --channel 'lab/**' --last 9 --format '{user}: {text}'",
      ],
    },
    send: {
      usage: ["send NAME TEXT -u NAME [flags]"],
      examples: ['send bob "at five?" -u ada'],
    },
    users: {
      usage: ["users [flags]"],
      examples: ["users", "users --online --json"],
    },
    register: {
      usage: ["register -u NAME [flags]"],
      examples: ["register -u sensor", "…SECRET=$(thrum-client register -u sensor --no-prompt)"],
    },
    passwd: {
      usage: ["passwd -u NAME [flags]"],
      examples: ["passwd -u ada", "…SECRET=$(thrum-client passwd -u sensor --no-prompt)"],
    },
    forget: { usage: ["forget -u NAME [flags]"], examples: ["forget -u ada", "forget -u sensor --yes"] },
    exchange: {
      usage: ["exchange [flags]"],
      examples: ["exchange --interval 2", "exchange --interval 120 --block-heartbeat 120"],
    },
    completion: {
      usage: ["completion bash|zsh|fish"],
      examples: [
        '…eval "$(thrum-client completion bash)"     # in ~/.bashrc',
        '…eval "$(thrum-client completion zsh)"      # in ~/.zshrc, after compinit',
        "…thrum-client completion fish | source      # in config.fish",
      ],
      takesShared: false,
    },
    man: {
      usage: ["man"],
      examples: ["…thrum-client man > thrum-client.1 && man ./thrum-client.1"],
      takesShared: false,
    },
    help: { usage: ["help [COMMAND]"], examples: ["help", "help listen"], takesShared: false },
  },
  completes: { send: "users", completion: SHELLS, help: Object.keys(COMMANDS).filter((name) => name !== "") },
  environment: [
    ["THRUM_SECRET", "the secret of NAME; the process list does not show it"],
    ["NO_COLOR", "any value: no colours"],
  ],
  examples: [
    ["-u ada", "asks for the password of ada, or registers ada, and talks"],
    [`publish '{"text":"hello"}' --port 8000`, "publishes one activity as anonymous"],
    ["listen --json | jq .activity", "hands activities to another program"],
    ['send bob "at five?" -u ada', "sends a direct message to bob, whether he is there or not"],
    ["users --online --json", "lists who is logged in, a JSON object a line"],
    ["exchange --interval 2", `publishes "${EXCHANGE_DEFAULTS.message}" every two seconds`],
  ],
  exitCodes: [
    [EXIT_CODE.done, "done"],
    [EXIT_CODE.usage, "the command line, an answer, the config file or the input is wrong"],
    [EXIT_CODE.unreachable, "it cannot connect"],
    [EXIT_CODE.refused, "the server refused the login, the registration or the message"],
    [EXIT_CODE.ended, "the server ended the connection"],
    [EXIT_CODE.store, "standard output, or another file, cannot be written"],
    [EXIT_CODE.fault, "a fault in the program"],
    [EXIT_CODE.late, "--timeout was over before everything had come that was waited for"],
  ],
};

/**
 * Reads a client's command line.
 * @throws {UsageError} when it is wrong.
 */
export function parseClientArguments(args: readonly string[]): ClientArguments {
  const { command, words, values } = parseCommandLine(CLIENT_PROGRAM, args);
  const isHelp = values.help === true || command === "help";
  const isAsked = isHelp || values.version === true;
  const activity = command === "publish" ? words[0] : undefined;
  const direct = command === "send" && !isAsked ? readDirect(words) : undefined;
  const shell = command === "completion" && !isAsked ? readShell(words[0]) : undefined;
  const helpFor = !isHelp ? undefined : command === "help" ? words[0] : command || undefined;
  if (helpFor !== undefined && !Object.hasOwn(COMMANDS, helpFor)) throw unknownCommand(COMMANDS, helpFor);
  refuseWords(words.slice(isHelp && command !== "help" ? words.length : WORDS[command] ?? 0));
  if (values.json && (values.format ?? "json") !== "json") throw new UsageError("--json means --format json");
  return {
    action: isHelp ? "help" : values.version ? "version" : (command || "interactive") as ClientArguments["action"],
    helpFor,
    shell,
    layer: { server: serverOf(values) },
    configFile: values.config,
    mayAsk: !values["no-prompt"],
    tls: tlsOf(values),
    username: values.username,
    secret: values.secret,
    invitation: values.invitation,
    clearSecrets: values["clear-secrets"] ?? false,
    remember: values.remember ?? false,
    json: values.json ?? false,
    activity,
    isText: values.text ?? false,
    skipInvalid: values["skip-invalid"] ?? false,
    channel: isAsked || command !== "publish" ? undefined : publishedTo(values),
    listen: listenOf(values),
    last: values.last,
    direct,
    isSure: values.yes ?? false,
    online: values.online ?? false,
    intervalMs: values.interval,
    blockHeartbeatMs: values["block-heartbeat"],
    message: values.message,
    heartbeatPort: values["heartbeat-port"],
    ...traceOf(values),
  };
}

/**
 * The address where a client listens for heartbeats out of band; `undefined` if it does not. The command line gives the
 * port, or the `client` section of a config file that the command line names. The shipped file has that section, too,
 * and two clients on one machine cannot share its port. So the section counts only if somebody chose the file. A client
 * that cannot have the port takes its heartbeats on its connection.
 */
export function heartbeatEndpoint(
  { heartbeatPort, configFile }: ClientArguments,
  { config, layer }: LoadedConfig,
): Endpoint | undefined {
  const chosen = configFile === undefined ? undefined : layer.client;
  const port = heartbeatPort ?? chosen?.port;
  if (port === undefined) return undefined;
  // The server calls back the address that it sees. From another machine this is never the loopback.
  const local = /^(localhost|127\..*|::1)$/.test(config.server.host);
  return { host: chosen?.host ?? (local ? "127.0.0.1" : "0.0.0.0"), port };
}

function readDirect([to, text]: readonly string[]): { to: string; text: string } {
  if (to === undefined || text === undefined) throw new UsageError("send needs a name and a text: send NAME TEXT");
  if (text === "") throw new UsageError("send needs a text that is not empty");
  return { to, text };
}

function readShell(given: string | undefined): Shell {
  const { allowed, read } = oneOf(SHELLS);
  const shell = given === undefined ? undefined : read(given);
  if (shell !== undefined) return shell;
  throw new UsageError(`completion needs the name of a shell: ${allowed}`);
}

/** The server, by its host, its port, or both in one. */
function serverOf({ host, port }: FlagValues<typeof CLIENT_FLAGS>): { host?: string; port?: number } {
  if (port !== undefined && host?.port !== undefined && port !== host.port) {
    throw new UsageError(`--host names the port ${host.port}, and --port ${port}`);
  }
  return given({ host: host?.host, port: port ?? host?.port });
}
