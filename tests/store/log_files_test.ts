/** The SQLite store with the bytes of segments in files: what they add to its promises, and what can happen to them. */

import {
  assertEquals,
  assertGreater,
  assertGreaterOrEqual,
  assertMatch,
  assertNotEquals,
  assertThrows,
} from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { type Segment, SERVERS } from "../../log/segment.ts";
import { openSqliteStore } from "../../store/sqlite_store.ts";
import { type Store, StoreError } from "../../store/store.ts";
import { testStoreContract } from "../contract/store_contract.ts";
import { batchOf, LogWriter } from "../support/log_writer.ts";
import { mountSmallDisk, NO_SMALL_DISK } from "../support/small_disk.ts";
import { until } from "../support/until.ts";
import { makeVersion1 } from "./version_1.ts";

/** All that is for everyone goes to files, a few segments to each; the disk is not waited for before the end. */
const SMALL_FILES = { segment: 1, file: 100, sync: Infinity };

interface OpenOptions {
  readonly serverId?: string;
  readonly fileSizes?: typeof SMALL_FILES;
  readonly synchronous?: "normal" | "full";
}

function open(
  folder: string,
  { serverId = "s-1", fileSizes = SMALL_FILES, synchronous = "normal" }: OpenOptions = {},
): Store {
  return openSqliteStore({ folder, makeServerId: () => serverId, synchronous, fileSizes });
}

