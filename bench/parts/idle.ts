/** Connections that are only there: what memory they take, in program and kernel, and what processor time. */

import { delay } from "@std/async/delay";
import { labelColumn, medianColumn, SERVER_COLUMN, spreadColumns, tableOf, versusColumn } from "../figures/columns.ts";
import { configuredThrum, type Contender, type Family, thrumServer, tlsThrum } from "../contenders.ts";
import { atServer, hold } from "../generate.ts";
import { kernelSocketBytes, residentBytes, threadsMs } from "../load/process_stats.ts";
import { type Bench, type Figures, type Measured, type Part, picture, type Running, startAll } from "../part.ts";
import { linesOf } from "../figures/plot.ts";
import { denoRun } from "../start_server.ts";
import { whole } from "../figures/table.ts";

const CONNECTIONS = 9_000;
const CONNECTIONS_BRIEF = 200;
/** The server's heap comes to rest. */
const SETTLE_MS = 1_500;
/** A server that is asked for it collects its garbage at once. */
const COLLECT_MS = 1_000;
const MS_PER_S = 1_000;
/** As thrum's defaults: each connection is asked once in such a window. */
const IDLE_MS = 30_000;
/** For the growth: more questions in less time. */
const QUICK_HEARTBEATS = { idleTimeoutMs: 2_000, intervalMs: 600, count: 3 };
const GROWING = [100, 300, 1_000, 3_000, 9_000];

const kilobytes = (bytes: number) => (bytes / 1e3).toFixed(1);
const before = ({ idleBytes }: Figures) => idleBytes;
const collected = ({ collectedBytes }: Figures) => collectedBytes;

/** Memory: a fresh server each time, as one that had connections once keeps memory for others. */
export const memory: Part = {
  name: "memory",
  measure: async (bench) => {
    const families = ["stored", "ephemeral", "nats", "redis", "bare"] as const;
    return { measured: await memoryRounds(bench, "memory", families) };
  },
  tables: ({ measured }) => [
    tableOf(
      `Memory: ${
        measured[0]?.label
      } idle connections, logged in; to thrum with heartbeat, ack and resume; kB per connection`,
      [SERVER_COLUMN],
      [
        medianColumn("server without, MB", ({ withoutBytes }) => withoutBytes, (bytes) => (bytes / 1e6).toFixed(1)),
        ...spreadColumns("in the program", before, kilobytes),
        ...spreadColumns("after a collection", collected, kilobytes),
        medianColumn("in the kernel", ({ kernelBytes }) => kernelBytes, kilobytes),
        versusColumn("vs nats", before, "nats"),
        versusColumn("vs redis", before, "redis"),
      ],
      measured,
      [
        "In the program: growth of the server's resident memory. In the kernel: half the growth of the machine's slab " +
        "and TCP memory, as both ends of each connection are on it.",
      ],
    ),
  ],
};

/** Processor time of idle connections that are supervised. */
export const idle: Part = {
  name: "idle",
  measure: async (bench) => {
    const { thrum } = bench.programs;
    const usual = thrumServer("stored", "thrum, default heartbeats", thrum, (folder) => ["--data", `${folder}/data`]);
    const quick = configuredThrum("stored", "thrum, heartbeats each 2 s", thrum, { heartbeat: QUICK_HEARTBEATS });
    const measured: Measured[] = [];
    for (const connections of bench.isBrief ? [50, 100] : GROWING) {
      measured.push(...await idleRounds(bench, quick, connections, QUICK_HEARTBEATS.idleTimeoutMs));
    }
    if (!bench.isBrief) measured.push(...await idleRounds(bench, usual, CONNECTIONS, IDLE_MS));
    return { measured };
  },
  tables: ({ measured }) => [
    tableOf(
      "Idle: processor time of the server for connections that it supervises with heartbeats, and that do nothing else",
      [labelColumn("connections"), SERVER_COLUMN],
      [
        ...spreadColumns("µs per connection and second", perConnection),
        medianColumn("µs per heartbeat", perHeartbeat),
        medianColumn("server cores", ({ serverCores }) => serverCores, (cores) => cores.toFixed(3)),
      ],
      measured,
    ),
  ],
  pictures: ({ measured }) => [picture("bench-heartbeats.svg", {
    title: "Heartbeats over connections",
    x: { label: "connections", isLog: true },
    panels: [{
      y: { label: "server processor, µs per heartbeat", isLog: false },
      lines: linesOf(measured.filter(({ name }) => name.includes("each 2 s")), perHeartbeat),
    }],
  })],
};

const perConnection = ({ serverCores, connections }: Figures) =>
  serverCores === undefined || connections === undefined ? undefined : serverCores / connections * 1e6;
const perHeartbeat = ({ serverCores, connections, idleMs }: Figures) =>
  serverCores === undefined || connections === undefined || idleMs === undefined
    ? undefined
    : serverCores / connections * 1e6 * idleMs / MS_PER_S;

