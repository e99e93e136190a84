/** What a store on a disk does when channels are forgotten by limits of their own: where bytes are, and crashes. */

import { assertEquals, assertGreater, assertLess } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { encodeBroadcast } from "../../../../protocol/server_codec.ts";
import { recoverFolder } from "../../../../server/store/recovery/recover.ts";
import { openMemoryStore } from "../../../../server/store/memory_store.ts";
import { openSqliteStore } from "../../../../server/store/sqlite/sqlite_store.ts";
import type { ForgetLimits, Store } from "../../../../server/store/store.ts";
import { type ChannelEntry, ChannelLog, linesFor, reading } from "../../../support/channel_log.ts";
import { batchOf } from "../../../support/log_writer.ts";
import { crashCopy, filesIn, withFolder } from "../sqlite/_small_files.ts";

const KEEP_ALL: ForgetLimits = { takenBefore: 0, maxBytes: Infinity, directMessagesBefore: 0, usedBefore: 0 };
const LARGE = "x".repeat(3_000);
const lab = reading(["lab"]);
const open = (folder: string): Store =>
  openSqliteStore({
    ...{ folder, makeServerId: () => "s-1", synchronous: "normal", boot: () => "b-1" },
    fileSizes: { segment: 8_192, file: 20_000, sync: Infinity },
  });
const forgetting = (takenBefore: number): ForgetLimits => ({
  ...KEEP_ALL,
  channels: [{ filter: lab.filter, takenBefore, maxBytes: Infinity }],
});
const linesOf = (store: Store, ...patterns: string[]) =>
  linesFor((...asked) => store.portionAfter(...asked), reading(patterns)).map((line) => line.slice(0, 12).trim());

function forget(store: Store, limits: ForgetLimits): void {
  for (let quiet = 0; quiet < 2;) quiet = store.forget(limits).more ? 0 : quiet + 1;
}

/** Two stores say the same of the log to readers of channels. */
function assertAlike(store: Store, expected: Store, when: string): void {
  for (const patterns of [["lab"], ["hall", ""], ["**"]]) {
    assertEquals(linesOf(store, ...patterns), linesOf(expected, ...patterns), when);
    const { filter } = reading(patterns);
    for (const has of [{}, { a: 20 }, { a: 60, b: 3 }]) {
      assertEquals(store.missing(has, filter), expected.missing(has, filter), `${when}, ${patterns}`);
    }
  }
}

Deno.test("a log file goes when only forgotten channels are left in it, or little else", () => {
  withFolder((folder) => {
    const log = new ChannelLog();
    {
      using store = open(folder);
      const of = (count: number, channel: string): ChannelEntry[] =>
        Array.from({ length: count }, () => ({ channel, text: LARGE }));
      // Each of these turns is a file of its own.
      store.commit(batchOf({ segments: log.turn(of(8, "lab"), 1) }));
      store.commit(batchOf({ segments: log.turn([...of(7, "lab"), { channel: "hall" }], 2) }));
      store.commit(batchOf({ segments: log.turn([...of(4, "lab"), ...of(4, "hall")], 3) }));
      store.commit(batchOf({ segments: log.turn(of(8, "hall"), 4) }));
      forget(store, forgetting(9));
    }
    using store = open(folder);
    forget(store, forgetting(9));
    assertEquals(linesOf(store, "lab"), []);
    assertEquals(linesOf(store, "hall").length, 13);
    assertEquals(linesOf(store, "**").length, 13);
    // The mixed one has much that is kept: its bytes stay until all of it goes.
    assertEquals(filesIn(folder).length <= 3, true, `${filesIn(folder)}`);
    assertEquals(filesIn(folder).includes("log-00000001.bytes"), false);
    assertEquals(filesIn(folder).includes("log-00000002.bytes"), false);
  });
});

Deno.test("a store that is killed while it forgets channels is whole, and says what a store in memory says", () => {
  withFolder((folder) => {
    const log = new ChannelLog();
    using store = open(`${folder}/live`);
    const memory = openMemoryStore({ serverId: "s-1" });
    const channels = ["lab", "hall", undefined, "lab", "lab/door"];
    for (let turn = 1; turn <= 24; turn++) {
      const entries = Array.from({ length: 1 + turn % 5 }, (_, index): ChannelEntry => {
        const channel = channels[(turn * 3 + index) % channels.length];
        const text = turn % 4 === 0 ? LARGE : "";
        return { ...(channel === undefined ? {} : { channel }), text, origin: turn % 7 === 0 ? "b" : "a" };
      });
      const segments = log.turn(entries, turn);
      store.commit(batchOf({ segments }));
      memory.commit(batchOf({ segments }));
      const limits = { ...forgetting(turn - 5), takenBefore: turn - 12 };
      // It dies when it has done a part, and goes on after that.
      store.forget(limits);
      crashCopy(`${folder}/live`, `${folder}/part-${turn}`);
      forget(memory, limits);
      {
        using crashed = open(`${folder}/part-${turn}`);
        forget(crashed, limits);
        assertAlike(crashed, memory, `part of turn ${turn}`);
      }
      forget(store, limits);
      crashCopy(`${folder}/live`, `${folder}/all-${turn}`);
      using crashed = open(`${folder}/all-${turn}`);
      assertAlike(crashed, memory, `all of turn ${turn}`);
    }
    assertGreater(linesOf(store, "lab").length, 0);
  });
});

Deno.test("recoverFolder() brings back what is kept, and nothing that is forgotten", () => {
  withFolder((folder) => {
    const log = new ChannelLog();
    {
      using store = open(folder);
      for (let turn = 1; turn <= 6; turn++) {
        const entries = ["lab", "hall", "hall", "hall", "hall"].map((channel) => ({
          channel,
          text: turn % 2 ? LARGE : "",
        }));
        store.commit(batchOf({ segments: log.turn(entries, turn) }));
      }
      forget(store, forgetting(5));
    }
    const said = () => {
      using store = open(folder);
      const gaps = ["lab", "hall"].map((name) => store.missing({ a: 3 }, reading([name]).filter).gaps);
      return [linesOf(store, "**"), gaps];
    };
    const before = said();
    // A row that does not lead to its frame: so there is something to recover.
    const database = new DatabaseSync(`${folder}/thrum.sqlite`);
    database.exec("UPDATE cursors SET position = 5");
    database.close();
    recoverFolder({ folder, makeServerId: () => "s-2", peers: {} });
    assertEquals(said(), before);
  });
});

Deno.test("a message id is used after its activity is forgotten, whenever the program is killed", () => {
  withFolder((folder) => {
    const log = new ChannelLog();
    using store = open(`${folder}/live`);
    for (let sequence = 1; sequence <= 5; sequence++) {
      const line = encodeBroadcast({
        ...{ origin: "a", sequence, lamport: 1, sentAt: 1, after: undefined, activity: "{}" },
        ...{ quotedUsername: '"anna"', messageId: `m-${sequence}`, channel: "lab" },
      });
      const segments = log.turn([{ channel: "lab", line }], sequence);
      const messageIds = [{ username: "anna", messageId: `m-${sequence}`, origin: "a", sequence, usedAt: sequence }];
      store.commit(batchOf({ segments, messageIds }));
      forget(store, forgetting(sequence));
      crashCopy(`${folder}/live`, `${folder}/${sequence}`);
      using crashed = open(`${folder}/${sequence}`);
      for (let used = 1; used <= sequence; used++) {
        assertEquals(crashed.usedMessageId("anna", `m-${used}`)?.sequence, used, `${used} of ${sequence}`);
      }
      assertLess(linesOf(crashed, "lab").length, 2);
    }
  });
});
