/** Who reads a channel, over a network of servers (docs/protocol.md, sections 2.11 and 4.5), on a fake one. */

import { assertEquals } from "@std/assert";
import type { ConfigLayer } from "../../../mod.ts";
import type { Received } from "../../support/line_client.ts";
import { type MeshClient, MeshWorld } from "../../support/mesh_world.ts";

const FEATURES = ["ack", "resume", "presence", "channels"];

/** A client that is logged in, and stays where it is. */
async function come(world: MeshWorld, server: string, username: string, channels: string[], more: Received = {}) {
  return await world.login(server, username, { features: FEATURES, channels, redirects: 3, ...more });
}

function ask(client: MeshClient, channel: string, presence?: boolean): void {
  client.send({ command: "LIST_USERS", channel, ...(presence === undefined ? {} : { presence }) });
}

/** The lists of a channel, and the news of it, in the order in which they came. */
function told(client: MeshClient): unknown[] {
  return client.received.filter(({ channel }) => channel !== undefined).flatMap(
    ({ command, users, partial, username, event }): unknown[] => {
      if (command === "PRESENCE") return [`${username} ${event}`];
      return command === "USER_LIST" ? [[...users, ...(partial ? ["…"] : [])]] : [];
    },
  );
}

async function worldOf(config: ConfigLayer = {}): Promise<MeshWorld> {
  const world = await MeshWorld.of(["a", "b", "c"], config);
  await world.users("a", "anna", "bob", "carl");
  return world;
}

Deno.test("who reads a channel is told for the whole network, and who begins and ends wherever that is", async () => {
  const world = await worldOf();
  const anna = await come(world, "a", "anna", ["lab/**"]);
  const bob = await come(world, "b", "bob", [""]);
  ask(anna, "lab/door", true);
  await world.run(100);
  assertEquals(told(anna), [["anna"]]);
  bob.send({ command: "SUBSCRIBE", channels: ["lab/*"] });
  const carl = await come(world, "c", "carl", ["**"]);
  await world.run(100);
  bob.send({ command: "UNSUBSCRIBE", channels: ["lab/*"] });
  await world.run(100);
  carl.send({ command: "LOGOUT" });
  await world.run(100);
  assertEquals(told(anna).slice(1), ["bob joined", "carl joined", "bob left", "carl left"]);
  assertEquals(told(bob), []);
  // The news of all users come as ever.
  assertEquals(anna.presence.filter((line) => line.startsWith("carl")).length, 4);
  ask(anna, "lab/door", false);
  await world.run(100);
  bob.send({ command: "SUBSCRIBE", channels: ["lab/*"] });
  await world.run(100);
  assertEquals(told(anna).slice(5), [["anna"]]);
});

Deno.test("a user who comes back elsewhere was never away, and one whose server is gone for good is lost", async () => {
  const world = await worldOf();
  const anna = await come(world, "a", "anna", []);
  const bob = await come(world, "b", "bob", ["lab"]);
  await come(world, "b", "carl", ["lab"]);
  ask(anna, "lab", true);
  await world.run(100);
  world.server("b").kill();
  const back = await come(world, "c", "bob", ["lab"], { resume: { vector: bob.vector } });
  await world.until(() => told(anna).includes("carl lost"), "the loss of carl");
  assertEquals(told(anna), [["bob", "carl"], "carl lost"]);
  ask(anna, "lab");
  await world.run(100);
  assertEquals(told(anna).at(-1), ["bob"]);
  back.send({ command: "LOGOUT" });
  await world.run(100);
  assertEquals(told(anna).at(-1), "bob left");
});

Deno.test("who asks goes on at another server, and asks again there", async () => {
  const world = await worldOf();
  const anna = await come(world, "a", "anna", []);
  await come(world, "b", "bob", ["lab"]);
  ask(anna, "lab", true);
  await world.run(100);
  world.server("a").kill();
  const again = await come(world, "c", "anna", []);
  ask(again, "lab", true);
  await world.until(() => told(again).length > 0, "the list");
  const carl = await come(world, "b", "carl", ["lab"]);
  await world.run(100);
  carl.send({ command: "LOGOUT" });
  await world.run(100);
  assertEquals(told(again), [["bob"], "carl joined", "carl left"]);
});

