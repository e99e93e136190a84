/** What a person is told of a change: servers that die, and users that move. */

import { assertEquals } from "@std/assert";
import { followMoves, MOVE_MS, type Moves, NO_MOVES, serverNews } from "../../dashboard/news.js";
import { connectionRows } from "../../dashboard/rows.js";
import type { NetworkView } from "../../view/network_view.ts";
import { AT, sampleConnection, sampleServer, sampleView } from "./_sample.ts";

const SERVERS = { a: sampleServer({ state: "self" }), b: sampleServer({ name: "b:8001" }) };

function viewOf(connections: NetworkView["connections"], servers: NetworkView["servers"] = SERVERS): NetworkView {
  return sampleView({ servers, connections });
}

/** What is known of moves after each of `views`, a second apart. */
function follow(...views: NetworkView[]): Moves {
  let [moves, before] = [NO_MOVES, connectionRows(views[0]!, new Map())];
  views.slice(1).forEach((view, index) => {
    const after = connectionRows(view, before);
    moves = followMoves(moves, before, after, AT + index * 1_000);
    before = after;
  });
  return moves;
}

Deno.test("who is lost at one server and comes at another has moved", () => {
  const moves = follow(
    viewOf({ b: { c1: sampleConnection() } }),
    viewOf({ b: {} }),
    viewOf({ a: { c7: sampleConnection() } }),
  );
  assertEquals([...moves.moved], [["a c7", { from: "b:8001", at: AT + 1_000 }]]);
  assertEquals(moves.lost.size, 0);
});

Deno.test("who is lost and comes in the same change has moved too", () => {
  const moves = follow(viewOf({ b: { c1: sampleConnection() } }), viewOf({ a: { c7: sampleConnection() } }));
  assertEquals([...moves.moved.keys()], ["a c7"]);
});

Deno.test("connections of a server that died count as lost while they are still shown", () => {
  const dead = { ...SERVERS, b: sampleServer({ name: "b:8001", state: "dead" }) };
  const [there, here] = [{ c1: sampleConnection() }, { c7: sampleConnection() }];
  const moves = follow(viewOf({ b: there }), viewOf({ b: there }, dead), viewOf({ b: there, a: here }, dead));
  assertEquals([...moves.moved.keys()], ["a c7"]);
});

Deno.test("who comes back to the same server, comes new, or is a server has not moved", () => {
  const peer = sampleConnection({ user: "", kind: "server" });
  const moves = follow(
    viewOf({ b: { c1: sampleConnection(), p: peer } }),
    viewOf({}),
    viewOf({ a: { c3: sampleConnection({ user: "new" }), p: peer }, b: { c2: sampleConnection() } }),
  );
  assertEquals(moves.moved.size, 0);
});

Deno.test("a connection that logs in later is a move from that moment on", () => {
  const early = sampleConnection({ user: "", kind: "new" });
  const moves = follow(
    viewOf({ b: { c1: sampleConnection() } }),
    viewOf({ a: { c2: early } }),
    viewOf({ a: { c2: sampleConnection() } }),
  );
  assertEquals([...moves.moved.keys()], ["a c2"]);
});

Deno.test("moves and losses are forgotten after a while", () => {
  const [there, nowhere, here] = [
    viewOf({ b: { c1: sampleConnection() } }),
    viewOf({}),
    viewOf({ a: { c2: sampleConnection() } }),
  ]
    .map((view) => connectionRows(view, new Map()));
  const lost = followMoves(NO_MOVES, there!, nowhere!, AT);
  assertEquals(followMoves(lost, nowhere!, here!, AT + MOVE_MS - 1).moved.size, 1);
  assertEquals(followMoves(lost, nowhere!, here!, AT + MOVE_MS).moved.size, 0);
  const moved = followMoves(lost, nowhere!, here!, AT + 1);
  assertEquals(followMoves(moved, here!, here!, AT + 1 + MOVE_MS).moved.size, 0);
});

Deno.test("the end, the doubt and the return of a server are told, and nothing else of it", () => {
  const told = (before: NetworkView["servers"], after: NetworkView["servers"]) =>
    serverNews(viewOf({}, before), viewOf({}, after)).map(({ text }) => text);
  const b = (fields: Parameters<typeof sampleServer>[0]) => ({ b: sampleServer({ name: "b:8001", ...fields }) });
  assertEquals(told(b({}), b({ state: "suspect" })), ["Server b:8001 is suspect: it does not answer"]);
  assertEquals(told(b({ state: "suspect" }), b({ state: "dead" })), ["Server b:8001 is dead"]);
  assertEquals(told(b({ state: "suspect" }), b({})), ["Server b:8001 is linked again"]);
  assertEquals(told(b({ state: "dead" }), b({})), ["Server b:8001 is linked again"]);
  assertEquals(told(b({}), b({ state: "left" })), ["Server b:8001 has left"]);
  assertEquals(told({}, b({})), ["Server b:8001 is new in the network"]);
  assertEquals(told(b({}), {}), ["Server b:8001 is known no more"]);
  assertEquals(told(b({ state: "dead" }), {}), []);
  assertEquals(told(b({}), b({ load: 7, lamport: 9 })), []);
  assertEquals(told(b({}), b({ draining: { total: 2, left: 2 } })).length, 1);
  assertEquals(told(b({ draining: { total: 2, left: 2 } }), b({ draining: { total: 2, left: 1 } })), []);
});
