/** What an operator wants of a server, given at that server or at another one (docs/protocol.md, section 4.11). */

import { assertEquals } from "@std/assert";
import { ORDER_PATIENCE_MS } from "../../../server/node/operator.ts";
import type { Order, OrderResult } from "../../../server/node/order.ts";
import type { ConnectionView } from "../../../view/network_view.ts";
import { type FakePeer, type MeshServer, MeshWorld } from "../../support/mesh_world.ts";

type Disconnect = Extract<Order, { readonly kind: "disconnect" }>;

const OPERATOR = "192.0.2.7";
const FEATURES = { features: ["thrum/1", "operate"] };

/** What became of an order that is given at a server. */
async function given(world: MeshWorld, at: string, order: Order): Promise<OrderResult> {
  let result: OrderResult | undefined;
  void world.server(at).node.operate(order, OPERATOR).then((became) => result = became);
  await world.until(() => result !== undefined, "an answer");
  return result!;
}

/** The order to disconnect the one connection of `user` at a server. */
function disconnecting(server: MeshServer, user: string): Disconnect {
  return disconnects(server).find(({ seen }) => seen.user === user)!.order;
}

/** Such an order for each connection of a server, with the connection. */
function disconnects({ node }: MeshServer): { readonly order: Disconnect; readonly seen: ConnectionView }[] {
  const { serverId } = node;
  const { view: { connections }, end } = node.observe({ changed: () => {} });
  end();
  return Object.entries(connections[serverId]!).map(([connection, seen]) => ({
    order: { kind: "disconnect", serverId, connection, since: seen.since },
    seen,
  }));
}

function failed(problem: string): unknown {
  return { ok: false, problem };
}

/** The orders that a peer was told. */
function ordersOf(peer: FakePeer): unknown[] {
  return peer.received.filter(({ command }) => command === "OPERATE");
}

Deno.test("a client is told that an operator ended its connection, whichever server the operator asks", async () => {
  const world = await MeshWorld.of(["anna", "bert"]);
  for (const at of ["bert", "anna"]) {
    const client = await world.login("bert", "anonymous", { features: ["ack", "resume"], redirects: 3 });
    const other = await world.login("bert", "anonymous", { features: ["ack", "resume"], redirects: 3 });
    const order = disconnecting(world.server("bert"), "anonymous");
    assertEquals(await given(world, at, order), { ok: true });
    await world.until(() => client.commands.includes("END_CONNECTION"), "the end");
    const { reason, info, reconnect } = client.received.find(({ command }) => command === "END_CONNECTION")!;
    assertEquals([reason, info, reconnect], [
      "ENDED_BY_OPERATOR",
      "an operator of the network ended it",
      "never",
    ]);
    assertEquals(other.commands.includes("END_CONNECTION"), false);
    // It is gone by then, and nobody else gets its name.
    client.link.destroy();
    await world.run(20);
    assertEquals(await given(world, at, order), failed("GONE"));
    other.link.destroy();
    // Views are cached for a moment.
    await world.run(300);
  }
});

Deno.test("the name of a connection counts with the moment when it was opened", async () => {
  const world = await MeshWorld.of(["anna", "bert"]);
  const client = await world.login("bert", "anonymous", { redirects: 3 });
  const order = disconnecting(world.server("bert"), "anonymous");
  assertEquals(await given(world, "anna", { ...order, since: order.since + 1 }), failed("GONE"));
  assertEquals(client.commands.includes("END_CONNECTION"), false);
});

Deno.test("a link to another server is no client, and stays", async () => {
  const world = await MeshWorld.of(["anna", "bert"]);
  // One of the two has called the other.
  const [link] = ["anna", "bert"].flatMap((name) => disconnects(world.server(name)));
  for (const at of ["anna", "bert"]) assertEquals(await given(world, at, link!.order), failed("NOT_A_CLIENT"));
  assertEquals(world.server("anna").stateOf("bert"), "linked");
});

