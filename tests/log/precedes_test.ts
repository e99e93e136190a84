/** Who has a name that was given away twice. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { precedes } from "../../log/precedes.ts";

Deno.test("the lower Lamport time goes first, and of one time the lower name", () => {
  assertEquals(precedes({ lamport: 1, origin: "b" }, { lamport: 2, origin: "a" }), true);
  assertEquals(precedes({ lamport: 2, origin: "a" }, { lamport: 1, origin: "b" }), false);
  assertEquals(precedes({ lamport: 2, origin: "a" }, { lamport: 2, origin: "b" }), true);
  assertEquals(precedes({ lamport: 2, origin: "b" }, { lamport: 2, origin: "a" }), false);
  assertEquals(precedes({ lamport: 2, origin: "a" }, { lamport: 2, origin: "a" }), false);
});

Deno.test("of two different claims exactly one goes first, so all servers choose one winner in whatever order they hear", () => {
  const claim = fc.record({ lamport: fc.nat(3), origin: fc.constantFrom("a", "b", "c") });
  fc.assert(fc.property(fc.array(claim, { minLength: 1, maxLength: 6 }), (claims) => {
    const winner = (heard: typeof claims) => heard.reduce((best, other) => precedes(other, best) ? other : best);
    assertEquals(winner(claims), winner(claims.toReversed()));
    for (const a of claims) {
      for (const b of claims) {
        const isSame = a.lamport === b.lamport && a.origin === b.origin;
        assertEquals(Number(precedes(a, b)) + Number(precedes(b, a)), isSame ? 0 : 1);
      }
    }
  }));
});
