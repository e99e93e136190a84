/**
 * A part of the benchmark: what it measures, and how its figures become tables and pictures. The figures are plain data
 * that lie in a file of their own, so tables and pictures can be made again without measuring.
 */

import type { Children } from "./children.ts";
import type { Contender, Family, Programs } from "./contenders.ts";
import { atServer, type Generators, runJob } from "./generate.ts";
import type { Job, JobResult } from "./load/job.ts";
import type { RunningServer } from "./start_server.ts";
import { type Plot, plot } from "./figures/plot.ts";
import type { Table } from "./figures/table.ts";

/** Numbers by name, with units in their names: what one round gave. */
export type Figures = Readonly<Record<string, number>>;

/** What one server did under one load: figures for each round, `null` where it failed. */
export interface Measured {
  /** The load, as it stands in a table. */
  readonly label: string;
  /** The load as a number, for pictures. */
  readonly at: number;
  readonly family: Family;
  readonly name: string;
  /** Of a part with several tables: which. */
  readonly group?: string;
  readonly rounds: readonly (Figures | null)[];
}

/** What a part gave. */
export interface PartResult {
  readonly measured: readonly Measured[];
  /** Of a part that makes its tables while it measures. */
  readonly tables?: readonly Table[];
}

/** A picture for `docs/`. */
export interface Picture {
  /** The name of its file. */
  readonly file: string;
  readonly title: string;
  readonly svg: string;
}

/** A picture of `what`, in a file of that name. */
export function picture(file: string, what: Plot): Picture {
  return { file, title: what.title, svg: plot(what) };
}

/** What a part measures with. */
export interface Bench {
  readonly programs: Programs;
  readonly contenders: readonly Contender[];
  readonly generators: Generators;
  readonly children: Children;
  /** Everything once, with small numbers: to see that it works. */
  readonly isBrief: boolean;
  readonly rounds: number;
  /** Minutes of the soak. */
  readonly minutes: number;
  onProgress(line: string): void;
  onProblem(problem: string): void;
}

/** A part, by its name. */
export interface Part {
  readonly name: string;
  /** Only when it is asked for. */
  readonly isExtra?: boolean;
  measure(bench: Bench): Promise<PartResult>;
  tables(result: PartResult): readonly Table[];
  pictures?(result: PartResult): readonly Picture[];
}

/** A job without what depends on the server. */
export type Load = { [J in Job as J["kind"]]: Omit<J, "wire" | "port" | "serverPid" | "others" | "tls"> }[Job["kind"]];

/** A load that every contender gets. */
export interface Variant {
  readonly label: string;
  readonly at: number;
  /** The load, which may depend on who gets it. */
  load(name: string): Load;
}

/** A contender whose server listens. */
export interface Running {
  readonly contender: Contender;
  readonly server: RunningServer;
  readonly folder: string;
}

/** Starts all contenders of `families`, in that order. One that does not start is told to `onProblem` and left out. */
export async function startAll(bench: Bench, families: readonly Family[]): Promise<Running[]> {
  const wanted = families.flatMap((family) => bench.contenders.filter((each) => each.family === family));
  const running: Running[] = [];
  for (const contender of wanted) {
    const folder = await bench.children.folder();
    try {
      running.push({ contender, folder, server: await contender.start(bench.children, folder) });
    } catch (error) {
      bench.onProblem((error as Error).message);
    }
  }
  return running;
}

/** Puts each of `variants` on each of `running` in turn, round by round. */
export async function measureRounds(
  bench: Bench,
  part: string,
  running: readonly Running[],
  variants: readonly Variant[],
): Promise<Measured[]> {
  const measured: Measured[] = [];
  for (const variant of variants) {
    const results = running.map(() => [] as (Figures | null)[]);
    for (let round = 1; round <= bench.rounds; round++) {
      for (const [index, { contender, server }] of running.entries()) {
        const what = `${part} ${variant.label} · round ${round} of ${bench.rounds} · ${contender.name}`;
        results[index]!.push(await measureOnce(bench, what, contender, server, variant.load(contender.name)));
      }
    }
    for (const [index, { contender: { family, name } }] of running.entries()) {
      measured.push({ label: variant.label, at: variant.at, family, name, rounds: results[index]! });
    }
  }
  return measured;
}

/** Puts one load on a server. A load that fails is told to `onProblem`. */
export async function measureOnce(
  bench: Bench,
  what: string,
  contender: Pick<Contender, "wire">,
  server: RunningServer,
  load: Load,
): Promise<Figures | null> {
  bench.onProgress(what);
  const job = { ...load, ...atServer(contender.wire, server) } as Job;
  const result = await runJob(job, bench.generators, bench.children);
  if (result.kind === "failure") bench.onProblem(`${what}: ${result.message}; ${server.state()}`);
  return figuresOf(result);
}

/** The numbers of a result. */
export function figuresOf(result: JobResult): Figures | null {
  if (result.kind === "failure") return null;
  return Object.fromEntries(Object.entries(result).filter(([, value]) => typeof value === "number"));
}
