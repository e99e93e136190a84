/** Who floods a server with connections, and who has a place all the same. */

import { assert, assertEquals } from "@std/assert";
import { type FakeLineClient, NodeWorld } from "../../../support/node_world.ts";

const ANONYMOUS = { command: "LOGIN", username: "anonymous" };
const ANNA = { command: "LOGIN", username: "anna", secret: "anna" };
const FLOOD = "127.0.0.2";
const ELSEWHERE = "127.0.0.3";
const HELLO = {
  ...{ command: "AUTHENTICATE", secret: "s", serverId: "s-9", host: "127.0.0.9", port: 9 },
  features: ["thrum/1"],
  vector: {},
};

function refused(world: NodeWorld): Record<string, number> {
  return Object.fromEntries(Object.entries(world.node.metrics().refused).filter(([, count]) => count > 0));
}

/** A server with ten places, which has anna, and as many clients of one kind as there are places. */
async function flooded(more: Record<string, unknown>): Promise<{ world: NodeWorld; flood: FakeLineClient[] }> {
  const world = await NodeWorld.start({
    limits: { maxConnections: 10 },
    cluster: { secret: "s", clearSecret: "upgrade" },
  });
  await world.register("anna");
  const flood = [];
  for (let n = 0; n < 10; n++) flood.push(await world.connectFrom(FLOOD, { ...ANONYMOUS, ...more }));
  return { world, flood };
}

Deno.test("anonymous plain clients that say nothing make place for whoever has a name, for servers, and for others", async () => {
  const { world, flood } = await flooded({});
  const anna = await world.connectFrom(ELSEWHERE, ANNA);
  await world.endAllDerivations();
  assertEquals(anna.commands, ["LOGIN_SUCCESS"]);
  const peer = await world.connectFrom(ELSEWHERE, HELLO);
  assertEquals(peer.commands[0], "AUTHENTICATION_SUCC");
  const other = await world.connectFrom(ELSEWHERE, ANONYMOUS);
  assertEquals(other.commands, ["LOGIN_SUCCESS"]);
  await world.clock.run(200);
  // A plain client knows no END_CONNECTION.
  assertEquals(flood.map(({ end }) => end !== undefined), [true, true, true, ...Array(7).fill(false)]);
  assertEquals(flood[0]!.commands, ["LOGIN_SUCCESS"]);
  assertEquals(world.node.connectionCount, 10);
  assertEquals(refused(world), { places: 3 });
  peer.link.destroy();
  await world.settle();
  await world.stop();
  assertEquals(world.clock.timersWaiting, 0);
});

Deno.test("a client that knows it is told why it has to go, and those that say something stay while there are others", async () => {
  const { world, flood } = await flooded({ features: ["ack"] });
  const talker = flood[0]!;
  talker.send({ command: "ACTIVITY_MESSAGE", activity: { n: 1 } });
  await world.settle();
  const anna = await world.connectFrom(ELSEWHERE, ANNA);
  await world.endAllDerivations();
  assertEquals(anna.commands, ["LOGIN_SUCCESS"]);
  await world.clock.run(200);
  const gone = flood.find(({ end }) => end !== undefined)!;
  assertEquals(gone.received.at(-1), {
    ...{ command: "END_CONNECTION", reason: "TOO_MANY", info: "somebody else needs the place", reconnect: "backoff" },
  });
  await world.stop();
});

Deno.test("connections that say nothing keep nobody out, from one address or from many", async () => {
  for (const addressOf of [() => FLOOD, (n: number) => `127.1.0.${n}`]) {
    const world = await NodeWorld.start({
      limits: { maxConnections: 10 },
      cluster: { secret: "s", clearSecret: "upgrade" },
    });
    await world.register("anna");
    for (let n = 0; n < 2_000; n++) await world.connectFrom(addressOf(n));
    assert(world.node.metrics().waiting <= 1_024);
    await world.clock.run(1_000);
    const anna = await world.connectFrom(ELSEWHERE, ANNA);
    await world.endAllDerivations();
    const peer = await world.connectFrom(ELSEWHERE, HELLO);
    const other = await world.connectFrom(ELSEWHERE, ANONYMOUS);
    assertEquals(anna.commands, ["LOGIN_SUCCESS"]);
    assertEquals(peer.commands[0], "AUTHENTICATION_SUCC");
    assertEquals(other.commands, ["LOGIN_SUCCESS"]);
    peer.link.destroy();
    // When places are short, nobody has as long as otherwise.
    const slow = await world.connectFrom(ELSEWHERE);
    await world.clock.run(4_000);
    assertEquals(world.node.metrics().waiting, 0);
    assertEquals(slow.received.map(({ command, reason }) => [command, reason]), [["END_CONNECTION", "TOO_MANY"]]);
    await world.stop();
    assertEquals(world.clock.timersWaiting, 0);
  }
});

