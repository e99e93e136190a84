/**
 * The command line of the server: its table, and its result: a layer over the config file, and settings of this one
 * run. `-lh -lp -rh -rp -s -a` and the long flags with a single dash and underscores are usual in this protocol family.
 * Pure.
 */

import { type ConfigLayer, DEFAULT_CONFIG } from "./config.ts";
import { EXIT_CODE } from "./exit_code.ts";
import { type Flags, type FlagValues, parseCommandLine, type Program, UsageError } from "./flags.ts";
import { CONFIG, FILE, flag, given, HELP, NO_PROMPT, refuseWords, toggle, TRACE, traceOf } from "./shared_flags.ts";
import {
  CALLED_PORTS,
  DURABILITIES,
  endpointText,
  HEARTBEAT_COUNT,
  HEARTBEAT_INTERVAL_MS,
  HOST,
  IDLE_TIMEOUT_MS,
  LISTEN_ADDRESS,
  LISTENING_PORTS,
  LOG_FORMATS,
  LOG_LEVELS,
  oneOf,
  parseEndpoint,
  type Reader,
  seconds,
  secondsText,
  SECRET,
  SEND_INTERVAL_MS,
  text,
  WAIT_MS,
  WEIGHT,
  wholeNumber,
  WINDOW_MS,
  wordList,
} from "./values.ts";

/** The result of a server's command line. */
export interface ServerArguments {
  /**
   * `drain`: ask a running server to hand its clients over and stop. `recover`: repair a damaged data folder.
   * `auditLog`: say whether an audit log is whole. `admin`: ask a running server for what an operator wants.
   */
  readonly action: "serve" | "drain" | "recover" | "tlsInit" | "auditLog" | "admin" | "adminHelp" | "help" | "version";
  /** With `auditLog`: the data folder that was named behind it. */
  readonly folder?: string;
  /** What the flags say about the configuration. */
  readonly layer: ConfigLayer;
  /** The config file that the command line names. */
  readonly configFile: string | undefined;
  /** Whether the program may ask questions, if there is a terminal. */
  readonly mayAsk: boolean;
  /** The file with the network's secret. */
  readonly secretFile: string | undefined;
  /** Whether activities are printed. */
  readonly showsActivities: boolean;
  /** The trace file. */
  readonly trace: string | undefined;
  /** The size at which the trace goes on in a new file. */
  readonly traceLimitBytes: number | undefined;
  /** What `admin` is to do; absent with every other action. */
  readonly admin?: AdminArguments;
  /** What `tls-init` is to make; absent with every other action. */
  readonly tlsInit?: TlsInitArguments;
}

/** What is written behind `admin`. */
export interface AdminArguments {
  /** The task and what it takes, as it was typed. */
  readonly words: readonly string[];
  /** A span of time. */
  readonly for: string | undefined;
  readonly why: string | undefined;
  /** What an invitation is for. */
  readonly note: string | undefined;
  readonly json: boolean;
  /** The file with the token. */
  readonly tokenFile: string | undefined;
}

/** The certificates that `tls-init` is to make. */
export interface TlsInitArguments {
  /** Names and addresses, as they were typed. */
  readonly hosts: readonly string[];
  readonly folder: string;
  /** The name of the files of a server's certificate. */
  readonly name: string;
  /** The name of a client that gets one. */
  readonly client: string | undefined;
}

const ENDPOINT: Reader<string[]> = {
  allowed: "HOST:PORT",
  read: (given) => parseEndpoint(given) === undefined ? undefined : [given],
};
/** The address as it was written: the configuration keeps it as text. */
const ADDRESS: Reader<string> = {
  allowed: LISTEN_ADDRESS.allowed,
  read: (given) => LISTEN_ADDRESS.read(given) === undefined ? undefined : given,
};
/** The beginning of the names of two files. Those of the authority are no other's. */
const CERTIFICATE_NAME: Reader<string> = {
  allowed: 'up to 64 letters, digits, ".", "_" and "-", and neither "ca" nor a name that ends with "-key"',
  read: (given) => /^(?!ca$|.*-key$)[\p{L}\p{N}][\p{L}\p{N}._-]{0,63}$/iu.test(given) ? given : undefined,
};
/** Where `tls-init` writes, and how it calls a server's certificate, if nothing else is asked for. */
export const TLS_INIT_DEFAULTS = { folder: "thrum-tls", name: "server" } as const;
const { server, heartbeat, cluster, log } = DEFAULT_CONFIG;

