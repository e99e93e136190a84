/** Channels between clients and real servers of one network, on real sockets. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { Endpoint } from "../../platform/address.ts";
import { type Activity, type Client, type ClientEvent, connect, RefusedError, serve } from "../../mod.ts";
import { eventually, until } from "../support/until.ts";

const OPTIONS = {
  server: { host: "127.0.0.1", port: 0 },
  store: { ephemeral: true },
  limits: { maxChannelsPerClient: 3 },
  cluster: { secret: "abc", drainMs: 0, rebalance: false },
};

/** Two servers that are one network. */
async function network() {
  const first = await serve(OPTIONS);
  const join = [`127.0.0.1:${first.port}`];
  const second = await serve({ ...OPTIONS, cluster: { ...OPTIONS.cluster, join } });
  return {
    first,
    second,
    async [Symbol.asyncDispose]() {
      await second.close();
      await first.close();
    },
  };
}

function anonymous({ host, port }: Endpoint, more = {}): Promise<Client> {
  return connect({ host, port, ...more });
}

/** The numbers that an iterator gives; `over` says how it ended. */
function reading(activities: AsyncIterable<Activity>) {
  const numbers: unknown[] = [];
  const over = (async () => {
    for await (const { activity } of activities) numbers.push(activity.n);
  })();
  over.catch(() => {});
  return { numbers, over };
}

Deno.test("iterators of one client read channels of their own over one connection, and leave them again", async () => {
  await using servers = await network();
  const reader = await anonymous(servers.first);
  const sender = await anonymous(servers.second);
  const plain = reading(reader.activities());
  const labs = reader.activities({ channels: ["lab/**"] });
  const [lab, both] = [reading(labs), reading(reader.activities({ channels: ["", "lab"] }))];
  // Its own connection says so before anything that it publishes.
  await reader.publish({ n: 0 });
  let n = 0;
  const publish = async (...channels: (string | undefined)[]) => {
    for (const channel of channels) await sender.publish({ n: ++n }, channel === undefined ? {} : { channel });
  };
  await publish(undefined, "lab", "lab/door", "hall", "lab", undefined);
  await until(() => both.numbers.length === 5 && lab.numbers.length === 3, "what was published");
  assertEquals([plain.numbers, lab.numbers, both.numbers], [[0, 1, 6], [2, 3, 5], [0, 1, 2, 5, 6]]);
  // What nobody reads any more is not sent.
  await labs.return!();
  await lab.over;
  await reader.publish({ n: 7 });
  n = 7;
  await publish("lab/door", "lab", undefined);
  await until(() => plain.numbers.length === 5, "the last one");
  assertEquals([lab.numbers, both.numbers], [[2, 3, 5], [0, 1, 2, 5, 6, 7, 9, 10]]);
  const { activities } = await reader.history({ channel: "lab/*" });
  assertEquals(activities.map(({ activity, channel }) => [activity.n, channel]), [[3, "lab/door"], [8, "lab/door"]]);
  await Promise.all([reader.close(), sender.close()]);
  await Promise.all([plain.over, both.over]);
});

Deno.test("a client that comes back at another server misses nothing of its channels, and gets nothing twice", async () => {
  await using servers = await network();
  const { first, second } = servers;
  const third = await serve({ ...OPTIONS, cluster: { ...OPTIONS.cluster, join: [`127.0.0.1:${first.port}`] } });
  const reader = await anonymous(third, {
    servers: [first, second].map(({ host, port }) => ({ host, port })),
    channels: ["lab"],
  });
  const [lab, door] = [reading(reader.activities()), reading(reader.activities({ channels: ["door"] }))];
  const sender = await anonymous(second);
  await reader.publish({ n: -1 });
  await sender.publish({ n: 1 }, { channel: "lab" });
  await sender.publish({ n: 2 }, { channel: "door" });
  await until(() => lab.numbers.length === 1 && door.numbers.length === 1, "the first ones");
  await third.close();
  for (let n = 3; n <= 8; n++) await sender.publish({ n }, { channel: ["lab", "door", "hall"][n % 3]! });
  await until(() => lab.numbers.length === 3 && door.numbers.length === 3, "what came meanwhile");
  assertEquals([lab.numbers, door.numbers], [[1, 3, 6], [2, 4, 7]]);
  await Promise.all([reader.close(), sender.close()]);
});

Deno.test("what a server refuses ends the iterator that wanted it, and no other; names are checked at once", async () => {
  await using server = await serve(OPTIONS);
  const client = await anonymous(server);
  const plain = reading(client.activities());
  const many = reading(client.activities({ channels: ["a", "b", "c"] }));
  const error = await assertRejects(() => many.over, RefusedError, "a client may read 3 channels");
  assertEquals([error.command, error.reason], ["SUBSCRIBE_FAILED", "TOO_MANY_CHANNELS"]);
  const two = reading(client.activities({ channels: ["a", "b"] }));
  await client.publish({ n: 1 }, { channel: "b" });
  await client.publish({ n: 2 });
  await until(() => plain.numbers.length === 1 && two.numbers.length === 1, "what is read");
  assertThrows(() => client.activities({ channels: ["a//b"] }), TypeError, "empty level");
  await assertRejects(() => client.publish({}, { channel: "a/*" }), TypeError, "has a *");
  await client.close();
  await two.over;
  const older = await anonymous(server, { features: ["ack", "resume"] });
  await assertRejects(() => older.publish({}, { channel: "a" }), TypeError, '"channels"');
  await assertRejects(() => reading(older.activities({ channels: ["a"] })).over, TypeError, '"channels"');
  await older.close();
  assert(!plain.numbers.includes(1));
});

