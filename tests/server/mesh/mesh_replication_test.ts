/** The log between servers (docs/protocol.md, section 4): real servers on one fake clock. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { activityLine, MeshWorld } from "../../support/mesh_world.ts";

Deno.test("entries go both ways: at link-up, live, and after a partition", async () => {
  const world = new MeshWorld();
  world.start("a");
  world.start("b");
  await world.run(100);
  const anna = await world.login("a");
  const ben = await world.login("b");
  anna.publish("a1");
  ben.publish("b1");
  await world.run(100);
  assertEquals([world.server("a").vector, world.server("b").vector], [{ a: 1 }, { b: 1 }]);

  world.server("b").kill();
  world.start("b", ["a"]);
  await world.linked("a", "b");
  await world.equal("a", "b");
  assertEquals(world.server("a").vector, { a: 1, b: 1 });

  const again = await world.login("b");
  anna.publish("a2");
  again.publish("b2");
  await world.run(20);
  assertEquals(world.server("a").vector, { a: 2, b: 2 });
  assertEquals(world.server("b").vector, { a: 2, b: 2 });
  // Each sender's in order; between the two there is none.
  assertEquals(of("a", anna.activities), ["a1", "a2"]);
  assertEquals(of("b", anna.activities), ["b1", "b2"]);

  await world.parted(["a"], ["b"]);
  anna.publish("a3");
  again.publish("b3");
  await world.run(100);
  world.network.heal();
  await world.equal("a", "b");
  assertEquals(world.server("a").vector, { a: 3, b: 3 });
  assertEquals(of("a", anna.activities), ["a1", "a2", "a3"]);
  assertEquals(of("b", anna.activities), ["b1", "b2", "b3"]);
  assertEquals(of("a", again.activities), ["a2", "a3"]);
  assertEquals(of("b", again.activities), ["b2", "b3"]);
  assertEquals(again.activities.length, 4);
});

Deno.test("a server that joins gets an old log with holes, which it takes for forgotten", async () => {
  const world = new MeshWorld();
  world.start("a", [], { store: { activityRetentionBytes: 600 } });
  await world.run(100);
  const anna = await world.login("a");
  for (let n = 1; n <= 20; n++) {
    anna.publish(n);
    await world.run(10);
  }
  await world.run(5_000);
  world.start("b", ["a"]);
  await world.linked("a", "b");
  await world.equal("a", "b");
  const [first] = world.server("b").activities as number[];
  assert(first! > 1, "nothing was forgotten");
  assertEquals(world.server("b").activities, Array.from({ length: 21 - first! }, (_, index) => first! + index));
  // And it goes on from there.
  anna.publish(21);
  await world.run(20);
  assertEquals(world.server("b").vector, { a: 21 });
});

Deno.test("entries of an origin that is gone come from whoever has them", async () => {
  const world = await MeshWorld.of(["a", "b"]);
  const anna = await world.login("a");
  anna.publish(1);
  anna.publish(2);
  await world.equal("a", "b");
  world.server("a").powerOff();
  world.start("c", ["b"]);
  await world.linked("b", "c");
  await world.equal("b", "c");
  assertEquals(world.server("c").vector, { a: 2 });
  assertEquals(world.server("c").activities, [1, 2]);
});

Deno.test("where only some are linked, what one publishes is passed on live; and comes directly once they are", async () => {
  const world = new MeshWorld();
  world.part(["a"], ["c"]);
  for (const name of ["a", "b", "c"]) world.start(name, ["a", "b", "c"]);
  await world.linked("a", "b");
  await world.linked("b", "c");
  await world.run(11_000);
  const anna = await world.login("a");
  const carl = await world.login("c");
  anna.publish("a1");
  await world.run(30);
  assertEquals(carl.activities, ["a1"]);
  carl.publish("c1");
  await world.run(30);
  assertEquals(anna.activities, ["a1", "c1"]);
  assertEquals(world.server("a").member("c")?.hasLink ?? false, false);

  world.network.heal();
  await world.until(() => world.server("a").stateOf("c") === "linked", "the link");
  await world.run(100);
  world.server("b").powerOff();
  anna.publish("a2");
  carl.publish("c2");
  await world.run(30);
  assertEquals(world.server("a").vector, { a: 2, c: 2 });
  assertEquals(world.server("c").vector, { a: 2, c: 2 });
});

Deno.test("a link that breaks between two of three costs nobody anything: the third passes it on", async () => {
  const world = await MeshWorld.of(["a", "b", "c"]);
  const anna = await world.login("a");
  const carl = await world.login("c");
  world.part(["a"], ["c"]);
  anna.publish(1);
  await world.until(() => carl.activities.length === 1, "the activity by way of b");
  assertEquals(carl.activities, [1]);
  world.network.heal();
  await world.linked("a", "b", "c");
  anna.publish(2);
  await world.equal("a", "b", "c");
  assertEquals(carl.activities, [1, 2]);
});

Deno.test("entries that come twice are taken once", async () => {
  const world = await MeshWorld.of(["a"]);
  const anna = await world.login("a");
  const x = await world.peer("a", "x");
  const y = await world.peer("a", "y");
  const lines = [1, 2, 3].map((n) => activityLine(`x:${n}`, n));
  x.entries("x", 1, lines);
  y.entries("x", 1, lines);
  x.entries("x", 2, [...lines.slice(1), activityLine("x:4", 4)]);
  await world.run(20);
  assertEquals(anna.activities, [1, 2, 3, 4]);
  assertEquals(world.server("a").vector, { x: 4 });
});

Deno.test("a gap costs one WANT from what is there, and what comes then closes it", async () => {
  const world = await MeshWorld.of(["a"]);
  const anna = await world.login("a");
  const x = await world.peer("a", "x");
  x.entries("x", 1, [activityLine("x:1", 1)]);
  x.entries("x", 3, [activityLine("x:3", 3)]);
  x.entries("x", 4, [activityLine("x:4", 4)]);
  await world.run(20);
  assertEquals(x.all("WANT").map(({ vector }) => vector), [{ x: 1 }]);
  assertEquals(anna.activities, [1]);
  x.entries("x", 2, [2, 3, 4].map((n) => activityLine(`x:${n}`, n)));
  await world.run(20);
  assertEquals(anna.activities, [1, 2, 3, 4]);
});

Deno.test("a hole that its sender knows of is taken, and no client skips it without being told", async () => {
  const world = await MeshWorld.of(["a"]);
  const anna = await world.login("a");
  const x = await world.peer("a", "x");
  x.entries("x", 1, [activityLine("x:1", 1)]);
  await world.run(20);
  const { command: _, id } = anna.last("ACTIVITY_BROADCAST")!;
  assertEquals(id, "x:1");
  x.entries("x", 9, [activityLine("x:9", 9)], { after: 1 });
  await world.run(20);
  assertEquals(x.all("WANT"), []);
  assertEquals([anna.activities, anna.last("END_CONNECTION")?.reason], [[1], "FELL_BEHIND"]);
  const back = await world.login("a", "anonymous", { resume: { vector: { x: 1 } } });
  await world.run(20);
  const { resume } = back.received[0]!;
  assertEquals(resume.gap, [{ origin: "x", first: 2, last: 8 }]);
  assertEquals(back.activities, [9]);
});

Deno.test("what a server has is said to its origin, also when it came a second time", async () => {
  const world = await MeshWorld.of(["a"]);
  const x = await world.peer("a", "x");
  x.entries("x", 1, [activityLine("x:1", 1)]);
  await world.run(20);
  assertEquals(x.all("HAVE").map(({ vector }) => vector), [{ x: 1 }]);
  // The first answer may have been lost with a link that was replaced.
  x.entries("x", 1, [activityLine("x:1", 1)]);
  await world.run(20);
  assertEquals(x.all("HAVE").map(({ vector }) => vector), [{ x: 1 }, { x: 1 }]);
});

Deno.test("a peer that reads slowly costs no memory, and gets everything", async () => {
  const world = new MeshWorld();
  const maxPendingBytes = 65_536;
  world.start("a", [], { limits: { maxPendingBytes } });
  await world.run(100);
  const x = await world.peer("a", "x");
  const anna = await world.login("a");
  x.link.pause();
  const text = "x".repeat(10_000);
  const count = 300;
  for (let n = 0; n < count; n++) {
    anna.publish({ n, text });
    if (n % 10 === 9) await world.run(5);
  }
  await world.run(50);
  assertEquals(world.server("a").vector, { a: count });
  const far = (x.link as unknown as { peer: { pendingBytes: number } }).peer;
  assert(far.pendingBytes < maxPendingBytes + 3 * 262_144, `${far.pendingBytes} bytes wait for it`);
  x.link.resume();
  await world.until(() => x.activities.length === count, "all entries");
  assertEquals(
    x.activities.map((activity) => (activity as { n: number }).n),
    Array.from({ length: count }, (_, n) => n),
  );
});

Deno.test("an activity of the longest line that is allowed gets everywhere", async () => {
  const world = await MeshWorld.of(["a", "b"]);
  const links = world.made.length;
  const length = 65_536 - JSON.stringify({ command: "ACTIVITY_MESSAGE", activity: { n: "" } }).length;
  for (const name of ["a", "b"]) {
    const client = await world.login(name);
    client.publish("x".repeat(length));
    await world.run(50);
    assertEquals(client.activities.length, 1);
  }
  await world.equal("a", "b");
  assertEquals(world.server("a").vector, { a: 1, b: 1 });
  assertEquals(world.made.slice(links), ["x1>a", "x2>b"]);
});

Deno.test("what cannot be read ends the link, and nothing of it is taken", async () => {
  const world = await MeshWorld.of(["a"]);
  const x = await world.peer("a", "x");
  x.entries("x", 1, [activityLine("x:1", 1), { lamport: "soon" }]);
  await world.run(20);
  const { reason, info } = x.last("END_CONNECTION")!;
  assertEquals(reason, "INVALID_MESSAGE");
  assertStringIncludes(info, "x:2");
  assertEquals(world.server("a").vector, {});
  assertEquals(x.end, "local");
});

/** Those of one sender. */
function of(sender: string, activities: readonly unknown[]): unknown[] {
  return activities.filter((text) => `${text}`.startsWith(sender));
}
