/** What a long log costs: readers that catch up on it, and a start on it. */

import { delay } from "@std/async/delay";
import { CORES_COLUMNS, labelColumn, middle, SERVER_COLUMN, spreadColumns, tableOf } from "../figures/columns.ts";
import { configuredThrum } from "../contenders.ts";
import { firstLine } from "../load/first_line.ts";
import { residentBytes } from "../load/process_stats.ts";
import {
  type Bench,
  type Figures,
  type Measured,
  measureOnce,
  measureRounds,
  type Part,
  picture,
  type Running,
  startAll,
} from "../part.ts";
import { linesOf } from "../figures/plot.ts";
import { endServer } from "../start_server.ts";
import { straightLine } from "../figures/statistics.ts";
import { whole } from "../figures/table.ts";

const READERS = 16;
const BACKLOGS = [10_000, 30_000, 100_000, 300_000, 1_000_000];
const BACKLOGS_BRIEF = [1_000, 3_000];
const STARTS = [0, 10_000, 100_000, 1_000_000, 10_000_000];
const STARTS_BRIEF = [0, 1_000, 10_000];
const ESTIMATED = 100_000_000;
const WINDOW = 512;
const MS_PER_S = 1_000;
const LOGIN = '{"command":"LOGIN","username":"anonymous","features":["resume"]}\n';
/** Nothing of the log is forgotten. */
const KEEP_ALL = { store: { activityRetentionBytes: 1e15 } };

const seconds = ({ perS, entries }: Figures) =>
  perS === undefined || entries === undefined ? undefined : entries * READERS / perS;

/** Clients that were away, and get all that there is. */
export const backlog: Part = {
  name: "backlog",
  measure: async (bench) => {
    const contender = configuredThrum("stored", "thrum, stored", bench.programs.thrum, KEEP_ALL);
    const running = await startAll({ ...bench, contenders: [contender] }, ["stored"]);
    const measured: Measured[] = [];
    let entries = 0;
    for (const count of bench.isBrief ? BACKLOGS_BRIEF : BACKLOGS) {
      await fill(bench, running[0]!, count - entries);
      entries = count;
      const rows = await measureRounds(bench, "backlog", running, [{
        label: whole(count),
        at: count,
        load: () => ({ kind: "readers", connections: READERS, entries: count, deadlineMs: 120_000 }),
      }]);
      measured.push(
        ...rows.map((row) => ({ ...row, rounds: row.rounds.map((round) => round && { ...round, entries }) })),
      );
    }
    return { measured };
  },
  tables: ({ measured }) => [
    tableOf(
      `Catch-up: ${READERS} readers log in at once, and each gets all entries of the log, of 200 bytes`,
      [labelColumn("entries"), SERVER_COLUMN],
      [
        ...spreadColumns("seconds until all have all", seconds),
        ...spreadColumns("entries/s to all readers", ({ perS }) => perS),
        ...CORES_COLUMNS,
      ],
      measured,
    ),
  ],
  pictures: ({ measured }) => [picture("bench-catch-up.svg", {
    title: `Catch-up of ${READERS} readers over the log`,
    x: { label: "entries in the log", isLog: true },
    panels: [
      { y: { label: "seconds until all have all", isLog: true }, lines: linesOf(measured, seconds) },
      { y: { label: "entries a second to all", isLog: false }, lines: linesOf(measured, ({ perS }) => perS) },
    ],
  })],
};

/** From the start of the program until it answers a login. */
export const start: Part = {
  name: "start",
  measure: async (bench) => {
    const { thrum } = bench.programs;
    const measured: Measured[] = [];
    const calm: Measured[] = [];
    for (const count of bench.isBrief ? STARTS_BRIEF : STARTS) {
      // Of its own, so that all starts of one log are on one folder.
      const folder = await bench.children.folder();
      const contender = configuredThrum("stored", "thrum, stored", thrum, KEEP_ALL);
      const begin = async (): Promise<Running> => ({
        contender,
        folder,
        server: await contender.start(bench.children, folder),
      });
      const first = await begin();
      if (count > 0) await fill(bench, first, count);
      await endServer(first.server, "SIGTERM");
      for (const how of ["SIGTERM", "SIGKILL"] as const) {
        const rounds: Figures[] = [];
        for (let round = 0; round <= bench.rounds; round++) {
          bench.onProgress(`start · ${count} entries · after ${how} · round ${round} of ${bench.rounds}`);
          const beganAt = performance.now();
          const { server } = await begin();
          await firstLine(server.port, LOGIN);
          const startMs = performance.now() - beganAt;
          await delay(200);
          const residentMb = residentBytes(server.process.pid) / 1e6;
          await endServer(server, how);
          // The first was ended in another way.
          if (round > 0) rounds.push({ startMs, residentMb });
        }
        const name = how === "SIGTERM" ? "thrum, after SIGTERM" : "thrum, after kill -9";
        (how === "SIGTERM" ? calm : measured).push({ label: whole(count), at: count, family: "stored", name, rounds });
      }
      await bench.children.stop();
    }
    return { measured: [...calm, ...measured] };
  },
  tables: ({ measured }) => [
    tableOf(
      "Start: seconds from the start of the program until it answers a login, over the entries in its store",
      [labelColumn("entries"), SERVER_COLUMN],
      [
        ...spreadColumns("seconds", startS),
        ...spreadColumns("resident memory then, MB", ({ residentMb }) => residentMb),
      ],
      measured,
      estimates(measured),
    ),
  ],
  pictures: ({ measured }) => [picture("bench-start.svg", {
    title: "Start over the entries in the store",
    x: { label: "entries", isLog: true },
    panels: [
      {
        y: { label: "seconds until a login is answered", isLog: false },
        lines: linesOf(withoutEmpty(measured), startS),
      },
      {
        y: { label: "resident memory then, MB", isLog: false },
        lines: linesOf(withoutEmpty(measured), ({ residentMb }) => residentMb),
      },
    ],
  })],
};

const startS = ({ startMs }: Figures) => startMs === undefined ? undefined : startMs / MS_PER_S;

/** An axis of powers has no place for nothing. */
function withoutEmpty(measured: readonly Measured[]): Measured[] {
  return measured.filter(({ at }) => at > 0);
}

function estimates(measured: readonly Measured[]): string[] {
  return [...new Set(measured.map(({ name }) => name))].map((name) => {
    const rows = measured.filter((row) => row.name === name).slice(-2);
    const at = straightLine(rows.map((row): [number, number] => [row.at, middle(row, startS)]));
    // A log that seems to start sooner as it grows is within the noise: then nothing grows.
    const seconds = Math.max(at(ESTIMATED), at(rows.at(-1)?.at ?? NaN));
    return `An estimate and not measured: ${whole(ESTIMATED)} entries, ${name}: ${seconds.toFixed(1)} s, ` +
      "on the straight line through the two longest logs.";
  });
}

async function fill(bench: Bench, { contender, server }: Running, entries: number): Promise<void> {
  const load = { kind: "fill", entries, window: WINDOW, deadlineMs: 900_000 } as const;
  const figures = await measureOnce(bench, `${entries} entries are published`, contender, server, load);
  if (figures === null) throw new Error("The server could not be filled");
}
