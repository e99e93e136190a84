/** Callers that are refused again and again: one line a minute, with a count. */

import { assertEquals } from "@std/assert";
import { RefusedCallers, TELL_INTERVAL_MS } from "../../../server/accounts/refused_callers.ts";

Deno.test("RefusedCallers tells the first refusal at once, and the others once a minute with a count", () => {
  const callers = new RefusedCallers();
  assertEquals([callers.isQuiet("a"), callers.dueAt], [false, undefined]);
  assertEquals(callers.refused("a", "first", 1_000), true);
  assertEquals([callers.isQuiet("a"), callers.isQuiet("b")], [true, false]);
  for (let n = 1; n <= 500; n++) assertEquals(callers.refused("a", `number ${n}`, 1_000 + n), false);
  assertEquals(callers.dueAt, 1_000 + TELL_INTERVAL_MS);
  assertEquals(callers.due(999 + TELL_INTERVAL_MS), []);
  assertEquals(callers.due(1_000 + TELL_INTERVAL_MS), [{ caller: "a", count: 500, why: "number 500" }]);
  // The next minute begins.
  assertEquals(callers.refused("a", "again", 1_001 + TELL_INTERVAL_MS), false);
  assertEquals(callers.due(1_000 + 2 * TELL_INTERVAL_MS), [{ caller: "a", count: 1, why: "again" }]);
});

Deno.test("RefusedCallers forgets a caller that was not refused for a minute", () => {
  const callers = new RefusedCallers();
  callers.refused("a", "why", 0);
  callers.refused("b", "why", 10);
  assertEquals(callers.due(TELL_INTERVAL_MS), []);
  assertEquals([callers.isQuiet("a"), callers.isQuiet("b"), callers.size], [false, true, 1]);
  assertEquals(callers.refused("a", "why", TELL_INTERVAL_MS), true);
});

Deno.test("RefusedCallers counts callers beyond its bound as one", () => {
  const callers = new RefusedCallers(2);
  const told = ["a", "b", "c", "d", "a"].map((caller) => callers.refused(caller, "why", 0));
  assertEquals(told, [true, true, true, false, false]);
  assertEquals([callers.size, callers.isQuiet("somebody new")], [3, true]);
  assertEquals(callers.due(Infinity), [
    { caller: "a", count: 1, why: "why" },
    { caller: undefined, count: 1, why: "why" },
  ]);
});