const SERVER_FLAGS = {
  host: flag("HOST", HOST, {
    heading: "Where it listens",
    short: ["-lh"],
    help: "address to listen on",
    default: server.host,
  }),
  port: flag("PORT", wholeNumber("a port", LISTENING_PORTS), {
    short: ["-lp"],
    help: "port to listen on; 0 takes a free one and says which",
    default: String(server.port),
  }),

  http: flag("[HOST:]PORT", ADDRESS, {
    help: "dashboard, web client, metrics and health; another HOST than this machine needs a token",
  }),
  grpc: flag("[HOST:]PORT", ADDRESS, { help: "the Chitty-Chat door, over gRPC" }),

  interval: flag("SECONDS", seconds(HEARTBEAT_INTERVAL_MS), {
    heading: "Heartbeats (on a terminal the server asks for missing values; fractions allowed)",
    help: "time between heartbeats",
    default: secondsText(heartbeat.intervalMs),
  }),
  heartbeats: flag("N", wholeNumber("a number", HEARTBEAT_COUNT), {
    help: "number of heartbeats that may go unanswered",
    default: String(heartbeat.count),
  }),
  idle: flag("SECONDS", seconds(IDLE_TIMEOUT_MS), {
    help: "time without data before heartbeats start, at least interval × heartbeats",
    default: secondsText(heartbeat.idleTimeoutMs),
  }),

  data: flag("DIR", text("the name of a folder"), {
    heading: "What it keeps",
    help: "data folder",
    default: "thrum-data/PORT",
  }),
  ephemeral: toggle({ help: "keep everything in memory; it is gone when the server stops" }),
  ...TRACE,

  secret: flag("SECRET", SECRET, {
    heading: "Its network",
    short: ["-s"],
    secret: true,
    help:
      "the secret that servers of one network share, better given as THRUM_SECRET or in a file; the first server makes " +
      "one and shows it once",
  }),
  "secret-file": flag("FILE", FILE, { help: "read that secret from FILE" }),
  join: flag("HOST:PORT", ENDPOINT, {
    repeatable: true,
    help: "join the network of this server; may be repeated, one server that answers is enough",
  }),
  "remote-host": flag("HOST", HOST, { short: ["-rh"], help: "with --remote-port: the same as --join" }),
  "remote-port": flag("PORT", wholeNumber("a port", CALLED_PORTS), {
    short: ["-rp"],
    help: "with --remote-host: the same as --join",
  }),
  advertise: flag("HOST", HOST, {
    help: "host that others use for this server",
    default: "the address that it listens on",
  }),
  announce: flag("MS", wholeNumber("milliseconds", SEND_INTERVAL_MS), {
    short: ["-a", "-sync_interval"],
    help: "milliseconds between two announcements of its load",
    default: String(cluster.announceIntervalMs),
  }),
  "time-before-reconnect": flag("MS", wholeNumber("milliseconds", WAIT_MS), {
    short: ["-time_before_reconnect"],
    help: "milliseconds before the first call to a lost server",
    default: String(cluster.timeBeforeReconnectMs),
  }),
  durability: flag("WHEN", oneOf(DURABILITIES), {
    help: "acknowledge an activity when this server has stored it (local), or another one too (replicated)",
    default: cluster.durability,
  }),
  weight: flag("N", wholeNumber("a number", WEIGHT), {
    help: "how many clients it takes, compared to others: 2 takes twice as many as 1",
    default: String(cluster.weight),
  }),
  "no-rebalance": toggle({ help: "never move idle clients to a server that has fewer" }),
  "older-dialect": toggle({ help: "let servers of the older dialect join" }),
  "activity-check-interval": flag("MS", wholeNumber("milliseconds", WINDOW_MS), {
    short: ["-activity_check_interval"],
    help: "window in which such servers' activities are sorted by their times",
    default: String(cluster.activityCheckIntervalMs),
  }),

  out: flag("DIR", text("the name of a folder"), {
    heading: "Certificates (tls-init only)",
    help: "folder of the authority and its certificates",
    default: TLS_INIT_DEFAULTS.folder,
    only: ["tls-init"],
  }),
  name: flag("NAME", CERTIFICATE_NAME, {
    help: "begin the names of the server's files with NAME, one for each server",
    default: TLS_INIT_DEFAULTS.name,
    only: ["tls-init"],
  }),
  client: flag("NAME", CERTIFICATE_NAME, {
    help: "make a certificate for a client instead, in files that begin with NAME",
    only: ["tls-init"],
  }),

  for: flag("SPAN", text("a time span such as 30m, 2h or 7d"), {
    heading: "The operator's hands (admin only)",
    help: "how long a ban or an invitation lasts: 30m, 2h, 7d",
    default: "for ever",
    only: ["admin"],
  }),
  why: flag("TEXT", text("a reason"), { help: "what the one who is kept out reads", only: ["admin"] }),
  note: flag("TEXT", text("a note"), { help: "what an invitation is for, for the list of them", only: ["admin"] }),
  json: toggle({ help: "answers as JSON", only: ["admin"] }),
  "token-file": flag("FILE", FILE, {
    help: "read the token from FILE, which only you should be able to read",
    only: ["admin"],
  }),

  config: { ...CONFIG, heading: "How it runs" },
  show: flag("WHAT", oneOf(["activities"]), { help: "activities: print each activity that its clients publish" }),
  "no-prompt": NO_PROMPT,
  "log-level": flag("LEVEL", oneOf(LOG_LEVELS), { help: wordList(LOG_LEVELS), default: log.level }),
  "log-format": flag("FORMAT", oneOf(LOG_FORMATS), { help: wordList(LOG_FORMATS), default: log.format }),
  "log-file": flag("FILE", FILE, { help: "log to FILE, rotated at 10 MiB, five kept", default: "standard error" }),
  ...HELP,
} satisfies Flags;

