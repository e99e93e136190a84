import { assertEquals, assertGreater, assertGreaterOrEqual, assertNotEquals, assertThrows } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { SERVERS } from "../../../../log/segment.ts";
import { CURRENT_VERSION, MIGRATIONS } from "../../../../server/store/sqlite/migrations/migrations.ts";
import { openSqliteStore } from "../../../../server/store/sqlite/sqlite_store.ts";
import { type Store, StoreError } from "../../../../server/store/store.ts";
import { testStoreContract } from "../../../contract/store_contract.ts";
import { batchOf, LogWriter } from "../../../support/log_writer.ts";
import { makeVersion1 } from "./version_1.ts";

const open = (folder: string, makeServerId = () => "s-1"): Store =>
  openSqliteStore({ folder, makeServerId, synchronous: "normal", boot: () => "b-1" });

function withFolder(run: (folder: string) => void): void {
  const folder = Deno.makeTempDirSync({ prefix: "thrum-store-" });
  try {
    run(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

testStoreContract({
  name: "openSqliteStore()",
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

Deno.test("openSqliteStore() makes the folder, with those above it, and writes ahead to a log", () => {
  withFolder((folder) => {
    const files = () => [...Deno.readDirSync(`${folder}/a/b`)].map(({ name }) => name).sort();
    {
      using _store = open(`${folder}/a/b`);
      assertEquals(files(), ["thrum.sqlite", "thrum.sqlite-wal"]);
    }
    assertEquals(files(), ["thrum.sqlite"]);
  });
});

Deno.test("SqliteStore.commit() takes nothing of a batch that cannot be written", () => {
  withFolder((folder) => {
    const log = new LogWriter();
    const forBob = { kind: "user" as const, username: "bob" };
    const directMessages = [{ origin: "a", sequence: 1, to: "bob", line: "a:1\n" }];
    const batch = { ...log.batch({ audience: forBob }, { origin: "b" }), directMessages };
    const accounts = [{ username: "bob", verifier: "v", lamport: 1, origin: "a" }];
    using store = open(folder);
    // In the place of the first log file.
    Deno.mkdirSync(`${folder}/log-00000001.bytes`);
    for (let attempt = 0; attempt < 2; attempt++) {
      const commit = () => store.commit({ ...batch, accounts });
      assertThrows(commit, StoreError, `Cannot write to data folder "${folder}": `);
      assertEquals(store.segmentsAfter(0, Infinity), []);
      assertEquals(store.missing({}), { after: 0, activities: 0, gaps: [] });
      assertEquals(store.usernames(), []);
      assertEquals([store.inboxSize, store.inboxOldest], [0, undefined]);
    }
    Deno.removeSync(`${folder}/log-00000001.bytes`);
    store.commit(batch);
    assertEquals(store.segmentsAfter(0, Infinity), [...batch.segments]);
    assertEquals(store.inboxSize, 1);
  });
});

Deno.test("openSqliteStore() finds everything again", () => {
  withFolder((folder) => {
    const log = new LogWriter();
    const account = { username: "bob", verifier: "v", lamport: 1, origin: "a" };
    const used = { username: "bob", messageId: "m", origin: "a", sequence: 1, usedAt: 17 };
    const batch = { ...log.batch({ lines: 3 }, { origin: "b" }, { audience: SERVERS }), accounts: [account] };
    {
      using store = open(folder);
      store.commit({ ...batch, messageIds: [used], lamport: 41 });
    }
    using store = open(folder, () => "never asked for");
    assertEquals(store.opened, {
      serverId: "s-1",
      lamport: 41,
      head: 3,
      vector: { a: 4, b: 1 },
      cursors: [],
      members: [],
      places: [],
      notes: {},
      tombstones: {},
    });
    assertEquals(store.segmentsAfter(0, Infinity), [...batch.segments]);
    assertEquals(store.account("bob"), account);
    assertEquals(store.usedMessageId("bob", "m"), used);
    store.commit(log.batch({}));
    assertEquals(store.missing({ a: 4, b: 1 }), { after: 3, activities: 1, gaps: [] });
  });
});

Deno.test("openSqliteStore() finds the Lamport clock of a last turn that added nothing to the log", () => {
  withFolder((folder) => {
    const log = new LogWriter();
    const lamportAfter = (...lamports: [number, boolean][]) => {
      {
        using store = open(folder);
        for (const [lamport, adds] of lamports) store.commit({ ...(adds ? log.batch({}) : batchOf({})), lamport });
      }
      using store = open(folder);
      return store.opened.lamport;
    };
    assertEquals(lamportAfter([3, false]), 3);
    assertEquals(lamportAfter([4, true], [9, false]), 9);
    assertEquals(lamportAfter([10, true]), 10);
  });
});

Deno.test("openSqliteStore() opens a store whose clock was broken, and goes back to the latest time before that", () => {
  for (const broken of [2 ** 53 - 1, 2 ** 53, 2 ** 62]) {
    withFolder((folder) => {
      const log = new LogWriter();
      {
        using store = open(folder);
        store.commit({ ...log.batch({}), lamport: 7 });
        const account = { username: "bob", verifier: "v", lamport: broken, origin: "a" };
        store.commit({ ...log.batch({}), lamport: broken, accounts: [account] });
      }
      for (const lamport of [7, 9]) {
        using store = open(folder);
        assertEquals(store.opened.lamport, lamport);
        assertEquals(store.account("bob")?.lamport, Math.min(broken, Number.MAX_SAFE_INTEGER));
        store.commit({ ...batchOf({}), lamport: 9 });
      }
    });
  }
});

Deno.test("openSqliteStore() counts what was forgotten, also when only an origin's newest segment is left", () => {
  withFolder((folder) => {
    {
      using store = open(folder);
      store.commit(new LogWriter().batch({ lines: 5 }, { origin: "b", lines: 2 }, { audience: SERVERS }));
      assertEquals(
        store.forget({ takenBefore: Infinity, maxBytes: 0, directMessagesBefore: 0, usedBefore: 0 }).entries,
        5,
      );
    }
    using store = open(folder);
    assertEquals(store.opened.vector, { a: 6, b: 2 });
    assertEquals(store.opened.head, 3);
    assertEquals(store.missing({ a: 2 }), { after: 1, activities: 2, gaps: [{ origin: "a", first: 3, last: 5 }] });
    assertEquals(store.missing({ a: 5, b: 2 }), { after: 2, activities: 0, gaps: [] });
    assertEquals(store.missingAfter(0).gaps, [{ origin: "a", first: 1, last: 5 }]);
    assertEquals(store.missingAfter(1).gaps, []);
  });
});

Deno.test("openSqliteStore() finds the members again that were given last", () => {
  withFolder((folder) => {
    const server = (serverId: string, port: number) => ({ serverId, host: "10.0.0.1", port });
    const openedMembers = () => {
      using store = open(folder);
      return [...store.opened.members];
    };
    {
      using store = open(folder);
      store.commit(batchOf({ members: [server("s-9", 8009)] }));
      store.commit(batchOf({ members: [server("s-3", 8003), server("s-2", 8002)] }));
      store.commit(batchOf({}));
    }
    assertEquals(openedMembers(), [server("s-3", 8003), server("s-2", 8002)]);
    {
      using store = open(folder);
      store.commit(batchOf({ members: [] }));
    }
    assertEquals(openedMembers(), []);
  });
});

Deno.test("openSqliteStore() takes a file of version 2 over, and keeps members in it from then on", () => {
  withFolder((folder) => {
    const log = new LogWriter();
    const segments = [log.segment({ lines: 2 }), log.segment({ audience: SERVERS })];
    makeVersion1(`${folder}/thrum.sqlite`, "s-old", segments);
    const database = new DatabaseSync(`${folder}/thrum.sqlite`);
    for (const statement of MIGRATIONS[1]!.statements) database.exec(statement);
    database.exec("PRAGMA user_version = 2");
    database.close();
    const members = [{ serverId: "s-2", host: "b", port: 8002 }];
    {
      using store = open(folder);
      assertEquals([store.opened.serverId, store.opened.members], ["s-old", []]);
      store.commit(batchOf({ members }));
    }
    using store = open(folder);
    assertEquals(store.opened.members, members);
    assertEquals(store.segmentsAfter(0, Infinity), segments);
  });
});

Deno.test("openSqliteStore() marks connected cursors lost where they stood, once and for all", () => {
  withFolder((folder) => {
    const log = new LogWriter();
    const cursor = (id: number, position: number | undefined, lost = false) => ({
      id,
      username: "bob",
      position,
      lost,
    });
    {
      using store = open(folder);
      const cursors = [cursor(1, undefined), cursor(2, 1), cursor(3, 1, true), cursor(4, 1), cursor(5, 1)];
      store.commit({ ...log.batch({}, {}), cursors });
      store.commit(batchOf({ cursors: [cursor(2, undefined), cursor(5, 2)], endedCursors: [4, 5] }));
    }
    const expected = [cursor(1, 2, true), cursor(2, 2, true), cursor(3, 1, true)];
    {
      using store = open(folder);
      assertEquals([...store.opened.cursors], expected);
      // The log goes on; those that are lost stay where they are.
      store.commit(log.batch({}));
    }
    using store = open(folder);
    assertEquals([...store.opened.cursors], expected);
  });
});

Deno.test("openSqliteStore() has everything that commit() returned for after kill -9", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "thrum-store-" });
  try {
    const program = new URL("commit_forever.ts", import.meta.url).pathname;
    const child = new Deno.Command(Deno.execPath(), { args: ["run", "-A", program, folder], stdout: "piped" }).spawn();
    let printed = "";
    const countLines = () => printed.split("\n").length - 1;
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      const before = countLines();
      printed += text;
      // Not before the write-ahead log was taken over into the file at least once, and at no particular place.
      if (before < 1_000 && countLines() >= 1_000) child.kill("SIGKILL");
    }
    assertEquals((await child.status).signal, "SIGKILL");
    const acknowledged = countLines();
    assertGreaterOrEqual(acknowledged, 1_000);

    using store = open(folder);
    const { head, vector, lamport, cursors } = store.opened;
    assertGreaterOrEqual(head, acknowledged);
    assertEquals({ vector, lamport }, { vector: { a: head }, lamport: head });
    assertEquals(cursors.map(({ id, position, lost }) => ({ id, position, lost })), [{
      id: 1,
      position: head,
      lost: true,
    }]);
    // A batch is there whole or not at all.
    assertEquals(store.usernames().length, head);
    const log = new LogWriter();
    for (let sequence = 1; sequence <= head; sequence++) {
      const text = sequence % 50 === 0 ? "x".repeat(200_000) : "";
      const expected = log.segment({ text, uses: [{ username: `user-${sequence}`, messageId: "m" }] });
      assertEquals(store.segmentsAfter(sequence - 1, 0), [expected]);
      assertNotEquals(store.usedMessageId(`user-${sequence}`, "m"), undefined);
    }
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("openSqliteStore() refuses a folder that another server uses, until that one is closed", () => {
  withFolder((folder) => {
    const first = open(folder);
    const error = assertThrows(
      () => open(folder),
      StoreError,
      `data folder "${folder}": it is in use by another server`,
    );
    assertEquals(error.cause instanceof Error, true);
    first.commit(new LogWriter().batch({}));
    first.close();
    using second = open(folder);
    assertEquals(second.opened.head, 1);
  });
});

Deno.test("openSqliteStore() refuses a folder that another process uses, until that one is killed", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "thrum-store-" });
  try {
    const program = new URL("commit_forever.ts", import.meta.url).pathname;
    const child = new Deno.Command(Deno.execPath(), { args: ["run", "-A", program, folder], stdout: "piped" }).spawn();
    let wasRefused = false;
    for await (const _ of child.stdout) {
      if (wasRefused) continue;
      assertThrows(() => open(folder), StoreError, "in use by another server");
      wasRefused = true;
      child.kill("SIGKILL");
    }
    await child.status;
    using store = open(folder);
    assertGreater(store.opened.head, 0);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("openSqliteStore() refuses a file of a newer version, and leaves it as it is", () => {
  withFolder((folder) => {
    open(folder).close();
    const path = `${folder}/thrum.sqlite`;
    const database = new DatabaseSync(path);
    database.exec("PRAGMA user_version = 99");
    database.close();
    const before = Deno.readFileSync(path);
    assertThrows(() => open(folder), StoreError, `"${folder}": it was written by a newer thrum (version 99`);
    assertEquals(Deno.readFileSync(path), before);
  });
});

Deno.test("MIGRATIONS go up one version at a time", () => {
  assertEquals(MIGRATIONS.map(({ to }) => to), MIGRATIONS.map((_, index) => index + 1));
  assertEquals(CURRENT_VERSION, MIGRATIONS.length);
});
