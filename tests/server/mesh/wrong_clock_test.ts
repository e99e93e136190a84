/** One wrong clock must not take the network from everybody else. */

import { assert, assertEquals } from "@std/assert";
import { MAX_CLOCK_ADVANCE_PER_SECOND, MAX_ENTRY_LAMPORT, MAX_LAMPORT } from "../../../protocol/lamport_bounds.ts";
import { activityLine, MeshWorld } from "../../support/mesh_world.ts";

Deno.test("after a client said the highest time that counts, everybody goes on: clients, links, and a server that comes back", async () => {
  const world = await MeshWorld.of(["anna", "bert"]);
  const wrong = await world.login("anna");
  const other = await world.login("bert");
  wrong.send({ command: "ACTIVITY_MESSAGE", activity: { n: 1 }, messageId: "m1", lamport: MAX_LAMPORT });
  await world.run(100);
  const { lamport } = other.received.at(-1)!;
  assert(lamport > MAX_LAMPORT, String(lamport));
  // What our own client does: it repeats the time that it has heard.
  other.send({ command: "ACTIVITY_MESSAGE", activity: { n: 2 }, messageId: "m2", lamport: lamport + 1 });
  await world.run(100);
  assertEquals(other.commands.filter((command) => command === "ACTIVITY_ACK").length, 1);
  world.server("bert").kill();
  await world.run(1_000);
  world.start("bert", ["anna", "bert"]);
  await world.linked("anna", "bert");
  const again = await world.login("bert");
  again.send({ command: "ACTIVITY_MESSAGE", activity: { n: 3 }, messageId: "m3" });
  await world.equal("anna", "bert");
  assertEquals(world.server("anna").activities, [1, 2, 3]);
});

Deno.test("a peer moves nobody's clock by more than its link has lasted, and what it says is no reason to close it", async () => {
  const world = await MeshWorld.of(["anna", "bert"]);
  const lamportOf = (name: string) => world.server(name).node.metrics().lamport;
  const before = lamportOf("anna");
  const far = 2 ** 53 - 1;
  // Also one whose clock has stopped, as it was broken by another one.
  const peer = await world.peer("anna", "liar", { lamport: 2 ** 53 });
  assert(lamportOf("anna") < before + 1_000);
  peer.send(
    ...[{ command: "LOCK_REQUEST", username: "wanted", lamport: far, origin: "liar" }],
    ...[{ command: "LOCK_RELEASE", username: "wanted", lamport: far, origin: "liar" }],
    ...[{ command: "ONLINE_CHANGE", username: "bob", event: "joined", lamport: far }],
  );
  peer.send({
    ...{ command: "SERVER_ANNOUNCE", serverId: "liar", host: "liar", port: 1, load: 0, vector: {}, members: [] },
    lamport: far,
  });
  peer.entries("liar", 1, [activityLine("liar:1", 1, { lamport: MAX_ENTRY_LAMPORT })], { lamport: far });
  await world.equal("anna", "bert");
  await world.run(1_000);
  assertEquals([peer.end, world.server("bert").activities], [undefined, [1]]);
  for (const name of ["anna", "bert"]) {
    assert(lamportOf(name) < before + 4 * MAX_CLOCK_ADVANCE_PER_SECOND, `${name}: ${lamportOf(name)}`);
    const { lamport } = (await world.login(name, "anonymous", { redirects: 3 })).last("LOGIN_SUCCESS")!;
    assert(lamport < before + 4 * MAX_CLOCK_ADVANCE_PER_SECOND);
  }
  assertEquals((await world.register("bert", "carl")).commands, ["REGISTER_SUCCESS"]);
});
