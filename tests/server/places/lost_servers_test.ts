/**
 * A user with a name, who comes without knowing where it was, gets what came meanwhile: its server is lost, and others
 * with it.
 */

import { assert, assertEquals } from "@std/assert";
import { MeshWorld } from "../../support/mesh_world.ts";
import { announceIntervalMs, DETECTION_MS, fourServers, given, plain, withAnna } from "./_lost_users.ts";

for (const how of ["kill", "powerOff"] as const) {
  Deno.test(`after ${how} of its server a plain client gets at another one what came meanwhile, once`, async () => {
    const { world, sender } = await fourServers();
    const anna = await plain(world, "a", "anna");
    sender.publish(1);
    await world.run(announceIntervalMs + 100);
    assertEquals(anna.activities, [1]);
    world.server("a")[how]();
    sender.publish(2);
    await world.run(DETECTION_MS);
    sender.publish(3);
    await world.run(100);
    assertEquals(await given(world, "d"), [2, 3]);
    assertEquals(await given(world, "d"), []);
    assertEquals(await given(world, "c"), []);
  });
}

Deno.test("a place that its server has not sent when it is lost is not lost with it, although all had heard that the user is gone", async () => {
  const world = await MeshWorld.of(["a", "b"], { cluster: { rebalance: false }, limits: { maxPendingBytes: 2_000 } });
  await world.users("a", "anna");
  const anna = await plain(world, "a", "anna");
  const noisy = await world.login("a", "anonymous", { redirects: 3 });
  await world.run(announceIntervalMs + 100);
  const { process } = world.server("b");
  process.stall();
  for (let n = 1; n <= 20; n++) noisy.publish("x".repeat(500));
  await world.run(50);
  anna.link.destroy();
  await world.run(50);
  world.server("a").powerOff();
  process.goOn();
  const sender = await world.login("b", "anonymous", { redirects: 3 });
  sender.publish(1);
  await world.run(DETECTION_MS);
  const back = await plain(world, "b", "anna");
  await world.run(300);
  assertEquals(back.activities.at(-1), 1);
});

Deno.test("what a server had only after the user had gone from it is not taken for what the user has", async () => {
  const names = ["a", "b", "c"];
  const cluster = { rebalance: false, announceIntervalMs: 500 };
  const world = await MeshWorld.of(names, { cluster, limits: { maxPendingBytes: 2_000 } });
  await world.users("a", "anna");
  const anna = await plain(world, "a", "anna");
  const noisy = await world.login("a", "anonymous", { redirects: 3 });
  await world.run(cluster.announceIntervalMs + 100);
  const { process } = world.server("b");
  process.stall();
  for (let n = 1; n <= 20; n++) noisy.publish("x".repeat(500));
  await world.run(50);
  anna.link.destroy();
  await world.run(50);
  noisy.publish("late");
  // This overtakes the entries too.
  await world.run(cluster.announceIntervalMs + 100);
  world.part(["b"], ["c"]);
  world.server("a").powerOff();
  process.goOn();
  await world.run(DETECTION_MS);
  const back = await plain(world, "b", "anna");
  world.network.heal();
  await world.equal("b", "c");
  await world.run(300);
  assertEquals(back.activities.at(-1), "late");
});

Deno.test("what comes again is at most what came since the lost server announced itself last", async () => {
  const { world, sender } = await fourServers();
  const anna = await plain(world, "a", "anna");
  for (let n = 1; n <= 8; n++) {
    sender.publish(n);
    await world.run(1_000);
  }
  assertEquals(anna.activities, [1, 2, 3, 4, 5, 6, 7, 8]);
  world.server("a").kill();
  await world.run(100);
  sender.publish(9);
  await world.run(100);
  const again = await given(world, "d") as number[];
  assertEquals(again.at(-1), 9);
  assertEquals(again, Array.from(again, (_, index) => 9 - again.length + 1 + index));
  assert(again.length - 1 <= announceIntervalMs / 1_000, again.join());
});