/**
 * Flags as the command lines of other servers of this family have them. Those start several servers, one after the
 * other, and expect no questions.
 */
const MULTI_SERVER_FLAGS: readonly string[] = ["-lh", "-lp", "-rh", "-rp", "-s", "-a"];

/** The flags of `drain`: they name the server, and give the right to drain it. */
const DRAIN_FLAGS: readonly string[] = ["http", "port", "data", "config", "no-prompt", "help", "version"];

/** The flags of `recover`: they name the folder, and servers that may have its lost entries. */
const RECOVER_FLAGS: readonly string[] = [
  ...["port", "data", "config", "join", "remote-host", "remote-port", "secret", "secret-file"],
  ...["no-prompt", "help", "version"],
];

/** The flags of `admin`: they name the server, give the right to ask, and say more of the task. */
const ADMIN_FLAGS: readonly string[] = [...DRAIN_FLAGS, "for", "why", "note", "json", "token-file", "secret-file"];
/** The flags of `tls-init`. */
const TLS_INIT_FLAGS: readonly string[] = ["out", "name", "client", "no-prompt", "help", "version"];
/** The flags of `audit-log`: they name the folder. */
const AUDIT_LOG_FLAGS: readonly string[] = ["port", "data", "config", "no-prompt", "help", "version"];
/** What `audit-log` can do. */
const VERIFY = "verify";

