/** What waited for a user, when it is much: written in portions before all else, and never more of it than fits. */

import { WorkShares } from "../../../server/session/limits/work_shares.ts";
import { assert, assertEquals, assertLess } from "@std/assert";
import type { Link } from "../../../platform/transport.ts";
import { MAX_WAITING_MESSAGES } from "../../../server/journal/direct_messages.ts";
import { Journal } from "../../../server/journal/journal.ts";
import { Mailbox } from "../../../server/session/client/mailbox.ts";
import { openMemoryStore } from "../../../server/store/memory_store.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import type { Received } from "../../support/line_client.ts";
import { loginOf, type MeshClient, MeshWorld } from "../../support/mesh_world.ts";
import { NodeWorld } from "../../support/node_world.ts";

const STILL = { cluster: { rebalance: false } };
/** Messages of 2,000 characters: with all their fields some 2,150 bytes, so that 30 are a portion. */
const PADDING = "x".repeat(2_000);
const COUNT = 1_000;
/** Of the link: what it takes, and one portion on top, as a message may be longer with `offline`. */
const MAX_PENDING_BYTES = 100_000;
const MOST_PENDING_BYTES = MAX_PENDING_BYTES + 70_000;

/** A server at which `COUNT` messages of anna wait for bob. */
async function fullInbox(servers = ["a"]): Promise<{ world: MeshWorld; anna: MeshClient }> {
  const config = { ...STILL, limits: { maxPendingBytes: MAX_PENDING_BYTES } };
  const world = servers.length > 1 ? await MeshWorld.of(servers, config) : new MeshWorld();
  if (servers.length === 1) {
    world.start("a", [], config);
    await world.run(500);
  }
  await world.users("a", "anna", "bob");
  const anna = await world.chat("a", "anna");
  for (let n = 1; n <= COUNT; n++) {
    anna.tell("bob", `${n} ${PADDING}`, `m-${n}`);
    if (n % 100 === 0) await world.run(5);
  }
  await world.run(100);
  if (servers.length > 1) await world.equal(...servers);
  assertEquals(world.server("a").inboxOf("bob").length, COUNT);
  return { world, anna };
}

/** A login of bob's whose client has not read anything yet, and the most that the server ever had waiting for it. */
async function slowLogin(world: MeshWorld, login: Received): Promise<{ bob: MeshClient; mostPending: () => number }> {
  const link = await world.dial("a");
  const bob = world.over(link);
  link.pause();
  bob.send(loginOf("bob", { redirects: 3, ...login }));
  const far = (link as Link & { readonly peer: Link }).peer;
  let most = 0;
  const look = () => {
    most = Math.max(most, far.pendingBytes);
    world.clock.after(1, look);
  };
  look();
  return { bob, mostPending: () => most };
}

/** Lets the client read now and then, for a moment each time, until it has got that many messages. */
async function readSlowly(world: MeshWorld, bob: MeshClient, count: number): Promise<void> {
  for (let rounds = 0; numbersOf(bob).length < count; rounds++) {
    assertLess(rounds, 1_000);
    bob.link.resume();
    await world.run(3);
    bob.link.pause();
    await world.run(20);
  }
  bob.link.resume();
}

/** The numbers of the messages that came, in order, whatever they came as. */
function numbersOf(client: MeshClient): number[] {
  return client.received.flatMap(({ text, activity }) => text ?? activity?.direct_message ?? []).map((text) =>
    parseInt(text)
  );
}

function upTo(last: number, first = 1): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

function delivered(client: MeshClient): number {
  return client.receipts.filter((receipt) => receipt.endsWith("delivered")).length;
}

const kinds: [what: string, login: Received][] = [
  ["a client with chat", { features: ["ack", "resume", "chat"] }],
  ["a plain client", { features: [] }],
];

