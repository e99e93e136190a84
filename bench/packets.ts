/**
 * What one packet of each command costs everybody else: the longest time for which the event loop of a server looked at
 * nothing else while it took 64 KiB of it, and how long all of it took.
 * `deno run -A bench/packets.ts [--accounts N] [--entries N] [--only TEXT] [--runs N] [--folder FOLDER] [--bytes N]`
 */

import { delay } from "@std/async/delay";
import { parseArgs } from "@std/cli/parse-args";
import { serve } from "../mod.ts";
import { encodeBroadcast } from "../protocol/server_codec.ts";
import { fillFolder, originName, RECEIVER, SECRET, userName } from "./packet_folder.ts";
import { GRPC_PACKETS, LAST_PING } from "./packet_grpc.ts";
import { olderLines } from "./packet_older.ts";
import type { PacketJob } from "./packet_sender.ts";

const ORIGINS = 1_000;
const NETWORK_SECRET = "network";
const NEVER = "\0";
/** After the packet; its answer says that everything before it was taken. */
const LAST = { command: "HEARTBEAT", sequence: 987654321 };
const LAST_ANSWER = "987654321";

type Line = Readonly<Record<string, unknown>>;

interface Case {
  readonly name: string;
  readonly first?: readonly Line[];
  readonly firstAnswer?: string;
  /** The packet has as many as fit, at least one. */
  line(number: number): Line | string;
  /** Not more than so many. */
  readonly most?: number;
  readonly last?: Line | string;
  /** Where it goes; over TCP when absent. */
  readonly door?: "http" | "grpc";
  readonly lastAnswer?: string;
  /** Made otherwise than of lines. */
  readonly packet?: (bytes: number) => { readonly packet: Uint8Array<ArrayBuffer>; readonly count: number };
  /** What it sets off comes so much later: the longest turn is looked for until then. */
  readonly settleMs?: number;
}

const ANONYMOUS = { command: "LOGIN", username: "anonymous", features: ["ack", "resume", "chat", "presence"] };
const NAMED = { command: "LOGIN", username: userName(2), secret: SECRET, features: ["ack", "chat"] };
const RECEIVERS = { command: "LOGIN", username: RECEIVER, secret: SECRET, features: ["ack", "chat"] };
const HUGE_VECTOR = Object.fromEntries(Array.from({ length: ORIGINS }, (_, number) => [originName(number), 1]));
const PEER = {
  ...{ command: "AUTHENTICATE", secret: NETWORK_SECRET, serverId: "s-aaaaaaaaaaaa", host: "127.0.0.1", port: 9 },
  ...{ vector: {}, lamport: 1, features: ["thrum/1"] },
};
const OLDER = { command: "AUTHENTICATE", serverId: "o-1", secret: NETWORK_SECRET, host: "localhost", port: 9 };
/** Its activities are put in order for a second, and accounts are derived. */
const OLDER_SETTLE_MS = 1_500;
const GRPC_SETTLE_MS = 300;

function client(name: string, line: Case["line"], more: Partial<Case> = {}): Case {
  return { name, first: [ANONYMOUS], firstAnswer: "LOGIN_SUCCESS", line, last: LAST, lastAnswer: LAST_ANSWER, ...more };
}

function named(name: string, line: Case["line"], more: Partial<Case> = {}): Case {
  return client(name, line, { first: [NAMED], firstAnswer: "CAUGHT_UP", ...more });
}

function peer(name: string, line: Case["line"], more: Partial<Case> = {}): Case {
  return client(name, line, { first: [PEER], firstAnswer: "AUTHENTICATION_SUCC", ...more });
}

/** A server of the older dialect. */
function older(name: string, { line, most }: ReturnType<typeof olderLines>[string]): Case {
  return {
    ...{ name: `older server: ${name}`, first: [OLDER], firstAnswer: "AUTHENTICATION_SUCC", line },
    // Nobody can have an empty secret, so it is denied at once.
    ...{ last: { command: "LOCK_REQUEST", username: "the-last-name", secret: "" }, lastAnswer: "the-last-name" },
    ...(most === undefined ? {} : { most }),
    settleMs: OLDER_SETTLE_MS,
  };
}

function grpc(name: string, packet: NonNullable<Case["packet"]>): Case {
  return { name, line: () => "", packet, door: "grpc", lastAnswer: LAST_PING, settleMs: GRPC_SETTLE_MS };
}

/** A body in the smallest pieces that there are. */
function chunked(path: string): Case {
  const head = `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r`;
  const last = "0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r";
  const line = (n: number) => n === 0 ? head : "1\r\nx\r";
  return { name: `HTTP: POST ${path} in chunks of one byte`, line, last, lastAnswer: NEVER, door: "http" };
}

