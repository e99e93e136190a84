/** The benchmark as a program: that it runs to its end, keeps its figures, and leaves nothing behind. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { LOCKED } from "../../tools/locked.ts";
import { eventually } from "../support/until.ts";

const decoder = new TextDecoder();
/** Its parts read /proc. */
const ignore = Deno.build.os !== "linux";

function bench(args: readonly string[], temporary: string): Deno.Command {
  const main = new URL("../../bench/main.ts", import.meta.url).pathname;
  return new Deno.Command(Deno.execPath(), {
    args: ["run", LOCKED, "-A", "--quiet", main, ...args],
    env: { TMPDIR: temporary, NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "thrum-bench-test-" });
  try {
    await Deno.mkdir(`${folder}/tmp`);
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Processes that were started in, or with files of, `folder`. */
async function processesIn(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const command = await Deno.readTextFile(`/proc/${name}/cmdline`);
      if (command.includes(folder) || (await Deno.readLink(`/proc/${name}/cwd`)).startsWith(folder)) {
        found.push(command);
      }
    } catch {
      // It has just ended, or is the system's.
    }
  }
  return found;
}

Deno.test({
  name: "the benchmark keeps the figures of a brief run, and makes tables and pictures of them again",
  ignore,
  fn: () =>
    inFolder(async (folder) => {
      const kept = ["--results", `${folder}/figures`];
      const args = ["--brief", "--only", "growth", "--only", "fanout", ...kept];
      const run = await bench(args, `${folder}/tmp`).output();
      const text = decoder.decode(run.stdout);
      assertEquals(run.code, 0, decoder.decode(run.stderr));
      assertMatch(text, /Fan-out: one publisher/);
      assertMatch(text, /thrum, stored +\d/);
      assertMatch(text, /bare loop +\d/);
      assertEquals([...Deno.readDirSync(`${folder}/tmp`)], [], "folders that are left");

      const again = await bench([...args, "--resume"], `${folder}/tmp`).output();
      assertEquals([again.code, decoder.decode(again.stdout)], [0, ""], "what was measured twice");

      const tables = await bench(["--tables", `${folder}/figures`, "--pictures", folder], `${folder}/tmp`).output();
      assertMatch(decoder.decode(tables.stdout), /\| subscribers \| server/);
      assertMatch(decoder.decode(tables.stdout), /!\[Deliveries over subscribers\]\(\.\.\/docs\/bench-growth\.svg\)/);
      assertMatch(await Deno.readTextFile(`${folder}/bench-growth.svg`), /^<svg /);
    }),
});

Deno.test({
  name: "the benchmark ends all that it has started when it is interrupted",
  ignore,
  fn: () =>
    inFolder(async (folder) => {
      const child = bench(["--only", "fanout", "--results", `${folder}/figures`], `${folder}/tmp`).spawn();
      let said = "";
      const reading = (async () => {
        for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) said += text;
      })();
      const output = new Response(child.stdout).text();
      await eventually(() => said.includes("round 1 of"), () => `a load begins; it has said ${said}`);
      assert((await processesIn(folder)).length > 1);
      child.kill("SIGINT");
      assertEquals((await child.status).code, 130);
      await Promise.all([reading, output]);
      assertEquals(await processesIn(folder), []);
      assertEquals([...Deno.readDirSync(`${folder}/tmp`)], [], "folders that are left");
    }),
});