Deno.test("a server is drained by way of another one, and its clients go to others", async () => {
  const world = await MeshWorld.of(["anna", "bert", "carl"]);
  const client = await world.login("bert", "anonymous", { features: ["ack", "resume"], redirects: 3 });
  const { serverId } = world.server("bert").node;
  assertEquals(await given(world, "anna", { kind: "drain", serverId }), { ok: true });
  await world.until(() => client.commands.includes("REDIRECT"), "the redirect");
  await world.until(() => world.server("anna").stateOf("bert") === "left", "the end of the drained one");
  assertEquals(world.server("carl").stateOf("bert"), "left");
  assertEquals(world.server("anna").node.state, "ready");
  assertEquals(await given(world, "anna", { kind: "drain", serverId }), failed("NOT_LINKED"));
});

Deno.test("each order that nobody can carry out is answered with its reason", async () => {
  const world = new MeshWorld();
  world.start("anna");
  await world.until(() => world.server("anna").node.isJoined, "a start");
  assertEquals(await given(world, "anna", { kind: "drain", serverId: "nobody" }), failed("UNKNOWN_SERVER"));
  const old = await world.peer("anna", "old");
  assertEquals(await given(world, "anna", { kind: "drain", serverId: "old" }), failed("OLDER_VERSION"));
  assertEquals(ordersOf(old), []);

  const peer = await world.peer("anna", "other", FEATURES);
  const answers: [result: string, expected: unknown][] = [
    ["done", { ok: true }],
    ["gone", failed("GONE")],
    ["notAClient", failed("NOT_A_CLIENT")],
    ["unknownAction", failed("UNKNOWN_ACTION")],
    ["what a newer server says", failed("UNKNOWN_ACTION")],
  ];
  for (const [index, [result, expected]] of answers.entries()) {
    const became = given(world, "anna", { kind: "disconnect", serverId: "other", connection: "7", since: 9 });
    await world.until(() => ordersOf(peer).length === index + 1, "the order");
    const order = ordersOf(peer)[index] as { ask: number };
    assertEquals({ ...order, ask: 0 }, {
      ...{ command: "OPERATE", ask: 0, action: "disconnect", connection: "7", since: 9, by: OPERATOR },
    });
    // Nobody answers for another server, and nobody answers a question that was never asked.
    old.send({ command: "OPERATED", ask: order.ask, result: "done" });
    peer.send({ command: "OPERATED", ask: order.ask + 1, result: "done" });
    peer.send({ command: "OPERATED", ask: order.ask, result });
    assertEquals(await became, expected);
  }
});

Deno.test("a server that does not answer, or goes, keeps nobody waiting", async () => {
  const world = new MeshWorld();
  world.start("anna", [], { cluster: { peerIdleTimeoutMs: 60_000 } });
  await world.until(() => world.server("anna").node.isJoined, "a start");
  await world.peer("anna", "mute", FEATURES);
  const begin = world.clock.nowMs();
  assertEquals(await given(world, "anna", { kind: "drain", serverId: "mute" }), failed("NO_ANSWER"));
  assertEquals(Math.round((world.clock.nowMs() - begin) / 100), ORDER_PATIENCE_MS / 100);
  const leaving = await world.peer("anna", "leaving", FEATURES);
  const became = given(world, "anna", { kind: "drain", serverId: "leaving" });
  await world.until(() => ordersOf(leaving).length === 1, "the order");
  const asked = world.clock.nowMs();
  leaving.link.destroy();
  assertEquals(await became, failed("NO_ANSWER"));
  assertEquals(world.clock.nowMs() - asked < 1_000, true);
  // More than a person gives are refused at once.
  const results = Array.from(
    { length: 65 },
    () => world.server("anna").node.operate({ kind: "drain", serverId: "mute" }, ""),
  );
  assertEquals(await results[64], failed("TOO_MANY"));
  await world.run(ORDER_PATIENCE_MS);
  assertEquals(await results[63], failed("NO_ANSWER"));
});

Deno.test("an order of another server that this one does not know is refused, and costs nothing", async () => {
  const world = new MeshWorld();
  world.start("anna");
  await world.until(() => world.server("anna").node.isJoined, "a start");
  const peer = await world.peer("anna", "newer", FEATURES);
  peer.send({ command: "OPERATE", ask: 3, action: "promote", by: OPERATOR });
  const answer = () => peer.received.find(({ command }) => command === "OPERATED");
  await world.until(() => answer() !== undefined, "the answer");
  assertEquals(answer(), { command: "OPERATED", ask: 3, result: "unknownAction" });
  assertEquals(world.server("anna").node.state, "ready");
});
