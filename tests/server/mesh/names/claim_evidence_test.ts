/** What a server has let be seen of its clock decides whether its claim is as early as it says. */

import { assertEquals } from "@std/assert";
import { ClaimEvidence } from "../../../../server/mesh/names/claim_evidence.ts";

Deno.test("a claim below a time that its server had said before it numbered the entry is late", () => {
  const evidence = new ClaimEvidence();
  assertEquals(evidence.isLate("b", 0), false);
  evidence.seen("b", 10, 5, 5);
  assertEquals([evidence.isLate("b", 9), evidence.isLate("b", 10), evidence.isLate("c", 0)], [true, false, false]);
  // What it had numbered then and is not here yet may have been claimed before.
  evidence.seen("b", 20, 6, 5);
  evidence.seen("b", 7, 5, 5);
  assertEquals([evidence.isLate("b", 9), evidence.isLate("b", 19)], [true, false]);
});

Deno.test("who has lied is not believed when it says the same again", () => {
  const evidence = new ClaimEvidence();
  evidence.lied("b", 0);
  assertEquals([evidence.isLate("b", 0), evidence.isLate("b", 1)], [true, false]);
});

Deno.test("ClaimEvidence remembers so many servers and no more", () => {
  const evidence = new ClaimEvidence();
  for (let n = 0; n <= 1_024; n++) evidence.seen(`s-${n}`, 10, 0, 0);
  assertEquals([evidence.isLate("s-0", 1), evidence.isLate("s-1", 1)], [false, true]);
});
