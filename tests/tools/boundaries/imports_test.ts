import { assertEquals } from "@std/assert";
import { checkFloors, needlessDebts } from "../../../tools/boundaries/imports.ts";
import { needlessModules } from "../../../tools/boundaries/machine.ts";
import { importsOf, onlyCode } from "../../../tools/source_text.ts";

/** What `source` imports, as the file at `path` has it. */
function imports(path: string, source: string) {
  return new Map([[path, importsOf(source, onlyCode(source))]]);
}

/** How many of the debts are needless, when `source` is a file of log/. */
function needless(source: string, debts: Record<string, string>): string[] {
  const statements = imports("log/a.ts", source).get("log/a.ts")!;
  const check = (path: string) => checkFloors(path, path === "log/a.ts" ? statements : [], {});
  return [...needlessDebts(debts, "DEBTS", check)].map(({ path, what }) => `${path}: ${what}`);
}

Deno.test("a debt allows types from above, and no values", () => {
  const debts = { "log/a.ts": "server/hub/hub.ts" };
  const count = (source: string) =>
    [...checkFloors("log/a.ts", imports("log/a.ts", source).get("log/a.ts")!, debts)].length;
  assertEquals(count('import type { Hub } from "../server/hub/hub.ts";'), 0);
  assertEquals(count('import { Hub } from "../server/hub/hub.ts";'), 1);
  assertEquals(count('import type { Reader } from "../server/hub/reader.ts";'), 1);
});

Deno.test("a debt that no import needs is a fault", () => {
  const source = 'import type { Hub } from "../server/hub/hub.ts";';
  assertEquals(needless(source, { "log/a.ts": "server/hub/hub.ts" }), []);
  assertEquals(needless("", { "log/a.ts": "server/hub/hub.ts" }), [
    "log/a.ts: may import server/hub/hub.ts or does not, and DEBTS still has it",
  ]);
  // The one it is taken from has moved to the same room: the import stays, the debt does not.
  assertEquals(needless('import { b } from "./b.ts";', { "log/a.ts": "log/b.ts" }).length, 1);
  assertEquals(needless(source, { "log/gone.ts": "server/hub/hub.ts" }).length, 1);
});

Deno.test("a module of Node's that its file does not import any more is a fault", () => {
  const modules = { "log/a.ts": ["node:fs", "node:zlib"] };
  const found = needlessModules(imports("log/a.ts", 'import { crc32 } from "node:zlib";'), modules);
  assertEquals([...found].map(({ what }) => what), ["does not import node:fs, and NODE_MODULES still has it"]);
});
