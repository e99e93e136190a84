/** Logins with a pass in place of the secret, over a network of servers (docs/protocol.md, section 6). */

import { assert, assertEquals } from "@std/assert";
import { MeshWorld } from "../../support/mesh_world.ts";

/** Logs ada in with these fields. Gives the answer. */
async function answer(world: MeshWorld, server: string, more: Record<string, unknown>) {
  const login = { command: "LOGIN", username: "ada", features: ["resume"], redirects: 3, ...more };
  const client = await world.client(server, login);
  await world.until(() => client.received.length > 0, "the answer");
  const { command, reason, pass, ticket } = client.received[0]!;
  return { client, command, reason, pass, ticket };
}

async function network(): Promise<MeshWorld> {
  const world = await MeshWorld.of(["a", "b"], { cluster: { rebalance: false } });
  await world.users("a", "ada");
  return world;
}

Deno.test("a login with a pass needs no secret, at any server, derives nothing, and gives the next pass", async () => {
  const world = await network();
  const first = await answer(world, "a", { secret: "ada", pass: true });
  assertEquals([first.command, typeof first.pass], ["LOGIN_SUCCESS", "string"]);
  const derived = world.server("b").derived.length;
  const second = await answer(world, "b", { pass: first.pass });
  assertEquals([second.command, typeof second.pass, second.ticket], ["LOGIN_SUCCESS", "string", undefined]);
  assert(second.pass !== first.pass);
  // It was used.
  await world.run(100);
  for (const server of ["a", "b"]) {
    const again = await answer(world, server, { pass: first.pass });
    assertEquals([again.command, again.reason], ["LOGIN_FAILED", "WRONG_SECRET"], server);
  }
  assertEquals((await answer(world, "a", { pass: second.pass })).command, "LOGIN_SUCCESS");
  assertEquals(world.server("b").derived.length, derived);
});

Deno.test("nobody gets a pass who has not asked, or has no name, and a pass is of no use to others", async () => {
  const world = await network();
  assertEquals((await answer(world, "a", { secret: "ada" })).pass, undefined);
  assertEquals((await answer(world, "a", { username: "anonymous", pass: true })).pass, undefined);
  assertEquals((await answer(world, "a", { secret: "ada", pass: true, features: [] })).pass, undefined);
  const { pass } = await answer(world, "a", { secret: "ada", pass: true });
  await world.users("a", "eve");
  assertEquals((await answer(world, "a", { username: "eve", pass })).reason, "WRONG_SECRET");
  assertEquals((await answer(world, "a", { username: "nobody", pass })).reason, "UNKNOWN_USER");
  // The right one still counts: it was not spent by that.
  assertEquals((await answer(world, "a", { pass })).command, "LOGIN_SUCCESS");
});

Deno.test("LOGOUT takes the pass back, everywhere and for good; a lost connection does not", async () => {
  const world = await network();
  const left = await answer(world, "a", { secret: "ada", pass: true });
  left.client.send({ command: "LOGOUT" });
  await world.run(100);
  for (const server of ["a", "b"]) {
    assertEquals((await answer(world, server, { pass: left.pass })).reason, "WRONG_SECRET");
  }
  world.server("a").powerOff();
  await world.run(100);
  world.start("a", ["a", "b"], { cluster: { rebalance: false } });
  await world.linked("a", "b");
  assertEquals((await answer(world, "a", { pass: left.pass })).reason, "WRONG_SECRET");
  const lost = await answer(world, "a", { secret: "ada", pass: true });
  lost.client.link.destroy();
  await world.run(100);
  assertEquals((await answer(world, "a", { pass: lost.pass })).command, "LOGIN_SUCCESS");
});

Deno.test("with its secret a client gets the next pass, too, and the one that it shows is spent", async () => {
  const world = await network();
  const { pass } = await answer(world, "a", { secret: "ada", pass: true });
  assertEquals(typeof (await answer(world, "b", { secret: "ada", pass })).pass, "string");
  assertEquals((await answer(world, "b", { pass })).reason, "WRONG_SECRET");
  // Of what is none, nobody keeps anything.
  assertEquals((await answer(world, "b", { secret: "ada", pass: "x.1.1.y.z" })).command, "LOGIN_SUCCESS");
});

Deno.test("a server that was apart hears of used passes when it is linked again", async () => {
  const world = await network();
  const { pass } = await answer(world, "a", { secret: "ada", pass: true });
  await world.parted(["a"], ["b"]);
  assertEquals((await answer(world, "a", { pass })).command, "LOGIN_SUCCESS");
  world.network.heal();
  await world.linked("a", "b");
  assertEquals((await answer(world, "b", { pass })).reason, "WRONG_SECRET");
});

Deno.test("with sessions.passMs 0 there are no passes", async () => {
  const world = await MeshWorld.of(["a"], { sessions: { passMs: 0 } });
  await world.users("a", "ada");
  const first = await answer(world, "a", { secret: "ada", pass: true });
  assertEquals([first.command, first.pass], ["LOGIN_SUCCESS", undefined]);
});
