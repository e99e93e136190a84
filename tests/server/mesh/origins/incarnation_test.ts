import { assertEquals } from "@std/assert";
import { beginIncarnation } from "../../../../server/journal/origins/incarnation.ts";
import { isCopy, kinshipOf, type SeenIncarnation } from "../../../../server/mesh/origins/incarnation.ts";
import { incarnationField } from "../../../../protocol/peer/incarnation.ts";
import { FieldProblem } from "../../../../protocol/fields.ts";

Deno.test("each start in a folder follows those before it, and of two from one copy neither follows the other", () => {
  const first = beginIncarnation(undefined, "1");
  const second = beginIncarnation(JSON.stringify(first), "2");
  const third = beginIncarnation(JSON.stringify(second), "3");
  const copy = beginIncarnation(JSON.stringify(second), "4");
  assertEquals(third, { id: "3", before: ["2", "1"] });
  assertEquals(kinshipOf(third, third), "same");
  assertEquals([kinshipOf(third, first), kinshipOf(first, third)], ["later", "earlier"]);
  assertEquals([kinshipOf(third, copy), kinshipOf(copy, third)], ["other", "other"]);
});

Deno.test("a folder remembers a bounded number of its starts", () => {
  let last = beginIncarnation(undefined, "0");
  for (let n = 1; n < 100; n++) last = beginIncarnation(JSON.stringify(last), String(n));
  assertEquals(last.before.length, 16);
  assertEquals(last.before[0], "98");
});

Deno.test("the copy is the one that joined later; of two that joined at once the one that was started later; else it is decided by name", () => {
  const seen = (id: string, joinedAtMs: number, startedAtMs: number): SeenIncarnation => (
    { id, before: [], joinedAtMs, startedAtMs }
  );
  for (
    const [copy, original] of [
      [seen("a", 5_000, 0), seen("b", 1_000, 900)],
      [seen("a", 1_010, 800), seen("b", 1_000, 500)],
      [seen("b", 1_000, 500), seen("a", 1_010, 510)],
    ] as const
  ) {
    assertEquals([isCopy(copy, original), isCopy(original, copy)], [true, false]);
  }
});

Deno.test("an incarnation that makes no sense is refused, and none is none", () => {
  const whole = { id: "a1", before: ["b2"], runningMs: 9, joinedMs: 8 };
  assertEquals(incarnationField(whole), whole);
  assertEquals([incarnationField(undefined), incarnationField(null)], [undefined, undefined]);
  const wrong: unknown[] = [1, "a", [], { ...whole, id: 7 }, { ...whole, id: "A" }, { ...whole, before: "b" }];
  wrong.push({ ...whole, before: Array(65).fill("a") }, { ...whole, joinedMs: 10 }, { ...whole, runningMs: -1 });
  for (const value of wrong) {
    try {
      incarnationField(value);
    } catch (error) {
      assertEquals(error instanceof FieldProblem, true);
      continue;
    }
    throw new Error(`taken: ${JSON.stringify(value)}`);
  }
});
