/**
 * A server as a process that is watched from outside: its system calls by strace, its statements and its memory by what
 * `_counting.ts` writes. And clients that put turns of a known size on it.
 */

import net from "node:net";
import { LineCounter, MarkedLineCounter } from "../../bench/load/counters.ts";
import { LOCKED } from "../../tools/locked.ts";
import { eventually } from "../support/until.ts";

/** What the server's process has done since its start. */
export interface Counts {
  readonly statements: number;
  readonly heapUsed: number;
  readonly external: number;
}

/** Calls of one kind, and the bytes that they returned all together. */
export interface Calls {
  readonly count: number;
  readonly bytes: number;
}

/** What the calls of a trace were about. */
export type Subject = "sent" | "received" | "logged" | "settled" | "read from files" | "synced" | "waited";

/**
 * What strace saw, by subject: what was written to the log, and to the database that is settled behind it. Calls that
 * move nothing in or out are left out: a wake-up between two threads.
 */
export type Trace = Readonly<Record<Subject, Calls>>;

const SENDING = ["sendto", "sendmsg", "sendmmsg", "write", "writev", "pwrite64", "pwritev", "pwritev2"];
const RECEIVING = ["recvfrom", "recvmsg", "read", "readv", "pread64", "preadv", "preadv2"];
const WAITING = ["epoll_wait", "epoll_pwait", "epoll_pwait2"];
const SYNCING = ["fsync", "fdatasync", "sync_file_range"];
const TRACED = [...SENDING, ...RECEIVING, ...WAITING, ...SYNCING];

/** Why strace cannot watch a process here; `undefined` where it can. */
export const NO_STRACE: string | undefined = findStrace();

/** A server from its source. `await using` ends it. */
export class GuardedServer implements AsyncDisposable {
  readonly port: number;
  readonly #child: Deno.ChildProcess;
  readonly #folder: string;
  readonly #output: { text: string };
  readonly #reading: Promise<unknown>;
  #answered = 0;

  private constructor(
    port: number,
    child: Deno.ChildProcess,
    folder: string,
    output: { text: string },
    reading: Promise<unknown>,
  ) {
    this.port = port;
    this.#child = child;
    this.#folder = folder;
    this.#output = output;
    this.#reading = reading;
  }

