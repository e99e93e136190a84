/**
 * An old copy of a server's data was put back (docs/network.md, docs/protocol.md 2.7): no number is given out
 * twice, once it is noticed.
 */

import { assertEquals } from "@std/assert";
import { Progress } from "../../../../client/progress.ts";
import type { ConfigLayer } from "../../../../config/config.ts";
import { MeshWorld } from "../../../support/mesh_world.ts";

/** `a` and `b` have a:1 to a:30; then `a` is killed, and has on its disk only a:1 to a:10 again. */
async function putBack(config: ConfigLayer = {}): Promise<MeshWorld> {
  const world = await MeshWorld.of(["a", "b"], config);
  const anna = await world.login("a");
  for (let n = 1; n <= 10; n++) anna.publish(n);
  await world.equal("a", "b");
  const copy = world.server("a").copyData();
  for (let n = 11; n <= 30; n++) anna.publish(n);
  await world.equal("a", "b");
  assertEquals(world.server("b").vector, { a: 30 });
  world.server("a").kill();
  world.server("a").putBack(copy);
  return world;
}

Deno.test("an old copy that is noticed before anything is numbered gets back what is missing, and keeps its name", async () => {
  const world = await putBack();
  world.start("a", ["b"]);
  await world.linked("a", "b");
  await world.equal("a", "b");
  assertEquals(world.server("a").vector, { a: 30 });
});

for (const count of [5, 40]) {
  Deno.test(`an old copy that has numbered ${count} entries before it is noticed takes a new name: nothing is lost, and nobody has two entries of one number`, async () => {
    const world = await putBack();
    world.network.block("a", "b");
    world.network.block("b", "a");
    world.start("a", ["b"]);
    const eve = await world.login("a");
    for (let n = 101; n <= 100 + count; n++) eve.publish(n, `m-${n}`);
    await world.until(() => eve.all("ACTIVITY_ACK").length === count, "the acknowledgements");
    world.network.heal();
    await world.until(() => world.server("a").node.serverId !== "a", "the new name");
    await world.equal("a", "b");
    const name = world.server("a").node.serverId;
    assertEquals(world.server("b").vector, { a: 30, [name]: count });
    const all = [...numbers(1, 30), ...numbers(101, 100 + count)];
    for (const server of ["a", "b"]) {
      assertEquals(world.server(server).activities.toSorted((a, b) => Number(a) - Number(b)), all);
    }
    assertEquals(linesOf(world, "a"), linesOf(world, "b"));
    // Who sends one of them again publishes nothing.
    const again = await world.login("a", "anonymous", { redirects: 3 });
    again.publish(101, "m-101");
    for (let n = 201; n <= 240; n++) again.publish(n);
    await world.until(() => world.server("b").activities.includes(240), "what is published then");
    assertEquals(world.server("b").vector, { a: 30, [name]: count + 40 });
    assertEquals(linesOf(world, "a"), linesOf(world, "b"));
  });
}

for (const server of ["a", "b"]) {
  Deno.test(`who saw the entries of an old copy under numbers that others have too is told so at ${server}, and gets what it has not seen`, async () => {
    const world = await putBack();
    world.network.block("a", "b");
    world.network.block("b", "a");
    world.start("a", ["b"]);
    const eve = await world.login("a");
    for (let n = 101; n <= 105; n++) eve.publish(n, `m-${n}`);
    await world.until(() => eve.activities.length === 5, "the deliveries");
    const progress = new Progress(eve.last("LOGIN_SUCCESS")!.resume.vector);
    for (const { id } of eve.all("ACTIVITY_BROADCAST")) progress.receive(id);
    assertEquals(progress.received, { a: 15 });

    world.network.heal();
    await world.until(() => eve.last("END_CONNECTION") !== undefined, "the end of the connection");
    assertEquals(eve.last("END_CONNECTION")!.reason, "FELL_BEHIND");
    const name = world.server("a").node.serverId;
    const again = await world.login(server, "anonymous", { resume: { vector: progress.received }, redirects: 3 });
    const { serverId, resume } = again.last("LOGIN_SUCCESS")!;
    assertEquals(resume.gap, [{ origin: "a", first: 11, last: 15 }]);
    progress.begin({ serverId, ...resume });
    assertEquals(progress.received.a, 10);
    await world.equal("a", "b");
    await world.run(1_000);
    const fresh = again.all("ACTIVITY_BROADCAST").filter(({ id }) => progress.receive(id) === "new");
    const seen = new Set(eve.all("ACTIVITY_BROADCAST").map(({ messageId }) => messageId));
    const shown = fresh.filter(({ messageId }) => !seen.has(messageId)).map(({ activity }) => activity.n);
    assertEquals(shown, numbers(11, 30));
    assertEquals(progress.received, { a: 30, [name]: 5 });
    // Also after a restart, and only who ends there.
    world.server("a").kill();
    world.start("a", ["b"]);
    await world.linked("b");
    const late = await world.login("a", "anonymous", { resume: { vector: { a: 14 } }, redirects: 3 });
    assertEquals(late.last("LOGIN_SUCCESS")!.resume.gap, [{ origin: "a", first: 11, last: 14 }]);
    const well = await world.login("a", "anonymous", { resume: { vector: { a: 30 } }, redirects: 3 });
    assertEquals(well.last("LOGIN_SUCCESS")!.resume.gap, undefined);
  });
}

