/** Lamport's condition, over real servers and clients on a fake clock: what happened before has the lower time. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { TraceEvent, TraceKind } from "../../trace/trace_event.ts";
import { MeshWorld } from "../support/mesh_world.ts";
import { messages, TracedWorld, violations } from "./_world.ts";

const SERVERS = ["s1", "s2", "s3"] as const;
const USERS = ["ada", "bob", "cy"];
const CONFIG = {
  cluster: { rebalance: false, holdBackMs: 500, drainMs: 0 },
  heartbeat: { idleTimeoutMs: 600, intervalMs: 200, count: 3 },
};

Deno.test("What happened before has the lower Lamport time, whatever happens to servers and clients", async () => {
  const where = fc.integer({ min: 0, max: 2 });
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant("publish" as const), where: fc.integer({ min: 0, max: 3 }) }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant("send" as const), where }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("restart" as const, "kill" as const), where }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("part" as const, "heal" as const), where }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("wait" as const), where }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), fc.integer({ min: 1, max: 999 }), run),
    { numRuns: 40, endOnFailure: true },
  );
});

async function run(
  steps: readonly { do: "publish" | "send" | "restart" | "kill" | "part" | "heal" | "wait"; where: number }[],
  seed: number,
): Promise<void> {
  const world = await MeshWorld.of(SERVERS, CONFIG, seed);
  const traced = new TracedWorld(world);
  const clients = [];
  for (const [index, server] of [...SERVERS, "s1"].entries()) {
    const username = USERS[index];
    const user = username === undefined ? {} : { username, secret: "x", register: "ifNew" as const };
    // The last one takes its heartbeats on a connection of their own, where nothing else says the time.
    const heartbeatChannel = index === SERVERS.length ? { host: `c${index + 1}`, port: 9_000 } : undefined;
    const { client } = await traced.client(server, { ...user, ...(heartbeatChannel && { heartbeatChannel }) });
    clients.push(client);
    if (username !== undefined) traced.takesMessages(client);
  }
  await world.equal(...SERVERS);
  const sent: string[] = [];
  for (const [n, { do: what, where }] of steps.entries()) {
    const server = SERVERS[where] ?? "s1";
    const others = SERVERS.filter((name) => name !== server);
    if (what === "publish") clients[where]!.publish({ n }).catch(() => {});
    else if (what === "send") {
      clients[where]!.send(USERS[(where + 1) % USERS.length]!, `message ${n}`).catch(() => {});
      sent.push(`message ${n}`);
    } else if (what === "part") world.part([server], others);
    else if (what === "heal") world.network.heal();
    else if (what === "wait") await world.run(1_500);
    else {
      if (what === "kill") world.server(server).kill();
      else {
        let isOver = false;
        void world.server(server).node.stop();
        void world.server(server).node.finished.then(() => isOver = true);
        await world.until(() => isOver, `the end of ${server}`);
      }
      await world.run(400);
      world.start(server, SERVERS, CONFIG);
    }
    await world.run(30);
  }
  world.network.heal();
  await world.run(5_000);
  assertEquals(violations(world.traced), []);
  // Otherwise nothing was looked at.
  assertEquals([...traced.taken.values()].flat().sort(), sent.sort());
  if (sent.length > 0) assert(count(world.traced, "delivered") > 0);
  assert(count(world.traced, "answered") > 4);
  const { paired, unsent } = messages(world.traced);
  assert(paired > 8, `only ${paired} messages were paired`);
  assertEquals(unsent, []);
  for (const client of clients) void client.close();
  await world.run(6_000);
  for (const server of SERVERS) void world.server(server).node.stop();
  await world.run(5_000);
  assertEquals(violations(world.traced), []);
}

function count(events: readonly TraceEvent[], kind: TraceKind): number {
  return events.filter(({ event }) => event === kind).length;
}
