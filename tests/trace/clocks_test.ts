/** Lamport clocks over restarts and absences: what was said once is never in the future again. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { openClient } from "../../client/client.ts";
import { connect, serve, TraceFileError } from "../../mod.ts";
import { Journal } from "../../server/journal/journal.ts";
import { openMemoryStore } from "../../server/store/memory_store.ts";
import type { Batch } from "../../server/store/store.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { MeshWorld } from "../support/mesh_world.ts";
import { ClientWorld } from "../support/client_world.ts";
import { TracedWorld, violations } from "./_world.ts";

/** A journal on a store that notes what it is given, and begins where the last one ended. */
function begin(lamport: number) {
  const batches: Batch[] = [];
  const store = openMemoryStore({ serverId: "s1" });
  const noting = new Proxy(store, {
    get: (inner, name) => {
      if (name === "opened") return { ...inner.opened, lamport };
      if (name === "commit") return (batch: Batch) => (inner.commit(batch), void batches.push(batch));
      const value = Reflect.get(inner, name);
      return typeof value === "function" ? value.bind(inner) : value;
    },
  });
  const nothing = () => {};
  const owner = {
    committed: nothing,
    placeNoted: nothing,
    failed: nothing,
  };
  return {
    journal: new Journal(noting, new FakeClock(), { tailBytes: 1_000, messagesWaitMs: 1_000_000 }, owner),
    batches,
  };
}

Deno.test("A server's clock goes on after a restart, also where its times were only said in announcements and claims", () => {
  let written = 0;
  let said = 0;
  // Each life ends as with kill -9: nothing is written at its end.
  for (const ticks of [1, 3, 300, 2, 1_000, 0, 256, 257, 1]) {
    const { journal, batches } = begin(written);
    for (let tick = 0; tick < ticks; tick++) {
      const now = journal.tick();
      assert(now > said, `${now} after ${said}`);
      said = now;
    }
    written = batches.at(-1)?.lamport ?? written;
  }
});

Deno.test("A server's clock is written before anybody is told a time far ahead, and rarely otherwise", () => {
  const { journal, batches } = begin(0);
  assertEquals(journal.tick(), 1);
  assertEquals(batches.map(({ lamport }) => lamport), [1]);
  journal.tick(1_000_000);
  assertEquals(batches.map(({ lamport }) => lamport), [1, 1_000_001]);
  for (let tick = 0; tick < 256; tick++) journal.tick();
  assertEquals(batches.length, 2);
  journal.tick();
  assertEquals(batches.length, 3);
});

Deno.test("A server that is killed over and over says nothing in the past of what others have seen of it", async () => {
  const config = { cluster: { rebalance: false, drainMs: 0 } };
  const world = await MeshWorld.of(["s1", "s2"], config);
  const traced = new TracedWorld(world);
  const { client } = await traced.client("s2");
  for (let life = 0; life < 3; life++) {
    // Announcements only.
    await world.run(7_000);
    world.server("s1").kill();
    await world.run(500);
    world.start("s1", ["s2"], config);
    await world.linked("s1", "s2");
    const before = client.lamport;
    void client.publish({ life });
    await world.run(100);
    assert(client.lamport > before);
  }
  assertEquals(violations(world.traced), []);
  const starts = world.traced.filter(({ node, event }) => node === "s1" && event === "start").map(({ lamport }) =>
    lamport
  );
  assertEquals(starts.length, 4);
  void client.close();
  await world.run(3_000);
});

