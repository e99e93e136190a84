/**
 * What is measured: for each scenario the servers, the loads, and how the results become a table. `run_scenario.ts`
 * carries it out. Pure.
 */

import type { ContenderKey } from "./contenders.ts";
import type { Job, JobResult, LatencyResult, MemoryResult, RateResult } from "./load/job.ts";
import { median, medianRatio } from "./statistics.ts";
import { short, type Table, times } from "./table.ts";

/** A job without what depends on the server. */
export type Load = { [J in Job as J["kind"]]: Omit<J, "wire" | "port" | "serverPid"> }[Job["kind"]];

/** One load, as every server gets it. */
export interface Variant {
  /** The number that distinguishes it from the other loads of its scenario. */
  readonly label: string;
  readonly load: Load;
}

/** What one server did with one variant: a result for each round, `undefined` where it failed. */
export interface Measured {
  readonly variant: Variant;
  readonly contender: ContenderKey;
  readonly name: string;
  readonly rounds: readonly (JobResult | undefined)[];
}

/** What is measured together and shown as one table. */
export interface Scenario {
  readonly name: ScenarioName;
  readonly contenders: readonly ContenderKey[];
  readonly variants: readonly Variant[];
  readonly rounds: number;
  table(measured: readonly Measured[]): Table;
}

export const SCENARIO_NAMES = ["fanout", "latency", "memory", "ack", "trace", "watch"] as const;
export type ScenarioName = typeof SCENARIO_NAMES[number];

const FANOUT_SUBSCRIBERS = [10, 100, 1_000];
// Publications on their way, for all servers alike. Half as many let nats-server, and all of them with few receivers,
// run dry; what twice as many would bring is less than the noise.
const FANOUT_WINDOW = 512;
// On each connection.
const ACK_WINDOW = 256;
const IDLE_CONNECTIONS = 9_000;

/** All scenarios. `isQuick` shortens them: fewer and shorter rounds, fewer idle connections. */
export function scenarios(isQuick: boolean): readonly Scenario[] {
  return [fanout(isQuick), latency(isQuick), memory(isQuick), ack(isQuick), trace(isQuick), watch(isQuick)];
}

function fanout(isQuick: boolean): Scenario {
  const spans = isQuick
    ? { warmupMs: 250, measureMs: 500, deadlineMs: 15_000 }
    : { warmupMs: 500, measureMs: 1_000, deadlineMs: 30_000 };
  return {
    name: "fanout",
    contenders: ["stored", "ephemeral", "nats", "redis", "bare"],
    variants: FANOUT_SUBSCRIBERS.map((subscribers) => ({
      label: String(subscribers),
      load: { kind: "fanout", subscribers, window: FANOUT_WINDOW, ...spans },
    })),
    rounds: isQuick ? 1 : 5,
    table: (measured) => ({
      title: "Fan-out: one publisher, 200-byte activities, deliveries a second",
      names: 2,
      head: ["subscribers", "server", "deliveries/s", "lowest", "highest", "vs nats", "vs redis", ...CPU_HEAD],
      rows: measured.map((row) => [
        ...[row.variant.label, row.name],
        ...rate(row),
        ...ratios(measured, row, perS),
        ...cpu(row),
      ]),
      notes: generatorNotes(measured),
    }),
  };
}

/**
 * What the record of every event costs. It has one line for each delivery of a turn, whoever gets it, so that it
 * matters less the more there are.
 */
function trace(isQuick: boolean): Scenario {
  return fanoutWith(isQuick, "trace", "traced", "Tracing: the fan-out with and without --trace", "vs untraced");
}

/** What it costs to be looked at. */
function watch(isQuick: boolean): Scenario {
  return fanoutWith(
    isQuick,
    "watch",
    "watched",
    "Watching: the fan-out with and without ten dashboards",
    "vs unwatched",
  );
}

/** The fan-out to a server that has something to do beside it, and to one that has not. */
function fanoutWith(
  isQuick: boolean,
  name: ScenarioName,
  contender: ContenderKey,
  title: string,
  versus: string,
): Scenario {
  return {
    ...fanout(isQuick),
    name,
    contenders: ["ephemeral", contender],
    table: (measured) => ({
      title: `${title}, deliveries a second`,
      names: 2,
      head: ["subscribers", "server", "deliveries/s", "lowest", "highest", versus, ...CPU_HEAD],
      rows: measured.map((row) => [
        ...[row.variant.label, row.name],
        ...rate(row),
        ratios(measured, row, perS, "ephemeral")[0]!,
        ...cpu(row),
      ]),
      notes: generatorNotes(measured),
    }),
  };
}

function latency(isQuick: boolean): Scenario {
  const spans = isQuick
    ? { warmupMs: 300, measureMs: 1_000, deadlineMs: 15_000 }
    : { warmupMs: 1_000, measureMs: 3_000, deadlineMs: 30_000 };
  const kinds: readonly ((result: LatencyResult) => number)[] = [(r) => r.p50Ms, (r) => r.p99Ms, (r) => r.maxMs];
  return {
    name: "latency",
    contenders: ["stored", "ephemeral", "nats", "redis", "bare"],
    variants: [{ label: "100", load: { kind: "latency", subscribers: 100, ratePerS: 1_000, ...spans } }],
    rounds: isQuick ? 1 : 3,
    table: (measured) => ({
      title: "Latency: 1000 activities a second to 100 subscribers, milliseconds from write to read",
      names: 1,
      head: ["server", "p50", "p99", "max", "p99 vs nats", "p99 vs redis", ...CPU_HEAD],
      rows: measured.map((row) => [
        row.name,
        ...kinds.map((of) =>
          short(median(values(row, (result) => result.kind === "latency" ? of(result) : undefined)))
        ),
        ...ratios(measured, row, (result) => result.kind === "latency" ? result.p99Ms : undefined),
        ...cpu(row),
      ]),
      notes: [],
    }),
  };
}

