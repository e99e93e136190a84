/** A page's view follows the changes that the server sends. */

import { assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { apply, MAX_ACTIVITIES, MAX_ENDS, mergePatch } from "../../dashboard/view_state.js";
import { diff, type JsonObject } from "../../view/merge_patch.ts";
import * as shapes from "../../view/network_view.ts";
import { AT, sampleActivity, sampleChange, sampleConnection, sampleEnd, sampleServer, sampleView } from "./_sample.ts";

// The table at the end of RFC 7396.
const RFC_7396: readonly [target: unknown, patch: unknown, merged: unknown][] = [
  [{ a: "b" }, { a: "c" }, { a: "c" }],
  [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
  [{ a: "b" }, { a: null }, {}],
  [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
  [{ a: ["b"] }, { a: "c" }, { a: "c" }],
  [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
  [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
  [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
  [["a", "b"], ["c", "d"], ["c", "d"]],
  [{ a: "b" }, ["c"], ["c"]],
  [{ a: "foo" }, null, null],
  [{ a: "foo" }, "bar", "bar"],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: "b", c: null }, { a: "b" }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
];

for (const [target, patch, merged] of RFC_7396) {
  Deno.test("ends that were told wrongly, as their server was there all the time, are taken back, and no others", () => {
    const lost = { reason: "SERVER_LOST" };
    const view = sampleView({
      ends: [sampleEnd({ server: "a" }), sampleEnd({ server: "b", ...lost }), sampleEnd({ server: "c", ...lost })],
    });
    const after = apply(view, sampleChange({ takenBack: ["b", "a"], ends: [sampleEnd({ server: "d" })] }));
    assertEquals(after.ends.map(({ server }) => server), ["a", "c", "d"]);
  });

  Deno.test(`RFC 7396: ${JSON.stringify(target)} with ${JSON.stringify(patch)} is ${JSON.stringify(merged)}`, () => {
    assertEquals(plain(mergePatch(target, patch)), merged);
  });
}

Deno.test("whatever the server's patch says of two views is what the page makes of it", () => {
  // `null` and not being there are the same to a merge patch, so there is none in what is compared.
  const json = fc.letrec<{ value: unknown; object: JsonObject }>((tie) => ({
    value: fc.oneof({ depthSize: "small" }, fc.integer(), fc.string(), fc.array(fc.integer()), tie("object")),
    object: fc.dictionary(fc.oneof(fc.constantFrom("a", "b", "__proto__", "constructor"), fc.string()), tie("value")),
  })).object;
  fc.assert(fc.property(json, json, (before, after) => {
    assertEquals(plain(mergePatch(before, diff(before, after) ?? {})), plain(after));
  }));
});

// Deno has no `__proto__` to be caught by; the same is tried in a browser, in tests/e2e/dashboard_test.ts.
Deno.test("a user whose name is __proto__ is a user like any other", () => {
  const change = sampleChange({ patch: { users: JSON.parse('{"__proto__": ["a"]}') } });
  const view = apply(sampleView({ users: { ada: [] } }), change);
  assertEquals(Object.keys(view.users), ["ada", "__proto__"]);
  assertEquals(({} as { at?: unknown }).at, undefined);
});

Deno.test("what a change does not touch stays the same object", () => {
  const [ada, bela] = [sampleConnection(), sampleConnection({ user: "bela" })];
  const view = sampleView({
    servers: { a: sampleServer(), b: sampleServer() },
    connections: { a: { c1: ada, c2: bela } },
    users: { ada: ["a"] },
  });
  const next = apply(view, sampleChange({ patch: { connections: { a: { c1: { attempt: 2 } } } } }));
  assertEquals(next.connections.a?.c1?.attempt, 2);
  assertStrictEquals(next.connections.a?.c2, bela);
  assertStrictEquals(next.servers, view.servers);
  assertStrictEquals(next.users, view.users);
  assertStrictEquals(next.ends, view.ends);
  assertEquals(ada.attempt, 0);
  assertEquals(next.at, AT + 1_000);
});

Deno.test("ends and activities are appended, and the oldest forgotten", () => {
  const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);
  let view = sampleView();
  for (let round = 0; round < 3; round++) {
    const activities = numbers(90).map((index) => sampleActivity(`a:${round * 90 + index}`));
    const ends = numbers(90).map((index) => sampleEnd({ at: AT + round * 90 + index }));
    view = apply(view, sampleChange({ activities, ends }));
  }
  assertEquals(view.activities.length, MAX_ACTIVITIES);
  assertEquals(view.ends.length, MAX_ENDS);
  assertEquals([view.activities[0]?.id, view.activities.at(-1)?.id], ["a:170", "a:269"]);
  assertEquals([view.ends[0]?.at, view.ends.at(-1)?.at], [AT + 70, AT + 269]);
});

Deno.test("page and server keep equally much", () => {
  assertEquals([MAX_ENDS, MAX_ACTIVITIES], [shapes.MAX_ENDS, shapes.MAX_ACTIVITIES]);
});

/** As it would be sent: without prototypes, and without what is `undefined`. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
