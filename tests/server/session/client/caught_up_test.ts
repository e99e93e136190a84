/** What a client that brings a vector is told when entries are missing at its server that this vector names. */

import { assertEquals } from "@std/assert";
import { activityLine } from "../../../support/fake_peer.ts";
import type { Received } from "../../../support/line_client.ts";
import { type FakePeer, MeshWorld } from "../../../support/mesh_world.ts";

/** A server with bob's account, and another one of bytes. */
async function serverAndPeer(): Promise<{ world: MeshWorld; peer: FakePeer }> {
  const world = await MeshWorld.of(["a"], { cluster: { rebalance: false } });
  await world.users("a", "bob");
  return { world, peer: await world.peer("a", "x") };
}

function message(id: string): Received {
  return { command: "DIRECT_MESSAGE", from: "anna", to: "bob", text: id, id, lamport: 1, sentAt: 0 };
}

Deno.test("a client is told once more that all has come, when its server gets the last of what its vector names", async () => {
  const { world, peer } = await serverAndPeer();
  const { vector } = world.server("a");
  const bob = await world.chat("a", "bob", { resume: { vector: { ...vector, x: 2 } } });
  const told = () => bob.received.slice(1).map(({ command, id, complete }) => [command, id ?? complete]);
  assertEquals(told(), [["CAUGHT_UP", undefined]]);
  peer.entries("x", 1, [message("x:1")], { to: { user: "bob" } });
  await world.run(50);
  const untilThen = [["CAUGHT_UP", undefined], ["DIRECT_MESSAGE", "x:1"]];
  assertEquals(told(), untilThen);
  peer.entries("x", 2, [activityLine("x:2", 2), activityLine("x:3", 3)], { to: "everyone" });
  await world.run(50);
  const afterThat = [...untilThen, ["ACTIVITY_BROADCAST", "x:3"], ["CAUGHT_UP", true]];
  assertEquals(told(), afterThat);
  assertEquals(bob.last("CAUGHT_UP")!.vector, { ...world.server("a").vector, x: 3 });
  peer.entries("x", 4, [activityLine("x:4", 4)], { to: "everyone" });
  await world.run(50);
  assertEquals(told(), [...afterThat, ["ACTIVITY_BROADCAST", "x:4"]]);
});

Deno.test("a client whose vector names nothing that is missing is told once that all has come", async () => {
  const { world, peer } = await serverAndPeer();
  const login = { resume: { vector: { ...world.server("a").vector } } };
  const [bob, first] = [await world.chat("a", "bob", login), await world.chat("a", "bob")];
  peer.entries("x", 1, [activityLine("x:1", 1)], { to: "everyone" });
  await world.run(50);
  const told = [bob, first].map((client) => client.all("CAUGHT_UP").map(({ complete }) => complete));
  // Who brings no vector has nothing that could be missing.
  assertEquals(told, [[true], [undefined]]);
});
