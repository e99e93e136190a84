/**
 * A user with a name, who comes without knowing where it was, gets what came meanwhile: wherever it was,
 * and wherever it comes.
 */

import { assert, assertEquals } from "@std/assert";
import type { ConfigLayer } from "../../../config/config.ts";
import { DEFAULT_CONFIG } from "../../../config/config.ts";
import { activityLine, loginOf, type MeshClient, MeshWorld } from "../../support/mesh_world.ts";

const { cluster: { peerIdleTimeoutMs, peerIntervalMs, peerHeartbeats, announceIntervalMs } } = DEFAULT_CONFIG;
/** A server is known to be dead after this at the latest, with a little for the network. */
const DETECTION_MS = peerIdleTimeoutMs + peerIntervalMs * (peerHeartbeats + 1) + 500;
const ALL = ["a", "b", "c", "d"];

/** Four servers on which anna and bob are registered, and somebody at b who publishes. */
async function fourServers(layer: ConfigLayer = {}): Promise<{ world: MeshWorld; sender: MeshClient }> {
  const world = await MeshWorld.of(ALL, { ...layer, cluster: { rebalance: false, ...layer.cluster } });
  await world.users("a", "anna", "bob");
  const sender = await world.login("b", "anonymous", { redirects: 3 });
  return { world, sender };
}

function restart(world: MeshWorld, server: string): void {
  world.start(server, ALL, { cluster: { rebalance: false } });
}

/** A plain client that stays at `server`: one that comes back there at once is not sent on a second time. */
async function plain(world: MeshWorld, server: string, username = "anna"): Promise<MeshClient> {
  const machine = `m${++machines}`;
  for (;;) {
    const client = world.over(await world.dial(server, machine));
    client.send({ command: "LOGIN", username, secret: username });
    await world.until(() => client.commands.includes("LOGIN_SUCCESS"), `the login of ${username} at ${server}`);
    // A REDIRECT follows it, and may come by itself.
    await world.run(20);
    if (!client.commands.includes("REDIRECT")) return client;
  }
}
let machines = 0;

/** What a new plain client of `username` is given at `server`. */
async function given(world: MeshWorld, server: string, username = "anna"): Promise<unknown[]> {
  const client = await plain(world, server, username);
  await world.run(300);
  const { activities } = client;
  client.send({ command: "LOGOUT" });
  await world.run(100);
  return activities;
}

for (const how of ["kill", "powerOff"] as const) {
  Deno.test(`after ${how} of its server a plain client gets at another one what came meanwhile, once`, async () => {
    const { world, sender } = await fourServers();
    const anna = await plain(world, "a", "anna");
    sender.publish(1);
    await world.run(announceIntervalMs + 100);
    assertEquals(anna.activities, [1]);
    world.server("a")[how]();
    sender.publish(2);
    await world.run(DETECTION_MS);
    sender.publish(3);
    await world.run(100);
    assertEquals(await given(world, "d"), [2, 3]);
    assertEquals(await given(world, "d"), []);
    assertEquals(await given(world, "c"), []);
  });
}

Deno.test("a server that is back before its loss was noticed, and has not joined yet, keeps nothing from who was there", async () => {
  const { world, sender } = await fourServers();
  await plain(world, "a", "anna");
  await world.run(announceIntervalMs + 100);
  // So c learns of the end of the former link only when the next one is there.
  const { process } = world.server("c");
  process.stall();
  world.server("a").powerOff();
  // Until it has heard from all it tells nothing itself.
  world.part(["a"], ["b", "d"]);
  restart(world, "a");
  await world.run(200);
  process.goOn();
  sender.publish(1);
  await world.run(200);
  const anna = await plain(world, "c", "anna");
  await world.run(300);
  assertEquals(anna.activities, [1]);
});

