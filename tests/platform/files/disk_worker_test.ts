/** The thread that brings files to the disk: it answers, it fails, and its death is told to whoever asks. */

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { DiskWorker } from "../../../platform/files/disk_worker.ts";

Deno.test("DiskWorker.sync() brings a file to the disk, and says which one it cannot", () =>
  withLoop(async () => {
    const path = await Deno.makeTempFile();
    const disk = new DiskWorker();
    try {
      await Promise.all([disk.sync(path), disk.sync(path)]);
      const error = await assertRejects(() => disk.sync(`${path}.not-there`), Error);
      assertStringIncludes(error.message, "ENOENT");
      assertEquals((error as Error & { code?: string }).code, "ENOENT");
      await disk.sync(path);
    } finally {
      await disk.close();
      await Deno.remove(path);
    }
  }));

/** Does `use` while something else keeps the event loop from ending, as the thread does not. */
async function withLoop(use: () => Promise<void>): Promise<void> {
  const timer = setInterval(() => {}, 1_000);
  try {
    await use();
  } finally {
    clearInterval(timer);
  }
}

const DEATHS: readonly (readonly [string, string])[] = [
  ["throws", 'throw new Error("the thread is broken");'],
  ["ends", "process.exit(1);"],
];

/** It tells nobody that a thread has ended by itself. Ours does not. */
const isOldDeno = /^2\.[0-5]\./.test(Deno.version.deno);

for (const [how, death] of DEATHS) {
  if (isOldDeno && how === "ends") continue;
  Deno.test(`DiskWorker.sync() rejects when the thread ${how}, and so do all calls after it`, () =>
    withLoop(async () => {
      const disk = new DiskWorker(`require("node:worker_threads").parentPort.on("message", () => { ${death} });`);
      try {
        await Promise.all([assertRejects(() => disk.sync("a")), assertRejects(() => disk.sync("b"))]);
        await assertRejects(() => disk.sync("c"));
      } finally {
        await disk.close();
      }
    }));
}
