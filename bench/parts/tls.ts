/** What TLS costs: the fan-out by it and without, and the memory of connections that are only there. */

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
import { type Figures, type Measured, measureRounds, type Part, startAll } from "../part.ts";
import { variants } from "./fanout.ts";
import { memoryRounds } from "./idle.ts";

const SUBSCRIBERS = [100];
const SUBSCRIBERS_BRIEF = [10];
/** Each beside itself without TLS. */
const FAMILIES = ["ephemeral", "tls", "nats", "natsTls"] as const;

const perS = (figures: Figures) => figures.perS;
const idleBytes = (figures: Figures) => figures.idleBytes;
const kilobytes = (bytes: number) => (bytes / 1e3).toFixed(1);

/** TLS beside plain, at thrum and at nats-server. The generator speaks TLS, too, where it is in C with OpenSSL. */
export const tls: Part = {
  name: "tls",
  isExtra: true,
  measure: async (bench) => {
    const loads = variants(bench, bench.isBrief ? SUBSCRIBERS_BRIEF : SUBSCRIBERS);
    const fanout = await measureRounds(bench, "tls", await startAll(bench, FAMILIES), loads);
    await bench.children.stop();
    const memory = await memoryRounds(bench, "tls, memory", FAMILIES);
    return { measured: [...grouped(fanout, "fanout"), ...grouped(memory, "memory")] };
  },
  tables: ({ measured }) => {
    const fanout = measured.filter(({ group }) => group === "fanout");
    const memory = measured.filter(({ group }) => group === "memory");
    return [
      tableOf(
        "TLS: one publisher, activities of 200 bytes, as fast as possible; deliveries a second to all subscribers",
        [labelColumn("subscribers"), SERVER_COLUMN],
        [
          ...spreadColumns("deliveries/s", perS),
          versusColumn("vs thrum without TLS", perS, "ephemeral"),
          versusColumn("vs nats with TLS", perS, "natsTls"),
          versusColumn("vs nats without TLS", perS, "nats"),
          processorColumn("server processor s per million deliveries"),
          ...CORES_COLUMNS,
        ],
        fanout,
        generatorNotes(fanout),
      ),
      tableOf(
        `TLS: memory of ${memory[0]?.label} idle connections, logged in; kB per connection`,
        [SERVER_COLUMN],
        [
          ...spreadColumns("in the program", idleBytes, kilobytes),
          medianColumn("after a collection", ({ collectedBytes }) => collectedBytes, kilobytes),
          medianColumn("in the kernel", ({ kernelBytes }) => kernelBytes, kilobytes),
          versusColumn("vs thrum without TLS", idleBytes, "ephemeral"),
          versusColumn("vs nats with TLS", idleBytes, "natsTls"),
        ],
        memory,
      ),
    ];
  },
};

function grouped(rows: readonly Measured[], group: string): Measured[] {
  return rows.map((row) => ({ ...row, group }));
}
