import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  DEFAULT_RECONNECT,
  type Ended,
  NO_FAILURES,
  type ReconnectPolicy,
  type ReconnectState,
  stepReconnect,
} from "../../client/reconnect.ts";

const policy: ReconnectPolicy = { minDelayMs: 100, maxDelayMs: 1_000, stableAfterMs: 5_000, giveUpAfterMs: 60_000 };
const lost: Ended = { at: 0, lastedMs: 0, advice: "now", retryAfterMs: 0, servers: 1, chance: 0.999 };

/** The delays after these ends, in whole milliseconds. */
function delays(...ends: Partial<Ended>[]): (number | string)[] {
  let state: ReconnectState = NO_FAILURES;
  return ends.map((end) => {
    const step = stepReconnect(state, { ...lost, ...end }, policy);
    state = step.state;
    return step.decision.kind === "retry" ? Math.round(step.decision.delayMs) : step.decision.because;
  });
}

Deno.test("stepReconnect() comes back at once, then after parts of a span that doubles up to its limit", () => {
  assertEquals(delays({}, {}, {}, {}, {}, {}, {}), [0, 100, 200, 400, 799, 999, 999]);
});

Deno.test("stepReconnect() tries every server once before it waits", () => {
  const end = { servers: 3 };
  assertEquals(delays(end, end, end, end, end, end, end), [0, 0, 0, 100, 100, 100, 200]);
});

Deno.test("stepReconnect() waits from the first time on when it is told to back off", () => {
  assertEquals(delays({ advice: "backoff" }, { advice: "backoff" }), [100, 200]);
});

Deno.test("stepReconnect() does not come back before it may", () => {
  assertEquals(delays({ retryAfterMs: 3_000 }, { retryAfterMs: 3_000, chance: 0.5 }), [3_000, 3_050]);
});

Deno.test("stepReconnect() gives up when it is told that coming back does not help", () => {
  assertEquals(delays({ advice: "never" }), ["told"]);
});

Deno.test("stepReconnect() keeps backing off from a server that accepts and ends connections at once", () => {
  assertEquals(delays({}, { lastedMs: 4_999 }, { lastedMs: 4_999 }), [0, 100, 200]);
});

Deno.test("stepReconnect() starts anew after a connection that lasted", () => {
  assertEquals(delays({}, {}, {}, { lastedMs: 5_000 }, {}), [0, 100, 200, 0, 100]);
});

Deno.test("stepReconnect() gives up when it has tried for too long, counted from the last good connection", () => {
  assertEquals(
    delays({ at: 1_000 }, { at: 60_000 }, { at: 60_900 }, { at: 61_000, lastedMs: 5_000 }, { at: 120_000 }),
    [0, 100, "patience", 0, 100],
  );
});

const anyEnd: fc.Arbitrary<Ended> = fc.record({
  at: fc.nat(1e9),
  lastedMs: fc.nat(20_000),
  advice: fc.constantFrom("now", "backoff", "never"),
  retryAfterMs: fc.nat(10_000),
  servers: fc.integer({ min: 0, max: 10 }),
  chance: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
});

Deno.test("stepReconnect() waits within the limits, whatever happens", () => {
  fc.assert(fc.property(fc.array(anyEnd, { maxLength: 50 }), (ends) => {
    let state: ReconnectState = NO_FAILURES;
    for (const end of ends) {
      const step = stepReconnect(state, end, { ...policy, giveUpAfterMs: Infinity });
      assertEquals(step.decision.kind === "giveUp", end.advice === "never");
      if (step.decision.kind === "retry") {
        assert(step.decision.delayMs >= end.retryAfterMs);
        assert(step.decision.delayMs <= end.retryAfterMs + policy.maxDelayMs);
      }
      state = step.state;
    }
  }));
});

Deno.test("stepReconnect() never waits less, in the mean, after one more failure", () => {
  fc.assert(fc.property(fc.nat(200), fc.integer({ min: 1, max: 5 }), (failures, servers) => {
    const span = (count: number) => {
      const { decision } = stepReconnect({ failures: count, since: 0 }, { ...lost, servers }, DEFAULT_RECONNECT);
      return decision.kind === "retry" ? decision.delayMs : NaN;
    };
    assert(span(failures + 1) >= span(failures));
  }));
});

Deno.test("stepReconnect() spreads many clients evenly over the span", () => {
  const counts = [0, 0, 0, 0];
  for (let client = 0; client < 1000; client++) {
    const end = { ...lost, chance: client / 1000 };
    const { decision } = stepReconnect({ failures: 10, since: 0 }, end, policy);
    if (decision.kind === "retry") counts[Math.floor(decision.delayMs / 250)]!++;
  }
  assertEquals(counts, [250, 250, 250, 250]);
});
