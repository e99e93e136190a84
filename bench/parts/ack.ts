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
interface Group {
  readonly survives: string;
  readonly families: readonly Family[];
  readonly warmupMs: number;
  readonly measureMs: number;
}

const GROUPS: readonly Group[] = [
  {
    survives: "a crash of the program",
    families: ["stored", "storedNoIds", "natsFileIds", "natsFile", "redisFile"],
    ...{ warmupMs: 400, measureMs: 1_000 },
  },
  {
    survives: "a power cut (all but thrum, stored)",
    families: ["full", "natsSynced", "redisSynced", "stored"],
    // A load goes on until all windows were answered: JetStream syncs for each publication, which takes seconds.
    ...{ warmupMs: 500, measureMs: 2_000 },
  },
  {
    survives: "nothing",
    families: ["ephemeral", "natsMemoryIds", "natsMemory", "redisMemory"],
    ...{ warmupMs: 400, measureMs: 1_000 },
  },
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
    const measured: Measured[] = [];
    for (const { survives, families, warmupMs, measureMs } of GROUPS) {
      const spans = bench.isBrief ? { warmupMs: 100, measureMs: 200 } : { warmupMs, measureMs };
      const variants = PUBLISHERS.map((publishers) => ({
        label: String(publishers),
        at: publishers,
        load: () => ({ kind: "ack" as const, publishers, window: WINDOW, ...spans, deadlineMs: 60_000 }),
      }));
      const rows = await measureRounds(bench, `ack, survives ${survives}`, await startAll(bench, families), variants);
      measured.push(...rows.map((row) => ({ ...row, group: survives })));
      await bench.children.stop();
    }
    return { measured };
  },
  tables: ({ measured }) =>
    GROUPS.map(({ survives }) => {
      const rows = measured.filter(({ group }) => group === survives);
      const title = `Acknowledged publishing, an answer survives ${survives}; 200-byte activities answered a second, ` +
        `${WINDOW} unanswered on each connection`;
      const names = [labelColumn("publishers"), SERVER_COLUMN, {
        head: "recognises repeats",
        text: ({ family }: Measured) => RECOGNISING.includes(family) ? "yes" : "no",
      }];
      return tableOf(
        title,
        names,
        [
          ...spreadColumns("answered/s", perS),
          versusColumn("vs JetStream with ids", perS, ...NATS_WITH_IDS),
          versusColumn("vs JetStream without", perS, ...NATS_WITHOUT),
          versusColumn("vs Redis", perS, ...REDIS),
          versusColumn("vs thrum, stored", perS, "stored"),
          medianColumn(
            "deliveries to publishers, each",
            ({ deliveriesEach }) => deliveriesEach,
            (each) => each.toFixed(1),
          ),
          processorColumn("server processor s per million answers"),
          ...CORES_COLUMNS,
        ],
        rows,
        generatorNotes(rows),
      );
    }),
};
