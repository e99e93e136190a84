/**
 * The SQLite store with the bytes of segments in files: what they add to its promises. What can happen to them is in
 * `power_cut_test.ts`.
 */

import { assert, assertEquals, assertGreater, assertGreaterOrEqual, assertNotEquals, assertThrows } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { SERVERS } from "../../../../log/segment.ts";
import { openSqliteStore } from "../../../../server/store/sqlite/sqlite_store.ts";
import { StoreError } from "../../../../server/store/store.ts";
import { testStoreContract } from "../../../contract/store_contract.ts";
import { LogWriter } from "../../../support/log_writer.ts";
import { mountSmallDisk, NO_SMALL_DISK } from "../../../support/small_disk.ts";
import { until } from "../../../support/until.ts";
import { decodeTurn, RECORD_BYTES } from "../../../../server/store/turns/turn_record.ts";
import { crashCopy, filesIn, framesOf, open, settle, sizeOf, SMALL_FILES, withFolder } from "./_small_files.ts";
import { makeVersion1 } from "./version_1.ts";
import { LOCKED } from "../../../../tools/locked.ts";

/** Up to which position the database says that all is on the disk. */
function syncedIn(folder: string): number {
  const database = new DatabaseSync(`${folder}/thrum.sqlite`);
  try {
    return (database.prepare("SELECT synced FROM state").get() as { synced: number }).synced;
  } finally {
    database.close();
  }
}

testStoreContract({
  name: "openSqliteStore() with small files",
  use: (run) =>
    withFolder((folder) => {
      let store = open(folder);
      try {
        run(store, () => {
          store.close();
          return store = open(folder);
        });
      } finally {
        store.close();
      }
    }),
});

Deno.test("SqliteStore.commit() writes a turn to a file, and what is large and for everyone stays there alone", () => {
  withFolder((folder) => {
    const log = new LogWriter();
    const large = "x".repeat(10_000);
    const batch = log.batch({}, { text: large }, { audience: SERVERS, text: large }, { text: large }, { lines: 2 });
    const store = openSqliteStore({ folder, makeServerId: () => "s-1", synchronous: "normal" });
    store.commit({ ...batch, lamport: 7, notes: { a: "b" } });
    assertEquals(filesIn(folder), ["log-00000001.bytes"]);
    const file = Deno.readFileSync(`${folder}/log-00000001.bytes`);
    const decoded = decodeTurn(file);
    assert(decoded.ok);
    assertEquals(decoded.turn.length, file.length);
    assertEquals([decoded.turn.turn, decoded.turn.batch], [1, { ...batch, lamport: 7, notes: { a: "b" } }]);
    assertEquals(store.segmentsAfter(0, Infinity), [...batch.segments]);
    store.close();
    const database = new DatabaseSync(`${folder}/thrum.sqlite`);
    const rows = database.prepare("SELECT position, bytes IS NULL AS isInFile FROM segments").all();
    database.close();
    assertEquals(rows.map(({ isInFile }) => isInFile), [0, 1, 0, 1, 0]);
  });
});

Deno.test("SqliteStore gives out bytes that stay as they are while it goes on", () => {
  withFolder((folder) => {
    const log = new LogWriter();
    const batch = log.batch({}, {}, {});
    using store = open(folder);
    store.commit(batch);
    const read = store.segmentsAfter(0, Infinity);
    for (let turn = 0; turn < 9; turn++) {
      store.commit(log.batch({}, {}));
      store.segmentsAfter(0, Infinity);
    }
    store.forget({ takenBefore: Infinity, maxBytes: 0, directMessagesBefore: 0, usedBefore: 0 });
    assertEquals(read, [...batch.segments]);
  });
});

Deno.test("SqliteStore.commit() takes up where it was after one that failed", () => {
  withFolder((folder) => {
    const log = new LogWriter();
    const batch = log.batch({}, {});
    const next = log.batch({ text: "y".repeat(150) }, {});
    const store = open(folder);
    store.commit(batch);
    // In the place of the next file.
    Deno.mkdirSync(`${folder}/log-00000002.bytes`);
    assertThrows(() => store.commit(next), StoreError);
    assertEquals(store.segmentsAfter(0, Infinity), [...batch.segments]);
    Deno.removeSync(`${folder}/log-00000002.bytes`);
    store.commit(next);
    store.close();
    using again = open(folder);
    assertEquals(again.segmentsAfter(0, Infinity), [...batch.segments, ...next.segments]);
  });
});

