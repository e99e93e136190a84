/**
 * How clients are judged that the server does not read just now, on a fake clock: by what they take of
 * what waits for them.
 */

import { assert, assertEquals } from "@std/assert";
import { longestSilenceMs } from "../../../heartbeat/liveness.ts";
import { openMemoryStore } from "../../../server/store/memory_store.ts";
import type { Store } from "../../../server/store/store.ts";
import type { FakeClock } from "../../support/fake_clock.ts";
import { type FakeLineClient, NodeWorld } from "../../support/node_world.ts";

const HEARTBEAT = { idleTimeoutMs: 600, intervalMs: 200, count: 3 };
const BOUND_MS = longestSilenceMs(HEARTBEAT);
const LOGIN = { command: "LOGIN", username: "anonymous", features: ["heartbeat"] };

/** A server of which one client has asked for more than it is sent before it takes that. */
async function stuffed(): Promise<{ world: NodeWorld; client: FakeLineClient }> {
  const world = await NodeWorld.start({ limits: { maxPendingBytes: 16_384 }, heartbeat: HEARTBEAT });
  for (let n = 0; n < 60; n++) await world.register(`somebody with a rather long name, number ${n}`);
  const client = await world.connect(LOGIN);
  client.link.pause();
  client.send(...Array.from({ length: 1_500 }, () => ({ command: "LIST_USERS", scope: "all" })));
  await world.settle();
  return { world, client };
}

Deno.test("a client that asks and takes no answers is closed in time, though it is not read any more", async () => {
  const { world } = await stuffed();
  // And the two seconds that its last line may take to leave.
  await world.clock.run(2 * BOUND_MS + 2_000);
  assertEquals(world.node.connectionCount, 0);
  await world.stop();
});

Deno.test("a client that takes its answers slowly is not closed, though what it sends is not read for longer than the bound", async () => {
  const { world, client } = await stuffed();
  const before = client.received.length;
  const takeOne = () => {
    client.link.resume();
    world.clock.after(HEARTBEAT.intervalMs / 2, takeOne);
  };
  const { onData } = client;
  client.onData = (bytes) => {
    onData.call(client, bytes);
    client.link.pause();
  };
  takeOne();
  await world.clock.run(4 * BOUND_MS);
  assertEquals(
    client.commands.slice(before).filter((command) => command !== "USER_LIST" && command !== "HEARTBEAT"),
    [],
  );
  assertEquals(world.node.connectionCount, 1);
  await world.stop();
});

Deno.test("a client that takes its answers after all gets those to all that it has asked", async () => {
  const { world, client } = await stuffed();
  assert(client.commands.filter((command) => command === "USER_LIST").length < 1_500);
  client.link.resume();
  await world.clock.run(BOUND_MS / 2);
  assertEquals(client.commands.filter((command) => command === "USER_LIST").length, 1_500);
  await world.stop();
});

Deno.test("a client whose lines wait for their share for longer than the bound is not closed", async () => {
  const memory = openMemoryStore({ serverId: "s-1" });
  let clock: FakeClock | undefined = undefined as FakeClock | undefined;
  const store = new Proxy(memory, {
    get(target, name: keyof Store) {
      const value = target[name];
      if (typeof value !== "function") return value;
      return (...args: never[]) => {
        if (name === "usedMessageId") clock?.take(4);
        return (value as (...args: never[]) => unknown).apply(target, args);
      };
    },
  });
  const world = await NodeWorld.start({ heartbeat: HEARTBEAT }, { store });
  await world.register("anna");
  clock = world.clock;
  const client = await world.connect({
    ...LOGIN,
    username: "anna",
    secret: "anna",
    features: ["heartbeat", "ack", "chat"],
  });
  await world.endAllDerivations();
  const many = Math.ceil(2 * BOUND_MS / 4);
  client.send(...Array.from({ length: many }, (_, n) => {
    return { command: "DIRECT_MESSAGE", to: "anna", text: "x", messageId: `m-${n}` };
  }));
  const beganMs = clock.nowMs();
  while (client.commands.filter((command) => command === "RECEIPT").length < many) {
    await world.clock.run(10);
    assertEquals(world.node.connectionCount, 1);
    assert(clock.nowMs() < beganMs + 10 * BOUND_MS);
  }
  assert(clock.nowMs() - beganMs > BOUND_MS);
  await world.clock.run(BOUND_MS / 2);
  assertEquals(world.node.connectionCount, 1);
  // It has not answered since, and is silent.
  await world.clock.run(2 * BOUND_MS);
  assertEquals(world.node.connectionCount, 0);
  await world.stop();
});
