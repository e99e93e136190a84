import { assertEquals } from "@std/assert";
import { checkComments } from "../../../tools/boundaries/comments.ts";

const LONG = "word ".repeat(30).trim();

/** What is wrong with the comments of `lines`, when `allowed` of them may be too long. */
function faults(allowed: number | undefined, ...lines: string[]): string[] {
  const known = allowed === undefined ? {} : { "log/a.ts": allowed };
  const found = checkComments(new Map([["log/a.ts", lines.join("\n")]]), known);
  return [...found].map(({ line, what }) => `${line}: ${what}`);
}

Deno.test("checkComments() finds lines of more than 120 columns, in every kind of comment", () => {
  assertEquals(faults(undefined, `// ${LONG}`), ["1: a comment of 152 columns, more than 120"]);
  assertEquals(faults(undefined, "/**", " * short", ` * ${LONG}`, " */").map((fault) => fault[0]), ["3"]);
  assertEquals(faults(undefined, `/** ${LONG} */`).length, 1);
  assertEquals(faults(undefined, `const a = 1; // ${LONG}`).length, 1);
  assertEquals(faults(undefined, `// ${"a".repeat(116)} b`), ["1: a comment of 121 columns, more than 120"]);
  assertEquals(faults(undefined, `// ${"a".repeat(115)} b`), []);
});

Deno.test("checkComments() counts letters, not their parts", () => {
  assertEquals(faults(undefined, `// ${"🎉".repeat(115)} b`), []);
});

Deno.test("checkComments() leaves code to deno fmt, and alone what has no place to break", () => {
  assertEquals(faults(undefined, `const text = "// ${LONG}";`), []);
  assertEquals(faults(undefined, `// https://example.org/${"a".repeat(120)}`), []);
  assertEquals(faults(undefined, `// deno-lint-ignore ${LONG}`), []);
});

Deno.test("checkComments() allows as many as the list says, and refuses entries that are too high", () => {
  assertEquals(faults(1, `// ${LONG}`), []);
  assertEquals(faults(1, `// ${LONG}`, "a();", `// ${LONG}`), ["3: a comment of 152 columns, more than 120"]);
  assertEquals(faults(2, `// ${LONG}`), ["1: has 1 long lines of comments, and LONG_COMMENTS allows 2"]);
  assertEquals(faults(1, "// short"), ["1: has 0 long lines of comments, and LONG_COMMENTS allows 1"]);
});