Deno.test("openSqliteStore() drops the beginning of a turn that was written when the program was killed", () => {
  for (const [boot, isCut] of [["b-1", false], ["b-2", true]] as const) {
    withFolder((folder) => {
      const log = new LogWriter();
      const batch = log.batch({}, {});
      const next = log.batch({}, {});
      const store = open(folder, { boot: "b-1", fileSizes: { ...SMALL_FILES, file: 1_000_000 } });
      store.commit(batch);
      const path = `${folder}/log-00000001.bytes`;
      const size = Deno.statSync(path).size;
      store.commit(next);
      crashCopy(folder, `${folder}/crashed`);
      store.close();
      // The first of its two frames is whole.
      Deno.truncateSync(`${folder}/crashed/log-00000001.bytes`, Deno.statSync(path).size - 60);
      using again = open(`${folder}/crashed`, { boot, serverId: "s-2" });
      // After another start of the machine nobody knows whether it was written as a whole once.
      const cut = isCut ? { formerServerId: "s-1", after: 2, entries: 1 } : undefined;
      assertEquals([again.opened.cut, again.opened.serverId], [cut, isCut ? "s-2" : "s-1"]);
      assertEquals(Deno.statSync(`${folder}/crashed/log-00000001.bytes`).size, size);
      again.commit(log.batch());
      again.commit(next);
      assertEquals(again.segmentsAfter(0, Infinity), [...batch.segments, ...next.segments]);
    });
  }
});

