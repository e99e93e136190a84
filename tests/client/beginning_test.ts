/** Where iterators begin (`from`), several listeners, and a client that no program waits for (`persistent`). */

import { assertEquals, assertThrows } from "@std/assert";
import { openClient } from "../../client/client.ts";
import type { Transport } from "../../platform/transport.ts";
import { ClientWorld } from "../support/client_world.ts";

const ADA = { username: "ada", secret: "x" } as const;

async function take(world: ClientWorld, iterator: AsyncIterator<{ readonly id: string }>): Promise<string | undefined> {
  let id: string | undefined;
  void iterator.next().then(({ value }) => id = value?.id);
  await world.clock.run(5);
  return id;
}

Deno.test('from "login" keeps what came since the login for the first iterator of each kind', async () => {
  for (const options of [{}, { from: "login" }] as const) {
    const world = new ClientWorld();
    const client = await world.connected(options);
    world.server.publish({ n: 1 });
    await world.clock.run(20);
    assertEquals(await take(world, client.activities()), "s:1");
    assertEquals(await take(world, client.activities()), undefined);
    await world.closed(client);
  }
});

Deno.test('from "now" begins each iterator with the next item, and keeps nothing for the first', async () => {
  const world = new ClientWorld();
  const client = await world.connected({ from: "now" });
  for (let n = 1; n <= 40; n++) world.server.publish({ n, pad: "x".repeat(60_000) });
  await world.clock.run(100);
  const first = client.activities();
  const second = client.activities();
  world.server.publish({ n: 41 });
  assertEquals([await take(world, first), await take(world, second)], ["s:41", "s:41"]);
  // Nothing was dropped that anybody wanted.
  assertEquals([world.told("unread").length, client.vector], [0, { s: 41 }]);
  await world.closed(client);
});

Deno.test('from "now" leaves out what a user missed, but for direct messages, which nobody else would get', async () => {
  const world = new ClientWorld();
  world.server.accounts.set("ada", "x");
  world.server.tellsCaughtUp = false;
  const client = await world.connected({ ...ADA, from: "now" });
  const activities = client.activities();
  const missed = { command: "ACTIVITY_BROADCAST", activity: { authenticated_user: "x" }, lamport: 1, sentAt: 1 };
  const waited = { command: "DIRECT_MESSAGE", from: "bob", to: "ada", text: "hi", lamport: 1, sentAt: 1, id: "t:2" };
  world.server.newest.send(
    ...[{ ...missed, id: "t:1" }, { ...waited, offline: true }],
    ...[{ command: "CAUGHT_UP", vector: { t: 2 } }, { ...missed, id: "t:3" }],
  );
  assertEquals(await take(world, activities), "t:3");
  assertEquals(await take(world, client.messages()), "t:2");
  assertEquals(client.vector.t, 3);
  await world.closed(client);
});

Deno.test("from a vector, and since as its earlier name, bring all that is kept behind it", async () => {
  for (const options of [{ from: { s: 1 } }, { since: { s: 1 } }] as const) {
    const world = new ClientWorld();
    for (let n = 1; n <= 3; n++) world.server.publish({ n });
    const client = await world.connected(options);
    const activities = client.activities();
    assertEquals([await take(world, activities), await take(world, activities)], ["s:2", "s:3"]);
    await world.closed(client);
  }
});

Deno.test("listeners come and go while the client lives, beside the one that it was made with", async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const told: string[] = [];
  const remove = client.on("lost", ({ reason }) => told.push(reason));
  client.on(({ kind }) => told.push(kind));
  await world.server.kill();
  await world.clock.run(1);
  remove();
  world.server.restart();
  await world.clock.run(5_000);
  assertEquals(told.slice(0, 2), ["CONNECTION_RESET", "lost"]);
  assertEquals(told.includes("connected"), true);
  assertEquals(world.kinds.filter((kind) => kind === "lost").length, 1);
  await world.closed(client);
  assertEquals(told.at(-1), "closed");
});

for (const persistent of [true, false]) {
  Deno.test(`a client with persistent ${persistent} ${persistent ? "keeps" : "lets go of"} its process while it has no connection`, async () => {
    const world = new ClientWorld();
    const background: boolean[] = [];
    const machine = world.network.machine("client");
    const transport: Transport = {
      listen: (...given) => machine.listen(...given),
      dial: (options) => {
        background.push(options.isBackground ?? false);
        return machine.dial(options);
      },
    };
    const opening = openClient({ ...world.server.endpoint, persistent }, {
      ...{ clock: world.clock, transport, random: () => 0.5 },
    });
    await world.clock.run(10);
    const client = await opening;
    await world.server.kill();
    // Long enough that it waits between two calls.
    await world.clock.run(20_000);
    assertEquals(background[0], false);
    assertEquals(new Set(background.slice(1)), new Set([!persistent]));
    assertEquals(world.clock.timersWaiting, 1);
    assertEquals(world.clock.timersHolding, persistent ? 1 : 0);
    world.server.restart();
    await world.clock.run(20_000);
    // With a connection it is as any other client.
    assertEquals(world.clock.timersHolding, world.clock.timersWaiting);
    await world.closed(client);
  });
}

Deno.test('receive "none" is said to the server, and one that does not know it gives the client nothing all the same', async () => {
  const world = new ClientWorld();
  world.server.accounts.set("ada", "x");
  const client = await world.connected({ ...ADA, receive: "none" });
  for (let n = 1; n <= 40; n++) world.server.publish({ n, pad: "x".repeat(60_000) });
  world.server.write("ada", "hi");
  const published = client.publish({ n: 41 });
  await world.clock.run(20);
  assertEquals((await published).id, "s:42");
  for (const kind of ["unread", "overflow", "gap"] as const) assertEquals(world.told(kind), []);
  assertEquals([client.vector, world.told("caughtUp").length], [{}, 1]);
  assertThrows(() => client.activities(), TypeError, "receive none");
  assertThrows(() => client.messages(), TypeError, "receive none");
  world.server.newest.link.destroy();
  await world.clock.run(30_000);
  const logins = world.server.got("LOGIN");
  assertEquals(logins.map(({ receive, reads, resume }) => ({ receive, reads, resume })), [
    { receive: "none", reads: false, resume: undefined },
    { receive: "none", reads: false, resume: undefined },
  ]);
  await world.closed(client);
  // Nobody has said that the message was taken.
  assertEquals(world.server.got("ACK"), []);
});
