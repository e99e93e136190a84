/** The command line of the benchmark. Pure: it is given the names of all parts. */

import { parseArgs } from "@std/cli/parse-args";

/** What is asked for. */
export interface Flags {
  readonly only: readonly string[];
  readonly isBrief: boolean;
  /** `undefined` when nobody said. */
  readonly rounds: number | undefined;
  readonly minutes: number;
  readonly nats: readonly string[];
  readonly redis: readonly string[];
  readonly server: string | undefined;
  /** Where the figures lie, and come to lie. */
  readonly results: string;
  /** Whether parts whose figures are there are left out. */
  readonly isResumed: boolean;
  /** Only make tables and pictures of the figures that there are. */
  readonly isTablesOnly: boolean;
  readonly pictures: string | undefined;
  readonly style: "terminal" | "markdown";
}

/** Text to print and an exit code, when somebody asks for help or is wrong. */
export interface Answer {
  readonly text: string;
  readonly code: number;
}

const SOAK_MINUTES = 10;

/**
 * What `args` ask for. `usual` are the parts that are measured unless some are named, `extra` those that have to be.
 */
export function parseFlags(
  args: readonly string[],
  usual: readonly string[],
  extra: readonly string[],
): Flags | Answer {
  const unknown: string[] = [];
  const parsed = parseArgs([...args], {
    boolean: ["brief", "resume", "markdown", "help"],
    string: ["only", "server", "nats", "redis", "rounds", "minutes", "results", "tables", "pictures"],
    collect: ["only", "nats", "redis"],
    unknown: (argument) => void unknown.push(argument),
  }) as Readonly<Record<string, unknown>>;
  const help = helpText(usual, extra);
  if (parsed.help === true) return { text: help, code: 0 };
  const only = parsed.only as string[];
  unknown.push(...only.filter((name) => !usual.includes(name) && !extra.includes(name)));
  for (const name of ["rounds", "minutes"]) {
    if (parsed[name] !== undefined && !(Number(parsed[name]) > 0)) unknown.push(`--${name} ${parsed[name]}`);
  }
  if (unknown.length > 0) return { text: `Cannot understand "${unknown[0]}"\n\n${help}`, code: 2 };
  const tables = parsed.tables as string | undefined;
  return {
    only,
    isBrief: parsed.brief === true,
    rounds: parsed.rounds === undefined ? undefined : Math.ceil(Number(parsed.rounds)),
    minutes: Number(parsed.minutes ?? SOAK_MINUTES),
    nats: parsed.nats as string[],
    redis: parsed.redis as string[],
    server: parsed.server as string | undefined,
    results: tables ?? (parsed.results as string | undefined) ?? "bench-results",
    isResumed: parsed.resume === true,
    isTablesOnly: tables !== undefined,
    pictures: parsed.pictures as string | undefined,
    style: parsed.markdown === true || tables !== undefined ? "markdown" : "terminal",
  };
}

function helpText(usual: readonly string[], extra: readonly string[]): string {
  return `Measures thrum, and nats-server and redis-server where they are installed.

Usage: deno task bench [flags]

  --only PART      one part, may be repeated: ${usual.slice(0, 7).join(", ")},
                   ${usual.slice(7).join(", ")};
                   and only when named: ${extra.join(", ")}
  --brief          small numbers, once: shows that everything runs, its figures say nothing
  --rounds N       so many rounds for each figure (5)
  --minutes N      minutes of the soak (${SOAK_MINUTES})
  --nats PATH      another nats-server beside the one on the PATH, may be repeated
  --redis PATH     another redis-server beside the one on the PATH, may be repeated
  --server PATH    a compiled thrum-server instead of server.ts
  --results DIR    where the figures of each part are kept, as JSON (bench-results)
  --resume         leave out the parts whose figures are kept there
  --markdown       tables for bench/README.md
  --tables DIR     measure nothing: tables for bench/README.md of the figures kept in DIR
  --pictures DIR   draw the figures as SVG files into DIR
  --help           this

Exit codes: 0 done, 1 something failed (the tables show what there is), 2 wrong usage, 130 interrupted.`;
}
