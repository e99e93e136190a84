/** What a failed test of a page says. */

import { assert, assertEquals } from "@std/assert";
import { withSuppressed } from "./browser.ts";

Deno.test("a test that fails, and whose ends fail, says all of it in the order in which it happened", async () => {
  const failing = async () => {
    await using _first = { [Symbol.asyncDispose]: () => Promise.reject(new Error("the crowd did not end")) };
    await using _second = { [Symbol.asyncDispose]: () => Promise.reject(new Error("a page complained")) };
    await Promise.reject(new Error("the title is wrong"));
  };
  const error = await failing().then(() => undefined, withSuppressed);
  assert(error instanceof AggregateError);
  assertEquals(error.message, "the title is wrong\nand then: a page complained\nand then: the crowd did not end");
  assertEquals(error.errors.length, 3);
});

Deno.test("a failure that suppresses nothing stays as it is", () => {
  const error = new Error("the title is wrong");
  assertEquals(withSuppressed(error), error);
});
