/**
 * Direct messages between users of several servers: each is received once, in its sender's order, wherever the two are.
 */

import { assert, assertEquals } from "@std/assert";
import type { Received } from "../../support/line_client.ts";
import { type FakePeer, MeshWorld } from "../../support/mesh_world.ts";

const STILL = { cluster: { rebalance: false } };

/** Three servers on which anna, bob and carl are registered. */
async function threeServers(seed = 1): Promise<MeshWorld> {
  const world = await MeshWorld.of(["a", "b", "c"], STILL, seed);
  await world.users("a", "anna", "bob", "carl");
  return world;
}

/** A server on which anna and bob are registered, and anna is logged in; and other servers of bytes. */
async function oneServerAndPeers(...names: string[]) {
  const world = await MeshWorld.of(["a"], STILL);
  await world.users("a", "anna", "bob");
  const peers: FakePeer[] = [];
  for (const name of names) peers.push(await world.peer("a", name));
  return { world, anna: await world.chat("a", "anna"), peers: peers as [FakePeer, FakePeer, FakePeer] };
}

/** Anna's message `m-1` to bob, as a server has stored it. */
function messageLine(id: string): Received {
  const sentAt = Date.UTC(2025, 0, 1);
  return {
    command: "DIRECT_MESSAGE",
    from: "anna",
    to: "bob",
    text: "hello",
    id,
    lamport: 1,
    sentAt,
    messageId: "m-1",
  };
}

/** That it was delivered. */
function receiptLine(id: string, of: string): Received {
  return { command: "RECEIPT", messageId: "m-1", state: "delivered", of, to: "bob", id, lamport: 2 };
}

/** How many direct messages wait for a user at each server. */
function waiting(world: MeshWorld, username: string, ...servers: string[]): number[] {
  return servers.map((name) => world.server(name).inboxOf(username).length);
}

Deno.test("a direct message reaches its receiver at another server, and both marks its sender", async () => {
  const world = await threeServers();
  const anna = await world.chat("a", "anna");
  const bob = await world.chat("b", "bob");
  const carl = await world.chat("b", "carl");
  anna.tell("bob", "hello", "m-1");
  await world.run(100);
  const { command, from, to, text, messageId, offline } = bob.last("DIRECT_MESSAGE")!;
  assertEquals([command, from, to, text, messageId, offline], [
    "DIRECT_MESSAGE",
    "anna",
    "bob",
    "hello",
    "m-1",
    undefined,
  ]);
  assertEquals(anna.receipts, ["m-1 stored", "m-1 delivered"]);
  const [stored, delivered] = anna.all("RECEIPT");
  const { id } = bob.last("DIRECT_MESSAGE")!;
  assertEquals([stored!.of, stored!.id, delivered!.of, delivered!.to], [id, undefined, id, "bob"]);
  // It is nobody else's, and neither are the marks.
  assertEquals([carl.messages, carl.receipts, bob.receipts, anna.messages], [[], [], [], []]);
  assertEquals(waiting(world, "bob", "a", "b", "c"), [0, 0, 0]);
});

