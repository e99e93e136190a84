/** Connections whose server was lost: what the others tell of them, and when they take it back. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { whyClosedLive } from "../../../diagram/why_live.ts";
import { UTC } from "../../../diagram/wall_time.ts";
import { LostClients, type SeenServer } from "../../../server/observe/lost_clients.ts";
import type { NetworkChange, NetworkView } from "../../../view/network_view.ts";
import { sampleConnection, sampleServer, sampleView } from "../../dashboard/_sample.ts";
import { MeshWorld } from "../../support/mesh_world.ts";

const NAMES = ["anna", "bert", "carl"];

Deno.test("nobody looked while a server was killed: the others still tell who was there, and why", async () => {
  const world = await MeshWorld.of(NAMES);
  await world.users("anna", "yan", "zoe");
  await world.login("bert", "zoe", { redirects: 3 });
  await world.login("bert", "yan", { redirects: 3 });
  await world.run(500);
  world.server("bert").kill();
  await world.run(10_000);
  for (const name of ["anna", "carl"]) {
    const view = await looked(world, name);
    assertEquals(lostUsers(view), ["yan", "zoe"], name);
    assertEquals(view.servers.bert!.lostClients, 2);
    const { text, isFound } = whyClosedLive(view, "zoe", UTC);
    assert(isFound);
    assertStringIncludes(text, "bert:8000 was lost with the connection of zoe at ");
    assertStringIncludes(text, "SERVER_LOST, its server was lost");
    assert(!text.includes("connected; lasted"), text);
  }
  // It is back, and remembers nothing. What the others remember stays.
  world.start("bert");
  await world.linked(...NAMES);
  const view = await looked(world, "anna");
  assertEquals([lostUsers(view), view.servers.bert!.lostClients], [["yan", "zoe"], undefined]);
});

Deno.test("who looked is told the ends as soon as the server is dead, with addresses and times, and without names too", async () => {
  const world = await MeshWorld.of(NAMES);
  await world.users("anna", "zoe");
  await world.login("bert", "zoe", { redirects: 3 });
  await world.login("bert", "anonymous", { redirects: 3 });
  const changes: NetworkChange[] = [];
  const { end } = world.server("anna").node.observe({ changed: (change) => void changes.push(change) });
  await world.run(2_500);
  world.server("bert").powerOff();
  const ms = await world.until(() => world.server("anna").stateOf("bert") === "dead", "its death");
  assert(ms < 5_000, `${ms} ms`);
  await world.run(60);
  const told = changes.flatMap(({ ends }) => ends);
  assertEquals(told.map(({ user, server, reason }) => [user, server, reason]).toSorted(), [
    ["anonymous", "bert", "SERVER_LOST"],
    ["zoe", "bert", "SERVER_LOST"],
  ]);
  assert(told.every(({ address, since, at }) => address !== "" && since > 0 && at > since));
  end();
});

Deno.test("after a partition nobody was lost: what was told is taken back on both sides", async () => {
  const world = await MeshWorld.of(NAMES);
  await world.users("anna", "zoe");
  await world.login("bert", "zoe", { redirects: 3 });
  const changes: NetworkChange[] = [];
  const { end } = world.server("anna").node.observe({ changed: (change) => void changes.push(change) });
  await world.run(1_500);
  await world.parted(["anna", "carl"], ["bert"]);
  await world.run(5_000);
  assertEquals(lostUsers(await looked(world, "anna")), ["zoe"]);
  world.network.heal();
  await world.linked(...NAMES);
  await world.run(1_500);
  assertEquals(changes.flatMap(({ takenBack }) => takenBack ?? []), ["bert"]);
  assertEquals(lostUsers(await looked(world, "anna")), []);
  assertEquals(lostUsers(await looked(world, "carl")), []);
  end();
});

Deno.test("a server that leaves in good order loses nobody", async () => {
  const world = await MeshWorld.of(NAMES);
  await world.users("anna", "zoe");
  await world.login("bert", "zoe", { redirects: 3 });
  void world.server("bert").node.stop();
  await world.until(() => world.server("anna").stateOf("bert") === "left", "its end");
  await world.run(5_000);
  assertEquals(lostUsers(await looked(world, "anna")), []);
});

Deno.test("of a large server as many ends are kept as leave room for others, and all are counted", () => {
  const lost = new LostClients();
  const connections = Array.from({ length: 5_000 }, (_, n) => sampleConnection({ user: `user-${n}` }));
  const servers = [sampleConnection({ kind: "server", user: "" }), sampleConnection({ kind: "new", user: "" })];
  lost.lost({ ...SERVER, users: ["user-7", "only-known-by-name"], connections: [...connections, ...servers] });
  assertEquals([lost.countOf("s-2"), lost.ends.length], [0, 0]);
  const { told, takenBack } = lost.look(() => seen("dead"));
  assertEquals([told.length, lost.ends.length, lost.countOf("s-2"), takenBack], [100, 100, 5_001, []]);
  assertEquals(told.at(-1)!.user, "only-known-by-name");
  const view = sampleView({
    servers: { a: sampleServer(), "s-2": sampleServer({ name: "b:8000", lostClients: 5_001 }) },
  });
  assertStringIncludes(
    whyClosedLive({ ...view, ends: told }, "user-1", UTC).text,
    "b:8000 was lost with 5001 connections, of which 100 are remembered by name.",
  );
  assertEquals(lost.look(() => seen("dead")).told, []);
});

Deno.test("a server that was started anew so fast that nobody took it for dead has lost its connections all the same", () => {
  const lost = new LostClients();
  lost.lost(SERVER);
  assertEquals(lost.look(() => seen("suspect")).told, []);
  // Linked, and has not said yet when it was started.
  assertEquals(lost.look(() => seen("linked")), { told: [], takenBack: [] });
  assertEquals(lost.look(() => seen("linked", 2)).told.map(({ user }) => user), ["zoe"]);
  assertEquals([lost.countOf("s-2"), lost.ends.length], [0, 1]);
  // And once more, while nobody looks.
  lost.lost({ ...SERVER, startedAt: 2, users: ["yan"] });
  lost.lost({ ...SERVER, startedAt: 3, users: ["xia"] });
  lost.look(() => seen("dead"));
  assertEquals(lost.ends.map(({ user }) => user), ["zoe", "yan", "xia"]);
});

Deno.test("a link that broke and was made again has ended nobody", () => {
  const lost = new LostClients();
  lost.lost(SERVER);
  assertEquals(lost.look(() => seen("linked", 1)), { told: [], takenBack: [] });
  lost.lost(SERVER);
  lost.lost(SERVER);
  assertEquals(lost.look(() => seen("dead")).told.length, 1);
  assertEquals(lost.look(() => seen("linked", 1)), { told: [], takenBack: ["s-2"] });
  assertEquals(lost.ends, []);
});

const SERVER = { serverId: "s-2", name: "b:8000", at: 5_000, startedAt: 1, users: ["zoe"], connections: [] };

function seen(state: SeenServer["state"], startedAt?: number): SeenServer {
  return { state, startedAt };
}

function lostUsers({ ends }: NetworkView): string[] {
  return ends.filter(({ reason }) => reason === "SERVER_LOST").map(({ user }) => user).toSorted();
}

async function looked(world: MeshWorld, name: string): Promise<NetworkView> {
  let view: NetworkView | undefined;
  world.server(name).node.look().then((seen) => view = seen);
  await world.until(() => view !== undefined, "a look");
  return view!;
}
