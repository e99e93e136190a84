/** A process that stands still, is late, or is always busy: who answers is not accused, and who is dead is found. */

import { assert, assertEquals } from "@std/assert";
import { DEFAULT_CONFIG } from "../../config/config.ts";
import { type LivenessConfig, longestSilenceMs } from "../../heartbeat/liveness.ts";
import type { OtherSign } from "../../heartbeat/supervisor.ts";
import { World } from "./_world.ts";

const CONFIG = DEFAULT_CONFIG.heartbeat;
/** No spread: all that fall silent at once are probed at once. A pulse is 25 ms, a step 50 ms. */
const FAST: LivenessConfig = { idleTimeoutMs: 750, intervalMs: 250, count: 3 };

Deno.test("Supervisor accuses nobody after a stall, however long, when the answer had arrived in it", () => {
  const world = new World();
  const connection = world.connect(CONFIG);
  world.clock.advance(59_000);
  assertEquals(connection.count("heartbeat"), 3);
  connection.data(500);
  world.clock.stall(7_200_000);
  world.clock.advance(20_000);
  assertEquals(connection.count("gaveUp"), 0);
  assertEquals(world.supervisor.snapshot(), { size: 1, stalls: 1, stalledMs: 7_200_000 });
});

Deno.test("Supervisor credits a stall to a connection that had 1 ms left, and gives it up soon after if nothing came", () => {
  const world = new World();
  const connection = world.connect(CONFIG);
  world.clock.advance(60_999);
  world.clock.stall(100_000);
  assertEquals(connection.gaveUpAt, undefined);
  world.clock.advance(60_000);
  assertEquals(connection.gaveUpAt, 160_999 + 750);
});

Deno.test("Supervisor waits for answers that the network brings a moment after the machine slept", () => {
  const world = new World();
  const connection = world.connect(CONFIG);
  world.clock.advance(60_999);
  world.clock.sleep(3_600_000);
  connection.data(749);
  world.clock.advance(20_000);
  assertEquals(connection.count("gaveUp"), 0);
});

Deno.test("Supervisor waits for them also where it looked at the time between the end of the sleep and the first pulse", () => {
  const world = new World();
  const { watch } = world.connect(CONFIG);
  let passed = 0;
  const deadline = world.supervisor.deadline(10_010, () => passed++);
  world.clock.advance(10_005);
  world.clock.sleep(3_600_000);
  world.clock.after(10, () => watch.snapshot());
  world.arrive(245 + 499, () => deadline.cancel());
  world.clock.advance(20_000);
  assertEquals(passed, 0);
});

Deno.test("Supervisor reads before a deadline passes, with thousands of them and however many turns it takes", () => {
  const world = new World({ socketsPerTurn: 128, turnsPerRead: 2 });
  let passed = 0;
  for (let index = 0; index < 5_000; index++) {
    const deadline = world.supervisor.deadline(1_000, () => passed++);
    world.arrive(990, () => deadline.cancel());
  }
  world.clock.advance(980);
  world.clock.stall(40);
  world.clock.advance(1_000);
  assertEquals([passed, world.clock.timersWaiting], [0, 0]);
});

Deno.test("Supervisor reads before it accuses also where the stall was too short to be seen, however many turns that takes", () => {
  const world = new World({ socketsPerTurn: 128, turnsPerRead: 2 });
  const connections = Array.from({ length: 5_000 }, () => world.connect(FAST));
  for (const connection of connections) connection.answersAfterMs = (sequence) => sequence === 3 ? 245 : undefined;
  world.clock.advance(750 + 500 + 225);
  assert(connections.every((connection) => connection.calls.at(-1)?.at === 1_250));
  world.clock.stall(45);
  assertEquals(world.supervisor.snapshot().stalls, 0);
  world.clock.advance(100);
  assertEquals(connections.reduce((sum, connection) => sum + connection.count("gaveUp"), 0), 0);
  assert(connections.every((connection) => connection.count("alive") === 1));
});

Deno.test("Supervisor sends no heartbeat to who sent data while this process was a little late", () => {
  for (const world of readingInEveryOtherTurn()) {
    const connection = world.connect(FAST);
    world.clock.advance(730);
    connection.data(10);
    world.clock.stall(40);
    world.clock.advance(100);
    assertEquals(connection.calls, []);
  }
});

Deno.test("Supervisor sends no heartbeat for a moment that comes while it reads what had arrived before", () => {
  for (const world of readingInEveryOtherTurn(40)) {
    const [connection, other] = [world.connect({ ...FAST, idleTimeoutMs: 755 }), world.connect(FAST)];
    // Heard now, which counts until 805. At the pulse of 775 reading the other one takes until 815, and only then
    // this one is read again.
    connection.watch.heard();
    other.data(775);
    connection.data(800);
    world.clock.advance(900);
    assertEquals(connection.calls, []);
  }
});

Deno.test("Supervisor still finds the dead where this process stands still again and again", () => {
  const world = new World();
  const connection = world.connect(FAST);
  for (let stalls = 0; connection.gaveUpAt === undefined && stalls < 1_000; stalls++) world.clock.stall(1_000);
  assertEquals(connection.count("heartbeat"), 3);
  assert(connection.gaveUpAt !== undefined);
});

Deno.test("Supervisor gives who takes what is sent to it more time to answer, and gives it up within twice the bound all the same", () => {
  const world = new World();
  const [mute, slow, dead] = [world.connect(CONFIG), world.connect(CONFIG), world.connect(CONFIG)];
  for (const connection of [mute, slow]) Object.assign(connection, { otherSign: () => "takes" });
  // The heartbeat stood behind much else.
  slow.answersAfterMs = (sequence) => sequence === 1 ? 1.2 * longestSilenceMs(CONFIG) : undefined;
  world.clock.advance(1.7 * longestSilenceMs(CONFIG));
  assertEquals([mute, slow, dead].map(({ gaveUpAt }) => gaveUpAt !== undefined), [false, false, true]);
  assertEquals([mute.count("heartbeat"), slow.count("alive")], [CONFIG.count, 1]);
  world.clock.advance(0.3 * longestSilenceMs(CONFIG));
  assertEquals([mute, slow].map(({ gaveUpAt }) => gaveUpAt !== undefined), [true, false]);
});

