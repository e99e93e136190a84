/**
 * Where users stood at a server that is back with an older copy of its data, or under another name: it is told, and no
 * place is left over that somebody has taken up.
 */

import { assertEquals } from "@std/assert";
import { type MeshClient, MeshWorld } from "../../support/mesh_world.ts";
import { announceIntervalMs, given, plain } from "./_lost_users.ts";

const ALL = ["a", "b", "c"];
const STAY = { cluster: { rebalance: false } };

/** Three servers on which anna is registered, and somebody at b who publishes. */
async function threeServers(): Promise<{ world: MeshWorld; sender: MeshClient }> {
  const world = await MeshWorld.of(ALL, STAY);
  await world.users("a", "anna");
  const sender = await world.login("b", "anonymous", { redirects: 3 });
  return { world, sender };
}

/** The same. Anna comes to a `connections` times. Then a is gone, its data is an old copy, and b publishes 1. */
async function withOldCopy(connections: number): Promise<MeshWorld> {
  const { world, sender } = await threeServers();
  const copy = world.server("a").copyData();
  for (let n = 0; n < connections; n++) await plain(world, "a");
  await world.run(announceIntervalMs + 100);
  world.server("a").kill();
  world.server("a").putBack(copy);
  await world.run(50);
  sender.publish(1);
  await world.run(50);
  return world;
}

Deno.test("a server that is back on a copy from before a user came is told where that user stood", async () => {
  for (const server of ALL) {
    const world = await withOldCopy(1);
    world.start("a", ALL, STAY);
    await world.linked(...ALL);
    assertEquals(await given(world, server), [1], server);
    for (const other of ALL) assertEquals(await given(world, other), [], `${server}, then ${other}`);
  }
});

Deno.test("a login at such a server waits until the others have told it, also at its first moment", async () => {
  const world = await withOldCopy(1);
  for (const other of ["b", "c"]) world.network.slow("a", other, 100);
  world.start("a", ALL, STAY);
  // Whoever comes waits for the server to join.
  const anna = await plain(world, "a");
  await world.run(500);
  assertEquals(anna.activities, [1]);
});

Deno.test("two connections that a server has forgotten with its data are two places, whoever tells it of them", async () => {
  const world = await withOldCopy(2);
  world.start("a", ALL, STAY);
  await world.linked(...ALL);
  await world.run(200);
  const [one, other] = [await plain(world, "b"), await plain(world, "a")];
  await world.run(200);
  assertEquals([one.activities, other.activities], [[1], [1]]);
  for (const client of [one, other]) client.send({ command: "LOGOUT" });
  await world.run(50);
  assertEquals(await given(world, "c"), []);
});

Deno.test("a server that takes a new name leaves one place of a user who was there, and none under its former name", async () => {
  for (const how of ["lines", "vector", "vector, before the new name is known"]) {
    const { world, sender } = await threeServers();
    const early = await world.login("a", "anonymous", { redirects: 3 });
    const copy = world.server("a").copyData();
    early.publish("of the original");
    await world.run(100);
    world.server("a").kill();
    world.server("a").putBack(copy);
    world.part(["a"], ["b", "c"]);
    world.start("a", ALL, STAY);
    const eve = await world.login("a", "anonymous", { redirects: 3 });
    eve.publish("of the copy");
    const anna = how === "lines" ? await plain(world, "a") : await world.chat("a", "anna");
    await world.run(100);
    world.network.heal();
    await world.until(() => world.server("a").node.serverId !== "a", "the new name");
    if (how === "vector, before the new name is known") {
      await world.run(5);
      world.part(["a"], ["b", "c"]);
      const back = await world.chat("b", "anna", { resume: { vector: anna.vector } });
      back.send({ command: "LOGOUT" });
      await world.run(100);
      world.network.heal();
    }
    await world.run(announceIntervalMs + 100);
    await world.equal(...ALL);
    if (how === "lines") {
      anna.link.destroy();
      await world.run(50);
    } else if (how === "vector") {
      // It was sent away, and comes back with what it has.
      const back = await world.chat("b", "anna", { resume: { vector: anna.vector } });
      await world.run(100);
      back.send({ command: "LOGOUT" });
      await world.run(100);
    }
    sender.publish(1);
    await world.run(100);
    // A vector that ends in numbers which were given out twice may be of either entry: that one comes again.
    if (how === "lines") assertEquals(await given(world, "c"), ["of the original", 1]);
    for (const server of ALL) assertEquals(await given(world, server), [], `${how} at ${server}`);
  }
});

Deno.test("a place that its server tells of after others had given it away ends everywhere", async () => {
  const { world, sender } = await threeServers();
  const anna = await plain(world, "a");
  await world.run(announceIntervalMs + 100);
  await world.parted(["a"], ["b", "c"]);
  anna.link.destroy();
  await world.run(50);
  sender.publish(1);
  await world.run(50);
  assertEquals(await given(world, "b"), [1]);
  world.network.heal();
  await world.linked(...ALL);
  await world.run(1_000);
  for (const server of ALL) assertEquals(await given(world, server), [], server);
});
