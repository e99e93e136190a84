/**
 * A server that comes: it serves nobody before it has what the others have, and does not wait for ever for
 * those who are not there.
 */

import { assert, assertEquals } from "@std/assert";
import { loginOf, MeshWorld } from "../../support/mesh_world.ts";

Deno.test("a server that joins logs nobody in before it has the others' log and accounts", async () => {
  const world = await MeshWorld.of(["a", "b"]);
  await world.register("a", "anna");
  const writer = await world.login("a");
  for (let n = 0; n < 300; n++) {
    writer.publish({ n, text: "x".repeat(5_000) });
    if (n % 50 === 49) await world.run(10);
  }
  await world.equal("a", "b");
  world.network.slow("a", "c", 300);
  world.network.slow("b", "c", 300);
  world.start("c", ["a"]);
  const early = await world.client("c");
  early.send(loginOf("anna", { redirects: 3, resume: { vector: {} } }));
  await world.run(400);
  assertEquals([early.commands, world.server("c").node.isJoined], [[], false]);
  await world.until(() => early.commands.includes("LOGIN_SUCCESS"), "the login");
  assertEquals(world.server("c").vector, world.server("a").vector);
  await world.until(() => early.activities.length === 300, "all activities");
});

Deno.test("a server that is alone serves at once; one that cannot reach the others, as soon as it knows", async () => {
  const world = new MeshWorld();
  world.start("a");
  await world.run(0);
  assertEquals(world.server("a").node.isJoined, true);
  // Nobody there: refused.
  world.start("b", ["z"]);
  assert(await world.until(() => world.server("b").node.isJoined, "b") < 100);
  // Nothing comes back at all.
  world.network.block("c", "a");
  world.start("c", ["a"]);
  const ms = await world.until(() => world.server("c").node.isJoined, "c");
  assert(ms >= 2_900 && ms < 3_500, `${ms} ms`);
  assertEquals((await world.login("c")).commands[0], "LOGIN_SUCCESS");
});

Deno.test("a server that cannot catch up serves all the same after 10 s", async () => {
  const world = new MeshWorld();
  // It says that it has more than it ever sends.
  await world.listen("x", { x: 9 });
  world.start("a", ["x"]);
  await world.run(9_900);
  assertEquals([world.server("a").stateOf("x"), world.server("a").node.isJoined], ["linked", false]);
  await world.run(200);
  assertEquals(world.server("a").node.isJoined, true);
});

Deno.test("a server does not serve while one that it knows may still answer: that one may have what the others miss", async () => {
  const world = new MeshWorld();
  await world.listen("x");
  world.network.block("w", "a");
  world.start("a", ["x", "w"]);
  const ms = await world.until(() => world.server("a").node.isJoined, "a");
  assertEquals(world.server("a").stateOf("x"), "linked");
  assert(ms >= 2_900 && ms < 3_500, `${ms} ms`);
});

Deno.test("after a restart the others are found again, also when they are elsewhere than what was to be joined says", async () => {
  const world = await MeshWorld.of(["a", "b", "c"]);
  const anna = await world.login("b");
  anna.publish(1);
  await world.equal("a", "b", "c");
  world.server("a").kill();
  anna.publish(2);
  await world.run(1_000);
  world.start("a");
  await world.linked("a", "b", "c");
  await world.equal("a", "b", "c");
  assertEquals(world.server("a").activities, [1, 2]);
});

Deno.test("servers of a rolling restart end with each other's entries, and with one link each", async () => {
  const names = ["a", "b", "c"];
  const world = await MeshWorld.of(names);
  let n = 0;
  for (const name of [...names, ...names]) {
    const writers = [];
    for (const other of names) writers.push(await world.login(other, "anonymous", { redirects: 3 }));
    for (const writer of writers) writer.publish(++n, `m-${n}`);
    await world.run(20);
    void world.server(name).node.stop();
    await world.until(() => world.server(name).process.isDead, "its end");
    world.start(name, names);
    await world.linked(...names);
  }
  await world.equal(...names);
  assertEquals(world.server("a").activities.length, n);
  assertEquals(world.server("b").activities.toSorted(), world.server("c").activities.toSorted());
  for (const [a, b] of [["a", "b"], ["a", "c"], ["b", "c"]]) assertEquals(world.between(a!, b!).length, 1);
});

Deno.test("servers that stop in one moment do not wait for each other for long", async () => {
  const names = ["a", "b", "c"];
  const world = await MeshWorld.of(names);
  for (const name of names) await world.login(name, "anonymous", { redirects: 3 });
  for (const name of names) void world.server(name).node.stop();
  const ms = await world.until(() => names.every((name) => world.server(name).process.isDead), "their end");
  assert(ms < 5_000, `${ms} ms`);
});
