/**
 * A user with a name whose connection was lost gets what came meanwhile, once: with several sessions, with a vector or
 * without, and wherever it comes.
 */

import { assert, assertEquals } from "@std/assert";
import { activityLine, loginOf, MeshWorld } from "../../support/mesh_world.ts";
import { ALL, announceIntervalMs, DETECTION_MS, fourServers, given, plain, withAnna } from "./_lost_users.ts";

Deno.test("a second process of a client that resumes, and has kept nothing, gets what came meanwhile", async () => {
  for (const how of ["its server", "its connection"]) {
    const { world, sender } = await fourServers();
    const first = await world.chat("a", "anna");
    await world.run(announceIntervalMs + 100);
    if (how === "its server") world.server("a").kill();
    else first.link.destroy();
    await world.run(50);
    sender.publish(1);
    sender.publish(2);
    await world.run(100);
    const second = await world.chat("d", "anna");
    await world.run(300);
    assertEquals(second.activities, [1, 2], how);
    // Whatever it takes what it is told for, none of it is old to it, and in the end it has all.
    const { resume } = second.last("LOGIN_SUCCESS")!;
    assertEquals([resume.replayed, resume.vector.b], [0, first.vector.b]);
    assertEquals(second.last("CAUGHT_UP")!.vector.b, world.server("b").vector.b);
    assertEquals(await given(world, "c"), []);
  }
});

Deno.test("a connection that is lost at a living server goes on at another one, and not once more", async () => {
  const { world, sender } = await fourServers();
  const anna = await plain(world, "a", "anna");
  sender.publish(1);
  await world.run(100);
  anna.link.destroy();
  await world.run(20);
  sender.publish(2);
  await world.run(20);
  assertEquals(await given(world, "c"), [2]);
  for (const server of ALL) assertEquals(await given(world, server), []);
});

Deno.test("who calls the next server at once is known to be lost at the last one, however near", async () => {
  for (let delayMs = 0; delayMs < 12; delayMs += 2) {
    const { world, sender } = await fourServers();
    world.network.slow("a", "d", 40);
    const anna = await plain(world, "a", "anna");
    await world.run(100);
    anna.link.destroy();
    await world.run(delayMs);
    sender.publish(1);
    const next = await plain(world, "d", "anna");
    await world.run(500);
    assertEquals(next.activities, [1], `${delayMs} ms`);
  }
});

Deno.test("of an origin that the server of a lost connection never heard of, all comes at the next one", async () => {
  const world = await MeshWorld.of(["a", "b"], { cluster: { rebalance: false } });
  await world.users("a", "anna");
  const anna = await plain(world, "a");
  await world.run(announceIntervalMs + 100);
  // A server that only b has met, with what there is of a third one.
  const peer = await world.peer("b", "late");
  peer.entries("gone", 1, [activityLine("gone:1", 1), activityLine("gone:2", 2)]);
  await world.run(20);
  anna.link.destroy();
  await world.run(20);
  assertEquals(await given(world, "b"), [1, 2]);
  assertEquals(await given(world, "b"), []);
});

Deno.test("a second session of a user who is connected elsewhere gets nothing extra, and takes nothing away", async () => {
  const { world, sender } = await fourServers();
  const first = await plain(world, "a", "anna");
  sender.publish(1);
  await world.run(100);
  assertEquals(await given(world, "c"), []);
  const [lines, resuming] = [await plain(world, "c", "anna"), await world.chat("d", "anna")];
  await world.run(100);
  assertEquals([lines.activities, resuming.activities], [[], []]);
  for (const client of [lines, resuming]) client.send({ command: "LOGOUT" });
  await world.run(announceIntervalMs + 100);
  first.link.destroy();
  await world.run(20);
  sender.publish(2);
  await world.run(20);
  assertEquals(await given(world, "d"), [2]);
});

Deno.test("nothing waits for who has logged out, also when its server is killed then", async () => {
  const { world, sender, anna } = await withAnna();
  anna.send({ command: "LOGOUT" });
  await world.run(50);
  world.server("a").kill();
  sender.publish(1);
  await world.run(100);
  assertEquals(await given(world, "d"), []);
});

