/** The index of used message ids against a plain map: crashes, cuts, damage, forgetting and merging in any order. */

import { assertEquals, assertGreater, assertLess, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { ANONYMOUS } from "../../../../protocol/names.ts";
import { AskedIds } from "../../../../server/store/ids/asked_ids.ts";
import { IdIndex, openIdIndex } from "../../../../server/store/ids/id_index.ts";
import type { IndexParts } from "../../../../server/store/ids/index_parts.ts";
import { crashCopy } from "../sqlite/_small_files.ts";
import { ModelIds, ModelLog, SMALL, type Use } from "./_model.ts";

/** The folders of a test, removed at its end. */
async function withFolders(run: (next: () => string) => Promise<void>): Promise<void> {
  const root = Deno.makeTempDirSync({ prefix: "thrum-ids-" });
  let count = 0;
  try {
    await run(() => `${root}/${++count}`);
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
}

/** One index, its log, and what it should say. */
class Bench {
  readonly log = new ModelLog();
  readonly model: ModelIds;
  folder: string;
  index: IdIndex;
  /** Ids that the log has no entry for any more: their loss with a file is no fault. */
  readonly forgottenEntries = new Set<string>();
  /** Whether the ids of clients without a name are counted as in the model: not those whose entries were lost. */
  isCounted = true;
  readonly #nextFolder: () => string;
  readonly #parts: Omit<IndexParts, "folder" | "log">;
  #number = 0;

  constructor(nextFolder: () => string, parts: Omit<IndexParts, "folder" | "log"> = {}) {
    this.#nextFolder = nextFolder;
    this.#parts = { sizes: SMALL, maxAnonymous: 30, ...parts };
    this.folder = nextFolder();
    Deno.mkdirSync(this.folder);
    this.model = new ModelIds(this.log, this.#parts.maxAnonymous!);
    this.index = this.#open();
  }

  /** A turn with these uses, as a journal has it: asks first, and takes the unused ones. */
  turn(origin: string, takenAt: number, uses: readonly Use[], isDirect = false): void {
    const seen = new Set<string>();
    const taken = uses.filter(({ username, messageId }) => {
      if (messageId === undefined) return true;
      const key = JSON.stringify([username, messageId]);
      const isNew = !seen.has(key) && this.index.find(username, messageId) === undefined;
      seen.add(key);
      return isNew;
    });
    if (taken.length === 0) return;
    const used = this.log.add(origin, takenAt, taken, isDirect);
    for (const use of used) this.model.add(use, !this.isCounted && use.username === ANONYMOUS);
    this.index.write(used, this.log.head, this.log.segments.at(-1)!.bytes.length);
  }

  /** New ids, each used once. */
  fresh(count: number, username = "bob"): Use[] {
    return Array.from({ length: count }, () => ({ username, messageId: `m-${++this.#number}` }));
  }

  /** Goes on with a copy of the folder as it is in this moment. */
  crash(): void {
    const copy = this.#nextFolder();
    crashCopy(this.folder, copy);
    this.index.close();
    this.folder = copy;
    this.index = this.#open();
    // As a server does every second: what a file knows of it may be older.
    this.index.forget(this.model.usedBefore);
  }

  reopen(): void {
    this.index.close();
    this.index = this.#open();
    this.index.forget(this.model.usedBefore);
  }

  repair(): void {
    this.check(true);
    while (this.index.forget(this.model.usedBefore));
  }

  /** Every id that was ever used. With `mayMiss` one may be missing, but none may be another. */
  check(mayMiss = false): void {
    for (const { username, messageId } of this.model.ever.values()) {
      const found = this.index.find(username, messageId);
      const expected = this.model.find(username, messageId);
      if (found === undefined && (mayMiss || this.forgottenEntries.has(messageId))) continue;
      if ((found ?? expected) === undefined) continue;
      if (!this.isCounted && username === ANONYMOUS && (found === undefined || expected === undefined)) continue;
      assertEquals(found, expected);
    }
    assertEquals(this.index.find("nobody", "m-1"), undefined);
  }

  get files(): string[] {
    return [...Deno.readDirSync(this.folder)].map(({ name }) => name).filter((name) => name.endsWith(".run")).sort();
  }

  #open(): IdIndex {
    return openIdIndex({ folder: this.folder, log: this.log, ...this.#parts });
  }
}

type Command =
  | { readonly kind: "turn"; readonly origin: string; readonly fresh: number; readonly anonymous: number }
  | { readonly kind: "repeat" | "plain" | "direct"; readonly count: number }
  | { readonly kind: "settle" | "crash" | "reopen" | "forget" | "cut" | "power" | "bury" }
  | { readonly kind: "turns"; readonly ticks: number };

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("turn" as const),
      origin: fc.constantFrom("a", "b", "c"),
      fresh: fc.nat({ max: 15 }),
      anonymous: fc.nat({ max: 6 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom("repeat" as const, "plain" as const, "direct" as const),
      count: fc.integer({ min: 1, max: 9 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("turns" as const), ticks: fc.nat({ max: 12 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom("settle" as const, "crash" as const, "forget" as const) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom("reopen" as const, "cut" as const, "power" as const, "bury" as const),
    }),
  },
);

const SMALL_RUNS = 25;

Deno.test("IdIndex answers as a plain map does, whatever happens", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(command, { minLength: 20, maxLength: 90, size: "max" }),
      (commands) =>
        withFolders(async (next) => {
          const bench = new Bench(next);
          const { log, model } = bench;
          let now = 1_000;
          // The turn in which something is cut waits for the disk: no power cut takes what is before it.
          let synced = 0;
          for (const command of commands) {
            now += 10;
            if (command.kind === "turn") {
              bench.turn(command.origin, now, [
                ...bench.fresh(command.fresh),
                ...bench.fresh(command.anonymous, "anonymous"),
              ]);
            } else if (command.kind === "repeat") {
              // Those of old times are new again when they were forgotten.
              const all = [...model.ever.values()];
              bench.turn("a", now, [...all.slice(-command.count), ...all.slice(0, 3 * command.count)]);
            } else if (command.kind === "plain") {
              bench.turn("b", now, Array(command.count * 10).fill({ username: "bob", messageId: undefined }));
            } else if (command.kind === "direct") bench.turn("a", now, bench.fresh(command.count, "eve"), true);
            else if (command.kind === "turns") {
              for (let tick = 0; tick < command.ticks; tick++) await Deno.stat(bench.folder);
            } else if (command.kind === "settle") await bench.index.settled();
            else if (command.kind === "crash") bench.crash();
            else if (command.kind === "reopen") bench.reopen();
            else if (command.kind === "forget") {
              model.usedBefore = now - 150;
              bench.index.forget(model.usedBefore);
            } else if (command.kind === "bury") {
              log.buried.add("c");
            } else if (command.kind === "cut") {
              const after = Math.floor((log.segments.findLast(({ origin }) => origin === "b")?.last ?? 0) / 2);
              const sequence = log.segments.findLast(({ origin, last }) => origin === "b" && last <= after)?.last ?? 0;
              const position = log.segments.find(({ origin, last }) => origin === "b" && last > sequence)?.position;
              bench.isCounted = false;
              bench.index.cut("b", sequence, (position ?? log.head + 1) - 1);
              log.cut("b", sequence);
              synced = log.head;
              model.drop((used) => used.origin === "b" && used.sequence > sequence);
            } else {
              bench.isCounted = false;
              const lost = log.lose(Math.max(synced, log.head - 3));
              model.drop(({ origin, sequence }) =>
                lost.some((segment) =>
                  segment.origin === origin && segment.first <= sequence && sequence <= segment.last
                )
              );
              bench.crash();
            }
            bench.check();
          }
          await bench.index.settled();
          bench.reopen();
          bench.check();
          await bench.index.settled();
          bench.index.close();
          await settleIo(bench.folder);
        }),
    ),
    { numRuns: SMALL_RUNS, endOnFailure: true },
  );
});

/** Lets go on what was stopped: it removes its unfinished file. */
async function settleIo(folder: string): Promise<void> {
  for (let tick = 0; tick < 20; tick++) await Deno.stat(folder);
}

/** A bench with many ids in files. */
async function filled(next: () => string, parts: Partial<IndexParts> = {}): Promise<Bench> {
  const bench = new Bench(next, parts);
  for (let turn = 1; turn <= 60; turn++) {
    bench.turn(turn % 2 === 0 ? "a" : "b", 1_000 + turn, bench.fresh(7));
    if (turn % 3 === 0) await bench.index.settled();
  }
  await bench.index.settled();
  return bench;
}

Deno.test("IdIndex merges its files in the background, and keeps few of them", async () => {
  await withFolders(async (next) => {
    const bench = await filled(next);
    assertGreater(bench.index.use.ids, 400);
    assertLess(bench.files.length, 8);
    assertEquals(bench.files.length, bench.index.use.files);
    assertEquals(
      bench.files.reduce((sum, name) => sum + Deno.statSync(`${bench.folder}/${name}`).size, 0),
      bench.index.use.fileBytes,
    );
    bench.check();
    bench.reopen();
    bench.check();
    bench.index.close();
    await settleIo(bench.folder);
  });
});

Deno.test("IdIndex looks at no file for nearly every new id, and at one block for one that is in a file", async () => {
  await withFolders(async (next) => {
    const bench = await filled(next, { sizes: { ...SMALL, filterBytes: 100_000 } });
    const before = bench.index.reads;
    for (let id = 0; id < 10_000; id++) assertEquals(bench.index.find("bob", `new-${id}`), undefined);
    assertLess(bench.index.reads - before, 100);
    const asked = bench.index.reads;
    for (let id = 1; id <= 300; id++) bench.index.find("bob", `m-${id}`);
    assertLess(bench.index.reads - asked, 310);
    bench.index.close();
  });
});

Deno.test("IdIndex drops the files of forgotten ids, and does not read their entries again", async () => {
  await withFolders(async (next) => {
    const bench = await filled(next);
    bench.model.usedBefore = 1_058;
    bench.index.forget(1_058);
    await bench.index.settled();
    bench.check();
    // A file stays as long as one of its ids counts.
    assertLess(bench.index.use.ids, 300);
    const read: number[] = [];
    const segmentsAfter = bench.log.segmentsAfter.bind(bench.log);
    bench.log.segmentsAfter = (position, maxBytes) => {
      read.push(position);
      return segmentsAfter(position, maxBytes);
    };
    bench.reopen();
    assertEquals(read.filter((position) => position < bench.log.head - 20), []);
    bench.check();
    bench.index.close();
    await settleIo(bench.folder);
  });
});

Deno.test("IdIndex reads the ids of a missing or unreadable file out of the log", async () => {
  for (const harm of ["removed", "cut short", "changed", "of another folder"] as const) {
    await withFolders(async (next) => {
      const bench = await filled(next);
      bench.index.close();
      await settleIo(bench.folder);
      const paths = bench.files.map((name) => `${bench.folder}/${name}`);
      const sizes = paths.map((path) => Deno.statSync(path).size);
      const path = paths[sizes.indexOf(Math.max(...sizes))]!;
      if (harm === "removed") Deno.removeSync(path);
      else if (harm === "cut short") Deno.truncateSync(path, 5_000);
      else if (harm === "changed") flip(path, Deno.statSync(path).size - 30);
      else {
        const other = await filled(next);
        other.index.close();
        await settleIo(other.folder);
        Deno.copyFileSync(`${other.folder}/${other.files[0]}`, path);
        Deno.renameSync(path, `${bench.folder}/ids-00000001.run`);
      }
      bench.reopen();
      bench.check();
      await bench.index.settled();
      bench.reopen();
      bench.check();
      bench.index.close();
      await settleIo(bench.folder);
    });
  }
});

Deno.test("IdIndex reads the ids of a changed block out of the log again, and never names a wrong entry", async () => {
  await withFolders(async (next) => {
    const bench = await filled(next);
    for (let round = 0; round < 40; round++) {
      const name = bench.files[round % bench.files.length]!;
      flip(`${bench.folder}/${name}`, (round * 1_237) % 4_096);
      bench.check(true);
    }
    bench.repair();
    bench.check();
    for (let turn = 0; turn < 40; turn++) bench.turn("c", 2_000, bench.fresh(7));
    await bench.index.settled();
    bench.repair();
    bench.check();
    bench.reopen();
    bench.repair();
    bench.check();
    bench.index.close();
    await settleIo(bench.folder);
  });
});

Deno.test("IdIndex.cut() holds although a file of before is back, and takes nothing when the cut does not happen", async () => {
  await withFolders(async (next) => {
    const bench = await filled(next);
    const before = next();
    crashCopy(bench.folder, before);
    const position = bench.log.segments.find(({ origin, last }) => origin === "b" && last > 100)!.position - 1;
    const { last } = bench.log.segments.findLast(({ origin, last }) => origin === "b" && last <= 100)!;
    bench.index.cut("b", last, position);
    // The server is killed before the turn is in the log.
    bench.crash();
    bench.check();
    bench.index.cut("b", last, position);
    bench.log.cut("b", last);
    bench.model.drop((used) => used.origin === "b" && used.sequence > last);
    bench.check();
    for (const { name } of Deno.readDirSync(before)) {
      if (!bench.files.includes(name)) Deno.copyFileSync(`${before}/${name}`, `${bench.folder}/${name}`);
    }
    bench.reopen();
    bench.check();
    bench.index.close();
    await settleIo(bench.folder);
  });
});

Deno.test("AskedIds gives the hashes of the turn in its order, and no others", () => {
  const asked = new AskedIds();
  const into = new Int32Array(3);
  for (let id = 0; id < 2_000; id++) asked.add("bob", `m-${id}`, new Int32Array([id, id + 1, id + 2, 0]));
  assertEquals(asked.take("eve", "m-0", into), false);
  assertEquals([asked.take("bob", "m-0", into), [...into]], [true, [0, 1, 2]]);
  assertEquals(asked.take("bob", "m-0", into), false);
  assertEquals([asked.take("bob", "m-3", into), [...into]], [true, [3, 4, 5]]);
  // Bounded, both ways.
  assertEquals(asked.take("bob", "m-99", into), false);
  for (let id = 4; id < 1_024; id++) assertEquals(asked.take("bob", `m-${id}`, into), true);
  assertEquals(asked.take("bob", "m-1024", into), false);
  asked.clear();
  asked.add("bob", "m", new Int32Array(4));
  assertEquals(asked.take("bob", "m-1", into), false);
  assertEquals(asked.take("bob", "m", into), true);
});

Deno.test("IdIndex keeps what it has in memory when it cannot write, and tries again", async () => {
  await withFolders(async (next) => {
    const bench = new Bench(next);
    Deno.removeSync(bench.folder);
    bench.turn("a", 1_000, bench.fresh(30));
    await bench.index.settled();
    bench.check();
    bench.turn("a", 1_000, bench.fresh(30));
    assertEquals(bench.index.use.files, 0);
    // There is no end of memory: a turn waits for the disk then, and fails with it.
    let message = "";
    try {
      bench.turn("a", 1_000, bench.fresh(70));
    } catch (error) {
      message = (error as Error).message;
    }
    assertStringIncludes(message, "ids-");
    Deno.mkdirSync(bench.folder);
    bench.index.forget(0);
    await bench.index.settled();
    assertGreater(bench.index.use.files, 0);
    bench.index.close();
    await settleIo(bench.folder);
  });
});

Deno.test("IdIndex waits for the disk within a turn only when memory is full", async () => {
  await withFolders(async (next) => {
    const bench = new Bench(next);
    for (let turn = 0; turn < 9; turn++) bench.turn("a", 1_000, bench.fresh(7));
    // Nothing in the background had a chance yet.
    assertEquals(bench.files, []);
    for (let turn = 0; turn < 9; turn++) bench.turn("a", 1_000, bench.fresh(7));
    assertEquals(bench.files.length, 2);
    bench.check();
    await bench.index.settled();
    bench.reopen();
    bench.check();
    bench.index.close();
    await settleIo(bench.folder);
  });
});

function flip(path: string, at: number): void {
  using file = Deno.openSync(path, { read: true, write: true });
  const byte = new Uint8Array(1);
  file.seekSync(at, Deno.SeekMode.Start);
  file.readSync(byte);
  byte[0]! ^= 0x10;
  file.seekSync(at, Deno.SeekMode.Start);
  file.writeSync(byte);
}
