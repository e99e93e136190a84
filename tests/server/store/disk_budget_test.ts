/** What a server does when the disk budget is used up, seen by its clients. */

import { assert, assertEquals } from "@std/assert";
import type { DiskUse } from "../../../server/store/budget.ts";
import { openMemoryStore } from "../../../server/store/memory_store.ts";
import { StoreError } from "../../../server/store/store.ts";
import { diskUse, withDiskUse } from "../../support/disk_use.ts";
import { MeshServer, MeshWorld } from "../../support/mesh_world.ts";
import { NodeWorld, waitFor } from "../../support/node_world.ts";

const LOOK_MS = 1_000;
const CONFIG = { store: { maxBytes: 1_000, minFreeBytes: 100 } };
const WITH_ACK = { command: "LOGIN", username: "anonymous", features: ["ack", "chat"] };

/** A store in memory that says it takes so much of a disk. */
class OnDisk {
  looks = 0;
  problem: StoreError | undefined;
  #use = diskUse(0);
  readonly store = withDiskUse(openMemoryStore({ serverId: "s-1" }), () => this.#look());

  takes(bytes: number, freeBytes?: number): void {
    this.#use = diskUse(bytes, freeBytes);
  }

  #look(): DiskUse {
    this.looks++;
    if (this.problem !== undefined) throw this.problem;
    return this.#use;
  }
}

async function world(disk: OnDisk): Promise<NodeWorld> {
  return await NodeWorld.start(CONFIG, { store: disk.store });
}

function activity(messageId: string) {
  return { command: "ACTIVITY_MESSAGE", activity: { n: 1 }, messageId };
}

Deno.test("a server without space refuses what clients publish, goes on reading to them, and takes it again later", async () => {
  const disk = new OnDisk();
  const servers = await world(disk);
  const client = await servers.connect(WITH_ACK, activity("before"));
  disk.takes(1_000);
  await servers.clock.run(LOOK_MS);
  client.send(activity("during"), activity("before"));
  await servers.settle();
  disk.takes(500);
  await servers.clock.run(LOOK_MS);
  client.send(activity("during"));
  await servers.settle();
  const answers = client.received.filter(({ command }) => command.startsWith("ACTIVITY_"));
  assertEquals(answers.map(({ command, messageId, reason, id }) => [command, messageId, reason ?? id]), [
    ["ACTIVITY_ACK", "before", "s-1:1"],
    ["ACTIVITY_BROADCAST", "before", "s-1:1"],
    ["ACTIVITY_FAILED", "during", "NO_SPACE"],
    ["ACTIVITY_ACK", "before", "s-1:1"],
    ["ACTIVITY_ACK", "during", "s-1:2"],
    ["ACTIVITY_BROADCAST", "during", "s-1:2"],
  ]);
  assertEquals((await servers.stop()).error, undefined);
});

Deno.test("without space a plain client is closed when it publishes, and may log in and read", async () => {
  const disk = new OnDisk();
  const servers = await world(disk);
  disk.takes(0, 99);
  await servers.clock.run(LOOK_MS);
  const reader = await servers.connect({ command: "LOGIN", username: "anonymous" });
  const writer = await servers.connect({ command: "LOGIN", username: "anonymous" }, {
    command: "ACTIVITY_MESSAGE",
    activity: { n: 1 },
  });
  await servers.clock.run(10);
  assertEquals(reader.commands, ["LOGIN_SUCCESS"]);
  assertEquals(reader.end, undefined);
  assertEquals(writer.commands, ["LOGIN_SUCCESS"]);
  assert(writer.end !== undefined);
  const closed = Object.entries(servers.node.metrics().closed).filter(([, count]) => count > 0);
  assertEquals(closed, [["NO_SPACE", 1]]);
  assertEquals((await servers.stop()).error, undefined);
});

Deno.test("a server looks at the disk before it has written more than its limit leaves, and not with each turn", async () => {
  const disk = new OnDisk();
  const servers = await world(disk);
  disk.takes(0);
  const client = await servers.connect(WITH_ACK);
  assertEquals(disk.looks, 1);
  client.send(activity("small"));
  await servers.settle();
  assertEquals(disk.looks, 1, "what is left is more than this can take");
  disk.takes(1_000);
  client.send({ ...activity("large"), activity: { text: "x".repeat(400) } });
  await servers.settle();
  assertEquals(disk.looks, 2);
  client.send(activity("late"));
  await servers.settle();
  assertEquals(client.received.at(-1)?.command, "ACTIVITY_FAILED");
  assertEquals((await servers.stop()).error, undefined);
});

Deno.test("a server whose disk cannot be looked at ends as one whose disk fails", async () => {
  const disk = new OnDisk();
  const servers = await world(disk);
  const broken = new StoreError("Cannot read: the disk reports an error");
  disk.problem = broken;
  await servers.clock.run(LOOK_MS);
  assertEquals((await waitFor(servers)).error, broken);
});

Deno.test("a full server goes on taking what others have accepted, until its reserve is used up, and then catches up", async () => {
  const world = new MeshWorld();
  const full = new MeshServer("b", world);
  full.diskUse = diskUse(1_000);
  world.servers.set("b", full);
  world.start("a");
  world.start("b", ["a"], CONFIG);
  await world.linked("a", "b");
  const anna = await world.login("a");
  const ben = await world.login("b", "anonymous", { redirects: 3 });
  anna.publish(1);
  ben.publish("refused");
  await world.equal("a", "b");
  assertEquals(full.vector, { a: 1 });
  assertEquals(ben.commands.filter((command) => command === "ACTIVITY_FAILED").length, 1);

  full.diskUse = diskUse(1_100);
  await world.run(LOOK_MS);
  anna.publish(2);
  await world.run(100);
  assertEquals([world.server("a").vector, full.vector], [{ a: 2 }, { a: 1 }]);

  full.diskUse = diskUse(1_050);
  await world.equal("a", "b");
  anna.publish(3);
  await world.run(100);
  assertEquals(full.vector, { a: 3 });
  assertEquals(ben.activities, [1, 2, 3]);
});

Deno.test("a server to which nobody said how much it may take takes four fifths of what was there at its first start", async () => {
  const world = new MeshWorld();
  const server = new MeshServer("a", world);
  world.servers.set("a", server);
  const config = { store: { maxBytes: 0, minFreeBytes: 0 } };
  server.diskUse = diskUse(1_000, 9_000);
  world.start("a", [], config);
  await world.run(100);
  assertEquals(server.node.metrics().disk?.limits.maxBytes, 8_000);
  server.kill();
  server.diskUse = diskUse(7_000, 100);
  world.start("a", [], config);
  await world.run(100);
  assertEquals(server.node.metrics().disk?.limits.maxBytes, 8_000);
});

Deno.test("a look that no file is left for is no fault of the disk: the server goes on, and looks again", async () => {
  const disk = new OnDisk();
  const servers = await world(disk);
  const client = await servers.connect(WITH_ACK);
  disk.problem = new StoreError("Cannot read", { cause: Object.assign(new Error("no file left"), { code: "EMFILE" }) });
  await servers.clock.run(3 * LOOK_MS);
  client.send(activity("during"));
  await servers.settle();
  assertEquals(client.received.filter(({ command }) => command === "ACTIVITY_ACK").length, 1);
  disk.problem = undefined;
  disk.takes(1_000);
  await servers.clock.run(LOOK_MS);
  client.send(activity("later"));
  await servers.settle();
  assertEquals(client.commands.at(-1), "ACTIVITY_FAILED");
  assertEquals((await servers.stop()).reason, "stopped");
});