Deno.test("a place that its server has not sent when it is lost is not lost with it, although all had heard that the user is gone", async () => {
  const world = await MeshWorld.of(["a", "b"], { cluster: { rebalance: false }, limits: { maxPendingBytes: 2_000 } });
  await world.users("a", "anna");
  const anna = await plain(world, "a", "anna");
  const noisy = await world.login("a", "anonymous", { redirects: 3 });
  await world.run(announceIntervalMs + 100);
  const { process } = world.server("b");
  process.stall();
  for (let n = 1; n <= 20; n++) noisy.publish("x".repeat(500));
  await world.run(50);
  anna.link.destroy();
  await world.run(50);
  world.server("a").powerOff();
  process.goOn();
  const sender = await world.login("b", "anonymous", { redirects: 3 });
  sender.publish(1);
  await world.run(DETECTION_MS);
  const back = await plain(world, "b", "anna");
  await world.run(300);
  assertEquals(back.activities.at(-1), 1);
});

Deno.test("what a server had only after the user had gone from it is not taken for what the user has", async () => {
  const names = ["a", "b", "c"];
  const cluster = { rebalance: false, announceIntervalMs: 500 };
  const world = await MeshWorld.of(names, { cluster, limits: { maxPendingBytes: 2_000 } });
  await world.users("a", "anna");
  const anna = await plain(world, "a", "anna");
  const noisy = await world.login("a", "anonymous", { redirects: 3 });
  await world.run(cluster.announceIntervalMs + 100);
  const { process } = world.server("b");
  process.stall();
  for (let n = 1; n <= 20; n++) noisy.publish("x".repeat(500));
  await world.run(50);
  anna.link.destroy();
  await world.run(50);
  noisy.publish("late");
  // This overtakes the entries too.
  await world.run(cluster.announceIntervalMs + 100);
  world.part(["b"], ["c"]);
  world.server("a").powerOff();
  process.goOn();
  await world.run(DETECTION_MS);
  const back = await plain(world, "b", "anna");
  world.network.heal();
  await world.equal("b", "c");
  await world.run(300);
  assertEquals(back.activities.at(-1), "late");
});

Deno.test("what comes again is at most what came since the lost server announced itself last", async () => {
  const { world, sender } = await fourServers();
  const anna = await plain(world, "a", "anna");
  for (let n = 1; n <= 8; n++) {
    sender.publish(n);
    await world.run(1_000);
  }
  assertEquals(anna.activities, [1, 2, 3, 4, 5, 6, 7, 8]);
  world.server("a").kill();
  await world.run(100);
  sender.publish(9);
  await world.run(100);
  const again = await given(world, "d") as number[];
  assertEquals(again.at(-1), 9);
  assertEquals(again, Array.from(again, (_, index) => 9 - again.length + 1 + index));
  assert(again.length - 1 <= announceIntervalMs / 1_000, again.join());
});

Deno.test("a second process of a client that resumes, and has kept nothing, gets what came meanwhile", async () => {
  for (const how of ["its server", "its connection"]) {
    const { world, sender } = await fourServers();
    const first = await world.chat("a", "anna");
    await world.run(announceIntervalMs + 100);
    if (how === "its server") world.server("a").kill();
    else first.link.destroy();
    await world.run(50);
    sender.publish(1);
    sender.publish(2);
    await world.run(100);
    const second = await world.chat("d", "anna");
    await world.run(300);
    assertEquals(second.activities, [1, 2], how);
    // Whatever it takes what it is told for, none of it is old to it, and in the end it has all.
    const { resume } = second.last("LOGIN_SUCCESS")!;
    assertEquals([resume.replayed, resume.vector.b], [0, first.vector.b]);
    assertEquals(second.last("CAUGHT_UP")!.vector.b, world.server("b").vector.b);
    assertEquals(await given(world, "c"), []);
  }
});

Deno.test("a connection that is lost at a living server goes on at another one, and not once more", async () => {
  const { world, sender } = await fourServers();
  const anna = await plain(world, "a", "anna");
  sender.publish(1);
  await world.run(100);
  anna.link.destroy();
  await world.run(20);
  sender.publish(2);
  await world.run(20);
  assertEquals(await given(world, "c"), [2]);
  for (const server of ALL) assertEquals(await given(world, server), []);
});

