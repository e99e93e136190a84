import { assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { findJsonFault } from "../../config/json_fault.ts";

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

Deno.test("findJsonFault() finds the first place that JSON does not allow", () => {
  const cases: [string, number, number, string, string][] = [
    ["", 1, 1, "a value", "the end of the file"],
    ['{"a" 1}', 1, 6, '":" after the key', '"1"'],
    ['{\n"a": 1,\n}', 3, 1, "a key in double quotes", '"}"'],
    ['{"a": 1 "b": 2}', 1, 9, '"," or "}"', "a double quote"],
    ["[1, 2", 1, 6, '"," or "]"', "the end of the file"],
    ["[01]", 1, 3, '"," or "]"', '"1"'],
    ["{'a': 1}", 1, 2, "a key in double quotes", `"'"`],
    ["// hello\n{}", 1, 1, "a value", '"/"'],
    ["{} {}", 1, 4, "the end of the file", '"{"'],
    ['["é", x]', 1, 7, "a value", '"x"'],
  ];
  for (const [text, line, column, expected, found] of cases) {
    assertEquals(findJsonFault(text), { line, column, expected, found }, text);
  }
});

Deno.test("findJsonFault() and JSON.parse() agree on what is JSON", () => {
  const pieces = [
    '{"a": [1, "x\\n", true], "b": null}',
    "-1.5e+3",
    '"\\ud83d"',
    " ",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    '"',
    "0",
    "-",
    "e1",
    "\\",
    "\t",
    "é",
  ];
  fc.assert(fc.property(fc.json(), (text) => findJsonFault(text) === undefined), { numRuns: 500 });
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 8 }), (parts) => {
      const text = parts.join("");
      assertEquals(findJsonFault(text) === undefined, isJson(text), text);
    }),
    { numRuns: 3000 },
  );
});

Deno.test("findJsonFault() agrees with JSON.parse() when one character of a text is changed", () => {
  fc.assert(
    fc.property(fc.json(), fc.nat(), fc.constantFrom('"', "}", ",", "x", "\n", "1", "\\"), (text, place, character) => {
      const at = place % (text.length + 1);
      const changed = text.slice(0, at) + character + text.slice(at + 1);
      assertEquals(findJsonFault(changed) === undefined, isJson(changed), changed);
    }),
    { numRuns: 2000 },
  );
});
