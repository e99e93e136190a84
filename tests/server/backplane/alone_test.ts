/** A network of one server keeps what every backplane promises. */

import { assertEquals } from "@std/assert";
import { UNGUARDED } from "../../../platform/faults.ts";
import { Alone } from "../../../server/backplane/alone.ts";
import { testBackplaneContract } from "../../contract/backplane_contract.ts";

testBackplaneContract({
  name: "Alone",
  make: ({ journal, faults, owner, ticketKey }) =>
    new Alone({ named: journal, faults, owner, ticketKey, tick: () => journal.tick() }),
});

function aloneAs(named: { readonly serverId: string }): Alone {
  return new Alone({ named, faults: UNGUARDED, owner: { joined: () => {} }, ticketKey: "key", tick: () => 1 });
}

Deno.test("Alone is called what its server is called now", () => {
  const named = { serverId: "s-1" };
  const alone = aloneAs(named);
  named.serverId = "s-2";
  assertEquals([alone.self.serverId, alone.isMember("s-1"), alone.ticketKeyOf("s-2")], ["s-2", false, "key"]);
});

Deno.test("Alone calls at once who waits for an entry that nobody can bring", () => {
  const alone = aloneAs({ serverId: "s-1" });
  let calls = 0;
  alone.whenHere("s-2:9", () => calls++);
  assertEquals(calls, 1);
});
