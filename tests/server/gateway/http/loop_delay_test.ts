/** What is measured of a busy event loop. */

import { assertEquals } from "@std/assert";
import { LoopDelay } from "../../../../server/gateway/http/loop_delay.ts";
import { FakeClock } from "../../../support/fake_clock.ts";

Deno.test("LoopDelay counts what its timer was late, and ends with its owner", async () => {
  const clock = new FakeClock();
  const delay = new LoopDelay(clock);
  delay.begin();
  await clock.run(1_000);
  assertEquals([delay.durations.count, delay.durations.sumMs], [4, 0]);
  delay[Symbol.dispose]();
  assertEquals(clock.timersWaiting, 0);
});

Deno.test("LoopDelay counts a second of work as a second less its own interval", () => {
  let nowMs = 0;
  let run = () => {};
  const clock = {
    nowMs: () => nowMs,
    after(_delayMs: number, act: () => void) {
      run = act;
      return { cancel() {} };
    },
  };
  const delay = new LoopDelay(clock);
  delay.begin();
  nowMs = 1_250;
  run();
  assertEquals(delay.durations.sumMs, 1_000);
});
