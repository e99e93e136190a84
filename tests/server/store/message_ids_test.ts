/** Used message ids: how much they take, and what clients without a name share. */

import { assert, assertEquals, assertLess } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { messageKey } from "../../../server/store/sqlite/message_key.ts";
import { openMemoryStore } from "../../../server/store/memory_store.ts";
import { openSqliteStore } from "../../../server/store/sqlite/sqlite_store.ts";
import type { Store, UsedMessageId } from "../../../server/store/store.ts";
import { batchOf } from "../../support/log_writer.ts";
import { withFolder } from "./sqlite/_small_files.ts";

const used = (username: string, number: number): UsedMessageId => (
  {
    username,
    messageId: `${number}-${"x".repeat(64)}`,
    origin: "s-1",
    sequence: number,
    usedAt: 1_790_000_000_000 + number,
  }
);

Deno.test("a message id takes at most 64 bytes, its indexes included", () => {
  withFolder((folder) => {
    const COUNT = 100_000;
    {
      using store = openSqliteStore({ folder, makeServerId: () => "s-1", synchronous: "normal" });
      for (let first = 1; first <= COUNT; first += 1_000) {
        const messageIds = Array.from({ length: 1_000 }, (_, index) => used(`user-${index % 10}`, first + index));
        store.commit(batchOf({ messageIds }));
      }
      assertEquals(store.usedMessageId("user-0", `1-${"x".repeat(64)}`)?.sequence, 1);
      assertEquals(store.usedMessageId("user-1", `1-${"x".repeat(64)}`), undefined);
    }
    const database = new DatabaseSync(`${folder}/thrum.sqlite`);
    const pages = (sql: string) => Number(Object.values(database.prepare(sql).get()!)[0]);
    const bytes = (pages("PRAGMA page_count") - pages("PRAGMA freelist_count")) * pages("PRAGMA page_size");
    database.close();
    // Some pages are of other tables.
    assertLess((bytes - 40 * 8_192) / COUNT, 64);
  });
});

const STORES: readonly [string, (maxAnonymousIds: number, run: (store: Store) => void) => void][] = [
  ["openMemoryStore()", (maxAnonymousIds, run) => run(openMemoryStore({ serverId: "s-1", maxAnonymousIds }))],
  ["openSqliteStore()", (maxAnonymousIds, run) =>
    withFolder((folder) => {
      using store = openSqliteStore({ folder, makeServerId: () => "s-1", synchronous: "normal", maxAnonymousIds });
      run(store);
    })],
];

for (const [name, use] of STORES) {
  Deno.test(`${name} keeps the newest ids of clients without a name, and no others for it`, () => {
    use(10, (store) => {
      store.commit(batchOf({ messageIds: [used("bob", 1)] }));
      for (let number = 1; number <= 25; number++) store.commit(batchOf({ messageIds: [used("anonymous", number)] }));
      store.commit(batchOf({ messageIds: [used("anonymous", 25), used("bob", 1)] }));
      const known = (username: string) =>
        Array.from({ length: 30 }, (_, index) => used(username, index))
          .filter(({ messageId }) => store.usedMessageId(username, messageId) !== undefined)
          .map(({ sequence }) => sequence);
      assertEquals(known("anonymous"), [16, 17, 18, 19, 20, 21, 22, 23, 24, 25]);
      assertEquals(known("bob"), [1]);
    });
  });
}

Deno.test("messageKey() gives what files have, and another one for each user and id", () => {
  assertEquals(messageKey("bob", "m"), "6021ddc712571363da067555");
  const keys = new Set(
    [["b", "ob"], ["bo", "b"], ["bob", ""], ["", "bob"]].map(([name, id]) => messageKey(name!, id!)),
  );
  assertEquals(keys.size, 4);
  assert([...keys].every((key) => /^[0-9a-f]{24}$/.test(key)));
});