Deno.test("Supervisor gives more time also to who took something a while ago, until it is heard: then that counts no more", () => {
  const world = new World();
  const connection = world.connect(CONFIG);
  let sign = "takes" as OtherSign;
  Object.assign(connection, { otherSign: () => sign });
  world.clock.advance(CONFIG.idleTimeoutMs + CONFIG.intervalMs);
  assertEquals(connection.count("heartbeat") > 0, true);
  // It reads from others for longer than the rest of the bound.
  sign = "none";
  world.clock.advance(1.7 * longestSilenceMs(CONFIG) - CONFIG.idleTimeoutMs - CONFIG.intervalMs);
  assertEquals([connection.count("heartbeat"), connection.count("gaveUp")], [CONFIG.count, 0]);
  connection.data(0);
  world.clock.advance(1.1 * longestSilenceMs(CONFIG));
  assertEquals(connection.count("gaveUp"), 1);
});

Deno.test("Supervisor gives up nobody who is not read and lives as far as can be told", () => {
  const world = new World();
  const connection = world.connect(CONFIG);
  let sign = "alive" as OtherSign;
  Object.assign(connection, { otherSign: () => sign });
  world.clock.advance(10 * longestSilenceMs(CONFIG));
  assertEquals(connection.calls, []);
  sign = "none";
  world.clock.advance(2 * longestSilenceMs(CONFIG));
  assertEquals(connection.count("gaveUp"), 1);
});

/**
 * A process whose every turn takes `turnMs`, with connections of which every tenth is dead and the others answer
 * `answerMs` after a heartbeat.
 */
function underLoad(turnMs: number, many: number, config: LivenessConfig, answerMs: number) {
  const world = new World({ socketsPerTurn: 1_024, turnsPerRead: 2 });
  const connections = Array.from({ length: many }, () => world.connect(config));
  const dead = connections.filter((_, index) => index % 10 === 0);
  const alive = connections.filter((_, index) => index % 10 !== 0);
  for (const connection of alive) connection.answersAfterMs = () => answerMs;
  world.clock.onRead(() => world.clock.take(turnMs));
  // An event loop that is never done.
  const spin = () => void world.clock.after(0, spin);
  spin();
  return { world, dead, alive };
}

/** Its bound is 5 s. */
const FIVE_SECONDS = { idleTimeoutMs: 2_000, intervalMs: 750, count: 3 };

for (
  const [what, turnMs, many, config] of [
    ["turns shorter than a step", 40, 200, FIVE_SECONDS],
    ["turns longer than a step", 180, 200, FIVE_SECONDS],
    ["turns that long and thousands of connections", 120, 2_000, FIVE_SECONDS],
    ["long turns and the settings that are usual", 500, 1_000, CONFIG],
  ] as const
) {
  Deno.test(`Supervisor finds the dead within twice the bound in a process that is always busy, and nobody else: ${what}`, () => {
    const { world, dead, alive } = underLoad(turnMs, many, config, 0.9 * config.intervalMs);
    while (dead.some(({ gaveUpAt }) => gaveUpAt === undefined) && world.nowMs < 3 * longestSilenceMs(config)) {
      world.clock.turn();
    }
    for (const { gaveUpAt } of dead) {
      assert(gaveUpAt !== undefined && gaveUpAt <= 2 * longestSilenceMs(config), `after ${gaveUpAt} ms`);
    }
    const untilMs = world.nowMs + 2 * longestSilenceMs(config);
    while (world.nowMs < untilMs) world.clock.turn();
    assertEquals(alive.reduce((sum, connection) => sum + connection.count("gaveUp"), 0), 0);
    assertEquals(world.supervisor.snapshot().stalls, 0);
  });
}

Deno.test("Supervisor gives up nobody who answers where a long turn begins as each heartbeat was written, which leaves after it", () => {
  const world = new World();
  const connection = world.connect({ ...FIVE_SECONDS, count: 1 });
  let turns = 0;
  connection.answersAfterMs = () => 0;
  const { sendHeartbeat } = connection;
  connection.sendHeartbeat = (sequence, attempt) => {
    turns++;
    connection.calls.push({ kind: "heartbeat", at: world.nowMs, sequence, attempt });
    // The bytes leave in the next turn, and the answer is there a moment after that.
    world.clock.after(0, () => world.arrive(70, () => connection.watch.answered(sequence)));
    world.clock.take(1_000);
  };
  world.clock.advance(60_000);
  assert(turns > 5);
  assertEquals(connection.count("gaveUp"), 0);
  connection.sendHeartbeat = sendHeartbeat;
});

Deno.test("Supervisor takes a time in which it had nothing to do for no stall", () => {
  const world = new World();
  world.connect(CONFIG).watch.end();
  world.clock.advance(3_600_000);
  const connection = world.connect(CONFIG);
  world.clock.advance(60_000);
  assertEquals(world.supervisor.snapshot().stalls, 0);
  assertEquals(connection.count("heartbeat"), 3);
});

/** Two worlds, so that whichever turn it is that matters, one of them does not read in it. */
function readingInEveryOtherTurn(readMs = 0): World[] {
  const worlds = [new World({ turnsPerRead: 2, readMs }), new World({ turnsPerRead: 2, readMs })];
  worlds[0]!.clock.turn();
  return worlds;
}
