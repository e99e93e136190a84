/** The Lamport clock of a server through all its lives. */

import { assertEquals, assertGreater } from "@std/assert";
import * as fc from "fast-check";
import { DurableClock } from "../../../server/journal/durable_clock.ts";

Deno.test("DurableClock of a new store is to be written with its first tick", () => {
  const clock = new DurableClock(0);
  assertEquals(clock.receive(undefined), 1);
  assertEquals(clock.isToBeWritten, true);
  clock.written();
  assertEquals(clock.isToBeWritten, false);
});

Deno.test("DurableClock.reach() goes to that time, and never back", () => {
  const clock = new DurableClock(5);
  const begun = clock.now;
  clock.reach(begun + 9);
  clock.reach(begun);
  assertEquals(clock.now, begun + 9);
});

Deno.test("DurableClock tells no time twice, whenever it is killed, if it is written when it says so", () => {
  const event = fc.oneof(
    fc.record({ kind: fc.constant("came" as const), lamport: fc.nat(5_000) }),
    // About as many as it goes on unwritten.
    fc.record({ kind: fc.constant("happened" as const), times: fc.integer({ min: 250, max: 260 }) }),
    fc.record({ kind: fc.constant("reached" as const), lamport: fc.nat(5_000) }),
    fc.record({ kind: fc.constant("written" as const) }),
    fc.record({ kind: fc.constant("killed" as const) }),
  );
  fc.assert(fc.property(fc.array(event), (events) => {
    let stored = 0;
    let told = 0;
    let clock = new DurableClock(stored);
    const write = () => {
      stored = clock.now;
      clock.written();
    };
    const tell = (lamport?: number) => {
      const now = clock.receive(lamport);
      if (clock.isToBeWritten) write();
      assertGreater(now, told);
      told = now;
    };
    for (const event of events) {
      if (event.kind === "came") tell(event.lamport);
      else if (event.kind === "happened") { for (let time = 0; time < event.times; time++) tell(); }
      else if (event.kind === "reached") clock.reach(event.lamport);
      else if (event.kind === "written") write();
      else clock = new DurableClock(stored);
    }
  }));
});
