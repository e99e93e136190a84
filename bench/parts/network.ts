/**
 * What is measured of several servers as one network, each on its own and against one server in the same run. The
 * loads are in `bench/load/`, like all others.
 */

import { startThrum } from "../contenders.ts";
import { atServer, runJob } from "../generate.ts";
import { firstLine } from "../load/first_line.ts";
import type { FailoverResult, Job, JobResult, LatencyResult, RateResult } from "../load/job.ts";
import { residentBytes } from "../load/process_stats.ts";
import type { Bench, Load, Part } from "../part.ts";
import type { RunningServer } from "../start_server.ts";
import { median, medianRatio } from "../figures/statistics.ts";
import { short, type Table, times } from "../figures/table.ts";

const perS = (result: RateResult | undefined) => result?.perS;
/** On a machine that does other things as well, this says more than the rate. */
const perCore = (result: RateResult | undefined) => result && result.perS / result.serverCores;

const SERVERS = 3;
const SECRET = "bench";
// Of 200-byte activities on their way, as in `bench/parts/fanout.ts`.
const WINDOW = 512;
const HOST = "127.0.0.1";
const MS_PER_S = 1000;

/** The parts. Their tables are made while they are measured. */
export const NETWORK_PARTS: readonly Part[] = Object.entries({ failover, cluster, catchup, entries }).map((
  [name, measure],
): Part => ({
  name,
  measure: async (bench) => ({ measured: [], tables: [await measure(bench)] }),
  tables: ({ tables }) => tables ?? [],
}));

async function failover(bench: Bench): Promise<Table> {
  const clients = bench.isBrief ? 200 : 500;
  const rounds = await inRounds(bench.isBrief ? 1 : 5, async (round) => {
    bench.onProgress(`failover · ${clients} clients · ${round}`);
    const servers = await startNetwork(bench, SERVERS);
    const result = await load(bench, servers, { kind: "failover", clients, ratePerS: 20, deadlineMs: 60_000 });
    await bench.children.stop();
    return result?.kind === "failover" ? result : undefined;
  });
  const of = (read: (result: FailoverResult) => number) => median(rounds.map(read));
  const worst = (read: (result: FailoverResult) => number) => Math.max(...rounds.map(read));
  const row = (label: string, figure: typeof of, busiest: (result: FailoverResult) => number) => [
    label,
    short(figure((r) => r.affected)),
    short(figure((r) => r.p50Ms)),
    short(figure((r) => r.p99Ms)),
    short(figure((r) => r.maxMs)),
    short(figure((r) => r.mostPerWindow)),
    times(figure(busiest)),
    short(figure((r) => r.stalledMs)),
  ];
  const burst = (r: FailoverResult) => r.mostPerWindow / r.meanPerWindow;
  return {
    title: `Failover: ${clients} clients on ${SERVERS} servers, one killed with kill -9; milliseconds without service`,
    names: 1,
    head: [
      "rounds",
      "clients affected",
      "p50",
      "p99",
      "max",
      "most logins in 100 ms",
      "of the mean",
      "generator stalled",
    ],
    rows: [row("median", of, burst), row("worst", worst, burst)],
    notes: [],
  };
}

