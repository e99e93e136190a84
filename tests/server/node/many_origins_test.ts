/** What is said of many origins of which nothing moves: once, in the greeting (docs/protocol.md, 4.2 and 4.3). */

import { assert, assertEquals, assertLess } from "@std/assert";
import type { Received } from "../../support/line_client.ts";
import { MeshWorld } from "../../support/mesh_world.ts";

const COUNT = 10_000;
const MANY = Object.fromEntries(Array.from({ length: COUNT }, (_, n) => [`gone-${n}`, 1]));

/** The lines of a `command` that came, and how long they were. */
function bytesOf(received: readonly Received[], command: string): number[] {
  return received.filter((line) => line.command === command).map((line) => JSON.stringify(line).length);
}

/** A server that has `COUNT` dead origins from a peer of bytes that is gone. */
async function burdened(): Promise<MeshWorld> {
  const world = new MeshWorld();
  world.start("a");
  await world.run(100);
  const peer = await world.peer("a", "giver", { vector: MANY });
  for (const origin of Object.keys(MANY)) {
    const line = { command: "ACTIVITY_BROADCAST", activity: { authenticated_user: "anonymous" }, id: `${origin}:1` };
    peer.entries(origin, 1, [{ ...line, lamport: 1, sentAt: 1 }]);
  }
  await world.until(() => Object.keys(world.server("a").vector).length === COUNT, "what the peer has");
  peer.send({ command: "END_CONNECTION", reason: "SERVER_STOPPING", info: "", reconnect: "no" });
  peer.link.destroy();
  await world.run(100);
  return world;
}

Deno.test("10,000 dead origins are named in the greeting, and not again: neither announced nor wanted", async () => {
  const world = await burdened();
  const features = ["thrum/1", "changes"];
  const peer = await world.peer("a", "b", { vector: MANY, features });
  const greeting = peer.last("AUTHENTICATION_SUCC")!;
  assertEquals(Object.keys(greeting.vector).length, COUNT);
  const anna = await world.login("a", "anonymous", { redirects: 3 });
  for (let n = 1; n <= 5; n++) {
    anna.publish(n);
    await world.run(5_100);
  }
  const announced = peer.all("SERVER_ANNOUNCE");
  assert(announced.length > 5);
  assertLess(Math.max(...bytesOf(peer.received, "SERVER_ANNOUNCE")), 2_000);
  assertEquals(announced.at(-1)!.changes, true);
  assertEquals(announced.at(-1)!.vector, { a: 5 });
  assertEquals(Object.assign({}, greeting.vector, ...announced.map(({ vector }) => vector)), world.server("a").vector);
  assertLess(bytesOf(peer.received, "WANT").reduce((sum, bytes) => sum + bytes, 0), 1_000);

  // What moves of one that was taken for dead is followed all the same.
  const line = { command: "ACTIVITY_BROADCAST", activity: { authenticated_user: "anonymous", n: 7 }, id: "gone-7:2" };
  const announce = { ...announced.at(-1)!, serverId: "b", host: "b", members: [], vector: { b: 0, "gone-7": 2 } };
  peer.send(announce);
  await world.run(50);
  assertEquals(peer.last("WANT")!.vector, { "gone-7": 1 });
  peer.entries("gone-7", 2, [{ ...line, lamport: 1, sentAt: 1 }]);
  await world.run(5_100);
  assertEquals(anna.activities.at(-1), 7);
  assertEquals(peer.last("SERVER_ANNOUNCE")!.vector, { a: 5, "gone-7": 2 });
});

Deno.test("a server of an earlier version is announced everything each time", async () => {
  const world = await burdened();
  const peer = await world.peer("a", "b", { vector: MANY });
  await world.run(5_100);
  const announced = peer.last("SERVER_ANNOUNCE")!;
  assertEquals(announced.changes, undefined);
  assertEquals(announced.vector, world.server("a").vector);
});

Deno.test("what another server has forgotten it names no more, though it announces only what has changed", async () => {
  const world = new MeshWorld();
  world.start("a");
  await world.run(100);
  const peer = await world.peer("a", "b", { vector: { x: 5, y: 2 }, features: ["thrum/1", "changes"] });
  assertEquals(world.server("a").member("b")!.vector, { x: 5, y: 2 });
  peer.send({ command: "FORGOTTEN", vector: { x: 5, y: 1 } });
  await world.run(50);
  assertEquals(world.server("a").member("b")!.vector, { y: 2 });
});
