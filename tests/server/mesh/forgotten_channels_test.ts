/** What is forgotten of a channel, as servers copy it and as clients are told (docs/protocol.md, 2.16 and 4.3). */

import { assertEquals } from "@std/assert";
import type { ConfigLayer } from "../../../config/config.ts";
import type { Received } from "../../support/line_client.ts";
import { activityLine, loginOf, type MeshClient, MeshWorld } from "../../support/mesh_world.ts";

const FEATURES = ["ack", "resume", "channels", "history"];
const RULES: ConfigLayer = { store: { channels: [{ pattern: "lab/**", activityRetentionMs: 60_000 }] } };

function reading(channels: readonly string[], more: Received = {}): Received {
  return loginOf("anonymous", { features: FEATURES, channels, redirects: 3, ...more });
}

function publish(client: MeshClient, n: number, channel?: string): void {
  client.send({ command: "ACTIVITY_MESSAGE", messageId: `m-${n}`, activity: { n }, ...(channel && { channel }) });
}

function gapOf(client: MeshClient): unknown {
  return client.last("LOGIN_SUCCESS")!.resume.gap;
}

/** A network of one, whose log has forgotten some of its lines of `lab`; what it was published under. */
async function forgetful(): Promise<{ readonly world: MeshWorld; readonly sender: MeshClient }> {
  const world = await MeshWorld.of(["a"], RULES);
  const sender = await world.client("a", reading([]));
  for (const [n, channel] of [[1, "lab"], [2, "hall"], [3, "lab"], [4, undefined], [5, "lab/door"]] as const) {
    publish(sender, n, channel);
  }
  await world.run(100);
  publish(sender, 6, "lab");
  await world.run(65_000);
  publish(sender, 7, "lab");
  await world.run(2_000);
  return { world, sender };
}

/** What clients of `server` get of the whole log, and the gap that they are told. */
async function told(world: MeshWorld, server: string, vector: Record<string, number> = {}) {
  const readers = [["lab"], ["lab/**"], ["hall", ""], ["hall", "lab"]];
  const all = [];
  for (const channels of readers) {
    const client = await world.client(server, reading(channels, { resume: { vector } }));
    all.push([client.activities, gapOf(client)]);
  }
  return all;
}

const EXPECTED = [
  [[7], [{ origin: "a", first: 1, last: 6 }]],
  [[7], [{ origin: "a", first: 1, last: 6 }]],
  [[2, 4], undefined],
  [[2, 7], [{ origin: "a", first: 1, last: 6 }]],
];

Deno.test("a client is told of a gap when something of its channels is forgotten, and only then", async () => {
  const { world } = await forgetful();
  assertEquals(await told(world, "a"), EXPECTED);
  const late = await told(world, "a", { a: 5 });
  assertEquals(late[0], [[7], [{ origin: "a", first: 6, last: 6 }]]);
  assertEquals(late[2], [[], undefined]);
  assertEquals((await told(world, "a", { a: 6 }))[0], [[7], undefined]);
  const reader = await world.client("a", reading(["**"]), { command: "HISTORY", limit: 9, channel: "**" });
  await world.run(10);
  const { count, forgotten } = reader.last("HISTORY_PAGE")!;
  assertEquals([reader.all("ACTIVITY_BROADCAST").map(({ activity }) => activity.n), count, forgotten], [
    [2, 4, 7],
    3,
    true,
  ]);
});

Deno.test("another server copies what is forgotten with its channel, and tells its clients the same", async () => {
  const { world, sender } = await forgetful();
  world.start("b", ["a"]);
  await world.linked("a", "b");
  await world.run(1_000);
  assertEquals(world.server("b").vector, world.server("a").vector);
  assertEquals(await told(world, "b"), EXPECTED);
  // It is not missed as if it had never come: a message id is used, and what comes goes on.
  publish(sender, 8, "lab");
  await world.run(100);
  const reader = await world.client("b", reading(["lab"]));
  publish(reader, 9, "lab");
  await world.run(100);
  assertEquals(reader.activities, [9]);
  // A third one copies from the copy.
  world.server("a").kill();
  await world.run(30_000);
  world.start("c", ["b"]);
  await world.linked("b", "c");
  await world.run(10_000);
  assertEquals((await told(world, "c"))[2], [[2, 4], undefined]);
  assertEquals((await told(world, "c"))[0]![1], [{ origin: "a", first: 1, last: 6 }]);
});

Deno.test("a client that reads when what it lacks comes as forgotten is told, and others read on", async () => {
  const world = await MeshWorld.of(["a"]);
  const peer = await world.peer("a", "other", { features: ["thrum/1", "channels"] });
  const lab = await world.client("a", reading(["lab"]));
  const hall = await world.client("a", reading(["hall"]));
  const has = await world.client("a", reading(["lab"], { resume: { vector: { other: 2 } } }));
  peer.send({ command: "ENTRIES", origin: "other", first: 1, last: 2, after: 0, to: { forgotten: "lab" } });
  await world.run(100);
  peer.entries("other", 3, [3, 4].map((n) => activityLine(`other:${n}`, n, { channel: n === 3 ? "lab" : "hall" })));
  await world.run(100);
  assertEquals([lab.last("END_CONNECTION")?.reason, lab.activities], ["FELL_BEHIND", []]);
  assertEquals([hall.last("END_CONNECTION"), hall.activities], [undefined, [4]]);
  assertEquals([has.last("END_CONNECTION"), has.activities], [undefined, [3]]);
});

Deno.test("a peer's words about what it has forgotten are checked", async () => {
  const world = await MeshWorld.of(["a"]);
  const bad: [unknown, number][] = [[{ forgotten: "a//b" }, 1], [{ forgotten: "" }, 1], [{ forgotten: 1 }, 1], [{
    forgotten: "lab",
  }, 9_000]];
  for (const [to, last] of bad) {
    const peer = await world.peer("a", "other", { features: ["thrum/1", "channels"] });
    peer.send({ command: "ENTRIES", origin: "other", first: 1, last, after: 0, to });
    await world.run(100);
    assertEquals(peer.last("END_CONNECTION")?.reason, "INVALID_MESSAGE", JSON.stringify([to, last]));
  }
  const peer = await world.peer("a", "other", { features: ["thrum/1", "channels"] });
  peer.send({ command: "ENTRIES", origin: "other", first: 1, last: 2, after: 0, to: { forgotten: "lab" } });
  await world.run(100);
  const [lab, hall] = [
    await world.client("a", reading(["lab"], { resume: { vector: {} } })),
    await world.client("a", reading(["hall"], { resume: { vector: {} } })),
  ];
  assertEquals([gapOf(lab), gapOf(hall)], [[{ origin: "other", first: 1, last: 2 }], undefined]);
});