async function cluster(bench: Bench): Promise<Table> {
  const { isBrief, onProgress } = bench;
  const subscribers = isBrief ? 150 : 300;
  const spans = isBrief
    ? { warmupMs: 250, measureMs: 500, deadlineMs: 30_000 }
    : { warmupMs: 500, measureMs: 2_000, deadlineMs: 60_000 };
  const networks = [await startNetwork(bench, 1), await startNetwork(bench, SERVERS)] as const;
  const fanouts: (RateResult | undefined)[][] = [[], []];
  const latencies: (LatencyResult | undefined)[][] = [[], []];
  for (let round = 1; round <= (isBrief ? 1 : 5); round++) {
    for (const [index, servers] of networks.entries()) {
      const what = `${subscribers} subscribers on ${servers.length} · round ${round}`;
      onProgress(`cluster fan-out · ${what}`);
      const fanout = await load(bench, servers, { kind: "fanout", subscribers, window: WINDOW, ...spans });
      fanouts[index]!.push(fanout?.kind === "rate" ? fanout : undefined);
      onProgress(`cluster latency · ${what}`);
      const latency = await load(bench, servers, { kind: "latency", subscribers, ratePerS: 200, ...spans });
      latencies[index]!.push(latency?.kind === "latency" ? latency : undefined);
    }
  }
  const row = (index: 0 | 1) => {
    const rates = fanouts[index]!.map((result) => result?.perS);
    const known = rates.filter((rate) => rate !== undefined);
    const all = <T>(results: readonly (T | undefined)[], read: (result: T) => number) =>
      median(results.flatMap((result) => result === undefined ? [] : [read(result)]));
    const added = (read: (result: LatencyResult) => number) =>
      median(latencies[index]!.flatMap((result, round) => {
        const alone = latencies[0]![round];
        return result === undefined || alone === undefined ? [] : [read(result) - read(alone)];
      }));
    return [
      String(networks[index].length),
      ...[median(known), Math.min(...known), Math.max(...known)].map(short),
      ...[perS, perCore].map((read) => times(medianRatio(fanouts[index]!.map(read), fanouts[0]!.map(read)))),
      all(fanouts[index]!, (result) => result.serverCores).toFixed(2),
      all(fanouts[index]!, (result) => result.generatorCores).toFixed(2),
      ...[(r: LatencyResult) => r.p50Ms, (r: LatencyResult) => r.p99Ms].flatMap((read) => [
        short(all(latencies[index]!, read)),
        index === 0 ? "–" : added(read).toFixed(2),
      ]),
    ];
  };
  return {
    title:
      `Fan-out over servers: one publisher, ${subscribers} subscribers; deliveries a second, and milliseconds at 200 activities a second`,
    names: 1,
    head: [
      ...[
        "servers",
        "deliveries/s",
        "lowest",
        "highest",
        "vs one",
        "per server core",
        "server cores",
        "generator cores",
      ],
      ...["p50", "added", "p99", "added"],
    ],
    rows: [row(0), row(1)],
    notes: [],
  };
}

async function catchup(bench: Bench): Promise<Table> {
  const count = bench.isBrief ? 50_000 : 200_000;
  const full = await startOne(bench, []);
  bench.onProgress(`catchup · ${count} entries are published`);
  const filled = await fill(bench, full, count);
  const rates = await inRounds(bench.isBrief ? 1 : 3, async (round) => {
    bench.onProgress(`catchup · ${round}`);
    const empty = await startOne(bench, ["--join", `${HOST}:${full.port}`]);
    const startedAt = performance.now();
    // A login is answered when the server has what its peers had.
    const login = JSON.parse(await firstLine(empty.port, loginLine()));
    const rate = count / (performance.now() - startedAt) * MS_PER_S;
    const has = Math.max(0, ...Object.values<number>(login.resume.vector));
    empty.process.kill("SIGTERM");
    await empty.process.status;
    if (has >= count) return rate;
    bench.onProblem(`catchup · ${round}: the server had ${has} of ${count} entries when it answered`);
    return undefined;
  });
  return {
    title: `Catch-up: an empty server joins one that has ${count} entries; entries a second`,
    names: 1,
    head: ["from", "entries/s", "lowest", "highest", "vs clients"],
    rows: [
      ["a client, which publishes them", short(filled), short(filled), short(filled), times(1)],
      [
        "a server, as it joins",
        ...[median(rates), Math.min(...rates), Math.max(...rates)].map(short),
        times(median(rates) / filled),
      ],
    ],
    notes: [],
  };
}

