/**
 * A login may have to wait for what its client comes after (docs/protocol.md, 2.3). Nobody is asked for a sign of life
 * meanwhile, so the wait counts as silence (docs/heartbeat.md).
 */

import { assert, assertEquals } from "@std/assert";
import { loginOf, type MeshClient, MeshWorld } from "../../support/mesh_world.ts";

const HEARTBEAT = { idleTimeoutMs: 3_000, intervalMs: 1_000, count: 1 };
const BOUND_MS = 5_000;

/** A client whose login waits at `b` for an entry of `a` that never comes. */
async function waits(world: MeshWorld, machine: string, ...more: Parameters<MeshClient["send"]>): Promise<MeshClient> {
  const client = world.over(await world.dial("b", machine));
  client.send(loginOf("anonymous", { features: ["heartbeat", "ack", "resume"], last: "a:99", redirects: 3 }), ...more);
  await world.run(1_000);
  assertEquals(client.commands, []);
  return client;
}

const closedWith = (world: MeshWorld, machine: string) =>
  world.traced.find(({ event, peer }) => event === "closed" && peer?.includes(machine))?.what;

for (const behind of ["nothing", "a line"]) {
  Deno.test(`a client that dies while its login waits, with ${behind} behind it, is closed within twice the bound`, async () => {
    const world = await MeshWorld.of(["a", "b"], { heartbeat: HEARTBEAT });
    const more = behind === "nothing" ? [] : [{ command: "LIST_USERS", scope: "online" }];
    await waits(world, "mute", ...more);
    world.network.fallAsleep("mute");
    await world.run(2 * BOUND_MS - 1_000);
    assertEquals(closedWith(world, "mute"), "HEARTBEAT_TIMEOUT");
  });
}

Deno.test("a client whose login waits for longer than it may be silent is asked then, and not closed", async () => {
  const world = await MeshWorld.of(["a", "b"], { heartbeat: HEARTBEAT });
  const client = await waits(world, "patient");
  await world.until(() => client.commands.includes("LOGIN_SUCCESS"), "the login");
  const askedMs = await world.until(() => client.last("HEARTBEAT") !== undefined, "the question");
  assert(askedMs < HEARTBEAT.intervalMs, `${askedMs} ms`);
  client.send({ command: "HEARTBEAT_ACK", sequence: 1 });
  await world.run(HEARTBEAT.idleTimeoutMs - 500);
  assertEquals(client.all("HEARTBEAT").length, 1);
  assertEquals(client.last("END_CONNECTION"), undefined);
});

Deno.test("a client that says something while its login waits was heard then", async () => {
  const world = await MeshWorld.of(["a", "b"], { heartbeat: HEARTBEAT });
  const client = await waits(world, "talker");
  await world.run(6_000);
  assertEquals(client.commands, []);
  client.link.write(new TextEncoder().encode(" "));
  await world.until(() => client.commands.includes("LOGIN_SUCCESS"), "the login");
  await world.run(1_000);
  assertEquals(client.all("HEARTBEAT").length, 0);
});
