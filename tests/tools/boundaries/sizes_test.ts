import { assertEquals } from "@std/assert";
import { checkFolders, checkLengths } from "../../../tools/boundaries/sizes.ts";
import type { Violation } from "../../../tools/boundaries/house.ts";

function words(violations: Iterable<Violation>): string[] {
  return [...violations].map(({ path, what }) => `${path} ${what}`);
}

/** A file of so many lines. */
function file(path: string, lines: number): Map<string, string> {
  return new Map([[path, "a\n".repeat(lines)]]);
}

/** So many files in `folder`. */
function files(folder: string, count: number): string[] {
  return Array.from({ length: count }, (_, number) => `${folder}${number}.ts`);
}

Deno.test("checkLengths() finds files of more than 450 lines", () => {
  assertEquals(words(checkLengths(file("log/a.ts", 450), [])), []);
  assertEquals(words(checkLengths(file("log/a.ts", 451), [])), ["log/a.ts has 451 lines, more than 450"]);
  assertEquals(words(checkLengths(file("dashboard/rows.js", 451), [])).length, 1);
  assertEquals(words(checkLengths(file("tests/a_test.ts", 451), [])).length, 1);
  for (const path of ["docs/a.md", "README.md", "dashboard/client/line_session.js"]) {
    assertEquals(words(checkLengths(file(path, 900), [])), [], path);
  }
});

Deno.test("checkLengths() allows what the list has, and refuses entries that are not needed", () => {
  assertEquals(words(checkLengths(file("log/a.ts", 451), ["log/a.ts"])), []);
  assertEquals(words(checkLengths(file("log/a.ts", 450), ["log/a.ts"])), [
    "log/a.ts has no more than 450 lines, and LONG_FILES still has it",
  ]);
  assertEquals(words(checkLengths(new Map(), ["log/gone.ts"])).length, 1);
});

Deno.test("checkFolders() finds rooms with more than 20 files at one level", () => {
  assertEquals(words(checkFolders(files("log/", 20), [])), []);
  assertEquals(words(checkFolders(files("log/", 21), [])), ["log/ has 21 files at one level, more than 20"]);
  assertEquals(words(checkFolders([...files("log/", 20), ...files("log/deep/", 20)], [])), []);
  assertEquals(words(checkFolders(files("server/hub/", 21), [])).length, 1);
  for (const folder of ["tests/support/", "docs/", "dashboard/client/", ""]) {
    assertEquals(words(checkFolders(files(folder, 30), [])), [], folder);
  }
});

Deno.test("checkFolders() allows what the list has, and refuses entries that are not needed", () => {
  assertEquals(words(checkFolders(files("log/", 21), ["log/"])), []);
  assertEquals(words(checkFolders(files("log/", 20), ["log/"])), [
    "log/ has no more than 20 files, and CROWDED_FOLDERS still has it",
  ]);
});
