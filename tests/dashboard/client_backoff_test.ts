/**
 * The page's backoff against that of the client library: they are one set of rules, written twice because a page
 * cannot load the other.
 */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { DEFAULT_RECONNECT, stepReconnect } from "../../client/failover/reconnect.ts";
import {
  MAX_DELAY_MS,
  MIN_DELAY_MS,
  NO_FAILURES,
  SPREAD_MS,
  STABLE_AFTER_MS,
  stepBackoff,
} from "../../dashboard/client/backoff.js";

Deno.test("the page waits by the numbers of the client library", () => {
  assertEquals(
    { minDelayMs: MIN_DELAY_MS, maxDelayMs: MAX_DELAY_MS, spreadMs: SPREAD_MS, stableAfterMs: STABLE_AFTER_MS },
    {
      minDelayMs: DEFAULT_RECONNECT.minDelayMs,
      maxDelayMs: DEFAULT_RECONNECT.maxDelayMs,
      spreadMs: DEFAULT_RECONNECT.spreadMs,
      stableAfterMs: DEFAULT_RECONNECT.stableAfterMs,
    },
  );
});

Deno.test("stepBackoff() decides what stepReconnect() of the client library decides", () => {
  const ended = fc.record({
    lastedMs: fc.nat(20_000),
    advice: fc.constantFrom("now" as const, "backoff" as const, "never" as const),
    isOrderly: fc.boolean(),
    retryAfterMs: fc.nat(5_000),
    servers: fc.integer({ min: 1, max: 5 }),
    chance: fc.double({ min: 0, max: 0.999, noNaN: true }),
  });
  fc.assert(fc.property(fc.nat(200), ended, (failures, end) => {
    const { state, delayMs } = stepBackoff({ failures }, end);
    const theirs = stepReconnect({ failures, since: 0 }, { ...end, at: 0 }, DEFAULT_RECONNECT);
    assertEquals(state.failures, theirs.state.failures);
    assertEquals(delayMs, theirs.decision.kind === "retry" ? theirs.decision.delayMs : undefined);
  }));
});

Deno.test("stepBackoff() tries every server once before it waits, then waits longer and longer, up to a bound", () => {
  const unreachable = {
    lastedMs: 0,
    advice: "backoff" as const,
    isOrderly: false,
    retryAfterMs: 0,
    servers: 2,
    chance: 0.5,
  };
  let state = NO_FAILURES;
  const delays = Array.from({ length: 20 }, () => {
    const step = stepBackoff(state, unreachable);
    state = step.state;
    return step.delayMs;
  });
  assertEquals(delays.slice(0, 6), [0, 50, 50, 100, 100, 200]);
  assertEquals(delays.at(-1), 5_000);
});