function withFolder(run: (folder: string) => void): void {
  const folder = Deno.makeTempDirSync({ prefix: "thrum-store-" });
  try {
    run(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** The `.bytes` files of `folder`. */
function filesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => name.endsWith(".bytes")).sort();
}

/** What a crash of `store` would leave, in a folder of its own. */
function crashed(folder: string): string {
  const copy = `${folder}/crashed`;
  Deno.mkdirSync(copy);
  for (const { name, isFile } of Deno.readDirSync(folder)) {
    if (isFile) Deno.copyFileSync(`${folder}/${name}`, `${copy}/${name}`);
  }
  return copy;
}

/** Up to which position the database says that all is on the disk. */
function syncedIn(folder: string): number {
  const database = new DatabaseSync(`${folder}/thrum.sqlite`);
  try {
    return (database.prepare("SELECT synced FROM state").get() as { synced: number }).synced;
  } finally {
    database.close();
  }
}

function change(path: string, at: number, bytes: Uint8Array): void {
  using file = Deno.openSync(path, { write: true });
  file.seekSync(at, Deno.SeekMode.Start);
  file.writeSync(bytes);
}

function assertStoreError(run: () => unknown, message: string): void {
  assertMatch(assertThrows(run, StoreError, message).message, /\. Bring back a copy of the folder, or move it away /);
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

Deno.test("SqliteStore.commit() writes what is large and for everyone to a file, and nothing else", () => {
  withFolder((folder) => {
    const log = new LogWriter();
    const large = "x".repeat(10_000);
    const batch = log.batch({}, { text: large }, { audience: SERVERS, text: large }, { text: large }, { lines: 2 });
    const store = openSqliteStore({ folder, makeServerId: () => "s-1", synchronous: "normal" });
    store.commit(batch);
    assertEquals(filesIn(folder), ["log-00000001.bytes"]);
    const expected = [batch.segments[1]!, batch.segments[3]!].map(({ bytes }) => new TextDecoder().decode(bytes));
    assertEquals(Deno.readTextFileSync(`${folder}/log-00000001.bytes`), expected.join(""));
    assertEquals(store.segmentsAfter(0, Infinity), [...batch.segments]);
    store.close();
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
    // Ids are whole numbers in the file.
    const cursors = [{ id: 1.5, username: "bob", position: 1, lost: false }];
    const store = open(folder);
    store.commit(batch);
    const size = () => Deno.statSync(`${folder}/log-00000001.bytes`).size;
    const before = size();
    assertThrows(() => store.commit({ ...next, cursors }), StoreError);
    assertEquals(size(), before);
    assertEquals(store.segmentsAfter(0, Infinity), [...batch.segments]);
    store.commit(next);
    store.close();
    using again = open(folder);
    assertEquals(again.segmentsAfter(0, Infinity), [...batch.segments, ...next.segments]);
  });
});

Deno.test("openSqliteStore() goes on with files, but writes none, when each commit is to wait for the disk", () => {
  withFolder((folder) => {
    const log = new LogWriter();
    const before = log.batch({}, {});
    const after = log.batch({ text: "y".repeat(20_000) }, {});
    const store = open(folder);
    store.commit(before);
    store.close();
    const sizes = () => filesIn(folder).map((name) => Deno.statSync(`${folder}/${name}`).size);
    const expected = sizes();
    {
      using store = open(folder, { synchronous: "full" });
      store.commit(after);
      assertEquals(sizes(), expected);
    }
    using again = open(folder);
    assertEquals(again.segmentsAfter(0, Infinity), [...before.segments, ...after.segments]);
  });
});

Deno.test("openSqliteStore() ignores what is behind the end of a file, and files that nothing refers to", () => {
  withFolder((folder) => {
    const log = new LogWriter();
    const batch = log.batch({}, {});
    const first = open(folder);
    first.commit(batch);
    first.close();
    const path = `${folder}/log-00000001.bytes`;
    const size = Deno.statSync(path).size;
    change(path, size, new Uint8Array(500).fill(7));
    Deno.writeTextFileSync(`${folder}/log-00000002.bytes`, "left by a commit that failed");
    const next = log.batch({});
    {
      using store = open(folder);
      assertEquals(filesIn(folder), ["log-00000001.bytes"]);
      assertEquals(Deno.statSync(path).size, size);
      store.commit(next);
    }
    using store = open(folder);
    assertEquals(store.opened.cut, undefined);
    assertEquals(store.segmentsAfter(0, Infinity), [...batch.segments, ...next.segments]);
  });
});

Deno.test("openSqliteStore() has everything in files that commit() returned for after kill -9", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "thrum-store-" });
  try {
    const program = new URL("commit_forever.ts", import.meta.url).pathname;
    const args = ["run", "-A", program, folder, "9000"];
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
    // What is behind the last synced position was read; some of it had been synced.
    assertGreater(syncedIn(folder), 0);

    using store = openSqliteStore({ folder, makeServerId: () => "s-2", synchronous: "normal" });
    const { head, serverId, cut } = store.opened;
    assertGreaterOrEqual(head, acknowledged);
    assertEquals({ serverId, cut }, { serverId: "s-1", cut: undefined });
    const log = new LogWriter();
    for (let position = 0; position < head;) {
      for (const segment of store.segmentsAfter(position, 1_000_000)) {
        position = segment.position;
        assertEquals(segment, log.segment({ text: "x".repeat(position % 50 === 0 ? 200_000 : 9_000) }));
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

/** A store of five segments in files, of which the first two are on the disk for certain; then it crashes and `damage` is done. */
function afterPowerCut(
  damage: (path: string, segments: readonly Segment[]) => void,
  check: (folder: string, segments: readonly Segment[]) => void,
) {
  withFolder((folder) => {
    const fileSizes = { ...SMALL_FILES, file: 1_000_000 };
    const log = new LogWriter();
    const segments = [log.segment({ lines: 2 }), log.segment({ origin: "b" })];
    const first = open(folder, { fileSizes });
    first.commit(batchOf({ segments, lamport: 4 }));
    first.close();
    const store = open(folder, { fileSizes });
    const more = [log.segment(), log.segment({ origin: "c" }), log.segment({ lines: 3 })];
    const accounts = [{ username: "bob", verifier: "v", lamport: 6, origin: "a" }];
    const used = { username: "bob", usedAt: 1 };
    const messageIds = [
      { ...used, messageId: "2", origin: "a", sequence: 2 },
      { ...used, messageId: "3", origin: "a", sequence: 3 },
      { ...used, messageId: "c", origin: "c", sequence: 1 },
      { ...used, messageId: "6", origin: "a", sequence: 6 },
    ];
    const cursors = [1, 2, 5].map((position) => ({ id: position, username: "bob", position, lost: true }));
    store.commit(batchOf({ segments: more, accounts, messageIds, cursors, lamport: 9 }));
    const copy = crashed(folder);
    store.close();
    damage(`${copy}/log-00000001.bytes`, [...segments, ...more]);
    check(copy, [...segments, ...more]);
  });
}

const sizeOf = (segments: readonly Segment[]) => segments.reduce((size, { bytes }) => size + bytes.length, 0);

for (
  const [name, damage] of [
    ["wrong", (path, segments) => change(path, sizeOf(segments.slice(0, 3)), new Uint8Array(3))],
    ["missing", (path, segments) => Deno.truncateSync(path, sizeOf(segments.slice(0, 3)) + 1)],
  ] as [string, (path: string, segments: readonly Segment[]) => void][]
) {
  Deno.test(`openSqliteStore() cuts the log where bytes are ${name} that the disk had not promised, and takes a new name`, () => {
    afterPowerCut(damage, (folder, segments) => {
      const kept = segments.slice(0, 3);
      const log = new LogWriter();
      log.batch({ lines: 2 }, { origin: "b" }, {});
      const next = log.batch({ origin: "s-2" }, { origin: "c" });
      {
        using store = open(folder, { serverId: "s-2" });
        const { serverId, lamport, head, vector, cursors, cut } = store.opened;
        assertEquals(cut, { formerServerId: "s-1", after: 3, entries: 4 });
        assertEquals({ serverId, lamport, head }, { serverId: "s-2", lamport: 9, head: 3 });
        assertEquals(vector, { a: 3, b: 1 });
        assertEquals(cursors.map(({ position }) => position), [1, 2, 3]);
        assertEquals(store.segmentsAfter(0, Infinity), kept);
        assertEquals(store.usernames(), ["bob"]);
        const known = ["2", "3", "c", "6"].filter((id) => store.usedMessageId("bob", id) !== undefined);
        assertEquals(known, ["2", "3"]);
        store.commit({ ...next, lamport: 10 });
      }
      using store = open(folder, { serverId: "s-3" });
      assertEquals([store.opened.serverId, store.opened.cut], ["s-2", undefined]);
      assertEquals(store.segmentsAfter(0, Infinity), [...kept, ...next.segments]);
    });
  });
}

Deno.test("openSqliteStore() goes on behind what was forgotten when all else is cut", () => {
  withFolder((folder) => {
    const fileSizes = { ...SMALL_FILES, file: 1_000_000 };
    const log = new LogWriter();
    const store = open(folder, { fileSizes });
    store.commit(log.batch({}, {}, {}));
    store.forget({ takenBefore: Infinity, maxBytes: 0, directMessagesBefore: 0, usedBefore: 0 });
    const copy = crashed(folder);
    store.close();
    Deno.removeSync(`${copy}/log-00000001.bytes`);
    for (const cut of [{ formerServerId: "s-1", after: 2, entries: 1 }, undefined]) {
      using again = open(copy, { serverId: "s-2" });
      assertEquals(again.opened.cut, cut);
      assertEquals([again.opened.head, again.opened.vector], [2, { a: 2 }]);
      assertEquals(again.missing({}).gaps, [{ origin: "a", first: 1, last: 2 }]);
    }
    using again = open(copy);
    const next = { ...log.segment({ origin: "s-2" }), position: 3 };
    again.commit(batchOf({ segments: [next] }));
    assertEquals(again.segmentsAfter(2, Infinity), [next]);
  });
});

Deno.test("openSqliteStore() takes a hole for forgotten also when what comes after it is cut", () => {
  withFolder((folder) => {
    const fileSizes = { ...SMALL_FILES, file: 1_000_000 };
    const log = new LogWriter();
    const before = log.segment({ lines: 2 });
    const first = open(folder, { fileSizes });
    first.commit(batchOf({ segments: [before] }));
    first.close();
    const store = open(folder, { fileSizes });
    store.commit(log.batch({ origin: "b" }, { skip: 3 }));
    const copy = crashed(folder);
    store.close();
    Deno.truncateSync(`${copy}/log-00000001.bytes`, before.bytes.length);
    for (const cut of [{ formerServerId: "s-1", after: 1, entries: 2 }, undefined]) {
      using again = open(copy, { serverId: "s-2" });
      assertEquals(again.opened.cut, cut);
      assertEquals([again.opened.head, again.opened.vector], [3, { a: 5 }]);
      assertEquals(again.missing({ a: 2 }).gaps, [{ origin: "a", first: 3, last: 5 }]);
      assertEquals(again.missingAfter(1).gaps, [{ origin: "a", first: 3, last: 5 }]);
      assertEquals(again.missingAfter(3).gaps, []);
    }
  });
});

Deno.test("openSqliteStore() goes on without a cut when the disk kept everything", () => {
  afterPowerCut(() => {}, (folder, segments) => {
    using store = open(folder, { serverId: "s-2" });
    assertEquals([store.opened.serverId, store.opened.cut], ["s-1", undefined]);
    assertEquals(store.segmentsAfter(0, Infinity), [...segments]);
  });
});

Deno.test("openSqliteStore() cuts nothing off when bytes are gone that were on the disk", () => {
  afterPowerCut((path) => Deno.truncateSync(path, 3), (folder) => {
    const message = `Cannot open data folder "${folder}": log-00000001.bytes is shorter than what was written to it`;
    assertStoreError(() => open(folder), message);
  });
});

Deno.test("openSqliteStore() says which file is shorter or missing", () => {
  withFolder((folder) => {
    const store = open(folder);
    const log = new LogWriter();
    for (let turn = 0; turn < 50; turn++) store.commit(log.batch({}));
    store.close();
    const files = filesIn(folder);
    assertGreater(files.length, 2);
    for (const file of [files.at(0), files.at(-1)]) {
      const path = `${folder}/${file}`;
      const bytes = Deno.readFileSync(path);
      Deno.truncateSync(path, bytes.length - 1);
      assertStoreError(() => open(folder), `Cannot open data folder "${folder}": ${file} is shorter than what`);
      Deno.removeSync(path);
      assertStoreError(() => open(folder), `Cannot open data folder "${folder}": ${file} is missing`);
      Deno.writeFileSync(path, bytes);
    }
    using again = open(folder);
    assertEquals(again.opened.head, 50);
  });
});

Deno.test("openSqliteStore() leaves files alone whose database is missing", () => {
  withFolder((folder) => {
    const store = open(folder);
    store.commit(new LogWriter().batch({}));
    store.close();
    Deno.removeSync(`${folder}/thrum.sqlite`);
    for (let attempt = 0; attempt < 2; attempt++) {
      const message = `Cannot open data folder "${folder}": thrum.sqlite is missing beside its .bytes files`;
      assertStoreError(() => open(folder), message);
    }
    assertEquals(filesIn(folder), ["log-00000001.bytes"]);
  });
});

Deno.test("SqliteStore.segmentsAfter() says that a file is damaged, and gives nothing wrong", () => {
  withFolder((folder) => {
    const log = new LogWriter();
    const segments = [log.segment({ lines: 9 }), log.segment(), log.segment()];
    const store = open(folder, { fileSizes: { ...SMALL_FILES, file: 1_000 } });
    store.commit(batchOf({ segments }));
    store.close();
    change(`${folder}/log-00000001.bytes`, segments[0]!.bytes.length, new Uint8Array([0x62]));
    using again = open(folder);
    assertEquals(again.segmentsAfter(0, 1), [segments[0]!]);
    assertEquals(again.segmentsAfter(2, Infinity), [segments[2]!]);
    const message = `Cannot read data folder "${folder}": log-00000001.bytes is damaged`;
    assertStoreError(() => again.segmentsAfter(0, Infinity), message);
    assertStoreError(() => again.segmentsAfter(1, Infinity), message);
  });
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
        assertEquals(Deno.statSync(`${disk.folder}/log-00000001.bytes`).size, sizeOf(first.segments));
      }
      disk.makeLarger(8_192);
      store.commit(large);
    }
    using store = open(disk.folder);
    assertEquals(store.segmentsAfter(0, Infinity), [...first.segments, ...large.segments]);
  },
});
