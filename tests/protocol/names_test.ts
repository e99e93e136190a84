import { assertEquals, assertStringIncludes } from "@std/assert";
import { secretProblem, usernameProblem } from "../../protocol/names.ts";

Deno.test("usernameProblem() allows names of all languages, up to 64 characters", () => {
  for (const name of ["a", "anna", "Ærøskøbing", "日本", "a b", "🎈".repeat(64), "Anonymous"]) {
    assertEquals(usernameProblem(name), undefined);
  }
});

Deno.test("usernameProblem() says what is wrong", () => {
  const wrong: [string, string][] = [["", "empty"], ["anonymous", "cannot be registered"], [
    "a".repeat(65),
    "longer than 64",
  ], ["🎈".repeat(65), "longer than 64"]];
  for (const bad of [":", '"', "\\", "/"]) wrong.push([`a${bad}`, "has one of"]);
  for (const bad of ["\n", "\x1b", "\x7f", "\x85", "\0", "\u2028", "\ud800"]) {
    wrong.push([`a${bad}`, "control character"]);
  }
  for (const [name, words] of wrong) assertStringIncludes(usernameProblem(name) ?? "nothing", words);
});

Deno.test("secretProblem() allows 1 to 256 characters of any kind", () => {
  assertEquals(secretProblem("🎈".repeat(256)), undefined);
  assertEquals(secretProblem("\n"), undefined);
  assertStringIncludes(secretProblem("")!, "empty");
  assertStringIncludes(secretProblem("a".repeat(257))!, "longer than 256");
});
