/** Peers that answer heartbeats and nothing else, or not all: nobody waits for them for ever, and it is told. */

import { assert, assertEquals } from "@std/assert";
import { type FakePeer, MeshWorld } from "../../support/mesh_world.ts";

const LOCK_TIMEOUT_MS = 5_000;
const REGISTER = { command: "REGISTER", username: "slow", secret: "x" };

/** Allows whatever is asked from now on. */
function allowLocks(peer: FakePeer): void {
  const { onData } = peer;
  peer.onData = (bytes) => {
    const before = peer.received.length;
    onData.call(peer, bytes);
    for (const { command, ...claim } of peer.received.slice(before)) {
      if (command === "LOCK_REQUEST") peer.send({ ...claim, command: "LOCK_ALLOWED" });
    }
  };
}

Deno.test("a peer that answers no LOCK_REQUEST is not waited for longer than lockTimeoutMs: its link is closed, and the rest decides", async () => {
  const world = await MeshWorld.of(["a", "b"]);
  const mute = await world.peer("a", "s-mute");
  const client = await world.client("a", REGISTER);
  await world.run(LOCK_TIMEOUT_MS - 500);
  assertEquals([client.commands, mute.end], [[], undefined]);
  await world.until(() => client.commands.length > 0, "the answer");
  await world.run(50);
  assertEquals(client.commands, ["REGISTER_SUCCESS"]);
  const end = mute.last("END_CONNECTION");
  assertEquals([end?.reason, mute.end], ["PEER_SILENT", "local"]);
  assertEquals((await world.login("b", "slow", { secret: "x", redirects: 3 })).commands[0], "LOGIN_SUCCESS");
  // And what it says too late changes nothing.
  assertEquals((await world.register("b", "next")).commands, ["REGISTER_SUCCESS"]);
});

Deno.test("a peer that allows the lock and never says HAVE of the account is not waited for either", async () => {
  const world = await MeshWorld.of(["a", "b"]);
  const peer = await world.peer("a", "s-half");
  allowLocks(peer);
  const client = await world.client("a", REGISTER);
  await world.run(LOCK_TIMEOUT_MS - 500);
  assertEquals([client.commands, peer.all("LOCK_REQUEST").length, peer.end], [[], 1, undefined]);
  const ms = await world.until(() => client.commands.length > 0, "the answer");
  assert(ms < 2_000, `${ms} ms`);
  await world.run(50);
  assertEquals(client.commands, ["REGISTER_SUCCESS"]);
  assertEquals([peer.last("END_CONNECTION")?.reason, peer.end], ["PEER_SILENT", "local"]);
});

Deno.test("a peer that is only slow, as much is still on its way to it, keeps its link", async () => {
  const world = await MeshWorld.of(["a", "b"]);
  world.network.slow("a", "b", 2_000);
  const client = await world.client("a", REGISTER);
  await world.until(() => client.commands.length > 0, "the answer");
  assertEquals(client.commands, ["REGISTER_SUCCESS"]);
  assertEquals([world.server("a").stateOf("b"), world.server("b").stateOf("a")], ["linked", "linked"]);
});

Deno.test("a lock ends: with the link of who holds it, and after a while also when that keeps silent about it", async () => {
  const world = await MeshWorld.of(["a", "b"]);
  const holder = await world.peer("a", "s-holder");
  allowLocks(holder);
  for (const username of ["gone", "kept"]) {
    holder.send({ command: "LOCK_REQUEST", username, lamport: 0, origin: "s-holder" });
  }
  await world.run(50);
  assertEquals(holder.all("LOCK_ALLOWED").map(({ username }) => username), ["gone", "kept"]);
  assertEquals((await world.register("a", "kept")).commands, ["REGISTER_FAILED"]);
  await world.run(4 * LOCK_TIMEOUT_MS + 500);
  assertEquals(holder.end, undefined);
  const registering = world.register("a", "kept");
  // It says HAVE of nothing, so that its link ends on the way.
  assertEquals((await registering).commands, ["REGISTER_SUCCESS"]);
  const again = await world.peer("a", "s-holder");
  again.send({ command: "LOCK_REQUEST", username: "gone", lamport: 0, origin: "s-holder" });
  await world.run(50);
  again.link.destroy();
  await world.run(50);
  assertEquals((await world.register("b", "gone")).commands, ["REGISTER_SUCCESS"]);
});

Deno.test("a server whose link comes up while a name is being claimed is asked for it too", async () => {
  const world = await MeshWorld.of(["a", "b"]);
  world.network.slow("a", "b", 1_500);
  const client = await world.client("a", REGISTER);
  await world.run(200);
  const late = await world.peer("a", "s-late");
  const { command: _, ...claim } = late.last("LOCK_REQUEST")!;
  late.send({ ...claim, command: "LOCK_DENIED" });
  await world.until(() => client.commands.length > 0, "the answer");
  assertEquals(client.commands, ["REGISTER_FAILED"]);
});
