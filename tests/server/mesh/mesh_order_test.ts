/** The order in which activities are seen, and that each is seen once, whichever servers their senders went to. */

import { assert, assertEquals } from "@std/assert";
import { activityLine, loginOf, MeshWorld } from "../../support/mesh_world.ts";

/** Three servers and a user, of whose servers the first is far from the third. */
async function farFromThird(holdBackMs = 2_000): Promise<MeshWorld> {
  const world = await MeshWorld.of(["a", "b", "c"], { cluster: { holdBackMs } });
  await world.register("a", "anna");
  await world.equal("a", "b", "c");
  world.network.slow("a", "c", 1_500);
  return world;
}

Deno.test("what a user publishes at a second server is not seen before what it published at the first", async () => {
  const world = await farFromThird();
  const reader = await world.login("c", "anonymous", { redirects: 3 });
  const atA = await world.login("a", "anna", { redirects: 3 });
  atA.publish(1, "m-1");
  await world.run(20);
  const { id } = atA.last("ACTIVITY_ACK")!;
  const atB = await world.login("b", "anna", { redirects: 3, last: id });
  atB.publish(2, "m-2");
  await world.run(50);
  assertEquals(world.server("b").entries.get("b:1")!.line.after, id);
  assertEquals(world.server("b").activities, [1, 2]);
  // It has come long ago, and waits.
  assertEquals(reader.activities, []);
  assertEquals(world.server("c").vector.b, undefined);
  const ms = await world.until(() => reader.activities.length > 0, "the first");
  assert(ms > 1_000, `${ms} ms`);
  await world.run(20);
  assertEquals(reader.activities, [1, 2]);
  // What follows there need not say it again.
  atB.publish(3, "m-3");
  await world.run(20);
  assertEquals(world.server("b").entries.get("b:2")!.line.after, undefined);
});

for (const how of ["publishes", "sends"]) {
  Deno.test(`what a client ${how} after a repeat of what it gave to another server comes after that`, async () => {
    const world = await MeshWorld.of(["a", "b"]);
    await world.users("a", "ben", "eve");
    const username = how === "publishes" ? "anonymous" : "eve";
    const say = async (server: string, ...numbers: number[]) => {
      const client = await world.login(server, username, { redirects: 3, features: ["ack", "resume", "chat"] });
      for (const n of numbers) {
        if (how === "publishes") client.publish(n, `m-${n}`);
        else client.tell("ben", `${n}`, `m-${n}`);
      }
      await world.equal("a", "b");
      client.link.destroy();
    };
    await say("a", 1);
    // It had no answer, and names nothing that comes before.
    await say("b", 1, 2, 3);
    const lines = [...world.server("b").entries.values()].map(({ line }) => line);
    const find = (n: number) => lines.find(({ messageId }) => messageId === `m-${n}`)!;
    assertEquals(find(1).id.split(":")[0], "a");
    assertEquals([find(2).after, find(3).after], [find(1).id, undefined]);
  });
}

Deno.test("what waits for an origin that is gone waits for holdBackMs, and the late one is delivered when it comes", async () => {
  const world = await MeshWorld.of(["a"], { cluster: { holdBackMs: 2_000 } });
  const reader = await world.login("a");
  const y = await world.peer("a", "y");
  y.entries("y", 1, [
    activityLine("y:1", "y1"),
    activityLine("y:2", "y2", { after: "x:1" }),
    activityLine("y:3", "y3"),
  ]);
  await world.run(20);
  // What came before it of the same origin does not wait.
  assertEquals(reader.activities, ["y1"]);
  const ms = await world.until(() => reader.activities.length > 1, "the end of the waiting");
  assert(ms > 1_900 && ms < 2_400, `${ms} ms`);
  assertEquals(reader.activities, ["y1", "y2", "y3"]);
  const x = await world.peer("a", "x");
  x.entries("x", 1, [activityLine("x:1", "x1")]);
  await world.run(20);
  assertEquals(reader.activities, ["y1", "y2", "y3", "x1"]);
});

Deno.test("what waits for an origin that is there waits longer, but not for ever for what does not exist", async () => {
  const world = await MeshWorld.of(["a"], { cluster: { holdBackMs: 2_000 } });
  const reader = await world.login("a");
  await world.peer("a", "x");
  const y = await world.peer("a", "y");
  y.entries("y", 1, [activityLine("y:1", "y1", { after: "x:1" })]);
  await world.run(20_000);
  assertEquals(reader.activities, []);
  await world.run(11_000);
  assertEquals(reader.activities, ["y1"]);
});

Deno.test("an origin that is lost while something waits for it is waited for no longer than holdBackMs", async () => {
  const world = await MeshWorld.of(["a"], { cluster: { holdBackMs: 2_000 } });
  const reader = await world.login("a");
  const x = await world.peer("a", "x");
  const y = await world.peer("a", "y");
  y.entries("y", 1, [activityLine("y:1", "y1", { after: "x:1" })]);
  await world.run(500);
  x.link.destroy();
  // Only now others are asked for what it had.
  await world.run(1_900);
  assertEquals(reader.activities, []);
  await world.run(500);
  assertEquals(reader.activities, ["y1"]);
});

