/**
 * Receipts of direct messages where an old copy of a server's data had given numbers out, and these are cut back: the
 * sender is told of the delivery, whatever came first.
 */

import { assertEquals } from "@std/assert";
import { nodeCrypto } from "../../../../platform/crypto.ts";
import type { Received } from "../../../support/line_client.ts";
import { type FakePeer, MeshWorld } from "../../../support/mesh_world.ts";

const FEATURES = ["thrum/1", "digests"];
const EVE = { to: { user: "eve" } };

function receipt(id: string, of: string): Received {
  return { command: "RECEIPT", of, to: "bob", messageId: "e-1", state: "delivered", id, lamport: 2 };
}

function message(id: string): Received {
  return {
    command: "DIRECT_MESSAGE",
    from: "eve",
    to: "bob",
    text: "one",
    messageId: "e-1",
    id,
    lamport: 1,
    sentAt: 1,
  };
}

/** The server "b" with eve, who was there and has got nothing since, and servers that a test plays. */
async function eveWasAtB(): Promise<{ world: MeshWorld; knows: FakePeer; copy: FakePeer }> {
  const world = new MeshWorld();
  world.start("b");
  await world.run(100);
  await world.users("b", "bob", "eve");
  const knows = await world.peer("b", "knows", { features: FEATURES });
  const copy = await world.peer("b", "a", { vector: { a: 1 }, features: FEATURES });
  return { world, knows, copy };
}

/** What "b" has as a:1 counts no more, as it hears. */
async function cut(world: MeshWorld, knows: FakePeer, line: Received): Promise<void> {
  const digest = nodeCrypto.digest(JSON.stringify(line)).slice(0, 32);
  knows.send({ command: "RETRACTED", origin: "a", first: 1, last: 1, digest });
  await world.until(() => knows.last("DIGESTS_ASK") !== undefined, "the question");
  knows.send({ command: "DIGESTS", origin: "a", digests: { 1: "f".repeat(32) } });
  await world.until(() => (world.server("b").vector.a ?? 0) === 0, "the cut");
}

for (const isFirst of [false, true]) {
  const when = isFirst ? "before" : "after";
  Deno.test(`a sender is told of a delivery whose receipt comes under the new name of an old copy ${when} the cut`, async () => {
    const { world, knows, copy } = await eveWasAtB();
    const eve = await world.chat("b", "eve");
    eve.tell("bob", "one", "e-1");
    await world.until(() => eve.receipts.length === 1, "that it is stored");
    const { vector } = eve;
    const [id] = [...world.server("b").entries.keys()].slice(-1);
    eve.link.destroy();
    await world.run(50);
    const line = receipt("a:1", id!);
    copy.entries("a", 1, [line], EVE);
    await world.until(() => world.server("b").vector.a === 1, "the receipt of the copy");
    const renamed = await world.peer("b", "a-1", { vector: { "a-1": 1 }, features: FEATURES });
    const comesAgain = async () => {
      renamed.entries("a-1", 1, [receipt("a-1:1", id!)], EVE);
      await world.until(() => world.server("b").vector["a-1"] === 1, "the receipt under the new name");
    };
    if (isFirst) await comesAgain();
    await cut(world, knows, line);
    if (!isFirst) await comesAgain();
    const back = await world.chat("b", "eve", { resume: { vector } });
    await world.run(100);
    assertEquals(back.receipts, ["e-1 delivered"]);
  });
}

Deno.test("a sender is told of a delivery at a third server, whose entries enter the log anew after a cut", async () => {
  const { world, knows, copy } = await eveWasAtB();
  const { vector } = await world.chat("b", "eve");
  const line = message("a:1");
  copy.entries("a", 1, [line], { to: { user: "bob" } });
  await world.until(() => world.server("b").vector.a === 1, "the message of the copy");
  const third = await world.peer("b", "c", { vector: { c: 2 }, features: FEATURES });
  third.entries("c", 1, [message("c:1")], { to: { user: "bob" } });
  third.entries("c", 2, [receipt("c:2", "c:1")], EVE);
  await world.until(() => world.server("b").vector.c === 2, "what the third server has");
  await cut(world, knows, line);
  const back = await world.chat("b", "eve", { resume: { vector } });
  await world.run(100);
  assertEquals(back.receipts, ["e-1 delivered"]);
  assertEquals(world.server("b").inboxOf("bob"), []);
});