Deno.test("in a network that parts each side has its own readers, and learns of the others when it is one again", async () => {
  const world = await worldOf();
  const anna = await come(world, "a", "anna", []);
  await come(world, "b", "bob", ["lab"]);
  ask(anna, "lab", true);
  await world.run(100);
  await world.parted(["a"], ["b", "c"]);
  await world.until(() => told(anna).includes("bob lost"), "the loss of bob");
  await come(world, "c", "carl", ["lab"]);
  world.network.heal();
  await world.until(() => told(anna).includes("carl joined"), "carl");
  await world.until(() => told(anna).filter((line) => line === "bob joined").length === 1, "bob");
  ask(anna, "lab");
  await world.run(100);
  assertEquals(told(anna).at(-1), ["bob", "carl"]);
});

Deno.test("a server that does not know channels is asked nothing, and the list waits for nobody", async () => {
  const world = await MeshWorld.of(["a"]);
  const older = await world.peer("a", "older");
  const newer = await world.peer("a", "newer", { features: ["thrum/1", "channels"] });
  const client = await world.client("a", {
    command: "LOGIN",
    username: "anonymous",
    features: FEATURES,
    redirects: 3,
  });
  ask(client, "lab");
  await world.run(100);
  assertEquals(older.all("CHANNEL_WATCH"), []);
  assertEquals(newer.all("CHANNEL_WATCH").map(({ channel, active }) => [channel, active]), [["lab", true]]);
  assertEquals(told(client), []);
  newer.send({ command: "CHANNEL_READERS", channel: "lab", users: ["zoe"] });
  await world.run(100);
  assertEquals(told(client), [["zoe"]]);
});

Deno.test("other servers are asked as long as the client is there that asks, however its connection ends", async () => {
  const world = await MeshWorld.of(["a"]);
  const peer = await world.peer("a", "other", { features: ["thrum/1", "channels"] });
  const watched = () => peer.all("CHANNEL_WATCH").map(({ channel, active }) => `${channel} ${active}`);
  const ends: ((client: MeshClient) => void)[] = [
    (client) => client.send({ command: "LOGOUT" }),
    (client) => client.link.destroy(),
  ];
  for (const [n, end] of ends.entries()) {
    const client = await come(world, "a", "anonymous", []);
    ask(client, `lab/${n}`, true);
    await world.run(100);
    assertEquals(watched().at(-1), `lab/${n} true`);
    end(client);
    await world.run(100);
    assertEquals(watched().at(-1), `lab/${n} false`);
  }
});

Deno.test("who may not list users, or not read the channel, is told so; and a list has nobody who may not read it", async () => {
  const world = await worldOf({
    auth: {
      rights: [
        { users: ["anna"], may: ["publish", "read", "message", "listUsers"] },
        { channels: ["lab/secret"], may: [] },
        { users: ["carl"], may: ["publish", "read"] },
      ],
    },
  });
  const anna = await come(world, "a", "anna", ["lab/secret"]);
  const bob = await come(world, "b", "bob", ["lab/**"]);
  const carl = await come(world, "c", "carl", ["lab/**"]);
  for (const channel of ["lab", "lab/secret"]) {
    for (const client of [anna, bob, carl]) ask(client, channel);
  }
  await world.run(100);
  assertEquals(told(anna), [["bob", "carl"], ["anna"]]);
  assertEquals(told(bob), [["bob", "carl"]]);
  const refused = (client: MeshClient) =>
    client.all("USER_LIST_FAILED").map(({ channel, reason, info }) => [channel, reason, info]);
  assertEquals(refused(bob), [["lab/secret", "NOT_ALLOWED", 'bob may not read "lab/secret" here']]);
  assertEquals(refused(carl), [
    ["lab", "NOT_ALLOWED", "carl may not ask who there is here"],
    ["lab/secret", "NOT_ALLOWED", "carl may not ask who there is here"],
  ]);
});
