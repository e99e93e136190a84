/** The programs behind `deno task diagram` and `deno task why`, on files. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";

Deno.test("diagram draws files in every format, with the files that these went on from, and says what is wrong", async () => {
  const folder = await Deno.makeTempDir({ prefix: "thrum-diagram-" });
  try {
    const lines = Deno.readTextFileSync(SAMPLE).trimEnd().split("\n");
    const trace = `${folder}/trace.jsonl`;
    await Deno.writeTextFile(`${trace}.1`, lines.slice(0, 20).join("\n") + "\n");
    await Deno.writeTextFile(trace, [...lines.slice(20), '{"at":1,"lam'].join("\n"));
    const begins = { svg: "<svg ", text: "  ", json: "{", mermaid: "sequenceDiagram", shiviz: "(?<host>" };
    for (const [format, begin] of Object.entries(begins)) {
      const { code, out, err } = await run("diagram", "--format", format, trace);
      assertEquals([code, out.slice(0, begin.length), err], [0, begin, `${trace}: 1 lines are no events\n`]);
      const whole = await run("diagram", "--format", format, SAMPLE);
      assertEquals(out, whole.out);
    }
    const part = await run("diagram", "--format", "text", "--from", "9", "--to", "10", SAMPLE);
    assertStringIncludes(part.out, "publish s-aaaa:4");
    for (
      const args of [[], ["--format", "png", SAMPLE], ["--form", SAMPLE], ["--from", "x", SAMPLE], [`${folder}/none`]]
    ) {
      const { code, out, err } = await run("diagram", ...args);
      assertEquals([code, out], [1, ""]);
      assert(err.length > 0);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("why answers for a user or an activity, and wants one of them", async () => {
  assertStringIncludes((await run("why", "--user", "bob", SAMPLE)).out, "HEARTBEAT_TIMEOUT");
  assertStringIncludes((await run("why", "--id", "k3f2abcdef-1", SAMPLE)).out, "2 of 2 clients");
  assertEquals((await run("why", SAMPLE)).code, 1);
  assertEquals((await run("why", "--user", "a", "--id", "b", SAMPLE)).code, 1);
});

const SAMPLE = new URL("../trace/sample.jsonl", import.meta.url).pathname;

async function run(tool: string, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const program = new URL(`../../tools/${tool}.ts`, import.meta.url).pathname;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-R", "--no-check", program, ...args],
    env: { NO_COLOR: "1" },
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, out: out!, err: err! };
}
