/** How far one server may move the clock of another. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { LinkClock } from "../../../server/mesh/link_clock.ts";
import { MAX_CLOCK_ADVANCE_PER_SECOND as N, MAX_LAMPORT } from "../../../protocol/lamport_bounds.ts";

Deno.test("what a server says when it greets counts up to a bound, and is passed over above it", () => {
  const clock = new LinkClock(0);
  assertEquals([clock.greeted(MAX_LAMPORT), clock.isAhead], [MAX_LAMPORT, false]);
  assertEquals([clock.greeted(MAX_LAMPORT + 1), clock.isAhead], [undefined, true]);
});

Deno.test("LinkClock.heard() lets a server move the clock by so much for each second, and no further", () => {
  const clock = new LinkClock(1_000);
  assertEquals(clock.heard(7, 10, 1_000), 7);
  assertEquals([clock.heard(N, 0, 1_000), clock.isAhead], [N, false]);
  assertEquals([clock.heard(N + 1, N, 1_000), clock.isAhead], [N, true]);
  assertEquals(clock.heard(MAX_LAMPORT, N, 3_000), 3 * N);
});

Deno.test("whatever a server says, and whenever, it moves the clock no further than its link has lasted", () => {
  const said = fc.record({ lamport: fc.maxSafeNat(), waitMs: fc.nat(5_000), own: fc.nat(1_000) });
  fc.assert(fc.property(fc.array(said), (all) => {
    const clock = new LinkClock(0);
    let nowMs = 0;
    let own = 0;
    let moved = 0;
    for (const { lamport, waitMs, own: more } of all) {
      nowMs += waitMs;
      // What happens here moves the clock too, and is nobody's.
      own += more;
      const counts = clock.heard(lamport, own, nowMs);
      assert(counts <= lamport);
      moved += Math.max(0, counts - own);
      own = Math.max(own, counts);
      assert(moved <= (1 + nowMs / 1_000) * N);
    }
  }));
});
