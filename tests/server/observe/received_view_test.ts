/** What another server tells of itself, whatever it says. */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { receivedEnd, receivedEvent, receivedView } from "../../../server/observe/received_view.ts";
import type { JsonObject } from "../../../view/merge_patch.ts";

const CONNECTION = {
  ...{ user: "", address: "", kind: "new", over: "tcp", since: 0, state: "unwatched", heardAt: 0, attempt: 0, of: 0 },
  ...{ heartbeats: 0, waitingBytes: 0, behind: false },
};

Deno.test("what is told is laid over what is known, and what is not told stays as it is", () => {
  const first = receivedView({}, { server: { connections: 7 }, connections: { a: { user: "anna" }, b: { since: 5 } } });
  const next = receivedView(first, { server: { lamport: 3 }, connections: { a: null, b: { user: "bert" }, c: {} } });
  assertEquals([next.server?.connections, next.server?.lamport], [7, 3]);
  assertEquals(
    next.connections,
    {
      b: { ...CONNECTION, user: "bert", since: 5 },
      c: CONNECTION,
    } as unknown as typeof next.connections,
  );
  assertStrictEquals(receivedView(next, { server: { lamport: 4 } }).connections, next.connections);
});

Deno.test("what has another shape than a view counts as not told", () => {
  const odd: JsonObject = {
    server: { connections: "many", version: 9, http: {}, draining: "x", vector: { a: 1, b: "2" }, links: { a: 5 } },
    connections: { a: 5, b: [], c: { user: 7, since: "then", roundTripMs: "x", behind: 1 } },
  };
  const { server, connections } = receivedView({}, odd);
  assertEquals([server?.connections, server?.version, server?.http, server?.draining], [0, "", null, null]);
  assertEquals(server?.memoryBytes, undefined);
  assertEquals(server?.vector, { a: 1 });
  assertEquals(server?.links.a?.attempt, 0);
  assertEquals(Object.values(connections!), [CONNECTION, CONNECTION, CONNECTION] as unknown[] as never);
  assertEquals(receivedView({}, { server: null, connections: "none" }), {});
  assertEquals(receivedEnd({ at: "now", reason: 5, heartbeats: [3] }, "s").heartbeats.length, 1);
  assertEquals(receivedEnd({ server: "other", heartbeats: 5 }, "s").server, "s");
});

Deno.test("what is too deep to be a view is passed over", () => {
  const deep = JSON.parse('{"server":'.repeat(20_000) + "1" + "}".repeat(20_000));
  const known = receivedView({}, { server: { connections: 7 } });
  assertStrictEquals(receivedView(known, deep), known);
  assertEquals(receivedEvent(deep), undefined);
});

Deno.test("whatever is told comes out as a view", () => {
  fc.assert(
    fc.property(fc.array(fc.dictionary(fc.constantFrom("server", "connections", "x"), fc.jsonValue())), (all) => {
      let told = {};
      for (const patch of all) told = receivedView(told, patch);
      for (const row of Object.values(receivedView(told, {}).connections ?? {})) assert(typeof row.user === "string");
    }),
  );
});
