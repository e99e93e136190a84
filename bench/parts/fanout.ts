/** One publisher, and 10 to 10,000 subscribers, as fast as the server delivers. */

import {
  CORES_COLUMNS,
  generatorNotes,
  labelColumn,
  middle,
  processorColumn,
  processorPerMillion,
  SERVER_COLUMN,
  spreadColumns,
  tableOf,
  versusColumn,
} from "../figures/columns.ts";
import type { Family } from "../contenders.ts";
import {
  type Bench,
  type Figures,
  measureRounds,
  type Part,
  type PartResult,
  picture,
  startAll,
  type Variant,
} from "../part.ts";
import { linesOf } from "../figures/plot.ts";
import { whole } from "../figures/table.ts";

/**
 * Publications on their way, for all servers alike. Half as many let nats-server, and all of them with few receivers,
 * run dry; what twice as many would bring is less than the noise.
 */
export const WINDOW = 512;
/** With very many subscribers fewer, as so many deliveries would take seconds, and gigabytes of buffers. */
const MOST_ON_THEIR_WAY = 512_000;
const SUBSCRIBERS = [10, 100, 1_000];
const GROWING = [10, 30, 100, 300, 1_000, 3_000, 10_000];
const GROWING_BRIEF = [10, 100];

const perS = (figures: Figures) => figures.perS;

/** The fan-out of all contenders. */
export const fanout: Part = {
  name: "fanout",
  measure: async (bench) => ({
    measured: await measureRounds(
      bench,
      "fanout",
      await startAll(bench, ["stored", "ephemeral", "nats", "redis", "bare"]),
      variants(bench, bench.isBrief ? [10, 100] : SUBSCRIBERS),
    ),
  }),
  tables: ({ measured }) => [
    tableOf(
      "Fan-out: one publisher, activities of 200 bytes, as fast as possible; deliveries a second to all subscribers",
      [labelColumn("subscribers"), SERVER_COLUMN],
      [
        ...spreadColumns("deliveries/s", perS),
        versusColumn("vs nats", perS, "nats"),
        versusColumn("vs redis", perS, "redis"),
        versusColumn("vs bare", perS, "bare"),
        versusColumn("vs ephemeral", perS, "ephemeral"),
        processorColumn("server processor s per million deliveries"),
        ...CORES_COLUMNS,
      ],
      measured,
      generatorNotes(measured),
    ),
  ],
};

/** How deliveries and their cost grow with the subscribers. */
export const growth: Part = {
  name: "growth",
  measure: async (bench) => ({
    measured: await measureRounds(
      bench,
      "growth",
      await startAll(bench, ["stored", "nats", "redis"]),
      variants(bench, bench.isBrief ? GROWING_BRIEF : GROWING),
    ),
  }),
  tables: ({ measured }) => [
    tableOf(
      "Growth: deliveries a second, and processor time of the server, over the subscribers",
      [labelColumn("subscribers"), SERVER_COLUMN],
      [
        ...spreadColumns("deliveries/s", perS),
        versusColumn("vs nats", perS, "nats"),
        processorColumn("server processor µs per delivery"),
        ...CORES_COLUMNS,
      ],
      measured,
      generatorNotes(measured),
    ),
  ],
  pictures: ({ measured }) => [picture("bench-growth.svg", {
    title: "Deliveries over subscribers",
    x: { label: "subscribers", isLog: true },
    panels: [
      { y: { label: "deliveries a second", isLog: true }, lines: linesOf(measured, perS) },
      {
        y: { label: "server processor, µs per delivery", isLog: true },
        lines: linesOf(measured, processorPerMillion),
      },
    ],
  })],
};

/** What the record of every event costs. */
export const trace: Part = fanoutBeside("trace", "traced", "Tracing: the fan-out with and without --trace", "untraced");

/** What it costs to be looked at. */
export const watch: Part = fanoutBeside(
  "watch",
  "watched",
  "Watching: the fan-out with and without ten dashboards",
  "unwatched",
);

/** The most that each contender delivers to 100 subscribers, a second. */
export async function peaks(bench: Bench, families: readonly Family[]): Promise<ReadonlyMap<string, number>> {
  const running = await startAll(bench, families);
  const measured = await measureRounds(bench, "peak", running, variants(bench, [100]));
  await bench.children.stop();
  return new Map(measured.map((row) => [row.name, middle(row, perS)]));
}

/** Loads with so many subscribers each. */
export function variants({ isBrief }: Bench, subscribers: readonly number[]): Variant[] {
  const spans = isBrief
    ? { warmupMs: 100, measureMs: 200, deadlineMs: 20_000 }
    : { warmupMs: 400, measureMs: 1_000, deadlineMs: 60_000 };
  return subscribers.map((count) => ({
    label: whole(count),
    at: count,
    load: () => ({
      kind: "fanout",
      subscribers: count,
      window: Math.min(WINDOW, Math.ceil(MOST_ON_THEIR_WAY / count)),
      ...spans,
    }),
  }));
}

/** The fan-out to a server that has something to do beside it, and to one that has not. */
function fanoutBeside(name: string, family: Family, title: string, without: string): Part {
  return {
    name,
    measure: async (bench): Promise<PartResult> => ({
      measured: await measureRounds(
        bench,
        name,
        await startAll(bench, ["ephemeral", family]),
        variants(bench, bench.isBrief ? [10] : SUBSCRIBERS),
      ),
    }),
    tables: ({ measured }) => [
      tableOf(
        `${title}; deliveries a second`,
        [labelColumn("subscribers"), SERVER_COLUMN],
        [
          ...spreadColumns("deliveries/s", perS),
          versusColumn(`vs ${without}`, perS, "ephemeral"),
          processorColumn("server processor s per million deliveries"),
          ...CORES_COLUMNS,
        ],
        measured,
        generatorNotes(measured),
      ),
    ],
  };
}
