/** Whether a server has found its network (`server/mesh/linking/joining.ts`), and what is said while it has not. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { Joining } from "../../../server/mesh/linking/joining.ts";
import { MeshWorld } from "../../support/mesh_world.ts";

Deno.test("a server whose calls reach nobody is joining for joinWaitMs, and then unreached", async () => {
  const world = new MeshWorld();
  const { node } = world.start("a", ["x", "y"], { cluster: { joinWaitMs: 7_000 } });
  await world.run(6_900);
  // It serves clients: whoever needs it must not wait for servers that are gone.
  assertEquals([node.state, node.isJoined, node.metrics().joinState], ["joining", true, "joining"]);
  await world.login("a");
  await world.run(200);
  assertEquals([node.state, node.metrics().joinState], ["ready", "unreached"]);
});

Deno.test("three servers that join each other after a power cut come up, however late the last one is", async () => {
  const names = ["a", "b", "c"];
  const world = await MeshWorld.of(names);
  for (const name of names) world.server(name).powerOff();
  await world.run(1_000);
  const states = () => names.map((name) => world.server(name).node.state);
  world.start("a", names);
  await world.run(60_000);
  assertEquals(world.server("a").node.state, "ready");
  world.start("b", names);
  world.start("c", names);
  await world.linked(...names);
  assertEquals(states(), ["ready", "ready", "ready"]);
  // That links are lost later makes nobody unready.
  world.server("b").kill();
  world.server("c").kill();
  await world.run(20_000);
  assertEquals([world.server("a").node.state, world.server("a").node.metrics().joinState], ["ready", "joined"]);
});

Deno.test("a server with a wrong secret is not ready, and is as soon as one server wants it", async () => {
  const world = await MeshWorld.of(["a", "b"]);
  const { node } = world.start("c", ["a", "b"], { cluster: { secret: "another" } });
  await world.run(200);
  assertEquals([node.state, node.metrics().joinState], ["refused", "refused"]);
  // It is told to wait after some more wrong secrets. That makes it no better.
  await world.run(120_000);
  assertEquals(node.state, "refused");
  // What one server with a wrong secret does harms nobody.
  assertEquals(["a", "b"].map((name) => world.server(name).node.state), ["ready", "ready"]);
  world.start("d", ["c"], { cluster: { secret: "another" } });
  await world.run(1_000);
  assertEquals([node.state, node.metrics().joinState], ["ready", "joined"]);
});

Deno.test("a server that refused and is gone is one that is not reached", () => {
  const joining = new Joining(10_000, () => false);
  joining.begin(0);
  joining.ended("b:1", "the secret is not the one of this network", true);
  joining.ended("b:1", "too often", false);
  assertEquals(joining.state(1), "refused");
  joining.unreachable("b:1", "connection refused");
  assertEquals([joining.state(9_999), joining.state(10_000)], ["joining", "unreached"]);
});

Deno.test("that nobody was reached is said again and again, with the reasons, until somebody is", () => {
  const joining = new Joining(10_000, () => false);
  joining.begin(1_000);
  for (let n = 1; n <= 7; n++) joining.unreachable(`b:${n}`, "connection refused");
  const said: number[] = [];
  for (let at = 0; at <= 300_000; at += 250) {
    const reminder = joining.reminder(at);
    if (reminder === undefined) continue;
    said.push(at);
    assertEquals(reminder.state, "unreached");
    assertStringIncludes(reminder.calls, "b:5 (connection refused) and 2 more");
  }
  assertEquals(said.slice(0, 7), [11_000, 21_000, 31_000, 41_000, 51_000, 61_000, 71_000]);
  assertEquals(said.slice(7), [131_000, 191_000, 251_000]);
  joining.linked();
  assertEquals(joining.reminder(400_000), undefined);
});

Deno.test("who has nobody to join is alone from the beginning, and nothing is said of that", () => {
  const joining = new Joining(10_000, () => true);
  assertEquals(joining.state(0), "alone");
  joining.begin(0);
  assertEquals([joining.state(50_000), joining.reminder(50_000)], ["alone", undefined]);
});
