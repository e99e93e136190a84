/** A commit that says so is on the disk when it returns, whatever the store waits for otherwise. */

import { assertEquals, assertThrows } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { withSync } from "../../../../server/store/sqlite/sqlite_file.ts";
import { open } from "./_small_files.ts";

const FULL = 2;
const NORMAL = 1;
const NOTHING = { segments: [], accounts: [], messageIds: [], cursors: [], endedCursors: [], lamport: 1 };

/** What SQLite waits for at a commit. */
function waitsFor(database: DatabaseSync): unknown {
  return database.prepare("PRAGMA synchronous").get()!["synchronous"];
}

Deno.test("withSync() waits for the disk while it writes, and not afterwards, also when that fails", () => {
  using database = new DatabaseSync(":memory:");
  database.prepare("PRAGMA synchronous = normal").get();
  withSync(database, "normal", () => assertEquals(waitsFor(database), FULL));
  assertEquals(waitsFor(database), NORMAL);
  assertThrows(() =>
    withSync(database, "normal", () => {
      throw new Error("full");
    })
  );
  assertEquals(waitsFor(database), NORMAL);
  withSync(database, "full", () => {});
  assertEquals(waitsFor(database), FULL);
});

Deno.test("a batch that is to be synced is committed so, and no other one", async () => {
  const folder = await Deno.makeTempDir();
  const prepared: string[] = [];
  const { prepare } = DatabaseSync.prototype;
  try {
    using store = open(folder);
    DatabaseSync.prototype.prepare = function (this: DatabaseSync, ...given) {
      prepared.push(given[0]);
      return prepare.apply(this, given);
    };
    store.commit({ ...NOTHING, notes: { a: "1" } });
    assertEquals(prepared, []);
    store.commit({ ...NOTHING, notes: { a: "2" }, isSynced: true });
    assertEquals(prepared, ["PRAGMA synchronous = full", "PRAGMA synchronous = normal"]);
    assertEquals(store.note("a"), "2");
  } finally {
    DatabaseSync.prototype.prepare = prepare;
    await Deno.remove(folder, { recursive: true });
  }
});
