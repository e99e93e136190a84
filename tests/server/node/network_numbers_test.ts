/**
 * What servers of a network count of each other, for their metrics: how long entries take, whose clock is wrong, what
 * waits.
 */

import { assert, assertEquals } from "@std/assert";
import { MeshWorld } from "../../support/mesh_world.ts";

Deno.test("a server counts how long its entries take to the first other server, and none of others", async () => {
  const world = await MeshWorld.of(["a", "b", "c"]);
  const anna = await world.login("a");
  for (let n = 0; n < 5; n++) anna.publish(n);
  await world.equal("a", "b", "c");
  const [a, b] = ["a", "b"].map((name) => world.server(name).node.metrics().replications);
  assertEquals([a!.count, b!.count], [5, 0]);
  assert(a!.sumMs > 0 && a!.sumMs < 1_000, `${a!.sumMs}`);
});

Deno.test("what came in while no other server was linked is not counted, and what a lost server lacks is counted when it has it", async () => {
  const world = await MeshWorld.of(["a", "b"]);
  const anna = await world.login("a");
  world.part(["a"], ["b"]);
  // The link is not known to be lost yet.
  anna.publish(1);
  await world.run(0);
  await world.parted(["a"], ["b"]);
  anna.publish(2);
  await world.run(1_000);
  const before = world.server("a").node.metrics().replications.count;
  world.network.heal();
  await world.linked("a", "b");
  await world.equal("a", "b");
  const { count, sumMs } = world.server("a").node.metrics().replications;
  assertEquals([before, count], [0, 1]);
  assert(sumMs > 1_000, `${sumMs}`);
});

Deno.test("a server knows whose calendar is ahead, and by how much", async () => {
  const world = await MeshWorld.of(["a", "b"]);
  world.server("b").calendar.aheadMs = 90_000;
  await world.run(30_000);
  const seen = (name: string) => world.server(name).node.metrics().peers[0]!.clockOffset!;
  assertNear(seen("a").offsetMs, 90_000, seen("a").errorMs);
  assertNear(seen("b").offsetMs, -90_000, seen("b").errorMs);
  assert(seen("a").errorMs < 100, `${seen("a").errorMs}`);
});

Deno.test("every server counts the messages that wait, and says for how long the first one has", async () => {
  const world = await MeshWorld.of(["a", "b"]);
  await world.users("a", "anna", "ben");
  const anna = await world.chat("a", "anna");
  const message = { command: "DIRECT_MESSAGE", to: "ben" };
  anna.send({ ...message, text: "1", messageId: "1" }, { ...message, text: "2", messageId: "2" });
  await world.equal("a", "b");
  await world.run(60_000);
  for (const name of ["a", "b"]) {
    const { count, oldestMs } = world.server(name).node.metrics().inbox;
    assertEquals(count, 2);
    assertNear(oldestMs, 60_000, 2_000);
  }
  await world.chat("b", "ben");
  await world.equal("a", "b");
  for (const name of ["a", "b"]) assertEquals(world.server(name).node.metrics().inbox, { count: 0, oldestMs: 0 });
});

function assertNear(value: number, expected: number, within: number): void {
  assert(Math.abs(value - expected) <= within, `${value}, and not ${expected} within ${within}`);
}
