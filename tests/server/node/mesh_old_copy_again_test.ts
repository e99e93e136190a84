/**
 * An old copy that is not noticed at once: after restarts, and where others have less of it as well as more
 * (docs/network.md, Replication).
 */

import { assertEquals, assertNotEquals } from "@std/assert";
import { nodeCrypto } from "../../../platform/crypto.ts";
import { activityLine, type FakePeer, type MeshClient, MeshWorld } from "../../support/mesh_world.ts";

const ALL = ["a", "b", "c"];

/** `a` publishes these, each of which is acknowledged. */
async function publish(world: MeshWorld, first: number, last: number): Promise<void> {
  const eve = await world.login("a", "anonymous", { redirects: 3 });
  for (let n = first; n <= last; n++) eve.publish(n, `m-${n}`);
  await world.until(() => eve.all("ACTIVITY_ACK").length === last - first + 1, "the acknowledgements");
  eve.link.destroy();
}

function numbers(...ranges: (readonly [number, number])[]): number[] {
  return ranges.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, index) => first + index));
}

function linesOf(world: MeshWorld, server: string): Record<string, unknown> {
  const lines = [...world.server(server).entries].map(([id, { line }]) => [id, line] as const);
  return Object.fromEntries(lines.toSorted(([a], [b]) => a < b ? -1 : 1));
}

/**
 * `a` runs on an old copy of its data, with 10 of its 30 activities, and is linked with `b`, which has no more. Neither
 * reaches `c`, which has all.
 */
async function oldCopyBesideB(): Promise<MeshWorld> {
  const world = await MeshWorld.of(ALL);
  await publish(world, 1, 10);
  await world.equal(...ALL);
  const copy = world.server("a").copyData();
  world.server("b").kill();
  await publish(world, 11, 30);
  await world.equal("a", "c");
  world.server("a").kill();
  world.server("a").putBack(copy);
  world.part(["a", "b"], ["c"]);
  world.start("b", ALL);
  world.start("a", ALL);
  await world.linked("a", "b");
  return world;
}

/** These servers have exactly these activities, under the same ids, and `a` another name. */
async function haveAll(world: MeshWorld, servers: readonly string[], all: readonly number[]): Promise<void> {
  await world.until(() => world.server("a").node.serverId !== "a", "the new name");
  await world.equal(...servers);
  await world.run(6_000);
  await world.equal(...servers);
  for (const server of servers) {
    const shown = new Set(world.server(server).activities.map(Number));
    assertEquals([...shown].toSorted((a, b) => a - b), all, server);
    assertEquals(linesOf(world, server), linesOf(world, servers[0]!), server);
  }
  const first = world.server("b").entries;
  for (let n = 1; n <= 30; n++) assertEquals(first.get(`a:${n}`)?.line.activity.n, n);
}

for (const later of [0, 3, 40]) {
  Deno.test(`an old copy that is started again before anybody is reached, and numbers ${later} more, takes a new name: nothing is lost`, async () => {
    const world = await MeshWorld.of(["a", "b"]);
    await publish(world, 1, 10);
    await world.equal("a", "b");
    const copy = world.server("a").copyData();
    await publish(world, 11, 30);
    await world.equal("a", "b");
    world.server("a").kill();
    world.server("a").putBack(copy);
    world.part(["a"], ["b"]);
    world.start("a", ["b"]);
    await publish(world, 101, 105);
    world.server("a").kill();
    world.start("a", ["b"]);
    if (later > 0) await publish(world, 201, 200 + later);
    world.network.heal();
    await haveAll(world, ["a", "b"], numbers([1, 30], [101, 105], [201, 200 + later]));
  });
}

