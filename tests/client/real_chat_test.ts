/** Direct messages between clients and real servers of one network, on real sockets. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Endpoint } from "../../platform/address.ts";
import { type ClientEvent, connect, type Message, RefusedError, serve } from "../../mod.ts";
import { until } from "../support/until.ts";

/** Two servers that are one network. */
async function network() {
  const options = {
    server: { host: "127.0.0.1", port: 0 },
    store: { ephemeral: true },
    cluster: { secret: "abc", drainMs: 0, rebalance: false },
  };
  const first = await serve(options);
  const second = await serve({ ...options, cluster: { ...options.cluster, join: [`127.0.0.1:${first.port}`] } });
  return {
    first,
    second,
    async [Symbol.asyncDispose]() {
      await second.close();
      await first.close();
    },
  };
}

/** A client that reads its messages and keeps its events. */
async function talker(name: string, { host, port }: Endpoint) {
  const events: ClientEvent[] = [];
  const client = await connect({
    username: name,
    secret: "x",
    register: "ifNew",
    onEvent: (event) => events.push(event),
    host,
    port,
  });
  const all: Message[] = [];
  void (async () => {
    for await (const message of client.messages()) all.push(message);
  })();
  const told = <K extends ClientEvent["kind"]>(kind: K) =>
    events.filter((event): event is Extract<ClientEvent, { kind: K }> => event.kind === kind);
  return { client, all, told, texts: () => all.map(({ text }) => text) };
}

Deno.test("A message for somebody who is away waits on every server, comes once, and is known to be delivered", async () => {
  await using servers = await network();
  const { first, second } = servers;
  const bob = { username: "bob", secret: "x" };
  await (await connect({ host: first.host, port: first.port, ...bob, register: true })).close();
  const ada = await talker("ada", first);
  await using _ada = ada.client;
  const sent = [];
  for (const text of ["one", "two", "three"]) sent.push(await ada.client.send("bob", text));
  await ada.client.publish({ between: true });
  await assertRejects(() => ada.client.send("nobody", "hello"), RefusedError, "no user");
  assertEquals(ada.told("delivered"), []);

  const later = await talker("bob", second);
  await until(() => later.all.length === 3, "the messages");
  assertEquals(later.texts(), ["one", "two", "three"]);
  assert(later.all.every(({ offline, from }) => offline && from === "ada"));
  await until(() => later.told("caughtUp").length === 1, "the end of what was missed");
  assertEquals(later.told("caughtUp")[0]?.offline, 3);
  await until(() => ada.told("delivered").length === 3, "the receipts");
  assertEquals(ada.told("delivered").map(({ of }) => of), sent.map(({ id }) => id));
  await later.client.close();

  const again = await talker("bob", first);
  await using _again = again.client;
  await until(() => again.told("caughtUp").length === 1, "the end of what was missed");
  const live = await ada.client.send("bob", "four");
  await until(() => again.all.length > 0, "the message");
  assertEquals(again.all.map(({ id, offline }) => ({ id, offline })), [{ id: live.id, offline: false }]);
});

Deno.test("A user on two terminals at two servers gets each message at both, and is listed once", async () => {
  await using servers = await network();
  const { first, second } = servers;
  const ada = await talker("ada", first);
  await using _ada = ada.client;
  const one = await talker("bob", first);
  await using _one = one.client;
  const two = await talker("bob", second);
  await using _two = two.client;
  await ada.client.send("bob", "hello");
  await until(() => one.all.length === 1 && two.all.length === 1, "the message at both");
  await until(() => ada.told("delivered").length > 0, "the receipt");
  for (const { client } of [ada, one, two]) {
    // The word of a login takes a moment to the other server.
    let online = await client.users("online");
    for (let asked = 1; online.length < 2 && asked < 1_000; asked++) online = await client.users("online");
    assertEquals(online, ["ada", "bob"]);
    assertEquals(await client.users("all"), ["ada", "bob"]);
  }
});

Deno.test("Messages go on when the server of their receiver stops", async () => {
  await using servers = await network();
  const { first, second } = servers;
  const bob = await talker("bob", first);
  await using _bob = bob.client;
  await until(() => bob.told("backups").length > 0, "the list of backups");
  const here = [first, second].find(({ serverId }) => serverId === bob.client.serverId)!;
  const there = here === first ? second : first;
  const ada = await talker("ada", there);
  await using _ada = ada.client;
  const watching = ada.client.presence();
  await ada.client.send("bob", "1");
  const closing = here.close();
  const sent = ["2", "3", "4"].map((text) => ada.client.send("bob", text));
  await Promise.all([closing, ...sent]);
  await ada.client.send("bob", "5");
  await until(() => bob.all.length >= 5, "the last message");
  assertEquals(bob.texts(), ["1", "2", "3", "4", "5"]);
  await until(() => ada.told("delivered").length === 5, "the receipts");
  await bob.client.close();
  for await (const { event, username } of watching) {
    if (username === "bob" && event === "left") break;
  }
});
