import { assertEquals } from "@std/assert";
import { checkDocuments, checkSources, slug } from "../../../tools/boundaries/references.ts";

const PATHS = new Set(["README.md", "docs", "docs/guide.md", "log", "log/vector.ts", "log/deep/a.ts", "deno.json"]);

/** What a document of docs/ names that is not there. */
function inDocument(...lines: string[]): string[] {
  const documents = new Map([["docs/guide.md", lines.join("\n")], ["README.md", "# What clients see\n"]]);
  return [...checkDocuments(documents, PATHS)].map(({ line, what }) => `${line}: ${what}`);
}

/** What a file of log/deep/ names that is not there. */
function inSource(...lines: string[]): string[] {
  const found = checkSources(new Map([["log/deep/a.ts", lines.join("\n")]]), PATHS);
  return [...found].map(({ line, what }) => `${line}: ${what}`);
}

Deno.test("files that documents name are there", () => {
  assertEquals(inDocument("", "See `log/vector.ts` and `log/gone.ts`."), ["2: names log/gone.ts, which is not there"]);
  assertEquals(inDocument("`dist/config.json` is made, `vector.ts` has no folder"), []);
});

Deno.test("links between documents lead somewhere, and to a heading that is there", () => {
  assertEquals(inDocument("[a](guide.md), [b](../README.md#what-clients-see), [c](https://example.org/a.md)"), []);
  assertEquals(inDocument("[a](gone.md)"), ["1: links to docs/gone.md, which is not there: ](gone.md)"]);
  assertEquals(inDocument("", "[b](../README.md#gone)"), [
    "2: links to a heading that is not in README.md: ](../README.md#gone)",
  ]);
  assertEquals(inDocument("# Here", "[c](#here), [d](#there)"), [
    "2: links to a heading that is not in docs/guide.md: ](#there)",
  ]);
});

Deno.test("what looks like a link or a heading in a block of code is none, and the lines below keep their numbers", () => {
  assertEquals(inDocument("```", "# Here", "[a](gone.md)", "```", "[b](#here)"), [
    "5: links to a heading that is not in docs/guide.md: ](#here)",
  ]);
});

Deno.test("a heading has the name that GitHub gives it", () => {
  assertEquals(slug("2.9 How a connection ends"), "29-how-a-connection-ends");
  assertEquals(slug("What clients see"), "what-clients-see");
});

Deno.test("files that a header names are beside the file, or a path from the root", () => {
  assertEquals(inSource("/** See `a.ts`, `../vector.ts`, `log/vector.ts`, `deno.json`, docs/guide.md. */"), []);
  assertEquals(inSource("/**", " * See `vector.ts`", " */"), ["2: names vector.ts, which is not there"]);
  assertEquals(inSource("/** See docs/gone.md. */"), ["1: names docs/gone.md, which is not there"]);
});

Deno.test("files that another comment names with their folder are there", () => {
  assertEquals(inSource("a();", "// See log/gone.ts, or `log/gone.md`."), [
    "2: names log/gone.ts, which is not there",
    "2: names log/gone.md, which is not there",
  ]);
  // Without a folder it may be the name of a user's file.
  assertEquals(inSource("a();", "/** Makes `client.json`. */", 'b("log/gone.ts"); // https://example.org/a/b.md'), []);
});
