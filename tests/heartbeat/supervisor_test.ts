import { assert, assertEquals, assertThrows } from "@std/assert";
import { DEFAULT_CONFIG } from "../../config/config.ts";
import { type LivenessConfig, longestSilenceMs } from "../../heartbeat/liveness.ts";
import { Supervisor } from "../../heartbeat/supervisor.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { type Connection, World } from "./_world.ts";

const CONFIG = DEFAULT_CONFIG.heartbeat;
/** No spread: all that fall silent at once are probed at once. A pulse is 25 ms, a step 50 ms. */
const FAST: LivenessConfig = { idleTimeoutMs: 750, intervalMs: 250, count: 3 };
/** How much later than possible the first connection of a supervisor is probed, and others after it. */
const FIRST_LATE_MS = Math.floor(0.618 * 1_250);

// ---- one connection ------------------------------------------------------------------------------------------------

Deno.test("Supervisor sends a silent connection `count` heartbeats an interval apart, then gives it up and forgets it", () => {
  const world = new World();
  const connection = world.connect(CONFIG);
  world.clock.advance(longestSilenceMs(CONFIG));
  assertEquals(connection.calls, [
    { kind: "heartbeat", at: 31_000, sequence: 1, attempt: 1 },
    { kind: "heartbeat", at: 41_000, sequence: 2, attempt: 2 },
    { kind: "heartbeat", at: 51_000, sequence: 3, attempt: 3 },
    { kind: "gaveUp", at: 61_000 },
  ]);
  assertEquals([world.supervisor.snapshot().size, world.clock.timersWaiting], [0, 0]);
});

Deno.test("Supervisor sends no heartbeat when data comes just before the idle timeout, each time", () => {
  const world = new World();
  const connection = world.connect(CONFIG);
  for (let round = 0; round < 20; round++) {
    connection.data(29_999);
    world.clock.advance(29_999);
  }
  assertEquals(connection.calls, []);
});

Deno.test("Supervisor tells a round trip, once per round, whether the bytes or the answer are noted first", () => {
  for (const bytesFirst of [true, false]) {
    const world = new World();
    const connection = world.connect(CONFIG);
    world.clock.advance(31_000);
    world.arrive(12.5, () => {
      if (bytesFirst) connection.watch.heard();
      connection.watch.answered(1);
      if (!bytesFirst) connection.watch.heard();
    });
    world.clock.advance(29_000);
    assertEquals(connection.calls.slice(1), [{ kind: "alive", at: 31_012.5, roundTripMs: 12.5 }]);
  }
});

Deno.test("Supervisor tells within a pulse that other bytes than an answer ended a round, and of the late answer too", () => {
  const world = new World();
  const connection = world.connect(CONFIG);
  world.clock.advance(31_000);
  connection.data(100);
  world.arrive(3_000, () => connection.watch.answered(1));
  world.clock.advance(29_000);
  assertEquals(connection.calls.slice(1), [
    { kind: "alive", at: 31_250, roundTripMs: undefined },
    { kind: "alive", at: 34_000, roundTripMs: 3_000 },
  ]);
});

Deno.test("Supervisor watches on after a round that was answered, and counts sequences on", () => {
  const world = new World();
  const connection = world.connect(CONFIG);
  connection.answersAfterMs = (sequence) => sequence < 3 ? 20 : undefined;
  world.clock.advance(200_000);
  assertEquals(connection.calls.map((call) => call.kind === "heartbeat" ? [call.sequence, call.attempt] : call.kind), [
    [1, 1],
    "alive",
    [2, 1],
    "alive",
    [3, 1],
    [4, 2],
    [5, 3],
    "gaveUp",
  ]);
});

Deno.test("Watch.end() ends it: nothing is called any more, whatever is noted, and no timer is left", () => {
  const world = new World();
  const connection = world.connect(CONFIG);
  world.clock.advance(31_000);
  connection.watch.end();
  connection.watch.end();
  connection.watch.heard();
  connection.watch.answered(1);
  assertEquals(world.clock.timersWaiting, 0);
  world.clock.advance(100_000);
  assertEquals(connection.calls.length, 1);
});