Deno.test("messages to a user who is away wait on every server, and outlive the one that took them", async () => {
  const world = await threeServers();
  const anna = await world.chat("a", "anna");
  for (const n of [1, 2, 3]) anna.tell("bob", `text ${n}`, `m-${n}`);
  await world.equal("a", "b", "c");
  assertEquals(waiting(world, "bob", "a", "b", "c"), [3, 3, 3]);
  world.server("a").kill();
  await world.run(3_000);
  const bob = await world.chat("c", "bob");
  assertEquals(bob.messages, ["text 1", "text 2", "text 3"]);
  assert(bob.all("DIRECT_MESSAGE").every(({ offline }) => offline === true));
  // Before the server says that all has come.
  assertEquals(bob.commands.filter((command) => command === "CAUGHT_UP").length, 1);
  assert(bob.commands.indexOf("CAUGHT_UP") > bob.commands.lastIndexOf("DIRECT_MESSAGE"));
  await world.equal("b", "c");
  assertEquals(waiting(world, "bob", "b", "c"), [0, 0]);
  // A second login shows them at no server, not even where nobody has heard of their delivery yet.
  assertEquals((await world.chat("b", "bob")).messages, []);
  assertEquals((await world.chat("c", "bob")).messages, []);
  world.start("a", ["b", "c"], STILL);
  await world.linked("a", "b", "c");
  await world.equal("a", "b", "c");
  assertEquals(waiting(world, "bob", "a", "b", "c"), [0, 0, 0]);
  assertEquals((await world.chat("a", "bob")).messages, []);
  // The sender hears of it when it is back, once.
  const back = await world.chat("b", "anna", { resume: { vector: anna.vector } });
  assertEquals(back.receipts, ["m-1 delivered", "m-2 delivered", "m-3 delivered"]);
  const again = await world.chat("c", "anna", { resume: { vector: back.vector } });
  await world.run(200);
  assertEquals(again.receipts, []);
});

Deno.test("what is not said to be taken is given to the next login, and marked delivered only then", async () => {
  const world = await threeServers();
  const anna = await world.chat("a", "anna");
  const idle = await world.chat("b", "bob", {}, true);
  anna.tell("bob", "one", "m-1");
  await world.run(100);
  assertEquals(idle.messages, ["one"]);
  assertEquals(anna.receipts, ["m-1 stored"]);
  idle.link.destroy();
  await world.run(2_000);
  const bob = await world.chat("c", "bob");
  assertEquals(bob.messages, ["one"]);
  await world.run(100);
  assertEquals(anna.receipts, ["m-1 stored", "m-1 delivered"]);
});

Deno.test("a client that comes back with its vector gets what it has not said to have taken, and from the log what it missed", async () => {
  const world = await threeServers();
  const anna = await world.chat("a", "anna");
  const idle = await world.chat("b", "bob", {}, true);
  anna.tell("bob", "one", "m-1");
  await world.run(100);
  idle.link.destroy();
  await world.run(100);
  anna.tell("bob", "two", "m-2");
  anna.publish("between");
  anna.tell("bob", "three", "m-3");
  await world.equal("a", "b", "c");
  const { vector } = world.server("c");
  const bob = await world.chat("c", "bob", { resume: { vector: idle.vector } }, true);
  await world.run(100);
  assertEquals(bob.messages, ["one", "two", "three"]);
  assertEquals(bob.activities, ["between"]);
  assertEquals(bob.all("CAUGHT_UP").length, 1);
  assertEquals(bob.last("CAUGHT_UP")!.vector, vector);
  // The log shows no message as one that waited.
  assertEquals(bob.all("DIRECT_MESSAGE").map(({ offline }) => offline), [true, undefined, undefined]);
  bob.send({ command: "ACK", vector: bob.vector });
  await world.run(100);
  assertEquals(anna.receipts.filter((receipt) => receipt.endsWith("delivered")).toSorted(), [
    "m-1 delivered",
    "m-2 delivered",
    "m-3 delivered",
  ]);
  assertEquals(waiting(world, "bob", "a", "b", "c"), [0, 0, 0]);
});

for (const saysSo of ["once more", "nothing more"]) {
  Deno.test(`what was taken at a server that died with the mark is marked when the message comes to where the user is, who says ${saysSo}`, async () => {
    const world = await threeServers();
    const anna = await world.chat("a", "anna");
    const idle = await world.chat("a", "bob", {}, true);
    world.part(["a"], ["b", "c"]);
    anna.tell("bob", "one", "m-1");
    await world.run(50);
    assertEquals(idle.messages, ["one"]);
    world.server("a").kill();
    const bob = await world.chat("b", "bob", { resume: { vector: idle.vector } });
    bob.send({ command: "ACK", vector: idle.vector });
    await world.run(100);
    world.network.heal();
    world.start("a", ["b", "c"], STILL);
    await world.linked("a", "b", "c");
    await world.equal("a", "b", "c");
    if (saysSo === "once more") bob.send({ command: "ACK", vector: bob.vector });
    await world.run(100);
    await world.equal("a", "b", "c");
    assertEquals(bob.messages, []);
    assertEquals(waiting(world, "bob", "a", "b", "c"), [0, 0, 0]);
  });
}

