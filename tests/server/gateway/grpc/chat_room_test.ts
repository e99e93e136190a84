/**
 * What participants of one door are told, in which order, and what becomes of those that do not
 * answer: on a fake clock.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { MAX_WIRE_TIME } from "../../../../server/gateway/grpc/rules.ts";
import { RoomWorld } from "./_room.ts";

Deno.test("Each hears what all say, and what all say of themselves, in one order", async () => {
  const world = await RoomWorld.open();
  await world.joined("1111", "2222", "3333");
  world.manners.set("2222", 900);
  await Promise.all([
    ...["a", "b", "c"].map((text) => world.publish("1111", text)),
    ...["d", "e"].map((text) => world.publish("3333", text)),
    world.publish("2222", "2222 goes", { isLeave: true }),
    world.run(9_000),
  ]);
  assertEquals(world.heardBy("1111").length, 6);
  assertEquals(world.heardBy("2222"), world.heardBy("1111"));
  assertEquals(world.heardBy("3333"), world.heardBy("1111"));
  await world.close();
});

Deno.test("An announcement stands among the messages where it was made, also for one that is far behind", async () => {
  const world = await RoomWorld.open();
  await world.joined("1111", "2222");
  world.manners.set("2222", 50);
  // More than a guest's queue takes, so that it is read the rest from the log.
  const line = await world.world.connect({ command: "LOGIN", username: "anonymous" });
  const burst = (from: number) =>
    Array.from({ length: 40 }, (_, index) => ({
      command: "ACTIVITY_MESSAGE",
      activity: { text: `${from + index}`.padEnd(4_000, ".") },
    }));
  line.send(...burst(0));
  await world.run(20);
  void world.publish("1111", "1111 goes", { isLeave: true });
  await world.run(0);
  line.send(...burst(40));
  await world.run(6_000);
  const short = (id: string) => world.heardBy(id).map((text) => text.replace(/^anonymous: (\d+)\.*$/, "$1"));
  const expected = [...Array(40).keys()].map(String).concat("1111 goes", [...Array(40).keys()].map((n) => `${n + 40}`));
  assertEquals(short("1111"), expected);
  assertEquals(short("2222"), expected);
  await world.close();
});

Deno.test("A participant that only joins is announced after a second, one that says so itself is shown once", async () => {
  const world = await RoomWorld.open();
  await world.joined("1111");
  world.join("2222");
  await world.run(990);
  assertEquals(world.heardBy("1111"), []);
  await world.run(20);
  assertEquals(world.heardBy("1111").length, 1);
  assertStringIncludes(world.heardBy("1111")[0]!, "Participant 2222 joined Chitty-Chat at Lamport time ");
  assertEquals(world.heardBy("2222"), world.heardBy("1111"));
  // Too late: it was told already.
  assertEquals(await world.say("2222", "late", { isJoin: true }), "Publish message reply");

  world.join("3333");
  await world.say("3333", "3333 says it itself", { isJoin: true });
  await world.say("3333", "3333 says it twice", { isJoin: true });
  await world.run(3_000);
  assertEquals(world.heardBy("1111").slice(1), ["3333 says it itself"]);
  await world.close();
});

Deno.test("Who leaves without a word is announced; who says so is shown once; unknown ones hear that they are", async () => {
  const world = await RoomWorld.open();
  await world.joined("1111", "2222", "3333");
  assertEquals(world.leave("2222"), "User left the server");
  await world.say("3333", "3333 goes", { isLeave: true });
  assertEquals(world.leave("3333"), "User left the server");
  await world.run(3_000);
  const [first, ...rest] = world.heardBy("1111");
  assertStringIncludes(first!, "Participant 2222 left Chitty-Chat at Lamport time ");
  assertEquals(rest, ["3333 goes"]);
  assertEquals(world.leave("2222"), "Unknown user tried to leave the server");
  assertStringIncludes(await world.say("2222", "still here"), "FAILED_PRECONDITION");
  assertEquals(world.join("1111"), "You are already connected");
  assertEquals(world.join("2222"), "You are now connected");
  await world.close();
});

Deno.test("One that comes and goes within a second was here: both are told", async () => {
  const world = await RoomWorld.open();
  await world.joined("1111");
  world.join("2222");
  world.leave("2222");
  await world.run(3_000);
  assertEquals(world.heardBy("1111").map((text) => text.replace(/ at.*/, "")), [
    "Participant 2222 joined Chitty-Chat",
    "Participant 2222 left Chitty-Chat",
  ]);
  await world.close();
});

