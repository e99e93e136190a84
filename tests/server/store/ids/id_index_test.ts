/** The index of used message ids: what is in files, and what happens when they or the disk are damaged. */

import { assertEquals, assertGreater, assertLess, assertStringIncludes } from "@std/assert";
import { AskedIds } from "../../../../server/store/ids/asked_ids.ts";
import { openIdIndex } from "../../../../server/store/ids/id_index.ts";
import { DamagedError } from "../../../../server/store/store.ts";
import { crashCopy } from "../sqlite/_small_files.ts";
import { Bench, filled, settleIo, withFolders } from "./_bench.ts";
import { ModelLog, SMALL } from "./_model.ts";

Deno.test("IdIndex merges its files in the background, and keeps few of them", async () => {
  await withFolders(async (next) => {
    const bench = await filled(next);
    assertGreater(bench.index.use.ids, 400);
    assertLess(bench.files.length, 8);
    assertEquals(bench.files.length, bench.index.use.files);
    assertEquals(
      bench.files.reduce((sum, name) => sum + Deno.statSync(`${bench.folder}/${name}`).size, 0),
      bench.index.use.fileBytes,
    );
    bench.check();
    bench.reopen();
    bench.check();
    bench.index.close();
    await settleIo(bench.folder);
  });
});

Deno.test("IdIndex looks at no file for nearly every new id, and at one block for one that is in a file", async () => {
  await withFolders(async (next) => {
    const bench = await filled(next, { sizes: { ...SMALL, filterBytes: 100_000 } });
    const before = bench.index.reads;
    for (let id = 0; id < 10_000; id++) assertEquals(bench.index.find("bob", `new-${id}`), undefined);
    assertLess(bench.index.reads - before, 100);
    const asked = bench.index.reads;
    for (let id = 1; id <= 300; id++) bench.index.find("bob", `m-${id}`);
    assertLess(bench.index.reads - asked, 310);
    bench.index.close();
  });
});

Deno.test("IdIndex drops the files of forgotten ids, and does not read their entries again", async () => {
  await withFolders(async (next) => {
    const bench = await filled(next);
    bench.model.usedBefore = 1_058;
    bench.index.forget(1_058);
    await bench.index.settled();
    bench.check();
    // A file stays as long as one of its ids counts.
    assertLess(bench.index.use.ids, 300);
    const read: number[] = [];
    const segmentsAfter = bench.log.segmentsAfter.bind(bench.log);
    bench.log.segmentsAfter = (position, maxBytes) => {
      read.push(position);
      return segmentsAfter(position, maxBytes);
    };
    bench.reopen();
    assertEquals(read.filter((position) => position < bench.log.head - 20), []);
    bench.check();
    bench.index.close();
    await settleIo(bench.folder);
  });
});

Deno.test("IdIndex reads the ids of a missing or unreadable file out of the log", async () => {
  for (const harm of ["removed", "cut short", "changed", "of another folder"] as const) {
    await withFolders(async (next) => {
      const bench = await filled(next);
      bench.index.close();
      await settleIo(bench.folder);
      const paths = bench.files.map((name) => `${bench.folder}/${name}`);
      const sizes = paths.map((path) => Deno.statSync(path).size);
      const path = paths[sizes.indexOf(Math.max(...sizes))]!;
      if (harm === "removed") Deno.removeSync(path);
      else if (harm === "cut short") Deno.truncateSync(path, 5_000);
      else if (harm === "changed") flip(path, Deno.statSync(path).size - 30);
      else {
        const other = await filled(next);
        other.index.close();
        await settleIo(other.folder);
        Deno.copyFileSync(`${other.folder}/${other.files[0]}`, path);
        Deno.renameSync(path, `${bench.folder}/ids-00000001.run`);
      }
      bench.reopen();
      bench.check();
      await bench.index.settled();
      bench.reopen();
      bench.check();
      bench.index.close();
      await settleIo(bench.folder);
    });
  }
});

Deno.test("IdIndex reads the ids of a changed block out of the log again, and never names a wrong entry", async () => {
  await withFolders(async (next) => {
    const bench = await filled(next);
    for (let round = 0; round < 40; round++) {
      const name = bench.files[round % bench.files.length]!;
      flip(`${bench.folder}/${name}`, (round * 1_237) % 4_096);
      bench.check(true);
    }
    bench.repair();
    bench.check();
    for (let turn = 0; turn < 40; turn++) bench.turn("c", 2_000, bench.fresh(7));
    await bench.index.settled();
    bench.repair();
    bench.check();
    bench.reopen();
    bench.repair();
    bench.check();
    bench.index.close();
    await settleIo(bench.folder);
  });
});

Deno.test("IdIndex.cut() holds although a file of before is back, and takes nothing when the cut does not happen", async () => {
  await withFolders(async (next) => {
    const bench = await filled(next);
    const before = next();
    crashCopy(bench.folder, before);
    const position = bench.log.segments.find(({ origin, last }) => origin === "b" && last > 100)!.position - 1;
    const { last } = bench.log.segments.findLast(({ origin, last }) => origin === "b" && last <= 100)!;
    bench.index.cut("b", last, position);
    // The server is killed before the turn is in the log.
    bench.crash();
    bench.check();
    bench.index.cut("b", last, position);
    bench.log.cut("b", last);
    bench.model.drop((used) => used.origin === "b" && used.sequence > last);
    bench.check();
    for (const { name } of Deno.readDirSync(before)) {
      if (!bench.files.includes(name)) Deno.copyFileSync(`${before}/${name}`, `${bench.folder}/${name}`);
    }
    bench.reopen();
    bench.check();
    bench.index.close();
    await settleIo(bench.folder);
  });
});

