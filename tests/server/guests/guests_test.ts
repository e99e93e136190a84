/** Guests, as their server and its network see them. */

import { assert, assertEquals } from "@std/assert";
import { Guest, type GuestOwner } from "../../../server/guests/guest.ts";
import { GuestQueue } from "../../../server/guests/guest_queue.ts";
import type { Guests } from "../../../server/guests/guests.ts";
import type { NetworkView } from "../../../view/network_view.ts";
import { MeshWorld } from "../../support/mesh_world.ts";
import { NodeWorld, waitFor } from "../../support/node_world.ts";

const OWNER: GuestOwner = { arrived() {}, ended() {} };

Deno.test("A guest's publication is safe, with durability replicated, when another server has it; else when it is stored", async () => {
  for (const durability of ["replicated", "local"] as const) {
    const world = await MeshWorld.of(["a", "b"], { cluster: { durability } });
    const guest = enter(world.server("a").node.guests, "1111");
    world.network.slow("a", "b", 500);
    let isSafe = false;
    void guest.publish('{"text":"Hej"}', 0).safe.then(() => isSafe = true);
    await world.run(400);
    assertEquals(isSafe, durability === "local");
    if (durability === "local") continue;
    await world.until(() => isSafe, "it is safe");
    assertEquals(world.server("b").vector, { a: 1 });
    // While the other one is gone nothing is.
    world.server("b").powerOff();
    isSafe = false;
    void guest.publish('{"text":"Hej"}', 0).safe.then(() => isSafe = true);
    await world.run(10_000);
    assert(!isSafe);
    world.start("b", ["a"], { cluster: { durability } });
    await world.until(() => isSafe, "it is safe when the other server is back");
  }
});

Deno.test("A server that is alone makes safe what its guests publish by itself, also where it is to be replicated", async () => {
  const world = await NodeWorld.start({ cluster: { durability: "replicated" } });
  let isSafe = false;
  void enter(world.node.guests, "1111").publish("{}", 0).safe.then(() => isSafe = true);
  await world.clock.run(100);
  assert(isSafe);
  await world.stop();
});

Deno.test("What a guest publishes is not safe when its server could not store it", async () => {
  const world = await NodeWorld.start();
  const guest = enter(world.node.guests, "1111");
  world.broken.add("commit");
  let isSafe = false;
  void guest.publish("{}", 0).safe.then(() => isSafe = true);
  assertEquals((await waitFor(world)).reason, "failed");
  assert(!isSafe);
});

Deno.test("To a guest that is gone nothing is read any more", async () => {
  const world = await NodeWorld.start();
  let written = 0;
  const { write } = GuestQueue.prototype;
  GuestQueue.prototype.write = function (bytes) {
    written++;
    return write.call(this, bytes);
  };
  try {
    const [stays, goes] = ["1111", "2222"].map((name) => enter(world.node.guests, name));
    const client = await world.connect({ command: "LOGIN", username: "anonymous" });
    client.send({ command: "ACTIVITY_MESSAGE", activity: {} });
    await world.clock.run(100);
    assertEquals(written, 2);
    goes!.leave(0, "LOGGED_OUT");
    client.send({ command: "ACTIVITY_MESSAGE", activity: {} });
    await world.clock.run(100);
    assertEquals(written, 3);
    stays!.leave(0, "LOGGED_OUT");
  } finally {
    GuestQueue.prototype.write = write;
  }
  await world.stop();
});

Deno.test("A guest is seen to come and to go once each, at every server, also by users of the line protocol", async () => {
  const world = await MeshWorld.of(["a", "b"]);
  await world.register("b", "anna");
  const anna = await world.chat("b", "anna");
  const heard: string[] = [];
  for (const name of ["a", "b"]) {
    world.server(name).node.guests.listen(({ event, username }) => {
      // The other server may hear of anna only now.
      if (username === "1111") heard.push(`${name}: ${username} ${event}`);
    });
  }
  const one = enter(world.server("a").node.guests, "1111");
  await world.run(3_000);
  one.leave(0, "LOGGED_OUT");
  one.leave(0, "LOGGED_OUT");
  await world.run(3_000);
  assertEquals(heard, ["a: 1111 joined", "b: 1111 joined", "a: 1111 left", "b: 1111 left"]);
  const told = anna.all("PRESENCE").filter(({ username }) => username === "1111").map(({ event }) => event);
  assertEquals(told, ["joined", "left"]);
});

Deno.test("The network's view has a guest among the connections of its server, and how it ended, once", async () => {
  const world = await MeshWorld.of(["a", "b"]);
  const guest = enter(world.server("a").node.guests, "1111");
  await world.run(3_000);
  const [seen] = connectionsOf(await looked(world));
  assertEquals(
    [seen?.user, seen?.address, seen?.kind, seen?.over, seen?.state],
    ["1111", "127.0.0.1:1111", "guest", "grpc", "unwatched"],
  );
  guest.leave(0, "HEARTBEAT_TIMEOUT", "it answered no BroadCast");
  guest.leave(0, "LOGGED_OUT");
  guest.end("SERVER_STOPPING");
  await world.run(3_000);
  const after = await looked(world);
  assertEquals(connectionsOf(after), []);
  assertEquals(after.ends.filter(({ user }) => user === "1111").map(({ reason, why }) => [reason, why]), [
    ["HEARTBEAT_TIMEOUT", "it answered no BroadCast"],
  ]);

  function connectionsOf({ connections }: NetworkView) {
    const a = world.server("a").node.serverId;
    return Object.values(connections[a] ?? {}).filter(({ kind }) => kind === "guest");
  }
});

/** What the other server sees, while time goes on. */
async function looked(world: MeshWorld): Promise<NetworkView> {
  let view: NetworkView | undefined;
  void world.server("b").node.look().then((seen) => view = seen);
  await world.until(() => view !== undefined, "a look");
  return view!;
}

function enter(guests: Guests, name: string): Guest<never> {
  const guest = guests.enter<never>({ name, host: "127.0.0.1", port: Number(name), lamport: 0 }, OWNER);
  assert(guest instanceof Guest, String(guest));
  return guest;
}
