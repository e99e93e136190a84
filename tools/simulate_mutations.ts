/**
 * `deno task simulate:mutations`: shows that the simulator can fail. Breaks one promise at a time on purpose, in
 * a copy of the sources, and lets the simulator look for it; the seed that shows it has to be clean with the
 * sources as they are.
 */

import { parseArgs } from "@std/cli/parse-args";
import { type Mutation, MUTATIONS } from "../tests/simulation/mutations.ts";

/** What one run of the simulator came to. */
interface Run {
  readonly failedSeed: number | undefined;
  readonly promise: string;
  readonly output: string;
}

const SIZES = ["--servers", "3", "--clients", "5", "--steps", "60"];

const flags = parseArgs(Deno.args, { string: ["seeds", "only"], default: { seeds: "1000", only: "" } });
const mostSeeds = Number(flags["seeds"]);
const root = Deno.cwd();
const folder = await Deno.makeTempDir({ prefix: "thrum-mutations-" });
let isAllCaught = true;
try {
  console.log("| mutation | caught by seed | broken promise |\n|---|---|---|");
  for (const mutation of MUTATIONS.filter(({ name }) => name.includes(String(flags["only"])))) {
    await copySources();
    await mutate(mutation);
    const { failedSeed, promise, output } = await catchIt();
    isAllCaught &&= failedSeed !== undefined;
    console.log(`| ${mutation.name} | ${failedSeed ?? `none of ${mostSeeds}`} | ${promise} |`);
    if (failedSeed === undefined) console.error(output.slice(-1_000));
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
Deno.exit(isAllCaught ? 0 : 1);

/** The first seed that fails with the mutation and not without it. */
async function catchIt(): Promise<Run> {
  for (let seed = 1;;) {
    const run = await simulate(folder, ["--seed", String(seed), "--seeds", String(mostSeeds - seed + 1), "--raw"]);
    if (run.failedSeed === undefined) return run;
    const before = await simulate(root, ["--seed", String(run.failedSeed), "--raw"]);
    if (before.failedSeed === undefined) return run;
    console.error(`seed ${run.failedSeed} fails without the mutation too: ${before.promise}`);
    seed = run.failedSeed + 1;
  }
}

/** What the simulator needs: the shipped rooms, and itself. */
async function copySources(): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(root)) {
    const isRoom = isDirectory && !name.startsWith(".") && !["dist", "thrum-data", "docs", "bench"].includes(name);
    if (isRoom) await copyFolder(`${root}/${name}`, `${folder}/${name}`);
    else if (/^(deno\.(json|lock)|imports\.json)$/.test(name)) {
      await Deno.copyFile(`${root}/${name}`, `${folder}/${name}`);
    }
  }
}

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory, isFile } of Deno.readDir(from)) {
    if (isDirectory) await copyFolder(`${from}/${name}`, `${to}/${name}`);
    else if (isFile && name.endsWith(".ts")) await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}

/** @throws {Error} when the text is not there once: the mutation has to be brought up to date. */
async function mutate({ name, path, text, replacement }: Mutation): Promise<void> {
  const source = await Deno.readTextFile(`${folder}/${path}`);
  const count = source.split(text).length - 1;
  if (count !== 1) throw new Error(`Cannot ${name}: "${text}" stands ${count} times in ${path}`);
  await Deno.writeTextFile(`${folder}/${path}`, source.replace(text, () => replacement));
}

async function simulate(cwd: string, args: readonly string[]): Promise<Run> {
  const command = new Deno.Command(Deno.execPath(), {
    // Without types, as one that is broken on purpose may leave something unused.
    args: ["run", "--lock=deno.lock", "-A", "--no-check", "tools/simulate.ts", ...SIZES, ...args],
    cwd,
    stdout: "piped",
    stderr: "piped",
  });
  const { stdout, stderr } = await command.output();
  const output = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  const [, seed, promise] = /^seed (\d+): \d+ violations.*\n +[\d.]+ ms +([^:]+):/m.exec(output) ?? [];
  return { failedSeed: seed === undefined ? undefined : Number(seed), promise: promise ?? "", output };
}