function http(path: string): Case {
  const get = (path: string, more = "") => `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${more}\r`;
  const last = get("/healthz", "Connection: close\r\n");
  return { name: `HTTP: GET ${path}`, line: () => get(path), last, lastAnswer: NEVER, door: "http" };
}

/** Lines of an entry of a peer. */
function entry(number: number): string {
  const origin = "s-aaaaaaaaaaaa";
  const facts = { origin, sequence: number, lamport: 1, sentAt: 1, messageId: `e-${number}`, after: undefined };
  const header = {
    command: "ENTRIES",
    origin,
    first: number,
    last: number,
    after: number - 1,
    to: "everyone",
    lamport: 1,
  };
  return `${JSON.stringify(header)}\n${encodeBroadcast({ ...facts, activity: "{}", quotedUsername: '"x"' })}`.trimEnd();
}

const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;

const CASES: readonly Case[] = [
  client("LIST_USERS all", () => ({ command: "LIST_USERS", scope: "all" })),
  client("LIST_USERS online", () => ({ command: "LIST_USERS", scope: "online" })),
  client("HISTORY of 20", () => ({ command: "HISTORY", limit: 20 })),
  client("HISTORY of 500", () => ({ command: "HISTORY", limit: 500 })),
  client(
    "HISTORY of 500, from the disk",
    (n) => ({ command: "HISTORY", limit: 500, before: `${originName(n % ORIGINS)}:1` }),
  ),
  client("HISTORY since a time when everything is older", () => ({ command: "HISTORY", since: 8_000_000_000_000 })),
  client("HEARTBEAT", (sequence) => ({ command: "HEARTBEAT", sequence })),
  client("HEARTBEAT_ACK", (sequence) => ({ command: "HEARTBEAT_ACK", sequence })),
  client("ACTIVITY_MESSAGE, small", (n) => ({ command: "ACTIVITY_MESSAGE", activity: { n } })),
  client(
    "ACTIVITY_MESSAGE with messageId",
    (n) => ({ command: "ACTIVITY_MESSAGE", messageId: `p-${n}`, activity: { n } }),
  ),
  client("ACTIVITY_MESSAGE, one messageId", () => ({ command: "ACTIVITY_MESSAGE", messageId: "p", activity: {} })),
  client("ACTIVITY_MESSAGE, nested 64 deep", () => `{"command":"ACTIVITY_MESSAGE","activity":${nested(64)}}`),
  client(
    "ACTIVITY_MESSAGE, one of 64 kB",
    () => ({ command: "ACTIVITY_MESSAGE", activity: { a: "x".repeat(65_400) } }),
  ),
  client(
    "ACTIVITY_MESSAGE, 64 kB of keys",
    () => `{"command":"ACTIVITY_MESSAGE","activity":{${Array.from({ length: 9_000 }, (_, n) => `"${n}":1`).join()}}}`,
  ),
  named("ACTIVITY_MESSAGE with secret", (n) => ({
    ...{ command: "ACTIVITY_MESSAGE", username: userName(2), secret: SECRET, activity: { n } },
  })),
  named(
    "DIRECT_MESSAGE to nobody",
    (n) => ({ command: "DIRECT_MESSAGE", to: `nobody ${n}`, text: "x", messageId: `d-${n}` }),
  ),
  named(
    "DIRECT_MESSAGE to all",
    (n) => ({ command: "DIRECT_MESSAGE", to: userName(n + 10), text: "x", messageId: `e-${n}` }),
  ),
  named(
    "DIRECT_MESSAGE to a full inbox",
    (n) => ({ command: "DIRECT_MESSAGE", to: RECEIVER, text: "x", messageId: `f-${n}` }),
  ),
  named("ACK of one origin", (n) => ({ command: "ACK", vector: { [originName(n % ORIGINS)]: n } })),
  named("ACK of 1,000 origins", () => ({ command: "ACK", vector: HUGE_VECTOR })),
  client("LOGIN with nothing to take back", () => ({ ...ANONYMOUS, resume: { vector: {} } }), {
    ...{ first: [], most: 1, lastAnswer: "CAUGHT_UP" },
  }),
  client("LOGIN with a vector of 1,000 origins", () => ({ ...ANONYMOUS, resume: { vector: HUGE_VECTOR } }), {
    ...{ first: [], most: 1, lastAnswer: "CAUGHT_UP" },
  }),
  client("LOGIN with a vector of 1,000 strangers", () => ({
    ...ANONYMOUS,
    resume: { vector: Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`s-${n}-not-known`, 1])) },
  }), { first: [], most: 1, lastAnswer: "CAUGHT_UP" }),
  client("LOGIN for whom 9,900 wait", () => RECEIVERS, { first: [], most: 1, lastAnswer: "CAUGHT_UP" }),
  client("ACK of 9,900 that waited", () => ({ command: "ACK", vector: { "s-ffffffffffff": 10_000_000 } }), {
    ...{ first: [RECEIVERS], firstAnswer: "CAUGHT_UP" },
  }),
  client("LOGIN, wrong secret", () => ({ ...NAMED, secret: "wrong" }), { first: [], lastAnswer: NEVER }),
  client("REGISTER", (n) => ({ command: "REGISTER", username: `new-${n}`, secret: "s" }), {
    first: [],
    lastAnswer: NEVER,
  }),
  client("AUTHENTICATE, wrong secret", () => ({ ...PEER, secret: "wrong" }), { first: [], lastAnswer: NEVER }),
  client("empty lines", () => "", { lastAnswer: NEVER }),
  client("no JSON", () => "x".repeat(60), { lastAnswer: NEVER }),
  peer("peer: HEARTBEAT", (sequence) => ({ command: "HEARTBEAT", sequence: 2 * sequence })),
  peer("peer: WANT of nothing", () => ({ command: "WANT", vector: {} })),
  peer("peer: WANT of one origin", (n) => ({ command: "WANT", vector: { [originName(n % ORIGINS)]: 1_000_000 } })),
  peer(
    "peer: WANT of one origin from its beginning",
    (n) => ({ command: "WANT", vector: { [originName(n % ORIGINS)]: 0 } }),
  ),
  peer("peer: WANT of 1,000 origins", () => ({ command: "WANT", vector: HUGE_VECTOR })),
  peer("peer: HAVE", (n) => ({ command: "HAVE", vector: { "s-ffffffffffff": n } })),
  peer("peer: HAVE of 1,000 origins", () => ({ command: "HAVE", vector: HUGE_VECTOR })),
  peer("peer: ENTRIES", (n) => entry(n + 1)),
  peer(
    "peer: LOCK_REQUEST",
    (n) => ({ command: "LOCK_REQUEST", username: `l-${n}`, lamport: 1, origin: "s-aaaaaaaaaaaa" }),
  ),
  peer(
    "peer: LOCK_RELEASE",
    (n) => ({ command: "LOCK_RELEASE", username: `l-${n}`, lamport: 1, origin: "s-aaaaaaaaaaaa" }),
  ),
  peer("peer: ONLINE of 5,000", () => ({
    ...{ command: "ONLINE", users: Array.from({ length: 5_000 }, (_, n) => userName(n)) },
  })),
  peer("peer: ONLINE of none and of 1,000 by turns", (n) => ({
    ...{ command: "ONLINE", users: n % 2 === 0 ? [] : Array.from({ length: 1_000 }, (_, m) => userName(m)) },
  })),
  peer(
    "peer: ONLINE_CHANGE joined",
    (n) => ({ command: "ONLINE_CHANGE", username: userName(n), event: "joined", lamport: 1 }),
  ),
  peer(
    "peer: ONLINE_CHANGE lost",
    (n) => ({ command: "ONLINE_CHANGE", username: userName(n), event: "lost", lamport: 1 }),
  ),
  peer("peer: SERVER_ANNOUNCE", () => announce({})),
  peer("peer: SERVER_ANNOUNCE with 400 members", () =>
    announce({
      members: Array.from({ length: 400 }, (_, n) => {
        return { serverId: originName(n), host: "127.0.0.1", port: 9, load: 0, weight: 1 };
      }),
    })),
  peer("peer: SERVER_ANNOUNCE with 1,000 origins", () => announce({ vector: HUGE_VECTOR })),
  peer("peer: OBSERVE", (n) => ({ command: "OBSERVE", active: n % 2 === 0 })),
  peer(
    "peer: OBSERVED",
    (n) => ({ command: "OBSERVED", reset: false, patch: { a: { [`b${n}`]: 1 } }, ends: [], events: [] }),
  ),
  ...["/healthz", "/metrics", "/api/network", "/api/diagram.svg", "/api/session", "/", "/nothing"].map(http),
  chunked("/api/session"),
  ...Object.entries(GRPC_PACKETS).map(([name, packet]) => grpc(name, packet)),
  ...Object.entries(olderLines(Date.now() - 60_000)).map(([name, lines]) => older(name, lines)),
];