Deno.test("what follows something that waits is not taken for a gap, however often it comes", async () => {
  const world = await MeshWorld.of(["a"]);
  const reader = await world.login("a");
  const x = await world.peer("a", "x");
  const y = await world.peer("a", "y");
  const lines = [activityLine("y:1", "y1", { after: "x:1" }), activityLine("y:2", "y2")];
  y.entries("y", 1, lines);
  y.entries("y", 1, lines);
  y.entries("y", 3, [activityLine("y:3", "y3")]);
  await world.run(20);
  assertEquals(y.all("WANT").filter(({ vector }) => Object.hasOwn(vector, "y")), []);
  x.entries("x", 1, [activityLine("x:1", "x1")]);
  await world.run(20);
  assertEquals(reader.activities, ["x1", "y1", "y2", "y3"]);
});

Deno.test("more than may wait is let go, and asked for when there is room again", async () => {
  const world = await MeshWorld.of(["a"]);
  const x = await world.peer("a", "x");
  const y = await world.peer("a", "y");
  const text = "x".repeat(60_000);
  const line = (n: number) => activityLine(`y:${n}`, { n, text }, n === 1 ? { after: "x:1" } : {});
  const count = 300;
  for (let n = 1; n <= count; n += 10) {
    y.entries("y", n, Array.from({ length: 10 }, (_, index) => line(n + index)));
    await world.run(5);
  }
  x.entries("x", 1, [activityLine("x:1", "x1")]);
  await world.until(() => y.commands.includes("WANT"), "the WANT");
  const { vector } = y.last("WANT")!;
  assert(vector.y > 100 && vector.y < 200, `${vector.y} of them waited`);
  y.entries("y", vector.y + 1, Array.from({ length: count - vector.y }, (_, index) => line(vector.y + 1 + index)));
  await world.run(50);
  assertEquals(world.server("a").vector, { x: 1, y: count });
  assertEquals(y.all("WANT").length, 1);
});

Deno.test("a login with `last` waits until that is here, and no longer than holdBackMs", async () => {
  const world = await farFromThird();
  await world.register("b", "ben");
  const atA = await world.login("a", "anna", { redirects: 3 });
  world.part(["a"], ["b"]);
  await world.parted(["a"], ["b"]);
  atA.publish(1, "m-1");
  await world.run(20);
  const { id } = atA.last("ACTIVITY_ACK")!;
  const begin = world.clock.nowMs();
  const [atC, lost] = await Promise.all([world.client("c"), world.client("b")]);
  atC.send(loginOf("anna", { redirects: 3, last: id, reads: false }));
  lost.send(loginOf("ben", { redirects: 3, last: "x:1" }));
  await world.run(1_000);
  assertEquals([atC.commands, lost.commands], [[], []]);
  await world.until(() => atC.commands.includes("LOGIN_SUCCESS"), "the login at c");
  assert(world.server("c").vector.a! >= 2);
  assert(world.clock.nowMs() - begin < 1_900);
  await world.until(() => lost.commands.includes("LOGIN_SUCCESS"), "the login at b");
  const ms = world.clock.nowMs() - begin;
  assert(ms > 1_900 && ms < 2_400, `${ms} ms`);
  // What it publishes says that only where it was there: others could wait in vain.
  atC.publish(2);
  lost.publish(3);
  await world.run(20);
  assertEquals(world.server("c").entries.get("c:1")!.line.after, id);
  assertEquals(world.server("b").entries.get("b:2")!.line.after, undefined);
});

for (const isThere of [true, false]) {
  Deno.test(`a login with a \`last\` that an old copy of its own server lacks waits ${isThere ? "until that is back" : "for nothing where nobody has it"}`, async () => {
    const world = await MeshWorld.of(["a", "b"]);
    const copy = world.server("a").copyData();
    if (!isThere) await world.parted(["a"], ["b"]);
    const eve = await world.login("a", "anonymous", { redirects: 3 });
    eve.publish(1, "m-1");
    await world.until(() => eve.last("ACTIVITY_ACK") !== undefined, "the acknowledgement");
    await world.run(50);
    world.server("a").kill();
    world.server("a").putBack(copy);
    world.part(["a"], ["b"]);
    world.start("a", ["b"]);
    await world.run(15_000);
    world.network.heal();
    world.network.slow("a", "b", 400);
    await world.until(() => world.server("a").stateOf("b") === "linked", "the link");
    const back = await world.client("a", loginOf("anonymous", { redirects: 3, last: eve.last("ACTIVITY_ACK")!.id }));
    const ms = await world.until(() => back.commands.includes("LOGIN_SUCCESS"), "the login");
    assert(isThere ? ms > 300 : ms < 100, `${ms} ms`);
    back.publish(2, "m-2");
    await world.until(() => world.server("b").activities.includes(2), "what follows");
    await world.equal("a", "b");
    assertEquals(world.server("b").activities, isThere ? [1, 2] : [2]);
    assertEquals(world.server("a").node.serverId, "a");
  });
}

