import { assert, assertEquals, assertRejects } from "@std/assert";
import { openLineFile } from "../../../platform/files/line_file.ts";
import { until } from "../../support/until.ts";

Deno.test("LineFile appends lines in order to what is there, soon and at the end", async () => {
  const path = await Deno.makeTempFile({ prefix: "thrum-lines-" });
  try {
    const lines = Array.from({ length: 3_000 }, (_, index) => `${index} ${"é".repeat(40)}\n`);
    await Deno.writeTextFile(path, "before\n");
    {
      await using file = await openLineFile(path);
      file.append(lines[0]!);
      await until(() => Deno.readTextFileSync(path) === `before\n${lines[0]}`, "the first line being written");
      // More than is gathered for one write.
      for (const line of lines.slice(1)) file.append(line);
    }
    assertEquals(await Deno.readTextFile(path), `before\n${lines.join("")}`);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("LineFile goes on in a new file at its limit, between lines, and keeps the one before", async () => {
  const folder = await Deno.makeTempDir({ prefix: "thrum-lines-" });
  const path = `${folder}/lines`;
  const line = (n: number) => `${n}${"x".repeat(99 - String(n).length)}\n`;
  try {
    await Deno.writeTextFile(path, line(0));
    const file = await openLineFile(path, 100_000);
    for (let n = 1; n < 5_000; n++) file.append(line(n));
    await file.close();
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), ["lines", "lines.1"]);
    const [before, now] = [`${path}.1`, path].map((name) => Deno.readTextFileSync(name));
    for (const text of [before!, now!]) assert(text.length <= 100_000 && text.endsWith("x\n"), `${text.length}`);
    const kept = (before! + now!).match(/^\d+/gm)!.map(Number);
    // Nothing is missing from where the kept part begins.
    assertEquals(kept, Array.from({ length: kept.length }, (_, index) => 5_000 - kept.length + index));
    assert(kept.length > 600);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test({
  name: "LineFile tells at the end that it could not write",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const file = await openLineFile("/dev/full");
    file.append("line\n");
    assertEquals((await assertRejects(() => file.close()) as { code?: string }).code, "ENOSPC");
  },
});
