/** A connection that ends while the disk is written gets what it is owed first, and the event loop waits for nobody. */

import { assertEquals } from "@std/assert";
import { type FakeLineClient, NodeWorld } from "../../support/node_world.ts";
import type { Received } from "../../support/line_client.ts";
import { WaitingStore } from "../../support/waiting_store.ts";

const LOGIN = { command: "LOGIN", username: "anonymous", features: ["ack"] };
const PUBLISH = { command: "ACTIVITY_MESSAGE", activity: { n: 1 }, messageId: "m-1" };

/** A client that has sent `lines`, whose turn is not on the disk yet; and how often the event loop waited since. */
async function owed(...lines: Received[]) {
  const disk = new WaitingStore();
  const world = await NodeWorld.start({}, { store: disk.store });
  const client = await world.connect(LOGIN);
  disk.sync(Infinity);
  await world.settle();
  const before = disk.finished;
  client.send(...lines);
  await world.settle();
  return { disk, world, client, waits: () => disk.finished - before };
}

function without(client: FakeLineClient, command: string): string[] {
  return client.commands.filter((one) => one !== command);
}

Deno.test("a client that logs out before its answer is on the disk has the answer first, and what it sends then is not taken", async () => {
  const more = { command: "ACTIVITY_MESSAGE", activity: { n: 2 }, messageId: "m-2" };
  const { disk, world, client, waits } = await owed(PUBLISH, { command: "LOGOUT" }, more);
  assertEquals([client.commands, client.end], [["LOGIN_SUCCESS"], undefined]);
  client.send(more);
  await world.clock.run(2_000);
  assertEquals([client.commands, client.end, waits()], [["LOGIN_SUCCESS"], undefined, 0]);
  disk.sync(Infinity);
  await world.settle();
  const [answer] = client.received.filter(({ command }) => command === "ACTIVITY_ACK");
  assertEquals([answer!.messageId, client.end, waits()], ["m-1", "local", 0]);
  assertEquals(disk.store.missing({}).activities, 1);
  assertEquals(without(client, "ACTIVITY_BROADCAST"), ["LOGIN_SUCCESS", "ACTIVITY_ACK"]);
  await world.stop();
});

Deno.test("a client with a wrong line behind what it published has its answer, and then hears what is wrong", async () => {
  const { disk, world, client, waits } = await owed(PUBLISH, { command: "ACTIVITY_MESSAGE" });
  assertEquals([client.commands, client.end], [["LOGIN_SUCCESS"], undefined]);
  disk.sync(Infinity);
  await world.settle();
  assertEquals(without(client, "ACTIVITY_BROADCAST"), ["LOGIN_SUCCESS", "ACTIVITY_ACK", "INVALID_MESSAGE"]);
  assertEquals([client.end, waits()], ["local", 0]);
  await world.stop();
});

Deno.test("a client that sends no more has its answer when that is on the disk, and is closed then", async () => {
  const { disk, world, client, waits } = await owed(PUBLISH);
  client.finish();
  await world.clock.run(1_000);
  assertEquals([client.commands, client.end], [["LOGIN_SUCCESS"], undefined]);
  disk.sync(Infinity);
  await world.clock.run(1_000);
  assertEquals(without(client, "ACTIVITY_BROADCAST"), ["LOGIN_SUCCESS", "ACTIVITY_ACK"]);
  assertEquals([client.end, waits()], ["local", 0]);
  await world.stop();
});

Deno.test("a client that is cut while its last answer waits for the disk is gone, and nothing is left of it", async () => {
  const { disk, world, client, waits } = await owed(PUBLISH, { command: "LOGOUT" });
  client.link.destroy();
  await world.settle();
  disk.sync(Infinity);
  await world.settle();
  assertEquals([world.node.connectionCount, waits()], [0, 0]);
  await world.stop();
});