for (const [what, login] of kinds) {
  Deno.test(`${what} that reads slowly gets a large inbox in portions, and what comes meanwhile once, after it`, async () => {
    const { world, anna } = await fullInbox();
    const { bob, mostPending } = await slowLogin(world, login);
    await world.run(500);
    assert(mostPending() > MAX_PENDING_BYTES, "its link is full");
    // While most of the inbox is still to be written.
    for (const n of [1, 2, 3]) anna.tell("bob", `${COUNT + n} live`, `live-${n}`);
    anna.publish("an activity");
    await world.run(100);
    assertEquals(bob.received, []);
    await readSlowly(world, bob, COUNT / 2);
    bob.link.pause();
    for (const n of [4, 5]) anna.tell("bob", `${COUNT + n} live`, `live-${n}`);
    await world.run(50);
    await readSlowly(world, bob, COUNT + 5);
    await world.run(500);
    assertEquals(numbersOf(bob), upTo(COUNT + 5));
    assertLess(mostPending(), MOST_PENDING_BYTES);
    assertEquals(bob.activities.filter((n) => n !== undefined), ["an activity"]);
    if (bob.commands.includes("CAUGHT_UP")) {
      const waited = bob.all("DIRECT_MESSAGE").filter(({ offline }) => offline === true);
      assertEquals(waited.length, COUNT);
      assertEquals(bob.all("CAUGHT_UP").length, 1);
      assert(bob.commands.indexOf("CAUGHT_UP") > bob.received.indexOf(waited.at(-1)!));
      assertEquals(bob.last("CAUGHT_UP")!.vector, bob.last("LOGIN_SUCCESS")!.resume.vector);
      assertEquals(delivered(anna), 0);
      bob.take();
      await world.run(500);
    }
    assertEquals(delivered(anna), COUNT + 5);
    assertEquals(new Set(anna.receipts).size, 2 * (COUNT + 5));
    assertEquals(world.server("a").inboxOf("bob"), []);
    // It is as everybody is now.
    anna.tell("bob", `${COUNT + 6} live`);
    await world.run(100);
    assertEquals(numbersOf(bob).at(-1), COUNT + 6);
  });

  Deno.test(`${what} whose connection breaks in the middle of its inbox leaves what it did not take waiting`, async () => {
    const { world, anna } = await fullInbox();
    anna.publish("before the login");
    await world.run(50);
    const { bob } = await slowLogin(world, login);
    await world.run(50);
    anna.tell("bob", `${COUNT + 1} live`, "live");
    anna.publish("an activity");
    await readSlowly(world, bob, COUNT / 2);
    bob.link.pause();
    await world.run(300);
    if (!bob.commands.includes("CAUGHT_UP") && login.features.length > 0) bob.take();
    await world.run(300);
    const taken = numbersOf(bob).length;
    assert(taken >= COUNT / 2 && taken < COUNT, `${taken}`);
    bob.link.destroy();
    await world.run(500);
    const marked = delivered(anna);
    // A plain client's are delivered as they leave, a link's filling at a time; none that it was not sent, in any case.
    assert(marked > 0 && marked <= taken, `${marked} of ${taken}`);
    if (login.features.length > 0) assertEquals(marked, taken);
    assertEquals(world.server("a").inboxOf("bob").length, COUNT + 1 - marked);
    const { bob: again } = await slowLogin(world, login);
    again.link.resume();
    await world.until(() => numbersOf(again).includes(COUNT + 1), "the rest");
    await world.run(300);
    assertEquals(numbersOf(again), upTo(COUNT + 1, marked + 1));
    // Of the log nothing was sent to a plain client before its inbox was: it is neither lost nor sent twice.
    const activities = [...bob.activities, ...again.activities].filter((n) => n !== undefined);
    assertEquals(activities, ["an activity"]);
  });
}

Deno.test("what another session of the user takes while the inbox is written does not come again", async () => {
  const { world, anna } = await fullInbox(["a", "b"]);
  const { bob } = await slowLogin(world, { features: ["ack", "resume", "chat"] });
  await readSlowly(world, bob, 100);
  bob.link.pause();
  const there = await world.chat("b", "bob");
  await world.until(() => numbersOf(there).length === COUNT, "the inbox at the other server");
  await world.equal("a", "b");
  anna.tell("bob", `${COUNT + 1} live`);
  await world.run(100);
  bob.link.resume();
  await world.until(() => bob.commands.includes("CAUGHT_UP"), "the end of it");
  await world.run(200);
  const numbers = numbersOf(bob);
  assertLess(numbers.length, COUNT / 2);
  assertEquals(numbers, [...upTo(numbers.length - 1), COUNT + 1]);
  assertEquals(delivered(anna), COUNT);
});

Deno.test("a client is told when the log forgets what it should get after its inbox", async () => {
  const world = new MeshWorld();
  world.start("a", [], {
    ...STILL,
    limits: { maxPendingBytes: MAX_PENDING_BYTES },
    store: { activityRetentionMs: 20_000 },
  });
  await world.run(500);
  await world.users("a", "anna", "bob");
  const anna = await world.chat("a", "anna");
  for (let n = 1; n <= 200; n++) anna.tell("bob", `${n} ${PADDING}`);
  await world.run(100);
  const { bob } = await slowLogin(world, { features: ["chat", "resume"] });
  await world.run(100);
  anna.publish("forgotten before bob has read so far");
  await world.run(50);
  anna.publish("the newest stays");
  // Its link is paused: what it is told goes no further than that.
  await world.run(100_000);
  bob.link.resume();
  await world.run(100);
  assert(!bob.commands.includes("CAUGHT_UP"));
  assert(bob.end !== undefined);
});

