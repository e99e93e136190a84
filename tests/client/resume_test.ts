import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { ConnectError, ConnectionEndedError, RefusedError } from "../../client/errors.ts";
import { ClientWorld, collect } from "../support/client_world.ts";

Deno.test("A client whose connection breaks comes back by itself and gets what it missed, once and in order", async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const { ids } = collect(client);
  world.server.publish({ n: 1 });
  await world.clock.run(10);
  world.network.cut();
  for (let n = 2; n <= 500; n++) world.server.publish({ n });
  await world.clock.run(1_000);
  world.network.heal();
  await world.clock.run(10_000);
  world.server.publish({ n: 501 });
  await world.clock.run(10);
  assertEquals(ids, Array.from({ length: 501 }, (_, index) => `s:${index + 1}`));
  assertEquals(world.server.got("LOGIN").at(-1)?.resume, { vector: { s: 1 } });
  assertEquals(world.told("lost"), [
    { kind: "lost", reason: "CONNECTION_RESET", info: "the network broke it", byServer: false },
  ]);
  assertEquals(world.told("caughtUp").at(-1)?.replayed, 499);
  assertEquals(world.told("duplicate"), []);
  await world.closed(client);
});

Deno.test("A replay that is cut off goes on where it was, and what it had promised is not believed", async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const { ids } = collect(client);
  world.network.cut();
  for (let n = 1; n <= 3; n++) world.server.publish({ n });
  // The next login gets the answer and the first of the three, and then the connection breaks.
  let cutShort = true;
  world.server.onLine = (connection, { command }) => {
    if (command !== "LOGIN" || !cutShort) return false;
    cutShort = false;
    connection.send(
      { command: "LOGIN_SUCCESS", info: "", features: ["resume"], resume: { vector: { s: 3 }, replayed: 3 } },
      {
        command: "ACTIVITY_BROADCAST",
        activity: { n: 1, authenticated_user: "other" },
        id: "s:1",
        lamport: 1,
        sentAt: 1,
      },
    );
    return true;
  };
  world.network.heal();
  await world.clock.run(500);
  world.network.cut();
  await world.clock.run(10);
  world.network.heal();
  await world.clock.run(10_000);
  assertEquals(world.server.got("LOGIN").at(-1)?.resume, { vector: { s: 1 } });
  assertEquals(ids, ["s:1", "s:2", "s:3"]);
  await world.closed(client);
});

Deno.test("A gap is told, never passed over in silence", async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const { ids } = collect(client);
  world.network.cut();
  for (let n = 1; n <= 9; n++) world.server.publish({ n });
  world.server.keepFrom = 5;
  world.network.heal();
  await world.clock.run(10_000);
  assertEquals(world.told("gap"), [{ kind: "gap", gaps: [{ origin: "s", first: 1, last: 4 }] }]);
  assertEquals(ids, ["s:5", "s:6", "s:7", "s:8", "s:9"]);
  await world.closed(client);
});

Deno.test("An activity that comes twice is given once, and told", async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const { ids } = collect(client);
  world.server.publish({ n: 1 });
  await world.clock.run(10);
  const broadcast = { command: "ACTIVITY_BROADCAST", activity: { n: 1 }, id: "s:1", lamport: 1, sentAt: 1 };
  world.server.newest.send(broadcast);
  await world.clock.run(10);
  assertEquals(ids, ["s:1"]);
  assertEquals(world.told("duplicate"), [{ kind: "duplicate", id: "s:1" }]);
  await world.closed(client);
});

Deno.test("connect() with `since` gets what came after it, across processes", async () => {
  const world = new ClientWorld();
  const first = await world.connected();
  const iterator = first.activities();
  for (let n = 1; n <= 3; n++) world.server.publish({ n });
  await world.clock.run(10);
  await iterator.next();
  const since = first.vector;
  assertEquals(since, { s: 1 });
  await world.closed(first);
  const second = await world.connected({ since });
  const { ids } = collect(second);
  await world.clock.run(10);
  assertEquals(ids, ["s:2", "s:3"]);
  await world.closed(second);
});