  static async start(): Promise<GuardedServer> {
    const folder = await Deno.makeTempDir({ prefix: "thrum-guard-" });
    const path = (file: string) => new URL(file, import.meta.url).pathname;
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        ...[
          "run",
          LOCKED,
          "-A",
          "--quiet",
          "--preload",
          path("./_counting.ts"),
          path("../../server.ts"),
          "--no-prompt",
        ],
        ...["--port", "0", "--data", `${folder}/data`, "--log-level", "error"],
      ],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const output = { text: "" };
    const reading = Promise.all([child.stdout, child.stderr].map(async (stream) => {
      for await (const text of stream.pipeThrough(new TextDecoderStream())) output.text += text;
    }));
    let port: string | undefined;
    await eventually(() => {
      port = /listening on \S*:(\d+)\s/i.exec(output.text)?.[1];
      return port !== undefined;
    }, () => `the server listens; it has said ${output.text}`);
    return new GuardedServer(Number(port), child, folder, output, reading);
  }

  /** What it has done so far. */
  async counts(): Promise<Counts> {
    this.#child.kill("SIGUSR2");
    const wanted = ++this.#answered;
    const lines = () => [...this.#output.text.matchAll(/^counts (.*)$/gm)];
    await eventually(() => lines().length >= wanted, "the server says its counts");
    return JSON.parse(lines()[wanted - 1]![1]!);
  }

  /** The system calls of all its threads while `work` goes on. */
  async traced(work: () => Promise<void>): Promise<Trace> {
    const file = `${this.#folder}/trace`;
    const strace = new Deno.Command("strace", {
      args: [
        "-f",
        "-yy",
        "-qq",
        "-s",
        "0",
        "-e",
        `trace=${TRACED.join(",")}`,
        "-o",
        file,
        "-p",
        String(this.#child.pid),
      ],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const tracer = () => /^TracerPid:\s+(\d+)/m.exec(Deno.readTextFileSync(`/proc/${this.#child.pid}/status`))![1];
    try {
      await eventually(() => tracer() === String(strace.pid), "strace watches the server");
      await work();
    } finally {
      // Not SIGTERM: with SIGINT it lets the server go before it ends.
      strace.kill("SIGINT");
      await strace.status;
    }
    return traceOf(await Deno.readTextFile(file));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#child.status;
    await this.#reading;
    await Deno.remove(this.#folder, { recursive: true });
  }
}

/** What a trace of `strace -f -yy` holds. A call during which another thread is seen is two lines. */
export function traceOf(text: string): Trace {
  const none = { count: 0, bytes: 0 };
  const trace: Record<Subject, Calls> = {
    ...{ "sent": none, "received": none, "logged": none, "settled": none, "read from files": none },
    ...{ "synced": none, "waited": none },
  };
  const unfinished = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [, thread, call] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    if (thread === undefined) continue;
    if (call!.endsWith("<unfinished ...>")) unfinished.set(thread, call!);
    const whole = call!.startsWith("<... ") ? unfinished.get(thread) + call! : call!;
    const [, name, descriptor] = /^(\w+)\(\d+<(.*?)[>,]/.exec(whole) ?? [];
    const returned = / = (-?\d+)/.exec(call!)?.[1];
    const subject = name === undefined ? undefined : subjectOf(name, descriptor!);
    if (returned === undefined || subject === undefined) continue;
    const { count, bytes } = trace[subject];
    trace[subject] = { count: count + 1, bytes: bytes + Math.max(0, Number(returned)) };
  }
  return trace;
}

function subjectOf(name: string, descriptor: string): Subject | undefined {
  const isFile = descriptor.startsWith("/");
  const isSocket = /^(TCP|UNIX|socket)/.test(descriptor);
  // Deno has caches of its own, which it writes when it likes.
  if (isFile && !descriptor.includes("/data/")) return undefined;
  if (WAITING.includes(name)) return "waited";
  if (SYNCING.includes(name)) return "synced";
  if (SENDING.includes(name) && isFile) return descriptor.includes(".sqlite") ? "settled" : "logged";
  if (SENDING.includes(name)) return isSocket ? "sent" : undefined;
  return isFile ? "read from files" : isSocket ? "received" : undefined;
}

/** A publisher and subscribers, who do one turn after the other. */
export class Turns implements AsyncDisposable {
  readonly #sockets: net.Socket[];
  readonly #state: { deliveries: number; answers: number; deliveredBytes: number };
  #published = 0;
  #isAcked: boolean;

  private constructor(
    sockets: net.Socket[],
    state: { deliveries: number; answers: number; deliveredBytes: number },
    isAcked: boolean,
  ) {
    this.#sockets = sockets;
    this.#state = state;
    this.#isAcked = isAcked;
  }

  /** `subscribers` plain clients, of which the first publishes; or one publisher that gets answers and nothing else. */
  static async start(port: number, subscribers: number | "acknowledged"): Promise<Turns> {
    const state = { deliveries: 0, answers: 0, deliveredBytes: 0 };
    const isAcked = subscribers === "acknowledged";
    const login = isAcked ? { features: ["ack"], receive: "none", ackRanges: true } : {};
    const sockets: net.Socket[] = [];
    for (let index = 0; index < (isAcked ? 1 : subscribers); index++) {
      const socket = net.connect({ host: "127.0.0.1", port });
      socket.setNoDelay(true);
      let isIn = false;
      const counter = isAcked ? new MarkedLineCounter('{"command":"ACTIVITY_ACK"') : new LineCounter();
      socket.on("data", (bytes) => {
        if (!isIn) isIn = true;
        else {
          const count = counter.push(bytes);
          if (isAcked) state.answers += count;
          else state.deliveries += count;
          state.deliveredBytes += bytes.length;
        }
      });
      socket.on("error", () => {/* "close" follows. */});
      socket.write(JSON.stringify({ command: "LOGIN", username: "anonymous", ...login }) + "\n");
      await eventually(() => isIn, "a login is answered");
      sockets.push(socket);
    }
    return new Turns(sockets, state, isAcked);
  }

  /** Bytes that all subscribers got. */
  get deliveredBytes(): number {
    return this.#state.deliveredBytes;
  }

  /** Publishes `turns` times `each` activities of 200 bytes in one packet, and waits for what follows each time. */
  async run(turns: number, each: number): Promise<void> {
    for (let turn = 0; turn < turns; turn++) {
      const lines = Array.from({ length: each }, (_, index) => this.#line(index));
      this.#published += each;
      this.#sockets[0]!.write(lines.join(""));
      const { promise, resolve } = Promise.withResolvers<void>();
      const look = () => this.#isDone() ? resolve() : void setTimeout(look, 0);
      look();
      await promise;
    }
  }

  #isDone(): boolean {
    const { answers, deliveries } = this.#state;
    return this.#isAcked ? answers >= this.#published : deliveries >= this.#published * this.#sockets.length;
  }

  #line(index: number): string {
    const activity = { text: "we look at what an activity costs ".repeat(6).slice(0, 189) };
    const id = this.#isAcked ? { messageId: `guard-${this.#published + index}` } : {};
    return JSON.stringify({ command: "ACTIVITY_MESSAGE", username: "anonymous", secret: null, ...id, activity }) + "\n";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = this.#sockets.map((socket) => new Promise((resolve) => socket.on("close", resolve)));
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(closed);
  }
}

/** Tries strace on a process of its own: it may be missing, or not be allowed to watch anybody. */
function findStrace(): string | undefined {
  if (Deno.build.os !== "linux") return "strace is a program of Linux";
  try {
    const { success, stderr } = new Deno.Command("strace", { args: ["-o", "/dev/null", "true"] }).outputSync();
    return success ? undefined : `strace does not work here: ${new TextDecoder().decode(stderr).trim()}`;
  } catch (error) {
    return `strace cannot be started: ${(error as Error).message}`;
  }
}
