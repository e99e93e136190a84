/** Passes: what one is worth, and that it is worth it once. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { nodeCrypto } from "../../../platform/crypto.ts";
import type { PassSpentMessage } from "../../../protocol/peer/peer_message.ts";
import { Passes } from "../../../server/accounts/passes.ts";
import { makeTicket } from "../../../server/accounts/ticket.ts";

const HOUR_MS = 3_600_000;
const ANNA = { username: "anna", verifier: "scrypt$2$aa$bb" };
const KEYS = new Map([["s-1", "key of 1"], ["s-2", "key of 2"]]);

/** One server of a network, and what it kept and told. */
function server(serverId: string, kept: Record<string, string> = {}, lifetimeMs = 8 * HOUR_MS) {
  const clock = { now: Date.UTC(2026, 10, 30), wallMs: () => clock.now };
  const told: PassSpentMessage[] = [];
  const passes = new Passes({
    ...{ crypto: nodeCrypto, clock, lifetimeMs, kept },
    keys: { serverId, keyOf: (serverId) => KEYS.get(serverId), maxAgeMs: 24 * HOUR_MS },
    save: (key, value) => {
      if (value === null) delete kept[key];
      else kept[key] = value;
    },
    tell: (message) => told.push(message),
  });
  return { passes, clock, told, kept };
}

Deno.test("a pass is good once, at any server that has the key, and the others hear of it", () => {
  const [one, two] = [server("s-1"), server("s-2")];
  const pass = one.passes.make(ANNA, one.clock.now - 5)!;
  assertMatch(pass, /^s-1\.[0-9a-z]{8}\.[0-9a-z]{8}\.[0-9a-f]{32}\.[0-9a-f]{64}$/);
  assertEquals(two.passes.take(pass, ANNA)?.provenAtMs, one.clock.now - 5);
  assertEquals(two.passes.take(pass, ANNA), undefined);
  assertEquals(two.told.length, 1);
  // What is told and kept is a digest, of which no pass can be made.
  assert(!JSON.stringify([two.told, two.kept]).includes(pass.split(".")[3]!));
  one.passes.heard(two.told[0]!);
  assertEquals(one.passes.take(pass, ANNA), undefined);
  // A server that was not linked then hears it when it is.
  const three = server("s-3");
  three.passes.heard(one.passes.spent!);
  assertEquals(three.passes.take(pass, ANNA), undefined);
});

Deno.test("a spent pass stays spent after a restart, and is forgotten when it has expired", () => {
  const first = server("s-1");
  const pass = first.passes.make(ANNA, first.clock.now)!;
  first.passes.take(pass, ANNA);
  const again = server("s-1", first.kept);
  assertEquals(again.passes.take(pass, ANNA), undefined);
  assertEquals(Object.keys(again.kept).length, 1);
  again.clock.now += 8 * HOUR_MS;
  again.passes.take(again.passes.make(ANNA, again.clock.now)!, ANNA);
  assertEquals(Object.keys(again.kept).length, 1);
});

Deno.test("a pass is worth nothing for another user, after another secret, too late, changed, or of an unknown server", () => {
  const make = () => server("s-1").passes.make(ANNA, Date.UTC(2026, 10, 30))!;
  const take = (pass: string, account = ANNA, lateMs = 0) => {
    const { passes, clock } = server("s-1");
    clock.now += lateMs;
    return passes.take(pass, account) !== undefined;
  };
  assert(take(make()));
  assert(take(make(), ANNA, 8 * HOUR_MS - 1));
  assert(!take(make(), ANNA, 8 * HOUR_MS));
  assert(!take(make(), { ...ANNA, username: "bob" }));
  assert(!take(make(), { ...ANNA, verifier: "scrypt$2$aa$cc" }));
  assert(!take(make().replace(/^s-1/, "s-2")));
  assert(!take(make().replace(/^s-1/, "s-9")));
  assert(!take(make().replace(/.$/, (last) => last === "0" ? "1" : "0")));
  for (const text of ["", ".", "s-1", "s-1....", "x".repeat(10_000)]) assert(!take(text), text);
  // A ticket is no pass, although it looks like one.
  const now = Date.UTC(2026, 10, 30);
  const claims = { ...ANNA, serverId: "s-1", secret: "x", provenAtMs: now, expiresAtMs: now + HOUR_MS };
  assert(!take(makeTicket("key of 1", claims, nodeCrypto)));
});

Deno.test("there is no pass where none is wanted, or where the secret was proved too long ago", () => {
  const now = Date.UTC(2026, 10, 30);
  assertEquals(server("s-1", {}, 0).passes.make(ANNA, now), undefined);
  assertEquals(server("s-1").passes.make(ANNA, now - 24 * HOUR_MS), undefined);
  assertEquals(server("s-9").passes.make(ANNA, now), undefined);
  const { passes, clock } = server("s-1");
  const pass = passes.make(ANNA, now - 23 * HOUR_MS)!;
  clock.now += HOUR_MS;
  assertEquals(passes.take(pass, ANNA), undefined);
});