Deno.test("who calls the next server at once is known to be lost at the last one, however near", async () => {
  for (let delayMs = 0; delayMs < 12; delayMs += 2) {
    const { world, sender } = await fourServers();
    world.network.slow("a", "d", 40);
    const anna = await plain(world, "a", "anna");
    await world.run(100);
    anna.link.destroy();
    await world.run(delayMs);
    sender.publish(1);
    const next = await plain(world, "d", "anna");
    await world.run(500);
    assertEquals(next.activities, [1], `${delayMs} ms`);
  }
});

Deno.test("who calls before its server is known to be dead waits until it is, and gets what came meanwhile", async () => {
  const { world, sender } = await fourServers();
  await plain(world, "a", "anna");
  await world.run(announceIntervalMs + 100);
  world.server("a").powerOff();
  sender.publish(1);
  await world.run(500);
  const link = await world.dial("d");
  const anna = world.over(link);
  anna.send({ command: "LOGIN", username: "anna", secret: "anna" });
  await world.run(500);
  assertEquals(anna.commands, []);
  await world.run(DETECTION_MS);
  assertEquals(anna.activities, [1]);
});

Deno.test("of an origin that the server of a lost connection never heard of, all comes at the next one", async () => {
  const world = await MeshWorld.of(["a", "b"], { cluster: { rebalance: false } });
  await world.users("a", "anna");
  const anna = await plain(world, "a");
  await world.run(announceIntervalMs + 100);
  // A server that only b has met, with what there is of a third one.
  const peer = await world.peer("b", "late");
  peer.entries("gone", 1, [activityLine("gone:1", 1), activityLine("gone:2", 2)]);
  await world.run(20);
  anna.link.destroy();
  await world.run(20);
  assertEquals(await given(world, "b"), [1, 2]);
  assertEquals(await given(world, "b"), []);
});

Deno.test("a second session of a user who is connected elsewhere gets nothing extra, and takes nothing away", async () => {
  const { world, sender } = await fourServers();
  const first = await plain(world, "a", "anna");
  sender.publish(1);
  await world.run(100);
  assertEquals(await given(world, "c"), []);
  const [lines, resuming] = [await plain(world, "c", "anna"), await world.chat("d", "anna")];
  await world.run(100);
  assertEquals([lines.activities, resuming.activities], [[], []]);
  for (const client of [lines, resuming]) client.send({ command: "LOGOUT" });
  await world.run(announceIntervalMs + 100);
  first.link.destroy();
  await world.run(20);
  sender.publish(2);
  await world.run(20);
  assertEquals(await given(world, "d"), [2]);
});

Deno.test("nothing waits for who has logged out, also when its server is killed then", async () => {
  const { world, sender } = await fourServers();
  const anna = await plain(world, "a", "anna");
  await world.run(announceIntervalMs + 100);
  anna.send({ command: "LOGOUT" });
  await world.run(50);
  world.server("a").kill();
  sender.publish(1);
  await world.run(100);
  assertEquals(await given(world, "d"), []);
});

Deno.test("a client that comes back with its vector takes its place away, so that nobody is given it again", async () => {
  for (const how of ["its server", "its connection"]) {
    const { world, sender } = await fourServers();
    const first = await world.chat("a", "anna");
    await world.run(announceIntervalMs + 100);
    const { vector } = first;
    if (how === "its server") world.server("a").kill();
    else first.link.destroy();
    await world.run(50);
    sender.publish(1);
    await world.run(50);
    const back = await world.chat("c", "anna", { resume: { vector } });
    await world.run(100);
    assertEquals(back.activities, [1]);
    for (const server of ["b", "d"]) assertEquals(await given(world, server), [], how);
  }
});