async function entries(bench: Bench): Promise<Table> {
  const { isBrief, onProgress, children } = bench;
  const rows: { count: number; startMs: number; startedBytes: number; busyBytes: number }[] = [];
  const spans = { warmupMs: 500, measureMs: isBrief ? 500 : 3_000, deadlineMs: 60_000 };
  for (const count of [0, isBrief ? 100_000 : 1_000_000]) {
    const data = `${await children.folder()}/data`;
    const first = await startThrum(bench.programs.thrum, ["--data", data], children, ".");
    if (count > 0) {
      onProgress(`entries · ${count} are published`);
      await fill(bench, first, count);
    }
    first.process.kill("SIGTERM");
    await first.process.status;
    onProgress(`entries · a server with ${count} starts`);
    const beganAt = performance.now();
    const again = await startThrum(bench.programs.thrum, ["--data", data], children, ".");
    await firstLine(again.port, loginLine());
    const startMs = performance.now() - beganAt;
    const startedBytes = residentBytes(again.process.pid);
    await load(bench, [again], { kind: "fanout", subscribers: 100, window: WINDOW, ...spans });
    rows.push({ count, startMs, startedBytes, busyBytes: residentBytes(again.process.pid) });
  }
  const [empty] = rows;
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
  return {
    title:
      "Entries in the store: resident memory of a server after it was started again, and after traffic to 100 subscribers",
    names: 1,
    head: ["entries", "ready after", "after the start", "vs empty", "after traffic", "vs empty"],
    rows: rows.map(({ count, startMs, startedBytes, busyBytes }) => [
      String(count),
      `${(startMs / MS_PER_S).toFixed(2)} s`,
      megabytes(startedBytes),
      times(startedBytes / empty!.startedBytes),
      megabytes(busyBytes),
      times(busyBytes / empty!.busyBytes),
    ]),
    notes: [],
  };
}

/** Starts `count` servers, each of which joins the first. They are linked when this returns. */
async function startNetwork(bench: Bench, count: number): Promise<RunningServer[]> {
  const servers: RunningServer[] = [];
  while (servers.length < count) {
    const first = servers[0];
    const server = await startOne(bench, first === undefined ? [] : ["--join", `${HOST}:${first.port}`]);
    await firstLine(server.port, loginLine());
    servers.push(server);
  }
  return servers;
}

async function startOne({ programs: { thrum }, children }: Bench, more: readonly string[]): Promise<RunningServer> {
  const folder = await children.folder();
  return await startThrum(thrum, ["--data", `${folder}/data`, "-s", SECRET, ...more], children, folder);
}

/** Publishes `count` activities at `server`. Returns how many it took a second. */
async function fill(bench: Bench, server: RunningServer, count: number): Promise<number> {
  const result = await load(bench, [server], { kind: "fill", entries: count, window: WINDOW, deadlineMs: 300_000 });
  if (result?.kind !== "rate") throw new Error("The server could not be filled");
  return result.perS;
}

async function load(
  bench: Bench,
  servers: readonly RunningServer[],
  what: Load,
): Promise<JobResult | undefined> {
  const [first, ...rest] = servers;
  const others = rest.map(({ port, process }) => ({ port, pid: process.pid }));
  const result = await runJob(
    { ...what, ...atServer("lines-network", first!), others } as Job,
    bench.generators,
    bench.children,
  );
  if (result.kind !== "failure") return result;
  bench.onProblem(`${what.kind} on ${servers.length}: ${result.message}; ${first!.state()}`);
  return undefined;
}

/** What `measure` gives for each round; rounds that failed are left out. */
async function inRounds<T>(count: number, measure: (round: string) => Promise<T | undefined>): Promise<T[]> {
  const results: T[] = [];
  for (let round = 1; round <= count; round++) {
    const result = await measure(`round ${round} of ${count}`);
    if (result !== undefined) results.push(result);
  }
  return results;
}

/** A login that is answered here, with what the server has. */
function loginLine(): string {
  return '{"command":"LOGIN","username":"anonymous","features":["resume"],"redirects":3}\n';
}
