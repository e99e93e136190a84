/** Servers that have the secret of the network, and claim names that are taken, at a time that suits them. */

import { assert, assertEquals } from "@std/assert";
import type { Received } from "../../../support/line_client.ts";
import { type FakePeer, loginOf, MeshWorld } from "../../../support/mesh_world.ts";

const account = (id: string, claim: number, more: Received = {}): Received => ({
  ...{ command: "ACCOUNT", username: "anna", verifier: "scrypt$16384$aa$bb", claim, id, lamport: claim + 1, sentAt: 1 },
  ...more,
});

/** Whether anna is still herself at both servers, and where she is logged in nobody noticed anything. */
async function annaIsHerself(world: MeshWorld): Promise<void> {
  await world.run(500);
  for (const name of ["a", "b"]) {
    const client = await world.client(name, loginOf("anna", { redirects: 3 }));
    await world.run(50);
    assertEquals(client.commands[0], "LOGIN_SUCCESS", name);
    client.link.destroy();
  }
}

async function annasNetwork(): Promise<MeshWorld> {
  const world = await MeshWorld.of(["a", "b"]);
  // So that there are lower claims than hers.
  const busy = await world.login("a", "anonymous", { redirects: 3 });
  for (let n = 0; n < 20; n++) busy.publish(n);
  await world.run(50);
  await world.users("a", "anna");
  return world;
}

function wasEndedFor(peer: FakePeer, what: string): void {
  const { reason, info } = peer.last("END_CONNECTION") ?? {};
  assertEquals([reason, peer.end], ["INVALID_MESSAGE", "local"], what);
  assert(info.includes("another account"), info);
}

Deno.test("a claim that came late, with a later time of its server behind it, holds at all servers or at none", async () => {
  const world = await MeshWorld.of(["a", "b", "c"], { cluster: { announceIntervalMs: 500 } });
  world.part(["a"], ["b", "c"]);
  // Its link to a ends only when all that a had sent has come.
  const { process } = world.server("c");
  process.stall();
  // So that the claim at a is the lower one.
  const busy = await world.login("b", "anonymous", { redirects: 3 });
  for (let n = 0; n < 20; n++) busy.publish(n);
  const first = await world.client("a", { command: "REGISTER", username: "anna", secret: "early" });
  await world.run(200);
  const second = await world.client("b", { command: "REGISTER", username: "anna", secret: "late" });
  await world.run(1_500);
  process.goOn();
  for (const client of [first, second]) {
    await world.until(() => client.commands.includes("REGISTER_SUCCESS"), "both registrations");
  }
  world.network.heal();
  await world.linked("a", "b", "c");
  await world.equal("a", "b", "c");
  await world.run(1_000);
  for (const name of ["a", "b", "c"]) {
    const client = await world.client(name, loginOf("anna", { secret: "early", redirects: 3 }));
    await world.run(100);
    assertEquals(client.commands[0], "LOGIN_SUCCESS", name);
    client.link.destroy();
  }
});

Deno.test("a claim that is decided by the loss of a link, in the turn in which the next link is greeted on, is not void there", async () => {
  const world = await MeshWorld.of(["a", "b"]);
  world.part(["a"], ["b"]);
  // So that the claim at a is the lower one.
  const busy = await world.login("b", "anonymous", { redirects: 3 });
  for (let n = 0; n < 20; n++) busy.publish(n);
  const first = await world.client("a", { command: "REGISTER", username: "anna", secret: "early" });
  await world.run(200);
  const { process } = world.server("a");
  process.stall();
  const second = await world.client("b", { command: "REGISTER", username: "anna", secret: "late" });
  await world.until(() => second.commands.includes("REGISTER_SUCCESS"), "the registration at b");
  world.network.heal();
  await world.until(() => world.made.at(-1) === "b>a", "the call of b");
  await world.run(20);
  process.goOn();
  await world.until(() => first.commands.includes("REGISTER_SUCCESS"), "the registration at a");
  await world.linked("a", "b");
  await world.equal("a", "b");
  await world.run(1_000);
  for (const name of ["a", "b"]) {
    const client = await world.client(name, loginOf("anna", { secret: "early", redirects: 3 }));
    await world.run(100);
    assertEquals(client.commands[0], "LOGIN_SUCCESS", name);
    client.link.destroy();
  }
});

Deno.test("a server that claims a taken name without having asked is refused, also when it comes back with what it has", async () => {
  const world = await annasNetwork();
  const session = await world.login("a", "anna", { redirects: 3 });
  for (const at of ["a", "b"]) {
    const liar = await world.peer(at, "s-liar", { lamport: 3 });
    liar.entries("s-liar", 1, [account("s-liar:1", 0)], { to: "servers" });
    await world.run(50);
    wasEndedFor(liar, at);
    // As if it had done so while it was apart.
    const again = await world.peer(at, "s-liar", { lamport: 3, vector: { "s-liar": 1 } });
    again.entries("s-liar", 1, [account("s-liar:1", 0)], { to: "servers" });
    await world.run(50);
    wasEndedFor(again, `${at} again`);
  }
  assertEquals([session.end, world.server("a").vector["s-liar"]], [undefined, undefined]);
  await annaIsHerself(world);
});

