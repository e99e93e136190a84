import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { AwakeClock, HELD_PULSES, type Moment } from "../../heartbeat/awake_clock.ts";
import { stepFor } from "../../heartbeat/pace.ts";

const PULSE_MS = 100;
const STEP_MS = stepFor(PULSE_MS);

/** An awake clock that is looked at, and the clocks beside it. */
class Rig {
  nowMs = 5_000;
  wallMs = 1_700_000_000_000;
  ranMs = 0;
  readonly awake = new AwakeClock(this, PULSE_MS);

  /** Lets `ms` pass, and a pulse come. */
  pulse(ms: number): number {
    this.pass(ms);
    return this.awake.pulse(this);
  }

  /** Lets `ms` pass in which this process was in one long turn, or for `share` of it, and a pulse come. */
  busy(ms: number, share = 1): number {
    this.ranMs += ms * share;
    return this.pulse(ms);
  }

  pass(ms: number): void {
    this.nowMs += ms;
    this.wallMs += ms;
  }
}

Deno.test("AwakeClock advances with real time while pulses come in time", () => {
  const rig = new Rig();
  assertEquals([rig.pulse(100), rig.pulse(101), rig.pulse(149.5)], [100, 201, 350.5]);
});

Deno.test("AwakeClock counts a pulse that is half a pulse late, and no more than that of one that is later", () => {
  assertEquals(new Rig().pulse(STEP_MS), STEP_MS);
  assertEquals(new Rig().pulse(STEP_MS + 1), STEP_MS);
  assertEquals(new Rig().pulse(STEP_MS + HELD_PULSES * PULSE_MS), 0);
});

Deno.test("AwakeClock counts all of the time in which this process was busy, however long, and is not held after it", () => {
  const rig = new Rig();
  assertEquals([5_000, 700, 5_000].map((ms) => rig.busy(ms)), [5_000, 5_700, 10_700]);
  assertEquals([rig.awake.isHeld, rig.awake.stalls], [false, 0]);
});

Deno.test("AwakeClock counts a busy time in which others had the machine too, and of one that got little what it got", () => {
  assertEquals(new Rig().busy(5_000, 1 / 2), 5_000);
  assertEquals(new Rig().busy(5_000, 1 / 8), 5_000);
  assertEquals(new Rig().busy(5_000, 1 / 16), 2_500);
});

Deno.test("AwakeClock counts of a stop within a busy time at most eight times what it ran, and is held after it", () => {
  const rig = new Rig();
  rig.ranMs += 20;
  assertEquals(rig.pulse(30_000), 160);
  assertEquals([rig.awake.isHeld, rig.awake.stalls, rig.awake.stalledMs], [true, 1, 29_840]);
});

Deno.test("AwakeClock counts a step for each of many short stalls, so that a slow disk does not keep the dead", () => {
  const rig = new Rig();
  for (let look = 1; look <= 20; look++) assertEquals(rig.pulse(2 * STEP_MS), look * STEP_MS);
});

Deno.test("AwakeClock counts nothing of a stall and is held for two whole pulses after it; the one that ends the hold counts as one", () => {
  const rig = new Rig();
  rig.pulse(100);
  assertEquals([3_600_000, 100, 100, 110, 100].map((ms) => rig.pulse(ms)), [100, 100, 100, 200, 300]);
  assertEquals([rig.awake.stalls, rig.awake.stalledMs], [1, 3_600_000]);
});

Deno.test("AwakeClock does not pass a deadline that had 1 ms left when the stall began before two whole pulses after it", () => {
  const rig = new Rig();
  rig.pulse(100);
  const deadline = 101;
  assert(rig.pulse(60_000) < deadline);
  assert(rig.pulse(PULSE_MS) < deadline);
  assert(rig.pulse(PULSE_MS) < deadline);
  assert(rig.pulse(PULSE_MS) >= deadline);
});

Deno.test("AwakeClock sees a stall at whichever look comes first after it", () => {
  const rig = new Rig();
  rig.pulse(100);
  rig.pass(10_000);
  assertEquals(rig.awake.read(rig), 100);
  // The late pulse follows at once. Two whole ones are held all the same.
  assertEquals([0, 100, 100, 100].map((ms) => rig.pulse(ms)), [100, 100, 200, 300]);
  assertEquals(rig.awake.stalls, 1);
});

Deno.test("AwakeClock advances between pulses when it is looked at, and counts no span twice", () => {
  const rig = new Rig();
  rig.pass(40);
  assertEquals(rig.awake.read(rig), 40);
  assertEquals(rig.awake.read(rig), 40);
  assertEquals(rig.pulse(60), 100);
});