Deno.test("who calls before its server is known to be dead waits until it is, and gets what came meanwhile", async () => {
  const { world, sender } = await withAnna();
  world.server("a").powerOff();
  sender.publish(1);
  await world.run(500);
  const link = await world.dial("d");
  const anna = world.over(link);
  anna.send({ command: "LOGIN", username: "anna", secret: "anna" });
  await world.run(500);
  assertEquals(anna.commands, []);
  await world.run(DETECTION_MS);
  assertEquals(anna.activities, [1]);
});

Deno.test("two connections of one user that are lost with a server both get what came meanwhile", async () => {
  const { world, sender } = await fourServers();
  await plain(world, "a", "anna");
  await plain(world, "a", "anna");
  const third = await world.chat("a", "anna");
  await world.run(announceIntervalMs + 100);
  world.server("a").kill();
  await world.run(50);
  sender.publish(1);
  await world.run(50);
  const back = await world.chat("b", "anna", { resume: { vector: third.vector } });
  const [one, other] = [await plain(world, "c", "anna"), await plain(world, "d", "anna")];
  await world.run(100);
  assertEquals([back.activities, one.activities, other.activities], [[1], [1], [1]]);
  for (const client of [back, one, other]) client.send({ command: "LOGOUT" });
  await world.run(50);
  assertEquals(await given(world, "b"), []);
});

Deno.test("a server that has taken up a place, and dies before it says who is behind, leaves the place to the next one", async () => {
  const { world, sender } = await fourServers({ limits: { maxPendingBytes: 65_536 } });
  await plain(world, "a", "anna");
  await world.run(announceIntervalMs + 100);
  world.server("a").kill();
  const text = "x".repeat(20_000);
  for (let n = 1; n <= 40; n++) sender.send({ command: "ACTIVITY_MESSAGE", activity: { n, text } });
  await world.run(announceIntervalMs + 100);
  const link = await world.dial("d");
  link.pause();
  const taken = world.server("c").vector.d ?? 0;
  world.over(link).send({ command: "LOGIN", username: "anna", secret: "anna" });
  await world.until(() => (world.server("c").vector.d ?? 0) > taken, "that the place is taken up");
  world.server("d").kill();
  await world.run(200);
  assertEquals(await given(world, "c"), Array.from({ length: 40 }, (_, index) => index + 1));
});

Deno.test("two servers that die in a row lose nothing of a user who was at both", async () => {
  const { world, sender } = await withAnna();
  world.server("a").kill();
  sender.publish(1);
  await world.run(100);
  const second = await plain(world, "c", "anna");
  await world.run(100);
  assertEquals(second.activities, [1]);
  await world.run(announceIntervalMs + 100);
  world.server("c").kill();
  await world.run(50);
  sender.publish(2);
  await world.run(50);
  assertEquals(await given(world, "d"), [2]);
  assertEquals(await given(world, "d"), []);
});

Deno.test("two servers that die before the user is back anywhere lose nothing either", async () => {
  const { world, sender } = await withAnna();
  world.server("a").kill();
  sender.publish(1);
  await world.run(100);
  world.server("c").kill();
  sender.publish(2);
  await world.run(100);
  assertEquals(await given(world, "d"), [1, 2]);
});

Deno.test("a server that dies while it lets the user in leaves the place to the next one", async () => {
  const { world, sender } = await withAnna();
  world.server("a").kill();
  sender.publish(1);
  await world.run(100);
  const link = await world.dial("c");
  const second = world.over(link);
  second.send({ command: "LOGIN", username: "anna", secret: "anna" });
  await world.until(() => second.commands.includes("LOGIN_SUCCESS"), "the login");
  world.server("c").kill();
  await world.run(100);
  sender.publish(2);
  await world.run(100);
  assertEquals((await given(world, "d") as number[]).at(-1), 2);
  assertEquals(await given(world, "d"), []);
});
