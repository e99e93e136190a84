/**
 * Random batches for a store that works in the background of a slow disk, beside a store in memory. At random moments,
 * also in the middle of a checkpoint, the folder is what a killed program or a power cut would leave. What is opened
 * there is what has to survive.
 */

import { assertEquals, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import { type Audience, EVERYONE, type Segment, SERVERS } from "../../../../log/segment.ts";
import { openMemoryStore } from "../../../../server/store/memory_store.ts";
import { openSqliteStore } from "../../../../server/store/sqlite/sqlite_store.ts";
import type { Batch, Store } from "../../../../server/store/store.ts";
import { batchOf, LogWriter } from "../../../support/log_writer.ts";
import { SlowDisk } from "./_slow_disk.ts";

const STEPS = 220;
const USERS = ["ann", "bob", "cem"];
const FOR_USER = (username: string): Audience => ({ kind: "user", username });
/** Small, so that everything happens often. */
const FILE_SIZES = { segment: 3_000, file: 12_000, sync: Infinity };

/** Numbers from 0 up to but not including 1: the same ones for the same seed. */
function chances(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Makes batches of everything. */
class Batches {
  readonly #log = new LogWriter();
  readonly #chance: () => number;
  readonly #messages: { origin: string; sequence: number }[] = [];
  #turn = 0;

  constructor(chance: () => number) {
    this.#chance = chance;
  }

  next(): Batch {
    const chance = this.#chance;
    const turn = ++this.#turn;
    const pick = <T>(list: readonly T[]) => list[Math.floor(chance() * list.length)]!;
    const use = { username: pick(USERS), messageId: `m${turn}` };
    const segments = Array.from({ length: Math.floor(chance() * 4) }, (_, index) =>
      this.#log.segment({
        uses: index === 0 ? [use] : [],
        origin: pick(["a", "b", "c"]),
        lines: 1 + Math.floor(chance() * 3),
        skip: chance() < 0.05 ? 2 : 0,
        audience: chance() < 0.6 ? EVERYONE : chance() < 0.3 ? SERVERS : FOR_USER(pick(USERS)),
        takenAt: turn,
        text: "x".repeat(Math.floor(chance() ** 3 * 9_000)),
      }));
    const directMessages = segments.flatMap(({ origin, first, last, audience, bytes }) => {
      if (audience.kind !== "user") return [];
      const lines = new TextDecoder().decode(bytes).split("\n");
      return Array.from({ length: last - first + 1 }, (_, index) => (
        { origin, sequence: first + index, to: audience.username, line: `${lines[index]}\n` }
      ));
    });
    this.#messages.push(...directMessages);
    const delivered = chance() < 0.3 && this.#messages.length > 0 ? [pick(this.#messages)] : [];
    if (chance() < 0.05) delivered.push({ origin: "b", sequence: 1_000 + turn });
    const { origin, first: sequence } = segments[0] ?? { origin: "a", first: 0 };
    return batchOf({
      segments,
      directMessages,
      delivered,
      accounts: chance() < 0.3 ? [{ username: `u${turn % 40}`, verifier: `${turn}`, lamport: turn, origin: "a" }] : [],
      messageIds: sequence > 0 ? [{ ...use, origin, sequence, usedAt: turn }] : [],
      notes: chance() < 0.3 ? { [`k${turn % 9}`]: chance() < 0.3 ? null : `${turn}` } : {},
      places: chance() < 0.3 ? [{ id: turn % 7, username: "ann", place: `${turn}` }] : [],
      lamport: turn,
    });
  }
}

function readAll(store: Store): Segment[] {
  const found: Segment[] = [];
  for (;;) {
    const segments = store.segmentsAfter(found.at(-1)?.position ?? 0, 20_000);
    if (segments.length === 0) return found;
    found.push(...segments);
  }
}

function readAllBackwards(store: Store): Segment[] {
  const found: Segment[] = [];
  for (;;) {
    const segments = store.segmentsBefore(found[0]?.position ?? 1e9, 20_000);
    if (segments.length === 0) return found;
    found.unshift(...segments);
  }
}

/** Everything that two stores with the same batches say alike. */
function said(store: Store, turn: number) {
  const entries = (username: string) =>
    store.inboxOf(username).map(({ origin, sequence, to, line }) => ({ origin, sequence, to, line }));
  return {
    segments: readAll(store).length,
    missing: [store.missing({}), store.missing({ a: turn, b: 3 }), store.missingAfter(turn), store.vectorAt(turn)],
    bounds: ["a", "b"].map((origin) => [store.boundOf(origin, turn), store.newestActivity(origin)]),
    entry: store.segmentOf("a", turn)?.position,
    beginning: store.beginning(),
    usernames: store.usernames(),
    accounts: store.accountsAfter("u2", 5),
    inbox: USERS.map(entries),
    portion: USERS.map((username) => store.inboxRange(username, { origin: "a", first: 3, last: 60 }, 9_000).length),
    counts: [...USERS.map((username) => store.inboxSizes.get(username)), store.inboxSize, store.inboxOldest],
    notes: Array.from({ length: 9 }, (_, index) => store.note(`k${index}`)),
    ids: USERS.flatMap((username) =>
      Array.from({ length: 9 }, (_, index) => store.usedMessageId(username, `m${turn - index}`))
    ),
  };
}

interface World {
  readonly store: Store;
  readonly memory: Store;
  readonly disk: SlowDisk;
  readonly folder: string;
  readonly chance: () => number;
  /** Up to here the log is on the disk for certain. */
  readonly certain: number;
}

