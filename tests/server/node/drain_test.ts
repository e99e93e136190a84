/** A server that drains: nobody new, clients handed over when they are in the middle of nothing, then it stops. */

import { assert, assertEquals } from "@std/assert";
import type { MeshClient } from "../../support/mesh_world.ts";
import { MeshWorld } from "../../support/mesh_world.ts";

const NAMES = ["anna", "bert", "carl"];

/** Where each was sent, as often as it was. */
function redirects(clients: readonly MeshClient[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { received } of clients) {
    const [redirect] = received.filter(({ command }) => command === "REDIRECT");
    const to = redirect === undefined ? "nowhere" : redirect.hostname;
    counts[to] = (counts[to] ?? 0) + 1;
  }
  return counts;
}

async function crowd(world: MeshWorld, server: string, count: number): Promise<MeshClient[]> {
  const clients: MeshClient[] = [];
  for (let number = 0; number < count; number++) {
    clients.push(await world.login(server, "anonymous", { redirects: 3 }));
  }
  return clients;
}

Deno.test("clients of a server that drains are sent to the others, in equal parts, and then it stops", async () => {
  const world = await MeshWorld.of(NAMES, { cluster: { rebalance: false } });
  const clients = await crowd(world, "anna", 12);
  await world.run(2_000);
  const { node } = world.server("anna");
  let end: string | undefined;
  node.finished.then(({ reason }) => end = reason);
  const watched: unknown[] = [];
  node.observe({
    changed: ({ patch }) => watched.push((patch.servers as Record<string, { draining?: unknown }>)?.anna?.draining),
  });
  node.drain();
  assertEquals(node.state, "draining");
  await world.until(() => end !== undefined, "the end of the drained server");
  assertEquals(end, "stopped");
  assertEquals(redirects(clients), { bert: 6, carl: 6 });
  assert(watched.some((draining) => draining !== undefined), JSON.stringify(watched));
});

Deno.test("whoever looks sees from the first moment that a server drains, as it may have gone before a second look", async () => {
  const world = await MeshWorld.of(["anna"]);
  const { node } = world.server("anna");
  await crowd(world, "anna", 1);
  let hasEnded = false;
  node.finished.then(() => hasEnded = true);
  node.drain();
  assertEquals(node.observe({ changed: () => {} }).view.servers.anna!.draining, { total: 1, left: 1 });
  await world.until(() => hasEnded, "the end of the drained server");
});

Deno.test("a server that drains takes no new connection, ends those that have not logged in, and is not sent anybody", async () => {
  const world = await MeshWorld.of(NAMES);
  const undecided = await world.client("anna");
  const [busy] = await crowd(world, "anna", 1);
  // In the middle of something, so that the draining takes its time.
  busy!.send({ command: "ACTIVITY_MESSAGE", activity: { n: 1 }, messageId: "m1" });
  await world.run(20);
  world.server("anna").node.drain();
  await world.run(100);
  assert(undecided.end !== undefined);
  assertEquals(await world.tryToDial("anna"), undefined);
  assertEquals(world.server("bert").member("anna")?.online, false);
});

Deno.test("a client that is in the middle of something is waited for, but not for ever", async () => {
  const world = await MeshWorld.of(NAMES, { cluster: { rebalance: false } });
  const [busy, idle] = await crowd(world, "anna", 2);
  await world.run(2_000);
  let number = 0;
  const publish = () => busy!.send({ command: "ACTIVITY_MESSAGE", activity: { n: ++number }, messageId: `m${number}` });
  publish();
  await world.run(20);
  world.server("anna").node.drain();
  for (let round = 0; round < 10; round++) {
    publish();
    await world.run(500);
  }
  assertEquals(redirects([idle!]).nowhere, undefined);
  assertEquals(redirects([busy!]), { nowhere: 1 });
  for (let round = 0; round < 12 && busy!.end === undefined; round++) {
    publish();
    await world.run(500);
  }
  assertEquals(redirects([busy!]).nowhere, undefined);
  // Nothing that was acknowledged is lost on the way.
  const acknowledged = busy!.received.filter(({ command }) => command === "ACTIVITY_ACK").length;
  await world.run(3_000);
  assert(acknowledged > 10, String(acknowledged));
  assert(world.server("bert").activities.length >= acknowledged);
});

Deno.test("alone, a server that drains ends its clients and stops; asked to stop meanwhile it hurries", async () => {
  const world = await MeshWorld.of(["anna"]);
  const [client] = await crowd(world, "anna", 1);
  world.server("anna").node.drain();
  await world.run(3_000);
  assertEquals(client!.received.at(-1)!.reason, "SERVER_STOPPING");

  const others = await MeshWorld.of(["anna", "bert"], { cluster: { rebalance: false } });
  const [busy] = await crowd(others, "anna", 1);
  await others.run(2_000);
  busy!.send({ command: "ACTIVITY_MESSAGE", activity: { n: 1 }, messageId: "m1" });
  await others.run(20);
  const { node } = others.server("anna");
  let hasEnded = false;
  node.finished.then(() => hasEnded = true);
  node.drain();
  await others.run(100);
  assertEquals(node.state, "draining");
  void node.stop();
  await others.run(2_500);
  assert(hasEnded);
});
