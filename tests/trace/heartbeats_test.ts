/** Heartbeats of real servers to real clients that keep a trace: there and back, in band and out of it. */

import { assert, assertEquals } from "@std/assert";
import { layOut } from "../../diagram/diagram_layout.ts";
import { historyOf } from "../../diagram/history.ts";
import { whyClosed } from "../../diagram/why.ts";
import { MeshWorld } from "../support/mesh_world.ts";
import { TracedWorld, violations } from "./_world.ts";

const CONFIG = {
  cluster: { rebalance: false },
  heartbeat: { idleTimeoutMs: 1_000, intervalMs: 300, count: 2 },
};

Deno.test("Each heartbeat to a client with a trace is seen there, and its answer at the server, also on a connection of its own", async () => {
  const world = await MeshWorld.of(["s1"], CONFIG);
  const traced = new TracedWorld(world);
  const clients = [
    await traced.client("s1", { username: "ada", secret: "x", register: true }),
    await traced.client("s1", { heartbeatChannel: { host: "c2", port: 9_000 } }),
  ];
  await world.run(10_000);
  for (const { client } of clients) void client.close();
  await world.run(1_000);
  const { events, arrows, lost, unsent, unanswered } = historyOf(world.traced);
  for (const user of ["ada", "anonymous"]) {
    const of = (kind: string, where: "node" | "peer") =>
      events.filter((event) => event.event === kind && event[where]?.startsWith(`${user}#`)).length;
    const sent = of("heartbeat", "peer");
    assert(sent > 5, `${sent} heartbeats to ${user}`);
    assertEquals(of("answered", "peer"), sent);
    const there = arrows.filter(({ from, to }) =>
      events[from]!.event === "heartbeat" && events[to]!.node.startsWith(`${user}#`)
    );
    const back = arrows.filter(({ from, to }) =>
      events[to]!.event === "answered" && events[from]!.node.startsWith(`${user}#`)
    );
    assertEquals([there.length, back.length], [sent, sent]);
  }
  assertEquals([lost, unsent, unanswered.size], [[], [], 0]);
  assertEquals(violations(world.traced), []);
});

Deno.test("An answer that tells nothing new is no message that was lost", async () => {
  const world = await MeshWorld.of(["s1"], {
    ...CONFIG,
    heartbeat: { ...CONFIG.heartbeat, intervalMs: 100, count: 10 },
  });
  const traced = new TracedWorld(world);
  const { client, machine } = await traced.client("s1");
  // Answers take longer than it is from one heartbeat to the next.
  world.network.slow(machine, "s1", 125);
  await world.run(20_000);
  const now = world.clock.wallMs();
  const { events, lost } = historyOf(world.traced);
  assert(events.some(({ event, what }) => event === "receive" && what === "late answer"));
  // The newest are still under way.
  assertEquals(lost.map((index) => events[index]!).filter(({ at }) => at < now - 500), []);
  assertEquals(violations(world.traced), []);
  void client.close();
  await world.run(2_000);
});

Deno.test("Heartbeats that a client sees and does not answer are found, drawn, and told", async () => {
  const world = await MeshWorld.of(["s1"], CONFIG);
  const traced = new TracedWorld(world);
  await traced.client("s1", {
    ...{ username: "eve", secret: "x", register: true, blockHeartbeatMs: 60_000 },
    reconnect: false,
  });
  await world.run(5_000);
  const history = historyOf(world.traced);
  const { arrows } = layOut(history);
  const unanswered = arrows.filter(({ kind }) => kind === "unanswered");
  assertEquals(unanswered.length, 2);
  for (const { from, to } of unanswered) assert(from !== undefined && to !== undefined);
  const told = whyClosed(history, "eve").text;
  assert(/1 of 2 → eve#\w+ {3}no answer/.test(told) && /saw, at .*: answer withheld\./.test(told), told);
});
