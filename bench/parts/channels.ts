/** Publications to many channels, and subscribers that read one of them or all, as fast as the server delivers. */

import {
  CORES_COLUMNS,
  generatorNotes,
  labelColumn,
  processorColumn,
  SERVER_COLUMN,
  spreadColumns,
  tableOf,
  versusColumn,
} from "../figures/columns.ts";
import { type Figures, measureRounds, type Part, startAll, type Variant } from "../part.ts";
import { whole } from "../figures/table.ts";
import { WINDOW } from "./fanout.ts";

/** So many channels, and subscribers of each or of all. */
interface Shape {
  readonly channels: number;
  readonly subscribers: number;
  readonly readAll?: boolean;
}

const SHAPES: readonly Shape[] = [
  { channels: 1_000, subscribers: 10 },
  { channels: 100, subscribers: 100 },
  { channels: 10_000, subscribers: 1 },
  { channels: 1_000, subscribers: 100, readAll: true },
];
const SHAPES_BRIEF: readonly Shape[] = [
  { channels: 20, subscribers: 5 },
  { channels: 50, subscribers: 1 },
  { channels: 20, subscribers: 5, readAll: true },
];

const perS = (figures: Figures) => figures.perS;

/** Channels of thrum, and subjects of nats-server. */
export const channels: Part = {
  name: "channels",
  measure: async (bench) => {
    const spans = bench.isBrief
      ? { warmupMs: 100, measureMs: 200, deadlineMs: 20_000 }
      : { warmupMs: 400, measureMs: 1_000, deadlineMs: 60_000 };
    const variants = (bench.isBrief ? SHAPES_BRIEF : SHAPES).map((shape, at): Variant => ({
      label: labelOf(shape),
      at,
      load: () => ({ kind: "channels", readAll: false, ...shape, window: WINDOW, ...spans }),
    }));
    const running = await startAll(bench, ["stored", "ephemeral", "nats"]);
    return { measured: await measureRounds(bench, "channels", running, variants) };
  },
  tables: ({ measured }) => [
    tableOf(
      "Channels: one publisher, activities of 200 bytes to one channel after the other; deliveries a second to all",
      [labelColumn("channels × subscribers"), SERVER_COLUMN],
      [
        ...spreadColumns("deliveries/s", perS),
        versusColumn("vs nats", perS, "nats"),
        versusColumn("vs ephemeral", perS, "ephemeral"),
        processorColumn("server processor s per million deliveries"),
        ...CORES_COLUMNS,
      ],
      measured,
      generatorNotes(measured),
    ),
  ],
};

function labelOf({ channels, subscribers, readAll = false }: Shape): string {
  return `${whole(channels)}${readAll ? ", all read by " : " × "}${whole(subscribers)}`;
}
