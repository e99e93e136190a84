/** The gate's seeds, and that a seed is one history. */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { scheduleOf } from "./schedule_of.ts";
import { report, runSchedule, runSeed, shortest } from "./simulate.ts";

const SEEDS = 200;
const SIZES = { servers: 3, clients: 5, steps: 60 };

Deno.test(`every promise holds in ${SEEDS} simulated networks in which all goes wrong that can`, async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const outcome = await runSeed(seed, SIZES);
    assert(outcome.violations.length === 0, `\n${outcome.violations.length && report(await shortest(outcome))}`);
  }
});

Deno.test("the same seed gives the same history, bit by bit, and another seed another one", async () => {
  const [first, again, other] = [await runSeed(7, SIZES), await runSeed(7, SIZES), await runSeed(8, SIZES)];
  assertEquals(first.hash, again.hash);
  assertNotEquals(first.hash, other.hash);
});

Deno.test("a schedule gives the same history when it was written down and read again", async () => {
  const schedule = scheduleOf(11, SIZES);
  const copy = JSON.parse(JSON.stringify(schedule));
  assertEquals((await runSchedule(copy)).hash, (await runSchedule(schedule)).hash);
});

Deno.test("a server that is back right after a power cut is no copy, as its start was on the disk", async () => {
  const { settings } = scheduleOf(1, SIZES);
  for (const cuts of ["noticed", "silent"] as const) {
    const outcome = await runSchedule({
      seed: 1,
      servers: ["s1", "s2"],
      clients: [],
      settings: { ...settings, synchronous: "normal", cuts },
      steps: [
        { at: 0, kind: "start", server: "s2" },
        { at: 1_000, kind: "start", server: "s1" },
        { at: 1_300, kind: "power cut", server: "s1", chance: 0 },
        { at: 1_800, kind: "start", server: "s1" },
      ],
    });
    assertEquals(outcome.violations, []);
  }
});

Deno.test("a single server, and many small ones, keep their promises too", async () => {
  for (let seed = 1; seed <= 10; seed++) {
    for (const sizes of [{ servers: 1, clients: 3, steps: 40 }, { servers: 5, clients: 6, steps: 60 }]) {
      const outcome = await runSeed(seed, sizes);
      assert(outcome.violations.length === 0, `\n${outcome.violations.length && report(await shortest(outcome))}`);
    }
  }
});