Deno.test("openSqliteStore() has everything in files that commit() returned for after kill -9", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "thrum-store-" });
  try {
    const program = new URL("commit_forever.ts", import.meta.url).pathname;
    const args = ["run", LOCKED, "-A", program, folder, "9000"];
    const child = new Deno.Command(Deno.execPath(), { args, stdout: "piped" }).spawn();
    let printed = "";
    const countLines = () => printed.split("\n").length - 1;
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      const before = countLines();
      printed += text;
      // Not before there is a second file, and at no particular place.
      if (before < 6_000 && countLines() >= 6_000) child.kill("SIGKILL");
    }
    assertEquals((await child.status).signal, "SIGKILL");
    const acknowledged = countLines();
    assertGreaterOrEqual(acknowledged, 6_000);
    assertGreater(filesIn(folder).length, 1);

    // The machine goes on running: a turn of which only the first part is there was not acknowledged.
    const boot = () => "b-1";
    using store = openSqliteStore({ folder, makeServerId: () => "s-2", synchronous: "normal", boot });
    const { head, serverId, cut } = store.opened;
    assertGreaterOrEqual(head, acknowledged);
    assertEquals({ serverId, cut }, { serverId: "s-1", cut: undefined });
    const log = new LogWriter();
    for (let position = 0; position < head;) {
      for (const segment of store.segmentsAfter(position, 1_000_000)) {
        position = segment.position;
        const text = "x".repeat(position % 50 === 0 ? 200_000 : 9_000);
        assertEquals(segment, log.segment({ text, uses: [{ username: `user-${position}`, messageId: "m" }] }));
      }
    }
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("SqliteStore waits for the disk in the background, and notes with a later commit what is there", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "thrum-store-" });
  const log = new LogWriter();
  const store = open(folder, { fileSizes: { ...SMALL_FILES, file: 1_000_000, sync: 1_000 } });
  try {
    store.commit(log.batch({ text: "x".repeat(2_000) }));
    Deno.mkdirSync(`${folder}/copy`);
    await until(() => {
      store.commit(log.batch({}));
      settle(store);
      for (const name of ["thrum.sqlite", "thrum.sqlite-wal"]) {
        Deno.copyFileSync(`${folder}/${name}`, `${folder}/copy/${name}`);
      }
      return syncedIn(`${folder}/copy`) === 1;
    }, "noting what is on the disk");
  } finally {
    store.close();
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("SqliteStore.forget() removes a file when nothing of it is left", () => {
  withFolder((folder) => {
    const log = new LogWriter();
    {
      using store = open(folder);
      // Of an origin of its own, so that it stays.
      store.commit(log.batch({ origin: "b" }));
      for (let turn = 0; turn < 100; turn++) store.commit(log.batch({}, { audience: SERVERS }));
      const before = filesIn(folder);
      assertGreater(before.length, 4);
      const half = {
        takenBefore: 0,
        maxBytes: sizeOf(store.segmentsAfter(0, Infinity)) / 8,
        directMessagesBefore: 0,
        usedBefore: 0,
      };
      store.forget(half);
      const after = filesIn(folder);
      assertEquals(after[0], before[0]);
      assertEquals(after.at(-1), before.at(-1));
      assertGreater(before.length - after.length, 1);
      store.forget({ takenBefore: Infinity, maxBytes: 0, directMessagesBefore: 0, usedBefore: 0 });
      assertEquals(filesIn(folder), [before[0]]);
      store.commit(log.batch({}, {}));
      assertEquals(filesIn(folder).length, 2);
    }
    using store = open(folder);
    assertEquals(store.segmentsAfter(0, 0)[0]!.origin, "b");
    assertEquals(store.segmentsAfter(201, Infinity).map(({ position }) => position), [202, 203]);
  });
});

Deno.test("SqliteStore.forget() says that a file cannot be removed", () => {
  withFolder((folder) => {
    const log = new LogWriter();
    using store = open(folder);
    for (let turn = 0; turn < 40; turn++) store.commit(log.batch({}));
    const path = `${folder}/${filesIn(folder)[0]}`;
    Deno.removeSync(path);
    Deno.mkdirSync(`${path}/in-the-way`, { recursive: true });
    const forget = () => store.forget({ takenBefore: Infinity, maxBytes: 0, directMessagesBefore: 0, usedBefore: 0 });
    assertThrows(forget, StoreError, `Cannot write to data folder "${folder}": `);
  });
});

Deno.test("openSqliteStore() goes on with a database of version 1, and puts new segments into files", () => {
  withFolder((folder) => {
    const log = new LogWriter();
    const segments = [log.segment({ text: "x".repeat(20_000) }), log.segment({ audience: SERVERS }), log.segment()];
    makeVersion1(`${folder}/thrum.sqlite`, "s-old", segments);
    const next = log.batch({ text: "y".repeat(20_000) }, {});
    {
      using store = open(folder);
      assertEquals(store.opened, {
        serverId: "s-old",
        lamport: 3,
        head: 3,
        vector: { a: 3 },
        cursors: [],
        members: [],
        places: [],
        notes: {},
        tombstones: {},
      });
      assertEquals(store.segmentsAfter(0, Infinity), segments);
      assertEquals(filesIn(folder), []);
      store.commit(next);
      assertNotEquals(filesIn(folder), []);
    }
    using store = open(folder);
    assertEquals(store.missing({ a: 1 }), { after: 1, activities: 3, gaps: [] });
    assertEquals(store.segmentsAfter(0, Infinity), [...segments, ...next.segments]);
    assertEquals(
      store.forget({ takenBefore: Infinity, maxBytes: 0, directMessagesBefore: 0, usedBefore: 0 }).entries,
      3,
    );
    assertEquals(store.segmentsAfter(0, Infinity), [segments[1]!, next.segments[1]!]);
  });
});

Deno.test({
  name: "SqliteStore.commit() gives back what it wrote to a file when the disk is full, and goes on when it is not",
  ignore: NO_SMALL_DISK !== "",
  fn: () => {
    using disk = mountSmallDisk(2_048);
    const log = new LogWriter();
    const first = log.batch({});
    // More than is left; the first part of it fits.
    const large = log.batch({ text: "y".repeat(100_000) }, { text: "z".repeat(2_000_000) });
    {
      using store = open(disk.folder, { fileSizes: { ...SMALL_FILES, file: 4_000_000 } });
      store.commit(first);
      for (let attempt = 0; attempt < 3; attempt++) {
        const message = `Cannot write to data folder "${disk.folder}": the disk is full. Free some space`;
        assertThrows(() => store.commit(large), StoreError, message);
        assertEquals(store.segmentsAfter(0, Infinity), [...first.segments]);
        assertEquals(Deno.statSync(`${disk.folder}/log-00000001.bytes`).size, framesOf(first.segments) + RECORD_BYTES);
      }
      disk.makeLarger(8_192);
      store.commit(large);
    }
    using store = open(disk.folder);
    assertEquals(store.segmentsAfter(0, Infinity), [...first.segments, ...large.segments]);
  },
});