function announce(more: Line): Line {
  return {
    ...{ command: "SERVER_ANNOUNCE", serverId: "s-aaaaaaaaaaaa", host: "127.0.0.1", port: 9, load: 0, weight: 1 },
    ...{ online: true, ticketKey: "", vector: {}, lamport: 1, members: [], version: "", startedAt: 0, http: "" },
    ...more,
  };
}

/** How long the event loop looked at nothing else. */
class Gaps {
  worstMs = 0;
  #last = performance.now();
  #timer: ReturnType<typeof setTimeout> | undefined;

  begin(): void {
    this.worstMs = 0;
    this.#last = performance.now();
    this.#tick();
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #tick(): void {
    const now = performance.now();
    this.worstMs = Math.max(this.worstMs, now - this.#last);
    this.#last = now;
    this.#timer = setTimeout(() => this.#tick(), 0);
  }
}

function packetOf({ line, most = Infinity, last, packet }: Case): { packet: PacketJob["packet"]; lines: number } {
  if (packet !== undefined) {
    const made = packet(packetBytes);
    return { packet: made.packet, lines: made.count };
  }
  const lines: string[] = [];
  let size = 0;
  for (let number = 0; lines.length < most; number++) {
    const one = line(number);
    const text = typeof one === "string" ? one : JSON.stringify(one);
    if (lines.length > 0 && size + text.length + 1 > packetBytes) break;
    lines.push(text);
    size += text.length + 1;
  }
  const all = last === undefined ? lines : [...lines, typeof last === "string" ? last : JSON.stringify(last)];
  return { packet: all.map((text) => `${text}\n`).join(""), lines: lines.length };
}

async function measure(port: number, one: Case): Promise<{ worstMs: number; tookMs: number; lines: number }> {
  const { packet, lines } = packetOf(one);
  const job: PacketJob = {
    ...{
      port,
      packet,
      first: (one.first ?? []).map((line) => JSON.stringify(line)),
      firstAnswer: one.firstAnswer ?? "",
    },
    lastAnswer: one.lastAnswer ?? "",
  };
  const worker = new Worker(new URL("./packet_sender.ts", import.meta.url), { type: "module" });
  const gaps = new Gaps();
  let beganMs = 0;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, 60_000);
    worker.onmessage = ({ data }) => {
      if (data === "done") {
        clearTimeout(timer);
        resolve();
      } else if (data.isReady) {
        beganMs = performance.now();
        gaps.begin();
        worker.postMessage("go");
      } else console.error(`${one.name}: it could not begin`);
    };
    worker.postMessage(job);
  });
  const tookMs = performance.now() - beganMs;
  if (one.settleMs !== undefined) await delay(one.settleMs);
  gaps.end();
  worker.terminate();
  return { worstMs: gaps.worstMs, tookMs, lines };
}