Deno.test("AwakeClock.latest is not before any moment until the next look", () => {
  const rig = new Rig();
  rig.pulse(100);
  assertEquals(rig.awake.latest, 100 + STEP_MS);
  assertEquals(rig.pulse(STEP_MS), rig.awake.latest - STEP_MS);
});

Deno.test("AwakeClock credits stalls that repeat, and goes on by a pulse for each hold that ends", () => {
  const rig = new Rig();
  const seen = Array.from({ length: 9 }, () => rig.pulse(5_000));
  assertEquals(seen, [0, 0, 0, 100, 100, 100, 100, 200, 200]);
});

Deno.test("AwakeClock takes a sleep of the machine, in which monotonic time stood still, for a stall", () => {
  const rig = new Rig();
  rig.pulse(100);
  rig.wallMs += 3_600_000;
  assertEquals([100, 100, 100, 100, 100].map((ms) => rig.pulse(ms)), [100, 100, 100, 200, 300]);
  assertEquals([rig.awake.stalls, rig.awake.stalledMs], [1, 3_600_100]);
});

Deno.test("AwakeClock does not mind a calendar that is set back, and is held for one that is set forward", () => {
  const rig = new Rig();
  rig.wallMs -= 86_400_000;
  assertEquals([rig.pulse(100), rig.pulse(100)], [100, 200]);
  rig.wallMs += 86_400_000;
  assertEquals([100, 100, 100, 100, 100].map((ms) => rig.pulse(ms)), [200, 200, 200, 300, 400]);
});

Deno.test("AwakeClock keeps time on a clock that ticks in thirds of a pulse", () => {
  const ticks = (ms: number) => Math.floor(ms / 33) * 33;
  const awake = new AwakeClock(still(0), PULSE_MS);
  for (let ms = 101; ms <= 10_100; ms += 101) awake.pulse(still(ticks(ms)));
  assertEquals(awake.at, ticks(10_100));
  assertEquals(awake.stalls, 0);
});

Deno.test("AwakeClock passes, if slowly, on a clock that ticks more rarely than pulses come", () => {
  const ticks = (ms: number) => Math.floor(ms / 1_000) * 1_000;
  const awake = new AwakeClock(still(0), PULSE_MS);
  for (let ms = 100; ms <= 100_000; ms += 100) awake.pulse(still(ticks(ms)));
  assertEquals(awake.at, 99 * PULSE_MS);
});

Deno.test("AwakeClock.restart() counts nothing of the time when nobody needed it", () => {
  const rig = new Rig();
  rig.pulse(100);
  rig.pass(86_400_000);
  rig.awake.restart(rig);
  assertEquals([rig.pulse(100), rig.awake.stalls], [200, 0]);
});

Deno.test("AwakeClock.pace() changes what is a stall", () => {
  const rig = new Rig();
  rig.awake.pace(20);
  assertEquals(rig.awake.latest, 50);
  assertEquals(rig.pulse(51), 50);
});

Deno.test("AwakeClock never goes back, never passes faster than real time, and loses no more than each stall and its hold", () => {
  const look = fc.record({
    ms: fc.oneof(fc.integer({ min: PULSE_MS, max: STEP_MS }), fc.integer({ min: STEP_MS + 1, max: 20_000 })),
    between: fc.nat(3),
  });
  fc.assert(fc.property(fc.array(look, { maxLength: 60 }), (looks) => {
    const rig = new Rig();
    const begin = rig.nowMs;
    let before = 0;
    let lostMs = 0;
    for (const { ms, between } of looks) {
      for (let part = 0; part < between; part++) {
        rig.pass(ms / (between + 1));
        before = notBefore(rig.awake.read(rig), before);
      }
      const latest = rig.awake.latest;
      before = notBefore(rig.pulse(ms / (between + 1)), before);
      assert(before <= latest + 1e-6);
      if (ms / (between + 1) > STEP_MS) lostMs += ms + (HELD_PULSES + 1) * STEP_MS;
      assert(before <= rig.nowMs - begin + 1e-6);
    }
    assert(before >= rig.nowMs - begin - lostMs - 1e-6);
  }));
});

/** A moment of a process that does nothing. */
function still(ms: number): Moment {
  return { nowMs: ms, wallMs: ms, ranMs: 0 };
}

function notBefore(at: number, before: number): number {
  assert(at >= before, `${at} after ${before}`);
  return at;
}
