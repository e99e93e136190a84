/** LIST_USERS of a channel, as clients of one server see it, on a fake clock. */

import { assertEquals } from "@std/assert";
import type { Received } from "../../support/line_client.ts";
import { type FakeLineClient, NodeWorld } from "../../support/node_world.ts";

const FEATURES = ["presence", "channels"];

async function come(world: NodeWorld, username: string, channels: string[], features = FEATURES) {
  const client = await world.connect({ command: "LOGIN", username, secret: username, features, channels });
  await world.endAllDerivations();
  return client;
}

function lists({ received }: FakeLineClient): Received[] {
  return received.filter(({ command }) => command.startsWith("USER_LIST"));
}

Deno.test("a list of a channel has each user with a name who reads it, by whatever pattern, once", async () => {
  const world = await NodeWorld.start();
  for (const name of ["anna", "bob", "carl"]) await world.register(name);
  await come(world, "anna", ["lab/**"]);
  await come(world, "anna", ["lab/door"]);
  await come(world, "bob", ["lab/*", ""]);
  await come(world, "carl", ["lab"]);
  await come(world, "carl", ["lab/door"], ["presence"]);
  const client = await world.connect({ command: "LOGIN", username: "anonymous", features: FEATURES, channels: ["**"] });
  client.send({ command: "LIST_USERS", channel: "lab/door" }, {
    command: "LIST_USERS",
    scope: "online",
    channel: "lab",
  });
  await world.settle();
  assertEquals(lists(client), [
    { command: "USER_LIST", scope: "online", channel: "lab/door", users: ["anna", "bob"] },
    { command: "USER_LIST", scope: "online", channel: "lab", users: ["anna", "carl"] },
  ]);
  await world.stop();
});

Deno.test("each reason why there is no list of a channel is said, and the connection stays", async () => {
  const world = await NodeWorld.start();
  const client = await world.connect(
    { command: "LOGIN", username: "anonymous", features: ["channels"] },
    { command: "LIST_USERS", channel: "lab", presence: true },
    { command: "LIST_USERS", channel: "lab", presence: false },
  );
  const older = await world.connect(
    { command: "LOGIN", username: "anonymous", features: ["presence"] },
    { command: "LIST_USERS", scope: "online", channel: "lab" },
  );
  assertEquals([lists(client), lists(older)].map((all) => all.map(({ channel, reason }) => [channel, reason])), [
    [["lab", "NO_PRESENCE"], ["lab", undefined]],
    [["lab", "NO_CHANNELS"]],
  ]);
  client.send(...Array.from({ length: 40 }, (_, n) => ({ command: "LIST_USERS", channel: `c${n}` })));
  await world.settle();
  const answers = lists(client).slice(2).map(({ reason }) => reason);
  assertEquals([answers.length, answers.filter((reason) => reason === "TOO_MANY_CHANNELS").length], [40, 9]);
  for (const bad of [{ channel: "a//b" }, { channel: "a/*" }, { channel: "lab", scope: "all" }, {}]) {
    const other = await world.connect({ command: "LOGIN", username: "anonymous", features: FEATURES }, {
      command: "LIST_USERS",
      ...bad,
    });
    assertEquals(other.commands.at(-1), "INVALID_MESSAGE", JSON.stringify(bad));
  }
  await world.stop();
});

Deno.test("a user whose sessions end one after the other reads a channel until the last one ends", async () => {
  const world = await NodeWorld.start();
  for (const name of ["anna", "bob"]) await world.register(name);
  const watcher = await come(world, "bob", []);
  watcher.send({ command: "LIST_USERS", channel: "lab", presence: true });
  const [first, second] = [await come(world, "anna", ["lab"]), await come(world, "anna", ["**"])];
  const news = () => watcher.received.filter(({ channel }) => channel === "lab").map(({ event }) => event).slice(1);
  first.send({ command: "LOGOUT" });
  await world.settle();
  assertEquals(news(), ["joined"]);
  second.link.destroy();
  await world.settle();
  assertEquals(news(), ["joined"]);
  await world.clock.run(1_500);
  assertEquals(news(), ["joined", "lost"]);
  await world.stop();
});
