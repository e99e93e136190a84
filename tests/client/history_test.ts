/** `history`, on a fake world: pages become one past, whatever happens to the connection meanwhile. */

import { assertEquals, assertRejects } from "@std/assert";
import { RefusedError } from "../../client/errors.ts";
import type { Past } from "../../mod.ts";
import { ClientWorld, collect } from "../support/client_world.ts";
import { FakeServer } from "../support/fake_server.ts";

/** A world in which so much was said before anybody came. */
function worldWith(count: number): ClientWorld {
  const world = new ClientWorld();
  for (let n = 1; n <= count; n++) world.server.publish({ n });
  return world;
}

function numbers({ activities }: Past): unknown[] {
  return activities.map(({ activity }) => activity.n);
}

async function after<T>(world: ClientWorld, promise: Promise<T>): Promise<T> {
  await world.clock.run(20);
  return await promise;
}

Deno.test("history() gives the newest activities, and iterators and the vector know nothing of them", async () => {
  const world = worldWith(30);
  const client = await world.connected();
  const { ids } = collect(client);
  const { vector } = client;
  const past = await after(world, client.history());
  assertEquals(numbers(past), Array.from({ length: 20 }, (_, index) => 11 + index));
  assertEquals([past.before, past.begins, past.isForgotten], ["s:11", { id: "s:1", takenAt: 5 }, false]);
  const { user, id, lamport, sentAt, json } = past.activities[0]!;
  const written = { user: "other", id: "s:11", lamport: 111, sentAt: 1_000_011, json: '{"n":11}' };
  assertEquals({ user, id, lamport, sentAt, json }, written);
  assertEquals([ids, client.vector], [[], vector]);
  const rest = await after(world, client.history({ before: past.before! }));
  assertEquals([numbers(rest).length, rest.before], [10, undefined]);
  await world.closed(client);
});

Deno.test("history() asks for pages until there is enough, and says what it was asked for", async () => {
  const world = worldWith(30);
  world.server.pageSize = 7;
  const client = await world.connected();
  const past = await after(world, client.history({ limit: 16, since: "s:3" }));
  assertEquals(numbers(past), Array.from({ length: 16 }, (_, index) => 15 + index));
  assertEquals(world.server.got("HISTORY"), [
    { command: "HISTORY", limit: 16, since: "s:3" },
    { command: "HISTORY", limit: 9, before: "s:24", since: "s:3" },
    { command: "HISTORY", limit: 2, before: "s:17", since: "s:3" },
  ]);
  assertEquals(numbers(await after(world, client.history({ limit: 99, since: "s:20" }))).length, 10);
  const late = client.history({ since: new Date(1_000_028.9) });
  assertEquals(numbers(await after(world, late)), [28, 29, 30]);
  assertEquals(world.server.got("HISTORY").at(-1)!.since, 1_000_028);
  await world.closed(client);
});

Deno.test("several questions at once get their own answers, also when one of them is given up", async () => {
  const world = worldWith(9);
  const client = await world.connected();
  const giveUp = new AbortController();
  const first = assertRejects(() => client.history({ limit: 1, signal: giveUp.signal }), Error, "not any more");
  const second = client.history({ limit: 2 });
  const users = client.users("online");
  const third = client.history({ limit: 1, before: "s:5" });
  giveUp.abort(new Error("not any more"));
  await world.clock.run(20);
  await first;
  assertEquals([numbers(await second), await users, numbers(await third)], [[8, 9], ["anonymous"], [4]]);
  await world.closed(client);
});

Deno.test("history() goes on at the next server, without what was cut off, and nothing comes twice", async () => {
  const world = worldWith(12);
  const second = new FakeServer(world.network.machine("second"), { host: "second", origin: "t", joins: world.server });
  world.server.pageSize = second.pageSize = 5;
  const client = await world.connected({ servers: [second.endpoint] });
  let asked = 0;
  world.server.onLine = (connection, line) => {
    if (line.command !== "HISTORY" || ++asked < 2) return false;
    // Two lines of a page, and no end of it.
    const activity = { n: 99, authenticated_user: "x" };
    const broadcast = { command: "ACTIVITY_BROADCAST", activity, lamport: 1, sentAt: 1, past: true };
    connection.send({ ...broadcast, id: "s:6" }, { ...broadcast, id: "s:7" });
    void world.server.kill();
    return true;
  };
  const past = client.history({ limit: 12 });
  await world.clock.run(3_000);
  assertEquals(numbers(await past), Array.from({ length: 12 }, (_, index) => index + 1));
  await world.closed(client);
});

