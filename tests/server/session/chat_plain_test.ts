/** Direct messages to clients that know none, to slow ones, and to those who come when much is forgotten. */

import { assert, assertEquals } from "@std/assert";
import type { ConfigLayer } from "../../../config/config.ts";
import { loginOf, MeshClient, MeshWorld, SECRET } from "../../support/mesh_world.ts";

/** Three servers on which anna and bob are registered, and anna at the first. */
async function threeServers(layer: ConfigLayer = {}): Promise<{ world: MeshWorld; anna: MeshClient }> {
  const world = await MeshWorld.of(["a", "b", "c"], { ...layer, cluster: { rebalance: false } });
  await world.users("a", "anna", "bob");
  return { world, anna: await world.chat("a", "anna") };
}

/** How many of its messages a sender was told to be delivered. */
function delivered({ receipts }: MeshClient): number {
  return receipts.filter((receipt) => receipt.endsWith(" delivered")).length;
}

/** Takes one portion of what comes each time that it is told to. */
class PortionClient extends MeshClient {
  override onData(bytes: Uint8Array): void {
    super.onData(bytes);
    this.link.pause();
  }
}

Deno.test("a plain client is sent a direct message as an activity of its sender, and nothing else", async () => {
  const { world, anna } = await threeServers();
  const bob = await world.plain("b", "bob");
  anna.tell("bob", "hello", "m-1");
  await world.run(300);
  const { activity, ...rest } = bob.last("ACTIVITY_BROADCAST")!;
  assertEquals(activity, { direct_message: "hello", authenticated_user: "anna" });
  assertEquals(Object.keys(rest).toSorted(), ["command", "id", "lamport", "messageId", "sentAt"]);
  assertEquals(anna.receipts, ["m-1 stored", "m-1 delivered"]);
  // What it sends itself is taken, and its being delivered is not told to it.
  bob.tell("anna", "hello you");
  await world.run(300);
  assertEquals(anna.messages, ["hello you"]);
  assertEquals(bob.commands, ["LOGIN_SUCCESS", "ACTIVITY_BROADCAST"]);
  // But what it asks for it gets.
  bob.tell("anna", "and again", "b-1");
  await world.run(300);
  assertEquals(anna.messages, ["hello you", "and again"]);
  assertEquals(bob.receipts, ["b-1 stored"]);
});

Deno.test("a plain client gets what waited when it logs in, and that is delivered when its link took it", async () => {
  const { world, anna } = await threeServers();
  anna.tell("bob", "one", "m-1");
  anna.tell("bob", "two", "m-2");
  await world.equal("a", "b", "c");
  const bob = await world.plain("c", "bob");
  assertEquals(bob.plainMessages, ["anna: one", "anna: two"]);
  await world.run(300);
  assertEquals(delivered(anna), 2);
  for (const name of ["a", "b", "c"]) assertEquals(world.server(name).inboxOf("bob"), []);
  bob.send({ command: "LOGOUT" });
  await world.run(50);
  assertEquals((await world.plain("b", "bob")).plainMessages, []);
});

for (const [where, back] of [["the same server", "b"], ["another server", "c"]] as const) {
  Deno.test(`a plain client that lost its connection gets no direct message twice when it comes back to ${where}`, async () => {
    const { world, anna } = await threeServers();
    const bob = await world.plain("b", "bob");
    anna.tell("bob", "one", "m-1");
    anna.publish("first");
    await world.run(300);
    bob.link.destroy();
    await world.run(50);
    anna.publish("second");
    anna.tell("bob", "two", "m-2");
    anna.publish("third");
    anna.tell("bob", "three", "m-3");
    await world.equal("a", "b", "c");
    const again = await world.plain(back, "bob");
    await world.run(300);
    assertEquals(bob.plainMessages, ["anna: one"]);
    assertEquals(again.plainMessages, ["anna: two", "anna: three"]);
    anna.tell("bob", "four", "m-4");
    await world.run(300);
    assertEquals(again.plainMessages, ["anna: two", "anna: three", "anna: four"]);
    assertEquals(delivered(anna), 4);
    // Activities come from the log, where the connection was lost.
    const activities = again.activities.filter((n) => n !== undefined);
    assertEquals(activities, ["second", "third"]);
  });
}

