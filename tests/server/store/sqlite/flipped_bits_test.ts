/**
 * One flipped bit anywhere in `thrum.sqlite`: what the store says then is what it said before, or that
 * something is damaged.
 */

import { assert, assertEquals, assertGreater, assertThrows } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import type { Audience } from "../../../../log/segment.ts";
import { SERVERS } from "../../../../log/segment.ts";
import { openSqliteStore } from "../../../../server/store/sqlite/sqlite_store.ts";
import { DamagedError, type Store, StoreError } from "../../../../server/store/store.ts";
import { LogWriter } from "../../../support/log_writer.ts";
import { change, withFolder } from "./_small_files.ts";

const FOR_BOB: Audience = { kind: "user", username: "bob" };
const open = (folder: string): Store => openSqliteStore({ folder, makeServerId: () => "s-1", synchronous: "normal" });

/** A store that has something of everything. */
function fill(folder: string): void {
  using store = open(folder);
  const log = new LogWriter();
  for (let turn = 1; turn <= 60; turn++) {
    const batch = log.batch({ text: "y".repeat(turn * 7) }, { audience: FOR_BOB }, { origin: "b", audience: SERVERS });
    const { origin, first: sequence, bytes } = batch.segments[1]!;
    store.commit({
      ...batch,
      lamport: turn,
      directMessages: [{ origin, sequence, to: "bob", line: new TextDecoder().decode(bytes) }],
      accounts: [{ username: `user-${turn}`, verifier: `v-${turn}`, lamport: turn, origin: "a" }],
      messageIds: [{ username: "bob", messageId: `m-${turn}`, origin: "a", sequence: turn, usedAt: turn }],
      cursors: [{ id: turn, username: `user-${turn}`, position: turn, lost: true }],
      places: [{ id: turn, username: `user-${turn}`, place: "{}" }],
      notes: { [`key-${turn}`]: "value" },
      buried: { [`dead-${turn}`]: turn },
      members: [{ serverId: "s-2", host: "h", port: 8_000 + turn }],
    });
  }
}

/** Everything that the store tells somebody. Of a message id only what it says, not whether it knows it. */
function askAll(folder: string) {
  using store = open(folder);
  const names = store.usernames();
  return {
    opened: store.opened,
    segments: store.segmentsAfter(0, Infinity),
    backwards: store.segmentsBefore(Infinity, Infinity),
    beginning: store.beginning(),
    accounts: names.map((name) => store.account(name)),
    inbox: store.inboxOf("bob"),
    missing: [
      store.missing({}),
      store.missing({ a: 33, b: 11 }),
      store.missing({ "dead-5": 1 }),
      store.missingAfter(77),
    ],
    ids: Array.from({ length: 60 }, (_, index) => store.usedMessageId("bob", `m-${index + 1}`)),
  };
}

function flip(path: string, bit: number): void {
  const byte = Deno.readFileSync(path)[bit >> 3]!;
  change(path, bit >> 3, new Uint8Array([byte ^ (1 << (bit & 7))]));
}

Deno.test("a store never tells something else than what was written, whatever bit has flipped", () => {
  withFolder((folder) => {
    fill(folder);
    const path = `${folder}/thrum.sqlite`;
    const good = askAll(folder);
    const bytes = Deno.readFileSync(path);
    let found = 0;
    // A prime, so that all pages, and all places in them, have their turn.
    for (let bit = 0; bit < bytes.length * 8; bit += 6_007) {
      Deno.writeFileSync(path, bytes);
      flip(path, bit);
      let said;
      try {
        said = askAll(folder);
      } catch (error) {
        assert(error instanceof StoreError, `bit ${bit}: ${error}`);
        found++;
        continue;
      }
      const ids = said.ids.map((used, index) => used ?? good.ids[index]);
      assertEquals({ ...said, ids }, good, `bit ${bit}`);
    }
    assertGreater(found, 20);
  });
});

