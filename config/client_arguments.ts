/**
 * The command line of the client: its table, and its result: a layer over the config file, and settings of this one
 * run. `-rh -rp -lh -lp -s -u` are usual in this protocol family. Pure.
 */

import type { Endpoint } from "../platform/address.ts";
import { type ConfigLayer, DEFAULT_CONFIG } from "./config.ts";
import { EXIT_CODE } from "./exit_code.ts";
import { type Flags, parseCommandLine, type Program, UsageError } from "./flags.ts";
import type { LoadedConfig } from "./load.ts";
import { CONFIG, flag, given, HELP, NO_PROMPT, refuseWords, toggle, TRACE, traceOf } from "./shared_flags.ts";
import {
  BLOCK_MS,
  CALLED_PORTS,
  HOST,
  LISTENING_PORTS,
  seconds,
  secondsText,
  SECRET,
  SEND_INTERVAL_MS,
  text,
  wholeNumber,
} from "./values.ts";

/** The commands of a client. Without a command it is `"interactive"`. */
export type ClientCommand = "interactive" | "publish" | "listen" | "send" | "users" | "register" | "exchange";

/** The result of a client's command line. Spans are milliseconds. `undefined` means that the flag was not given. */
export interface ClientArguments {
  readonly action: ClientCommand | "help" | "version";
  /** The flags for the configuration: the server to call. */
  readonly layer: ConfigLayer;
  /** The config file that the command line names. */
  readonly configFile: string | undefined;
  /** Whether the program may ask questions, if there is a terminal. */
  readonly mayAsk: boolean;
  readonly username: string | undefined;
  /** From the command line only. THRUM_SECRET is used after it. */
  readonly secret: string | undefined;
  /** Interactive session: keep the secret for the next time. */
  readonly remember: boolean;
  /** Write JSON lines on standard output instead of text for people. */
  readonly json: boolean;
  /** `publish`: the activity, as it was typed. Without it, activities come on standard input. */
  readonly activity: string | undefined;
  /** `send`: the receiver and the text of the direct message. */
  readonly direct: { readonly to: string; readonly text: string } | undefined;
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
  exchange: "publish a message at every interval, and show the echo that comes back",
} as const;

const ALL_BUT_INTERACTIVE = ["publish", "listen", "send", "users", "register", "exchange"];

const CLIENT_FLAGS = {
  // The family has two pairs of flags. A client needs one: the server to call.
  host: flag("HOST", HOST, {
    heading: "Whom it calls",
    short: ["-rh", "-lh"],
    help: "the server's host",
    default: server.host,
  }),
  port: flag("PORT", wholeNumber("a port", CALLED_PORTS), {
    short: ["-rp", "-lp"],
    help: "the server's port",
    default: String(server.port),
  }),

  username: flag("NAME", text("a name that is not empty"), {
    heading: "Who calls",
    short: ["-u"],
    help: "log in as NAME; without a secret the client asks for it, or registers NAME with a new one",
    default: "anonymous",
  }),
  secret: flag("SECRET", SECRET, {
    short: ["-s"],
    secret: true,
    help: "the secret of NAME; better given as THRUM_SECRET, or when asked for",
  }),
  remember: toggle({
    only: [""],
    help: "when talking: keep the secret for the next time, in a file that only you can read",
  }),

  json: toggle({ heading: "What it does", only: ALL_BUT_INTERACTIVE, help: "write JSON lines, made for pipes" }),
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
    "exchange [flags]",
  ],
  commands: COMMANDS,
  flags: CLIENT_FLAGS,
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
    [EXIT_CODE.fault, "a fault in the program"],
  ],
};

/**
 * Reads a client's command line.
 * @throws {UsageError} when it is wrong.
 */
export function parseClientArguments(args: readonly string[]): ClientArguments {
  const { command, words, values } = parseCommandLine(CLIENT_PROGRAM, args);
  const isAsked = values.help || values.version;
  const activity = command === "publish" ? words[0] : undefined;
  const direct = command === "send" && !isAsked ? readDirect(words) : undefined;
  refuseWords(words.slice(command === "send" ? 2 : activity === undefined ? 0 : 1));
  return {
    action: values.help ? "help" : values.version ? "version" : (command || "interactive") as ClientCommand,
    layer: { server: given({ host: values.host, port: values.port }) },
    configFile: values.config,
    mayAsk: !values["no-prompt"],
    username: values.username,
    secret: values.secret,
    remember: values.remember ?? false,
    json: values.json ?? false,
    activity,
    direct,
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