for (const manner of ["silent", "refuses"] as const) {
  Deno.test(`A participant that ${manner === "silent" ? "is silent" : "refuses"} is called three times with the same, and is then taken as left`, async () => {
    const world = await RoomWorld.open();
    await world.joined("1111", "2222");
    world.manners.set("2222", manner);
    assertEquals(await world.say("1111", "Hej"), "Publish message reply");
    await world.run(7_000);
    assertEquals(world.calls.get("2222")!.map(({ message }) => message!.message), ["Hej", "Hej", "Hej"]);
    assertEquals(world.room.size, 1);
    assertEquals(world.channels, { opened: 2, closed: 1 });
    const [, told, ...rest] = world.heardBy("1111");
    assertStringIncludes(told!, "Participant 2222 left Chitty-Chat at Lamport time ");
    assertEquals(rest, []);
    assertEquals(world.world.node.load, 1);
    await world.close();
  });
}

Deno.test("A participant that misses two and answers then has lost nothing", async () => {
  const world = await RoomWorld.open();
  await world.joined("1111", "2222");
  world.manners.set("2222", "silent");
  await world.say("1111", "a");
  await world.say("1111", "b");
  await world.run(3_000);
  world.manners.set("2222", 1);
  await world.run(7_000);
  assertEquals(world.heardBy("2222"), ["1111: a", "1111: b"]);
  // And only those count that it misses in a row.
  world.manners.set("2222", "silent");
  await world.say("1111", "c");
  await world.run(3_000);
  world.manners.set("2222", 1);
  await world.run(7_000);
  assertEquals(world.heardBy("2222"), ["1111: a", "1111: b", "1111: c"]);
  assertEquals(world.room.size, 2);
  await world.close();
});

Deno.test("A silent participant delays nobody by more than a moment", async () => {
  const world = await RoomWorld.open();
  await world.joined("1111", "2222", "3333");
  world.manners.set("2222", "silent");
  const begunAt = world.world.clock.nowMs();
  for (let count = 0; count < 20; count++) await world.say("1111", `${count}`);
  const took = world.world.clock.nowMs() - begunAt;
  assert(took <= 20 * 10 + 100, `${took} ms`);
  assertEquals(world.heardBy("3333").length, 20);
  await world.close();
});

Deno.test("Publish is answered after its author's own BroadCast was, and after two seconds at the latest", async () => {
  const world = await RoomWorld.open();
  await world.joined("1111", "2222");
  world.manners.set("1111", 700);
  let isAnswered = false;
  void world.publish("1111", "a").then(() => isAnswered = true);
  await world.run(690);
  assertEquals(isAnswered, false);
  await world.run(20);
  assertEquals(isAnswered, true);
  world.manners.set("1111", "silent");
  isAnswered = false;
  void world.publish("1111", "b").then(() => isAnswered = true);
  await world.run(1_990);
  assertEquals(isAnswered, false);
  await world.run(20);
  assertEquals(isAnswered, true);
  await world.close();
});

Deno.test("Publish does not wait for an author that is gone, and leaves no timer behind", async () => {
  const world = await RoomWorld.open();
  await world.joined("1111", "2222");
  const { clock } = world.world;
  const timers = clock.timersWaiting;
  await world.say("1111", "a");
  assertEquals(clock.timersWaiting, timers);
  world.manners.set("1111", "silent");
  let answer: string | undefined;
  void world.publish("1111", "b").then((reply) => answer = reply);
  await world.run(10);
  world.leave("1111");
  await world.run(10);
  assertEquals(answer, "Publish message reply");
  assertEquals(world.heardBy("2222").slice(0, 2), ["1111: a", "1111: b"]);
  await world.close();
});

Deno.test("128 characters pass, 129 do not; characters are code points", async () => {
  const world = await RoomWorld.open();
  await world.joined("1111");
  for (const character of ["a", "é", "你", "🌍"]) {
    assertEquals(await world.say("1111", character.repeat(128)), "Publish message reply");
    assertEquals(
      await world.say("1111", character.repeat(129)),
      "INVALID_ARGUMENT: The message has 129 characters; 128 are allowed",
    );
    assertStringIncludes(await world.say("1111", character.repeat(129), { isLeave: true }), "INVALID_ARGUMENT");
  }
  assertEquals(await world.say("1111", ""), "Publish message reply");
  assertEquals(world.heardBy("1111").length, 5);
  await world.close();
});

