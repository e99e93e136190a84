import { assert, assertEquals } from "@std/assert";
import { Penalties } from "../../../server/accounts/penalties.ts";
import { Strikes } from "../../../server/accounts/strikes.ts";

const RULE = { free: 2, forgetMs: 10_000, firstMs: 100, mostMs: 1_000 };

Deno.test("Strikes forgives a few, then each costs twice as much as the one before, up to the most", () => {
  const strikes = new Strikes(RULE);
  const waits = Array.from({ length: 9 }, () => {
    strikes.add("a", 50);
    return strikes.waitMs("a", 50);
  });
  assertEquals(waits, [0, 0, 100, 200, 400, 800, 1_000, 1_000, 1_000]);
  assertEquals(strikes.waitMs("a", 650), 400);
  assertEquals(strikes.waitMs("a", 1_050), 0);
  assertEquals(strikes.waitMs("b", 50), 0);
});

Deno.test("Strikes forgets one after each span, and all when it is told to", () => {
  const strikes = new Strikes(RULE);
  for (let n = 0; n < 100; n++) strikes.add("a", 0);
  // What is counted has a bound, so a long row is forgotten as soon as a short one.
  strikes.add("a", 60_000);
  assertEquals(strikes.waitMs("a", 60_000), 0);
  strikes.add("a", 60_000);
  assertEquals(strikes.waitMs("a", 60_000), 100);
  strikes.forget("a");
  assertEquals(strikes.waitMs("a", 60_000), 0);
});

Deno.test("Strikes remembers no more than it may: whoever was quiet for longest is forgotten", () => {
  const strikes = new Strikes({ ...RULE, free: 0 }, 3);
  for (const key of ["a", "b", "c", "a", "d"]) strikes.add(key, 0);
  assertEquals(strikes.size, 3);
  assertEquals(["a", "b", "c", "d"].map((key) => strikes.waitMs(key, 0) > 0), [true, false, true, true]);
});

Deno.test("Penalties lets a user in from elsewhere, whatever an address does to the account", () => {
  const penalties = new Penalties();
  const there = { network: "127.0.0.2", account: "anna" };
  for (let n = 0; n < 1_000; n++) penalties.wrong(there, n);
  assert(penalties.waitMs(there, 1_000) > 50_000);
  assertEquals(penalties.waitMs({ network: "127.0.0.3", account: "anna" }, 1_000), 0);
});

Deno.test("Penalties lets many people behind one address mistype, and those who logged in there go on whatever others do", () => {
  const penalties = new Penalties();
  const network = "10.0.0.1";
  penalties.right({ network, account: "anna" });
  for (let n = 0; n < 100; n++) penalties.wrong({ network, account: `student ${n}` }, 0);
  assertEquals(penalties.waitMs({ network, account: "new" }, 0), 0);
  for (let n = 0; n < 100; n++) penalties.wrong({ network, account: `guessed ${n}` }, 0);
  assert(penalties.waitMs({ network, account: "new" }, 0) > 0);
  assertEquals(penalties.waitMs({ network, account: "anna" }, 0), 0);
  // Having an account does not make guesses free.
  penalties.right({ network, account: "guesser" });
  assert(penalties.waitMs({ network, account: "new" }, 0) > 0);
});
