/** How long a delivery takes: at 1,000 activities a second, while the disk is busy, and at shares of the peak. */

import {
  CORES_COLUMNS,
  labelColumn,
  medianColumn,
  middle,
  processorColumn,
  SERVER_COLUMN,
  spreadColumns,
  tableOf,
  versusColumn,
} from "../figures/columns.ts";
import { configuredThrum, type Family } from "../contenders.ts";
import {
  type Bench,
  type Figures,
  type Measured,
  measureRounds,
  type Part,
  picture,
  startAll,
  type Variant,
} from "../part.ts";
import { linesOf } from "../figures/plot.ts";
import { peaks } from "./fanout.ts";

const SUBSCRIBERS = 100;
const RATE_PER_S = 1_000;
const CURVE: readonly Family[] = ["stored", "ephemeral", "nats", "redis", "bare"];
const SHARES = [25, 50, 75, 90];
/** So little is kept that the log forgets all the time: each second it is far over this. */
const FORGETTING = { activityRetentionBytes: 131_072 };
const BACKUP_PAUSE_MS = 200;

const p50 = (figures: Figures) => figures.p50Ms;
const p99 = (figures: Figures) => figures.p99Ms;
const p999 = (figures: Figures) => figures.p999Ms;

/** All contenders at a steady rate. */
export const latency: Part = {
  name: "latency",
  measure: async (bench) => ({
    measured: await measureRounds(bench, "latency", await startAll(bench, CURVE), [steady(bench)]),
  }),
  tables: ({ measured }) => [
    tableOf(
      `Latency: ${RATE_PER_S} activities a second to ${SUBSCRIBERS} subscribers; milliseconds from publishing to reading`,
      [SERVER_COLUMN],
      [
        medianColumn("p50", p50),
        ...spreadColumns("p99", p99),
        ...spreadColumns("p99.9", p999),
        medianColumn("max", ({ maxMs }) => maxMs),
        versusColumn("p99 vs nats", p99, "nats"),
        versusColumn("p99 vs redis", p99, "redis"),
        versusColumn("p99 vs ephemeral", p99, "ephemeral"),
        processorColumn("server processor s per million deliveries"),
        ...CORES_COLUMNS,
      ],
      measured,
    ),
  ],
};

/** The same while the log forgets, and its folder is copied and synced over and over. */
export const disturbed: Part = {
  name: "disturbed",
  measure: async (bench) => {
    const { thrum } = bench.programs;
    const contenders = [
      configuredThrum("stored", "thrum, stored, disturbed", thrum, { store: FORGETTING }),
      configuredThrum("ephemeral", "thrum, ephemeral, disturbed", thrum, { store: FORGETTING }),
    ];
    const running = await startAll({ ...bench, contenders }, ["stored", "ephemeral"]);
    const copying = new AbortController();
    // The machine copies while either of the two is measured.
    const backups = copyOver(
      bench,
      `${running[0]!.folder}/data`,
      `${await bench.children.folder()}/copy`,
      copying.signal,
    );
    try {
      return { measured: await measureRounds(bench, "disturbed", running, [steady(bench)]) };
    } finally {
      copying.abort();
      bench.onProgress(`disturbed: ${await backups} copies of the folder were made meanwhile`);
    }
  },
  tables: ({ measured }) => [
    tableOf(
      `Latency while the disk is busy: the same load; the log forgets each second, checkpoints follow, and the folder is copied and synced without a pause; milliseconds`,
      [SERVER_COLUMN],
      [
        medianColumn("p50", p50),
        ...spreadColumns("p99", p99),
        ...spreadColumns("p99.9", p999),
        ...spreadColumns("max", ({ maxMs }) => maxMs),
        versusColumn("p99.9 vs ephemeral", p999, "ephemeral"),
        ...CORES_COLUMNS,
      ],
      measured,
    ),
  ],
};

/** At shares of what each contender delivers at most. */
export const curve: Part = {
  name: "curve",
  measure: async (bench) => {
    const highest = await peaks({ ...bench, rounds: Math.min(bench.rounds, 3) }, CURVE);
    const shares = SHARES.map((share): Variant => ({
      label: `${share} %`,
      at: share,
      load: (name) => ({
        kind: "latency",
        subscribers: SUBSCRIBERS,
        ratePerS: Math.max(1, (highest.get(name) ?? 0) * share / 100 / SUBSCRIBERS),
        ...spans(bench, 1_500),
      }),
    }));
    return { measured: await measureRounds(bench, "curve", await startAll(bench, CURVE), shares) };
  },
  tables: ({ measured }) => [
    tableOf(
      `Load curve: ${SUBSCRIBERS} subscribers at shares of each server's own peak; milliseconds from publishing to reading`,
      [labelColumn("of the peak"), SERVER_COLUMN],
      [
        medianColumn("deliveries/s asked for", ({ offeredPerS }) => offeredPerS),
        medianColumn("deliveries/s", ({ perS }) => perS),
        medianColumn("p50", p50),
        ...spreadColumns("p99", p99),
        medianColumn("p99.9", p999),
        processorColumn("server processor s per million deliveries"),
        ...CORES_COLUMNS,
      ],
      [...measured].sort((a, b) => a.at - b.at),
    ),
  ],
  pictures: ({ measured }) => [picture("bench-load.svg", {
    title: "Latency over load: 100 subscribers",
    x: { label: "deliveries a second that were asked for", isLog: true },
    panels: [
      { y: { label: "p50, ms", isLog: true }, lines: linesOf(measured, p50, offered) },
      { y: { label: "p99, ms", isLog: true }, lines: linesOf(measured, p99, offered) },
      { y: { label: "p99.9, ms", isLog: true }, lines: linesOf(measured, p999, offered) },
    ],
  })],
};

const offered = (row: Measured) => middle(row, ({ offeredPerS }) => offeredPerS);

function steady(bench: Bench): Variant {
  return {
    label: String(SUBSCRIBERS),
    at: SUBSCRIBERS,
    load: () => ({ kind: "latency", subscribers: SUBSCRIBERS, ratePerS: RATE_PER_S, ...spans(bench, 3_000) }),
  };
}

function spans({ isBrief }: Bench, measureMs: number) {
  return isBrief
    ? { warmupMs: 100, measureMs: 300, deadlineMs: 20_000 }
    : { warmupMs: 500, measureMs, deadlineMs: 30_000 };
}

/** Copies `folder` and syncs the copy, again and again until it is over. Returns how often. */
async function copyOver(bench: Bench, folder: string, to: string, over: AbortSignal): Promise<number> {
  let copies = 0;
  while (!over.aborted && !bench.children.haveEnded) {
    const command = `rm -rf '${to}' && cp -r '${folder}' '${to}' && sync -f '${to}'; sleep ${BACKUP_PAUSE_MS / 1000}`;
    await bench.children.spawn(["sh", "-c", command], ".").output();
    copies++;
  }
  return copies;
}
