import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { pulseFor, pulseForDelay, spreadFor, stepFor } from "../../heartbeat/pace.ts";
import { DEFAULT_CONFIG } from "../../config/config.ts";

Deno.test("pulseFor() is a tenth of the interval for 3 heartbeats, 20 ms at least and 250 ms at most", () => {
  const pulses = [100, 200, 1_000, 2_500, 10_000].map((intervalMs) => {
    return pulseFor({ idleTimeoutMs: 30_000, intervalMs, count: 3 });
  });
  assertEquals(pulses, [20, 20, 100, 250, 250]);
});

Deno.test("pulseForDelay() is a tenth of the delay, 20 ms at least and 250 ms at most", () => {
  assertEquals([0, 100, 1_000, 10_000].map(pulseForDelay), [20, 20, 100, 250]);
});

Deno.test("stepFor() lets a pulse come half a pulse late, or 30 ms on the shortest ones", () => {
  assertEquals([20, 40, 250].map(stepFor), [50, 60, 375]);
});

Deno.test("spreadFor() spreads the default settings over an eighth of the interval", () => {
  assertEquals(spreadFor(DEFAULT_CONFIG.heartbeat), 1_250);
});

Deno.test("all lateness together fits into the one interval that is to spare, where the interval is (count + 2) × 50 ms or more", () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 20 }), fc.nat(60_000), (count, more) => {
    const config = { idleTimeoutMs: 1, intervalMs: (count + 2) * 50 + more, count };
    assert((count + 2) * stepFor(pulseFor(config)) + spreadFor(config) <= config.intervalMs);
  }));
});

Deno.test("spreadFor() is nothing where the interval has nothing to spare, and never below", () => {
  assertEquals([20, 100, 250].map((intervalMs) => spreadFor({ idleTimeoutMs: 1_000, intervalMs, count: 3 })), [
    0,
    0,
    0,
  ]);
});
