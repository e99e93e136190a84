/** When a server has joined (`server/mesh/catch_up.ts`): it has all that is to come, entries and accounts. */

import { assertEquals } from "@std/assert";
import type { Vector } from "../../../log/vector.ts";
import { CatchUp } from "../../../server/mesh/catch_up.ts";
import { Faults } from "../../../platform/faults.ts";
import { FakeClock } from "../../support/fake_clock.ts";

function joining(has: Vector, buried: Vector = {}): CatchUp {
  const facts = {
    clock: new FakeClock(),
    faults: new Faults(),
    vector: () => has,
    buriedAt: (origin: string) => buried[origin] ?? 0,
    allTried: () => true,
    joined: () => {},
  };
  const catchUp = new CatchUp(facts);
  catchUp.begin(false);
  return catchUp;
}

Deno.test("a server has joined when the accounts have come that are in no log, and not before", () => {
  const one = joining({ b: 3 });
  one.linked("b", { b: 3 });
  one.awaitsAccounts("b");
  one.look();
  assertEquals(one.isOver, false);
  one.accountsCame("b");
  assertEquals(one.isOver, true);
});

Deno.test("accounts of a server that is gone are not waited for, nor entries of origins that are forgotten here", () => {
  const one = joining({ b: 3 }, { x: 7 });
  one.linked("b", { b: 3, x: 7 });
  one.awaitsAccounts("b");
  one.look();
  assertEquals(one.isOver, false);
  one.lost("b");
  one.look();
  assertEquals(one.isOver, true);
  const other = joining({}, { x: 7 });
  other.linked("b", { x: 8 });
  other.look();
  assertEquals(other.isOver, false);
  other.stop();
});
