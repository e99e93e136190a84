/**
 * The benchmark: thrum beside nats-server and redis-server under the same loads, in the same run, as tables and
 * pictures. `bench/README.md` says how to read them.
 */

import { Children } from "./children.ts";
import { allContenders, type Peer, thrumCommand } from "./contenders.ts";
import { type Flags, parseFlags } from "./flags.ts";
import { compileGenerator } from "./load/native.ts";
import type { Bench, Part } from "./part.ts";
import { PARTS } from "./parts.ts";
import { findPeers } from "./peers.ts";
import { circumstances, loadPart, type SavedPart, savePart, takenOn } from "./figures/results.ts";
import { summary } from "./figures/summary.ts";
import { render } from "./figures/table.ts";

const ROUNDS = 5;

/** Says what goes on, and counts what goes wrong. */
class Reporter {
  problems = 0;

  onProgress(line: string): void {
    console.error(line);
  }

  onProblem(problem: string): void {
    this.problems++;
    console.error(`  problem: ${problem}`);
  }
}

/** Measures what `flags` ask for, keeps and prints it. Returns whether all went well. */
async function measure(flags: Flags, parts: readonly Part[], children: Children): Promise<boolean> {
  const reporter = new Reporter();
  const nats = await peers("nats-server", flags.nats, reporter);
  const redis = await peers("redis-server", flags.redis, reporter);
  const programs = { thrum: await thrumCommand(flags.server), nats, redis };
  const keptFolders = new Children();
  await using _kept = keptFolders;
  const generator = compileGenerator(await keptFolders.folder());
  if ("reason" in generator) {
    console.error(
      `The generator in C is left out, and the one in TypeScript may be the bottleneck: ${generator.reason}`,
    );
  }
  const bench: Bench = {
    programs,
    contenders: allContenders(programs),
    generators: "path" in generator ? { native: generator.path, hasTls: generator.hasTls } : { native: undefined },
    children,
    isBrief: flags.isBrief,
    rounds: flags.rounds ?? (flags.isBrief ? 1 : ROUNDS),
    minutes: flags.minutes,
    onProgress: (line) => reporter.onProgress(line),
    onProblem: (problem) => reporter.onProblem(problem),
  };
  const taken = takenOn([
    `Deno ${Deno.version.deno}`,
    ...nats.map(({ version }) => `nats-server ${version}`),
    ...redis.map(({ version }) => `redis-server ${version}`),
    `generator in ${"path" in generator ? "C" : "TypeScript"}`,
    `${bench.rounds} rounds`,
  ], new Date());
  for (const part of parts) {
    if (children.haveEnded) break;
    const kept = flags.isResumed ? await loadPart(flags.results, part.name) : undefined;
    // Those of a brief run stand for nothing else.
    if (kept !== undefined && kept.isBrief === flags.isBrief) continue;
    try {
      const load = Deno.loadavg()[0]!;
      const result = await part.measure(bench);
      if (children.haveEnded) break;
      await savePart(flags.results, { part: part.name, taken, load, isBrief: flags.isBrief, ...result });
    } catch (error) {
      // The others can still be measured. After an interruption every part fails like this.
      if (children.haveEnded) break;
      reporter.onProblem(`${part.name}: ${error instanceof Error ? error.stack : error}`);
    } finally {
      await children.stop();
    }
    await show(flags, part);
  }
  return reporter.problems === 0;
}

/** Prints the tables of a part, and draws its pictures. Returns its figures. `before` is what was shown before. */
async function show(flags: Flags, part: Part, before?: SavedPart): Promise<SavedPart | undefined> {
  const saved = await loadPart(flags.results, part.name);
  if (saved === undefined) return undefined;
  for (const table of part.tables(saved)) console.log(render(table, flags.style));
  for (const line of circumstances(saved, before)) console.log(`${line}\n`);
  for (const { file, title, svg } of flags.pictures === undefined ? [] : part.pictures?.(saved) ?? []) {
    await Deno.writeTextFile(`${flags.pictures}/${file}`, svg);
    if (flags.style === "markdown") console.log(`![${title}](../docs/${file})\n`);
    else console.error(`drew ${flags.pictures}/${file}`);
  }
  return saved;
}

/** Prints all that is kept, and how thrum compares. Returns whether there was anything. */
async function showKept(flags: Flags, parts: readonly Part[]): Promise<boolean> {
  const results = new Map<string, SavedPart>();
  let before: SavedPart | undefined;
  for (const part of parts) {
    const saved = await show(flags, part, before);
    if (saved !== undefined) results.set(part.name, saved);
    before = saved ?? before;
  }
  if (results.size === 0) {
    console.error(`There are no figures in "${flags.results}"`);
    return false;
  }
  console.log(render(summary(results), flags.style));
  return true;
}

async function peers(name: string, paths: readonly string[], reporter: Reporter): Promise<Peer[]> {
  return await findPeers(name, paths, (path) => {
    if (path === name) console.error(`${name} was not found on the PATH`);
    else reporter.onProblem(`"${path}" is no ${name}`);
  });
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
  const names = (isExtra: boolean) =>
    PARTS.filter((part) => (part.isExtra ?? false) === isExtra).map(({ name }) => name);
  const flags = parseFlags(Deno.args, names(false), names(true));
  if ("text" in flags) {
    console.log(flags.text);
    Deno.exit(flags.code);
  }
  if (flags.server !== undefined && !await exists(flags.server)) {
    console.error(`Cannot measure "${flags.server}": there is no such file`);
    Deno.exit(2);
  }
  const parts = PARTS.filter((part) =>
    flags.only.length > 0 ? flags.only.includes(part.name) : flags.isTablesOnly || part.isExtra !== true
  );
  if (flags.isTablesOnly) Deno.exit(await showKept(flags, parts) ? 0 : 1);
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
    isDone = await measure(flags, parts, children);
  } catch (error) {
    // Interrupted, it fails at the next program that it wants to start.
    if (!isInterrupted) throw error;
  } finally {
    await children[Symbol.asyncDispose]();
  }
  Deno.exit(isInterrupted ? 130 : isDone ? 0 : 1);
}
