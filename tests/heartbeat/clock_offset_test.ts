/** How far another calendar is ahead, as answers to heartbeats tell. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { ClockOffset } from "../../heartbeat/clock_offset.ts";

/** An answer: the times there and back, how long the other server took to read its calendar, and what was asked. */
interface Trip {
  readonly thereMs: number;
  readonly backMs: number;
}

/** Asks once, of a calendar that is `aheadMs` ahead. Gives the moment of the answer. */
function ask(offset: ClockOffset, sequence: number, nowMs: number, aheadMs: number, { thereMs, backMs }: Trip): number {
  const begin = 1_700_000_000_000;
  const atMs = nowMs + thereMs + backMs;
  offset.asked(sequence, nowMs);
  const theirMs = Math.floor(begin + aheadMs + nowMs + thereMs);
  offset.answered(sequence, theirMs, atMs, Math.floor(begin + atMs));
  return atMs;
}

Deno.test("ClockOffset takes the middle of the way there and back", () => {
  const offset = new ClockOffset();
  assertEquals(offset.estimate, undefined);
  ask(offset, 1, 0, 5_000, { thereMs: 20, backMs: 20 });
  assertEquals(offset.estimate, { offsetMs: 5_000, errorMs: 21 });
});

Deno.test("ClockOffset is never wrong by more than it says, whichever way takes the time", () => {
  const trip = fc.record({
    thereMs: fc.double({ min: 0, max: 900, noNaN: true }),
    backMs: fc.integer({ max: 900, min: 0 }),
  });
  fc.assert(
    fc.property(
      fc.array(trip, { minLength: 1, maxLength: 20 }),
      fc.integer({ min: -1e9, max: 1e9 }),
      (trips, aheadMs) => {
        const offset = new ClockOffset();
        let nowMs = 0;
        for (const [index, trip] of trips.entries()) nowMs = ask(offset, index, nowMs, aheadMs, trip) + 2_000;
        const { offsetMs, errorMs } = offset.estimate!;
        assert(Math.abs(offsetMs - aheadMs) <= errorMs + 1e-3, `${offsetMs} ± ${errorMs}, and it is ${aheadMs}`);
        // Of the last answers the fastest.
        const fastest = Math.min(...trips.slice(-8).map(({ thereMs, backMs }) => thereMs + backMs));
        assert(Math.abs(errorMs - fastest / 2 - 1) < 1e-3, `${errorMs}`);
      },
    ),
  );
});

Deno.test("ClockOffset sees a calendar that was set when eight answers came after it", () => {
  const offset = new ClockOffset();
  let nowMs = ask(offset, 0, 0, 0, { thereMs: 0.1, backMs: 0.1 });
  for (let sequence = 1; sequence <= 8; sequence++) {
    nowMs = ask(offset, sequence, nowMs + 2_000, 60_000, { thereMs: 5, backMs: 5 });
  }
  assertEquals(Math.round(offset.estimate!.offsetMs / 10) * 10, 60_000);
});

Deno.test("ClockOffset passes over answers without a time, and to what was not asked last", () => {
  const offset = new ClockOffset();
  offset.answered(1, 7, 1, 1);
  offset.asked(1, 0);
  offset.asked(2, 0);
  offset.answered(1, 7, 1, 1);
  offset.answered(2, undefined, 1, 1);
  offset.answered(2, 7, 1, 1);
  assertEquals(offset.estimate, undefined);
});
