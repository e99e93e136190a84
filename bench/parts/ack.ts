/** Publishing that is answered: 1 and 16 publishers, each with so many publications unanswered. */

import {
  CORES_COLUMNS,
  generatorNotes,
  labelColumn,
  medianColumn,
  processorColumn,
  SERVER_COLUMN,
  spreadColumns,
  tableOf,
  versusColumn,
} from "../figures/columns.ts";
import type { Family } from "../contenders.ts";
import { type Figures, type Measured, measureRounds, type Part, startAll } from "../part.ts";

/** On each connection. */
const WINDOW = 256;
const PUBLISHERS = [1, 16];

/** Which contenders an answer means the same for. */
const GROUPS: readonly { readonly survives: string; readonly families: readonly Family[] }[] = [
  { survives: "a crash of the program", families: ["stored", "natsFileIds", "natsFile", "redisFile"] },
  { survives: "a power cut", families: ["full", "natsSynced", "redisSynced"] },
  { survives: "nothing", families: ["ephemeral", "natsMemoryIds", "natsMemory", "redisMemory"] },
];
const NATS_WITH_IDS: readonly Family[] = ["natsFileIds", "natsSynced", "natsMemoryIds"];
const NATS_WITHOUT: readonly Family[] = ["natsFile", "natsMemory"];
const REDIS: readonly Family[] = ["redisFile", "redisSynced", "redisMemory"];
/** Who recognises a publication that comes a second time. */
const RECOGNISING: readonly Family[] = ["stored", "full", "ephemeral", ...NATS_WITH_IDS];

const perS = (figures: Figures) => figures.perS;

/** All contenders, in groups of equal durability. */
export const ack: Part = {
  name: "ack",
  measure: async (bench) => {
    const spans = bench.isBrief
      ? { warmupMs: 100, measureMs: 200, deadlineMs: 20_000 }
      : { warmupMs: 400, measureMs: 1_000, deadlineMs: 60_000 };
    const variants = PUBLISHERS.map((publishers) => ({
      label: String(publishers),
      at: publishers,
      load: () => ({ kind: "ack" as const, publishers, window: WINDOW, ...spans }),
    }));
    const measured: Measured[] = [];
    for (const { survives, families } of GROUPS) {
      const running = await startAll(bench, families);
      measured.push(...await measureRounds(bench, `ack (survives ${survives})`, running, variants));
      await bench.children.stop();
    }
    return { measured };
  },
  tables: ({ measured }) =>
    GROUPS.map(({ survives, families }) => {
      const rows = measured.filter(({ family }) => families.includes(family));
      return tableOf(
        `Acknowledged publishing, an answer survives ${survives}; 200-byte activities answered a second, ${WINDOW} unanswered on each connection`,
        [labelColumn("publishers"), SERVER_COLUMN, {
          head: "recognises repeats",
          text: ({ family }) => RECOGNISING.includes(family) ? "yes" : "no",
        }],
        [
          ...spreadColumns("answered/s", perS),
          versusColumn("vs JetStream with ids", perS, ...NATS_WITH_IDS),
          versusColumn("vs JetStream without", perS, ...NATS_WITHOUT),
          versusColumn("vs Redis", perS, ...REDIS),
          medianColumn("deliveries to publishers, each", ({ deliveriesEach }) =>
            deliveriesEach, (each) =>
            each.toFixed(1)),
          processorColumn("server processor s per million answers"),
          ...CORES_COLUMNS,
        ],
        rows,
        generatorNotes(rows),
      );
    }),
};

/** How much of its speed thrum keeps when each answer waits for the disk. */
export const fullVersusNormal: Part = {
  name: "synchronous",
  measure: async (bench) => {
    const spans = bench.isBrief
      ? { warmupMs: 100, measureMs: 200, deadlineMs: 20_000 }
      : { warmupMs: 400, measureMs: 1_000, deadlineMs: 60_000 };
    return {
      measured: await measureRounds(
        bench,
        "synchronous",
        await startAll(bench, ["stored", "full", "redisSynced", "natsSynced"]),
        [{
          label: "16",
          at: 16,
          load: () => ({ kind: "ack" as const, publishers: 16, window: WINDOW, ...spans }),
        }],
      ),
    };
  },
  tables: ({ measured }) => [
    tableOf(
      "On disk before each answer, beside thrum without: 16 publishers, activities answered a second",
      [SERVER_COLUMN],
      [
        ...spreadColumns("answered/s", perS),
        versusColumn("vs thrum, stored", perS, "stored"),
        versusColumn("vs JetStream sync always", perS, "natsSynced"),
        versusColumn("vs Redis AOF always", perS, "redisSynced"),
        ...CORES_COLUMNS,
      ],
      measured,
    ),
  ],
};