Deno.test("Watch.end() while the deadline waits for what is to be read calls nothing, and leaves no timer", () => {
  const world = new World();
  const connection = world.connect(CONFIG);
  world.clock.advance(60_999);
  let timersLeft = -1;
  world.arrive(1, () => {
    connection.watch.end();
    timersLeft = world.clock.timersWaiting;
  });
  world.clock.advance(1);
  assertEquals([connection.count("gaveUp"), timersLeft], [0, 0]);
});

Deno.test("Watch.snapshot() shows how it stands", () => {
  const world = new World();
  const { watch } = world.connect(CONFIG);
  const beginning = watch.snapshot();
  assertEquals(beginning, {
    state: "watching",
    silentMs: 0,
    attempt: 0,
    of: 3,
    heartbeats: 0,
    roundTripMs: undefined,
  });
  world.clock.advance(41_100);
  assertEquals(watch.snapshot(), { ...beginning, state: "probing", silentMs: 41_100, attempt: 2, heartbeats: 2 });
  watch.answered(2);
  assertEquals(watch.snapshot(), { ...beginning, heartbeats: 2, roundTripMs: 100 });
  world.clock.advance(100_000);
  assertEquals(watch.snapshot().state, "gaveUp");
  assertEquals(watch.snapshot().attempt, 3);
});

Deno.test("Supervisor.watch() refuses settings that cannot be kept", () => {
  const world = new World();
  assertThrows(() => world.connect({ ...CONFIG, count: 0 }), RangeError, "count is 0");
  assertThrows(() => world.connect({ ...CONFIG, count: 1.5 }), RangeError, "count is 1.5");
  assertThrows(() => world.connect({ ...CONFIG, intervalMs: NaN }), RangeError, "intervalMs is NaN");
  assertThrows(() => world.connect({ ...CONFIG, idleTimeoutMs: 0 }), RangeError, "idleTimeoutMs is 0");
  assertEquals(world.clock.timersWaiting, 0);
});

// ---- deadlines -----------------------------------------------------------------------------------------------------

Deno.test("Supervisor.deadline() calls once, at the first pulse after its time", () => {
  const world = new World();
  const passed: number[] = [];
  world.supervisor.deadline(10_000, () => passed.push(world.nowMs));
  world.supervisor.deadline(1_000, () => passed.push(world.nowMs));
  world.clock.advance(60_000);
  assertEquals(passed, [1_000, 10_100]);
  assertEquals(world.clock.timersWaiting, 0);
});

Deno.test("Supervisor.deadline() that is cancelled is not called, and not by what arrived in its last millisecond either", () => {
  const world = new World();
  const { watch } = world.connect(CONFIG);
  let passed = 0;
  world.supervisor.deadline(1_000, () => passed++).cancel();
  const late = world.supervisor.deadline(1_000, () => passed++);
  world.arrive(1_000, () => late.cancel());
  world.clock.advance(10_000);
  late.cancel();
  watch.end();
  assertEquals([passed, world.clock.timersWaiting], [0, 0]);
});

Deno.test("Supervisor.deadline() may ask for another from its call, also without delay, which comes at a later pulse", () => {
  const world = new World();
  const passed: number[] = [];
  const again = () => {
    passed.push(world.nowMs);
    if (passed.length < 3) world.supervisor.deadline(0, again);
  };
  world.supervisor.deadline(100, again);
  world.clock.advance(1_000);
  assertEquals(passed, [100, 120, 140]);
});

// ---- many connections ----------------------------------------------------------------------------------------------

Deno.test("Supervisor asks for one timer per pulse, and for none when bytes come, with 10,000 connections", () => {
  const world = new World();
  const connections = Array.from({ length: 10_000 }, () => world.connect(CONFIG));
  assertEquals(world.clock.timersWaiting, 1);
  const before = world.clock.timersAsked;
  for (let second = 0; second < 60; second++) {
    for (const { watch } of connections) watch.heard();
    world.clock.advance(1_000);
  }
  // Four pulses a second. In the seconds after an idle timeout each wakes some who were heard since, and two
  // turns are made for that.
  const pulses = world.clock.timersAsked - before;
  assert(pulses <= 240 + 3 * 20 * 12, `${pulses} timers`);
  assertEquals(connections.reduce((sum, connection) => sum + connection.calls.length, 0), 0);
});