for (const count of [5, 40]) {
  for (const restarts of [false, true]) {
    const when = restarts ? ", which is started again," : "";
    Deno.test(`an old copy${when} gives ${count} entries to one that has less of it before it meets one that has more: both have all in the end`, async () => {
      const world = await oldCopyBesideB();
      await publish(world, 101, 100 + count);
      await world.equal("a", "b");
      if (restarts) {
        world.server("a").kill();
        world.start("a", ALL);
        await world.linked("a", "b");
      }
      world.network.heal();
      await haveAll(world, ALL, numbers([1, 30], [101, 100 + count]));
    });
  }
}

Deno.test("who saw at another server what an old copy had published there is told which numbers are others", async () => {
  const world = await oldCopyBesideB();
  const ben = await world.login("b", "anonymous", { redirects: 3 });
  await publish(world, 101, 105);
  await world.until(() => ben.activities.length === 5, "the deliveries");
  world.network.heal();
  await world.until(() => ben.last("END_CONNECTION") !== undefined, "the end of the connection");
  assertEquals(ben.last("END_CONNECTION")!.reason, "FELL_BEHIND");
  await world.equal(...ALL);
  const again = await world.login("b", "anonymous", { redirects: 3, resume: { vector: { a: 15 } } });
  assertEquals(again.last("LOGIN_SUCCESS")!.resume.gap, [{ origin: "a", first: 11, last: 15 }]);
  await world.until(() => again.activities.includes(30), "what the others have under these numbers");
});

for (const what of ["an activity", "another message"]) {
  Deno.test(`a receipt that comes while ${what} of an old copy has the number of its message is of the one that belongs there`, async () => {
    const world = await MeshWorld.of(["a", "b"]);
    await world.users("a", "bob", "eve");
    const copy = world.server("a").copyData();
    const eve = await world.chat("a", "eve");
    eve.tell("bob", "one", "e-1");
    await world.until(() => eve.receipts.includes("e-1 stored"), "the message");
    await world.equal("a", "b");
    world.server("a").kill();
    const bob = await world.chat("b", "bob");
    await world.until(() => bob.messages.length === 1, "the delivery");
    bob.link.destroy();
    await world.run(50);
    world.part(["a"], ["b"]);
    world.server("a").putBack(copy);
    world.start("a", ["b"]);
    const again = await world.chat("a", "eve");
    const isMessage = what === "another message";
    for (let n = 1; n <= 3; n++) {
      if (isMessage) again.tell("bob", `two-${n}`, `e-2-${n}`);
      else again.publish(n);
    }
    await world.until(() => world.server("a").vector.a! >= world.server("b").vector.a!, "the numbers");
    await world.run(100);
    world.network.heal();
    await world.until(() => world.server("a").node.serverId !== "a", "the new name");
    await world.equal("a", "b");
    for (const server of ["a", "b"]) {
      const texts = world.server(server).inboxOf("bob").map(({ line }) => JSON.parse(line).text);
      assertEquals(texts, isMessage ? ["two-1", "two-2", "two-3"] : [], server);
    }
    assertEquals(linesOf(world, "a"), linesOf(world, "b"));
  });
}

Deno.test("a server that comes back with all that it had keeps its name, however often it was started", async () => {
  const world = await MeshWorld.of(["a", "b"]);
  for (let start = 0; start < 5; start++) {
    await publish(world, 10 * start + 1, 10 * start + 10);
    if (start === 2) world.part(["a"], ["b"]);
    world.server("a").kill();
    world.start("a", ["b"]);
    await world.run(100);
  }
  world.network.heal();
  await world.linked("a", "b");
  await world.equal("a", "b");
  assertEquals(world.server("a").node.serverId, "a");
  assertEquals(world.server("b").vector, { a: 50 });
  const other = await world.login("b", "anonymous", { redirects: 3 });
  other.publish("more");
  await world.equal("a", "b");
  assertNotEquals(world.server("b").vector.b, undefined);
});

