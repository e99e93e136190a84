import { assert, assertEquals, assertStrictEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import {
  effectiveHeartbeat,
  type Liveness,
  type LivenessConfig,
  type LivenessEffect,
  type LivenessEvent,
  longestSilenceMs,
  NO_EFFECTS,
  startLiveness,
  stepLiveness,
} from "../../heartbeat/liveness.ts";
import { DEFAULT_CONFIG } from "../../config/config.ts";

const CONFIG: LivenessConfig = { idleTimeoutMs: 30_000, intervalMs: 10_000, count: 3 };
const WATCHING: Liveness = { kind: "watching", heardAt: 1_000, sequence: 0, sentAt: undefined };
const PROBING: Liveness = { kind: "probing", heardAt: 1_000, sequence: 1, sentAt: 31_000, sent: 1 };

function step(state: Liveness, event: LivenessEvent) {
  return stepLiveness(state, event, CONFIG);
}

// ---- watching ------------------------------------------------------------------------------------------------------

Deno.test("startLiveness() counts the beginning as heard and asks to be woken after the idle timeout", () => {
  assertEquals(startLiveness(1_000, CONFIG), { state: WATCHING, effects: [{ kind: "wakeAt", at: 31_000 }] });
});

Deno.test("stepLiveness() asks for nothing when bytes come while watching, and allocates no list for it", () => {
  const { state, effects } = step(WATCHING, { kind: "heard", at: 5_000 });
  assertEquals(state, { kind: "watching", heardAt: 5_000, sequence: 0, sentAt: undefined });
  assertStrictEquals(effects, NO_EFFECTS);
  assert(Object.isFrozen(NO_EFFECTS));
});

Deno.test("stepLiveness() woken a millisecond too early asks again and sends nothing", () => {
  assertEquals(step(WATCHING, { kind: "woke", at: 30_999 }), {
    state: WATCHING,
    effects: [{ kind: "wakeAt", at: 31_000 }],
  });
});

Deno.test("stepLiveness() sends the first heartbeat after exactly the idle timeout", () => {
  assertEquals(step(WATCHING, { kind: "woke", at: 31_000 }), {
    state: PROBING,
    effects: [{ kind: "sendHeartbeat", sequence: 1, attempt: 1, of: 3 }, { kind: "wakeAt", at: 41_000 }],
  });
});

Deno.test("stepLiveness() woken far too late sends one heartbeat, and gives it a whole interval", () => {
  const { effects } = step(WATCHING, { kind: "woke", at: 999_000 });
  assertEquals(effects, [
    { kind: "sendHeartbeat", sequence: 1, attempt: 1, of: 3 },
    { kind: "wakeAt", at: 1_009_000 },
  ]);
});

// ---- probing -------------------------------------------------------------------------------------------------------

Deno.test("stepLiveness() sends the next heartbeat one interval after the last was sent, not before", () => {
  assertEquals(step(PROBING, { kind: "woke", at: 40_999 }).effects, [{ kind: "wakeAt", at: 41_000 }]);
  assertEquals(step(PROBING, { kind: "woke", at: 41_000 }).effects, [
    { kind: "sendHeartbeat", sequence: 2, attempt: 2, of: 3 },
    { kind: "wakeAt", at: 51_000 },
  ]);
});

Deno.test("stepLiveness() gives up one interval after the last heartbeat, and then does nothing ever again", () => {
  const last: Liveness = { kind: "probing", heardAt: 1_000, sequence: 7, sentAt: 51_000, sent: 3 };
  assertEquals(step(last, { kind: "woke", at: 60_999 }).effects, [{ kind: "wakeAt", at: 61_000 }]);
  const { state, effects } = step(last, { kind: "woke", at: 61_000 });
  assertEquals(state, { kind: "gaveUp", heardAt: 1_000, sequence: 7, sent: 3 });
  assertEquals(effects, [{ kind: "giveUp", reason: "HEARTBEAT_TIMEOUT" }]);
  for (const kind of ["heard", "woke"] as const) {
    assertEquals(step(state, { kind, at: 99_000 }), { state, effects: NO_EFFECTS });
  }
  assertEquals(step(state, { kind: "answered", at: 99_000, sequence: 7 }), { state, effects: NO_EFFECTS });
});

Deno.test("stepLiveness() with one heartbeat gives up one interval after it", () => {
  const config = { ...CONFIG, count: 1 };
  const { effects } = stepLiveness(PROBING, { kind: "woke", at: 41_000 }, config);
  assertEquals(effects, [{ kind: "giveUp", reason: "HEARTBEAT_TIMEOUT" }]);
});

Deno.test("stepLiveness() is disarmed by any byte, and watches from then on", () => {
  const { state, effects } = step(PROBING, { kind: "heard", at: 40_000 });
  assertEquals(state, { kind: "watching", heardAt: 40_000, sequence: 1, sentAt: 31_000 });
  assertEquals(effects, [{ kind: "alive", roundTripMs: undefined }, { kind: "wakeAt", at: 70_000 }]);
});

Deno.test("stepLiveness() tells the round trip of the heartbeat that was answered", () => {
  const { state, effects } = step(PROBING, { kind: "answered", at: 31_012, sequence: 1 });
  assertEquals(state, { kind: "watching", heardAt: 31_012, sequence: 1, sentAt: undefined });
  assertEquals(effects, [{ kind: "alive", roundTripMs: 12 }, { kind: "wakeAt", at: 61_012 }]);
});

Deno.test("stepLiveness() tells no round trip for an older heartbeat, or one that was never sent", () => {
  const second: Liveness = { kind: "probing", heardAt: 1_000, sequence: 9, sentAt: 41_000, sent: 2 };
  for (const sequence of [8, 10, -1, NaN]) {
    const { state, effects } = step(second, { kind: "answered", at: 42_000, sequence });
    assertEquals(state.kind, "watching");
    assertEquals(effects[0], { kind: "alive", roundTripMs: undefined });
  }
});

Deno.test("stepLiveness() tells the round trip once, also where other bytes came first and where it is answered twice", () => {
  const heard = step(PROBING, { kind: "heard", at: 31_005 }).state;
  const first = step(heard, { kind: "answered", at: 31_012, sequence: 1 });
  assertEquals(first.effects, [{ kind: "alive", roundTripMs: 12 }]);
  assertStrictEquals(step(first.state, { kind: "answered", at: 31_013, sequence: 1 }).effects, NO_EFFECTS);
});

Deno.test("stepLiveness() takes an answer to nothing as life and no more", () => {
  const { state, effects } = step(WATCHING, { kind: "answered", at: 5_000, sequence: 0 });
  assertEquals(state, { ...WATCHING, heardAt: 5_000 });
  assertStrictEquals(effects, NO_EFFECTS);
});

Deno.test("stepLiveness() goes on counting sequences in the next round, and begins its attempts anew", () => {
  const answered = step(PROBING, { kind: "answered", at: 31_012, sequence: 1 }).state;
  const { effects } = step(answered, { kind: "woke", at: 61_012 });
  assertEquals(effects[0], { kind: "sendHeartbeat", sequence: 2, attempt: 1, of: 3 });
});

// ---- settings ------------------------------------------------------------------------------------------------------

Deno.test("effectiveHeartbeat() keeps settings that fit together, the equal ones included", () => {
  const config = DEFAULT_CONFIG.heartbeat;
  assertEquals(config.idleTimeoutMs, config.intervalMs * config.count);
  assertStrictEquals(effectiveHeartbeat(config).config, config);
  assertEquals(effectiveHeartbeat(config).warning, undefined);
});

Deno.test("effectiveHeartbeat() raises an idle timeout that is too short, keeps the rest, and says so in words", () => {
  const { config, warning } = effectiveHeartbeat({ ...DEFAULT_CONFIG.heartbeat, idleTimeoutMs: 2_500 });
  assertEquals(config, { ...DEFAULT_CONFIG.heartbeat, idleTimeoutMs: 30_000 });
  assertEquals(warning, "An idle timeout of 2.5 s is shorter than 3 heartbeats 10 s apart: 30 s is used instead");
});

Deno.test("effectiveHeartbeat() never leaves less than interval × count, and warns exactly when it changes something", () => {
  fc.assert(fc.property(settings(), (asked) => {
    const { config, warning } = effectiveHeartbeat(asked);
    assertEquals(config.idleTimeoutMs, Math.max(asked.idleTimeoutMs, asked.intervalMs * asked.count));
    assertEquals(warning !== undefined, config.idleTimeoutMs !== asked.idleTimeoutMs);
    if (warning) assertStringIncludes(warning, `${config.idleTimeoutMs / 1000} s is used`);
  }));
});

// ---- any schedule --------------------------------------------------------------------------------------------------

Deno.test("stepLiveness() sends exactly `count` heartbeats to a silent side and gives up in time, however late each wake is", () => {
  fc.assert(fc.property(settings(), fc.array(fc.nat(1_000), { maxLength: 20 }), (config, lateness) => {
    // All of the lateness together may take the one interval that is to spare, and no more.
    let spareMs = config.intervalMs;
    const driver = new Driver(config);
    for (let turn = 0; driver.state.kind !== "gaveUp"; turn++) {
      const lateMs = Math.min(spareMs, lateness[turn] ?? 0);
      spareMs -= lateMs;
      driver.wake(driver.wakeAt + lateMs);
    }
    assertEquals(driver.effects("sendHeartbeat").length, config.count);
    assertEquals(driver.effects("giveUp").length, 1);
    assert(driver.now <= longestSilenceMs(config), `${driver.now} ms`);
    assert(driver.now >= config.idleTimeoutMs + config.count * config.intervalMs, `${driver.now} ms`);
  }));
});

Deno.test("stepLiveness() never gives up a side that answers each heartbeat before its interval is over, however late each wake is", () => {
  fc.assert(fc.property(settings(), fc.array(fc.tuple(fc.nat(5_000), fc.nat(99), fc.boolean())), (config, rounds) => {
    const driver = new Driver(config);
    for (const [lateMs, percent, isData] of rounds) {
      driver.wake(driver.wakeAt + lateMs);
      if (driver.state.kind === "watching") continue;
      const at = driver.now + Math.floor(config.intervalMs * percent / 100);
      const sequence = driver.state.sequence;
      driver.happen(isData ? { kind: "heard", at } : { kind: "answered", at, sequence });
    }
    assertEquals(driver.effects("giveUp"), []);
    assertEquals(driver.effects("sendHeartbeat").every(({ attempt }) => attempt === 1), true);
  }));
});

Deno.test("stepLiveness() keeps its order in any sequence of events: attempts, sequences, one alive per round, nothing after the end", () => {
  fc.assert(fc.property(settings(), events(), (config, happening) => {
    const driver = new Driver(config);
    for (const event of happening) driver.happen(event);
    const sent = driver.effects("sendHeartbeat");
    assertEquals(sent.map(({ sequence }) => sequence), sent.map((_, index) => index + 1));
    let attempt = 0;
    for (const effect of driver.all) {
      if (effect.kind === "sendHeartbeat") assertEquals(effect.attempt, ++attempt);
      if (effect.kind === "alive" && effect.roundTripMs === undefined) {
        assert(attempt > 0, "alive is told of a round only");
        attempt = 0;
      } else if (effect.kind === "alive") {
        assert(effect.roundTripMs! >= 0);
        attempt = 0;
      }
      assert(attempt <= config.count);
      if (effect.kind === "giveUp") {
        assertEquals(attempt, config.count);
        assertStrictEquals(effect, driver.all.at(-1));
      }
    }
  }));
});

Deno.test("stepLiveness() comes to the same when only the last of several heard events is handed in", () => {
  fc.assert(fc.property(settings(), events(), (config, happening) => {
    const each = new Driver(config);
    const lazy = new Driver(config);
    for (const [index, event] of happening.entries()) {
      each.happen(event);
      const isFollowed = event.kind === "heard" && happening[index + 1]?.kind === "heard";
      if (lazy.state.kind === "watching" && isFollowed) continue;
      lazy.happen(event);
    }
    assertEquals(lazy.state, each.state);
    assertEquals(lazy.all, each.all);
  }));
});

function settings(): fc.Arbitrary<LivenessConfig> {
  return fc.record({
    idleTimeoutMs: fc.integer({ min: 1, max: 5_000 }),
    intervalMs: fc.integer({ min: 1, max: 1_000 }),
    count: fc.integer({ min: 1, max: 6 }),
  });
}

/** At moments that do not go back. */
function events(): fc.Arbitrary<LivenessEvent[]> {
  const event = fc.tuple(fc.constantFrom("heard", "answered", "woke", "woke"), fc.nat(3_000), fc.nat(6));
  return fc.array(event, { maxLength: 60 }).map((drawn) => {
    let at = 0;
    return drawn.map(([kind, afterMs, sequence]): LivenessEvent => {
      at += afterMs;
      return kind === "answered" ? { kind, at, sequence } : { kind: kind as "heard" | "woke", at };
    });
  });
}

type Effect<K extends LivenessEffect["kind"]> = Extract<LivenessEffect, { kind: K }>;

/** Keeps the state, and everything that was asked for. */
class Driver {
  state: Liveness;
  now = 0;
  wakeAt = 0;
  readonly all: LivenessEffect[] = [];
  readonly #config: LivenessConfig;

  constructor(config: LivenessConfig) {
    this.#config = config;
    const { state, effects } = startLiveness(0, config);
    this.state = state;
    this.#keep(effects);
  }

  happen(event: LivenessEvent): void {
    this.now = event.at;
    const { state, effects } = stepLiveness(this.state, event, this.#config);
    this.state = state;
    this.#keep(effects);
  }

  wake(at: number): void {
    this.happen({ kind: "woke", at });
  }

  effects<K extends LivenessEffect["kind"]>(kind: K): Effect<K>[] {
    return this.all.filter((effect): effect is Effect<K> => effect.kind === kind);
  }

  #keep(effects: readonly LivenessEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === "wakeAt") this.wakeAt = effect.at;
      else this.all.push(effect);
    }
  }
}
