import { assertEquals } from "@std/assert";
import { checkUnit } from "../../../tools/boundaries/unit.ts";
import { onlyCode } from "../../../tools/source_text.ts";

function faults(path: string, source = ""): string[] {
  return [...checkUnit(path, onlyCode(source))].map(({ line, what }) => `${line}: ${what}`);
}

Deno.test("a room has no file that stands for all of it", () => {
  for (const path of ["heartbeat/mod.ts", "server/hub/index.ts", "server/mesh/names/mod.ts"]) {
    assertEquals(faults(path), ["1: a room has no file for all of it"], path);
  }
  assertEquals(faults("mod.ts"), []);
  assertEquals(faults("server/hub/model.ts"), []);
});

Deno.test("no file of a room hands on what another has", () => {
  for (
    const source of [
      'export * from "./b.ts";',
      'export {\n  A,\n  type B,\n} from "./b.ts";',
      'export type { A } from "./b.ts";',
    ]
  ) {
    assertEquals(faults("log/a.ts", `\n${source}`), ["2: hands on what another file has"], source);
    assertEquals(faults("mod.ts", source), [], source);
  }
});

Deno.test("what a file has itself it may export in every form", () => {
  const own =
    'import { B } from "./b.ts";\nexport const from = B;\nexport interface C { from: B }\n// export * from "./c.ts"\n';
  assertEquals(faults("log/a.ts", own), []);
  assertEquals(faults("log/a.ts", 'export class A {}\nconst text = "export * from";\nArray.from("a");\n'), []);
});
