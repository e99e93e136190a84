/**
 * A server drops what an old copy of another one gave it. What came later as a repeat of that enters its log anew, and
 * so does all that its origin published since (docs/network.md, Replication).
 */

import { assertEquals } from "@std/assert";
import { nodeCrypto } from "../../../platform/crypto.ts";
import { MeshWorld } from "../../support/mesh_world.ts";

const ALL = ["a", "b", "c"];
/** What is sent in all. */
const NUMBERS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 101, 102, 103, 104, 105, 106];

/**
 * An old copy of `a` and `c` cannot talk, and `b` hears both. Gives `b` the messages that `say` sends through the copy,
 * and through `c` all of them again, with `more` after them. Then all is mended.
 */
async function repeat(world: MeshWorld, say: (server: string, numbers: readonly number[]) => Promise<void>) {
  const copy = world.server("a").copyData();
  await say("a", [1, 2, 3]);
  await world.equal("a", "c");
  world.server("b").kill();
  await say("a", [4, 5, 6, 7, 8, 9]);
  await world.equal("a", "c");
  world.server("a").kill();
  world.server("a").putBack(copy);
  world.part(["a"], ["c"]);
  world.start("b", ALL);
  world.start("a", ALL);
  await world.linked("a", "b");
  await say("a", [101, 102, 103]);
  await world.equal("a", "b");
  await world.linked("b", "c");
  await say("c", [101, 102, 103, 104, 105, 106]);
  await world.until(() => world.server("b").vector.c === world.server("c").vector.c, "what c has");
}

Deno.test("what another server published after repeats of an old copy's activities is shown to everyone", async () => {
  const world = await MeshWorld.of(ALL);
  await repeat(world, async (server, numbers) => {
    const eve = await world.login(server, "anonymous", { redirects: 3 });
    for (const n of numbers) eve.publish(n, `m-${n}`);
    await world.until(() => eve.all("ACTIVITY_ACK").length === numbers.length, "the acknowledgements");
    eve.link.destroy();
  });
  world.network.heal();
  await world.until(() => world.server("a").node.serverId !== "a", "the new name");
  await world.equal(...ALL);
  await world.run(6_000);
  await world.equal(...ALL);
  for (const server of ALL) {
    const shown = world.server(server).activities.map(Number);
    assertEquals(shown.toSorted((a, b) => a - b), NUMBERS, server);
  }
});

Deno.test("who is sent back for an old copy's activities is not sent again what came after repeats of them", async () => {
  const world = await MeshWorld.of(ALL);
  await repeat(world, async (server, numbers) => {
    const eve = await world.login(server, "anonymous", { redirects: 3 });
    for (const n of numbers) eve.publish(n, `m-${n}`);
    await world.until(() => eve.all("ACTIVITY_ACK").length === numbers.length, "the acknowledgements");
    eve.link.destroy();
  });
  const reader = await world.login("b", "anonymous", { redirects: 3, resume: { vector: {} } });
  await world.until(() => reader.activities.includes(106), "what was published last");
  world.network.heal();
  await world.until(() => world.server("a").node.serverId !== "a", "the new name");
  await world.until(() => reader.end !== undefined, "the end of the connection");
  const ids = reader.all("ACTIVITY_BROADCAST").map(({ id }) => id);
  assertEquals(ids, [...new Set(ids)]);
});