Deno.test("a client without chat that resumes is sent messages as activities, at their places in the log", async () => {
  const { world, anna } = await threeServers();
  const bob = await world.login("b", "bob", { redirects: 3 });
  anna.tell("bob", "one", "m-1");
  await world.run(300);
  bob.link.destroy();
  await world.run(50);
  anna.publish("between");
  anna.tell("bob", "two", "m-2");
  await world.equal("a", "b", "c");
  const back = await world.login("c", "bob", { redirects: 3, resume: { vector: bob.vector } });
  await world.run(300);
  const came = back.all("ACTIVITY_BROADCAST").map(({ activity }) => activity.n ?? activity.direct_message);
  assertEquals(came, ["between", "two"]);
  assertEquals(delivered(anna), 2);
  assert(!back.commands.includes("CAUGHT_UP") && !back.commands.includes("RECEIPT"));
});

Deno.test("what a plain client's link has not taken is not delivered, and waits when the connection is lost", async () => {
  const { world, anna } = await threeServers();
  const bob = await world.plain("b", "bob");
  bob.link.pause();
  anna.tell("bob", "one", "m-1");
  await world.run(2_000);
  assertEquals(delivered(anna), 0);
  bob.link.resume();
  await world.run(300);
  assertEquals(delivered(anna), 1);
  bob.link.pause();
  anna.tell("bob", "two", "m-2");
  await world.run(500);
  bob.link.destroy();
  await world.run(500);
  assertEquals(delivered(anna), 1);
  assertEquals((await world.plain("b", "bob")).plainMessages, ["anna: two"]);
  await world.run(300);
  assertEquals(delivered(anna), 2);
});

Deno.test("of what a slow plain client is sent portion by portion only what its link took is delivered", async () => {
  const { world, anna } = await threeServers({ limits: { maxPendingBytes: 2_000 } });
  const bob = new PortionClient(await world.dial("b"));
  bob.send(loginOf("bob", { features: [], redirects: 3 }));
  await world.run(100);
  const count = 60;
  for (let n = 1; n <= count; n++) {
    anna.tell("bob", `${n} ${"x".repeat(400)}`, `m-${n}`);
    await world.run(5);
  }
  let portions = 0;
  while (bob.plainMessages.length < count) {
    assert(++portions < 10 * count);
    bob.link.resume();
    await world.run(250);
    assert(delivered(anna) <= bob.plainMessages.length, `${delivered(anna)} of ${bob.plainMessages.length}`);
  }
  bob.link.resume();
  await world.run(500);
  assertEquals(delivered(anna), count);
  assertEquals(bob.plainMessages.map((text) => parseInt(text.slice("anna: ".length))), numbers(count));
});

Deno.test("a slow client with chat gets all in order, and only what it said it took is delivered", async () => {
  const { world, anna } = await threeServers({ limits: { maxPendingBytes: 2_000 } });
  const bob = await world.chat("b", "bob", {}, true);
  bob.link.pause();
  const count = 200;
  for (let n = 1; n <= count; n++) anna.tell("bob", `${n} ${"x".repeat(200)}`, `m-${n}`);
  await world.run(3_000);
  assertEquals([bob.messages.length, delivered(anna)], [0, 0]);
  bob.link.resume();
  await world.until(() => bob.messages.length >= count, "the messages");
  await world.run(300);
  assertEquals(bob.messages.map((text) => parseInt(text)), numbers(count));
  assertEquals(delivered(anna), 0);
  bob.take();
  await world.run(300);
  assertEquals(delivered(anna), count);
  // It fell behind and caught up again: that is not told.
  assertEquals(bob.all("CAUGHT_UP").length, 1);
  assertEquals(new Set(anna.receipts).size, 2 * count);
});