Deno.test("Supervisor spreads the heartbeats of 10,000 connections that fell silent at one moment, and gives all up in time", () => {
  const world = new World();
  const connections = Array.from({ length: 10_000 }, () => world.connect(CONFIG));
  world.clock.advance(longestSilenceMs(CONFIG));
  const firsts = new Map<number, number>();
  for (const { calls } of connections) {
    assertEquals(calls.length, 4);
    assertEquals(calls[3]?.kind, "gaveUp");
    firsts.set(calls[0]!.at, (firsts.get(calls[0]!.at) ?? 0) + 1);
  }
  assertEquals([...firsts.keys()].sort(), [30_000, 30_250, 30_500, 30_750, 31_000, 31_250]);
  assert([...firsts.values()].every((count) => count <= 2_100), JSON.stringify([...firsts]));
});

Deno.test("Supervisor calls at most 200 in one turn, so that others are read in between", () => {
  const world = new World();
  let inThisTurn = 0;
  let most = 0;
  let called = 0;
  world.clock.onRead(() => {
    most = Math.max(most, inThisTurn);
    inThisTurn = 0;
  });
  for (let index = 0; index < 10_000; index++) {
    world.supervisor.deadline(10_000, () => {
      inThisTurn++;
      called++;
    });
  }
  world.clock.advance(10_250);
  assertEquals([called, most], [10_000, 200]);
});

Deno.test("Supervisor lets a connection that is given up end any other, join new ones, or stop everything", () => {
  const world = new World();
  const others: Connection[] = [];
  const connection = world.connect(FAST);
  connection.gaveUp = () => {
    for (const { watch } of others) watch.end();
    others.push(world.connect(FAST));
  };
  for (let index = 0; index < 10; index++) others.push(world.connect(FAST));
  world.clock.advance(1_500);
  assertEquals(others.map((other) => other.count("gaveUp")), Array(11).fill(0));
  assertEquals(world.supervisor.snapshot().size, 1);
  others[10]!.gaveUp = () => world.supervisor.stop();
  world.connect(FAST);
  world.clock.advance(1_500);
  assertEquals([world.supervisor.snapshot().size, world.clock.timersWaiting], [0, 0]);
});

Deno.test("Supervisor.stop() ends everything, also while deadlines wait for what is to be read", () => {
  const world = new World();
  const connection = world.connect(CONFIG);
  let passed = 0;
  world.supervisor.deadline(30_000, () => passed++);
  world.arrive(30_000, () => world.supervisor.stop());
  world.clock.advance(100_000);
  connection.watch.heard();
  connection.watch.end();
  assertEquals([connection.calls.length, passed, world.clock.timersWaiting], [0, 0, 0]);
});

Deno.test("Supervisor pulses as often as the shortest settings need, and no more often once they are gone", () => {
  const world = new World();
  const slow = world.connect({ ...CONFIG, idleTimeoutMs: 30_001 });
  world.clock.advance(100);
  const fast = world.connect(FAST);
  world.clock.advance(1_600);
  assertEquals(fast.gaveUpAt, 1_600);
  const before = world.clock.timersAsked;
  world.clock.advance(10_000);
  assertEquals(world.clock.timersAsked - before, 40);
  world.clock.advance(60_000);
  assert(slow.gaveUpAt! <= longestSilenceMs(CONFIG));
  assert(slow.calls[0]!.at >= 30_001 + FIRST_LATE_MS);
});

Deno.test("Supervisors of different clocks know nothing of each other", () => {
  const [one, other] = [new World(), new World()];
  const [a, b] = [one.connect(CONFIG), other.connect(CONFIG)];
  one.clock.advance(100_000);
  assertEquals([a.count("gaveUp"), b.calls.length], [1, 0]);
});

Deno.test("Supervisor asks for no timer before there is something to supervise", () => {
  const clock = new FakeClock();
  using _supervisor = new Supervisor(clock);
  assertEquals(clock.timersAsked, 0);
});