Deno.test("a login with a `last` that an old copy lacks waits while who says to have that is asked whether it is the same", async () => {
  const world = await MeshWorld.of(["a", "b"]);
  const copy = world.server("a").copyData();
  const eve = await world.login("a", "anonymous", { redirects: 3 });
  for (const n of [1, 2]) eve.publish(n, `m-${n}`);
  await world.until(() => eve.all("ACTIVITY_ACK").length === 2, "the acknowledgements");
  await world.equal("a", "b");
  world.server("a").kill();
  world.server("a").putBack(copy);
  world.part(["a"], ["b"]);
  world.start("a", ["b"]);
  await world.run(15_000);
  const other = await world.login("a", "anonymous", { redirects: 3 });
  other.publish(9, "m-9");
  await world.until(() => other.last("ACTIVITY_ACK") !== undefined, "a number that is given out anew");
  world.network.heal();
  world.network.slow("a", "b", 150);
  await world.until(() => world.server("a").stateOf("b") === "linked", "the link");
  const back = await world.client("a", loginOf("anonymous", { redirects: 3, last: eve.last("ACTIVITY_ACK")!.id }));
  await world.run(50);
  assertEquals([world.server("a").node.serverId, back.commands], ["a", []]);
  await world.until(() => back.commands.includes("LOGIN_SUCCESS"), "the login");
  back.publish(3, "m-3");
  await world.until(() => world.server("b").activities.includes(3), "what follows");
  await world.equal("a", "b");
  for (const server of ["a", "b"]) {
    assertEquals(world.server(server).activities.filter((n) => n !== 9), [1, 2, 3], server);
  }
});

Deno.test("a `last` that is older than what is known here does not take its place", async () => {
  const world = await MeshWorld.of(["a", "b", "c"]);
  await world.register("a", "anna");
  await world.equal("a", "b", "c");
  const atB = await world.login("b", "anna", { redirects: 3 });
  atB.publish(1, "m-1");
  await world.run(20);
  const { id } = atB.last("ACTIVITY_ACK")!;
  // From here on c hears nothing of b, and the acknowledgements do not arrive.
  world.part(["b"], ["c"]);
  for (const n of [2, 3]) atB.publish(n, `m-${n}`);
  await world.run(20);
  world.server("b").powerOff();
  world.network.slow("a", "c", 300);
  const atA = await world.login("a", "anna", { redirects: 3, last: id, reads: false });
  for (const n of [2, 3, 4]) atA.publish(n, `m-${n}`);
  await world.run(20);
  assertEquals(world.server("a").entries.get("a:2")!.line.after, "b:3");
  await world.equal("a", "c");
  assertEquals(world.server("c").activities, [1, 2, 3, 4]);
});

Deno.test("what was sent again to another server is seen once, by every client of every server", async () => {
  const world = await MeshWorld.of(["a", "b", "c"]);
  await world.register("a", "anna");
  await world.equal("a", "b", "c");
  const readers = new Map<string, Awaited<ReturnType<MeshWorld["login"]>>>();
  for (const name of ["a", "b", "c"]) readers.set(name, await world.login(name, "anonymous", { redirects: 3 }));
  world.part(["a"], ["b", "c"]);
  const atA = await world.login("a", "anna", { redirects: 3 });
  atA.publish(1, "m-1");
  atA.publish(2, "m-2");
  await world.run(20);
  const atB = await world.login("b", "anna", { redirects: 3 });
  atB.publish(1, "m-1");
  atB.publish(2, "m-2");
  atB.publish(3, "m-3");
  await world.run(7_000);
  world.network.heal();
  await world.linked("a", "b", "c");
  await world.equal("a", "b", "c");
  for (const [name, reader] of readers) assertEquals(reader.activities, [1, 2, 3], name);
  for (const name of ["a", "b", "c"]) {
    assertEquals(world.server(name).activities, [1, 2, 3], name);
    // All of them are kept, so that the logs are the same.
    assertEquals([world.server(name).vector.a, world.server(name).vector.b], [3, 3], name);
  }
  assertEquals([world.server("a").isFor("b:1"), world.server("b").isFor("a:2")], ["servers", "servers"]);
  // Whoever joins later sees them once too.
  world.start("d", ["b"]);
  await world.linked("b", "d");
  await world.equal("a", "b", "c", "d");
  assertEquals(world.server("d").activities.toSorted(), [1, 2, 3]);
});

Deno.test("what two servers show to nobody, each because of the other, is seen by clients of a third", async () => {
  const world = await MeshWorld.of(["d"]);
  const reader = await world.login("d");
  const more = { messageId: "m-1" };
  // c had b's first, and e had a's first; a and b are gone.
  const c = await world.peer("d", "c");
  const e = await world.peer("d", "e");
  c.entries("a", 1, [activityLine("a:1", "once", more, "anna")], { to: "servers" });
  e.entries("b", 1, [activityLine("b:1", "once", more, "anna")], { to: "servers" });
  await world.run(20);
  assertEquals(reader.activities, ["once"]);
});
