/** What is promised of the supervisor, over random settings, others and misfortunes. Design promise 5. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { effectiveHeartbeat, type LivenessConfig, longestSilenceMs } from "../../heartbeat/liveness.ts";
import { HELD_PULSES } from "../../heartbeat/awake_clock.ts";
import { pulseFor, stepFor } from "../../heartbeat/pace.ts";
import { type Connection, type Reading, World } from "./_world.ts";

/**
 * What happens to this process: it runs for a while, or is in one long turn, alone or with others on the machine, or
 * stands still, or the machine sleeps.
 */
type Fate = { readonly what: "run" | "busy" | "crowded" | "stall" | "sleep"; readonly ms: number };

/** An interval that has room for all lateness (pace.ts). */
const settings: fc.Arbitrary<LivenessConfig> = fc.tuple(fc.integer({ min: 1, max: 4 }), fc.nat(3_000), fc.nat(5_000))
  .map(([count, more, idleTimeoutMs]) => {
    return effectiveHeartbeat({ count, intervalMs: (count + 2) * 50 + more, idleTimeoutMs }).config;
  });

const fates: fc.Arbitrary<Fate[]> = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ what: fc.constant("run" as const), ms: fc.nat(3_000) }) },
    { weight: 2, arbitrary: fc.record({ what: fc.constant("stall" as const), ms: fc.nat(120) }) },
    { weight: 1, arbitrary: fc.record({ what: fc.constant("stall" as const), ms: fc.nat(30_000) }) },
    {
      weight: 2,
      arbitrary: fc.record({ what: fc.constantFrom("busy" as const, "crowded" as const), ms: fc.nat(2_000) }),
    },
    { weight: 1, arbitrary: fc.record({ what: fc.constant("sleep" as const), ms: fc.nat(100_000) }) },
  ),
  { maxLength: 60 },
);

/** A turn reads little, or nothing, or slowly. */
const reading: fc.Arbitrary<Reading> = fc.record({
  socketsPerTurn: fc.integer({ min: 4, max: 10 }),
  turnsPerRead: fc.integer({ min: 1, max: 2 }),
  readMs: fc.constantFrom(0, 0, 1, 10, 40),
});

/** Parts of an interval, both ends included. */
const parts = fc.array(fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true })), {
  minLength: 1,
  maxLength: 10,
});

function suffer(world: World, fate: Fate): void {
  if (fate.what === "run") world.clock.advance(fate.ms);
  else if (fate.what === "stall") world.clock.stall(fate.ms);
  else if (fate.what === "busy") world.clock.busy(fate.ms);
  else if (fate.what === "crowded") world.clock.busy(fate.ms, 0.1);
  else world.clock.sleep(fate.ms);
}

/** Sends bytes now and again, for ever: the next ones so long after the last ones as `gapMs` says. */
function talk(connection: Connection, gapMs: () => number): void {
  const afterMs = gapMs();
  connection.data(afterMs);
  connection.world.clock.after(afterMs, () => talk(connection, gapMs));
}

Deno.test("Supervisor never gives up who answers each heartbeat within an interval, whatever happens to this process", () => {
  fc.assert(
    fc.property(
      settings,
      fates,
      reading,
      fc.array(parts, { minLength: 1, maxLength: 4 }),
      (config, happening, how, answers) => {
        const world = new World(how);
        const connections = answers.map((delays) => {
          const connection = world.connect(config);
          connection.answersAfterMs = (sequence) => delays[sequence % delays.length]! * config.intervalMs;
          return connection;
        });
        for (const fate of happening) suffer(world, fate);
        world.clock.advance(longestSilenceMs(config));
        for (const { calls } of connections) assertEquals(calls.filter(({ kind }) => kind === "gaveUp"), []);
      },
    ),
    { numRuns: 300 },
  );
});

Deno.test("Supervisor never gives up who answers only the last heartbeat of each round, in its interval", () => {
  fc.assert(
    fc.property(settings, fates, reading, parts, (config, happening, how, delays) => {
      const world = new World(how);
      const connection = world.connect(config);
      connection.answersAfterMs = (sequence) => {
        return sequence % config.count === 0 ? delays[sequence % delays.length]! * config.intervalMs : undefined;
      };
      for (const fate of happening) suffer(world, fate);
      world.clock.advance(2 * longestSilenceMs(config));
      assertEquals(connection.count("gaveUp"), 0);
    }),
    { numRuns: 300 },
  );
});

