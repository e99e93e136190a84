/** How long entries were at one server alone. */

import { assertEquals } from "@std/assert";
import { ReplicatedTimes } from "../../../../server/mesh/entries/replicated_times.ts";

function made(): { times: ReplicatedTimes; added: [number, number][] } {
  const added: [number, number][] = [];
  return { times: new ReplicatedTimes((spanMs, count) => added.push([spanMs, count])), added };
}

Deno.test("ReplicatedTimes counts the entries of a turn once, from its beginning to the first server that has all", () => {
  const { times, added } = made();
  times.committed(3, 3, 100);
  times.committed(5, 1, 200);
  times.committed(9, 4, 300);
  times.has(2, 310);
  assertEquals(added, []);
  times.has(7, 350);
  assertEquals(added, [[250, 3], [150, 1]]);
  times.has(5, 360);
  times.has(9, 400);
  times.has(9, 500);
  assertEquals(added, [[250, 3], [150, 1], [100, 4]]);
});

Deno.test("ReplicatedTimes remembers so many turns, and counts those after them from the first of them", () => {
  const { times, added } = made();
  for (let turn = 1; turn <= 6_000; turn++) times.committed(turn, 1, turn);
  times.has(6_000, 10_000);
  assertEquals(added.length, 4_096);
  assertEquals(added.reduce((sum, [, count]) => sum + count, 0), 6_000);
  assertEquals(added.at(-1), [10_000 - 4_096, 1_905]);
});

Deno.test("ReplicatedTimes forgets numbers that say nothing any more", () => {
  const { times, added } = made();
  times.committed(3, 3, 100);
  times.renamed();
  times.has(9, 200);
  times.committed(1, 1, 300);
  times.has(1, 310);
  assertEquals(added, [[10, 1]]);
});