Deno.test("What a client publishes while it is away is sent in the future of what it sees when it is back", async () => {
  const config = { cluster: { rebalance: false, drainMs: 0 } };
  const world = await MeshWorld.of(["s1", "s2"], config);
  const traced = new TracedWorld(world);
  const ada = await traced.client("s1");
  const bob = await traced.client("s2");
  world.part([ada.machine], ["s1", "s2"]);
  world.network.cut(ada.machine, "s1");
  await world.run(20);
  void ada.client.publish({ from: "ada" });
  for (let n = 0; n < 20; n++) {
    void bob.client.publish({ n });
    await world.run(20);
  }
  world.network.heal();
  await world.run(3_000);
  const of = (event: string, node = "anonymous#") =>
    world.traced.filter((one) => one.event === event && one.node.startsWith(node));
  const back = of("receive").findLast(({ id }) => id === "login:2")!;
  const [queued] = of("queued");
  const sent = of("send").find(({ id }) => id === queued!.id)!;
  assert(queued!.lamport < back.lamport && back.lamport < sent.lamport);
  const published = of("publish", "s").find(({ what }) => what === queued!.id)!;
  assert(
    published.lamport > Math.max(...of("publish", "s2").filter((one) => one !== published).map((one) => one.lamport)),
  );
  assertEquals(violations(world.traced), []);
  for (const { client } of [ada, bob]) void client.close();
  await world.run(3_000);
});

Deno.test("What a client without a trace publishes in one go is one event, and stands where it happened", async () => {
  const world = await MeshWorld.of(["s1"], { cluster: { rebalance: false } });
  const plain = await world.login("s1");
  const before = world.traced.length;
  const activity = (n: number, more: object = {}) => ({ command: "ACTIVITY_MESSAGE", activity: { n }, ...more });
  plain.send(...[1, 2, 3].map((n) => activity(n)));
  await world.run(20);
  const named = activity(5, { messageId: "named-1" });
  plain.send(activity(4), named, named, activity(6));
  await world.run(20);
  const events = world.traced.slice(before);
  assertEquals(events.map(({ event, id, what }) => [event, id, what].filter((part) => part !== undefined).join(" ")), [
    ...["receive 3 activities", "publish s1:1-3", "broadcast s1:1-3"],
    ...["receive", "publish s1:4", "receive named-1", "publish s1:5 named-1"],
    ...["receive named-1", "repeated s1:5 named-1", "receive", "publish s1:6", "broadcast s1:4-6"],
  ]);
  const times = events.map(({ lamport }) => lamport);
  assertEquals(times, [...new Set(times)].toSorted((a, b) => a - b));
});

Deno.test("A client that goes on where another has ended takes its time along", async () => {
  const world = new ClientWorld();
  const first = await world.connected();
  const { vector, lamport } = first;
  await world.closed(first);
  const second = openClient({ ...world.server.endpoint, since: vector, lamport: lamport + 500 }, {
    clock: world.clock,
    transport: world.network.machine("another"),
    random: () => 0.5,
  });
  await world.clock.run(10);
  void (await second).publish({});
  await world.clock.run(10);
  assert(world.server.got("ACTIVITY_MESSAGE").at(-1)!.lamport > lamport + 500);
  await world.closed(await second);
});

Deno.test("Server and client write traces that go on in a new file at their limit, and are read as one", async () => {
  const folder = await Deno.makeTempDir({ prefix: "thrum-trace-" });
  try {
    const [servers, clients] = [`${folder}/server.jsonl`, `${folder}/client.jsonl`];
    const options = { server: { host: "127.0.0.1", port: 0 }, store: { ephemeral: true } };
    {
      await using server = await serve({ ...options, trace: servers, traceLimitBytes: 4_000 });
      const { host, port } = server;
      await assertRejects(
        () => connect({ host, port, trace: `${folder}/none/x` }),
        TraceFileError,
        "Cannot open trace file",
      );
      await using client = await connect({ host, port, trace: clients, traceLimitBytes: 1_000_000 });
      const id = (await client.publish({ n: 1 })).id!;
      await client.close();
      const kept = Deno.readTextFileSync(clients);
      for (const event of ["start", "connect", "send", "receive", "acknowledged", "stop"]) {
        assert(kept.includes(`"event":"${event}"`), event);
      }
      assert(kept.includes(`"id":"${id}"`));
    }
    assert((await Deno.stat(servers)).size > 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
