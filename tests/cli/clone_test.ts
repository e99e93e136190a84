/** Two servers as processes, on copies of one data folder. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";

import { type Program, startServer } from "../support/program.ts";

Deno.test("a server on a copy of a data folder whose server is in the network says so, and ends with exit code 7", async () => {
  const folder = await Deno.makeTempDir({ prefix: "thrum-clone-" });
  const start = (data: string, ...join: string[]) =>
    startServer([
      ...["--port", "0", "--no-prompt", "--data", `${folder}/${data}`, "-s", "one secret for all"],
      ...join.flatMap((port) => ["--join", `127.0.0.1:${port}`]),
    ]);
  try {
    {
      await using first = start("original");
      await portOf(first);
      first.signal("SIGTERM");
      assertEquals(await first.ended(), 0);
    }
    for (const name of ["copy", "other-copy"]) copyFolder(`${folder}/original`, `${folder}/${name}`);
    await using third = start("third");
    const thirdPort = await portOf(third);
    await using original = start("original", thirdPort);
    const originalPort = await portOf(original);
    await original.tells(/joined; servers linked: 1/);
    for (const [data, join] of [["copy", thirdPort], ["other-copy", originalPort]] as const) {
      await using clone = start(data, join);
      assertEquals(await clone.ended(), 7);
      assertStringIncludes(clone.errors, "This data folder is a copy");
    }
    assertMatch(third.errors, /runs on a copy of the data folder of s-[0-9a-f]{12}/);
    original.signal("SIGTERM");
    assertEquals(await original.ended(), 0);
    third.signal("SIGTERM");
    assertEquals(await third.ended(), 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

function copyFolder(from: string, to: string): void {
  Deno.mkdirSync(to);
  for (const { name } of Deno.readDirSync(from)) Deno.copyFileSync(`${from}/${name}`, `${to}/${name}`);
}

async function portOf(server: Program): Promise<string> {
  await server.sees(/stop +Ctrl-C\n/);
  return server.output.match(/listening on 127\.0\.0\.1:(\d+)/)![1]!;
}