Deno.test("who waits for a place in vain is told so, and the next one has it that is free", async () => {
  const { world, flood } = await flooded({});
  const waits = await world.connectFrom(FLOOD, ANONYMOUS);
  const knows = await world.connectFrom(FLOOD, { ...ANONYMOUS, features: ["ack"] });
  assertEquals([world.node.connectionCount, world.node.metrics().waiting], [10, 2]);
  await world.clock.run(10_000);
  assertEquals([waits.commands, knows.commands], [[], []]);
  await world.clock.run(21_000);
  assertEquals(waits.received.map(({ command, reason }) => [command, reason]), [["LOGIN_FAILED", "TOO_MANY"]]);
  assertEquals(knows.received.map(({ command, reason }) => [command, reason]), [["END_CONNECTION", "TOO_MANY"]]);
  const next = await world.connectFrom(FLOOD, ANONYMOUS);
  flood[3]!.send({ command: "LOGOUT" });
  await world.clock.run(10);
  assertEquals(next.commands, ["LOGIN_SUCCESS"]);
  await world.stop();
});

Deno.test("a server that stops sends those away that wait for a place, too", async () => {
  const { world } = await flooded({});
  const silent = await world.connectFrom(FLOOD);
  const waits = await world.connectFrom(FLOOD, ANONYMOUS);
  await world.stop();
  assert(silent.end !== undefined && waits.end !== undefined);
  assertEquals(world.clock.timersWaiting, 0);
});

Deno.test("a hundred clients from one address notice nothing of each other", async () => {
  const world = await NodeWorld.start();
  await world.register("anna");
  const students = [];
  for (let n = 0; n < 100; n++) {
    const username = `student ${n}`;
    const login = { command: "LOGIN", username, secret: username };
    students.push(await world.connectFrom(FLOOD, { command: "REGISTER", username, secret: username }, login));
  }
  await world.endAllDerivations();
  for (const { commands } of students) assertEquals(commands, ["REGISTER_SUCCESS", "LOGIN_SUCCESS"]);
  // Each mistypes once, or twice.
  for (let n = 0; n < 100; n++) {
    const login = { command: "LOGIN", username: `student ${n}`, secret: "oops" };
    const client = await world.connectFrom(FLOOD, login);
    await world.endAllDerivations();
    assertEquals(client.received.map(({ reason }) => reason), ["WRONG_SECRET"]);
    const right = await world.connectFrom(FLOOD, { ...login, secret: login.username });
    await world.endAllDerivations();
    assertEquals(right.commands, ["LOGIN_SUCCESS"]);
  }
  assertEquals(refused(world), {});
  await world.stop();
});

Deno.test("limits of an address hold where the operator sets them, for it alone, and are told", async () => {
  const world = await NodeWorld.start({
    limits: {
      ...{ maxConnectionsPerAddress: 5, maxUnidentifiedPerAddress: 2 },
      ...{ maxLoginsPerSecondPerAddress: 3, maxRegistrationsPerHourPerAddress: 2 },
    },
  });
  const silent = [];
  for (let n = 0; n < 3; n++) silent.push(await world.connectFrom(FLOOD));
  await world.settle();
  assertEquals(silent.map(({ received }) => received.map(({ reason }) => reason)), [[], [], ["TOO_MANY"]]);
  for (const { link } of silent) link.destroy();
  await world.clock.run(200);
  const clients = [];
  for (let n = 0; n < 4; n++) clients.push(await world.connectFrom(FLOOD, { ...ANONYMOUS, features: ["ack"] }));
  assertEquals(clients.map(({ commands }) => commands[0]), [...Array(3).fill("LOGIN_SUCCESS"), "END_CONNECTION"]);
  assertEquals(clients[3]!.received[0]!.retryAfterMs, 334);
  await world.clock.run(1_000);
  for (let n = 0; n < 3; n++) clients.push(await world.connectFrom(FLOOD, ANONYMOUS));
  await world.settle();
  assertEquals(clients.at(-1)!.received[0]!.info, "this address has reached its limit of connections");
  const elsewhere = await world.connectFrom(ELSEWHERE, ANONYMOUS);
  assertEquals(elsewhere.commands, ["LOGIN_SUCCESS"]);
  const registers = [];
  for (let n = 0; n < 3; n++) {
    registers.push(await world.connectFrom("127.0.0.4", { command: "REGISTER", username: `u${n}`, secret: "s" }));
    await world.endAllDerivations();
    if (n < 2) registers[n]!.link.destroy();
    await world.settle();
  }
  const { command, reason } = registers[2]!.received[0]!;
  assertEquals([command, reason], ["REGISTER_FAILED", "TOO_MANY"]);
  assertEquals(refused(world), { connections: 1, unidentified: 1, logins: 1, registrations: 1 });
  await world.stop();
});
