/** What a server has let be seen of its clock decides whether its claim is as early as it says. */

import { assertEquals } from "@std/assert";
import { ClaimEvidence } from "../../../../server/mesh/names/claim_evidence.ts";

Deno.test("a claim below a time that its server had said before it numbered the entry is late", () => {
  const evidence = new ClaimEvidence();
  assertEquals(evidence.isLate("b", "anna", 0), false);
  evidence.seen("b", 10, 5, 5);
  assertEquals([evidence.isLate("b", "anna", 9), evidence.isLate("b", "anna", 10), evidence.isLate("c", "anna", 0)], [
    true,
    false,
    false,
  ]);
  // What it had numbered then and is not here yet may have been claimed before.
  evidence.seen("b", 20, 6, 5);
  evidence.seen("b", 7, 5, 5);
  assertEquals([evidence.isLate("b", "anna", 9), evidence.isLate("b", "anna", 19)], [true, false]);
});

Deno.test("who has lied is not believed when it says the same again", () => {
  const evidence = new ClaimEvidence();
  evidence.lied("b", "anna", 0);
  assertEquals([evidence.isLate("b", "anna", 0), evidence.isLate("b", "anna", 1)], [true, false]);
});

Deno.test("a claim that was asked for before its server said a later time is as early as it says", () => {
  const evidence = new ClaimEvidence();
  evidence.seen("b", 10, 5, 5);
  // As early as this it was not made.
  evidence.asked("b", "anna", 9);
  evidence.asked("b", "bob", 10);
  evidence.seen("b", 20, 5, 5);
  const isLate = (username: string, claim: number) => evidence.isLate("b", username, claim);
  assertEquals([isLate("anna", 9), isLate("bob", 10), isLate("bob", 11), isLate("carl", 10)], [
    true,
    false,
    true,
    true,
  ]);
  evidence.asked("b", "dora", 20);
  evidence.seen("b", 30, 5, 5);
  evidence.gaveUp("b", "dora");
  assertEquals(isLate("dora", 20), true);
  // Who numbers it without leave while it is linked is not believed any more.
  evidence.lied("b", "bob", 10);
  assertEquals(isLate("bob", 10), true);
});

Deno.test("ClaimEvidence remembers so many servers and no more", () => {
  const evidence = new ClaimEvidence();
  for (let n = 0; n <= 1_024; n++) evidence.seen(`s-${n}`, 10, 0, 0);
  assertEquals([evidence.isLate("s-0", "anna", 1), evidence.isLate("s-1", "anna", 1)], [false, true]);
});