function memory(isQuick: boolean): Scenario {
  const connections = isQuick ? 2_000 : IDLE_CONNECTIONS;
  const amount = (bytes: number, unit: number, name: string) =>
    Number.isFinite(bytes) ? `${(bytes / unit).toFixed(1)} ${name}` : "–";
  const of = (row: Measured, read: (result: MemoryResult) => number) =>
    median(values(row, (result) => result.kind === "memory" ? read(result) : undefined));
  return {
    name: "memory",
    contenders: ["stored", "ephemeral", "nats", "redis", "bare"],
    variants: [{
      label: String(connections),
      load: { kind: "memory", connections, settleMs: isQuick ? 700 : 2_000, deadlineMs: 60_000 },
    }],
    // A server that had connections once keeps memory for others: each would need a fresh one.
    rounds: 1,
    table: (measured) => ({
      title: `Memory: ${connections} idle logged-in connections, resident memory of the server`,
      names: 1,
      head: ["server", "before", "after", "per connection", "vs nats", "vs redis"],
      rows: measured.map((row) => [
        row.name,
        amount(of(row, (r) => r.beforeBytes), 1e6, "MB"),
        amount(of(row, (r) => r.afterBytes), 1e6, "MB"),
        amount(of(row, (r) => r.bytesPerConnection), 1e3, "kB"),
        ...ratios(measured, row, (result) => result.kind === "memory" ? result.bytesPerConnection : undefined),
      ]),
      notes: [],
    }),
  };
}

function ack(isQuick: boolean): Scenario {
  const spans = isQuick
    ? { warmupMs: 250, measureMs: 500, deadlineMs: 15_000 }
    : { warmupMs: 500, measureMs: 1_000, deadlineMs: 30_000 };
  return {
    name: "ack",
    contenders: ["stored", "natsFile", "redisFile", "ephemeral", "natsMemory", "redisMemory"],
    variants: [1, 16].map((publishers) => ({
      label: String(publishers),
      load: { kind: "ack", publishers, window: ACK_WINDOW, ...spans },
    })),
    rounds: isQuick ? 1 : 3,
    table: (measured) => ({
      title: "Acknowledged publishing: activities accepted and answered a second",
      names: 2,
      head: ["publishers", "server", "accepted/s", "lowest", "highest", "vs nats", "vs redis", ...CPU_HEAD],
      rows: measured.map((row) => [
        ...[row.variant.label, row.name],
        ...rate(row),
        // Each is compared with its like: what is in a file when it is answered, or in memory.
        ...(row.contender === "stored" || row.contender === "natsFile" || row.contender === "redisFile"
          ? ratios(measured, row, perS, "natsFile", "redisFile")
          : ratios(measured, row, perS, "natsMemory", "redisMemory")),
        ...cpu(row),
      ]),
      notes: generatorNotes(measured),
    }),
  };
}

const CPU_HEAD = ["server cores", "generator cores"];
/** From this use of one core on, a generator may be what holds a server back. */
const GENERATOR_BUSY_CORES = 0.9;

function perS(result: JobResult): number | undefined {
  return result.kind === "rate" ? result.perS : undefined;
}

/** What `read` finds in the rounds that succeeded. */
function values(row: Measured, read: (result: JobResult) => number | undefined): number[] {
  return row.rounds.flatMap((result) => (result === undefined ? undefined : read(result)) ?? []);
}

/** Median, lowest and highest. */
function rate(row: Measured): string[] {
  const all = values(row, perS);
  return [median(all), Math.min(...all), Math.max(...all)].map(short);
}

/** How `row` compares with nats-server and redis-server under the same load. */
function ratios(
  measured: readonly Measured[],
  row: Measured,
  read: (result: JobResult) => number | undefined,
  nats: ContenderKey = "nats",
  redis: ContenderKey = "redis",
): string[] {
  const byRound = (of: Measured | undefined) => of?.rounds.map((result) => result && read(result)) ?? [];
  return [nats, redis].map((key) => {
    const other = measured.find((each) => each.contender === key && each.variant === row.variant);
    return times(medianRatio(byRound(row), byRound(other)));
  });
}

function medianCores(row: Measured, of: "serverCores" | "generatorCores"): number {
  return median(values(row, (result) => of in result ? (result as RateResult | LatencyResult)[of] : undefined));
}

function cpu(row: Measured): string[] {
  const text = (cores: number) => Number.isFinite(cores) ? cores.toFixed(2) : "–";
  return [text(medianCores(row, "serverCores")), text(medianCores(row, "generatorCores"))];
}

/** Names the rows in which the generator had less to spare than the server. */
function generatorNotes(measured: readonly Measured[]): string[] {
  return measured
    .filter((row) => {
      const generator = medianCores(row, "generatorCores");
      return generator >= GENERATOR_BUSY_CORES && generator > medianCores(row, "serverCores");
    })
    .map((row) => `The generator may have been the bottleneck: ${row.variant.label}, ${row.name}.`);
}
