/**
 * Machines whose calendars are wrong: for a moment, for a life, from the start. Nothing is forgotten because
 * of it, nothing is taken a second time, and servers that have calendars of their own come to the same log
 * and the same inboxes.
 */

import { assertEquals } from "@std/assert";
import { loginOf, type MeshClient, MeshWorld } from "../../support/mesh_world.ts";

const DAY_MS = 86_400_000;
const NAMES = ["a", "b", "c"];
const CONFIG = { cluster: { rebalance: false } };

/** What a server has, as far as all are to have the same. */
function logOf(world: MeshWorld, name: string): [id: string, isFor: string, line: unknown][] {
  const { entries } = world.server(name);
  return [...entries].map(([id, { isFor, line }]): [string, string, unknown] => [id, isFor, line])
    .toSorted(([one], [other]) => one < other ? -1 : 1);
}

/** All that is kept comes to who asks for all, and nothing is said to be missing. */
async function assertAllThere(world: MeshWorld, activities: readonly unknown[], messages: readonly string[]) {
  await world.equal(...NAMES);
  for (const name of NAMES) {
    const reader = await world.login(name, "anonymous", { resume: { vector: {} }, redirects: 3 });
    await world.run(200);
    assertEquals(reader.activities, activities, `activities at ${name}`);
    assertEquals(reader.last("LOGIN_SUCCESS")!.resume.gap, undefined, `a gap at ${name}`);
    reader.link.destroy();
    const inbox = world.server(name).inboxOf("bob").map(({ line }) => JSON.parse(line).text);
    assertEquals(inbox.toSorted(), messages.toSorted(), `what waits at ${name}`);
    assertEquals(logOf(world, name), logOf(world, "a"), `the log of ${name}`);
  }
}

async function begin(): Promise<{ world: MeshWorld; anna: MeshClient; eve: MeshClient }> {
  const world = await MeshWorld.of(NAMES, CONFIG);
  await world.users("a", "anna", "bob", "eve");
  const anna = await world.chat("b", "anna", {}, true);
  const eve = await world.chat("a", "eve", {}, true);
  for (let n = 1; n <= 5; n++) anna.publish(n, `m-${n}`);
  anna.tell("bob", "before", "d-1");
  await world.equal(...NAMES);
  await world.run(2_000);
  return { world, anna, eve };
}

const JUMPS: readonly [what: string, aheadMs: number, forMs: number][] = [
  ["40 days ahead for a second", 40 * DAY_MS, 1_000],
  ["10 days ahead for 10 s", 10 * DAY_MS, 10_000],
  ["10 years back for a minute", -3_650 * DAY_MS, 60_000],
];
for (const [what, aheadMs, forMs] of JUMPS) {
  Deno.test(`a calendar that is ${what}: nothing is forgotten, what is sent meanwhile waits everywhere, and message ids are known`, async () => {
    const { world, anna, eve } = await begin();
    world.server("b").calendar.aheadMs = aheadMs;
    await world.run(forMs / 2);
    anna.publish(6, "m-6");
    anna.tell("bob", "from the one that is wrong", "d-2");
    eve.tell("bob", "to the one that is wrong", "e-1");
    await world.run(forMs / 2);
    world.server("b").calendar.aheadMs = 0;
    await world.run(20_000);
    // Nobody remembers less than before.
    for (let n = 1; n <= 6; n++) anna.publish(n, `m-${n}`);
    anna.tell("bob", "before", "d-1");
    await world.run(1_000);
    const messages = ["before", "from the one that is wrong", "to the one that is wrong"];
    await assertAllThere(world, [1, 2, 3, 4, 5, 6], messages);
    // They also come to their user, once, wherever that is.
    const bob = await world.chat("b", "bob", { redirects: 3 });
    await world.run(1_000);
    assertEquals(bob.messages.toSorted(), messages.toSorted());
    for (const name of NAMES) assertEquals(world.server(name).inboxOf("bob"), []);
  });
}

for (
  const [what, aheadMs] of [
    ["without a clock, in 1970,", -60 * 365 * DAY_MS],
    ["10 years back", -3_650 * DAY_MS],
    ["10 days ahead", 10 * DAY_MS],
  ] as const
) {
  Deno.test(`a machine that boots ${what} and is set right later keeps all, and all servers come to the same`, async () => {
    const { world, eve } = await begin();
    const server = world.server("b");
    server.kill();
    await world.run(1_000);
    eve.publish("meanwhile", "e-1");
    eve.tell("bob", "meanwhile", "e-2");
    await world.run(1_000);
    server.calendar.aheadMs = aheadMs;
    world.start("b", NAMES, CONFIG);
    await world.linked(...NAMES);
    const anna = await world.chat("b", "anna", {}, true);
    anna.publish(6, "m-6");
    anna.tell("bob", "after the boot", "d-2");
    await world.run(10_000);
    server.calendar.aheadMs = 0;
    await world.run(10_000);
    for (let n = 1; n <= 6; n++) anna.publish(n, `m-${n}`);
    anna.tell("bob", "after the boot", "d-2");
    eve.tell("bob", "meanwhile", "e-2");
    await world.run(1_000);
    server.kill();
    await world.run(1_000);
    world.start("b", NAMES, CONFIG);
    await world.linked(...NAMES);
    await world.run(10_000);
    await assertAllThere(world, [1, 2, 3, 4, 5, "meanwhile", 6], ["before", "meanwhile", "after the boot"]);
  });
}

Deno.test("what is too old is forgotten all the same, by the time in which the server ran", async () => {
  const store = { directMessageRetentionMs: 30_000, activityRetentionMs: 30_000 };
  const world = new MeshWorld();
  world.start("a", [], { ...CONFIG, store });
  await world.run(200);
  await world.users("a", "anna", "bob");
  const client = await world.client("a", loginOf("anna", { features: ["ack", "chat"] }));
  client.publish("old", "m-1");
  client.tell("bob", "old", "d-1");
  await world.run(1_000);
  client.publish("newest", "m-2");
  world.server("a").calendar.aheadMs = -3_650 * DAY_MS;
  await world.run(40_000);
  const reader = await world.login("a", "anonymous", { resume: { vector: {} } });
  await world.run(100);
  assertEquals(reader.activities, ["newest"]);
  assertEquals(world.server("a").inboxOf("bob"), []);
});