Deno.test("SqliteStore.segmentsAfter() says which entries are damaged, and gives nothing of them", () => {
  withFolder((folder) => {
    fill(folder);
    const path = `${folder}/thrum.sqlite`;
    // A text that is as long: SQLite notices nothing. Pages that were divided can have it a second time.
    const text = new TextDecoder("latin1").decode(Deno.readFileSync(path));
    for (const { index } of text.matchAll(/a:21yyy/g)) change(path, index + 4, new Uint8Array([0x78]));
    using store = open(folder);
    const before = store.segmentsAfter(0, 200);
    assertGreater(before.length, 0);
    const error = assertThrows(
      () => store.segmentsAfter(0, Infinity),
      DamagedError,
      "(entries a:21 to 21, position 31)",
    );
    const { origin, first, last, position } = error;
    assertEquals({ origin, first, last, position }, { origin: "a", first: 21, last: 21, position: 31 });
  });
});

/** What each of these says to the store of a folder that was filled. */
const DAMAGES: readonly { what: string; sql: string; ask: (store: Store) => unknown }[] = [
  {
    what: "an account",
    sql: "UPDATE accounts SET verifier = 'v-2' WHERE username = 'user-1'",
    ask: (store) => store.account("user-1"),
  },
  {
    what: "the receiver of a message",
    sql: "UPDATE inbox SET username = 'eve' WHERE sequence = 2",
    ask: (store) => store.inboxOf("eve"),
  },
  {
    what: "the entry of a message",
    sql: "UPDATE inbox SET sequence = 3 WHERE sequence = 2",
    ask: (store) => store.inboxOf("bob"),
  },
  {
    what: "the count of activities",
    sql: "UPDATE segments SET activities = 9 WHERE position = 31",
    ask: (store) => store.missing({ a: 20 }),
  },
  {
    what: "the audience of a segment",
    sql: "UPDATE segments SET audience = 0, username = NULL WHERE position = 32",
    ask: (store) => store.segmentsAfter(31, 0),
  },
  {
    what: "the origin of a segment",
    sql: "UPDATE segments SET origin = 2 WHERE position = 31",
    ask: (store) => store.segmentsAfter(30, 0),
  },
  {
    what: "the segment of a message",
    sql: "DELETE FROM segments WHERE position = 2",
    ask: (store) => store.inboxOf("bob"),
  },
  {
    what: "a segment in the middle",
    sql: "DELETE FROM segments WHERE position = 31",
    ask: (store) => store.segmentsAfter(0, Infinity),
  },
  {
    what: "the oldest activity, read backwards,",
    sql: "UPDATE segments SET position = 999 WHERE position = 1",
    ask: (store) => store.segmentsBefore(100, Infinity),
  },
  {
    what: "a segment in the middle, read backwards,",
    sql: "DELETE FROM segments WHERE position = 31",
    ask: (store) => store.segmentsBefore(Infinity, Infinity),
  },
  {
    what: "the segment where a reader begins",
    sql: "DELETE FROM segments WHERE position = 31",
    ask: (store) => store.missing({ a: 20 }),
  },
  { what: "a cursor", sql: "UPDATE cursors SET position = 5 WHERE id = 1", ask: () => {} },
  { what: "a place", sql: "UPDATE places SET place = '[]' WHERE id = 1", ask: () => {} },
  { what: "a tombstone", sql: "UPDATE tombstones SET last = 99 WHERE origin = 'dead-5'", ask: () => {} },
  { what: "a note", sql: "UPDATE notes SET value = 'other' WHERE key = 'key-5'", ask: (store) => store.note("key-5") },
  { what: "the state", sql: "UPDATE state SET head = 999", ask: () => {} },
  { what: "what was forgotten", sql: "UPDATE origins SET forgotten_last = 3 WHERE id = 1", ask: () => {} },
  { what: "a member", sql: "UPDATE members SET host = 'elsewhere'", ask: () => {} },
];

for (const { what, sql, ask } of DAMAGES) {
  Deno.test(`a store says that ${what} has changed`, () => {
    withFolder((folder) => {
      fill(folder);
      const database = new DatabaseSync(`${folder}/thrum.sqlite`);
      database.exec(sql);
      database.close();
      assertThrows(() => {
        using store = open(folder);
        ask(store);
      }, DamagedError);
    });
  });
}