/** The server's command line. */
export const SERVER_PROGRAM: Program<typeof SERVER_FLAGS> = {
  name: "thrum-server",
  summary: "a server of an activity network",
  usage: [
    "[flags]",
    "drain [--http [HOST:]PORT] [--data DIR]",
    "recover --data DIR [--join HOST:PORT]",
    "tls-init HOST… [--out DIR] [--name NAME]",
    "audit-log verify [DIR]",
    "admin TASK … [--http [HOST:]PORT] [--data DIR]",
  ],
  commands: {
    "": "serve",
    drain: "hand a server's clients to others, then stop it; works through its HTTP gateway and shows the progress",
    recover: "repair a damaged data folder: keep what is whole, name what is lost; " +
      "--join gets lost entries from other servers",
    "tls-init": "make an authority and a certificate for a server that others reach as HOST, or renew; " +
      "says what to copy where",
    admin: "show users and connections, keep somebody out, close connections, for the whole network; " +
      "admin --help has the tasks",
    "audit-log": "verify: say whether the audit log in a data folder is whole, or where it was cut or changed",
  },
  flags: SERVER_FLAGS,
  environment: [
    ["THRUM_SECRET", "the secret of the network; the process list does not show it"],
    ["THRUM_HTTP_TOKEN", "the token of the HTTP gateway; without it the server makes one"],
    ["NO_COLOR", "any value: no colours"],
  ],
  examples: [
    ["", "asks for the heartbeat settings, then listens on 127.0.0.1:8000"],
    ["--no-prompt --host 0.0.0.0 --data /var/lib/thrum", "serves a network of machines, as a service would be started"],
    [
      "--port 0 --ephemeral --interval 0.5 --heartbeats 3 --idle 2",
      "for a try: a free port, quick heartbeats, nothing kept",
    ],
    [
      "--port 8001 --join 127.0.0.1:8000 --secret-file FILE",
      "a second server, which joins the network of the first",
    ],
    ["--no-prompt --http 8080", "with a dashboard and a web client at http://localhost:8080/"],
    ["drain --http 8080", "hands its clients to others, and stops it"],
    ["recover --data /var/lib/thrum", "repairs a damaged data folder"],
    ["tls-init alpha.lan 192.168.1.5", "certificates for TLS between the machines of a network of your own"],
    ["admin ban eve --for 7d --why spam --http 8080", "keeps a user out of the whole network for a week"],
    ["audit-log verify /var/lib/thrum", "looks whether somebody changed its audit log"],
  ],
  exitCodes: [
    [EXIT_CODE.done, "stopped by Ctrl-C, a signal or drain, in good order; recover: done, even if entries are lost"],
    [EXIT_CODE.usage, "the command line, an answer or the config file is wrong"],
    [EXIT_CODE.unreachable, "it cannot listen at that address; drain, admin: no server answers there"],
    [EXIT_CODE.refused, "drain, admin: the token is wrong; admin: the server refuses, or not every server has done it"],
    [
      EXIT_CODE.store,
      "the data folder, or another file, cannot be opened, read or written; audit-log: it is not whole",
    ],
    [EXIT_CODE.fault, "a fault in the program"],
    [EXIT_CODE.clone, "another server of the network has this data folder's identity"],
  ],
};

/**
 * Reads a server's command line.
 * @throws {UsageError} when it is wrong.
 */
