/** Which files of the index count, what they leave out, and which are merged. */

import { assertEquals, assertLess } from "@std/assert";
import { planMerge, planOpening } from "../../../../server/store/ids/run_plan.ts";

const run = (serial: number, from: number, to: number, replaces: readonly number[] = []) => (
  { serial, from, to, ids: 1, replaces }
);
const planned = (runs: ReturnType<typeof run>[], baseline: number, head: number) => {
  const { live, replaced, beyond, gaps } = planOpening(runs, baseline, head);
  const serials = (of: readonly { readonly serial: number }[]) => of.map(({ serial }) => serial);
  return { live: serials(live), replaced: serials(replaced), beyond: serials(beyond), gaps };
};

Deno.test("planOpening() finds the gaps before, between and behind files", () => {
  assertEquals(planned([], 0, 0).gaps, []);
  assertEquals(planned([], 0, 9).gaps, [{ from: 0, to: 9 }]);
  assertEquals(planned([], 9, 9).gaps, []);
  assertEquals(planned([run(2, 4, 6), run(1, 2, 3)], 1, 9), {
    live: [1, 2],
    replaced: [],
    beyond: [],
    gaps: [{ from: 1, to: 2 }, { from: 3, to: 4 }, { from: 6, to: 9 }],
  });
  assertEquals(planned([run(1, 0, 3), run(2, 3, 9)], 0, 9).gaps, []);
});

Deno.test("planOpening() leaves out what has become part of another file, unless that one names lost entries", () => {
  const runs = [run(1, 0, 3), run(2, 3, 5), run(3, 0, 5, [1, 2])];
  assertEquals(planned(runs, 0, 5), { live: [3], replaced: [1, 2], beyond: [], gaps: [] });
  assertEquals(planned(runs, 0, 4), { live: [1], replaced: [], beyond: [2, 3], gaps: [{ from: 3, to: 4 }] });
  // An id that was used when an entry of that time had been cut off.
  assertEquals(planned([run(5, 5, 5), run(6, 5, 9), run(4, 0, 5)], 0, 9).live, [4, 5, 6]);
});

Deno.test("planMerge() merges small neighbours first, and writes an id anew about as often as the logarithm says", () => {
  assertEquals(planMerge([100, 5, 5, 5].map((ids) => ({ ids }))), undefined);
  assertEquals(planMerge([100, 5, 5, 5, 5].map((ids) => ({ ids }))), { from: 1, to: 5 });
  assertEquals(planMerge([100, 5, 5, 5, 90].map((ids) => ({ ids }))), { from: 0, to: 5 });
  assertEquals(planMerge([0, 0, 0, 0].map((ids) => ({ ids }))), { from: 0, to: 4 });
  let runs: { ids: number }[] = [];
  let written = 0;
  let most = 0;
  for (let file = 0; file < 1_000; file++) {
    runs.push({ ids: 100_000 });
    for (let plan = planMerge(runs); plan !== undefined; plan = planMerge(runs)) {
      const ids = runs.slice(plan.from, plan.to).reduce((sum, run) => sum + run.ids, 0);
      written += ids;
      runs = [...runs.slice(0, plan.from), { ids }, ...runs.slice(plan.to)];
    }
    most = Math.max(most, runs.length);
  }
  assertLess(written / 100_000_000, 7);
  assertLess(most, 17);
});
