/** Direct messages in the SQLite store: what its file adds to the promises of `tests/contract/inbox_contract.ts`. */

import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { type Audience, SERVERS } from "../../../../log/segment.ts";
import { MIGRATIONS } from "../../../../server/store/sqlite/migrations/migrations.ts";
import { prepareStatements } from "../../../../server/store/sqlite/sqlite_statements.ts";
import { openSqliteStore } from "../../../../server/store/sqlite/sqlite_store.ts";
import { type Store, type StoredMessage, StoreError } from "../../../../server/store/store.ts";
import { waiting } from "../../../contract/inbox_contract.ts";
import { open as openWithSmallFiles } from "./_small_files.ts";
import { LogWriter } from "../../../support/log_writer.ts";
import { makeVersion1 } from "./version_1.ts";

const FOR_BOB: Audience = { kind: "user", username: "bob" };
/** Limits that only direct messages are beyond. */
const ALL_MESSAGES = { takenBefore: 0, maxBytes: Infinity, directMessagesBefore: 500, usedBefore: 0 };

const open = (folder: string, serverId = "s-1"): Store =>
  openSqliteStore({
    folder,
    makeServerId: () => serverId,
    synchronous: "normal",
    // All that is for everyone goes to a file.
    fileSizes: { segment: 1, file: 1_000_000, sync: Infinity },
  });

const message = (origin: string, sequence: number): StoredMessage => (
  { origin, sequence, to: "bob", line: `${origin}:${sequence}\n` }
);

function withFolder(run: (folder: string) => void): void {
  const folder = Deno.makeTempDirSync({ prefix: "thrum-store-" });
  try {
    run(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

function withDatabase<T>(folder: string, run: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(`${folder}/thrum.sqlite`);
  try {
    return run(database);
  } finally {
    database.close();
  }
}

Deno.test("openSqliteStore() takes a file of version 3 over, and keeps direct messages in it from then on", () => {
  withFolder((folder) => {
    const log = new LogWriter();
    const segments = [log.segment({ lines: 2 }), log.segment({ audience: SERVERS })];
    makeVersion1(`${folder}/thrum.sqlite`, "s-old", segments);
    withDatabase(folder, (database) => {
      for (const statement of [...MIGRATIONS[1]!.statements, ...MIGRATIONS[2]!.statements]) database.exec(statement);
      database.exec("INSERT INTO members VALUES (1, 's-2', 'b', 8002)");
      database.exec("PRAGMA user_version = 3");
    });
    {
      using store = open(folder);
      assertEquals([store.opened.serverId, store.inboxSize], ["s-old", 0]);
      assertEquals(store.opened.members, [{ serverId: "s-2", host: "b", port: 8002 }]);
      store.commit({ ...log.batch({ audience: FOR_BOB }), directMessages: [message("a", 4)] });
    }
    using store = open(folder);
    assertEquals(waiting(store, "bob"), [message("a", 4)]);
    assertEquals(store.segmentsAfter(0, Infinity).slice(0, 2), segments);
  });
});

Deno.test("SqliteStore.commit() changes nothing about direct messages when it cannot be written", () => {
  withFolder((folder) => {
    const log = new LogWriter();
    using store = openWithSmallFiles(folder);
    store.commit({ ...log.batch({ audience: FOR_BOB }), directMessages: [message("a", 1)] });
    const next = {
      ...log.batch({ audience: FOR_BOB }),
      directMessages: [message("a", 2)],
      delivered: [message("a", 1), message("b", 1)],
    };
    // In the place of the next file.
    Deno.mkdirSync(`${folder}/log-00000002.bytes`);
    assertThrows(() => store.commit(next), StoreError);
    assertEquals([waiting(store, "bob"), store.inboxSize], [[message("a", 1)], 1]);
    Deno.removeSync(`${folder}/log-00000002.bytes`);
    store.commit(next);
    assertEquals(waiting(store, "bob"), [message("a", 2)]);
  });
});

Deno.test("SqliteStore.inboxOf() looks at the user's own messages only, in order as they are", () => {
  withFolder((folder) => {
    open(folder).close();
    withDatabase(folder, (database) => {
      const statements = Object.values(prepareStatements(database)).flatMap((statement) =>
        "sourceSQL" in statement ? [String(statement.sourceSQL)] : []
      );
      const queries = statements.filter((sql) => /FROM inbox .*WHERE username = .*ORDER BY/.test(sql));
      assertEquals(queries.length, 4);
      for (const query of queries) {
        const parameters = Array(query.split("?").length - 1).fill("1");
        const plan = database.prepare(`EXPLAIN QUERY PLAN ${query}`).all(...parameters).map(({ detail }) =>
          String(detail)
        );
        // Nothing is sorted afterwards.
        assertEquals(plan.length, 1, plan.join());
        assertMatch(plan[0]!, /^SEARCH inbox USING INDEX inbox_by_user(_entry)? \(username=\? AND /);
      }
    });
  });
});

Deno.test("openSqliteStore() lets messages behind a cut wait no more, and puts cursors at the end of what is left", () => {
  withFolder((folder) => {
    const log = new LogWriter();
    const copy = `${folder}/crashed`;
    {
      using store = open(folder);
      // What waits keeps what comes after it in the log.
      store.commit(log.batch({ origin: "b", audience: FOR_BOB }));
      const lost = log.batch({ audience: FOR_BOB, takenAt: 10 }, {}, { audience: FOR_BOB });
      const cursors = [{ id: 1, username: "eve", position: 3, lost: true }];
      store.commit({ ...lost, directMessages: [message("a", 3)], delivered: [message("b", 2)], cursors });
      store.commit({ ...log.batch({ origin: "c", audience: FOR_BOB }), directMessages: [message("c", 1)] });
      store.forget(ALL_MESSAGES);
      assertEquals(waiting(store, "bob"), [message("a", 3), message("c", 1)]);
      Deno.mkdirSync(copy);
      for (const { name, isFile } of Deno.readDirSync(folder)) {
        if (isFile) Deno.copyFileSync(`${folder}/${name}`, `${copy}/${name}`);
      }
    }
    Deno.removeSync(`${copy}/log-00000001.bytes`);
    using store = open(copy, "s-2");
    assertEquals(store.opened.cut?.after, 2);
    assertEquals([store.opened.head, store.opened.vector], [1, { b: 1 }]);
    assertEquals(store.opened.cursors.map(({ position }) => position), [1]);
    assertEquals(waiting(store, "bob"), []);
    // What others send again waits, unless it is known to be delivered.
    const again = new LogWriter();
    again.segment({ origin: "b" });
    const batch = again.batch({ origin: "a", skip: 2, audience: FOR_BOB }, { origin: "b", audience: FOR_BOB });
    store.commit({ ...batch, directMessages: [message("a", 3), message("b", 2)] });
    assertEquals(waiting(store, "bob"), [message("a", 3)]);
  });
});
