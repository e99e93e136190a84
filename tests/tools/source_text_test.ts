import { assertEquals } from "@std/assert";
import { commentsOf, importsOf, onlyCode } from "../../tools/source_text.ts";

Deno.test("onlyCode() blanks comments, strings, templates and regular expressions, and keeps every place", () => {
  const cases: [string, string][] = [
    ['a("b//c"); // d', 'a("    ");     '],
    ["a /* b\nc */ d", "a     \n     d"],
    ["`a${b}c${`d${e}`}f`", "` ${b} ${` ${e}`} `"],
    ["`${{ a: 1 }}`+b", "`${{ a: 1 }}`+b"],
    ["a = /[/\"]'/g.test(b)", "a =         .test(b)"],
    ["a / b / 'c'", "a / b / ' '"],
    ["'it\\'s' + \"\"", "'     ' + \"\""],
    ["`$`", "` `"],
  ];
  for (const [source, code] of cases) assertEquals(onlyCode(source), code, source);
});

Deno.test("commentsOf() finds comments of both kinds, and none in strings", () => {
  const source = 'a("// b"); // c\n/** d\n * e */ f(/\\/\\/ g/);';
  assertEquals(commentsOf(source).map(({ begin, end }) => source.slice(begin, end)), ["// c", "/** d\n * e */"]);
});

Deno.test("onlyCode() keeps the length and the lines of every file of the project's tools", () => {
  for (const name of ["check_boundaries.ts", "source_text.ts"]) {
    const source = Deno.readTextFileSync(new URL(`../../tools/${name}`, import.meta.url));
    const code = onlyCode(source);
    assertEquals(code.length, source.length);
    assertEquals([...code].filter((character) => character === "\n").length, source.split("\n").length - 1);
  }
});

Deno.test("importsOf() finds every form of import, with its line", () => {
  const source = [
    'import { a, type B } from "./a.ts";',
    'import type { C } from "./c.ts";',
    "export {",
    "  type D,",
    "  type E,",
    '} from "./d.ts";',
    'import "./f.ts";',
    'const g = await import("./g.ts");',
    '// import { h } from "./h.ts";',
    "const text = 'import \"./i.ts\"';",
    "export function from() {}",
  ].join("\n");
  assertEquals(importsOf(source, onlyCode(source)), [
    { specifier: "./a.ts", line: 1, typesOnly: false },
    { specifier: "./c.ts", line: 2, typesOnly: true },
    { specifier: "./d.ts", line: 6, typesOnly: true },
    { specifier: "./f.ts", line: 7, typesOnly: false },
    { specifier: "./g.ts", line: 8, typesOnly: false },
  ]);
});