Deno.test("a client that comes back with its vector before its server is known to be dead takes its place away too", async () => {
  const { world, sender } = await fourServers();
  const first = await world.chat("a", "anna");
  await world.run(announceIntervalMs + 100);
  const { vector } = first;
  world.server("a").powerOff();
  sender.publish(1);
  await world.run(100);
  const back = await world.chat("c", "anna", { resume: { vector } });
  assertEquals(back.activities, [1]);
  await world.run(DETECTION_MS);
  for (const server of ["b", "d"]) assertEquals(await given(world, server), []);
});

Deno.test("two connections of one user that are lost with a server both get what came meanwhile", async () => {
  const { world, sender } = await fourServers();
  await plain(world, "a", "anna");
  await plain(world, "a", "anna");
  const third = await world.chat("a", "anna");
  await world.run(announceIntervalMs + 100);
  world.server("a").kill();
  await world.run(50);
  sender.publish(1);
  await world.run(50);
  const back = await world.chat("b", "anna", { resume: { vector: third.vector } });
  const [one, other] = [await plain(world, "c", "anna"), await plain(world, "d", "anna")];
  await world.run(100);
  assertEquals([back.activities, one.activities, other.activities], [[1], [1], [1]]);
  for (const client of [back, one, other]) client.send({ command: "LOGOUT" });
  await world.run(50);
  assertEquals(await given(world, "b"), []);
});

Deno.test("two servers that die in a row lose nothing of a user who was at both", async () => {
  const { world, sender } = await fourServers();
  await plain(world, "a", "anna");
  await world.run(announceIntervalMs + 100);
  world.server("a").kill();
  sender.publish(1);
  await world.run(100);
  const second = await plain(world, "c", "anna");
  await world.run(100);
  assertEquals(second.activities, [1]);
  await world.run(announceIntervalMs + 100);
  world.server("c").kill();
  await world.run(50);
  sender.publish(2);
  await world.run(50);
  assertEquals(await given(world, "d"), [2]);
  assertEquals(await given(world, "d"), []);
});

Deno.test("two servers that die before the user is back anywhere lose nothing either", async () => {
  const { world, sender } = await fourServers();
  await plain(world, "a", "anna");
  await world.run(announceIntervalMs + 100);
  world.server("a").kill();
  sender.publish(1);
  await world.run(100);
  world.server("c").kill();
  sender.publish(2);
  await world.run(100);
  assertEquals(await given(world, "d"), [1, 2]);
});

Deno.test("a server that dies while it lets the user in leaves the place to the next one", async () => {
  const { world, sender } = await fourServers();
  await plain(world, "a", "anna");
  await world.run(announceIntervalMs + 100);
  world.server("a").kill();
  sender.publish(1);
  await world.run(100);
  const link = await world.dial("c");
  const second = world.over(link);
  second.send({ command: "LOGIN", username: "anna", secret: "anna" });
  await world.until(() => second.commands.includes("LOGIN_SUCCESS"), "the login");
  world.server("c").kill();
  await world.run(100);
  sender.publish(2);
  await world.run(100);
  assertEquals((await given(world, "d") as number[]).at(-1), 2);
  assertEquals(await given(world, "d"), []);
});

Deno.test("a server that comes back knows who went on elsewhere, and gives nothing a second time", async () => {
  const { world, sender } = await fourServers();
  await plain(world, "a", "anna");
  await world.run(announceIntervalMs + 100);
  world.server("a").kill();
  sender.publish(1);
  await world.run(100);
  assertEquals(await given(world, "d"), [1]);
  restart(world, "a");
  await world.linked(...ALL);
  await world.run(500);
  for (const server of ALL) assertEquals(await given(world, server), [], server);
});

Deno.test("a server that comes back gives what came meanwhile itself, and then nobody else does", async () => {
  for (const server of ALL) {
    const { world, sender } = await fourServers();
    const anna = await plain(world, "a", "anna");
    for (let n = 1; n <= 3; n++) {
      sender.publish(n);
      await world.run(announceIntervalMs / 4);
    }
    assertEquals(anna.activities, [1, 2, 3]);
    world.server("a").kill();
    await world.run(50);
    sender.publish(4);
    await world.run(100);
    restart(world, "a");
    await world.linked(...ALL);
    await world.run(500);
    // It knows exactly where she stood, and the others have learned it.
    assertEquals(await given(world, server), [4], server);
    for (const other of ALL) assertEquals(await given(world, other), [], other);
  }
});

