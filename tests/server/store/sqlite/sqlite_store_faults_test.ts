/** What a SQLite store does when its disk does not do what it should. */

import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { openSqliteStore } from "../../../../server/store/sqlite/sqlite_store.ts";
import { type Store, StoreError } from "../../../../server/store/store.ts";
import { batchOf, LogWriter } from "../../../support/log_writer.ts";
import { mountSmallDisk, NO_SMALL_DISK } from "../../../support/small_disk.ts";

const open = (folder: string): Store => openSqliteStore({ folder, makeServerId: () => "s-1", synchronous: "normal" });

if (NO_SMALL_DISK !== "") console.log(`Tests of full and read-only disks are skipped: ${NO_SMALL_DISK}.`);
const ignore = NO_SMALL_DISK !== "";

/** Fails unless `run` throws a StoreError that names `folder`, the trouble and a way out, and what caused it. */
function assertStoreError(run: () => unknown, action: string, folder: string, trouble: string): void {
  const { message, cause } = assertThrows(run, StoreError, `Cannot ${action} data folder "${folder}": ${trouble}`);
  assertMatch(message, /\. [A-Z].*[^.]\.$/);
  assertEquals(cause instanceof Error, true);
}

function withFolder(run: (folder: string) => void): void {
  const folder = Deno.makeTempDirSync({ prefix: "thrum-store-" });
  try {
    run(folder);
  } finally {
    Deno.chmodSync(folder, 0o755);
    Deno.removeSync(folder, { recursive: true });
  }
}

Deno.test({
  name: "SqliteStore.commit() takes nothing of a batch for which the disk has no room, and goes on when it has",
  ignore,
  fn: () => {
    using disk = mountSmallDisk(2_048);
    const folder = `${disk.folder}/data`;
    const log = new LogWriter();
    const first = log.segment();
    const account = { username: "bob", verifier: "v", lamport: 1, origin: "a" };
    const messageId = { username: "bob", messageId: "m", origin: "a", sequence: 2, usedAt: 1 };
    // Of two origins, one of them new, and more than SQLite keeps in memory before it writes.
    const segments = [log.segment({ text: "y".repeat(100_000) }), log.segment({ origin: "b" })];
    const batch = batchOf({ segments, accounts: [account], messageIds: [messageId], lamport: 2 });
    {
      using store = open(folder);
      store.commit(batchOf({ segments: [first] }));
      disk.fill();
      for (let attempt = 0; attempt < 3; attempt++) {
        assertStoreError(() => store.commit(batch), "write to", folder, "the disk is full");
        assertEquals(store.segmentsAfter(0, Infinity), [first]);
        assertEquals(store.missing({}), { after: 0, activities: 1, gaps: [] });
        assertEquals(store.usernames(), []);
        assertEquals(store.usedMessageId("bob", "m"), undefined);
      }
      disk.release();
      store.commit(batch);
    }
    using store = open(folder);
    assertEquals(store.segmentsAfter(0, Infinity), [first, ...segments]);
    assertEquals(store.opened.vector, { a: 2, b: 1 });
  },
});

Deno.test({
  name: "SqliteStore.commit() on a full disk keeps everything that was committed before",
  ignore,
  fn: () => {
    using disk = mountSmallDisk(1_024);
    const log = new LogWriter();
    let committed = 0;
    {
      using store = open(disk.folder);
      assertStoreError(
        () => {
          for (;; committed++) store.commit(log.batch({ text: "x".repeat(5_000) }));
        },
        "write to",
        disk.folder,
        "the disk is full",
      );
      assertEquals(store.segmentsAfter(0, Infinity).length, committed);
    }
    // What the log has is taken into the database, which needs room.
    disk.makeLarger(2_048);
    using store = open(disk.folder);
    assertEquals(store.opened.head, committed);
  },
});

Deno.test({
  name: "openSqliteStore() says that the disk is full",
  ignore,
  fn: () => {
    using disk = mountSmallDisk(256);
    disk.fill();
    assertStoreError(() => open(disk.folder), "open", disk.folder, "the disk is full");
    assertStoreError(() => open(`${disk.folder}/a/b`), "open", `${disk.folder}/a/b`, "the disk is full");
  },
});

Deno.test({
  name: "openSqliteStore() says that the file system is read-only",
  ignore,
  fn: () => {
    using disk = mountSmallDisk(1_024);
    open(disk.folder).close();
    disk.makeReadOnly();
    assertStoreError(() => open(disk.folder), "open", disk.folder, "the file system is read-only");
    assertStoreError(
      () => open(`${disk.folder}/new`),
      "open",
      `${disk.folder}/new`,
      "the file system is read-only",
    );
  },
});

Deno.test({
  name: "openSqliteStore() says that permission is denied",
  // Root may do everything.
  ignore: Deno.build.os === "windows" || Deno.uid() === 0,
  fn: () =>
    withFolder((folder) => {
      open(`${folder}/old`).close();
      Deno.chmodSync(`${folder}/old/thrum.sqlite`, 0o444);
      assertStoreError(() => open(`${folder}/old`), "open", `${folder}/old`, "permission denied");
      Deno.chmodSync(folder, 0o555);
      assertStoreError(() => open(folder), "open", folder, "permission denied");
      assertStoreError(() => open(`${folder}/new`), "open", `${folder}/new`, "permission denied");
    }),
});

Deno.test({
  name: "openSqliteStore() says that Deno's permissions are missing",
  permissions: { read: true, write: false },
  fn: () => assertStoreError(() => open("some/folder"), "open", "some/folder", "Deno's permissions do not allow it"),
});

Deno.test("openSqliteStore() says that a file is in the place of the folder", () => {
  withFolder((folder) => {
    Deno.writeTextFileSync(`${folder}/file`, "");
    assertStoreError(() => open(`${folder}/file`), "open", `${folder}/file`, "a file is in its place");
    assertStoreError(() => open(`${folder}/file/a`), "open", `${folder}/file/a`, "a file is in its place");
  });
});

Deno.test("openSqliteStore() says that something else is in the place of its file", () => {
  withFolder((folder) => {
    Deno.mkdirSync(`${folder}/thrum.sqlite`);
    assertStoreError(() => open(folder), "open", folder, "thrum.sqlite in it cannot be opened");
  });
});

Deno.test("openSqliteStore() says that its file is no database", () => {
  withFolder((folder) => {
    Deno.writeTextFileSync(`${folder}/thrum.sqlite`, "Dear diary, ".repeat(1_000));
    assertStoreError(() => open(folder), "open", folder, "thrum.sqlite is damaged or is no database");
  });
});

Deno.test("SqliteStore says that its file is damaged when it comes to the place", () => {
  withFolder((folder) => {
    {
      using store = open(folder);
      const log = new LogWriter();
      for (let turn = 0; turn < 200; turn++) store.commit(log.batch({ text: "x".repeat(2_000) }));
    }
    const path = `${folder}/thrum.sqlite`;
    const bytes = Deno.readFileSync(path);
    // A page in the middle, which holds segments and is not read when the file is opened.
    const page = Math.floor(new TextDecoder("latin1").decode(bytes).indexOf("a:100x") / 8_192);
    bytes.fill(0xff, page * 8_192, (page + 1) * 8_192);
    Deno.writeFileSync(path, bytes);
    using store = open(folder);
    assertStoreError(() => store.segmentsAfter(0, Infinity), "read", folder, "thrum.sqlite is damaged");
  });
});
