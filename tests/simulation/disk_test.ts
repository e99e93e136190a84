/** The simulator's disk keeps what a real one keeps. */

import { assertEquals, assertThrows } from "@std/assert";
import { EVERYONE, type Segment } from "../../log/segment.ts";
import type { Batch } from "../../server/store/store.ts";
import { Disk } from "./disk.ts";

const OWNER = { committing: () => true, committed: () => {} };

function batch(position: number): Batch {
  const bytes = new TextEncoder().encode(`${position}\n`);
  const segment: Segment = {
    position,
    origin: "s1",
    first: position,
    last: position,
    audience: EVERYONE,
    takenAt: position,
    bytes,
  };
  return { segments: [segment], accounts: [], messageIds: [], cursors: [], endedCursors: [], lamport: position };
}

Deno.test("after a crash a disk has every commit, under the same name", () => {
  const disk = new Disk("s1");
  const store = disk.open(() => 1_000, OWNER);
  for (const position of [1, 2, 3]) store.commit(batch(position));
  const { opened } = disk.open(() => 1_001, OWNER);
  assertEquals([opened.serverId, opened.head, opened.vector, opened.lamport], ["s1", 3, { s1: 3 }, 3]);
  assertEquals(opened.cut, undefined);
});

Deno.test("after a power cut a disk has what is old enough, and says what it lost and that it has a new name", () => {
  const disk = new Disk("s1");
  let now = 0;
  const store = disk.open(() => now, OWNER);
  for (now of [1_000, 2_000, 2_100, 2_200]) store.commit(batch(store.segmentsAfter(0, 1e9).length + 1));
  assertEquals(disk.powerCut(2_300, 0.4).map(({ position }) => position), [3, 4]);
  assertEquals(disk.lostSince, 2_100);
  const { opened } = disk.open(() => 3_000, OWNER);
  assertEquals([opened.serverId, opened.vector], ["s1-1", { s1: 2 }]);
  assertEquals(opened.cut, { formerServerId: "s1", after: 2, entries: 2 });
  assertEquals(disk.open(() => 3_001, OWNER).opened.cut, undefined);
});

Deno.test("a power cut that takes nothing of the log changes no name", () => {
  const disk = new Disk("s1");
  disk.open(() => 0, OWNER).commit(batch(1));
  assertEquals([disk.powerCut(10_000, 0), disk.lostSince], [[], undefined]);
  assertEquals(disk.open(() => 10_001, OWNER).opened.serverId, "s1");
});

Deno.test("a power cut takes nothing that was synced, nor what was before it", () => {
  const disk = new Disk("s1");
  const store = disk.open(() => 1_000, OWNER);
  store.commit(batch(1));
  store.commit({ ...batch(2), isSynced: true });
  store.commit(batch(3));
  assertEquals(disk.powerCut(1_000, 0).map(({ position }) => position), [3]);
});

Deno.test("a process that died cannot write to the disk of the one that came after it", () => {
  const disk = new Disk("s1");
  const dead = disk.open(() => 0, OWNER);
  disk.open(() => 0, OWNER);
  assertThrows(() => dead.commit(batch(1)), Error, "dead process");
});

Deno.test("a disk that is waited for gives batches when it has taken them, and has them after a crash all the same", () => {
  const disk = new Disk("s1");
  const taking: (() => void)[] = [];
  const syncs = { synced: (run: () => void) => void taking.push(run) };
  const store = disk.open(() => 1_000, OWNER, syncs);
  const done: number[] = [];
  for (const position of [1, 2, 3]) store.commitInBackground!(batch(position), () => done.push(position));
  assertEquals([done, store.segmentsAfter(0, Infinity).length], [[], 0]);
  taking.shift()!();
  assertEquals([done, store.segmentsAfter(0, Infinity).length], [[1], 1]);
  assertEquals(disk.open(() => 2_000, OWNER, syncs).opened.head, 3);
  // Those of a process that is dead come no more.
  taking.forEach((run) => run());
  assertEquals(done, [1]);
});

Deno.test("a power cut takes what a disk that is waited for had not taken", () => {
  for (const [chance, head] of [[0, 1], [0.9, 2]] as const) {
    const disk = new Disk("s1");
    const store = disk.open(() => 1_000, OWNER, { synced: () => {} });
    store.commit(batch(1));
    store.commitInBackground!(batch(2), () => {});
    disk.powerCutInFull(1_000, chance, OWNER);
    const { opened } = disk.open(() => 2_000, OWNER);
    assertEquals([opened.head, opened.serverId], [head, "s1"]);
  }
});
