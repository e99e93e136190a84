/**
 * What a reader of a quiet channel costs when it is behind: the bytes that the process has read from its disk are
 * counted by the system, those of SQLite among them.
 */

import { assertEquals, assertGreater, assertLess, assertThrows } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { openSqliteStore } from "../../../../server/store/sqlite/sqlite_store.ts";
import { DamagedError, type Store } from "../../../../server/store/store.ts";
import { type ChannelEntry, ChannelLog, linesFor, reading } from "../../../support/channel_log.ts";
import { batchOf } from "../../../support/log_writer.ts";
import { withFolder } from "../sqlite/_small_files.ts";

const TEXT = "x".repeat(250);
const open = (folder: string): Store => openSqliteStore({ folder, makeServerId: () => "s-1", synchronous: "normal" });
const quiet = reading(["quiet"]);

/** So many segments committed together. */
const TOGETHER = 20;

/** Turns of other channels, each with so many lines; of the first one also a line of the quiet channel. */
function fill(folder: string, turns: number, lines: number): void {
  using store = open(folder);
  const log = new ChannelLog();
  for (let turn = 0; turn < turns;) {
    const segments = [];
    for (const end = Math.min(turns, turn + TOGETHER); turn < end; turn++) {
      const entries = Array.from({ length: lines }, (_, line): ChannelEntry => (
        { channel: turn === 0 && line === 0 ? "quiet" : `loud/${line % 3}`, text: TEXT }
      ));
      segments.push(...log.turn(entries));
    }
    store.commit(batchOf({ segments }));
  }
}

/** Bytes that this process has asked the system for, so far. */
function readBytes(): number {
  return Number(/^rchar: (\d+)$/m.exec(Deno.readTextFileSync("/proc/self/io"))![1]);
}

for (const [what, turns, lines] of [["large turns", 1_000, 100], ["small turns", 10_000, 10]] as const) {
  Deno.test({
    name: `a reader of a quiet channel reads almost nothing of 100,000 entries of others, in ${what}`,
    ignore: Deno.build.os !== "linux",
    fn: () =>
      withFolder((folder) => {
        fill(folder, turns, lines);
        using store = open(folder);
        const cost = (patterns: string[]) => {
          const before = readBytes();
          const got = linesFor((...asked) => store.portionAfter(...asked), reading(patterns), 131_072);
          return { lines: got.length, bytes: readBytes() - before };
        };
        const ofQuiet = cost(["quiet"]);
        assertEquals(ofQuiet.lines, 1);
        assertLess(ofQuiet.bytes, 2_500_000);
        // The measure sees what is read, of files and of rows.
        const ofLoud = cost(["loud/1"]);
        assertGreater(ofLoud.lines, 29_000);
        assertGreater(ofLoud.bytes, 25_000_000);
      }),
  });
}

const DAMAGES = [
  ["whose channels have changed", "UPDATE segments SET channels = 'loud/7' WHERE position = 5"],
  ["that is gone", "DELETE FROM segments WHERE position = 5"],
] as const;

for (const [what, sql] of DAMAGES) {
  Deno.test(`a reader that passes over a row ${what} is told`, () => {
    withFolder((folder) => {
      fill(folder, 9, 4);
      const database = new DatabaseSync(`${folder}/thrum.sqlite`);
      database.exec(sql);
      database.close();
      using store = open(folder);
      assertThrows(() => store.portionAfter(1, Infinity, quiet), DamagedError);
    });
  });
}
