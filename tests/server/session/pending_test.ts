/**
 * With `durability: "replicated"` and no other server alive: nothing is lost, and nobody waits without knowing why
 * (docs/protocol.md, section 2.6).
 */

import { assertEquals } from "@std/assert";
import { MeshWorld } from "../../support/mesh_world.ts";

const CONFIG = { cluster: { durability: "replicated" } } as const;

Deno.test("who waits for another server is told so once, after a moment, and is answered when that is back", async () => {
  const world = await MeshWorld.of(["a", "b"], CONFIG);
  const client = await world.login("a");
  const plain = await world.login("a", "anonymous", { features: [] });
  const noAck = await world.login("a", "anonymous", { features: ["resume"] });
  client.publish(1, "quick");
  await world.run(100);
  assertEquals(client.all("ACTIVITY_ACK").map(({ messageId }) => messageId), ["quick"]);
  world.server("b").powerOff();
  await world.run(100);
  client.publish(2, "m-2");
  client.publish(3);
  client.publish(4, "m-4");
  for (const other of [plain, noAck]) other.publish(5, "other");
  await world.run(1_500);
  assertEquals(client.all("ACTIVITY_PENDING"), []);
  assertEquals(world.server("a").node.metrics().pending, 2);
  await world.run(30_000);
  const info = "it is stored here, and waits for another server to have it too";
  assertEquals(client.all("ACTIVITY_PENDING"), [
    { command: "ACTIVITY_PENDING", messageId: "m-2", info },
    { command: "ACTIVITY_PENDING", messageId: "m-4", info },
  ]);
  for (const other of [plain, noAck]) assertEquals(other.all("ACTIVITY_PENDING"), []);
  world.start("b", ["a"], CONFIG);
  await world.until(() => client.all("ACTIVITY_ACK").length === 3, "the acknowledgements");
  assertEquals(client.all("ACTIVITY_PENDING").length, 2);
  assertEquals(world.server("a").node.metrics().pending, 0);
  // The next one waits anew.
  client.publish(6, "m-6");
  await world.run(3_000);
  assertEquals([client.all("ACTIVITY_PENDING").length, client.all("ACTIVITY_ACK").length], [2, 4]);
});

Deno.test("the sender of a direct message is told the same; one who is gone, and one that is sent again, change nothing", async () => {
  const world = await MeshWorld.of(["a", "b"], CONFIG);
  for (const name of ["anna", "bob"]) await world.register("a", name);
  const anna = await world.login("a", "anna", { features: ["ack", "chat"] });
  const gone = await world.login("a");
  world.server("b").powerOff();
  await world.run(100);
  anna.tell("bob", "hello", "d-1");
  gone.publish(1, "g-1");
  await world.run(100);
  gone.link.destroy();
  await world.run(5_000);
  assertEquals(anna.all("ACTIVITY_PENDING").map(({ messageId }) => messageId), ["d-1"]);
  assertEquals(anna.receipts, []);
  anna.tell("bob", "hello", "d-1");
  await world.run(5_000);
  assertEquals(anna.all("ACTIVITY_PENDING").length, 2);
  world.start("b", ["a"], CONFIG);
  await world.until(() => anna.receipts.includes("d-1 stored"), "the receipt");
});
