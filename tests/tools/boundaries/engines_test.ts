import { assertEquals } from "@std/assert";
import { checkEngines } from "../../../tools/boundaries/engines.ts";
import { importsOf, onlyCode } from "../../../tools/source_text.ts";

const ENGINES = { "server/mesh/": ["server/node/engines.ts"] };

/** What is wrong when these files stand beside one that chooses the mesh. */
function faults(files: Record<string, string>, engines: Record<string, readonly string[]> = ENGINES): string[] {
  const all = { "server/node/engines.ts": 'import { Mesh } from "../mesh/mesh.ts";', ...files };
  const imports = new Map(Object.entries(all).map(([path, text]) => [path, importsOf(text, onlyCode(text))]));
  return [...checkEngines(imports, engines)].map(({ path, line, what }) => `${path}:${line}: ${what}`);
}

Deno.test("an engine is known to who chooses it and to its own files", () => {
  assertEquals(faults({ "server/mesh/a.ts": 'import { B } from "./names/b.ts";' }), []);
  assertEquals(faults({ "server/session/a.ts": 'import type { Mesh } from "../backplane/backplane.ts";' }), []);
});

Deno.test("nobody else takes anything from an engine, not even types, and not from its folders", () => {
  const files = {
    "server/session/a.ts": '\nimport type { Mesh } from "../mesh/mesh.ts";',
    "server/node/b.ts": 'import { Locks } from "../mesh/names/name_locks.ts";',
  };
  assertEquals(faults(files), [
    "server/session/a.ts:2: imports server/mesh/mesh.ts, a file of an engine",
    "server/node/b.ts:1: imports server/mesh/names/name_locks.ts, a file of an engine",
  ]);
});

Deno.test("leave to import an engine that nobody uses is a fault", () => {
  assertEquals(faults({}, { "server/mesh/": ["server/node/engines.ts", "server/gateway/a.ts"] }), [
    "server/gateway/a.ts:1: may import server/mesh/ and does not, and ENGINES still has it",
  ]);
});
