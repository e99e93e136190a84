/** Origins whose servers are gone for good are forgotten as a whole (docs/network.md, What is forgotten). */

import { assert, assertEquals } from "@std/assert";
import type { ConfigLayer } from "../../../../config/config.ts";
import { MeshWorld } from "../../../support/mesh_world.ts";

const SOON: ConfigLayer = {
  cluster: { memberRetentionMs: 20_000 },
  store: { activityRetentionMs: 30_000, directMessageRetentionMs: 30_000, messageIdRetentionMs: 30_000 },
};

/** `a`, `b` and `x` are linked; `x` has registered eve, published some, and is gone for good since a while. */
async function goneForGood(): Promise<MeshWorld> {
  const world = await MeshWorld.of(["a", "b", "x"], SOON);
  await world.users("x", "eve");
  const eve = await world.login("x", "eve", { redirects: 3 });
  for (let n = 1; n <= 5; n++) eve.publish(n);
  await world.equal("a", "b", "x");
  world.server("x").powerOff();
  return world;
}

async function forgotten(world: MeshWorld, ...names: string[]): Promise<void> {
  await world.until(() => names.every((name) => !Object.hasOwn(world.server(name).vector, "x")), "that x is forgotten");
}

Deno.test("an origin that is gone for good is forgotten by all, and its accounts stay", async () => {
  const world = await goneForGood();
  await world.run(25_000);
  // Not before its activities had their time.
  assertEquals(world.server("a").vector.x, 6);
  await world.run(60_000);
  await forgotten(world, "a", "b");
  for (const server of ["a", "b"]) await world.login(server, "eve", { redirects: 3 });
  const stranger = await world.client("a", { command: "REGISTER", username: "eve", secret: "other" });
  assertEquals(stranger.last("REGISTER_FAILED")?.reason, "NAME_TAKEN");
});

Deno.test("a server that joins after that gets the accounts before it serves anybody, and hands them on", async () => {
  const world = await goneForGood();
  await world.run(60_000);
  await forgotten(world, "a", "b");
  world.start("c", ["a"], SOON);
  const eve = await world.login("c", "eve", { redirects: 3 });
  assertEquals(eve.last("LOGIN_FAILED"), undefined);
  assertEquals(Object.hasOwn(world.server("c").vector, "x"), false);
  world.server("a").powerOff();
  world.server("b").powerOff();
  world.server("c").kill();
  world.start("c", [], SOON);
  world.start("d", ["c"], SOON);
  await world.login("d", "eve", { redirects: 3 });
});

Deno.test("a server that was away and still has the origin does not bring it back", async () => {
  const world = await MeshWorld.of(["a", "b", "late", "x"], SOON);
  const eve = await world.login("x", "anonymous", { redirects: 3 });
  for (let n = 1; n <= 5; n++) eve.publish(n);
  await world.equal("a", "b", "late", "x");
  world.server("x").powerOff();
  world.server("late").powerOff();
  await world.run(90_000);
  await forgotten(world, "a", "b");
  world.start("late", ["a", "b"], { ...SOON, cluster: { memberRetentionMs: 3_600_000 } });
  await world.linked("a", "b", "late");
  await world.run(15_000);
  assertEquals(Object.hasOwn(world.server("a").vector, "x"), false);
  assertEquals(world.server("late").vector.x, 5);
});

Deno.test("a server that comes back although it was forgotten goes on where it was, and sends nothing again", async () => {
  const world = await goneForGood();
  await world.run(60_000);
  await forgotten(world, "a", "b");
  const ben = await world.login("a", "anonymous", { redirects: 3, resume: { vector: { x: 3 } } });
  assertEquals(ben.last("LOGIN_SUCCESS")!.resume.gap, [{ origin: "x", first: 4, last: 6 }]);
  assertEquals(Object.hasOwn(ben.last("LOGIN_SUCCESS")!.resume.vector, "x"), false);
  assertEquals(ben.last("LOGIN_SUCCESS")!.resume.forgotten, ["x"]);
  world.start("x", ["a"], SOON);
  await world.linked("a", "b", "x");
  const eve = await world.login("x", "eve", { redirects: 3 });
  eve.publish(6);
  await world.until(() => ben.activities.includes(6), "what it publishes then");
  assertEquals(ben.activities, [6]);
  assertEquals(ben.last("END_CONNECTION"), undefined);
  await world.equal("a", "b", "x");
  assert(world.server("a").vector.x! >= 7);
  assertEquals(world.server("b").activities.filter((n) => n === 1).length, 1);
});

Deno.test("what others say to have forgotten is not believed of a member, nor further than it is known", async () => {
  const world = await MeshWorld.of(["a", "b"], SOON);
  const anna = await world.login("a");
  anna.publish(1);
  await world.equal("a", "b");
  const liar = await world.peer("b", "liar");
  liar.send({ command: "FORGOTTEN", vector: { a: 9, b: 9, "not-yet": 1_000_000, liar: 7 } });
  await world.run(100);
  anna.publish(2);
  await world.equal("a", "b");
  assertEquals(world.server("b").vector.a, 2);
  world.start("not-yet", ["b"], SOON);
  await world.linked("a", "b", "not-yet");
  const fresh = await world.login("not-yet", "anonymous", { redirects: 3 });
  fresh.publish("new");
  await world.until(() => world.server("b").activities.includes("new"), "an entry of the newcomer");
  assert(liar !== undefined);
});

Deno.test("10,000 origins in a vector keep no server out, and no client", async () => {
  const world = new MeshWorld();
  world.start("a");
  await world.run(100);
  const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`s-${String(n).padStart(12, "0")}`, 7]));
  const peer = await world.peer("a", "many", { vector: many });
  await world.run(200);
  assertEquals(peer.received.map(({ command }) => command).includes("AUTHENTICATION_SUCC"), true);
  assertEquals(world.server("a").stateOf("many"), "linked");
  peer.link.destroy();
  const ben = await world.login("a", "anonymous", { resume: { vector: many } });
  assertEquals(ben.last("LOGIN_SUCCESS")!.resume.gap.length, 10_000);
});