Deno.test("what waited for longer than messages are kept is gone on every server, and nobody is told of a gap", async () => {
  const { world, anna } = await threeServers({ store: { directMessageRetentionMs: 5_000 } });
  const idle = await world.chat("b", "bob", {}, true);
  idle.link.destroy();
  anna.tell("bob", "old", "m-1");
  await world.run(4_000);
  for (const name of ["a", "b", "c"]) assertEquals(world.server(name).inboxOf("bob").length, 1);
  await world.run(3_000);
  anna.tell("bob", "new", "m-2");
  await world.run(100);
  const back = await world.chat("b", "bob", { resume: { vector: idle.vector } });
  assertEquals(back.last("LOGIN_SUCCESS")!.resume.gap, undefined);
  assertEquals((await world.chat("c", "bob")).messages, []);
  await world.run(3_000);
  for (const name of ["a", "b", "c"]) assertEquals(world.server(name).inboxOf("bob"), []);
  // The newest segment of an origin stays, whatever is in it.
  assert(back.messages.includes("new") && !back.messages.slice(1).includes("old"));
});

Deno.test("a server that comes back when messages were forgotten meanwhile takes what comes after the hole", async () => {
  const store = { directMessageRetentionMs: 3_000, activityRetentionMs: 3_000 };
  const { world, anna } = await threeServers({ store });
  const idle = await world.chat("b", "bob", {}, true);
  idle.link.destroy();
  world.server("c").kill();
  await world.run(500);
  anna.tell("bob", "forgotten", "m-1");
  anna.publish("forgotten");
  anna.tell("bob", "the newest, and still there", "m-2");
  await world.run(6_000);
  anna.tell("bob", "kept", "m-3");
  await world.run(100);
  world.start("c", ["a", "b"], { store, cluster: { rebalance: false } });
  await world.linked("a", "b", "c");
  await world.equal("a", "b", "c");
  const fresh = await world.chat("c", "bob", {}, true);
  assertEquals(fresh.messages, ["kept"]);
  const back = await world.chat("c", "bob", { resume: { vector: idle.vector } });
  assertEquals(back.messages.at(-1), "kept");
  anna.tell("bob", "live", "m-4");
  await world.run(300);
  assertEquals(back.messages.slice(-2), ["kept", "live"]);
  assertEquals(fresh.messages, ["kept", "live"]);
  assertEquals(anna.receipts.filter((receipt) => receipt.endsWith("delivered")), ["m-3 delivered", "m-4 delivered"]);
});

Deno.test("a server that joins late shows nobody what was delivered so long ago that it is forgotten", async () => {
  const store = { directMessageRetentionMs: 3_000 };
  const { world, anna } = await threeServers({ store });
  const bob = await world.chat("b", "bob");
  anna.tell("bob", "long ago", "m-1");
  await world.run(100);
  assertEquals([bob.messages, delivered(anna)], [["long ago"], 1]);
  // So that the mark, unlike the message, is not the newest of its origin.
  bob.tell("anna", "later", "m-2");
  await world.run(6_000);
  world.start("d", ["a", "b", "c"], { store, cluster: { rebalance: false } });
  await world.linked("a", "b", "c", "d");
  await world.equal("a", "b", "c", "d");
  assertEquals(world.server("d").inboxOf("bob"), []);
  assertEquals((await world.chat("d", "bob")).messages, []);
});

Deno.test("a server of the older dialect is told of no direct message and no mark", async () => {
  const world = new MeshWorld();
  world.start("a", [], { cluster: { olderDialect: true, rebalance: false, activityCheckIntervalMs: 100 } });
  await world.run(500);
  await world.users("a", "anna", "bob");
  const older = await world.client("a", { command: "AUTHENTICATE", secret: SECRET });
  const anna = await world.chat("a", "anna");
  const bob = await world.chat("a", "bob");
  anna.tell("bob", "for bob alone", "m-1");
  anna.publish("for everybody");
  await world.run(6_000);
  assertEquals([bob.messages, delivered(anna)], [["for bob alone"], 1]);
  const lines = older.received.map((line) => JSON.stringify(line));
  assert(lines.some((line) => line.includes("for everybody")), "the older server hears something");
  for (const line of lines) {
    assert(!/for bob alone|RECEIPT|DIRECT_MESSAGE|ONLINE|PRESENCE/.test(line), line);
  }
});

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