for (const [where, second] of [["the same server", "b"], ["another server", "c"]] as const) {
  Deno.test(`two terminals of one user at ${where} both receive, and the sender is told once`, async () => {
    const world = await threeServers();
    const anna = await world.chat("a", "anna");
    const one = await world.chat("b", "bob");
    const two = await world.chat(second, "bob");
    for (const n of [1, 2, 3]) anna.tell("bob", `text ${n}`, `m-${n}`);
    await world.run(500);
    assertEquals(one.messages, ["text 1", "text 2", "text 3"]);
    assertEquals(two.messages, ["text 1", "text 2", "text 3"]);
    const delivered = anna.receipts.filter((receipt) => receipt.endsWith("delivered"));
    assertEquals(delivered, ["m-1 delivered", "m-2 delivered", "m-3 delivered"]);
  });

  Deno.test(`two plain clients of one user at ${where} both receive, and the sender is told once`, async () => {
    const world = await threeServers();
    const anna = await world.chat("a", "anna");
    const one = await world.plain("b", "bob");
    const two = await world.plain(second, "bob");
    anna.tell("bob", "hello", "m-1");
    await world.run(500);
    assertEquals(one.plainMessages, ["anna: hello"]);
    assertEquals(two.plainMessages, ["anna: hello"]);
    assertEquals(anna.receipts, ["m-1 stored", "m-1 delivered"]);
  });
}

Deno.test("the sender is told once of what two of the receiver's sessions took while their servers were apart", async () => {
  const world = await threeServers();
  const anna = await world.chat("a", "anna");
  anna.tell("bob", "hello", "m-1");
  await world.equal("a", "b", "c");
  await world.parted(["b"], ["a", "c"]);
  const one = await world.chat("b", "bob");
  const two = await world.chat("c", "bob");
  assertEquals([one.messages, two.messages], [["hello"], ["hello"]]);
  world.network.heal();
  await world.linked("a", "b", "c");
  await world.equal("a", "b", "c");
  assertEquals(anna.receipts, ["m-1 stored", "m-1 delivered"]);
});

Deno.test("the same messageId is one message, which is answered each time", async () => {
  const world = await threeServers();
  const bob = await world.chat("b", "bob");
  const anna = await world.chat("a", "anna");
  anna.tell("bob", "hello", "m-1");
  anna.tell("bob", "hello", "m-1");
  await world.run(100);
  const there = await world.chat("c", "anna", { resume: { vector: anna.vector } });
  there.tell("bob", "hello", "m-1");
  await world.run(100);
  assertEquals(bob.messages, ["hello"]);
  assertEquals(anna.receipts, ["m-1 stored", "m-1 stored", "m-1 delivered"]);
  assertEquals(there.receipts, ["m-1 stored"]);
  assertEquals(new Set([...anna.all("RECEIPT"), ...there.all("RECEIPT")].map(({ of }) => of)).size, 1);
  assert([...anna.all("RECEIPT"), ...there.all("RECEIPT")].every(({ differs }) => differs === undefined));
});

Deno.test("a messageId that was used for another text, receiver or activity is answered with a word about it", async () => {
  const world = await threeServers();
  const bob = await world.chat("b", "bob");
  const anna = await world.chat("a", "anna");
  anna.tell("bob", "hello", "m-1");
  await world.run(100);
  const there = await world.chat("c", "anna", { resume: { vector: anna.vector } });
  there.tell("bob", "goodbye", "m-1");
  there.tell("anna", "hello", "m-1");
  await world.run(100);
  assertEquals(bob.messages, ["hello"]);
  const receipts = there.all("RECEIPT").filter(({ state }) => state === "stored");
  assertEquals(receipts.map(({ messageId, differs }) => [messageId, differs]), [["m-1", true], ["m-1", true]]);
});