Deno.test("a delivery is told whose first receipt an old copy gave under a number that its sender has", async () => {
  const world = new MeshWorld();
  world.start("b");
  await world.run(100);
  await world.users("b", "bob", "eve");
  const features = ["thrum/1", "digests"];
  const copy = await world.peer("b", "a", { vector: { a: 1 }, features });
  const knows = await world.peer("b", "c", { features });
  const has = { resume: { vector: { ...world.server("b").vector, a: 1 } } };
  const eve = await world.chat("b", "eve", has);
  eve.tell("bob", "one", "e-1");
  await world.until(() => eve.receipts.includes("e-1 stored"), "the message");
  const message = world.server("b").inboxOf("bob")[0]!;
  const of = `${message.origin}:${message.sequence}`;
  const receipt = (id: string) => {
    return { command: "RECEIPT", messageId: "e-1", state: "delivered", of, to: "bob", id, lamport: 9 };
  };
  copy.entries("a", 1, [receipt("a:1")], { to: { user: "eve" } });
  await world.until(() => world.server("b").vector.a === 1, "the receipt");
  await world.run(100);
  // She has what belongs under its number.
  assertEquals(eve.receipts, ["e-1 stored"]);
  const digest = nodeCrypto.digest(JSON.stringify(receipt("a:1"))).slice(0, 32);
  copy.send({ command: "RETRACTED", origin: "a", first: 1, last: 1, digest });
  await world.until(() => knows.last("DIGESTS_ASK") !== undefined, "the question");
  knows.send({ command: "DIGESTS", origin: "a", digests: { 1: "f".repeat(32) } });
  await world.until(() => (world.server("b").vector.a ?? 0) === 0 && eve.end !== undefined, "the cut");
  const again = await world.chat("b", "eve", has);
  const renamed = await world.peer("b", "a-1", { vector: { "a-1": 1 }, features });
  renamed.entries("a-1", 1, [receipt("a-1:1")], { to: { user: "eve" } });
  await world.until(() => world.server("b").vector["a-1"] === 1, "the receipt under its new name");
  await world.run(100);
  assertEquals(again.receipts.filter((one) => one === "e-1 delivered"), ["e-1 delivered"]);
});

for (const taken of [true, false]) {
  Deno.test(`direct messages that come after repeats of an old copy's ${taken ? "do not wait again where they were taken" : "wait until they are taken"}`, async () => {
    const world = await MeshWorld.of(ALL);
    await world.users("b", "bob", "eve");
    await repeat(world, async (server, numbers) => {
      const eve = await world.chat(server, "eve");
      for (const n of numbers) eve.tell("bob", `text ${n}`, `e-${n}`);
      await world.until(() => eve.receipts.length >= numbers.length, "the messages");
      eve.link.destroy();
    });
    if (taken) {
      const bob = await world.chat("b", "bob");
      await world.until(() => bob.messages.length >= 6, "the deliveries");
      bob.send({ command: "LOGOUT" });
      await world.run(50);
    }
    world.network.heal();
    await world.until(() => world.server("a").node.serverId !== "a", "the new name");
    await world.equal(...ALL);
    await world.run(6_000);
    await world.equal(...ALL);
    // Bob was at a server that did not know of the others.
    const left = taken ? [4, 5, 6, 7, 8, 9] : [...NUMBERS];
    for (const server of ALL) {
      const texts = world.server(server).inboxOf("bob").map(({ line }) => JSON.parse(line).text);
      assertEquals(texts.toSorted(), left.map((n) => `text ${n}`).toSorted(), server);
    }
  });
}

for (const kept of ["an account, which is kept", "an activity, which only a third server has"]) {
  Deno.test(`logs are equal again where the last common entry of an old copy is forgotten, and the first one is ${kept}`, async () => {
    const little = { store: { activityRetentionBytes: 1_000 } };
    const world = await MeshWorld.of(["a", "b"], little);
    world.start("c", ALL);
    await world.linked(...ALL);
    const publish = async (server: string, n: unknown) => {
      const eve = await world.login(server, "anonymous", { redirects: 3 });
      eve.publish(n);
      await world.until(() => eve.activities.length > 0, "the activity");
      eve.link.destroy();
    };
    if (kept.startsWith("an account")) await world.users("a", "ada");
    else await publish("a", 0);
    await publish("a", 1);
    await world.equal(...ALL);
    const copy = world.server("a").copyData();
    await publish("a", 2);
    await world.equal(...ALL);
    world.server("a").kill();
    world.server("c").kill();
    world.part(["a"], ["b"]);
    for (let n = 0; n < 10; n++) await publish("b", "x".repeat(200));
    // By then it has forgotten all of `a` but accounts and the newest entry.
    await world.run(60_000);
    world.server("a").putBack(copy);
    world.start("a", ALL, little);
    await publish("a", 102);
    world.network.heal();
    await world.until(() => world.server("a").node.serverId !== "a", "the new name");
    world.start("c", ALL);
    await world.linked("b", "c");
    await world.equal(...ALL);
    assertEquals(world.server("a").vector.a, 3);
  });
}