Deno.test("a claim that was allowed and given up is void when its server has allowed the name to somebody else since", async () => {
  for (const isReleased of [true, false]) {
    const world = await MeshWorld.of(["a", "b"]);
    const busy = await world.login("a", "anonymous", { redirects: 3 });
    for (let n = 0; n < 20; n++) busy.publish(n);
    await world.run(50);
    const liar = await world.peer("a", "s-liar", { lamport: 0 });
    const early = { username: "anna", lamport: 3, origin: "s-liar" };
    liar.send({ command: "LOCK_REQUEST", ...early });
    await world.run(50);
    assertEquals(liar.last("LOCK_ALLOWED")?.username, "anna");
    if (isReleased) liar.send({ command: "LOCK_RELEASE", ...early });
    // A lock that is held for too long is freed.
    else await world.run(25_000);
    const client = await world.client("a", { command: "REGISTER", username: "anna", secret: "anna" });
    await world.until(() => liar.commands.includes("LOCK_REQUEST"), "the question");
    const { command: _, ...claim } = liar.last("LOCK_REQUEST")!;
    liar.send({ ...claim, command: "LOCK_ALLOWED" });
    await world.run(100);
    liar.send({ command: "HAVE", vector: world.server("a").vector });
    await world.until(() => client.commands.includes("REGISTER_SUCCESS"), "the answer");
    liar.link.destroy();
    await world.run(500);
    const again = await world.peer("a", "s-liar", { lamport: 0, vector: { "s-liar": 1 } });
    again.entries("s-liar", 1, [account("s-liar:1", 3)], { to: "servers" });
    await world.run(50);
    wasEndedFor(again, `released: ${isReleased}`);
  }
});

Deno.test("a claim is void when its server had acknowledged the account before, over whichever link it comes", async () => {
  const world = await MeshWorld.of(["a", "b"]);
  const busy = await world.login("a", "anonymous", { redirects: 3 });
  for (let n = 0; n < 20; n++) busy.publish(n);
  await world.run(50);
  const liar = await world.peer("a", "s-liar", { lamport: 0 });
  const client = await world.client("a", { command: "REGISTER", username: "anna", secret: "anna" });
  await world.until(() => liar.commands.includes("LOCK_REQUEST"), "the question");
  const { command: _, ...claim } = liar.last("LOCK_REQUEST")!;
  liar.send({ ...claim, command: "LOCK_ALLOWED" });
  await world.until(() => liar.all("ENTRIES").some(({ to }) => to === "servers"), "the account");
  liar.send({ command: "HAVE", vector: { a: liar.all("ENTRIES").at(-1)!.last } });
  await world.until(() => client.commands.includes("REGISTER_SUCCESS"), "the answer");
  liar.link.destroy();
  await world.run(500);
  // It says that it had this before anybody met it.
  const again = await world.peer("a", "s-liar", { lamport: 0, vector: { "s-liar": 1 } });
  again.entries("s-liar", 1, [account("s-liar:1", 0)], { to: "servers" });
  await world.run(50);
  wasEndedFor(again, "again");
  // And somebody else passes it on: it is kept, and nobody's.
  const other = await world.peer("a", "s-other");
  other.entries("s-liar", 1, [account("s-liar:1", 0)], { to: "servers" });
  await world.run(50);
  assertEquals([other.end, world.server("a").vector["s-liar"]], [undefined, 1]);
  const { node } = world.server("a");
  assertEquals(node.state, "ready");
  const again2 = await world.client("a", loginOf("anna", { redirects: 3 }));
  await world.run(50);
  assertEquals(again2.commands[0], "LOGIN_SUCCESS");
});

Deno.test("a claim that was allowed holds, also when the link breaks before the account comes", async () => {
  const world = await annasNetwork();
  const honest = await world.peer("a", "s-honest", { lamport: 1 });
  const claim = { username: "bert", lamport: 40, origin: "s-honest" };
  honest.send({ command: "LOCK_REQUEST", ...claim });
  await world.until(() => honest.commands.includes("LOCK_ALLOWED"), "the leave");
  const { lamport } = honest.all("SERVER_ANNOUNCE").at(-1)!;
  honest.send({
    ...{ command: "SERVER_ANNOUNCE", serverId: "s-honest", host: "s-honest", port: 8000, load: 0, members: [] },
    ...{ vector: {}, lamport: lamport + 500 },
  });
  await world.run(50);
  honest.link.destroy();
  await world.run(100);
  assertEquals((await world.register("b", "bert")).commands, ["REGISTER_SUCCESS"]);
  await world.equal("a", "b");
  const back = await world.peer("a", "s-honest", { lamport: 600, vector: { "s-honest": 1 } });
  back.entries("s-honest", 1, [account("s-honest:1", 40, { username: "bert", lamport: 600 })], { to: "servers" });
  await world.run(100);
  assertEquals([back.end, world.server("a").vector["s-honest"]], [undefined, 1]);
  const loser = await world.client("a", loginOf("bert", { redirects: 3 }));
  await world.run(50);
  assertEquals(loser.commands, ["LOGIN_FAILED"]);
});
