/** Half of what the server can do, for a long time: does anything grow? */

import { delay } from "@std/async/delay";
import { SERVER_COLUMN, tableOf } from "../figures/columns.ts";
import { openFiles, processorMs, residentBytes } from "../load/process_stats.ts";
import { type Bench, type Figures, type Measured, measureOnce, type Part, picture, startAll } from "../part.ts";
import { linesOf } from "../figures/plot.ts";
import { median } from "../figures/statistics.ts";
import { short } from "../figures/table.ts";
import { peaks } from "./fanout.ts";

const SUBSCRIBERS = 100;
const MS_PER_MINUTE = 60_000;
const SAMPLE_MS = 1_000;
const MS_PER_S = 1_000;

/** The soak. Its rounds are samples: one each second. */
export const soak: Part = {
  name: "soak",
  isExtra: true,
  measure: async (bench) => {
    const measureMs = bench.isBrief ? 3_000 : bench.minutes * MS_PER_MINUTE;
    const highest = await peaks({ ...bench, rounds: Math.min(bench.rounds, 3) }, ["stored"]);
    const ratePerS = [...highest.values()][0]! / 2 / SUBSCRIBERS;
    const [running] = await startAll(bench, ["stored"]);
    if (running === undefined) return { measured: [] };
    const { pid } = running.server.process;
    const over = new AbortController();
    const samples = sample(bench, pid, over.signal);
    const what = `soak · ${measureMs / MS_PER_S} s at ${short(ratePerS * SUBSCRIBERS)} deliveries a second`;
    const figures = await measureOnce(bench, what, running.contender, running.server, {
      kind: "latency",
      subscribers: SUBSCRIBERS,
      ratePerS,
      warmupMs: 500,
      measureMs,
      deadlineMs: measureMs + MS_PER_MINUTE,
    });
    over.abort();
    const { family, name } = running.contender;
    const row = { label: "", at: 0, family, name };
    return {
      measured: [
        { ...row, rounds: [figures] },
        ...(await samples).map((figures, at) => ({ ...row, at, rounds: [figures] })),
      ],
    };
  },
  tables: ({ measured }) => {
    const [whole, ...samples] = measured;
    const of = (read: (figures: Figures) => number, part: readonly Measured[]) =>
      median(part.flatMap(({ rounds: [figures] }) => figures ? [read(figures)] : []));
    const tenth = Math.max(1, Math.floor(samples.length / 10));
    // The first tenth fills what is bounded: the newest part of the log in memory.
    const thirds = [samples.slice(tenth, 2 * tenth), samples.slice(-tenth)];
    const change = (head: string, read: (figures: Figures) => number) => ({
      head,
      text: () => thirds.map((part) => short(of(read, part))).join(" → "),
    });
    return [
      tableOf(
        `Soak: ${samples.length} s at half the peak, ${SUBSCRIBERS} subscribers; medians of the second and of the last tenth of the time`,
        [SERVER_COLUMN],
        [
          { head: "deliveries/s", text: (row) => short(row.rounds[0]?.perS ?? NaN) },
          { head: "p50, ms", text: (row) => short(row.rounds[0]?.p50Ms ?? NaN) },
          { head: "p99, ms", text: (row) => short(row.rounds[0]?.p99Ms ?? NaN) },
          { head: "p99.9, ms", text: (row) => short(row.rounds[0]?.p999Ms ?? NaN) },
          change("resident memory, MB", ({ residentMb }) => residentMb!),
          change("server cores", ({ serverCores }) => serverCores!),
          change("open files", ({ openFiles }) => openFiles!),
        ],
        whole === undefined ? [] : [whole],
      ),
    ];
  },
  pictures: ({ measured }) => {
    const samples = measured.slice(1);
    const line = (read: (figures: Figures) => number | undefined) => linesOf(samples, read);
    return [picture("bench-soak.svg", {
      title: "A long time at half the peak",
      x: { label: "seconds", isLog: false },
      panels: [
        { y: { label: "resident memory, MB", isLog: false }, lines: line(({ residentMb }) => residentMb) },
        { y: { label: "processor, cores", isLog: false }, lines: line(({ serverCores }) => serverCores) },
        { y: { label: "open files", isLog: false }, lines: line(({ openFiles }) => openFiles) },
      ],
    })];
  },
};

/** Looks at process `pid` once a second until it is over. */
async function sample(bench: Bench, pid: number, over: AbortSignal): Promise<Figures[]> {
  const samples: Figures[] = [];
  let usedMs = processorMs(pid);
  let at = performance.now();
  while (!bench.children.haveEnded) {
    await delay(SAMPLE_MS);
    if (over.aborted) break;
    const [now, used] = [performance.now(), processorMs(pid)];
    samples.push({
      residentMb: residentBytes(pid) / 1e6,
      serverCores: (used - usedMs) / (now - at),
      openFiles: openFiles(pid),
    });
    [at, usedMs] = [now, used];
  }
  return samples;
}