Deno.test("Ids that are no ports, ports of this server, and callers from elsewhere are refused", async () => {
  const world = await RoomWorld.open({}, ["10.0.0.7"]);
  for (const id of ["", "0", "65536", "-1", "1e3", "0x50", "01111", "1111 ", "ada", "1".repeat(400), "7080", "8000"]) {
    assertStringIncludes(world.join(id), "INVALID_ARGUMENT", id);
  }
  for (
    const from of [
      "10.0.0.8",
      "192.168.0.1",
      "::ffff:10.0.0.8",
      "fe80::1",
      "",
      "127.0.0.1.evil",
      "2127.0.0.1",
      "unknown",
    ]
  ) {
    assertStringIncludes(world.join("1111", from), "PERMISSION_DENIED", from);
  }
  assertEquals(world.channels.opened, 0);
  for (const [id, from] of [["1", "::1"], ["2", "127.0.0.2"], ["3", "::ffff:127.0.0.1"], ["65535", "10.0.0.7"]]) {
    assertEquals(world.join(id!, from!), "You are now connected");
  }
  // Each speaks for itself.
  assertStringIncludes(world.join("65535"), "ALREADY_EXISTS");
  assertStringIncludes(await world.say("65535", "x"), "PERMISSION_DENIED");
  assertStringIncludes(world.leave("65535"), "PERMISSION_DENIED");
  assertEquals(world.leave("65535", "10.0.0.7"), "User left the server");
  await world.close();
});

Deno.test("Who has an account is no guest, and who gets one afterwards is none any more", async () => {
  const world = await RoomWorld.open();
  const register = async (username: string) => {
    await world.world.connect({ command: "REGISTER", username, secret: "s" });
    await world.world.endAllDerivations();
    await world.run(10);
  };
  await register("1111");
  assertStringIncludes(world.join("1111"), "ALREADY_EXISTS");
  await world.joined("2222", "3333");
  await register("2222");
  assertEquals(world.room.size, 1);
  assertStringIncludes(await world.say("2222", "still here"), "FAILED_PRECONDITION");
  assertEquals(world.heardBy("3333").filter((text) => text.startsWith("Participant 2222 left")).length, 1);
  await world.close();
});

Deno.test("Participants count as connections, and are refused when there are too many", async () => {
  const world = await RoomWorld.open({ limits: { maxConnections: 2 } });
  await world.joined("1111", "2222");
  assertEquals(world.world.node.connectionCount, 2);
  assertStringIncludes(world.join("3333"), "RESOURCE_EXHAUSTED");
  world.leave("1111");
  assertEquals(world.join("3333"), "You are now connected");
  await world.close();
});

Deno.test("Whom the server ends is gone, and when it stops nobody is let in or told anything", async () => {
  const world = await RoomWorld.open();
  await world.joined("1111", "2222");
  const stopped = world.world.node.stop();
  await world.run(5_000);
  await stopped;
  assertEquals(world.room.size, 0);
  assertEquals(world.heardBy("1111"), []);
  assertEquals(world.channels, { opened: 2, closed: 2 });
  assertStringIncludes(world.join("3333"), "UNAVAILABLE");
  assertStringIncludes(await world.say("1111", "a"), "UNAVAILABLE");
  assertEquals(world.world.clock.timersWaiting, 0);
});

Deno.test("A Publish that is not stored is not answered with success", async () => {
  const world = await RoomWorld.open();
  await world.joined("1111");
  world.world.broken.add("commit");
  assertStringIncludes(await world.say("1111", "a"), "UNAVAILABLE");
  await world.run(10_000);
  assertEquals(world.heardBy("1111"), []);
});

Deno.test("A participant whose clock is wrong does not use up the times of all; one below 0 is none", async () => {
  const world = await RoomWorld.open();
  await world.joined("1111");
  for (const lamportTime of [MAX_WIRE_TIME, 2 ** 30 + 1, -1, -(2 ** 31)]) {
    const outcome = world.room.join({ participantID: "2222", lamportTime }, "127.0.0.1");
    assert("reply" in outcome && outcome.reply.lamportTime < 100);
  }
  const outcome = world.room.join({ participantID: "2222", lamportTime: 2 ** 30 }, "127.0.0.1");
  assertEquals("reply" in outcome && outcome.reply.lamportTime, 2 ** 30 + 3);
  await world.close();
});

Deno.test("When the network's time has no room in an int32 its highest value stands for it, and what is said goes on", async () => {
  const world = await RoomWorld.open();
  await world.joined("1111", "2222");
  const activity = { text: "from the future" };
  await world.world.connect({ command: "LOGIN", username: "anonymous" }, {
    command: "ACTIVITY_MESSAGE",
    activity,
    lamport: 2 ** 40,
  });
  await world.say("1111", "a");
  await world.say("1111", "b");
  const times = world.calls.get("1111")!.map(({ lamportTime }) => lamportTime);
  assertEquals(times, [MAX_WIRE_TIME, MAX_WIRE_TIME, MAX_WIRE_TIME]);
  assertEquals(world.heardBy("2222"), ["anonymous: from the future", "1111: a", "1111: b"]);
  await world.close();
});

Deno.test("The server's clock is never behind the door's, so that times do not go back when it is started again", async () => {
  const world = await RoomWorld.open();
  await world.joined("1111", "2222");
  for (let count = 0; count < 10; count++) await world.say("1111", `${count}`);
  const last = Number(world.notes.at(-1)!.split(" ").at(-1));
  assert(world.world.node.guests.lamport >= last);
  await world.close();
});