Deno.test("a client that comes back with its vector takes its place away, so that nobody is given it again", async () => {
  for (const how of ["its server", "its connection"]) {
    const { world, sender } = await fourServers();
    const first = await world.chat("a", "anna");
    await world.run(announceIntervalMs + 100);
    const { vector } = first;
    if (how === "its server") world.server("a").kill();
    else first.link.destroy();
    await world.run(50);
    sender.publish(1);
    await world.run(50);
    const back = await world.chat("c", "anna", { resume: { vector } });
    await world.run(100);
    assertEquals(back.activities, [1]);
    for (const server of ["b", "d"]) assertEquals(await given(world, server), [], how);
  }
});

Deno.test("a client that comes back with its vector before its server is known to be dead takes its place away too", async () => {
  const { world, sender } = await fourServers();
  const first = await world.chat("a", "anna");
  await world.run(announceIntervalMs + 100);
  const { vector } = first;
  world.server("a").powerOff();
  sender.publish(1);
  await world.run(100);
  const back = await world.chat("c", "anna", { resume: { vector } });
  assertEquals(back.activities, [1]);
  await world.run(DETECTION_MS);
  for (const server of ["b", "d"]) assertEquals(await given(world, server), []);
});

Deno.test("what a slow client had not got from its server when that died it gets elsewhere", async () => {
  const { world, sender } = await fourServers({ limits: { maxPendingBytes: 65_536 } });
  const anna = await plain(world, "a", "anna");
  await world.run(100);
  anna.link.pause();
  const text = "x".repeat(20_000);
  for (let n = 1; n <= 40; n++) sender.send({ command: "ACTIVITY_MESSAGE", activity: { n, text } });
  await world.run(2 * announceIntervalMs + 100);
  assertEquals(anna.activities, []);
  world.server("a").kill();
  await world.run(200);
  const elsewhere = await given(world, "d") as number[];
  assertEquals(elsewhere, Array.from({ length: 40 }, (_, index) => index + 1));
});

Deno.test("a server says who is behind before it says what it has, or who is there", async () => {
  const world = await MeshWorld.of(["a"], { limits: { maxPendingBytes: 65_536 } });
  await world.users("a", "anna");
  const anna = await plain(world, "a", "anna");
  const sender = await world.login("a", "anonymous");
  await world.run(100);
  anna.link.pause();
  const text = "x".repeat(20_000);
  const publish = () => {
    for (let n = 1; n <= 40; n++) sender.send({ command: "ACTIVITY_MESSAGE", activity: { n, text } });
  };
  publish();
  await world.run(100);
  const peer = await world.peer("a", "s-peer");
  const before = (what: string) => peer.commands.slice(0, peer.commands.indexOf(what));
  assert(before("ONLINE").includes("BEHIND"));
  await world.run(announceIntervalMs);
  publish();
  peer.received.splice(0);
  await world.until(() => peer.commands.includes("SERVER_ANNOUNCE"), "an announcement");
  assert(before("SERVER_ANNOUNCE").includes("BEHIND"));
});

Deno.test("a client that only publishes or sends leaves what was missed to its user's next one", async () => {
  const { world, sender } = await fourServers();
  const first = await world.chat("a", "anna");
  await world.run(50);
  first.link.destroy();
  await world.run(50);
  sender.publish(1);
  await world.run(50);
  const once = await world.client("c", loginOf("anna", { reads: false, redirects: 3 }));
  await world.run(100);
  assertEquals(once.activities, []);
  once.link.destroy();
  await world.run(50);
  assertEquals(await given(world, "d"), [1]);
  assertEquals(await given(world, "d"), []);
});

Deno.test("a session that another one replaces leaves no place behind", async () => {
  const { world, sender } = await fourServers({ sessions: { perUser: "replace" } });
  await plain(world, "a", "anna");
  await world.run(50);
  const second = await plain(world, "c", "anna");
  await world.run(100);
  sender.publish(1);
  await world.run(100);
  assertEquals(second.activities, [1]);
  second.send({ command: "LOGOUT" });
  await world.run(50);
  assertEquals(await given(world, "d"), []);
});
