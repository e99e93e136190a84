/** A commit that says so is on the disk when it returns, whatever the store waits for otherwise. */

import { assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { LogWriter } from "../../../support/log_writer.ts";
import { openSqliteStore } from "../../../../server/store/sqlite/sqlite_store.ts";
import { until } from "../../../support/until.ts";
import { SlowDisk } from "./_slow_disk.ts";
import { crashCopy, open, settle, withFolder } from "./_small_files.ts";

/** Up to which position the store has noted that its log is on the disk. */
function syncedIn(folder: string): number {
  const database = new DatabaseSync(`${folder}/thrum.sqlite`);
  try {
    return Number(database.prepare("SELECT synced FROM state").get()!["synced"]);
  } finally {
    // Deno 2.5 cannot dispose of one.
    database.close();
  }
}

Deno.test("a batch that is to be synced is on the disk with all before it, and no other one", () => {
  withFolder((folder) => {
    const log = new LogWriter();
    using store = open(folder);
    const synced: number[] = [];
    for (const isSynced of [false, true, false, true]) {
      store.commit({ ...log.batch({}, {}), isSynced });
      settle(store);
      const copy = `${folder}/copy-${synced.length}`;
      crashCopy(folder, copy);
      synced.push(syncedIn(copy));
    }
    assertEquals(synced, [0, 4, 4, 8]);
  });
});

Deno.test("every batch is on the disk where that is configured", () => {
  withFolder((folder) => {
    const log = new LogWriter();
    using store = open(folder, { synchronous: "full" });
    store.commit(log.batch({}, {}));
    settle(store);
    crashCopy(folder, `${folder}/copy`);
    assertEquals(syncedIn(`${folder}/copy`), 2);
  });
});

Deno.test("batches that wait beside the event loop are found when they are on the disk, in their order", async () => {
  const parent = Deno.makeTempDirSync({ prefix: "thrum-store-" });
  const folder = `${parent}/data`;
  const { background } = new SlowDisk(folder);
  const open = () => openSqliteStore({ folder, makeServerId: () => "s-1", synchronous: "full", background });
  const log = new LogWriter();
  try {
    const store = open();
    const batches = Array.from({ length: 20 }, () => log.batch({}, { origin: "b", lines: 2 }));
    const done: number[] = [];
    for (const [index, batch] of batches.entries()) {
      store.commitInBackground!(batch, (error) => {
        assertEquals(error, undefined);
        // It is there now, and nothing behind it.
        assertEquals(store.missing({}).after === 0 && store.segmentsAfter(0, Infinity).length, 2 * index + 2);
        done.push(index);
      });
      if (index === 7) assertEquals([done, store.segmentsAfter(0, Infinity)], [[], []]);
    }
    await until(() => done.length >= 20, "all batches are on the disk");
    // In place: all that wait come first.
    const [next, last] = [log.batch({}), log.batch({})];
    store.commitInBackground!(next, () => done.push(20));
    store.commit(last);
    assertEquals(done, Array.from({ length: 21 }, (_, index) => index));
    store.commitInBackground!(log.batch({}), () => done.push(21));
    store.finishCommits!();
    assertEquals(done.at(-1), 21);
    store.close();
    using again = open();
    assertEquals(again.opened.head, 43);
    // What was asked of the disk is over by then.
    await new Promise((run) => setTimeout(run, 0));
  } finally {
    Deno.removeSync(parent, { recursive: true });
  }
});
