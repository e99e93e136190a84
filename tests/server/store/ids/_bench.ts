/** An index beside a model of its log, for tests: it asks and writes as a journal does, crashes and is opened again. */

import { assertEquals } from "@std/assert";
import { ANONYMOUS } from "../../../../protocol/names.ts";
import { type IdIndex, openIdIndex } from "../../../../server/store/ids/id_index.ts";
import type { IndexParts } from "../../../../server/store/ids/index_parts.ts";
import { crashCopy } from "../sqlite/_small_files.ts";
import { ModelIds, ModelLog, SMALL, type Use } from "./_model.ts";

/** The folders of a test, removed at its end. */
export async function withFolders(run: (next: () => string) => Promise<void> | void): Promise<void> {
  const root = Deno.makeTempDirSync({ prefix: "thrum-ids-" });
  let count = 0;
  try {
    await run(() => `${root}/${++count}`);
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
}

/** One index, its log, and what it should say. */
export class Bench {
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

/** Lets go on what was stopped: it removes its unfinished file. */
export async function settleIo(folder: string): Promise<void> {
  for (let tick = 0; tick < 20; tick++) await Deno.stat(folder);
}

/** A bench with many ids in files. */
export async function filled(next: () => string, parts: Partial<IndexParts> = {}): Promise<Bench> {
  const bench = new Bench(next, parts);
  for (let turn = 1; turn <= 60; turn++) {
    bench.turn(turn % 2 === 0 ? "a" : "b", 1_000 + turn, bench.fresh(7));
    if (turn % 3 === 0) await bench.index.settled();
  }
  await bench.index.settled();
  return bench;
}