Deno.test("an old copy that keeps little has forgotten what it numbered before it is noticed: it takes in what others have under these numbers, and starts again", async () => {
  const world = await putBack();
  const little = { store: { activityRetentionBytes: 200 } };
  world.part(["a"], ["b"]);
  world.start("a", ["b"], little);
  const eve = await world.login("a");
  for (let n = 101; n <= 140; n++) {
    eve.publish(n, `m-${n}`);
    await world.run(20);
  }
  await world.run(5_000);
  world.network.heal();
  await world.until(() => world.server("a").node.serverId !== "a", "the new name");
  await world.equal("a", "b");
  const name = world.server("a").node.serverId;
  assertEquals(world.server("a").vector.a, 30);
  world.server("a").kill();
  world.start("a", ["b"], little);
  await world.linked("b");
  const late = await world.login("a", "anonymous", { redirects: 3 });
  late.publish(201);
  await world.until(() => world.server("b").activities.includes(201), "what is published then");
  await world.equal("a", "b");
  assertEquals(world.server("a").vector.a, 30);
  assertEquals(world.server("a").node.serverId, name);
});

Deno.test("what is acknowledged as replicated by an old copy is with another server by then", async () => {
  const world = await putBack({ cluster: { durability: "replicated" } });
  world.network.block("a", "b");
  world.network.block("b", "a");
  world.start("a", ["b"], { cluster: { durability: "replicated" } });
  const eve = await world.login("a");
  for (let n = 101; n <= 105; n++) eve.publish(n, `m-${n}`);
  await world.run(2_000);
  assertEquals(eve.all("ACTIVITY_ACK"), []);
  world.network.heal();
  await world.until(() => world.server("b").activities.includes(105), "the entries under the new name");
  const again = await world.login("a", "anonymous", { redirects: 3 });
  again.publish(0, "m-105");
  again.publish(106, "m-106");
  await world.until(() => again.all("ACTIVITY_ACK").length === 2, "the acknowledgements");
  assertEquals(world.server("b").activities, [...numbers(1, 30), ...numbers(101, 106)]);
});

Deno.test("accounts, direct messages and receipts of an old copy keep their meaning under the new name", async () => {
  const world = await putBack();
  world.network.block("a", "b");
  world.network.block("b", "a");
  world.start("a", ["b"]);
  await world.register("a", "bob");
  await world.register("a", "eve");
  const eve = await world.chat("a", "eve");
  eve.tell("bob", "one", "e-1");
  const bob = await world.chat("a", "bob");
  await world.until(() => eve.receipts.includes("e-1 delivered"), "the delivery");
  bob.send({ command: "LOGOUT" });
  await world.run(50);
  eve.tell("bob", "two", "e-2");
  await world.until(() => eve.receipts.includes("e-2 stored"), "the second message");
  world.network.heal();
  await world.until(() => world.server("a").node.serverId !== "a", "the new name");
  await world.equal("a", "b");
  const name = world.server("a").node.serverId;
  for (const server of ["a", "b"]) {
    const waiting = world.server(server).inboxOf("bob");
    assertEquals(waiting.map(({ line }) => JSON.parse(line).text), ["two"]);
    assertEquals(waiting[0]!.origin, name);
  }
  assertEquals(linesOf(world, "a"), linesOf(world, "b"));
  const receipt = [...world.server("b").entries.values()].find(({ line }) => line.command === "RECEIPT")!.line;
  assertEquals(world.server("b").entries.get(receipt.of)!.line.text, "one");
  const there = await world.chat("b", "bob");
  assertEquals(there.messages, ["two"]);
});

Deno.test("an old copy that gives a name away at a time that its clock had passed takes a new name, and all have one account", async () => {
  const world = await MeshWorld.of(["a", "b"]);
  const copy = world.server("a").copyData();
  const anna = await world.login("b");
  // Its clock comes to be much later than in the copy, and b knows it. It numbers nothing.
  for (let n = 1; n <= 600; n++) anna.publish(n);
  await world.equal("a", "b");
  await world.run(15_000);
  world.server("a").kill();
  await world.until(() => world.server("b").stateOf("a") !== "linked", "the loss of a");
  await world.register("b", "carl");
  world.server("a").putBack(copy);
  world.network.block("a", "b");
  world.network.block("b", "a");
  world.start("a", ["b"]);
  const carl = await world.client("a", { command: "REGISTER", username: "carl", secret: "another" });
  await world.until(() => carl.commands.includes("REGISTER_SUCCESS"), "the registration at a");
  world.network.heal();
  await world.until(() => world.server("a").node.serverId !== "a", "the new name");
  await world.equal("a", "b");
  for (const server of ["a", "b"]) {
    const client = await world.login(server, "carl", { secret: "another", redirects: 3 });
    assertEquals(client.commands[0], "LOGIN_SUCCESS", server);
  }
});

function numbers(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** Every entry of a server, by id. */
function linesOf(world: MeshWorld, server: string): Record<string, unknown> {
  return Object.fromEntries([...world.server(server).entries].toSorted(([a], [b]) => a < b ? -1 : 1));
}