Deno.test("who may not read a channel is told so by the iterator, the history and the options; and gets the rest", async () => {
  const rights = [{ channels: ["lab/secret", "lab/hidden"], may: [] }, { channels: ["news"], may: ["read" as const] }];
  await using server = await serve({ ...OPTIONS, auth: { rights } });
  const told: unknown[] = [];
  const client = await anonymous(server, {
    channels: ["lab/hidden", ""],
    onEvent: (event: ClientEvent) => event.kind === "notAllowed" && told.push(event.channels),
  });
  const [plain, lab] = [reading(client.activities()), reading(client.activities({ channels: ["lab/**"] }))];
  const refused = await assertRejects(
    () => reading(client.activities({ channels: ["lab/secret"] })).over,
    RefusedError,
  );
  assertEquals([refused.reason, refused.command], ["NOT_ALLOWED", "SUBSCRIBE_FAILED"]);
  assertEquals(told, [["lab/hidden"]]);
  await client.publish({ n: 1 });
  await client.publish({ n: 2 }, { channel: "lab/door" });
  for (const channel of ["lab/secret", "news"]) {
    const error = await assertRejects(() => client.publish({ n: 3 }, { channel }), RefusedError, `in "${channel}"`);
    assertEquals([error.reason, error.command], ["NOT_ALLOWED", "ACTIVITY_FAILED"]);
  }
  const past = await assertRejects(() => client.history({ channel: "lab/secret" }), RefusedError, "may not read");
  assertEquals([past.reason, past.command], ["NOT_ALLOWED", "HISTORY_FAILED"]);
  await until(() => lab.numbers.length === 1 && plain.numbers.length === 1, "what may be read");
  assertEquals([plain.numbers, lab.numbers], [[1], [2]]);
  await client.close();
});

Deno.test("a client learns who reads a channel in the network, and is told who comes and goes, also after a failover", async () => {
  await using servers = await network();
  const { first, second } = servers;
  const third = await serve({ ...OPTIONS, cluster: { ...OPTIONS.cluster, join: [`127.0.0.1:${first.port}`] } });
  const named = (username: string, { host, port }: Endpoint, channels: string[], more = {}) =>
    connect({ host, port, username, secret: "open sesame", register: true, channels, ...more });
  const watcher = await named("wanda", third, [], {
    servers: [first, second].map(({ host, port }) => ({ host, port })),
  });
  const told: string[] = [];
  const news = watcher.presence({ channel: "lab" });
  const over = (async () => {
    for await (const { event, username, channel } of news) told.push(`${username} ${event} ${channel}`);
  })();
  const anna = await named("anna", second, ["lab/**"]);
  await until(() => told.length === 1, "anna");
  assertEquals(await watcher.readers("lab"), ["anna"]);
  assertEquals(await watcher.readers("hall"), []);
  const readers = anna.activities({ channels: ["hall"] });
  await eventually(async () => (await watcher.readers("hall")).length === 1, "anna in the hall");
  await readers.return!();
  const back = new Promise((resolve) => watcher.on("connected", resolve));
  await third.close();
  await back;
  assertEquals(await watcher.readers("lab"), ["anna"]);
  const bob = await named("bob", second, ["lab"]);
  await until(() => told.includes("bob joined lab"), "bob");
  await bob.close();
  await until(() => told.at(-1) === "bob left lab", "the end of bob");
  await news.return!();
  await over;
  await Promise.all([anna.close(), watcher.close()]);
});

Deno.test("who may not know who reads a channel is told so, and so is a client that knows no channels", async () => {
  await using server = await serve({ ...OPTIONS, auth: { rights: [{ channels: ["lab"], may: [] }] } });
  const client = await anonymous(server);
  const next = async (channel: string, by = client) => await by.presence({ channel }).next();
  const error = await assertRejects(() => client.readers("lab"), RefusedError, 'Cannot tell who reads "lab"');
  assertEquals([error.command, error.reason], ["USER_LIST_FAILED", "NOT_ALLOWED"]);
  await assertRejects(() => next("lab"), RefusedError, 'may not read "lab"');
  await assertRejects(() => client.readers("a//b"), TypeError, "empty level");
  const older = await anonymous(server, { features: ["ack", "channels"] });
  await assertRejects(() => next("hall", older), TypeError, '"presence"');
  assertEquals(await older.readers("hall"), []);
  const oldest = await anonymous(server, { features: [] });
  await assertRejects(() => next("hall", oldest), TypeError, '"channels"');
  await assertRejects(() => oldest.readers("hall"), TypeError, '"channels"');
  await Promise.all([client, older, oldest].map((each) => each.close()));
});
