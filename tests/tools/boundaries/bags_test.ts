import { assertEquals } from "@std/assert";
import { checkBags } from "../../../tools/boundaries/bags.ts";
import { importsOf, onlyCode } from "../../../tools/source_text.ts";

/** What is wrong with `sources`, without the hints. */
function faults(sources: Readonly<Record<string, string>>): string[] {
  const codes = new Map(Object.entries(sources).map(([path, source]) => [path, onlyCode(source)]));
  const imports = new Map(Object.entries(sources).map(([path, text]) => [path, importsOf(text, codes.get(path)!)]));
  return [...checkBags(codes, imports)].map(({ path, line, what }) => `${path}:${line}: ${what}`);
}

/** A bag with nine members: the first eight are values, and the last is a function. */
const NINE = `export interface HubParts {
  readonly a: number; // not z
  readonly b: { readonly inner: string; of(): void };
  readonly c: Readonly<Record<string, number>>;
  readonly d: (word: string) => void;
  readonly e?: number;
  readonly f: number;
  readonly g: number;
  readonly h: number;
  tell(word: string, other: number): void;
}
`;
const ALL = "    use(parts.a, parts.b, parts.c, parts.d, parts.e, parts.f, parts.g, parts.h);\n";
const FROM_A = 'import type { HubParts } from "./a.ts";\n';
const taking = (type: string, body: string) => `class Hub {\n  constructor(parts: ${type}) {\n${body}  }\n}\n`;

Deno.test("checkBags() lets a class take a large bag of which it uses everything", () => {
  assertEquals(faults({ "a.ts": NINE + taking("HubParts", `${ALL}    parts.tell("", 1);\n`) }), []);
});

Deno.test("checkBags() finds what a class does not use of a large bag, wherever the bag is declared", () => {
  const what = "takes all 9 members of HubParts, and does not use tell";
  assertEquals(faults({ "a.ts": NINE + taking("HubParts", ALL) }), [`a.ts:13: ${what}`]);
  assertEquals(faults({ "a.ts": NINE, "b.ts": FROM_A + taking("HubParts", ALL) }), [`b.ts:3: ${what}`]);
});

Deno.test("checkBags() takes what is only said for not used, and what is inside a member for no member", () => {
  const said = `${ALL}    // parts.tell\n    use("tell");\n`;
  assertEquals(faults({ "a.ts": NINE + taking("HubParts", said) }).length, 1);
});

Deno.test("checkBags() lets a class name what it uses of a bag, and take all of a small one", () => {
  assertEquals(faults({ "a.ts": NINE + taking('Pick<HubParts, "a">', "") }), []);
  const eight = NINE.replace(/ {2}tell.*\n/, "");
  assertEquals(faults({ "a.ts": eight + taking("HubParts", "") }), []);
});

Deno.test("checkBags() looks at the bag of the same file or of an imported file, not at others of the name", () => {
  const small = "export interface HubParts {\n  readonly a: number;\n}\n";
  assertEquals(faults({ "a.ts": NINE, "b.ts": small + taking("HubParts", "") }), []);
  assertEquals(faults({ "0.ts": small, "a.ts": NINE, "b.ts": FROM_A + taking("HubParts", "") }).length, 1);
});

Deno.test("checkBags() knows three words, and the options of the library", () => {
  assertEquals(faults({ "a.ts": "export interface HubOptions {}\n\ntype HubContext = number;\n" }), [
    "a.ts:1: HubOptions is none of the three words",
    "a.ts:3: HubContext is none of the three words",
  ]);
  const library = 'export type { ConnectOptions } from "./client/options.ts";';
  const options = "export interface ConnectOptions {}\n";
  assertEquals(faults({ "mod.ts": library, "client/options.ts": options }), []);
  assertEquals(faults({ "client/options.ts": options }).length, 1);
});
