import { assertEquals } from "@std/assert";
import { checkBoundaries } from "../../../tools/check_boundaries.ts";
import { checkPureImports, headerOf, pureFiles } from "../../../tools/boundaries/purity.ts";
import { importsOf, onlyCode } from "../../../tools/source_text.ts";

/** What is wrong with a file under `header`, beside one that is pure and one that is not. */
function faults(header: string, ...lines: string[]): string[] {
  const files = new Map([
    ["heartbeat/a.ts", [header, ...lines].join("\n")],
    ["heartbeat/pure.ts", "/** Decides. Pure. */"],
    ["heartbeat/acts.ts", "/** Acts. */"],
    ["platform/clock.ts", "/** An interface. */"],
    ["platform/address.ts", "/** Pure. */"],
  ]);
  return checkBoundaries(files).map(({ line, what }) => `${line}: ${what}`);
}

Deno.test("a header promises purity in a sentence of its own, with or without a reason", () => {
  const promising = [
    "/** Pure. */",
    "/** Decides. Pure. */",
    "/**\n * Decides (`x`).\n * Pure: the time comes in.\n */",
    "/** What `b.ts` does.\n * Pure. More. */",
  ];
  for (const header of promising) assertEquals([...pureFiles(new Map([["a.ts", header]]))], ["a.ts"], header);
  const silent = [
    "/** Acts. */",
    "",
    "const a = 1;\n/** Pure. */",
    "// Pure.",
    "/** A purely formal matter. */",
    "/** Not Pure. */",
  ];
  for (const header of silent) assertEquals([...pureFiles(new Map([["a.ts", header]]))], [], header);
  assertEquals(headerOf("/**\n * One\n * two.\n */\ncode"), "One two.");
});

Deno.test("a header that says pure in other words is refused", () => {
  const vague = ["/** Pure data. */", "/** Pure, but for the file. */", "/** What is decided is pure. */"];
  for (const header of vague) assertEquals(faults(header), ['1: the header says "pure" in other words'], header);
  assertEquals(faults("/** Pure. Half of it is pure. */").length, 1);
});

Deno.test("pure code takes values from pure code only, and types from anywhere that does not act", () => {
  const header = "/** Decides. Pure. */";
  assertEquals(faults(header, 'import { a } from "./pure.ts";'), []);
  assertEquals(faults(header, 'import { a } from "../platform/address.ts";'), []);
  assertEquals(faults(header, 'import { a } from "./acts.ts";'), [
    "2: pure code imports heartbeat/acts.ts, which is not pure",
  ]);
  assertEquals(faults(header, 'import type { A } from "./acts.ts";', 'import { type B } from "./acts.ts";'), []);
  assertEquals(faults("/** Acts. */", 'import { a } from "./acts.ts";'), []);
});

Deno.test("pure code takes no clock, not even as a type", () => {
  assertEquals(faults("/** Pure. */", 'import type { Clock } from "../platform/clock.ts";'), [
    "2: pure code imports platform/clock.ts, which acts",
  ]);
  assertEquals(faults("/** Acts. */", 'import type { Clock } from "../platform/clock.ts";'), []);
});

Deno.test("pure code takes only packages that compute", () => {
  for (const name of ["@std/async/delay", "@logtape/logtape", "ws"]) {
    assertEquals(faults("/** Pure. */", `import { a } from "${name}";`), [`2: pure code imports ${name}`]);
  }
  assertEquals(faults("/** Pure. */", 'import * as v from "valibot";'), []);
});

Deno.test("pure code waits for nothing", () => {
  assertEquals(faults("/** Pure. */", "async function a() {", "  await b;", "}"), [
    "2: pure code says async",
    "3: pure code says await",
  ]);
  assertEquals(faults("/** Pure. */", "const a = { await: 1 }; a.await; // await"), []);
  assertEquals(faults("/** Acts. */", "async function a() {}"), []);
});

Deno.test("pure code of platform/ reaches for nothing either", () => {
  const found = checkBoundaries(new Map([["platform/a.ts", "/** Pure. */\nDate.now();"]]));
  assertEquals(found.map(({ what }) => what), ["uses Date.now"]);
});

Deno.test("a debt lets one file have one other that is not pure", () => {
  const source = 'import { a } from "./b.ts";';
  const statements = importsOf(source, onlyCode(source));
  const count = (debts: Record<string, string>) =>
    [...checkPureImports("log/a.ts", statements, new Set(), debts)].length;
  assertEquals(count({}), 1);
  assertEquals(count({ "log/a.ts": "log/b.ts" }), 0);
  assertEquals(count({ "log/a.ts": "log/c.ts" }), 1);
});
