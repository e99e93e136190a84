/** Direct messages, users and presence, as a client of a network has them. */

import { assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { ConnectionEndedError, RefusedError } from "../../client/errors.ts";
import type { Client, ClientEvent, ConnectOptions, Message } from "../../client/options.ts";
import { ClientWorld } from "../support/client_world.ts";
import { FakeServer } from "../support/fake_server.ts";

const ada = { username: "ada", secret: "x", register: "ifNew" } as const;
const bob = { username: "bob", secret: "y", register: "ifNew" } as const;

/** What a client is written, until it ends. */
function read(client: Client): { texts: string[]; all: Message[] } {
  const texts: string[] = [];
  const all: Message[] = [];
  void (async () => {
    for await (const message of client.messages()) {
      texts.push(message.text);
      all.push(message);
    }
  })();
  return { texts, all };
}

/** A client with events of its own. */
async function watched(world: ClientWorld, options: Partial<ConnectOptions>) {
  const events: ClientEvent[] = [];
  const client = await world.connected({ ...options, onEvent: (event) => events.push(event) });
  const told = <K extends ClientEvent["kind"]>(kind: K) =>
    events.filter((event): event is Extract<ClientEvent, { kind: K }> => event.kind === kind);
  return { client, told };
}

Deno.test("send() resolves when the message is safe, and the other user gets it and takes it", async () => {
  const world = new ClientWorld();
  const { client: sender, told } = await watched(world, ada);
  const receiver = await world.connected(bob);
  const { all } = read(receiver);
  const sent = sender.send("bob", 'hello\u2028 "there"');
  await world.clock.run(20);
  const { id } = await sent;
  assertEquals(all, [
    { from: "ada", to: "bob", text: 'hello\u2028 "there"', id, lamport: 101, sentAt: 1_000_001, offline: false },
  ]);
  assertEquals(world.server.got("ACK").map(({ vector }) => vector), [{ s: 1 }]);
  const [{ messageId }] = world.server.got("DIRECT_MESSAGE") as [{ messageId: string }];
  assertEquals(told("delivered"), [{ kind: "delivered", messageId, of: id, to: "bob" }]);
  assertEquals(sender.unacknowledged, 0);
  await world.closed(sender, receiver);
});

Deno.test("send() to nobody is refused, and the client goes on", async () => {
  const world = new ClientWorld();
  const client = await world.connected(ada);
  const refused = assertRejects(() => client.send("eve", "hello"), RefusedError, 'to "eve": there is no user');
  const published = client.publish({});
  await world.clock.run(10);
  assertEquals((await refused).command, "DIRECT_MESSAGE_FAILED");
  assertEquals(await published, { id: "s:1" });
  assertEquals(client.unacknowledged, 0);
  await world.closed(client);
  await assertRejects(() => client.send("ada", "late"), ConnectionEndedError);
});

Deno.test("send() refuses what no server takes without asking one", async () => {
  const world = new ClientWorld();
  const client = await world.connected(ada);
  await assertRejects(() => client.send("ada", "x\ud800"), TypeError, "half a surrogate pair");
  await assertRejects(() => client.send("ada", "x".repeat(70_000)), RangeError, "65536");
  assertEquals(world.server.got("DIRECT_MESSAGE"), []);
  await world.closed(client);
});

Deno.test("What is published and sent is sent in one order, again too, and taken once", async () => {
  const world = new ClientWorld();
  const client = await world.connected(ada);
  const { texts } = read(client);
  const first = client.send("ada", "1");
  await world.clock.run(1);
  assertEquals(world.server.log.length, 1);
  // The receipt is lost.
  world.network.cut();
  const rest = [client.publish({ n: 2 }), client.send("ada", "3"), client.publish({ n: 4 })];
  await world.clock.run(100);
  world.network.heal();
  await world.clock.run(10_000);
  await Promise.all([first, ...rest]);
  const sent = world.server.lines.filter(({ messageId }) => messageId !== undefined);
  assertEquals(sent.map(({ command, text, activity }) => command === "DIRECT_MESSAGE" ? text : activity.n), [
    "1",
    "1",
    2,
    "3",
    4,
  ]);
  // But for its time: what is sent later is sent in the future of what was seen meanwhile.
  assertEquals({ ...sent[0]!, lamport: 0 }, { ...sent[1]!, lamport: 0 });
  const times = sent.map(({ lamport }) => lamport);
  assertEquals(times, [...new Set(times)].toSorted((a, b) => a - b));
  assertEquals(texts, ["1", "3"]);
  await world.closed(client);
});

Deno.test("The word that a message was delivered stands for the receipt that was lost", async () => {
  const world = new ClientWorld();
  const client = await world.connected(ada);
  const sent = client.send("ada", "1");
  world.server.onLine = (connection, { command, messageId }) => {
    if (command !== "DIRECT_MESSAGE") return false;
    connection.send({ command: "RECEIPT", state: "delivered", messageId, of: "t:4", to: "ada", id: "t:5", lamport: 1 });
    return true;
  };
  await world.clock.run(10);
  assertEquals(await sent, { id: "t:4" });
  assertEquals(world.told("delivered").length, 1);
  await world.closed(client);
});

Deno.test("Messages that waited come first, once, and are acknowledged when they are taken", async () => {
  const world = new ClientWorld();
  await world.closed(await world.connected(ada));
  for (const text of ["1", "2", "3"]) world.server.write("ada", text, "bob");
  world.server.publish({});
  const { client, told } = await watched(world, ada);
  assertEquals(world.server.got("ACK"), []);
  assertEquals(told("caughtUp"), [{ kind: "caughtUp", replayed: 0, offline: 3 }]);
  const iterator = client.messages();
  for (const text of ["1", "2"]) assertEquals((await iterator.next()).value.text, text);
  await world.clock.run(10);
  assertEquals(world.server.got("ACK").map(({ vector }) => vector), [{ s: 2 }]);
  await world.closed(client);
  const second = await world.connected(ada);
  const { all } = read(second);
  await world.clock.run(10);
  assertEquals(all.map(({ text, offline }) => [text, offline]), [["3", true]]);
  await world.closed(second);
  const third = await world.connected(ada);
  const { texts } = read(third);
  await world.clock.run(10);
  assertEquals(texts, []);
  await world.closed(third);
});

Deno.test("A message that was taken right before close() is acknowledged", async () => {
  const world = new ClientWorld();
  const client = await world.connected(ada);
  world.server.write("ada", "1");
  await world.clock.run(10);
  for await (const { text } of client.messages()) {
    assertEquals(text, "1");
    break;
  }
  await world.closed(client);
  assertEquals(world.server.got("ACK").map(({ vector }) => vector), [{ s: 1 }]);
});

Deno.test("A client that asks for no messages takes none", async () => {
  const world = new ClientWorld();
  const client = await world.connected(ada);
  world.server.write("ada", "1");
  world.network.cut();
  world.network.heal();
  await world.clock.run(10_000);
  await world.closed(client);
  assertEquals(world.server.got("ACK"), []);
});

Deno.test("An acknowledgement that may have been lost is sent again", async () => {
  const world = new ClientWorld();
  const client = await world.connected(ada);
  const { texts } = read(client);
  world.server.write("ada", "1");
  await world.clock.run(1);
  assertEquals(texts, ["1"]);
  world.network.cut();
  await world.clock.run(100);
  assertEquals(world.server.got("ACK"), []);
  world.network.heal();
  await world.clock.run(10_000);
  assertEquals(world.server.got("ACK").map(({ vector }) => vector), [{ s: 1 }]);
  assertEquals(texts, ["1"]);
  await world.closed(client);
});

Deno.test("Messages of one turn are acknowledged together", async () => {
  const world = new ClientWorld();
  const client = await world.connected(ada);
  const { texts } = read(client);
  for (let count = 0; count < 100; count++) world.server.write("ada", "x");
  await world.clock.run(10);
  assertEquals(texts.length, 100);
  // On this clock readers go on after the turn, but for the one that waited.
  assertEquals(world.server.got("ACK").map(({ vector }) => vector), [{ s: 1 }, { s: 100 }]);
  await world.closed(client);
});

Deno.test("A server dies: messages go on at another one, none lost, none twice", async () => {
  const world = new ClientWorld();
  const other = new FakeServer(world.network.machine("other"), { host: "other", origin: "t", joins: world.server });
  const servers = [other.endpoint];
  const sender = await world.connected({ ...ada, servers });
  const receiver = await world.connected({ ...bob, servers });
  const { texts } = read(receiver);
  const sent = [sender.send("bob", "1")];
  await world.clock.run(5);
  sent.push(sender.send("bob", "2"));
  await world.clock.run(1);
  await world.server.kill();
  sent.push(sender.send("bob", "3"));
  await world.clock.run(15_000);
  await Promise.all(sent);
  assertEquals(texts, ["1", "2", "3"]);
  await world.closed(sender, receiver);
});

Deno.test("users() asks the network, and asks again on the next connection", async () => {
  const world = new ClientWorld();
  const client = await world.connected(ada);
  const other = await world.connected(bob);
  const lists = Promise.all([client.users("online"), client.users("all"), client.users("online")]);
  await world.clock.run(10);
  assertEquals(await lists, [["ada", "bob"], ["ada", "bob"], ["ada", "bob"]]);
  world.network.cut();
  const later = client.users("all");
  await world.clock.run(100);
  world.network.heal();
  await world.clock.run(10_000);
  assertEquals(await later, ["ada", "bob"]);
  const never = assertRejects(() => client.users("all"), ConnectionEndedError);
  world.server.onLine = (_, { command }) => command === "LIST_USERS";
  await world.closed(client, other);
  await never;
});

Deno.test("presence() gives who comes and goes", async () => {
  const world = new ClientWorld();
  const client = await world.connected(ada);
  world.server.tellPresence("joined", "bob");
  world.server.tellPresence("lost", "bob");
  await world.clock.run(10);
  const iterator = client.presence();
  assertEquals((await iterator.next()).value, { event: "joined", username: "bob", lamport: 100 });
  assertEquals((await iterator.next()).value.event, "lost");
  await world.closed(client);
  assertEquals((await iterator.next()).done, true);
});

Deno.test("Without the feature chat there are no messages and no lists, and nobody is asked for them", async () => {
  const world = new ClientWorld();
  world.server.features = ["heartbeat", "ack", "resume"];
  const client = await world.connected(ada);
  assertEquals(world.kinds, ["connecting", "registered", "connected", "caughtUp"]);
  await assertRejects(() => client.send("ada", "1"), TypeError, '"chat"');
  await assertRejects(() => client.users("all"), TypeError, '"chat"');
  assertEquals(client.unacknowledged, 0);
  assertEquals([...world.server.got("DIRECT_MESSAGE"), ...world.server.got("LIST_USERS")], []);
  await world.closed(client);
});

Deno.test("A client that may be logged in only once waits until its lost connection is known to be lost", async () => {
  const world = new ClientWorld();
  const client = await world.connected(ada);
  let refusals = 0;
  world.server.onLine = (connection, { command }) => {
    if (command !== "LOGIN" || refusals === 8) return false;
    refusals++;
    connection.end({ command: "LOGIN_FAILED", info: "logged in elsewhere", reason: "LOGGED_IN_ELSEWHERE" });
    return true;
  };
  world.network.cut();
  world.network.heal();
  await world.clock.run(60_000);
  assertEquals([refusals, world.told("connected").length], [8, 2]);
  await world.closed(client);
  refusals = 0;
  const refused = assertRejects(() => world.connecting(ada), RefusedError, "logged in elsewhere");
  await world.clock.run(10);
  await refused;
});

Deno.test("Wherever connections break, every message is taken once, in order, and is known to be delivered", async () => {
  const step = fc.constantFrom("send", "publish", "send", "cut", "stall", "wait");
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), fc.boolean(), async (steps, isAway) => {
      const world = new ClientWorld({ heartbeat: { idleTimeoutMs: 3_000, intervalMs: 1_000, count: 2 } });
      const { client: sender, told } = await watched(world, ada);
      let receiver = await world.connected(bob);
      if (isAway) {
        const closing = receiver.close();
        await world.clock.run(3_000);
        await closing;
      }
      const all: Promise<{ id: string | undefined }>[] = [];
      const sent: string[] = [];
      let readings = isAway ? [] : [read(receiver)];
      for (const what of steps) {
        if (what === "publish") all.push(sender.publish({}));
        else if (what === "send") {
          sent.push(`${sent.length}`);
          all.push(sender.send("bob", sent.at(-1)!));
        } else if (what === "wait") await world.clock.run(1);
        else {
          world.network[what]();
          await world.clock.run(what === "cut" ? 3 : 8_000);
          world.network.heal();
          await world.clock.run(2);
        }
      }
      await world.clock.run(15_000);
      if (isAway) {
        receiver = await world.connected(bob);
        readings = [read(receiver)];
        await world.clock.run(100);
      }
      const ids = (await Promise.all(all)).map(({ id }) => id);
      assertEquals(readings[0]!.texts, sent);
      // All of one sender are one sequence.
      assertEquals(ids, ids.toSorted((one, other) => Number(one!.slice(2)) - Number(other!.slice(2))));
      assertEquals(told("delivered").map(({ of }) => of).toSorted(), readings[0]!.all.map(({ id }) => id).toSorted());
      assertEquals([...told("duplicate"), ...world.told("duplicate")], []);
      await world.closed(sender, receiver);
    }),
    { numRuns: 25 },
  );
});