Deno.test("Mailbox.acknowledged() reads of a large inbox only what was taken, and that in portions", () => {
  const reads: number[] = [];
  const store = openMemoryStore({ serverId: "a" });
  const counting = new Proxy(store, {
    get(target, name) {
      const value = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return (...parameters: unknown[]) => {
        const found = value.apply(target, parameters);
        if (name === "inboxOf" || name === "inboxRange") reads.push(found.length);
        return found;
      };
    },
  });
  const clock = new FakeClock();
  const owner = {
    committed() {},
    placeNoted() {},
    failed: (error: unknown) => assert(false, `${error}`),
  };
  const journal = new Journal(counting, clock, { tailBytes: 1_000, messagesWaitMs: Infinity }, owner);
  for (let n = 1; n <= COUNT; n++) {
    journal.directMessages.send({
      from: "anna",
      to: "bob",
      text: `${n} ${PADDING}`,
      messageId: `m-${n}`,
      lamport: undefined,
    });
  }
  journal.flush();
  const written: Uint8Array[] = [];
  const outlet = { pendingBytes: 0, write: (bytes: Uint8Array) => written.push(bytes) < 0 };
  const mailbox = new Mailbox({
    journal,
    clock,
    outlet,
    username: "bob",
    knowsChat: true,
    opened() {},
    shares: new WorkShares(clock),
  });
  mailbox.open();
  assertEquals([written.length, mailbox.isOpening], [1, true]);
  assertLess(written[0]!.length, 70_000);
  reads.length = 0;
  for (let n = 1; n <= 100; n++) {
    mailbox.acknowledged({ a: n, b: 1 });
    journal.flush();
  }
  assertEquals(reads.reduce((sum, one) => sum + one), 100);
  assertEquals(store.inboxSizes.get("bob"), COUNT - 100);
  mailbox.acknowledged({ a: Number.MAX_SAFE_INTEGER });
  clock.advance(1_000);
  assertLess(Math.max(...reads), 40);
  assertEquals(store.inboxSizes.get("bob"), undefined);
});

Deno.test("a user for whom very many messages wait gets no more, until some are taken", async () => {
  const world = await MeshWorld.of(["a", "b"], STILL);
  await world.users("a", "anna", "bob", "eve");
  const anna = await world.chat("a", "anna");
  const eve = await world.chat("b", "eve");
  anna.tell("bob", "the first", "first");
  // Also when all come in one turn.
  for (let n = 2; n <= MAX_WAITING_MESSAGES + 2; n++) {
    anna.tell("bob", `${n}`, n > MAX_WAITING_MESSAGES ? `m-${n}` : undefined);
    if (n % 2_000 === 0 && n < 8_000) await world.run(20);
  }
  anna.tell("eve", "others do", "eve-1");
  await world.equal("a", "b");
  const info = "too many messages wait for this user";
  assertEquals(anna.all("DIRECT_MESSAGE_FAILED"), [
    { command: "DIRECT_MESSAGE_FAILED", messageId: `m-${MAX_WAITING_MESSAGES + 1}`, info },
    { command: "DIRECT_MESSAGE_FAILED", messageId: `m-${MAX_WAITING_MESSAGES + 2}`, info },
  ]);
  assertEquals(eve.messages, ["others do"]);
  for (const name of ["a", "b"]) assertEquals(world.server(name).inboxOf("bob").length, MAX_WAITING_MESSAGES);
  // The limit holds at every server, and for what has no messageId too; one that was taken is answered as ever.
  eve.tell("bob", "hello");
  anna.tell("bob", "the first", "first");
  await world.run(100);
  assertEquals(eve.last("DIRECT_MESSAGE_FAILED"), { command: "DIRECT_MESSAGE_FAILED", info });
  assertEquals(anna.receipts.filter((receipt) => receipt === "first stored").length, 2);
  const bob = await world.chat("b", "bob");
  await world.until(() => world.server("a").inboxOf("bob").length === 0, "the end of the inbox");
  assertEquals(bob.messages.length, MAX_WAITING_MESSAGES);
  // The id of what was refused was not used.
  anna.tell("bob", "again", `m-${MAX_WAITING_MESSAGES + 1}`);
  await world.run(100);
  assertEquals(bob.messages.at(-1), "again");
  assertEquals([anna.end, eve.end], [undefined, undefined]);
});

Deno.test("who logs in while the inbox cannot be read is not told that all has come", async () => {
  const world = await NodeWorld.start();
  await world.register("anna");
  world.broken.add("inboxOf");
  const client = await world.connect(loginOf("anna", { features: ["chat", "resume"] }));
  await world.endAllDerivations();
  assertEquals(client.commands, ["LOGIN_SUCCESS", "END_CONNECTION"]);
  assertEquals((await world.node.finished).reason, "failed");
});
