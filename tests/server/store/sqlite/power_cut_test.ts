/**
 * What a power cut or a failing disk did to the bytes in files, and what the SQLite store makes of it when it is opened
 * again, or reads them.
 */

import { assertEquals, assertGreater, assertMatch, assertThrows } from "@std/assert";
import type { Segment } from "../../../../log/segment.ts";
import { StoreError } from "../../../../server/store/store.ts";
import { batchOf, LogWriter } from "../../../support/log_writer.ts";
import { RECORD_BYTES } from "../../../../server/store/turns/turn_record.ts";
import { change, filesIn, framesOf, open, settle, SMALL_FILES, withFolder } from "./_small_files.ts";

/** What a crash of `store` would leave, in a folder of its own. */
function crashed(folder: string): string {
  const copy = `${folder}/crashed`;
  Deno.mkdirSync(copy);
  for (const { name, isFile } of Deno.readDirSync(folder)) {
    if (isFile) Deno.copyFileSync(`${folder}/${name}`, `${copy}/${name}`);
  }
  return copy;
}

/** Where the frame behind the third one begins: in the second turn. */
function endOf(segments: readonly Segment[]): number {
  return framesOf(segments) + RECORD_BYTES;
}

function assertStoreError(run: () => unknown, message: string): void {
  assertMatch(
    assertThrows(run, StoreError, message).message,
    /\. Bring back a copy of the folder, repair it \(thrum-server recover\), or move it away /,
  );
}

/**
 * A store of five segments in files, of which the first two are on the disk for certain; then it crashes
 * and `damage` is done.
 */
function afterPowerCut(
  damage: (path: string, segments: readonly Segment[]) => void,
  check: (folder: string, segments: readonly Segment[]) => void,
) {
  withFolder((folder) => {
    const fileSizes = { ...SMALL_FILES, file: 1_000_000 };
    const log = new LogWriter();
    const uses = (...ids: string[]) => ids.map((messageId) => ({ username: "bob", messageId }));
    const segments = [log.segment({ lines: 2, uses: uses("1", "2") }), log.segment({ origin: "b" })];
    const first = open(folder, { fileSizes });
    const used = { username: "bob", usedAt: 1 };
    first.commit(
      batchOf({ segments, messageIds: [{ ...used, messageId: "2", origin: "a", sequence: 2 }], lamport: 4 }),
    );
    first.close();
    const store = open(folder, { fileSizes });
    const more = [
      log.segment({ uses: uses("3") }),
      log.segment({ origin: "c", uses: uses("c") }),
      log.segment({ lines: 3, uses: uses("4", "5", "6") }),
    ];
    const accounts = [{ username: "bob", verifier: "v", lamport: 6, origin: "a" }];
    const messageIds = [
      { ...used, messageId: "3", origin: "a", sequence: 3 },
      { ...used, messageId: "c", origin: "c", sequence: 1 },
      { ...used, messageId: "6", origin: "a", sequence: 6 },
    ];
    const cursors = [1, 2, 5].map((position) => ({ id: position, username: "bob", position, lost: true }));
    store.commit(batchOf({ segments: more, accounts, messageIds, cursors, lamport: 9 }));
    settle(store);
    const copy = crashed(folder);
    store.close();
    damage(`${copy}/log-00000001.bytes`, [...segments, ...more]);
    check(copy, [...segments, ...more]);
  });
}

for (
  const [name, damage] of [
    ["wrong", (path, segments) => change(path, endOf(segments.slice(0, 3)), new Uint8Array(3))],
    ["missing", (path, segments) => Deno.truncateSync(path, endOf(segments.slice(0, 3)) + 1)],
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
    settle(store);
    const copy = crashed(folder);
    store.close();
    Deno.truncateSync(`${copy}/log-00000001.bytes`, endOf([before]));
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
      // Behind it stands the record of the turn.
      Deno.truncateSync(path, bytes.length - RECORD_BYTES - 1);
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
    change(`${folder}/log-00000001.bytes`, framesOf(segments.slice(0, 2)) - 2, new Uint8Array([0x62]));
    using again = open(folder);
    assertEquals(again.segmentsAfter(0, 1), [segments[0]!]);
    assertEquals(again.segmentsAfter(2, Infinity), [segments[2]!]);
    const message =
      `Cannot read data folder "${folder}": log-00000001.bytes is damaged: its bytes have changed (entries a:10 to 10, position 2)`;
    assertStoreError(() => again.segmentsAfter(0, Infinity), message);
    assertStoreError(() => again.segmentsAfter(1, Infinity), message);
  });
});