Deno.test("a server that does not say what it has under numbers of this one is sent nothing, and its link ends", async () => {
  const world = new MeshWorld();
  world.start("a");
  await world.run(100);
  await publish(world, 1, 3);
  const peer = await world.peer("a", "mute", { vector: { a: 2 }, features: ["thrum/1", "digests"] });
  const [ask] = peer.all("DIGESTS_ASK");
  assertEquals([ask!.origin, ask!.sequences], ["a", [3, 1]]);
  await world.run(4_000);
  assertEquals(peer.all("ENTRIES"), []);
  await world.until(() => peer.last("END_CONNECTION") !== undefined, "the end of the link");
  assertEquals(peer.last("END_CONNECTION")!.reason, "PEER_SILENT");
});

for (const when of ["in the packet with", "long after"]) {
  Deno.test(`who has entries that count no more asks all others what belongs there: it hears of them ${when} the entries`, async () => {
    const world = new MeshWorld();
    world.start("b");
    await world.run(100);
    const features = ["thrum/1", "digests"];
    const line = activityLine("a:1", 1);
    const copy = await world.peer("b", "a", { vector: { a: 1 }, features });
    const knows = await world.peer("b", "c", { features });
    const digest = nodeCrypto.digest(JSON.stringify(line)).slice(0, 32);
    if (when === "long after") {
      copy.entries("a", 1, [line]);
      await world.run(1_000);
    }
    const said: unknown[] = [{ command: "RETRACTED", origin: "a", first: 1, last: 1, digest }];
    if (when === "in the packet with") {
      said.unshift({ command: "ENTRIES", origin: "a", first: 1, last: 1, after: 0, to: "everyone" }, line);
    }
    copy.send(...said as Parameters<FakePeer["send"]>);
    await world.run(100);
    assertEquals(knows.all("DIGESTS_ASK").map(({ origin, sequences }) => [origin, sequences]), [["a", [1]]]);
    // It did not know then.
    knows.send({ command: "DIGESTS", origin: "a", digests: {} });
    const announce = { serverId: "c", host: "c", port: 8000, load: 0, vector: { a: 1 }, members: [], ticketKey: "" };
    knows.send({ command: "SERVER_ANNOUNCE", ...announce, lamport: 2 });
    await world.run(100);
    assertEquals(knows.all("DIGESTS_ASK").length, 2);
    knows.send({ command: "DIGESTS", origin: "a", digests: { 1: "f".repeat(32) } });
    await world.run(100);
    assertEquals(world.server("b").vector.a ?? 0, 0);
  });
}

for (const count of [1, 5]) {
  Deno.test(`one that takes in ${count} of an old copy, and receipts of what others have under these numbers, shows nobody again what was taken`, async () => {
    const world = await MeshWorld.of(ALL);
    await world.users("a", "bob", "eve");
    const copy = world.server("a").copyData();
    world.server("b").kill();
    const eve = await world.chat("a", "eve");
    for (let n = 1; n <= 3; n++) eve.tell("bob", `one-${n}`, `e-1-${n}`);
    await world.equal("a", "c");
    world.server("a").kill();
    const bob = await world.chat("c", "bob");
    await world.until(() => bob.messages.length === 3, "the deliveries");
    bob.link.destroy();
    await world.run(50);
    world.server("a").putBack(copy);
    world.part(["a", "b"], ["c"]);
    world.start("b", ALL);
    world.start("a", ALL);
    await world.linked("a", "b");
    const again = await world.chat("a", "eve");
    for (let n = 1; n <= count; n++) again.tell("bob", `two-${n}`, `e-2-${n}`);
    await world.equal("a", "b");
    world.network.heal();
    await world.until(() => world.server("a").node.serverId !== "a", "the new name");
    await world.equal(...ALL);
    await world.run(12_000);
    await world.equal(...ALL);
    for (const server of ALL) {
      const texts = world.server(server).inboxOf("bob").map(({ line }) => JSON.parse(line).text);
      // Their order is not kept where some of them had come to `c` under numbers of their own before.
      assertEquals(texts.toSorted(), Array.from({ length: count }, (_, index) => `two-${index + 1}`), server);
      assertEquals(linesOf(world, server), linesOf(world, "a"), server);
    }
  });
}

