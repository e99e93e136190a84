/** Files that became part of another one, and are still in the folder. */

import { assertEquals } from "@std/assert";
import { Bench, settleIo, withFolders } from "./_bench.ts";

Deno.test("a file that is still there counts no more when the file that replaced it is cut", async () => {
  await withFolders(async (next) => {
    const bench = new Bench(next);
    const { log, model } = bench;
    // Until a file was made of others, which are still to be removed.
    for (let turn = 1; bench.files.length <= bench.index.use.files; turn++) {
      bench.turn("b", 1_000 + turn, bench.fresh(3));
      for (let tick = 0; tick < 20 && bench.files.length <= bench.index.use.files; tick++) await Promise.resolve();
      await Deno.stat(bench.folder);
    }
    const kept = log.segments[0]!;
    bench.index.cut("b", kept.last, kept.position);
    log.cut("b", kept.last);
    model.drop(({ origin, sequence }) => origin === "b" && sequence > kept.last);
    bench.crash();
    bench.check();
    assertEquals(bench.index.use.ids, 3);
    await bench.index.settled();
    bench.index.close();
    await settleIo(bench.folder);
  });
});