Deno.test("history() leaves out what a server with another order has a second time", async () => {
  const world = worldWith(6);
  world.server.pageSize = 3;
  const client = await world.connected();
  world.server.onLine = (connection, { command, before }) => {
    if (command !== "HISTORY" || before === undefined) return false;
    for (const n of [2, 4]) {
      const activity = { n, authenticated_user: "x" };
      const line = { command: "ACTIVITY_BROADCAST", activity, id: `s:${n}`, lamport: 1, sentAt: 1, past: true };
      connection.send(line);
    }
    connection.send({ command: "HISTORY_PAGE", past: true, count: 2, more: false });
    return true;
  };
  assertEquals(numbers(await after(world, client.history({ limit: 9 }))), [2, 4, 5, 6]);
  await world.closed(client);
});

Deno.test("history() says that a server does not know an entry, and what it has when the next one does not", async () => {
  const world = worldWith(6);
  const client = await world.connected();
  const refused = assertRejects(() => client.history({ before: "x:7" }), RefusedError, "Cannot tell the past");
  await world.clock.run(20);
  const { command, reason } = await refused;
  assertEquals([command, reason], ["HISTORY_FAILED", "UNKNOWN_ENTRY"]);
  world.server.pageSize = 4;
  world.server.onLine = (connection, line) => {
    if (line.command !== "HISTORY" || line.before === undefined) return false;
    connection.send({ command: "HISTORY_FAILED", reason: "UNKNOWN_ENTRY", info: "" });
    return true;
  };
  const past = await after(world, client.history({ limit: 6 }));
  assertEquals([numbers(past), past.before], [[3, 4, 5, 6], "s:3"]);
  await world.closed(client);
});

Deno.test("a server of an earlier version is not asked, nor is the next one that has lost the feature", async () => {
  const older = new ClientWorld();
  older.server.features = ["ack", "resume", "chat"];
  const plain = await older.connected();
  await assertRejects(() => plain.history(), TypeError, 'without the feature "history"');
  assertEquals(older.server.got("HISTORY"), []);
  await older.closed(plain);

  const world = worldWith(3);
  const second = new FakeServer(world.network.machine("second"), { host: "second", origin: "t", joins: world.server });
  second.features = ["ack", "resume", "chat"];
  const client = await world.connected({ servers: [second.endpoint] });
  world.server.onLine = (_, { command }) => command === "HISTORY";
  const rejected = assertRejects(() => client.history(), TypeError, 'without the feature "history"');
  await world.clock.run(20);
  await world.server.kill();
  await world.clock.run(3_000);
  await rejected;
  assertEquals(second.got("HISTORY"), []);
  await world.closed(client);
});

Deno.test("history() refuses what makes no sense, and ends with the client", async () => {
  const world = worldWith(3);
  const client = await world.connected();
  for (const limit of [0, -1, 1.5, NaN]) await assertRejects(() => client.history({ limit }), RangeError, '"limit"');
  await assertRejects(() => client.history({ since: NaN }), RangeError, '"since"');
  await assertRejects(() => client.history({ since: new Date("nonsense") }), RangeError, '"since"');
  const misspelt = { befor: "s:1" } as unknown as { before: string };
  await assertRejects(() => client.history(misspelt), TypeError, 'did you mean "before"?');
  assertEquals(world.server.got("HISTORY"), []);
  world.server.onLine = (_, { command }) => command === "HISTORY";
  const rejected = assertRejects(() => client.history(), Error, "The client is closed");
  await world.closed(client);
  await rejected;
  await assertRejects(() => client.history(), Error, "The client is closed");
});

Deno.test("a server whose pages never end or never move is asked no more than it gives", async () => {
  const world = worldWith(3);
  const client = await world.connected();
  world.server.onLine = (connection, { command }) => {
    if (command !== "HISTORY") return false;
    connection.send({ command: "HISTORY_PAGE", past: true, count: 0, more: true, before: "s:1" });
    return true;
  };
  const past = await after(world, client.history());
  assertEquals([past.activities, past.before, world.server.got("HISTORY").length], [[], undefined, 2]);
  await world.closed(client);
});
