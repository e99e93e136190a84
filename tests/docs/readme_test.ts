/** README.md is short, runs as it stands, and has the numbers of the measurements. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { LOCKED } from "../../tools/locked.ts";

const root = new URL("../../", import.meta.url);
const text = read("README.md");
const lines = text.split("\n");
/** What a newcomer sees without scrolling. */
const top = lines.slice(0, 30).join("\n");

/** So that it stays something that a newcomer reads. */
const MAX_LINES = 130;

Deno.test("README.md shows what thrum is, a program and both commands in its first 30 lines, and is short", () => {
  assert(lines.length <= MAX_LINES, `README.md has ${lines.length} lines`);
  assertEquals(programsIn(top).length, 1);
  for (const task of ["demo", "test"]) assert(new RegExp(`deno@[\\d.]+ task ${task}\\b`).test(top), task);
});

Deno.test("the program in README.md writes what its comment says", async () => {
  const [program = ""] = programsIn(text);
  const said = /console\.log\(.*\); \/\/ (.*)$/m.exec(program)?.[1];
  const folder = await Deno.makeTempDir();
  try {
    // As README.md says how to run a program from a folder of one's own.
    await Deno.writeTextFile(`${folder}/readme.ts`, program.replace("./mod.ts", new URL("mod.ts", root).href));
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", LOCKED, "-A", "--config", new URL("deno.json", root).pathname, "readme.ts"],
      cwd: folder,
      env: { NO_COLOR: "1" },
      stdin: "null",
    }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    assertEquals(new TextDecoder().decode(stdout).trim(), said);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("README.md has the numbers of bench/README.md and docs/heartbeat.md", () => {
  const [fast = "", goesOn = "", patient = ""] = top.split("\n* ").slice(1).map((fact) => fact.replaceAll(/\s+/g, " "));
  const measured = read("bench/README.md").split("\n");
  const fanout = /To (\d+) clients .* ([\d.]+ M) deliveries.* ([\d.]+ ×) nats-server and ([\d.]+ ×) redis-server/
    .exec(fast)?.slice(1);
  assert(fanout !== undefined, fast);
  const row = cellsOf(measured, `| ${Number(fanout[0]).toLocaleString("en-US")} `, "thrum, stored");
  assertEquals(fanout.slice(1), pick(row, [2, 4, 5]));
  const synced = /([\d.]+ k) activities .* ([\d.]+ ×) JetStream that syncs always.* ([\d.]+ ×) as long/.exec(fast)
    ?.slice(1);
  const full = cellsOf(measured, "| 16 ", "thrum, synchronous full");
  const p99 = cellsOf(measured.slice(measured.findIndex((line) => line.startsWith("### Latency"))), "| thrum, stored ");
  assertEquals(synced, [...pick(full, [3, 5]), p99[7]]);
  const failover = /Half .* within (\d+) ms, 99 % within (\d+) ms/.exec(goesOn)?.slice(1);
  assertEquals(failover, pick(cellsOf(measured, "| median "), [2, 3]));
  const stall = /([\d.]+ s): a usual timer closed all ([\d,]+) clients/.exec(patient)?.slice(1);
  assert(stall !== undefined, patient);
  for (const number of stall) assertStringIncludes(read("docs/heartbeat.md"), number);
});

Deno.test("README.md and docs/ show no task that deno.json does not have", () => {
  const { tasks } = JSON.parse(read("deno.json"));
  const documents = [
    "README.md",
    "CONTRIBUTING.md",
    ...[...Deno.readDirSync(new URL("docs/", root))].map(({ name }) => `docs/${name}`).filter((path) =>
      path.endsWith(".md")
    ),
  ];
  for (const document of documents) {
    for (const [shown, task] of read(document).matchAll(/\bdeno(?:@[\d.]+)? task (?:--quiet )?([a-z0-9:]+)/g)) {
      assert(task! in tasks, `${document}: ${shown}`);
    }
  }
});

function programsIn(markdown: string): string[] {
  return [...markdown.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, program]) => program!);
}

/** The cells of the first row that begins with `start` and has `cell`. */
function cellsOf(rows: readonly string[], start: string, cell = ""): string[] {
  const row = rows.find((row) => row.startsWith(start) && row.includes(cell));
  assert(row !== undefined, `no row ${start} ${cell}`);
  return row.slice(1, -1).split("|").map((cell) => cell.trim());
}

function pick<T>(values: readonly T[], indexes: readonly number[]): (T | undefined)[] {
  return indexes.map((index) => values[index]);
}

function read(path: string): string {
  return Deno.readTextFileSync(new URL(path, root));
}