Deno.test("openIdIndex() reads nothing of the log before the baseline of a folder without files, now and later", async () => {
  await withFolders((next) => {
    const folder = next();
    Deno.mkdirSync(folder);
    const log = new ModelLog();
    log.add("a", 1, [{ username: "bob", messageId: "old" }]);
    const open = (baseline: number) => openIdIndex({ folder, log, baseline, sizes: SMALL, isInPlace: true });
    open(log.head).close();
    log.add("a", 2, [{ username: "bob", messageId: "new" }]);
    for (const baseline of [0, log.head]) {
      const index = open(baseline);
      assertEquals(["old", "new"].map((id) => index.find("bob", id)?.sequence), [undefined, 2]);
      index.close();
    }
    for (const { name } of [...Deno.readDirSync(folder)]) Deno.removeSync(`${folder}/${name}`);
    const index = open(0);
    assertEquals(["old", "new"].map((id) => index.find("bob", id)?.sequence), [1, 2]);
    index.close();
  });
});

Deno.test("IdIndex in place has written and merged everything when a turn is over", async () => {
  await withFolders((next) => {
    const bench = new Bench(next, { isInPlace: true });
    for (let turn = 1; turn <= 60; turn++) {
      bench.turn(turn % 2 === 0 ? "a" : "b", 1_000 + turn, bench.fresh(7));
      assertLess(bench.index.use.ids - 7 * turn, 1);
    }
    bench.check();
    assertLess(bench.files.length, 8);
    bench.model.usedBefore = 1_058;
    bench.index.forget(1_058);
    bench.check();
    bench.crash();
    bench.check();
    bench.index.close();
  });
});

Deno.test("openIdIndex() passes over damaged segments of the log", async () => {
  await withFolders((next) => {
    const folder = next();
    Deno.mkdirSync(folder);
    const log = new ModelLog();
    for (let id = 1; id <= 9; id++) log.add("a", id, [{ username: "bob", messageId: `m-${id}` }]);
    const segmentsAfter = log.segmentsAfter.bind(log);
    log.segmentsAfter = (position, maxBytes) => {
      const segments = segmentsAfter(position, maxBytes);
      if (segments.some(({ position }) => position === 4)) throw new DamagedError("no. 4", { position: 4 });
      return segments;
    };
    const index = openIdIndex({ folder, log, isInPlace: true });
    const known = Array.from({ length: 9 }, (_, id) => index.find("bob", `m-${id + 1}`)?.sequence);
    assertEquals(known, [1, 2, 3, undefined, 5, 6, 7, 8, 9]);
    index.close();
  });
});

Deno.test("AskedIds gives the hashes of the turn in its order, and no others", () => {
  const asked = new AskedIds();
  const into = new Int32Array(3);
  for (let id = 0; id < 2_000; id++) asked.add("bob", `m-${id}`, new Int32Array([id, id + 1, id + 2, 0]));
  assertEquals(asked.take("eve", "m-0", into), false);
  assertEquals([asked.take("bob", "m-0", into), [...into]], [true, [0, 1, 2]]);
  assertEquals(asked.take("bob", "m-0", into), false);
  assertEquals([asked.take("bob", "m-3", into), [...into]], [true, [3, 4, 5]]);
  // Bounded, both ways.
  assertEquals(asked.take("bob", "m-99", into), false);
  for (let id = 4; id < 1_024; id++) assertEquals(asked.take("bob", `m-${id}`, into), true);
  assertEquals(asked.take("bob", "m-1024", into), false);
  asked.clear();
  asked.add("bob", "m", new Int32Array(4));
  assertEquals(asked.take("bob", "m-1", into), false);
  assertEquals(asked.take("bob", "m", into), true);
});

Deno.test("IdIndex keeps what it has in memory when it cannot write, and tries again", async () => {
  await withFolders(async (next) => {
    const bench = new Bench(next);
    Deno.removeSync(bench.folder);
    bench.turn("a", 1_000, bench.fresh(30));
    await bench.index.settled();
    bench.check();
    bench.turn("a", 1_000, bench.fresh(30));
    assertEquals(bench.index.use.files, 0);
    // There is no end of memory: a turn waits for the disk then, and fails with it.
    let message = "";
    try {
      bench.turn("a", 1_000, bench.fresh(70));
    } catch (error) {
      message = (error as Error).message;
    }
    assertStringIncludes(message, "ids-");
    Deno.mkdirSync(bench.folder);
    bench.index.forget(0);
    await bench.index.settled();
    assertGreater(bench.index.use.files, 0);
    bench.index.close();
    await settleIo(bench.folder);
  });
});

Deno.test("IdIndex waits for the disk within a turn only when memory is full", async () => {
  await withFolders(async (next) => {
    const bench = new Bench(next);
    for (let turn = 0; turn < 9; turn++) bench.turn("a", 1_000, bench.fresh(7));
    // Nothing in the background had a chance yet.
    assertEquals(bench.files, []);
    for (let turn = 0; turn < 9; turn++) bench.turn("a", 1_000, bench.fresh(7));
    assertEquals(bench.files.length, 2);
    bench.check();
    await bench.index.settled();
    bench.reopen();
    bench.check();
    bench.index.close();
    await settleIo(bench.folder);
  });
});

function flip(path: string, at: number): void {
  using file = Deno.openSync(path, { read: true, write: true });
  const byte = new Uint8Array(1);
  file.seekSync(at, Deno.SeekMode.Start);
  file.readSync(byte);
  byte[0]! ^= 0x10;
  file.seekSync(at, Deno.SeekMode.Start);
  file.writeSync(byte);
}