for (const first of ["a", "b"]) {
  for (const isAway of [true, false]) {
    const who = isAway ? "a user who is away" : "a user who is there";
    Deno.test(`a message that two servers took apart from each other is one to ${who}, who reads it at ${first}`, async () => {
      const world = await threeServers();
      const anna = await world.chat("a", "anna");
      await world.parted(["a"], ["b", "c"]);
      anna.tell("bob", "hello", "m-1");
      const elsewhere = await world.chat("b", "anna");
      elsewhere.tell("bob", "hello", "m-1");
      await world.run(100);
      const there = isAway ? undefined : await world.chat(first, "bob");
      await world.run(100);
      world.network.heal();
      await world.linked("a", "b", "c");
      await world.equal("a", "b", "c");
      const bob = there ?? await world.chat(first, "bob");
      await world.run(200);
      await world.equal("a", "b", "c");
      assertEquals(bob.messages, ["hello"]);
      assertEquals(waiting(world, "bob", "a", "b", "c"), [0, 0, 0]);
      for (const server of ["a", "b", "c"]) assertEquals((await world.chat(server, "bob")).messages, []);
    });
  }
}

Deno.test("a mark that overtakes its message between servers holds", async () => {
  const world = await threeServers();
  world.network.slow("a", "c", 1_500);
  const anna = await world.chat("a", "anna");
  const bob = await world.chat("b", "bob");
  anna.tell("bob", "hello", "m-1");
  await world.run(200);
  assertEquals(bob.messages, ["hello"]);
  assertEquals(world.server("c").vector.b! > 0, true);
  const early = await world.chat("c", "bob");
  await world.equal("a", "b", "c");
  assertEquals(waiting(world, "bob", "a", "b", "c"), [0, 0, 0]);
  assertEquals((await world.chat("c", "bob")).messages, []);
  assertEquals(anna.receipts, ["m-1 stored", "m-1 delivered"]);
  // To a session that was there it is news.
  assertEquals(early.messages, ["hello"]);
});

Deno.test("a mark that overtakes a message which two servers took holds for both", async () => {
  const { world, anna, peers: [x, y, z] } = await oneServerAndPeers("x", "y", "z");
  z.entries("z", 1, [receiptLine("z:1", "y:1")], { to: { user: "anna" } });
  x.entries("x", 1, [messageLine("x:1")], { to: { user: "bob" } });
  await world.run(50);
  assertEquals([world.server("a").vector.x, ...waiting(world, "bob", "a")], [1, 0]);
  y.entries("y", 1, [messageLine("y:1")], { to: { user: "bob" } });
  await world.run(50);
  assertEquals(waiting(world, "bob", "a"), [0]);
  assertEquals(anna.receipts, ["m-1 delivered"]);
});

Deno.test("of two marks of one message the sender is told one, also when the first is passed on by a server that told the other", async () => {
  const { world, anna, peers: [x, y, z] } = await oneServerAndPeers("x", "y", "z");
  x.entries("x", 1, [messageLine("x:1")], { to: { user: "bob" } });
  y.entries("y", 1, [receiptLine("y:1", "x:1")], { to: "servers" });
  await world.run(50);
  assertEquals([waiting(world, "bob", "a"), anna.receipts], [[0], []]);
  z.entries("z", 1, [receiptLine("z:1", "x:1"), receiptLine("z:2", "x:1")], { to: { user: "anna" } });
  await world.run(50);
  assertEquals(anna.receipts, ["m-1 delivered"]);
});

