/** An `AbortSignal` wherever something is waited for: what it ends, and what it does not. */

import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { ConnectionEndedError } from "../../client/errors.ts";
import { ClientWorld, collect } from "../support/client_world.ts";

const REASON = new Error("not any more");

/** Rejects with the reason of the signal itself. */
async function assertGivenUp(act: () => Promise<unknown>): Promise<void> {
  assertStrictEquals(await assertRejects(act), REASON);
}

Deno.test("connect() can be given up while it dials, waits or logs in, and nothing is left", async () => {
  for (const state of ["dialling", "waiting", "logging in"] as const) {
    const world = new ClientWorld();
    if (state === "logging in") world.server.onLine = () => true;
    if (state !== "logging in") await world.server.kill();
    const giveUp = new AbortController();
    // A second address, so that it waits between the rounds.
    const servers = [{ host: "nowhere", port: 1 }];
    const rejected = assertGivenUp(() => world.connecting({ signal: giveUp.signal, servers }));
    await world.clock.run(state === "dialling" ? 0 : 1);
    giveUp.abort(REASON);
    // Not when a timer ends.
    await world.clock.run(state === "logging in" ? 5 : 0);
    await rejected;
    assertEquals([world.network.openEnds, world.clock.timersWaiting], [0, 0], state);
  }
});

Deno.test("what is given up before it begins does nothing at all", async () => {
  const world = new ClientWorld();
  const signal = AbortSignal.abort(REASON);
  await assertGivenUp(() => world.connecting({ signal }));
  assertEquals([world.server.connections.length, world.clock.timersWaiting], [0, 0]);
  const client = await world.connected();
  const before = world.server.lines.length;
  await assertGivenUp(() => client.publish({ n: 1 }, { signal }));
  await assertGivenUp(() => client.send("bob", "x", { signal }));
  await assertGivenUp(() => client.users("all", { signal }));
  await assertGivenUp(() => client.history({ signal }));
  assertEquals([world.server.lines.length, client.unacknowledged], [before, 0]);
  await world.closed(client);
});

Deno.test("a signal of connect() means nothing any more when the client is logged in", async () => {
  const world = new ClientWorld();
  const controller = new AbortController();
  const client = await world.connected({ signal: controller.signal });
  controller.abort(REASON);
  const published = client.publish({ n: 1 });
  await world.clock.run(20);
  assertEquals((await published).id, "s:1");
  await world.closed(client);
});

Deno.test("publish() and send() are taken back if they have not left the client, and go on if they have", async () => {
  const world = new ClientWorld();
  world.server.accounts.set("bob", "x");
  const client = await world.connected({ username: "ada", secret: "x", register: true });
  const late = new AbortController();
  const sent = assertGivenUp(() => client.publish({ n: 1 }, { signal: late.signal }));
  await world.clock.run(0);
  late.abort(REASON);
  await world.clock.run(20);
  await sent;
  assertEquals(world.server.log.map(({ activity }) => activity), [{ n: 1 }]);
  assertEquals(client.unacknowledged, 0);

  await world.server.kill();
  await world.clock.run(20);
  const giveUp = new AbortController();
  const { signal } = giveUp;
  const unsent = [
    assertGivenUp(() => client.publish({ n: 2 }, { signal })),
    assertGivenUp(() => client.send("bob", "two", { signal })),
  ];
  const kept = client.publish({ n: 3 });
  assertEquals(client.unacknowledged, 3);
  giveUp.abort(REASON);
  await Promise.all(unsent);
  assertEquals(client.unacknowledged, 1);
  world.server.restart();
  await world.clock.run(20_000);
  await kept;
  assertEquals(world.server.log.map(({ activity }) => activity), [{ n: 1 }, { n: 3 }]);
  await world.closed(client);
});