export function parseServerArguments(args: readonly string[]): ServerArguments {
  const { command, words, values, typed } = parseCommandLine(SERVER_PROGRAM, args);
  const folder = command === "audit-log" && !values.help && !values.version ? verifiedFolder(words) : undefined;
  if (!["audit-log", "tls-init", "admin"].includes(command)) refuseWords(words);
  if (command === "admin") refuseFlags(values, ADMIN_FLAGS, command);
  if (command === "audit-log") refuseFlags(values, AUDIT_LOG_FLAGS, command);
  if (command === "drain") refuseFlags(values, DRAIN_FLAGS, command);
  if (command === "recover") refuseFlags(values, RECOVER_FLAGS, command);
  if (command === "tls-init") refuseFlags(values, TLS_INIT_FLAGS, command);
  if (values.client !== undefined && (words.length > 0 || values.name !== undefined)) {
    throw new UsageError("--client makes a certificate for a client, which has neither HOST nor --name");
  }
  if (values.ephemeral && values.data !== undefined) {
    throw new UsageError("--ephemeral keeps nothing, so --data cannot be given with it");
  }
  if (folder !== undefined && values.data !== undefined) {
    throw new UsageError("The folder behind verify and --data are two answers to one question: give one of them");
  }
  if (values.secret !== undefined && values["secret-file"] !== undefined) {
    throw new UsageError("--secret and --secret-file are two answers to one question: give one of them");
  }
  return {
    action: values.help ? command === "admin" ? "adminHelp" : "help" : values.version ? "version" : actionOf(command),
    layer: {
      server: given({ host: values.host, port: values.port }),
      heartbeat: given({ idleTimeoutMs: values.idle, intervalMs: values.interval, count: values.heartbeats }),
      cluster: given({
        secret: values.secret,
        advertise: values.advertise,
        join: serversToJoin(values),
        announceIntervalMs: values.announce,
        timeBeforeReconnectMs: values["time-before-reconnect"],
        weight: values.weight,
        rebalance: values["no-rebalance"] === undefined ? undefined : false,
        durability: values.durability,
        olderDialect: values["older-dialect"],
        activityCheckIntervalMs: values["activity-check-interval"],
      }),
      // A folder on the command line wins over "ephemeral" in the file, because it is the newer wish.
      store: given({
        data: values.data,
        ephemeral: values.ephemeral ?? (values.data === undefined ? undefined : false),
      }),
      gateway: {
        ...(values.http === undefined ? {} : { http: { listen: values.http } }),
        ...(values.grpc === undefined ? {} : { grpc: { listen: values.grpc } }),
      },
      log: given({ level: values["log-level"], format: values["log-format"], file: values["log-file"] }),
    },
    ...(folder === undefined ? {} : { folder }),
    configFile: values.config,
    mayAsk: !values["no-prompt"] && !typed.some((flag) => MULTI_SERVER_FLAGS.includes(flag)),
    secretFile: values["secret-file"],
    showsActivities: values.show !== undefined,
    ...traceOf(values),
    ...(command === "admin" ? { admin: adminOf(words, values) } : {}),
    ...(command === "tls-init" ? { tlsInit: tlsInitOf(words, values) } : {}),
  };
}

function adminOf(words: readonly string[], values: FlagValues<typeof SERVER_FLAGS>): AdminArguments {
  const { for: span, why, note, json = false, "token-file": tokenFile } = values;
  return { words, for: span, why, note, json, tokenFile };
}

function tlsInitOf(hosts: readonly string[], values: FlagValues<typeof SERVER_FLAGS>): TlsInitArguments {
  const { out: folder, name, client } = values;
  return { hosts, folder: folder ?? TLS_INIT_DEFAULTS.folder, name: name ?? TLS_INIT_DEFAULTS.name, client };
}

function actionOf(command: string): "serve" | "drain" | "recover" | "tlsInit" | "auditLog" | "admin" {
  if (command === "tls-init") return "tlsInit";
  if (command === "audit-log") return "auditLog";
  return command === "drain" || command === "recover" || command === "admin" ? command : "serve";
}

/** The folder in `audit-log verify [DIR]`. */
function verifiedFolder([what, folder, ...more]: readonly string[]): string | undefined {
  if (what !== VERIFY) throw new UsageError("audit-log needs to be told what to do: audit-log verify [DIR]");
  refuseWords(more);
  return folder;
}

function serversToJoin(values: FlagValues<typeof SERVER_FLAGS>): string[] | undefined {
  const { join, "remote-host": host, "remote-port": port } = values;
  if ((host === undefined) !== (port === undefined)) {
    const [given, missing] = host === undefined ? ["-rp", "-rh HOST"] : ["-rh", "-rp PORT"];
    throw new UsageError(`${given} needs ${missing} too: together they name the server to join`);
  }
  if (host === undefined || port === undefined) return join;
  return [...join ?? [], endpointText({ host, port })];
}

function refuseFlags(values: object, allowed: readonly string[], command: string): void {
  const [name] = Object.keys(values).filter((name) => !allowed.includes(name));
  if (name !== undefined) throw new UsageError(`--${name} means nothing to ${command}`);
}
