/** How far servers are behind each other. */

import { assertEquals } from "@std/assert";
import { GRACE_MS, lagOf, newest, remember, settled } from "../../dashboard/lag.js";
import { sampleServer } from "./_sample.ts";

Deno.test("a server lacks of each origin what any other has more, the most first", () => {
  const servers = {
    a: sampleServer({ vector: { a: 10, b: 5 } }),
    b: sampleServer({ vector: { a: 7, b: 6, old: 3 } }),
    c: sampleServer({ vector: {} }),
  };
  const heads = newest(servers);
  assertEquals([...heads], [["a", 10], ["b", 6], ["old", 3]]);
  assertEquals(lagOf(heads, servers.a), [{ origin: "old", entries: 3 }, { origin: "b", entries: 1 }]);
  assertEquals(lagOf(heads, servers.b), [{ origin: "a", entries: 3 }]);
  assertEquals(lagOf(heads, servers.c).map(({ entries }) => entries), [10, 6, 3]);
});

Deno.test("a server alone is never behind", () => {
  const servers = { a: sampleServer({ vector: { a: 3, gone: 9 } }) };
  assertEquals(lagOf(newest(servers), servers.a), []);
});

Deno.test("an entry counts as missing only when somebody has had it for a while", () => {
  let history = remember([], 0, new Map([["a", 1]]));
  for (let second = 1; second <= 20; second++) {
    history = remember(history, second * 1_000, new Map([["a", 1 + second]]));
  }
  assertEquals(settled(history, 20_000).get("a"), 1 + (20_000 - GRACE_MS) / 1_000);
  assertEquals(settled(history, 20_500).get("a"), 1 + (20_000 - GRACE_MS) / 1_000);
  assertEquals(history.length, 1 + GRACE_MS / 1_000);
});

Deno.test("what is missing is not known before the page has looked for a while", () => {
  assertEquals(settled([], 9_000).size, 0);
  assertEquals(settled(remember([], 8_000, new Map([["a", 7]])), 9_000).size, 0);
});

Deno.test("what was the newest long ago is what counts when nothing is new", () => {
  const history = remember([], 0, new Map([["a", 7]]));
  assertEquals(settled(history, 3_600_000).get("a"), 7);
  assertEquals(settled(remember(history, 3_600_000, new Map([["a", 8]])), 3_601_000).get("a"), 7);
});