Deno.test("users() is given up, and its answer is nobody else's", async () => {
  const world = new ClientWorld();
  world.server.accounts.set("bob", "x");
  const client = await world.connected();
  const giveUp = new AbortController();
  const first = assertGivenUp(() => client.users("all", { signal: giveUp.signal }));
  giveUp.abort(REASON);
  await first;
  world.server.accounts.set("carl", "x");
  const second = client.users("all");
  await world.clock.run(20);
  assertEquals((await second).includes("carl"), true);
  await world.closed(client);
});

Deno.test("an iterator is left when its signal says so: it throws the reason once, and others go on", async () => {
  const world = new ClientWorld();
  const client = await world.connected({ username: "ada", secret: "x", register: true });
  const giveUp = new AbortController();
  const { signal } = giveUp;
  const left = [client.activities({ signal }), client.messages({ signal }), client.presence({ signal })];
  const waiting = left.map((iterator) => iterator.next());
  const other = collect(client);
  giveUp.abort(REASON);
  for (const next of waiting) await assertGivenUp(() => next);
  for (const iterator of left) assertEquals(await iterator.next(), { done: true, value: undefined });
  world.server.publish({ n: 1 });
  await world.clock.run(20);
  assertEquals(other.ids, ["s:1"]);
  // One that nobody was waiting at throws when somebody does.
  await assertGivenUp(() => client.activities({ signal }).next());
  const quiet = new AbortController();
  const unwatched = client.activities({ signal: quiet.signal });
  quiet.abort(REASON);
  await assertGivenUp(() => unwatched.next());
  assertEquals((await unwatched.next()).done, true);
  await world.closed(client);
});

Deno.test("an iterator that was given up before it began takes nothing from the first one that is wanted", async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  world.server.publish({ n: 1 });
  await world.clock.run(20);
  await assertGivenUp(() => client.activities({ signal: AbortSignal.abort(REASON) }).next());
  assertEquals((await client.activities().next()).value.id, "s:1");
  await world.closed(client);
});

Deno.test("what was left with a signal counts as not taken, and does not hold the connection up", async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const giveUp = new AbortController();
  client.activities({ signal: giveUp.signal });
  for (let n = 0; n < 40; n++) world.server.publish({ n, pad: "x".repeat(60_000) });
  await world.clock.run(100);
  giveUp.abort(REASON);
  assertEquals(client.vector, { s: 0 });
  const users = client.users("online");
  await world.clock.run(20);
  assertEquals(await users, ["anonymous"]);
  await world.closed(client);
});

Deno.test("close() waits no longer when it is given up: the connection is cut, and the client is closed", async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  world.server.onLine = (_, { command }) => command === "ACTIVITY_MESSAGE" || command === "LOGOUT";
  const unacknowledged = assertRejects(() => client.publish({ n: 1 }), ConnectionEndedError);
  await world.clock.run(20);
  const giveUp = new AbortController();
  const closing = assertGivenUp(() => client.close({ signal: giveUp.signal }));
  await world.clock.run(100);
  assertEquals(world.server.got("LOGOUT"), []);
  giveUp.abort(REASON);
  await world.clock.run(20);
  await closing;
  await unacknowledged;
  assertEquals((await client.closed).reason, "LOGGED_OUT");
  assertEquals([world.network.openEnds, world.clock.timersWaiting], [0, 0]);
  await client.close();
});

Deno.test("a signal that many calls share keeps nothing of those that are over", async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const { signal } = new AbortController();
  let listening = 0;
  const watched = new Proxy(signal, {
    get(target, name) {
      if (name === "addEventListener") listening++;
      if (name === "removeEventListener") listening--;
      const value = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const remove = client.on(() => {}, { signal: watched });
  const iterator = client.activities({ signal: watched });
  const published = client.publish({ n: 1 }, { signal: watched });
  const users = client.users("all", { signal: watched });
  const past = client.history({ signal: watched });
  await world.clock.run(50);
  await Promise.all([published, users, past]);
  await iterator.return!();
  remove();
  assertEquals(listening, 0);
  await world.closed(client);
});
