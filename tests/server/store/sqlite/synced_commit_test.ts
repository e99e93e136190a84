/** A commit that says so is on the disk when it returns, whatever the store waits for otherwise. */

import { assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { LogWriter } from "../../../support/log_writer.ts";
import { crashCopy, open, settle, withFolder } from "./_small_files.ts";

/** Up to which position the store has noted that its log is on the disk. */
function syncedIn(folder: string): number {
  using database = new DatabaseSync(`${folder}/thrum.sqlite`);
  return Number(database.prepare("SELECT synced FROM state").get()!["synced"]);
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
