/** Which secrets of a network count, before, during and after a change. */

import { assertEquals } from "@std/assert";
import { type KeptSecrets, NetworkSecrets } from "../../../server/backplane/network_secrets.ts";

let now = 1_000;
const CONFIG = { secret: "first", otherSecrets: ["beside"] };

function secretsWith(kept?: KeptSecrets, secret = "first"): NetworkSecrets {
  now = 1_000;
  return new NetworkSecrets({ ...CONFIG, secret }, () => now, kept);
}

/** Takes a change if it says something new; gives whether it does. */
function change(secrets: NetworkSecrets, number: number, secret: string, until = 2_000): boolean {
  const after = secrets.after({ number, secret, until });
  if (after !== undefined) secrets.take(after);
  return after !== undefined;
}

Deno.test("a new secret is current at once, and the former one counts until its end", () => {
  const secrets = secretsWith();
  assertEquals([secrets.current, secrets.accepted, secrets.change], ["first", ["first", "beside"], undefined]);
  assertEquals(change(secrets, secrets.nextNumber, "second"), true);
  assertEquals([secrets.current, secrets.former], ["second", ["first"]]);
  assertEquals(secrets.accepted, ["second", "first", "beside"]);
  assertEquals(secrets.change, { number: 1, secret: "second", until: 2_000 });
  now = 1_999;
  assertEquals(secrets.former, ["first"]);
  now = 2_000;
  assertEquals([secrets.accepted, secrets.change], [["second", "beside"], undefined]);
  secrets.configure([]);
  assertEquals(secrets.accepted, ["second"]);
});

Deno.test("of two changes the later one counts, and of two at once the same one everywhere", () => {
  const one = secretsWith();
  const other = secretsWith();
  change(one, 1, "aaa");
  change(other, 1, "bbb");
  // Each hears of the other one's.
  assertEquals([change(one, 1, "bbb"), change(other, 1, "aaa")], [true, false]);
  assertEquals([one.current, other.current], ["bbb", "bbb"]);
  // What lost was a secret for a moment: who has it may come in.
  assertEquals(one.former, ["aaa", "first"]);
  assertEquals([change(one, 1, "bbb"), change(one, 2, "ccc"), change(one, 1, "zzz")], [false, true, false]);
  assertEquals(one.current, "ccc");
});

Deno.test("a start goes on with what was kept, unless the configuration has a secret that it does not know", () => {
  const kept: KeptSecrets = { number: 3, secret: "third", until: 2_000, former: [{ secret: "first", until: 2_000 }] };
  for (const given of ["", "first", "third"]) {
    const secrets = secretsWith(kept, given);
    assertEquals([secrets.current, secrets.former, secrets.nextNumber], ["third", ["first"], 4], given);
  }
  const set = secretsWith(kept, "by hand");
  assertEquals([set.current, set.former, set.nextNumber], ["by hand", [], 1]);
  assertEquals([secretsWith(undefined, "").isSet, secretsWith(kept, "").isSet], [false, true]);
});

Deno.test("former secrets are bounded, and one that is current again is none", () => {
  const secrets = secretsWith();
  for (let number = 1; number <= 20; number++) change(secrets, number, `s-${number}`);
  assertEquals([secrets.former.length, secrets.former[0]], [8, "s-19"]);
  change(secrets, 21, "s-19");
  assertEquals([secrets.current, secrets.former.slice(0, 2)], ["s-19", ["s-20", "s-18"]]);
});
