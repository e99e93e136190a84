/** A client that sends no more, and still reads (`nc -N`): what it asked for is answered, and nothing else comes. */

import { assert, assertEquals } from "@std/assert";
import type { ConfigLayer } from "../../../config/config.ts";
import type { Received } from "../../support/line_client.ts";
import { type FakeLineClient, NodeWorld } from "../../support/node_world.ts";
import { doorOf } from "../../support/test_door.ts";

const door = doorOf(import.meta.url);
const LOGIN = { command: "LOGIN", username: "anonymous" };
const publish = (n: number, messageId?: string) => ({ command: "ACTIVITY_MESSAGE", activity: { n }, messageId });

/** A client that has sent these, and sends no more. */
async function finished(world: NodeWorld, ...lines: Received[]): Promise<FakeLineClient> {
  const client = await world.connect();
  client.send(...lines);
  client.finish();
  return client;
}

/** A server whose activities are safe only with another server, which never comes. */
async function lonely(more: ConfigLayer = {}): Promise<NodeWorld> {
  const cluster: ConfigLayer["cluster"] = { secret: "abc", join: ["nobody:1"], joinWaitMs: 100 };
  const world = await NodeWorld.start({ cluster: { ...cluster, durability: "replicated" }, ...more });
  await world.clock.run(200);
  return world;
}

Deno.test("through a door: who sends no more gets all answers and its own activities, then the end", async () => {
  await using server = await door.start();
  await using client = await door.connect(server);
  const login = { command: "LOGIN", username: "anna", secret: "s", features: ["ack", "presence"] };
  const lines = [{ command: "REGISTER", username: "anna", secret: "s" }, login, publish(1, "a")];
  for (const line of [...lines, { command: "LIST_USERS", scope: "all" }]) client.send(line);
  client.finish();
  await client.closed();
  assertEquals(client.received.map(({ command }) => command), [
    ...["REGISTER_SUCCESS", "LOGIN_SUCCESS", "USER_LIST", "ACTIVITY_ACK", "ACTIVITY_BROADCAST"],
  ]);
});

Deno.test("answers that wait for another server go out within 10 s, nothing live comes before, and then it ends", async () => {
  const world = await lonely();
  const watcher = await world.connect({ ...LOGIN, features: ["presence"] });
  const client = await finished(world, { ...LOGIN, features: ["ack", "resume"] }, publish(1, "a"));
  await world.clock.run(100);
  watcher.send(publish(2));
  await world.clock.run(9_800);
  assertEquals([client.commands.filter((command) => command !== "ACTIVITY_PENDING"), client.end], [
    ["LOGIN_SUCCESS", "ACTIVITY_BROADCAST"],
    undefined,
  ]);
  await world.clock.run(200);
  assertEquals(client.end, "local");
  assertEquals(client.sequences, [1]);
  assertEquals(watcher.sequences, [1, 2]);
  await world.stop();
});

Deno.test("it is told nothing of others: no activity, no message, no presence, no heartbeat, no other servers", async () => {
  const world = await lonely({ heartbeat: { idleTimeoutMs: 300, intervalMs: 100, count: 3 } });
  for (const username of ["anna", "bob"]) await world.register(username);
  const features = ["heartbeat", "presence", "ack", "resume", "chat"];
  const client = await finished(world, { ...LOGIN, username: "anna", secret: "anna", features }, publish(1, "a"));
  await world.endAllDerivations();
  const count = client.received.length;
  const bob = await world.connect({ ...LOGIN, username: "bob", secret: "bob" });
  await world.endAllDerivations();
  bob.send({ command: "DIRECT_MESSAGE", to: "anna", text: "there?" }, {
    ...publish(2),
    username: "bob",
    secret: "bob",
  });
  await world.clock.run(5_000);
  assertEquals(client.end, undefined);
  const commands = client.received.slice(count).map(({ command }) => command);
  assertEquals(commands.filter((command) => command !== "ACTIVITY_PENDING"), []);
  // The message waits for her.
  await world.clock.run(6_000);
  assertEquals(client.end, "local");
  const again = await world.connect({ ...LOGIN, username: "anna", secret: "anna", features });
  await world.endAllDerivations();
  assertEquals(again.received.filter(({ command }) => command === "DIRECT_MESSAGE").map(({ text }) => text), [
    "there?",
  ]);
  await world.stop();
});

Deno.test("others hear at once that it is gone", async () => {
  const world = await lonely();
  await world.register("anna");
  const watcher = await world.connect({ ...LOGIN, features: ["presence"] });
  const client = await finished(
    world,
    { ...LOGIN, username: "anna", secret: "anna", features: ["ack"] },
    { ...publish(1, "a"), username: "anna" },
  );
  await world.endAllDerivations();
  assertEquals(client.end, undefined);
  assertEquals(world.node.load, 1);
  await world.clock.run(5_000);
  const events = watcher.received.filter(({ command }) => command === "PRESENCE").map(({ event }) => event);
  assertEquals(events, ["joined", "lost"]);
  await world.stop();
});

Deno.test("what it missed is part of the answer to its login, up to the moment at which it sent no more", async () => {
  const world = await NodeWorld.start({ limits: { maxPendingBytes: 20_000 } });
  const author = await world.connect(LOGIN);
  const text = "x".repeat(1_000);
  const many = Array.from({ length: 500 }, (_, n) => ({ command: "ACTIVITY_MESSAGE", activity: { n, text } }));
  author.send(...many);
  await world.clock.run(100);
  const client = await world.connect();
  client.link.pause();
  client.send({ ...LOGIN, features: ["resume", "chat"], resume: { vector: {} } });
  client.finish();
  await world.clock.run(1_000);
  author.send(publish(1_000));
  await world.clock.run(1_000);
  client.link.resume();
  await world.clock.run(1_000);
  assertEquals(client.sequences, many.map((_, n) => n + 1));
  assertEquals(client.commands.at(-1), "CAUGHT_UP");
  assertEquals(client.end, "local");
  await world.stop();
});

Deno.test("who does not take its answers is cut after 10 s", async () => {
  const world = await NodeWorld.start();
  const client = await world.connect();
  client.link.pause();
  client.send(LOGIN);
  client.finish();
  await world.clock.run(9_900);
  assertEquals(world.node.connectionCount, 1);
  await world.clock.run(200);
  assertEquals(world.node.connectionCount, 0);
  assert(client.commands.length === 0);
  await world.stop();
});

Deno.test("a plain client gets its own activity as it always does, and nothing of others", async () => {
  const world = await NodeWorld.start();
  const client = await finished(world, LOGIN, publish(1));
  const other = await world.connect(LOGIN, publish(2));
  await world.clock.run(100);
  assertEquals([client.commands, client.end], [["LOGIN_SUCCESS", "ACTIVITY_BROADCAST"], "local"]);
  assertEquals(other.sequences, [2]);
  await world.stop();
});

Deno.test("a client that closes while it has nothing to be told is gone at once", async () => {
  const world = await NodeWorld.start();
  const client = await world.connect(LOGIN);
  client.finish();
  await world.settle();
  assertEquals([client.end, world.node.connectionCount], ["local", 0]);
  await world.stop();
});