Deno.test("a receipt that came before what an old copy has under the number of its message is of the one that belongs there", async () => {
  const world = new MeshWorld();
  world.start("b");
  await world.run(100);
  const features = ["thrum/1", "digests"];
  const message = (text: string, messageId: string) => {
    return { command: "DIRECT_MESSAGE", from: "eve", to: "bob", text, messageId, id: "a:1", lamport: 1, sentAt: 1 };
  };
  const wrong = message("two", "e-2");
  const knows = await world.peer("b", "c", { vector: { c: 1 }, features });
  const receipt = { command: "RECEIPT", messageId: "e-1", state: "delivered", of: "a:1", to: "bob", id: "c:1" };
  knows.entries("c", 1, [{ ...receipt, lamport: 2 }], { to: { user: "eve" } });
  await world.until(() => world.server("b").vector.c === 1, "the receipt");
  const copy = await world.peer("b", "a", { vector: { a: 1 }, features });
  copy.entries("a", 1, [wrong], { to: { user: "bob" } });
  await world.until(() => world.server("b").vector.a === 1, "what counts no more");
  const digest = nodeCrypto.digest(JSON.stringify(wrong)).slice(0, 32);
  copy.send({ command: "RETRACTED", origin: "a", first: 1, last: 1, digest });
  await world.until(() => knows.last("DIGESTS_ASK") !== undefined, "the question");
  knows.send({ command: "DIGESTS", origin: "a", digests: { 1: "f".repeat(32) } });
  await world.until(() => (world.server("b").vector.a ?? 0) === 0, "the cut");
  copy.link.destroy();
  const announce = { serverId: "c", host: "c", port: 8000, load: 0, members: [], ticketKey: "" };
  knows.send({ command: "SERVER_ANNOUNCE", ...announce, vector: { a: 1, c: 1 }, lamport: 2 });
  await world.until(() => knows.last("WANT")?.vector.a === 0, "the wish for it");
  knows.entries("a", 1, [message("one", "e-1")], { to: { user: "bob" } });
  await world.until(() => world.server("b").vector.a === 1, "what belongs there");
  assertEquals(world.server("b").inboxOf("bob"), []);
});

const SIX = [1, 2, 3, 4, 5, 6];

/**
 * Eve has sent six messages to bob, which both servers have. Then `a` runs on an older copy of its data, without them,
 * and does not reach `b`. Eve is there again.
 */
async function oldCopyWithoutMessages(): Promise<{ world: MeshWorld; eve: MeshClient }> {
  const world = await MeshWorld.of(["a", "b"]);
  await world.users("a", "bob", "eve");
  const copy = world.server("a").copyData();
  const eve = await world.chat("a", "eve");
  for (const n of SIX) eve.tell("bob", `one-${n}`, `e-1-${n}`);
  await world.equal("a", "b");
  world.server("a").kill();
  world.server("a").putBack(copy);
  world.part(["a"], ["b"]);
  world.start("a", ["b"]);
  return { world, eve: await world.chat("a", "eve") };
}

Deno.test("what an old copy delivered says nothing of the messages that belong under these numbers", async () => {
  const { world, eve } = await oldCopyWithoutMessages();
  const bob = await world.chat("a", "bob");
  for (const n of SIX) eve.tell("bob", `two-${n}`, `e-2-${n}`);
  await world.until(() => eve.receipts.includes("e-2-6 delivered"), "the deliveries");
  bob.send({ command: "LOGOUT" });
  await world.run(50);
  world.network.heal();
  await world.until(() => world.server("a").node.serverId !== "a", "the new name");
  await world.equal("a", "b");
  const back = await world.chat("a", "bob");
  await world.until(() => back.messages.length === 6, "what waited");
  await world.equal("a", "b");
  assertEquals(back.messages, SIX.map((n) => `one-${n}`));
  for (const server of ["a", "b"]) assertEquals(world.server(server).inboxOf("bob"), [], server);
});

