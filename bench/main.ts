/**
 * The benchmark: thrum beside nats-server and redis-server under the same loads, in the same run, as tables.
 * `bench/README.md` says how to read them.
 */

import { parseArgs } from "@std/cli/parse-args";
import { Children } from "./children.ts";
import { findContenders, thrumCommand } from "./contenders.ts";
import { measureNetwork, NETWORK_SCENARIO_NAMES, type NetworkScenarioName } from "./network_scenarios.ts";
import { runScenario } from "./run_scenario.ts";
import { SCENARIO_NAMES, type ScenarioName, scenarios } from "./scenarios.ts";
import { render } from "./table.ts";

const NAMES = [...SCENARIO_NAMES, ...NETWORK_SCENARIO_NAMES] as const;

const HELP = `Measures thrum, and nats-server and redis-server where they are installed.

Usage: deno task bench [flags]

  --quick         everything once and briefly, in about two minutes: rough figures
  --only NAME     one scenario, may be repeated: ${SCENARIO_NAMES.join(", ")};
                  of several servers ${NETWORK_SCENARIO_NAMES.join(", ")}
  --server PATH   a compiled thrum-server instead of server.ts
  --markdown      tables for bench/README.md
  --help          this

Exit codes: 0 done, 1 something failed (the tables show what there is), 2 wrong usage, 130 interrupted.`;

interface Flags {
  readonly isQuick: boolean;
  readonly only: readonly (ScenarioName | NetworkScenarioName)[];
  readonly server: string | undefined;
  readonly style: "terminal" | "markdown";
}

/** What `args` ask for; text to print and an exit code when they ask for help or are wrong. */
function parseFlags(args: readonly string[]): Flags | { readonly text: string; readonly code: number } {
  const unknown: string[] = [];
  const parsed = parseArgs(args, {
    boolean: ["quick", "markdown", "help"],
    string: ["only", "server"],
    collect: ["only"],
    unknown: (argument) => void unknown.push(argument),
  });
  if (parsed.help === true) return { text: HELP, code: 0 };
  const only = parsed.only as (ScenarioName | NetworkScenarioName)[];
  unknown.push(...only.filter((name) => !NAMES.includes(name)));
  if (unknown.length > 0) return { text: `Cannot understand "${unknown[0]}"\n\n${HELP}`, code: 2 };
  return {
    isQuick: parsed.quick === true,
    only: only.length > 0 ? only : NAMES,
    server: parsed.server as string | undefined,
    style: parsed.markdown === true ? "markdown" : "terminal",
  };
}

/** Runs what `flags` ask for and prints it. Returns whether all went well. */
async function run(flags: Flags, children: Children): Promise<boolean> {
  let problems = 0;
  const onProblem = (problem: string) => {
    problems++;
    console.error(`  problem: ${problem}`);
  };
  const onProgress = (line: string) => console.error(line);
  const thrum = await thrumCommand(flags.server);
  const contenders = await findContenders(thrum);
  if (contenders.nats === undefined) console.error("nats-server was not found on the PATH: it is left out");
  if (contenders.redis === undefined) console.error("redis-server was not found on the PATH: it is left out");
  for (const scenario of scenarios(flags.isQuick)) {
    if (!flags.only.includes(scenario.name) || children.haveEnded) continue;
    const measured = await runScenario(scenario, contenders, children, onProgress, onProblem);
    console.log(`\n${render(scenario.table(measured), flags.style)}`);
  }
  for (const name of NETWORK_SCENARIO_NAMES) {
    if (!flags.only.includes(name) || children.haveEnded) continue;
    const table = await measureNetwork(name, { thrum, isQuick: flags.isQuick, children, onProgress, onProblem });
    console.log(`\n${render(table, flags.style)}`);
  }
  return problems === 0;
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    // Not there, or not to be seen.
    return false;
  }
}

if (import.meta.main) {
  const flags = parseFlags(Deno.args);
  if ("text" in flags) {
    console.log(flags.text);
    Deno.exit(flags.code);
  }
  if (flags.server !== undefined && !await exists(flags.server)) {
    console.error(`Cannot measure "${flags.server}": there is no such file`);
    Deno.exit(2);
  }
  const children = new Children();
  let isInterrupted = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => {
      isInterrupted = true;
      void children[Symbol.asyncDispose]();
    });
  }
  let isDone = false;
  try {
    isDone = await run(flags, children);
  } catch (error) {
    // Interrupted, it fails at the next program that it wants to start.
    if (!isInterrupted) throw error;
  } finally {
    await children[Symbol.asyncDispose]();
  }
  Deno.exit(isInterrupted ? 130 : isDone ? 0 : 1);
}
