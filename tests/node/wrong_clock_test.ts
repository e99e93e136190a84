/** One wrong clock must not take the network from everybody else. */

import { assert, assertEquals } from "@std/assert";
import { MAX_LAMPORT } from "../../protocol/client_codec.ts";
import { MeshWorld } from "../support/mesh_world.ts";

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
