/** Participants that come and go in odd ways: twice, at two doors, in the place of another one, and all at once. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ChatRoom } from "../../../../server/gateway/grpc/chat_room.ts";
import { MeshWorld } from "../../../support/mesh_world.ts";
import { RoomWorld } from "./_room.ts";

Deno.test("One that said that it leaves, did not, and joins again comes anew", async () => {
  const world = await RoomWorld.open();
  await world.joined("1111", "2222");
  await world.say("2222", "2222 goes", { isLeave: true });
  await world.say("2222", "2222 goes, it says again", { isLeave: true });
  assertEquals(world.join("2222"), "You are now connected");
  await world.say("2222", "2222 is back", { isJoin: true });
  await world.say("2222", "Hej");
  assertEquals(world.leave("2222"), "User left the server");
  assertEquals(world.leave("2222"), "Unknown user tried to leave the server");
  await world.run(3_000);
  assertEquals(inShort(world.heardBy("1111")), ["2222 goes", "2222 is back", "2222: Hej", "2222 left"]);
  assertEquals(world.world.node.load, 1);
  await world.close();
});

Deno.test("A program that takes the place of one that was killed carries on where that was: nobody has left", async () => {
  const world = await RoomWorld.open();
  await world.joined("1111", "2222");
  world.manners.set("2222", "refuses");
  await world.say("1111", "meanwhile");
  await world.run(500);
  world.manners.set("2222", 1);
  assertEquals(world.join("2222"), "You are already connected");
  await world.say("2222", "2222 is here", { isJoin: true });
  await world.run(3_000);
  assertEquals(world.heardBy("1111"), ["1111: meanwhile"]);
  assertEquals(world.heardBy("2222"), ["1111: meanwhile"]);
  await world.close();
});

Deno.test("One that joins again may miss as many once more; one that joins and joins and answers nothing is taken as left", async () => {
  const world = await RoomWorld.open();
  await world.joined("1111", "2222");
  world.manners.set("2222", "silent");
  await world.say("1111", "a");
  await world.run(4_200);
  assertEquals(world.calls.get("2222")!.length, 3);
  for (let count = 0; count < 5; count++) assertEquals(world.join("2222"), "You are already connected");
  await world.run(4_500);
  assertEquals(world.room.size, 2);
  for (let ms = 0; ms < 5_000 && world.room.size === 2; ms += 500) {
    world.join("2222");
    await world.run(500);
  }
  assertEquals(world.room.size, 1);
  assertEquals(inShort(world.heardBy("1111")), ["1111: a", "2222 left"]);
  await world.close();
});

Deno.test("What is said along with coming or leaving is shown once, and nothing that is answered with success is lost", async () => {
  const world = await RoomWorld.open();
  await world.joined("1111");
  world.join("2222");
  await world.say("2222", "both", { isJoin: true, isPublish: true });
  await world.say("2222", "both again", { isJoin: true, isPublish: true });
  await world.say("2222", "neither", { isPublish: false });
  await world.say("2222", "goes", { isJoin: true, isLeave: true });
  world.leave("2222");
  world.join("3333");
  await world.say("3333", "comes and goes", { isJoin: true, isLeave: true });
  world.leave("3333");
  await world.run(3_000);
  assertEquals(world.heardBy("1111"), ["2222: both", "2222: both again", "2222: neither", "goes", "comes and goes"]);
  await world.close();
});

Deno.test("Who is at two doors at once is shown once, at each of them, when it comes and when it has left both", async () => {
  const one = await RoomWorld.open();
  const two = one.besides();
  await one.joined("1111");
  await two.joined("2222");
  for (const world of [one, two]) await world.run(1_100);
  for (const id of ["1111"]) one.heard.set(id, []);
  for (const first of [one, two]) {
    one.join("3333");
    await one.say("3333", "3333 is here", { isJoin: true });
    two.join("3333");
    await two.say("3333", "3333 is here, too", { isJoin: true });
    await one.run(1_100);
    const second = first === one ? two : one;
    first.leave("3333");
    await one.run(100);
    assertEquals(inShort(one.heardBy("1111").splice(0)), ["3333 is here"]);
    assertEquals(inShort(two.heardBy("2222").splice(0)), ["3333 joined"]);
    second.leave("3333");
    await one.run(100);
    assertEquals(inShort(one.heardBy("1111").splice(0)), ["3333 left"]);
    assertEquals(inShort(two.heardBy("2222").splice(0)), ["3333 left"]);
  }
  // One that says that it leaves has left for those who heard it.
  one.join("3333");
  await one.say("3333", "3333 is here", { isJoin: true });
  two.join("3333");
  await one.say("3333", "3333 goes", { isLeave: true });
  one.leave("3333");
  await one.run(100);
  two.leave("3333");
  await one.run(100);
  assertEquals(inShort(one.heardBy("1111").splice(0)), ["3333 is here", "3333 goes"]);
  assertEquals(inShort(two.heardBy("2222").splice(0)), ["3333 joined", "3333 left"]);
  two.join("3333");
  await one.run(100);
  assertEquals(inShort(one.heardBy("1111").splice(0)), ["3333 joined"]);
  // And comes anew for them when it is back, though it was never gone for the others.
  one.join("3333");
  await one.say("3333", "3333 goes", { isLeave: true });
  one.leave("3333");
  one.join("3333");
  await one.say("3333", "3333 is here", { isJoin: true });
  await one.run(1_100);
  assertEquals(inShort(one.heardBy("1111").splice(0)), ["3333 goes", "3333 is here"]);
  await one.close();
});

Deno.test("No participant leaves a timer behind, however it goes", async () => {
  const world = await RoomWorld.open();
  await world.joined("1111");
  const { clock } = world.world;
  await world.run(10_000);
  const timers = clock.timersWaiting;
  world.join("2222");
  world.leave("2222");
  await world.run(0);
  await world.run(10);
  assertEquals(clock.timersWaiting, timers, "its coming was still to be told");
  await world.joined("2222");
  world.manners.set("2222", "refuses");
  await world.say("1111", "a");
  await world.run(10);
  assertEquals(clock.timersWaiting, timers + 1, "it will be called again");
  world.leave("2222");
  await world.run(10);
  assertEquals(clock.timersWaiting, timers);
  assertEquals(world.channels, { opened: 3, closed: 2 });
  // The only one that there is.
  world.leave("1111");
  await world.run(10_000);
  const before = clock.timersWaiting;
  world.join("2222");
  world.leave("2222");
  await world.run(10);
  assertEquals(clock.timersWaiting, before);
  await world.close();
  assertEquals(clock.timersWaiting, 0);
});

Deno.test("Publish is answered, with durability replicated, when another server has what was said", async () => {
  const world = await MeshWorld.of(["a", "b"], { cluster: { durability: "replicated" } });
  const { node } = world.server("a");
  const room = new ChatRoom({
    clock: world.clock,
    guests: node.guests,
    participantHosts: [],
    broadcasts: "sideBySide",
    ownPorts: () => [],
    call: () => ({
      broadCast: () => Promise.resolve({ participantID: "1111", reply: "", lamportTime: 0 }),
      close() {},
    }),
    note() {},
  });
  const request = { participantID: "1111", lamportTime: 0 };
  room.join(request, "127.0.0.1");
  world.network.slow("a", "b", 500);
  let isAnswered = false;
  const flags = { isPublish: true, isJoin: false, isLeave: false };
  void room.publish({ ...request, message: "Hej", ...flags }, "127.0.0.1").then(() => isAnswered = true);
  await world.run(400);
  assert(!isAnswered);
  await world.until(() => isAnswered, "it is answered");
  assertEquals(world.server("b").vector, { a: 1 });
  room.close();
});

Deno.test("A server that drains lets its participants go, as they cannot be moved, and comes to its end", async () => {
  const world = await RoomWorld.open();
  await world.joined("1111", "2222");
  world.join("3333");
  world.manners.set("2222", "silent");
  void world.publish("1111", "Hej");
  await world.run(10);
  world.world.node.drain();
  await world.run(3_000);
  assertEquals((await world.world.node.finished).reason, "stopped");
  assertEquals([world.room.size, world.channels, world.world.clock.timersWaiting], [0, { opened: 3, closed: 3 }, 0]);
  assertStringIncludes(world.join("4444"), "UNAVAILABLE");
});

Deno.test("Times below 0 and at the end of what there is do no harm, and are passed on as they are", async () => {
  const world = await RoomWorld.open();
  await world.joined("1111");
  for (const lamportTime of [-1, 0, -(2 ** 31), 2 ** 31 - 1]) {
    const flags = { isPublish: true, isJoin: false, isLeave: false };
    const answer = world.room.publish({ participantID: "1111", message: "m", lamportTime, ...flags }, "127.0.0.1");
    await world.run(100);
    const outcome = await answer;
    assert("reply" in outcome && outcome.reply.lamportTime > 0 && outcome.reply.lamportTime < 1_000);
    assertEquals(world.calls.get("1111")!.at(-1)!.message!.lamportTime, lamportTime);
  }
  await world.close();
});

/** What the server says without the Lamport time. */
function inShort(lines: readonly string[]): string[] {
  return lines.map((line) => line.replace(/^Participant (.*) Chitty-Chat at .*$/, "$1"));
}