Deno.test("places are kept: a server that was started anew meanwhile has them", async () => {
  const { world, sender } = await fourServers();
  const lost = await plain(world, "a", "bob");
  await plain(world, "a", "anna");
  await world.run(announceIntervalMs + 100);
  lost.link.destroy();
  await world.run(100);
  world.server("a").kill();
  await world.run(100);
  sender.publish(1);
  await world.run(100);
  for (const server of ["d", "c"]) {
    world.server(server).kill();
    await world.run(200);
    restart(world, server);
    await world.linked("b", "c", "d");
  }
  assertEquals(await given(world, "d", "anna"), [1]);
  assertEquals(await given(world, "d", "bob"), [1]);
});

Deno.test("a server that was away when another one died learns from the others who was there", async () => {
  const { world, sender } = await fourServers();
  await plain(world, "a", "anna");
  await world.run(announceIntervalMs + 100);
  world.server("d").kill();
  await world.run(100);
  world.server("a").kill();
  await world.run(100);
  sender.publish(1);
  await world.run(100);
  restart(world, "d");
  await world.linked("b", "c", "d");
  await world.run(500);
  assertEquals(await given(world, "d"), [1]);
  assertEquals(await given(world, "b"), []);
});

Deno.test("servers that were only apart forget what they took for lost", async () => {
  const { world, sender } = await fourServers();
  const anna = await plain(world, "a", "anna");
  const bob = await plain(world, "a", "bob");
  await world.run(100);
  await world.parted(["a"], ["b", "c", "d"]);
  sender.publish(1);
  await world.run(100);
  bob.send({ command: "LOGOUT" });
  world.network.heal();
  await world.linked(...ALL);
  await world.run(1_000);
  assertEquals(anna.activities, [1]);
  assertEquals(await given(world, "d", "bob"), []);
  assertEquals(await given(world, "d", "anna"), []);
});

Deno.test("what a slow client had not got from its server when that died it gets elsewhere", async () => {
  const { world, sender } = await fourServers({ limits: { maxPendingBytes: 65_536 } });
  const anna = await plain(world, "a", "anna");
  await world.run(100);
  anna.link.pause();
  const text = "x".repeat(20_000);
  for (let n = 1; n <= 40; n++) sender.send({ command: "ACTIVITY_MESSAGE", activity: { n, text } });
  await world.run(2 * announceIntervalMs + 100);
  assertEquals(anna.activities, []);
  world.server("a").kill();
  await world.run(200);
  const elsewhere = await given(world, "d") as number[];
  assertEquals(elsewhere, Array.from({ length: 40 }, (_, index) => index + 1));
});

Deno.test("a client that only publishes or sends leaves what was missed to its user's next one", async () => {
  const { world, sender } = await fourServers();
  const first = await world.chat("a", "anna");
  await world.run(50);
  first.link.destroy();
  await world.run(50);
  sender.publish(1);
  await world.run(50);
  const once = await world.client("c", loginOf("anna", { reads: false, redirects: 3 }));
  await world.run(100);
  assertEquals(once.activities, []);
  once.link.destroy();
  await world.run(50);
  assertEquals(await given(world, "d"), [1]);
  assertEquals(await given(world, "d"), []);
});

Deno.test("a session that another one replaces leaves no place behind", async () => {
  const { world, sender } = await fourServers({ sessions: { perUser: "replace" } });
  await plain(world, "a", "anna");
  await world.run(50);
  const second = await plain(world, "c", "anna");
  await world.run(100);
  sender.publish(1);
  await world.run(100);
  assertEquals(second.activities, [1]);
  second.send({ command: "LOGOUT" });
  await world.run(50);
  assertEquals(await given(world, "d"), []);
});
