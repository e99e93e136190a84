import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  DEFAULT_RECONNECT,
  type Ended,
  NO_FAILURES,
  type ReconnectPolicy,
  type ReconnectState,
  stepReconnect,
} from "../../../client/failover/reconnect.ts";

const policy: ReconnectPolicy = {
  minDelayMs: 100,
  maxDelayMs: 1_000,
  spreadMs: 500,
  stableAfterMs: 5_000,
  giveUpAfterMs: 60_000,
};
const lost: Ended = {
  at: 0,
  lastedMs: 0,
  advice: "now",
  isOrderly: false,
  retryAfterMs: 0,
  servers: 1,
  chance: 0.999,
};

/** Evenly distributed, which what fast-check draws is not: it prefers the ends. */
function evenChances(seed: number): () => number {
  return () => (seed = seed * 48_271 % 2_147_483_647) / 2_147_483_647;
}

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

Deno.test("stepReconnect() calls the other servers first when it is told to back off", () => {
  const end: Partial<Ended> = { advice: "backoff", servers: 3 };
  assertEquals(delays(end, end, end, end), [0, 0, 100, 100]);
});

Deno.test("stepReconnect() spreads the clients of a server that was lost, where there are others to go to", () => {
  assertEquals(delays({ lastedMs: 60_000, servers: 3 }), [500]);
  assertEquals(delays({ lastedMs: 1, servers: 2 }), [500]);
  assertEquals(delays({ lastedMs: 60_000, servers: 3, chance: 0 }), [0]);
  assertEquals(delays({ lastedMs: 60_000, servers: 3, advice: "backoff" }), [500]);
});

Deno.test("stepReconnect() spreads the clients of the only server when they had been there for a while", () => {
  assertEquals(delays({ lastedMs: 5_000 }), [500]);
  assertEquals(delays({ lastedMs: 4_999 }), [0]);
});

Deno.test("stepReconnect() makes nobody wait whom a server that stops sent to the others in his turn", () => {
  assertEquals(delays({ lastedMs: 60_000, servers: 2, isOrderly: true }), [0]);
  assertEquals(delays({ lastedMs: 60_000, servers: 1, isOrderly: true }), [500]);
  assertEquals(delays({ lastedMs: 60_000, servers: 2, isOrderly: true, retryAfterMs: 300 }), [300]);
});

Deno.test("stepReconnect() adds the spread to the time before which the server is not to be called", () => {
  assertEquals(delays({ lastedMs: 60_000, servers: 2, retryAfterMs: 3_000 }), [3_500]);
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
  assertEquals(delays({}, {}, {}, { lastedMs: 5_000 }, {}), [0, 100, 200, 500, 100]);
});

Deno.test("stepReconnect() gives up when it has tried for too long, counted from the last good connection", () => {
  assertEquals(
    delays({ at: 1_000 }, { at: 60_000 }, { at: 60_900 }, { at: 61_000, lastedMs: 5_000 }, { at: 120_000 }),
    [0, 100, "patience", 500, 100],
  );
});

const anyEnd: fc.Arbitrary<Ended> = fc.record({
  at: fc.nat(1e9),
  lastedMs: fc.nat(20_000),
  advice: fc.constantFrom("now", "backoff", "never"),
  isOrderly: fc.boolean(),
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
        assert(step.decision.delayMs <= end.retryAfterMs + Math.max(policy.maxDelayMs, policy.spreadMs));
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

Deno.test("stepReconnect() brings 500 clients of a killed server back within 2 s, and never many of them at once", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const chance = evenChances(seed);
    const delays = Array.from({ length: 500 }, () => {
      const end = { ...lost, lastedMs: 60_000, servers: 3, chance: chance() };
      const { decision } = stepReconnect(NO_FAILURES, end, DEFAULT_RECONNECT);
      return decision.kind === "retry" ? decision.delayMs : NaN;
    }).sort((a, b) => a - b);
    assert(delays[494]! <= 2_000);
    const mean = delays.length / (delays.at(-1)! / 100);
    for (const start of delays) {
      const together = delays.filter((delay) => delay >= start && delay < start + 100).length;
      assert(together <= 3 * mean, `${together} within 100 ms, the mean is ${mean}`);
    }
  }
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