const flags = parseArgs(Deno.args, {
  string: ["accounts", "entries", "only", "folder", "runs", "bytes"],
  default: { accounts: "10000", entries: "300000", only: "", runs: "3", bytes: "65536" },
});
const packetBytes = Number(flags.bytes);
const folder = await Deno.makeTempDir({ prefix: "thrum-packets-" });
const filled = flags.folder === undefined ? folder : String(flags.folder);
if (!await exists(`${filled}/thrum.sqlite`)) {
  const sizes = { accounts: Number(flags.accounts), entries: Number(flags.entries), origins: ORIGINS, waiting: 9_900 };
  await fillFolder(filled, sizes);
}
if (filled !== folder) {
  for await (const { name } of Deno.readDir(filled)) await Deno.copyFile(`${filled}/${name}`, `${folder}/${name}`);
}
const server = await serve(
  {
    server: { host: "127.0.0.1", port: 0 },
    store: { data: folder },
    gateway: { http: { listen: "127.0.0.1:0" }, grpc: { listen: "127.0.0.1:0" } },
    cluster: { secret: NETWORK_SECRET, olderDialect: true },
  } as Parameters<typeof serve>[0],
);
try {
  console.log("| a packet of | lines | longest turn, ms | all of it, ms |\n|---|--:|--:|--:|");
  for (const one of CASES.filter(({ name }) => name.includes(String(flags.only)))) {
    // The best of several, as others may have the machine as well.
    const runs = [];
    for (let run = 0; run < Number(flags.runs); run++) {
      const { port } = one.door === undefined ? server : server[one.door]!;
      runs.push(await measure(port, one));
    }
    const worstMs = Math.min(...runs.map((run) => run.worstMs));
    const tookMs = Math.min(...runs.map((run) => run.tookMs));
    const { lines } = runs[0]!;
    console.log(`| ${one.name} | ${lines} | ${worstMs.toFixed(0)} | ${tookMs.toFixed(0)} |`);
  }
} finally {
  await server.close();
  await Deno.remove(folder, { recursive: true });
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
