/** Who can read what a server keeps: its owner alone, whatever the folder was before. */

import { assertEquals } from "@std/assert";
import { batchOf, LogWriter } from "../../../support/log_writer.ts";
import { crashCopy, open, SMALL_FILES, withFolder } from "./_small_files.ts";

const ignore = Deno.build.os === "windows";
const modeOf = (path: string) => (Deno.statSync(path).mode! & 0o7777).toString(8);
const modesIn = (folder: string) =>
  Object.fromEntries([...Deno.readDirSync(folder)].map(({ name }) => [name, modeOf(`${folder}/${name}`)]).sort());

/** Runs `run` with a umask that takes nothing away. */
function withoutUmask(run: () => void): void {
  const before = Deno.umask(0);
  try {
    run();
  } finally {
    Deno.umask(before);
  }
}

const segment = () => new LogWriter().batch({ text: "x".repeat(200) });

Deno.test({
  name: "openSqliteStore() makes files that nobody else can read, also in a folder that all can read",
  ignore,
  fn: () =>
    withoutUmask(() =>
      withFolder((folder) => {
        Deno.chmodSync(folder, 0o755);
        using store = open(folder, { fileSizes: SMALL_FILES });
        store.commit(segment());
        assertEquals(modeOf(folder), "700");
        assertEquals(modesIn(folder), {
          "log-00000001.bytes": "600",
          "thrum.sqlite": "600",
          "thrum.sqlite-wal": "600",
        });
      })
    ),
});

Deno.test({
  name: "openSqliteStore() closes an old folder to others, with everything that servers keep there and nothing else",
  ignore,
  fn: () =>
    withoutUmask(() =>
      withFolder((folder) => {
        {
          using store = open(`${folder}/a/b`);
          store.commit(segment());
          // As after kill -9: with a write-ahead log.
          crashCopy(`${folder}/a/b`, `${folder}/old`);
        }
        assertEquals([modeOf(`${folder}/a`), modeOf(`${folder}/a/b`)], ["700", "700"]);
        for (const name of ["secret", "http-token", "ticket-key", "notes.txt"]) {
          Deno.writeTextFileSync(`${folder}/old/${name}`, "x");
        }
        for (const name of Object.keys(modesIn(`${folder}/old`))) {
          Deno.chmodSync(`${folder}/old/${name}`, 0o664);
        }
        Deno.chmodSync(`${folder}/old`, 0o777);
        using store = open(`${folder}/old`);
        assertEquals(store.opened.head, 1);
        assertEquals(modeOf(`${folder}/old`), "700");
        const { "notes.txt": others, ...kept } = modesIn(`${folder}/old`);
        assertEquals(others, "664");
        assertEquals(Object.keys(kept), [
          "http-token",
          "log-00000001.bytes",
          "secret",
          "thrum.sqlite",
          "thrum.sqlite-wal",
          "ticket-key",
        ]);
        assertEquals(new Set(Object.values(kept)), new Set(["600"]));
        store.commit(batchOf({ notes: { a: "1" } }));
      })
    ),
});

Deno.test({
  name: "openSqliteStore() leaves a folder as it is that is for everybody on purpose",
  ignore,
  fn: () =>
    withFolder((folder) => {
      Deno.chmodSync(folder, 0o1777);
      open(folder).close();
      assertEquals([modeOf(folder), modesIn(folder)], ["1777", { "thrum.sqlite": "600" }]);
    }),
});
