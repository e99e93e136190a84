/** That somebody takes the files of a data folder away from under a server. */

import { assertEquals, assertThrows } from "@std/assert";
import { FileWatch, type SeenFile } from "../../../../server/store/sqlite/file_watch.ts";
import { StoreError } from "../../../../server/store/store.ts";
import { LogWriter } from "../../../support/log_writer.ts";
import { open, withFolder } from "./_small_files.ts";

const LARGE = "x".repeat(20_000);

/** A watch over files that are made up. */
function watchOf(files: Map<string, SeenFile>): FileWatch {
  return new FileWatch("data", (path) => files.get(path));
}

function file(inode: number, size = 10): SeenFile {
  return { device: 1, inode, size };
}

function growing(name: string, writtenBytes = 0): { name: string; writtenBytes: number } {
  return { name, writtenBytes };
}

Deno.test("FileWatch finds files that are missing, others, or shorter than they were or than what was written", () => {
  const files = new Map([["data", file(1)], ["data/a", file(2)], ["data/b", file(3)]]);
  const watch = watchOf(files);
  const check = (writtenBytes = 0) =>
    watch.check({ growing: [growing("a", writtenBytes)], complete: ["b"], passing: ["c"] });
  assertEquals(check(), undefined);
  files.set("data/a", file(2, 20));
  assertEquals(check(20), undefined);
  assertEquals(check(21), "a was cut short while the server ran");
  for (
    const [path, found, problem] of [
      ["data/a", file(2, 19), "a was cut short while the server ran"],
      ["data/a", file(9, 20), "another file is in the place of a"],
      ["data/a", { ...file(2, 20), device: 2 }, "another file is in the place of a"],
      ["data/a", undefined, "a was removed while the server ran"],
      ["data/b", file(3, 9), "b was cut short while the server ran"],
      ["data/b", undefined, "b was removed while the server ran"],
      ["data", file(8), "another folder is in its place"],
      ["data", undefined, "it was moved or removed while the server ran"],
    ] as const
  ) {
    const before = files.get(path)!;
    if (found === undefined) files.delete(path);
    else files.set(path, found);
    assertEquals(check(), problem);
    files.set(path, before);
    assertEquals(check(), undefined);
  }
  // It comes when it likes, and has any size, but goes no more.
  files.set("data/c", file(4));
  assertEquals(check(), undefined);
  files.set("data/c", file(4, 0));
  assertEquals(check(), undefined);
  files.delete("data/c");
  assertEquals(check(), "c was removed while the server ran");
});

Deno.test("FileWatch takes no notice of what the server itself has removed, also when its place is taken", () => {
  const files = new Map([["data", file(1)], ["data/a", file(2)], ["data/b", file(3)]]);
  const watch = watchOf(files);
  assertEquals(watch.check({ growing: [growing("a")], complete: ["b"], passing: [] }), undefined);
  files.delete("data/b");
  assertEquals(watch.check({ growing: [growing("a")], complete: [], passing: [] }), undefined);
  files.set("data/b", file(4, 1));
  assertEquals(watch.check({ growing: [growing("a")], complete: ["b"], passing: [] }), undefined);
});

Deno.test("FileWatch looks at some of many files at a time, and at each of them in the end", () => {
  const complete = Array.from({ length: 1_000 }, (_, index) => `f-${index}`);
  const files = new Map([
    ["data", file(0)],
    ...complete.map((name, index): [string, SeenFile] => [`data/${name}`, file(index + 1)]),
  ]);
  let looks = 0;
  const watch = new FileWatch("data", (path) => {
    looks++;
    return files.get(path);
  });
  const check = () => watch.check({ growing: [], complete, passing: [] });
  for (let turn = 0; turn < 16; turn++) assertEquals(check(), undefined);
  assertEquals(looks <= 16 * 65, true);
  files.delete("data/f-500");
  const problems = Array.from({ length: 16 }, () => check());
  assertEquals(problems.includes("f-500 was removed while the server ran"), true);
});

const CHANGES: readonly [what: string, change: (folder: string) => void, sentence: string][] = [
  ["the database is removed", (folder) => Deno.removeSync(`${folder}/thrum.sqlite`), "thrum.sqlite was removed"],
  [
    "its write-ahead log is removed",
    (folder) => Deno.removeSync(`${folder}/thrum.sqlite-wal`),
    "thrum.sqlite-wal was removed",
  ],
  [
    "a log file is removed",
    (folder) => Deno.removeSync(`${folder}/log-00000002.bytes`),
    "log-00000002.bytes was removed",
  ],
  [
    "the newest one is removed",
    (folder) => Deno.removeSync(`${folder}/log-00000003.bytes`),
    "log-00000003.bytes was removed",
  ],
  [
    "the newest one is cut",
    (folder) => Deno.truncateSync(`${folder}/log-00000003.bytes`, 5),
    "log-00000003.bytes was cut short",
  ],
  [
    "the first one is cut",
    (folder) => Deno.truncateSync(`${folder}/log-00000001.bytes`, 5),
    "log-00000001.bytes was cut short",
  ],
  [
    "the database is replaced by its copy",
    (folder) => replace(`${folder}/thrum.sqlite`),
    "another file is in the place of thrum.sqlite",
  ],
  [
    "a log file is replaced by its copy",
    (folder) => replace(`${folder}/log-00000001.bytes`),
    "another file is in the place of log-00000001.bytes",
  ],
  ["the folder is moved", (folder) => Deno.renameSync(folder, `${folder}-moved`), "it was moved or removed"],
  ["the folder is removed", (folder) => Deno.removeSync(folder, { recursive: true }), "it was moved or removed"],
  ["another folder is put in its place", (folder) => {
    Deno.renameSync(folder, `${folder}-moved`);
    Deno.mkdirSync(folder);
  }, "another folder is in its place"],
];

function replace(path: string): void {
  Deno.copyFileSync(path, `${path}-copy`);
  Deno.renameSync(`${path}-copy`, path);
}

for (const [what, change, sentence] of CHANGES) {
  Deno.test({
    name: `SqliteStore.checkFiles() finds that ${what}`,
    // There nothing can be moved or removed that a program has open.
    ignore: Deno.build.os === "windows",
    fn() {
      withFolder((parent) => {
        const folder = `${parent}/data`;
        const log = new LogWriter();
        const store = open(folder);
        try {
          for (let n = 0; n < 3; n++) store.commit(log.batch({ text: LARGE }));
          store.checkFiles();
          store.checkFiles();
          change(folder);
          const { message } = assertThrows(() => store.checkFiles(), StoreError, sentence);
          assertEquals(message.startsWith(`Cannot go on with data folder "${folder}": `), true);
        } finally {
          store.close();
        }
      });
    },
  });
}

Deno.test("SqliteStore.checkFiles() finds nothing while the store goes on: files are begun, forgotten and removed", () => {
  withFolder((folder) => {
    const log = new LogWriter();
    using store = open(folder);
    for (let n = 0; n < 30; n++) {
      store.commit(log.batch({ text: LARGE }, {}, { text: LARGE }));
      store.checkFiles();
      store.forget({ takenBefore: 0, maxBytes: 50_000, directMessagesBefore: 0, usedBefore: 0 });
      store.checkFiles();
    }
  });
});
