import { assertEquals, assertMatch } from "@std/assert";
import { violationText } from "../../tools/boundaries/house.ts";
import { checkBoundaries, checkProject } from "../../tools/check_boundaries.ts";

/** What is wrong with one file at `path`, without the hints. */
function faults(path: string, ...lines: string[]): string[] {
  return checkBoundaries(new Map([[path, lines.join("\n")]])).map(({ path, line, what }) => `${path}:${line}: ${what}`);
}

Deno.test("checkBoundaries() lets a room import floors below and its own files", () => {
  assertEquals(
    faults("server/hub/hub.ts", 'import { A } from "../../log/segment.ts";', 'import { B } from "./b.ts";'),
    [],
  );
  assertEquals(
    faults(
      "mod.ts",
      'export { serve } from "./server/gateway/serve.ts";',
      'export type { C } from "./config/config.ts";',
    ),
    [],
  );
});

Deno.test("checkBoundaries() refuses imports from the same floor and from above", () => {
  assertEquals(faults("protocol/a.ts", "", 'import type { V } from "../log/vector.ts";'), [
    "protocol/a.ts:2: protocol imports ../log/vector.ts, which is not on a floor below".replace("../", ""),
  ]);
  assertEquals(faults("server/hub/a.ts", 'import { N } from "../node/node.ts";').length, 1);
  assertEquals(faults("server/node/a.ts", 'export * from "../../mod.ts";').length, 2);
  assertEquals(faults("server/node/a.ts", 'const { a } = await import("../../mod.ts");').length, 1);
  assertEquals(faults("server/node/a.ts", 'import "../../server.ts";').length, 1);
  assertEquals(faults("server/node/a.ts", "import {", "  a,", '} from "../../tests/support/fake_clock.ts";'), [
    "server/node/a.ts:3: shipped code imports tests/support/fake_clock.ts",
  ]);
});

Deno.test("checkBoundaries() knows no other room", () => {
  assertEquals(faults("lib/a.ts", ""), ['lib/a.ts:1: "lib" is no room of the house']);
});

Deno.test("checkBoundaries() finds what reaches for the machine, outside platform/", () => {
  const reaching = [
    "Deno.exit(1)",
    "globalThis.Deno",
    "Date.now()",
    "new Date()",
    "performance.now()",
    "setTimeout(wake, 1)",
    "clearInterval(timer)",
    "Math.random()",
    "crypto.randomUUID()",
    "crypto.subtle",
    "process.env",
    'console.log("x")',
    "`${Date.now()}`",
  ];
  for (const text of reaching) {
    assertEquals(faults("server/hub/a.ts", "", text).length, 1, text);
    assertEquals(faults("platform/a.ts", "", text), [], text);
  }
  assertEquals(faults("server/hub/a.ts", 'import { connect } from "node:net";'), [
    "server/hub/a.ts:1: imports node:net",
  ]);
  assertEquals(faults("server/store/sqlite/sqlite_store.ts", 'import { DatabaseSync } from "node:sqlite";'), []);
});

Deno.test("checkBoundaries() lets the programs use Deno, and nothing else of the kind", () => {
  assertEquals(faults("server.ts", "Deno.exit(0)"), []);
  assertEquals(faults("client.ts", "Date.now()"), ["client.ts:1: uses Date.now"]);
});

Deno.test("checkBoundaries() is not misled by what is only said, or has a name of its own", () => {
  const harmless = [
    "// Date.now()",
    "/* Deno.exit(1)\n * setTimeout */",
    'const text = "Math.random() \\" Date.now()";',
    "const text = 'new Date()';",
    "const text = `Date.now() ${a + `new Date() ${b}` } Deno.exit()`;",
    'const pattern = /["`]Date.now()/; const b = "setTimeout";',
    "this.#crypto.subtle; parts.crypto.randomUUID(); clock.setTimeout(); const updated = newDate(x);",
    "const half = a / 2; // Date.now() / 3",
  ];
  for (const text of harmless) assertEquals(faults("server/hub/a.ts", text), [], text);
});

Deno.test("checkBoundaries() keeps the client library from the machine, and its terminal not", () => {
  assertEquals(
    faults("client/client.ts", 'import { tcpTransport } from "../platform/tcp/tcp_transport.ts";').length,
    1,
  );
  assertEquals(faults("client/terminal/a.ts", 'import { a } from "../../platform/tcp/tcp_transport.ts";'), []);
});

Deno.test("checkBoundaries() finds circles, once each", () => {
  const files = new Map([
    ["server/hub/a.ts", 'import { b } from "./b.ts";'],
    ["server/hub/b.ts", '\nimport type { C } from "./c.ts";'],
    ["server/hub/c.ts", 'import { b } from "./b.ts";'],
  ]);
  assertEquals(checkBoundaries(files).map(({ path, line, what }) => ({ path, line, what })), [
    { path: "server/hub/c.ts", line: 1, what: "circle: server/hub/b.ts → server/hub/c.ts → server/hub/b.ts" },
  ]);
});

Deno.test("violationText() says where, what and what would be right", () => {
  const [violation] = checkBoundaries(new Map([["server/hub/a.ts", "\nDate.now()"]]));
  assertMatch(
    violationText(violation!),
    /^server\/hub\/a\.ts:2: uses Date\.now\n {4}hint: take the time from the event/,
  );
});

Deno.test("checkProject() puts a project through every rule", () => {
  const texts = new Map([
    ["README.md", "[the guide](docs/guide.md)"],
    ["server/hub/a.ts", `/** See \`gone.ts\`. */\nimport { B } from "../node/b.ts";\n${"//\n".repeat(449)}`],
    ["log/b.ts", `// ${"word ".repeat(30)}`],
  ]);
  const files = new Set([...texts.keys(), ...Array.from({ length: 21 }, (_, number) => `log/${number}.ts`)]);
  const found = checkProject({ files, texts }).map(({ path, what }) => `${path} ${what}`).join("\n");
  assertMatch(found, /server\/hub\/a\.ts server\/hub imports server\/node\/b\.ts/);
  assertMatch(found, /and NODE_MODULES still has it/);
  assertMatch(found, /and ENGINES still has it/);
  assertMatch(found, /server\/hub\/a\.ts has 451 lines/);
  assertMatch(found, /log\/ has 22 files at one level/);
  assertMatch(found, /log\/b\.ts a comment of 153 columns/);
  assertMatch(found, /README\.md links to docs\/guide\.md, which is not there/);
  assertMatch(found, /server\/hub\/a\.ts names gone\.ts, which is not there/);
});

Deno.test("checkProject() lets a document link to a folder", () => {
  const texts = new Map([["README.md", "[the guides](docs/), [one](docs/sub/a.md#b-c)"], ["docs/sub/a.md", "# B c\n"]]);
  const found = checkProject({ files: new Set(texts.keys()), texts });
  assertEquals(found.filter(({ path }) => path.endsWith(".md")), []);
});
