/**
 * The heartbeat of a real server that is kept busy, by who attacks it and by who uses it: whoever is silent is found,
 * within twice the bound, and nobody who answers is. Others on the machine slow down all that is measured, so what is
 * waited for is that all silent ones are gone; how late that is, is told in the times of the server's own log.
 */

import { assert, assertEquals } from "@std/assert";
import { connect, type Socket } from "node:net";
import { processorMs } from "../../bench/load/process_stats.ts";
import { type LoadReport, READERS } from "../support/honest_load.ts";
import { Program, startServer } from "../support/program.ts";
import { eventually } from "../support/until.ts";
import { LOCKED } from "../../tools/locked.ts";

const IDLE_MS = 2_000;
const INTERVAL_MS = 750;
const COUNT = 3;
const BOUND_MS = IDLE_MS + (COUNT + 1) * INTERVAL_MS;
const ANSWERING = 180;
const SILENT = 20;
const PACKET_BYTES = 60_000;
const LOGIN = '{"command":"LOGIN","username":"anonymous","features":["heartbeat"]}\n';
const NEEDLE = '"command":"HEARTBEAT"';

/**
 * What keeps the server busy: each line, as often as fits into a packet, over and over again, from so many connections
 * that take the answers.
 */
const LOADS: readonly (readonly [what: string, line: string])[] = [
  ["packets of LIST_USERS", '{"command":"LIST_USERS","scope":"all"}\n'],
  ["packets of heartbeats", '{"command":"HEARTBEAT","sequence":7}\n'],
];
const ATTACKERS = 4;

/** One connection of this process. */
class Talker {
  readonly port: number;
  isClosed = false;
  answered = 0;

  private constructor(readonly socket: Socket, readonly answers: boolean) {
    this.port = socket.localPort!;
    socket.on("close", () => this.isClosed = true);
    socket.on("data", (bytes: Uint8Array) => {
      const text = new TextDecoder("latin1").decode(bytes);
      for (let at = text.indexOf(NEEDLE); answers && at >= 0; at = text.indexOf(NEEDLE, at + 1)) {
        this.answered++;
        socket.write('{"command":"HEARTBEAT_ACK","sequence":1}\n');
      }
    });
  }

  static open(port: number, answers: boolean): Promise<Talker> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: "127.0.0.1", port });
      socket.on("error", reject);
      socket.once("connect", () => {
        socket.write(LOGIN);
        resolve(new Talker(socket, answers));
      });
    });
  }
}

/** Sends packets of `line` for as long as the connection takes them. */
function attack(port: number, line: string): Promise<Socket> {
  const packet = line.repeat(Math.floor(PACKET_BYTES / line.length));
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.on("error", () => {});
    // Answers are thrown away.
    socket.on("data", () => {});
    const goOn = () => {
      while (socket.write(packet));
      socket.once("drain", goOn);
    };
    socket.once("connect", () => {
      socket.write('{"command":"LOGIN","username":"anonymous"}\n');
      goOn();
      resolve(socket);
    });
  });
}

/** The latest that anything happened in this process: who answers late is no client that answers. */
class Lateness implements Disposable {
  worstMs = 0;
  #due = performance.now() + 20;
  readonly #timer = setInterval(() => {
    this.worstMs = Math.max(this.worstMs, performance.now() - this.#due);
    this.#due = performance.now() + 20;
  }, 20);
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/** Whom the server gave up so far, by port, and when. */
function givenUp(server: Program): Map<number, number> {
  const found = new Map<number, number>();
  for (const line of server.errors.split("\n")) {
    if (!line.includes("HEARTBEAT_TIMEOUT")) continue;
    const record = JSON.parse(line);
    const port = /closed by server .*?:(\d+)\)?: /.exec(record.message)?.[1];
    if (port !== undefined) found.set(Number(port), Date.parse(record["@timestamp"]));
  }
  return found;
}

