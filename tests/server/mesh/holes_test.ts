/** A hole is believed when nobody else has what is in it. */

import { assertEquals } from "@std/assert";
import { Holes } from "../../../server/mesh/holes.ts";

Deno.test("a hole that nobody else could fill is taken at once", () => {
  assertEquals(new Holes().claimed("o", 3, 10, "a", ["a"], 0), { kind: "take" });
});

Deno.test("all who say that they have the entries are asked, and the smallest hole is taken from whoever claims it", () => {
  const holes = new Holes();
  const others = ["a", "b", "c"];
  assertEquals(holes.claimed("o", 3, 10, "a", others, 0), { kind: "ask", peer: "b" });
  assertEquals([holes.isAsking("o", 3, "a"), holes.isAsking("o", 3, "b"), holes.isAsking("o", 4, "a")], [
    true,
    false,
    false,
  ]);
  // What it goes on sending is not taken meanwhile.
  assertEquals(holes.claimed("o", 3, 10, "a", others, 1), { kind: "wait" });
  assertEquals(holes.claimed("o", 3, 6, "b", others, 2), { kind: "ask", peer: "c" });
  assertEquals(holes.claimed("o", 3, 10, "c", others, 3), { kind: "ask", peer: "b" });
  assertEquals(holes.claimed("o", 3, 6, "b", others, 4), { kind: "take" });
  assertEquals(holes.overdue(10_000, () => 3), []);
});

Deno.test("whoever does not answer is not waited for", () => {
  const holes = new Holes();
  assertEquals(holes.claimed("o", 3, 10, "a", ["a", "b"], 0), { kind: "ask", peer: "b" });
  assertEquals(holes.overdue(4_999, () => 3), []);
  assertEquals(holes.overdue(5_000, () => 3), [{ origin: "o", peer: "a" }]);
  assertEquals(holes.overdue(5_001, () => 3), []);
  assertEquals(holes.claimed("o", 3, 10, "a", ["a", "b"], 5_002), { kind: "take" });
});

Deno.test("a hole is over when the entries come, and when whoever claims it is gone", () => {
  const holes = new Holes();
  holes.claimed("o", 3, 10, "a", ["a", "b"], 0);
  assertEquals(holes.overdue(6_000, () => 9), []);
  assertEquals(holes.isAsking("o", 3, "a"), false);
  holes.claimed("o", 3, 10, "a", ["a", "b"], 0);
  assertEquals(holes.gone("b"), [{ origin: "o", peer: "a" }]);
  assertEquals(holes.claimed("o", 3, 10, "a", ["a"], 1), { kind: "take" });
  holes.claimed("o", 3, 10, "a", ["a", "b"], 0);
  assertEquals(holes.gone("a"), []);
  assertEquals(holes.isAsking("o", 3, "a"), false);
});

Deno.test("where what one has is not taken, the others are asked, and a hole that one of them claims is taken from that", () => {
  const holes = new Holes();
  assertEquals(holes.refused("o", 3, "a", ["a", "b"], 0), "b");
  // It comes again meanwhile.
  assertEquals(holes.refused("o", 3, "a", ["a", "b"], 1), undefined);
  assertEquals(holes.claimed("o", 3, 10, "b", ["a", "b"], 2), { kind: "take" });
  assertEquals(holes.claimed("o", 3, 10, "b", ["a", "b"], 3), { kind: "ask", peer: "a" });
  assertEquals(holes.refused("o", 3, "a", ["a", "b"], 4), "b");
  assertEquals(holes.claimed("o", 3, 10, "b", ["a", "b"], 5), { kind: "take" });
});

Deno.test("where nobody has anything that is taken, nobody is asked again and again", () => {
  const holes = new Holes();
  assertEquals(holes.refused("o", 3, "a", ["a", "b"], 0), "b");
  assertEquals(holes.refused("o", 3, "b", ["a", "b"], 1), undefined);
  assertEquals(holes.refused("o", 3, "a", ["a", "b"], 2), undefined);
});
