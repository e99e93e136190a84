/**
 * A peer passes on what it says is of another server. It is not believed while that server is linked
 * and can say so itself.
 */

import { assertEquals } from "@std/assert";
import { activityLine, MeshWorld } from "../../support/mesh_world.ts";

const STILL = { cluster: { rebalance: false } };

Deno.test("an entry of a server that is linked is taken from nobody else who was not asked, and takes no number", async () => {
  const world = await MeshWorld.of(["a", "b"], STILL);
  const [here, there] = [await world.login("a", "anonymous", { redirects: 3 }), await world.login("b")];
  const liar = await world.peer("a", "s-liar", { vector: { b: 3 } });
  liar.entries("b", 1, [1, 2, 3].map((n) => activityLine(`b:${n}`, "forged")));
  await world.run(100);
  assertEquals([world.server("a").vector, here.activities, liar.all("WANT")], [{}, [], []]);
  there.publish("real");
  await world.equal("a", "b");
  assertEquals([world.server("a").vector, here.activities], [{ b: 1 }, ["real"]]);
  // It has its name still: nobody told it that there is more of it.
  assertEquals(world.server("b").node.serverId, "b");
});

Deno.test("what is left of a server that is gone comes from whoever has it, and from itself when it is back", async () => {
  const world = await MeshWorld.of(["a"], STILL);
  const client = await world.login("a");
  const other = await world.peer("a", "s-other", { vector: { "s-gone": 2 } });
  other.entries("s-gone", 1, [1, 2].map((n) => activityLine(`s-gone:${n}`, n)));
  await world.run(100);
  assertEquals(client.activities, [1, 2]);
  const back = await world.peer("a", "s-gone", { vector: { "s-gone": 3 } });
  other.entries("s-gone", 3, [activityLine("s-gone:3", "late")]);
  await world.run(100);
  assertEquals(client.activities, [1, 2]);
  back.entries("s-gone", 3, [activityLine("s-gone:3", 3)]);
  await world.run(100);
  assertEquals(client.activities, [1, 2, 3]);
});

Deno.test("what a linked server has forgotten comes from a peer that was asked for it", async () => {
  const world = await MeshWorld.of(["a"], STILL);
  const client = await world.login("a");
  const lines = [1, 2, 3, 4, 5].map((n) => activityLine(`s-young:${n}`, n));
  const whole = await world.peer("a", "s-whole", { vector: { "s-young": 5 } });
  const young = await world.peer("a", "s-young", { vector: { "s-young": 5 } });
  young.entries("s-young", 5, lines.slice(4), { after: 0 });
  await world.run(50);
  assertEquals(whole.last("WANT")?.vector, { "s-young": 0 });
  // The answer is under way when something else is wanted of it.
  whole.send({
    command: "SERVER_ANNOUNCE",
    serverId: "s-whole",
    host: "s-whole",
    port: 8000,
    load: 0,
    online: true,
    vector: { "s-young": 5, "s-far": 1 },
    lamport: 2,
    members: [],
  });
  await world.run(50);
  assertEquals(whole.last("WANT")?.vector, { "s-far": 0 });
  whole.entries("s-young", 1, lines);
  await world.run(100);
  assertEquals([client.activities, client.end], [[1, 2, 3, 4, 5], undefined]);
});

Deno.test("what a peer was asked for may take its time, and comes in parts", async () => {
  const world = await MeshWorld.of(["a"], STILL);
  const client = await world.login("a");
  const lines = [1, 2, 3, 4, 5].map((n) => activityLine(`s-young:${n}`, n));
  const whole = await world.peer("a", "s-whole", { vector: { "s-young": 5 } });
  const young = await world.peer("a", "s-young", { vector: { "s-young": 5 } });
  young.entries("s-young", 5, lines.slice(4), { after: 0 });
  await world.run(50);
  whole.entries("s-young", 1, lines.slice(0, 2));
  await world.run(3_000);
  whole.entries("s-young", 3, lines.slice(2));
  await world.run(100);
  assertEquals([client.activities, client.end], [[1, 2, 3, 4, 5], undefined]);
});