for (const [what, line] of LOADS) {
  Deno.test(`a server that is kept busy by ${what} finds who is silent, and nobody else`, async () => {
    await using server = startServer([
      ...["--no-prompt", "--port", "0", "--ephemeral", "--log-format", "json"],
      ...["--idle", `${IDLE_MS / 1000}`, "--interval", `${INTERVAL_MS / 1000}`, "--heartbeats", `${COUNT}`],
    ]);
    const [, port] = await server.sees(/listening on \S+:(\d+)/);
    const talkers: Talker[] = [];
    for (let n = 0; n < ANSWERING + SILENT; n++) talkers.push(await Talker.open(Number(port), n % 10 !== 0));
    const attackers: Socket[] = [];
    for (let n = 0; n < ATTACKERS; n++) attackers.push(await attack(Number(port), line));
    using late = new Lateness();
    const silent = talkers.filter(({ answers }) => !answers);
    const beganAt = Date.now();
    try {
      const isFound = ({ port, isClosed }: Talker) => isClosed && givenUp(server).has(port);
      await eventually(() => silent.every(isFound), "the end of all that are silent", 120_000);
      const gone = givenUp(server);
      if (late.worstMs > INTERVAL_MS) {
        return console.log("SKIPPED the rest: this machine is too busy to answer in time");
      }
      assertEquals(talkers.filter(({ port, answers }) => answers && gone.has(port)).length, 0);
      assertEquals(talkers.filter(({ answers, isClosed }) => answers && isClosed).length, 0);
      assert(talkers.filter(({ answers }) => answers).every(({ answered }) => answered > 0), "each has been asked");
      // This process and others have the machine too: the bound is that of a server that gets what it asks for.
      const latest = Math.max(...silent.map(({ port }) => gone.get(port)!));
      assert(latest - beganAt <= 4 * BOUND_MS, `found after ${latest - beganAt} ms`);
    } finally {
      for (const { socket } of talkers) socket.destroy();
      for (const socket of attackers) socket.destroy();
    }
  });
}

/**
 * In how much time a server could run, as far as can be told: at full load it has always something to do, so that this
 * is the processor time that it has used.
 */
class RunTime implements Disposable {
  readonly #samples: { readonly wallMs: number; readonly ranMs: number }[] = [];
  readonly #timer: ReturnType<typeof setInterval>;
  #last: { readonly wallMs: number; readonly usedMs: number };
  #ranMs = 0;

  constructor(pid: number) {
    this.#last = { wallMs: Date.now(), usedMs: processorMs(pid) };
    this.#timer = setInterval(() => {
      const now = { wallMs: Date.now(), usedMs: processorMs(pid) };
      // Of several threads more than one may have run.
      this.#ranMs += Math.min(now.wallMs - this.#last.wallMs, now.usedMs - this.#last.usedMs);
      this.#last = now;
      this.#samples.push({ wallMs: now.wallMs, ranMs: this.#ranMs });
    }, 50);
  }

  /** Milliseconds up to the moment `wallMs`, with the time of a sample to spare. */
  at(wallMs: number): number {
    return this.#samples.findLast((sample) => sample.wallMs <= wallMs)?.ranMs ?? 0;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/** Longer than those above: with 200 readers in one process a heartbeat stands behind much. */
const LOADED = { idleMs: 4_000, intervalMs: 1_500, count: 3 };
const LOADED_BOUND_MS = LOADED.idleMs + (LOADED.count + 1) * LOADED.intervalMs;

/** The newest report of the load, as far as it has come whole. */
function reportOf(load: Program): LoadReport | undefined {
  const line = load.output.split("\n").findLast((line) => line.startsWith("{") && line.endsWith("}"));
  return line === undefined ? undefined : JSON.parse(line);
}

Deno.test({
  name: "a server at full load of publishers and readers that answer finds who is silent, and nobody else",
  // Elsewhere nobody tells what processor time another process has used.
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    await using server = startServer([
      ...["--no-prompt", "--port", "0", "--ephemeral", "--log-format", "json"],
      ...["--idle", `${LOADED.idleMs / 1000}`, "--interval", `${LOADED.intervalMs / 1000}`],
      ...["--heartbeats", `${LOADED.count}`],
    ]);
    const [, port] = await server.sees(/listening on \S+:(\d+)/);
    const generator = new URL("../support/honest_load.ts", import.meta.url).pathname;
    await using load = new Program([Deno.execPath(), "run", LOCKED, "-A", "--no-check", generator], [port!], {});
    using runTime = new RunTime(server.pid);
    await eventually(() => reportOf(load)?.isComplete === true, () => `the load: ${load.errors}`, 120_000);
    const beganAt = Date.now();
    const { received, silentPorts } = reportOf(load)!;
    const isOver = () => silentPorts.every((port) => givenUp(server).has(port));
    await eventually(isOver, () => `the end of all that are silent: ${givenUp(server).size} were given up`, 120_000);
    const latestAt = Math.max(...silentPorts.map((port) => givenUp(server).get(port)!));
    // Each has been asked then, and is found here if that went wrong.
    await eventually(() => reportOf(load)!.answering === READERS, "an answer of each reader", 120_000);
    const report = reportOf(load)!;
    assert(report.received > received, "nothing is sent: that is no load");
    const ranMs = runTime.at(latestAt) - runTime.at(beganAt);
    assert(ranMs <= 2 * LOADED_BOUND_MS, `found after ${ranMs} ms in which the server ran`);
    if (report.worstLateMs > LOADED.intervalMs) {
      return console.log("SKIPPED the rest: this machine is too busy for clients to answer in time");
    }
    assertEquals([givenUp(server).size, report.closed], [silentPorts.length, 0]);
  },
});
