/** The shrinker finds what is needed and leaves out the rest. */

import { assert, assertEquals } from "@std/assert";
import type { Schedule } from "./schedule.ts";
import { scheduleOf } from "./schedule_of.ts";
import { shrink } from "./shrink.ts";

const SIZES = { servers: 3, clients: 5, steps: 80 };

Deno.test("what is left of a schedule are the steps and machines without which it would not fail", async () => {
  const schedule = scheduleOf(3, SIZES);
  const isCrash = ({ steps }: Schedule) => steps.findIndex(({ kind }) => kind === "crash");
  const isPublish = ({ steps }: Schedule) => steps.findLastIndex(({ kind }) => kind === "publish");
  const fails = (candidate: Schedule) => {
    return Promise.resolve(isCrash(candidate) >= 0 && isCrash(candidate) < isPublish(candidate));
  };
  assert(await fails(schedule));
  const { steps, servers, clients } = await shrink(schedule, fails);
  assertEquals(steps.map(({ kind }) => kind), ["crash", "publish"]);
  assertEquals([servers.length, clients.length], [1, 1]);
});

Deno.test("a schedule of which everything is needed stays as it is, and no more is tried than is allowed", async () => {
  const schedule = scheduleOf(4, SIZES);
  let tries = 0;
  const neverAgain = () => {
    tries++;
    return Promise.resolve(false);
  };
  assertEquals(await shrink(schedule, neverAgain, 50), schedule);
  assertEquals(tries, 50);
});