Deno.test("activities and direct messages of one sender are received in its order, across servers", async () => {
  const world = await threeServers();
  world.network.slow("a", "c", 1_500);
  const bob = await world.chat("c", "bob");
  const atA = await world.chat("a", "anna");
  atA.publish("an activity at a", "p-1");
  atA.tell("bob", "a message at a", "m-1");
  await world.run(50);
  const { of } = atA.last("RECEIPT")!;
  const atB = await world.chat("b", "anna", { last: of, resume: { vector: atA.vector } });
  atB.tell("bob", "a message at b", "m-2");
  atB.publish("an activity at b", "p-2");
  await world.run(200);
  assertEquals(bob.received.filter(({ id }) => id !== undefined), []);
  await world.equal("a", "b", "c");
  const order = bob.received.filter(({ id }) => id !== undefined).map(({ text, activity }) => text ?? activity.n);
  assertEquals(order, ["an activity at a", "a message at a", "a message at b", "an activity at b"]);
});

Deno.test("messages that waited come in their sender's order when it went from server to server", async () => {
  const world = await threeServers();
  world.network.slow("a", "c", 1_500);
  let anna = await world.chat("a", "anna");
  const texts: string[] = [];
  for (const [n, server] of ["a", "b", "a", "b", "c"].entries()) {
    const last = anna.last("RECEIPT")?.of;
    anna = await world.chat(server, "anna", last === undefined ? {} : { last });
    anna.tell("bob", `text ${n}`, `m-${n}`);
    texts.push(`text ${n}`);
    await world.until(() => anna.receipts.length > 0, "the mark");
  }
  await world.equal("a", "b", "c");
  const waitingTexts = (name: string) => world.server(name).inboxOf("bob").map(({ line }) => JSON.parse(line).text);
  for (const name of ["a", "b", "c"]) assertEquals(waitingTexts(name), texts);
  assertEquals((await world.chat("c", "bob")).messages, texts);
});

Deno.test("what cannot be sent is answered, and costs nobody the connection", async () => {
  const world = await threeServers();
  const anna = await world.chat("a", "anna");
  anna.tell("nobody", "hello", "m-1");
  anna.tell("bob", "", "m-2");
  anna.tell("anonymous", "hello");
  await world.run(50);
  const failures = anna.all("DIRECT_MESSAGE_FAILED").map(({ messageId, info }) => [messageId, info]);
  assertEquals(failures, [
    ["m-1", "there is no user with this name"],
    ["m-2", "the text is empty"],
    [undefined, "there is no user with this name"],
  ]);
  const anonymous = await world.client("a", {
    command: "LOGIN",
    username: "anonymous",
    features: ["chat"],
    redirects: 3,
  });
  anonymous.tell("bob", "hello", "m-3");
  await world.run(50);
  assertEquals(anonymous.last("DIRECT_MESSAGE_FAILED")?.info, "only who has a name can send a direct message");
  assertEquals([anna.end, anonymous.end], [undefined, undefined]);
  // The id was not used.
  anna.tell("bob", "hello", "m-1");
  await world.run(50);
  assertEquals(anna.receipts, ["m-1 stored"]);
  assertEquals(waiting(world, "bob", "a", "b", "c"), [1, 1, 1]);
});

Deno.test("a message to oneself reaches all of one's sessions and is marked", async () => {
  const world = await threeServers();
  const one = await world.chat("a", "anna");
  const two = await world.chat("b", "anna");
  one.tell("anna", "note", "m-1");
  await world.run(200);
  assertEquals([one.messages, two.messages], [["note"], ["note"]]);
  assertEquals(one.receipts.filter((receipt) => receipt === "m-1 delivered").length, 1);
});

Deno.test("a client cannot say what only servers say", async () => {
  const world = await threeServers();
  for (
    const line of [
      { command: "ONLINE", users: ["bob"] },
      { command: "ONLINE_CHANGE", username: "bob", event: "joined" },
      { command: "RECEIPT", messageId: "m-1", state: "delivered", of: "a:1", to: "bob" },
      { command: "PRESENCE", event: "joined", username: "bob" },
      { command: "CAUGHT_UP", vector: {} },
    ]
  ) {
    const anna = await world.chat("a", "anna");
    anna.send(line);
    await world.run(50);
    assertEquals(anna.received.at(-1)!.command, "INVALID_MESSAGE", line.command);
    assert(anna.end !== undefined);
  }
});