Deno.test("what was on its way to a plain client when its server took a new name is noted as delivered, and what belongs under these numbers comes too", async () => {
  const { world, eve } = await oldCopyWithoutMessages();
  const bob = await world.plain("a", "bob", await world.dial("a", "bobs"));
  world.network.fallAsleep("bobs");
  for (const n of SIX) eve.tell("bob", `two-${n}`, `e-2-${n}`);
  await world.until(() => eve.receipts.includes("e-2-6 stored"), "the messages");
  world.network.heal();
  await world.until(() => world.server("a").node.serverId !== "a", "the new name");
  await world.equal("a", "b");
  assertEquals(world.server("b").inboxOf("bob").length, 12);
  world.network.wakeUp("bobs");
  await world.until(() => bob.plainMessages.length >= 12, "all messages");
  await world.run(1_000);
  await world.equal("a", "b");
  assertEquals(bob.plainMessages.toSorted(), [...SIX.map((n) => `eve: one-${n}`), ...SIX.map((n) => `eve: two-${n}`)]);
  for (const server of ["a", "b"]) assertEquals(world.server(server).inboxOf("bob"), [], server);
});

for (const isFirst of [false, true]) {
  const when = isFirst ? "before" : "after";
  Deno.test(`what an old copy sent and another server delivered does not wait there under its new name, which comes ${when} the cut`, async () => {
    const world = new MeshWorld();
    world.start("b");
    await world.run(100);
    await world.users("b", "bob");
    const features = ["thrum/1", "digests"];
    const message = (id: string) => {
      return { command: "DIRECT_MESSAGE", from: "eve", to: "bob", text: "one", messageId: "e-1", id };
    };
    const line = { ...message("a:1"), lamport: 1, sentAt: 1 };
    const knows = await world.peer("b", "c", { features });
    const copy = await world.peer("b", "a", { vector: { a: 1 }, features });
    copy.entries("a", 1, [line], { to: { user: "bob" } });
    const bob = await world.chat("b", "bob");
    await world.until(() => bob.messages.length === 1, "the delivery");
    bob.link.destroy();
    await world.until(() => world.server("b").inboxOf("bob").length === 0, "the receipt");
    const renamed = await world.peer("b", "a-1", { vector: { "a-1": 1 }, features });
    const comesAgain = async () => {
      renamed.entries("a-1", 1, [{ ...message("a-1:1"), lamport: 1, sentAt: 1 }], { to: { user: "bob" } });
      await world.until(() => world.server("b").vector["a-1"] === 1, "the message under its new name");
    };
    if (isFirst) await comesAgain();
    const digest = nodeCrypto.digest(JSON.stringify(line)).slice(0, 32);
    knows.send({ command: "RETRACTED", origin: "a", first: 1, last: 1, digest });
    await world.until(() => knows.last("DIGESTS_ASK") !== undefined, "the question");
    knows.send({ command: "DIGESTS", origin: "a", digests: { 1: "f".repeat(32) } });
    await world.until(() => (world.server("b").vector.a ?? 0) === 0, "the cut");
    if (!isFirst) await comesAgain();
    await world.run(100);
    assertEquals(world.server("b").inboxOf("bob"), []);
    // The number belongs to another message, which waits.
    copy.link.destroy();
    const announce = { serverId: "c", host: "c", port: 8000, load: 0, members: [], ticketKey: "" };
    knows.send({ command: "SERVER_ANNOUNCE", ...announce, vector: { a: 1 }, lamport: 2 });
    await world.until(() => knows.last("WANT")?.vector.a === 0, "the wish for it");
    knows.entries("a", 1, [{ ...line, text: "two", messageId: "e-2" }], { to: { user: "bob" } });
    await world.until(() => world.server("b").vector.a === 1, "what belongs there");
    assertEquals(world.server("b").inboxOf("bob").length, 1);
  });
}