Deno.test("Supervisor sends no heartbeat to who sends data faster than the idle timeout, whatever happens to this process", () => {
  fc.assert(
    fc.property(settings, fates, reading, parts, (config, happening, how, gaps) => {
      const world = new World(how);
      const connection = world.connect(config);
      let index = 0;
      // Its sender has a clock of its own: it does not stand still with this process.
      const nextGapMs = () => (0.5 + 0.5 * gaps[index++ % gaps.length]!) * (config.idleTimeoutMs - 1);
      // Slow turns make it all take longer: there is data for twice as long.
      const untilMs = 20_000 + 2 * happening.reduce((sum, { ms }) => sum + ms, 0);
      for (let at = nextGapMs(); at <= untilMs; at += nextGapMs()) connection.data(at);
      for (const fate of happening) suffer(world, fate);
      world.clock.advance(5_000);
      assert(world.nowMs <= untilMs);
      assertEquals(connection.calls, []);
    }),
    { numRuns: 300 },
  );
});

Deno.test("Supervisor gives up who fell silent within idle + count × interval + interval, after exactly `count` heartbeats", () => {
  const lateness = fc.array(fc.nat(100), { maxLength: 30 });
  fc.assert(
    fc.property(settings, fc.nat(10_000), fc.integer({ min: 1, max: 8 }), lateness, (config, lastMs, many, late) => {
      const world = new World();
      const connections = Array.from({ length: many }, () => world.connect(config));
      for (const connection of connections) {
        for (let at = config.idleTimeoutMs - 1; at < lastMs; at += config.idleTimeoutMs - 1) connection.data(at);
        connection.data(lastMs);
      }
      // Pulses come late, but not so late that it is a stall: this process is awake all the time.
      const pulseMs = pulseFor(config);
      const latestMs = stepFor(pulseMs) - pulseMs;
      let index = 0;
      while (connections.some(({ gaveUpAt }) => gaveUpAt === undefined)) {
        assert(world.nowMs < 1_000_000, "it ends");
        world.clock.advance(world.clock.nextTimerAt! - world.clock.nowMs() - 1e-3);
        world.clock.stall(1e-3 + ((late[index++ % late.length] ?? 0) / 100) * latestMs * 0.99);
      }
      assertEquals(world.supervisor.snapshot().stalls, 0);
      for (const connection of connections) {
        const silentMs = connection.gaveUpAt! - connection.readAt;
        assert(silentMs <= longestSilenceMs(config), `${silentMs} ms of ${longestSilenceMs(config)}`);
        assert(silentMs >= config.idleTimeoutMs + config.count * config.intervalMs, `${silentMs} ms is too soon`);
        assertEquals(connection.count("heartbeat"), config.count);
      }
    }),
    { numRuns: 300 },
  );
});

Deno.test("Supervisor gives up who is silent whatever happens to this process, later by its stalls and no more", () => {
  fc.assert(
    fc.property(settings, fates, (config, happening) => {
      const world = new World();
      const connection = world.connect(config);
      const stepMs = stepFor(pulseFor(config));
      let lostMs = 0;
      for (const { what, ms } of happening) {
        if (connection.gaveUpAt !== undefined) break;
        suffer(world, { what, ms });
        // The time between the last look before it and the stall counts for nothing either.
        // A busy time counts, but what comes due in it comes late.
        if (what !== "run") lostMs += (what === "sleep" ? 0 : ms) + (HELD_PULSES + 2) * stepMs;
      }
      world.clock.advance(longestSilenceMs(config) + HELD_PULSES * stepMs);
      assert(connection.gaveUpAt! <= longestSilenceMs(config) + lostMs);
      assertEquals(connection.calls.map((call) => call.kind === "heartbeat" ? call.attempt : call.kind), [
        ...Array.from({ length: config.count }, (_, index) => index + 1),
        "gaveUp",
      ]);
    }),
    { numRuns: 300 },
  );
});

Deno.test("Supervisor never sends more than `count` heartbeats without a sign of life between them", () => {
  fc.assert(
    fc.property(settings, fates, parts, (config, happening, gaps) => {
      const world = new World();
      const connection = world.connect(config);
      let index = 0;
      talk(connection, () => 1 + gaps[index++ % gaps.length]! * 2 * longestSilenceMs(config));
      for (const fate of happening) suffer(world, fate);
      let attempt = 0;
      let sequence = 0;
      for (const call of connection.calls) {
        if (call.kind !== "heartbeat") attempt = 0;
        else assertEquals([call.attempt, call.sequence], [++attempt, ++sequence]);
        assert(attempt <= config.count);
      }
      connection.watch.end();
    }),
    { numRuns: 300 },
  );
});