Deno.test("What was not acknowledged is sent again, the same, and published once", async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const { ids } = collect(client);
  // The server takes it, and the connection breaks before the acknowledgement comes.
  const first = client.publish({ n: 1 });
  await world.clock.run(1);
  assertEquals(world.server.log.length, 1);
  world.network.cut();
  const second = client.publish({ n: 2 });
  await world.clock.run(100);
  world.network.heal();
  await world.clock.run(10_000);
  assertEquals(await Promise.all([first, second]), [{ id: "s:1" }, { id: "s:2" }]);
  const sent = world.server.got("ACTIVITY_MESSAGE");
  assertEquals(sent.length, 3);
  // But for its time: what is sent later is sent in the future of what was seen meanwhile.
  assertEquals({ ...sent[0]!, lamport: 0 }, { ...sent[1]!, lamport: 0 });
  assert(sent[1]!.lamport > sent[0]!.lamport);
  assertEquals(ids, ["s:1", "s:2"]);
  await world.closed(client);
});

Deno.test("Wherever connections break, everything is published once and in order, and received once and in order", async () => {
  const step = fc.constantFrom("publish", "others", "cut", "stall", "wait");
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
      const world = new ClientWorld({ heartbeat: { idleTimeoutMs: 3_000, intervalMs: 1_000, count: 2 } });
      const client = await world.connected();
      const { ids } = collect(client);
      const published: Promise<unknown>[] = [];
      for (const what of steps) {
        if (what === "publish") published.push(client.publish({ mine: published.length }));
        else if (what === "others") world.server.publish({ theirs: true });
        else if (what === "wait") await world.clock.run(1);
        else {
          world.network[what]();
          await world.clock.run(what === "cut" ? 3 : 8_000);
          world.network.heal();
          await world.clock.run(2);
        }
      }
      await world.clock.run(15_000);
      await Promise.all(published);
      const mine = world.server.log.filter(({ activity }) => "mine" in activity).map(({ activity }) => activity.mine);
      assertEquals(mine, published.map((_, index) => index));
      assertEquals(ids, world.server.log.map(({ sequence }) => `s:${sequence}`));
      assertEquals(world.told("duplicate"), []);
      await world.closed(client);
    }),
    { numRuns: 25 },
  );
});

Deno.test("A client keeps trying, ever more slowly, for as long as it takes", async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  world.network.cut();
  await world.clock.run(3_600_000);
  const attempts = world.told("unreachable").length;
  assert(attempts > 300 && attempts < 1_500, `${attempts} attempts in an hour`);
  world.network.heal();
  await world.clock.run(20_000);
  assertEquals(world.told("connected").at(-1)?.returned, true);
  await world.closed(client);
});

Deno.test("A client that is not to reconnect closes with why it lost its connection", async () => {
  const world = new ClientWorld();
  const client = await world.connected({ reconnect: false });
  const { ended } = collect(client);
  const rejected = assertRejects(() => client.publish({}), ConnectionEndedError, "the network broke it");
  world.network.cut();
  await world.clock.run(1_000);
  await rejected;
  assert(await ended instanceof ConnectionEndedError);
  assertEquals((await client.closed).reason, "CONNECTION_RESET");
  assertEquals(world.clock.timersWaiting, 0);
});

Deno.test("A client gives up after the time that it was given for that", async () => {
  const world = new ClientWorld();
  const client = await world.connected({ reconnect: { giveUpAfterMs: 30_000 } });
  const rejected = assertRejects(() => client.publish({}), ConnectError, "Cannot connect to server:8000");
  world.network.cut();
  await world.clock.run(60_000);
  await rejected;
  assertEquals(world.clock.timersWaiting, 0);
});

Deno.test("END_CONNECTION says when to come back, and whether at all", async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const end = { command: "END_CONNECTION", reason: "SERVER_STOPPING", info: "updating", reconnect: "backoff" };
  world.server.newest.end({ ...end, retryAfterMs: 20_000 });
  await world.clock.run(19_000);
  assertEquals(world.server.connections.length, 1);
  assertEquals(world.told("lost"), [{ kind: "lost", reason: "SERVER_STOPPING", info: "updating", byServer: true }]);
  await world.clock.run(10_000);
  assertEquals(world.server.connections.length, 2);
  world.server.newest.end({ ...end, reconnect: "never" });
  await world.clock.run(1_000);
  assertEquals((await client.closed).info, "The connection to server:8000 ended: updating");
});

Deno.test("A client that is refused when it comes back closes", async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const { ended } = collect(client);
  world.server.onLine = (connection) => {
    connection.end({ command: "LOGIN_FAILED", info: "not any more" });
    return true;
  };
  world.network.cut();
  world.network.heal();
  await world.clock.run(10_000);
  assert(await ended instanceof RefusedError);
  assertEquals(world.clock.timersWaiting, 0);
});
