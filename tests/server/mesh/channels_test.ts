/** Channels between servers (docs/protocol.md, sections 2.16 and 4.8), on a fake network. */

import { assertEquals } from "@std/assert";
import type { Received } from "../../support/line_client.ts";
import { activityLine, loginOf, type MeshClient, MeshWorld } from "../../support/mesh_world.ts";

const FEATURES = ["ack", "resume", "channels"];

function reading(channels: readonly string[], more: Received = {}): Received {
  return loginOf("anonymous", { features: FEATURES, channels, redirects: 3, ...more });
}

function publish(client: MeshClient, n: number, channel?: string): void {
  client.send({ command: "ACTIVITY_MESSAGE", messageId: `m-${n}`, activity: { n }, ...(channel && { channel }) });
}

Deno.test("activities of a channel reach its readers at every server, and go on where a client goes on", async () => {
  const world = await MeshWorld.of(["a", "b", "c"]);
  const [lab, plain] = [await world.client("b", reading(["lab/**"])), await world.plain("b", "anonymous")];
  const sender = await world.client("a", reading([]));
  publish(sender, 1, "lab");
  publish(sender, 2);
  publish(sender, 3, "hall");
  publish(sender, 4, "lab/door");
  await world.run(100);
  assertEquals([lab.activities, plain.activities], [[1, 4], [2]]);
  // The server of the client is lost: another one has what it misses.
  lab.link.destroy();
  publish(sender, 5, "lab");
  publish(sender, 6, "hall");
  await world.run(100);
  const back = await world.client("c", reading(["lab/**"], { resume: { vector: lab.vector } }));
  assertEquals(back.activities, [5]);
  publish(sender, 7, "lab");
  await world.run(100);
  assertEquals(back.activities, [5, 7]);
});

Deno.test("channels outlast a restart, and a message id of one is used at every server", async () => {
  const world = await MeshWorld.of(["a", "b"]);
  const sender = await world.client("a", reading(["**"]));
  publish(sender, 1, "lab");
  publish(sender, 2);
  await world.run(100);
  world.server("b").kill();
  await world.run(100);
  world.start("b", ["a"]);
  await world.linked("a", "b");
  const lab = await world.client("b", reading(["lab"], { resume: { vector: {} } }));
  const plain = await world.client("b", loginOf("anonymous", { resume: { vector: {} }, redirects: 3 }));
  const again = await world.client("b", reading(["**"]));
  publish(again, 1, "lab");
  await world.run(100);
  assertEquals([lab.activities, plain.activities, again.activities], [[1], [2], []]);
  assertEquals(again.last("ACTIVITY_ACK")!.id, sender.all("ACTIVITY_ACK")[0]!.id);
});

Deno.test("no channel is taken while a server is known that does not understand channels", async () => {
  const world = await MeshWorld.of(["a"]);
  const sender = await world.client("a", reading(["**"]));
  const older = await world.peer("a", "older");
  publish(sender, 1, "lab");
  publish(sender, 2);
  await world.run(100);
  assertEquals(sender.last("ACTIVITY_FAILED")!.reason, "CHANNELS_LATER");
  assertEquals(sender.activities, [2]);
  // It has left, and comes back as a newer one.
  older.send({ command: "END_CONNECTION", reason: "SERVER_STOPPING", info: "", reconnect: "now" });
  await world.run(100);
  const newer = await world.peer("a", "older", { features: ["thrum/1", "channels"] });
  publish(sender, 1, "lab");
  await world.run(100);
  assertEquals(sender.activities, [2, 1]);
  assertEquals(newer.received.findLast(({ command }) => command === "ACTIVITY_BROADCAST")!.channel, "lab");
});

Deno.test("a server that does not understand channels gets nothing of one, whatever comes first", async () => {
  const world = await MeshWorld.of(["a"]);
  const older = await world.peer("a", "older");
  const newer = await world.peer("a", "newer", { features: ["thrum/1", "channels"] });
  // Another server has not met the older one when it takes the first activity of a channel.
  newer.entries("newer", 1, [activityLine("newer:1", 1, { channel: "lab" })]);
  await world.run(100);
  older.send({ command: "WANT", vector: { newer: 0 } });
  await world.run(100);
  assertEquals(older.last("END_CONNECTION")?.reason, "TOO_OLD");
  assertEquals(older.all("ACTIVITY_BROADCAST"), []);
  const again = await world.peer("a", "older");
  assertEquals(again.last("END_CONNECTION")?.reason, "TOO_OLD");
  const reader = await world.client("a", reading(["lab"], { resume: { vector: {} } }));
  assertEquals(reader.activities, [1]);
});

Deno.test("a peer's line with a channel that is none ends the link, and nobody gets it", async () => {
  const world = await MeshWorld.of(["a"]);
  const reader = await world.client("a", reading(["**"]));
  for (const channel of ["", "a//b", "a/*", "ku\u0308che", 1, ["lab"]]) {
    const peer = await world.peer("a", "other", { features: ["thrum/1", "channels"] });
    peer.entries("other", 1, [activityLine("other:1", 1, { channel })]);
    await world.run(100);
    assertEquals(peer.last("END_CONNECTION")?.reason, "INVALID_MESSAGE", JSON.stringify(channel));
  }
  assertEquals(reader.activities, []);
});
