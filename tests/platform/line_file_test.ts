import { assertEquals, assertRejects } from "@std/assert";
import { openLineFile } from "../../platform/line_file.ts";
import { until } from "../support/until.ts";

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

Deno.test({
  name: "LineFile tells at the end that it could not write",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const file = await openLineFile("/dev/full");
    file.append("line\n");
    assertEquals((await assertRejects(() => file.close()) as { code?: string }).code, "ENOSPC");
  },
});