/** What idle connections take at each contender of `families`. */
export async function memoryRounds(bench: Bench, part: string, families: readonly Family[]): Promise<Measured[]> {
  const connections = bench.isBrief ? CONNECTIONS_BRIEF : CONNECTIONS;
  const contenders = bench.contenders.map((each) => collecting(bench, each));
  const rows = new Map<string, Measured & { rounds: (Figures | null)[] }>();
  for (let round = 1; round <= bench.rounds; round++) {
    for (const family of families) {
      for (const contender of contenders.filter((each) => each.family === family)) {
        bench.onProgress(`${part} · round ${round} of ${bench.rounds} · ${contender.name}`);
        const row = rows.get(contender.name) ??
          { label: whole(connections), at: connections, family, name: contender.name, rounds: [] };
        rows.set(contender.name, row);
        for (const running of await startAll({ ...bench, contenders: [contender] }, [family])) {
          row.rounds.push(await memoryOf(bench, running, connections));
        }
        await bench.children.stop();
      }
    }
  }
  return [...rows.values()];
}

/** Memory that `connections` idle ones take at a server that has just been started. */
async function memoryOf(bench: Bench, running: Running, connections: number): Promise<Figures | null> {
  const { process } = running.server;
  const settleMs = bench.isBrief ? 300 : SETTLE_MS;
  const canCollect = running.contender.name.startsWith("thrum") && bench.programs.thrum.length > 1;
  // Another one, as a server that has collected its garbage before would grow in another way.
  const empty = canCollect ? await running.contender.start(bench.children, await bench.children.folder()) : undefined;
  await delay(settleMs);
  const emptyCollectedBytes = empty === undefined ? NaN : await collectedBytesOf(empty.process);
  const withoutBytes = residentBytes(process.pid);
  const kernelBefore = kernelSocketBytes();
  try {
    const holding = await hold(holdJob(running, connections), bench.generators, bench.children);
    await delay(settleMs);
    const idleBytes = (residentBytes(process.pid) - withoutBytes) / connections;
    const kernelBytes = (kernelSocketBytes() - kernelBefore) / connections / 2;
    const collectedBytes = canCollect
      ? (await collectedBytesOf(process) - emptyCollectedBytes) / connections
      : undefined;
    const held = await holding.end();
    if (held.kind === "failure") throw new Error(held.message);
    return { withoutBytes, idleBytes, kernelBytes, ...(collectedBytes === undefined ? {} : { collectedBytes }) };
  } catch (error) {
    bench.onProblem(`memory · ${running.contender.name}: ${(error as Error).message}; ${running.server.state()}`);
    return null;
  }
}

/** Resident memory after the server has collected its garbage. */
async function collectedBytesOf(process: Deno.ChildProcess): Promise<number> {
  process.kill("SIGUSR2");
  await delay(COLLECT_MS);
  return residentBytes(process.pid);
}

/** Windows in which each connection is asked once; the first begins when all have been asked once. */
async function idleRounds(
  bench: Bench,
  contender: Contender,
  connections: number,
  idleMs: number,
): Promise<Measured[]> {
  const rounds: (Figures | null)[] = [];
  const [running] = await startAll({ ...bench, contenders: [contender] }, [contender.family]);
  if (running === undefined) return [];
  bench.onProgress(`idle · ${connections} connections · ${contender.name}`);
  try {
    const holding = await hold(holdJob(running, connections), bench.generators, bench.children);
    await delay(idleMs);
    for (let round = 1; round <= bench.rounds; round++) {
      const usedMs = threadsMs(running.server.process.pid);
      const startedAt = performance.now();
      await delay(idleMs);
      const serverCores = (threadsMs(running.server.process.pid) - usedMs) / (performance.now() - startedAt);
      rounds.push({ serverCores, connections, idleMs });
    }
    const held = await holding.end();
    if (held.kind === "failure") throw new Error(held.message);
    if (held.questions < connections * bench.rounds) throw new Error(`only ${held.questions} heartbeats came`);
  } catch (error) {
    bench.onProblem(`idle · ${connections} · ${contender.name}: ${(error as Error).message}`);
    rounds.fill(null);
  }
  await bench.children.stop();
  return [{ label: whole(connections), at: connections, family: contender.family, name: contender.name, rounds }];
}

function holdJob({ contender, server }: Running, connections: number) {
  return { kind: "hold" as const, connections, deadlineMs: 900_000, ...atServer(contender.wire, server) };
}

/** `contender` as it is, but thrum from its source collects its garbage when it gets SIGUSR2. */
function collecting({ programs }: Bench, contender: Contender): Contender {
  if (programs.thrum.length === 1) return contender;
  const preload = new URL("../collect_on_signal.ts", import.meta.url).pathname;
  const thrum = denoRun("../server.ts", "--v8-flags=--expose-gc", "--preload", preload);
  switch (contender.family) {
    case "stored":
      return thrumServer("stored", contender.name, thrum, (folder) => ["--data", `${folder}/data`]);
    case "ephemeral":
      return thrumServer("ephemeral", contender.name, thrum, () => ["--ephemeral"]);
    case "tls":
      return tlsThrum(thrum);
    default:
      return contender;
  }
}