/** A store on a slow disk, the same in memory, and the batches for both. */
async function run(
  seed: number,
  step: (world: World, turn: number) => void,
  { isSyncing }: { isSyncing: boolean },
): Promise<void> {
  const parent = Deno.makeTempDirSync({ prefix: "thrum-store-" });
  const folder = `${parent}/data`;
  const disk = new SlowDisk(folder);
  const chance = chances(seed);
  const store = openSqliteStore({
    folder,
    makeServerId: () => "s-1",
    synchronous: "normal",
    background: disk.background,
    fileSizes: FILE_SIZES,
    boot: () => "b-1",
  });
  disk.allIsThere();
  const memory = openMemoryStore({ serverId: "s-1" });
  const batches = new Batches(chance);
  let certain = 0;
  try {
    for (let turn = 1; turn <= STEPS; turn++) {
      const isSynced = isSyncing && chance() < 0.03;
      const batch = batches.next();
      memory.commit(batch);
      store.commit({ ...batch, isSynced });
      if (isSynced) {
        disk.allIsThere((name) => name.endsWith(".bytes"));
        certain = memory.segmentsBefore(1e9, 0)[0]?.position ?? 0;
      }
      // Now and then the database is far behind the log.
      while (chance() < (turn % 110 < 20 ? 0.4 : 0.004)) disk.wake();
      while (chance() < 0.5) await disk.done();
      if (chance() < 0.04 && !disk.isBusy) {
        const limits = { takenBefore: turn - 40, maxBytes: Infinity, directMessagesBefore: turn - 60, usedBefore: 0 };
        while (memory.forget(limits).more);
        while (store.forget(limits).more) await disk.done();
      }
      step({ store, memory, disk, folder: parent, chance, certain }, turn);
    }
    while (disk.isBusy) await disk.done();
  } finally {
    store.close();
    Deno.removeSync(parent, { recursive: true });
  }
}

for (const seed of [1, 2, 3]) {
  Deno.test(`a store on a slow disk says what a store in memory does, also after kill -9 (seed ${seed})`, async () => {
    let copies = 0;
    await run(seed, ({ store, memory, disk, folder, chance }, turn) => {
      if (chance() < 0.2) {
        assertEquals(said(store, turn), said(memory, turn));
        assertEquals(readAll(store), readAll(memory));
        assertEquals(readAllBackwards(store), readAll(memory));
      }
      if (chance() > 0.08) return;
      const copy = `${folder}/copy-${++copies}`;
      disk.killed(copy);
      using opened = openSqliteStore({
        folder: copy,
        makeServerId: () => "s-2",
        synchronous: "normal",
        fileSizes: FILE_SIZES,
        boot: () => "b-1",
      });
      assertEquals([opened.opened.serverId, opened.opened.cut], ["s-1", undefined]);
      assertEquals(said(opened, turn), said(memory, turn));
      assertEquals(readAll(opened), readAll(memory));
    }, { isSyncing: false });
    assertGreaterOrEqual(copies, 5);
  });

  Deno.test(`a store on a slow disk keeps what was on the disk for certain in a power cut (seed ${seed})`, async () => {
    let copies = 0;
    await run(seed + 100, ({ memory, disk, folder, chance, certain }) => {
      const newest = memory.segmentsBefore(1e9, 0)[0]?.position ?? 0;
      if (chance() > 0.15) return;
      const copy = `${folder}/copy-${++copies}`;
      disk.powerCut(copy, chance);
      using opened = openSqliteStore({
        folder: copy,
        makeServerId: () => "s-2",
        synchronous: "normal",
        fileSizes: FILE_SIZES,
        boot: () => "b-2",
      });
      const { head, cut } = opened.opened;
      assertLessOrEqual(head, newest);
      // An origin may end in a hole behind the cut.
      const end = cut?.after ?? head;
      assertGreaterOrEqual(end, certain);
      // Forgetting may not have reached the disk.
      const kept = new Map(readAll(opened).map((segment) => [segment.position, segment]));
      for (const segment of readAll(memory)) {
        assertEquals(kept.get(segment.position), segment.position <= end ? segment : undefined);
      }
    }, { isSyncing: true });
    assertGreaterOrEqual(copies, 10);
  });
}

Deno.test("log files go when the database on the disk has their turns, and no earlier", async () => {
  const parent = Deno.makeTempDirSync({ prefix: "thrum-store-" });
  const folder = `${parent}/data`;
  const disk = new SlowDisk(folder);
  const parts = { makeServerId: () => "s-1", synchronous: "normal" as const, boot: () => "b-1" };
  // Each turn has a file of its own, and nothing stays there.
  const fileSizes = { segment: Infinity, file: 1, sync: Infinity };
  const filesIn = () => [...Deno.readDirSync(folder)].filter(({ name }) => name.endsWith(".bytes")).length;
  try {
    const store = openSqliteStore({ folder, ...parts, fileSizes, background: disk.background });
    const log = new LogWriter();
    const value = "x".repeat(30_000);
    for (let turn = 0; turn < 100; turn++) store.commit({ ...log.batch({}), notes: { [`k${turn}`]: value } });
    // The database gets a part of the turns, which is enough for a checkpoint.
    disk.wake();
    assertEquals([disk.isBusy, filesIn()], [true, 100]);
    await disk.done();
    assertEquals(filesIn(), 100);
    await disk.done();
    assertEquals([disk.isBusy, filesIn()], [false, 36]);
    disk.killed(`${parent}/copy`);
    store.close();
    using again = openSqliteStore({ folder: `${parent}/copy`, ...parts, fileSizes });
    assertEquals([again.opened.head, Object.keys(again.opened.notes).length], [100, 100]);
  } finally {
    Deno.removeSync(parent, { recursive: true });
  }
});
