/** Who is told of whom that comes and goes, over several servers, and how many sessions a user may have. */

import { assert, assertEquals } from "@std/assert";
import type { Config, ConfigLayer } from "../../../config/config.ts";
import { DEFAULT_CONFIG } from "../../../config/config.ts";
import { Chance } from "../../simulation/chance.ts";
import { loginOf, type MeshClient, MeshWorld } from "../../support/mesh_world.ts";

/** Who is back within this was not away, as far as anybody is told. */
const GRACE_MS = 1_500;
/** A server is known to be dead after this at the latest, with a little for the network. */
const DETECTION_MS = detectionOf(DEFAULT_CONFIG);

/** Three servers on which anna, bob, carl and dora are registered. */
async function threeServers(layer: ConfigLayer = {}): Promise<MeshWorld> {
  const world = await MeshWorld.of(["a", "b", "c"], { ...layer, cluster: { rebalance: false, ...layer.cluster } });
  await world.users("a", "anna", "bob", "carl", "dora");
  return world;
}

/** Somebody without a name at each server, who sees who comes and goes. */
async function watchers(world: MeshWorld, ...servers: string[]): Promise<MeshClient[]> {
  const all: MeshClient[] = [];
  for (const server of servers) all.push(await world.chat(server, "anonymous"));
  return all;
}

function assertTold(clients: readonly MeshClient[], ...presence: string[]): void {
  for (const client of clients) assertEquals(client.presence, presence);
}

async function online(world: MeshWorld, asker: MeshClient, scope = "online"): Promise<string[]> {
  const before = asker.all("USER_LIST").length;
  asker.send({ command: "LIST_USERS", scope });
  await world.until(() => asker.all("USER_LIST").length > before, "the list");
  assertEquals(asker.last("USER_LIST")!.scope, scope);
  return asker.last("USER_LIST")!.users;
}

Deno.test("every watcher is told who joined and left, once, and nobody of himself", async () => {
  const world = await threeServers();
  const all = await watchers(world, "a", "b", "c");
  const anna = await world.chat("b", "anna");
  const other = await world.chat("c", "anna");
  const plain = await world.plain("a", "carl");
  const quiet = await world.login("b", "bob", { redirects: 3 });
  await world.run(100);
  assertTold(all, "anna joined", "carl joined", "bob joined");
  assertTold([anna, other], "carl joined", "bob joined");
  other.send({ command: "LOGOUT" });
  await world.run(GRACE_MS + 100);
  assertTold(all, "anna joined", "carl joined", "bob joined");
  anna.send({ command: "LOGOUT" });
  await world.run(100);
  assertTold(all, "anna joined", "carl joined", "bob joined", "anna left");
  // Who did not ask is not told.
  assertEquals(plain.commands, ["LOGIN_SUCCESS"]);
  assertEquals(quiet.presence, []);
  const lamports = all[0]!.all("PRESENCE").map(({ lamport }) => lamport);
  assertEquals(lamports, lamports.toSorted((a, b) => a - b));
});

Deno.test("a lost connection is told after a moment, unless its user is back by then, wherever", async () => {
  const world = await threeServers();
  const all = await watchers(world, "a", "b", "c");
  let anna = await world.chat("a", "anna");
  await world.run(50);
  for (const server of ["b", "a", "c"]) {
    anna.link.destroy();
    await world.run(GRACE_MS / 2);
    anna = await world.chat(server, "anna");
    await world.run(2 * GRACE_MS);
  }
  assertTold(all, "anna joined");
  anna.link.destroy();
  await world.run(GRACE_MS - 100);
  assertTold(all, "anna joined");
  await world.run(200);
  assertTold(all, "anna joined", "anna lost");
});

Deno.test("a failover from a server that was killed tells nobody anything", async () => {
  const world = await threeServers();
  const all = await watchers(world, "b", "c");
  await world.chat("a", "anna");
  await world.run(50);
  world.server("a").kill();
  await world.run(300);
  await world.chat("b", "anna");
  await world.run(DETECTION_MS + GRACE_MS);
  assertTold(all, "anna joined");
  assertEquals(await online(world, all[1]!), ["anna"]);
});

Deno.test("a server that stops, and sends its clients away, tells nobody anything of those that come back", async () => {
  const world = await threeServers();
  const all = await watchers(world, "b", "c");
  const clients = [];
  for (const name of ["anna", "bob", "carl"]) clients.push(await world.chat("a", name));
  await world.run(50);
  void world.server("a").node.stop();
  for (const [index, client] of clients.entries()) {
    await world.until(() => client.commands.includes("END_CONNECTION"), "the end");
    await world.chat(index % 2 === 0 ? "b" : "c", ["anna", "bob", "carl"][index]!);
  }
  await world.run(2 * GRACE_MS);
  assertTold(all, "anna joined", "bob joined", "carl joined");
});

Deno.test("a client that is sent to another server at its login is told of once", async () => {
  const world = await threeServers();
  const all = await watchers(world, "a", "b", "c");
  await world.chat("a", "dora");
  await world.run(200);
  const sent = await world.client("a", loginOf("anna", { redirects: 0 }));
  await world.until(() => sent.commands.includes("REDIRECT"), "the redirect");
  assert(!sent.commands.includes("CAUGHT_UP"));
  await world.chat(sent.last("REDIRECT")!.hostname, "anna", { redirects: 1 });
  await world.run(2 * GRACE_MS);
  assertTold(all, "dora joined", "anna joined");
});

for (const how of ["kill", "powerOff"] as const) {
  Deno.test(`after ${how} of a server its users are online nowhere once it is known to be dead`, async () => {
    const world = await threeServers();
    const all = await watchers(world, "b", "c");
    await world.chat("a", "anna");
    await world.chat("a", "bob");
    await world.plain("b", "bob");
    await world.run(50);
    world.server("a")[how]();
    await world.run(DETECTION_MS + GRACE_MS);
    assertEquals(await online(world, all[0]!), ["bob"]);
    assertEquals(await online(world, all[1]!), ["bob"]);
    assertTold(all, "anna joined", "bob joined", "anna lost");
    // It comes back without them.
    world.start("a", ["b", "c"], { cluster: { rebalance: false } });
    await world.linked("a", "b", "c");
    assertEquals(await online(world, (await watchers(world, "a"))[0]!), ["bob"]);
    assertTold(all, "anna joined", "bob joined", "anna lost");
  });
}

Deno.test("servers that were apart see each other's users go and come, and those who moved meanwhile as they are", async () => {
  const world = await threeServers();
  const [atA, atB] = await watchers(world, "a", "b");
  const anna = await world.chat("a", "anna");
  const bob = await world.chat("a", "bob");
  await world.chat("b", "carl");
  await world.run(50);
  await world.parted(["a"], ["b", "c"]);
  await world.run(GRACE_MS + 100);
  assertEquals(await online(world, atA!), ["anna", "bob"]);
  assertEquals(await online(world, atB!), ["carl"]);
  bob.send({ command: "LOGOUT" });
  await world.chat("c", "bob");
  world.network.heal();
  await world.linked("a", "b", "c");
  await world.run(2 * GRACE_MS);
  for (const watcher of [atA!, atB!]) assertEquals(await online(world, watcher), ["anna", "bob", "carl"]);
  assertEquals(atB!.presence.filter((told) => told.startsWith("anna")), ["anna joined", "anna lost", "anna joined"]);
  assertEquals(atB!.presence.filter((told) => told.startsWith("bob")), ["bob joined", "bob lost", "bob joined"]);
  assertEquals(atA!.presence.filter((told) => told.startsWith("bob")), ["bob joined", "bob left", "bob joined"]);
  assertEquals(atA!.presence.filter((told) => told.startsWith("carl")), ["carl joined", "carl lost", "carl joined"]);
  assertEquals(anna.end, undefined);
});

Deno.test("every list is of the whole network, each user once, in order", async () => {
  const world = await threeServers();
  const asker = await world.chat("c", "dora");
  await world.chat("a", "bob");
  await world.chat("b", "bob");
  await world.plain("b", "anna");
  await world.chat("a", "anonymous");
  await world.run(100);
  assertEquals(await online(world, asker), ["anna", "bob", "dora"]);
  assertEquals(await online(world, asker, "all"), ["anna", "bob", "carl", "dora"]);
  asker.send({ command: "LIST_USERS", scope: "some" });
  await world.run(20);
  assertEquals(asker.received.at(-1)!.command, "INVALID_MESSAGE");
});

Deno.test("who comes from a killed server has a right list of who is online, though others are between two connections", async () => {
  const world = await threeServers();
  await world.chat("a", "anna");
  await world.chat("a", "bob");
  await world.chat("b", "carl");
  await world.run(50);
  world.server("a").kill();
  await world.run(50);
  const anna = await world.chat("b", "anna");
  // Bob is nowhere now, and nobody is told when he comes back.
  assertEquals(await online(world, anna), ["anna", "bob", "carl"]);
  await world.run(GRACE_MS / 2);
  await world.chat("c", "bob");
  await world.run(2 * GRACE_MS);
  assertTold([anna]);
  assertEquals(await online(world, anna), ["anna", "bob", "carl"]);
});

Deno.test("a list and the news after it are how it is once all is quiet, whoever asks whenever, through kills", async () => {
  for (const seed of [1, 2, 3, 4, 5, 6]) {
    const world = await threeServers();
    const chance = new Chance(seed, "test");
    const sessions = new Map<string, MeshClient>();
    const watching: MeshClient[] = [];
    let down: string | undefined;
    const up = () => ["a", "b", "c"].filter((server) => server !== down);
    for (let turn = 0; turn < 30; turn++) {
      const name = chance.pick(["anna", "bob", "carl", "dora"]);
      const session = sessions.get(name);
      const roll = chance.whole(1, 10);
      if (roll <= 4 && session === undefined) sessions.set(name, await world.chat(chance.pick(up()), name));
      else if (roll <= 4) session!.link.destroy();
      else if (roll === 5) session?.send({ command: "LOGOUT" });
      else if (roll === 6 && down === undefined) world.server(down = chance.pick(["a", "b", "c"])).kill();
      else if (roll === 7 && down !== undefined) {
        world.start(down, ["a", "b", "c"], { cluster: { rebalance: false } });
        await world.linked("a", "b", "c");
        down = undefined;
      } else {
        const client = await world.chat(chance.pick(up()), "anonymous");
        client.send({ command: "LIST_USERS", scope: "online" });
        watching.push(client);
      }
      await world.run(chance.whole(0, 900));
      for (const [name, { end }] of sessions) if (end !== undefined) sessions.delete(name);
      if (turn % 6 !== 5) continue;
      await world.run(DETECTION_MS + 2 * GRACE_MS);
      for (const [name, { end }] of sessions) if (end !== undefined) sessions.delete(name);
      for (const client of watching.filter(({ end }) => end === undefined)) {
        assertEquals(knownTo(client), [...sessions.keys()].toSorted(), `seed ${seed}, turn ${turn}`);
      }
    }
  }
});

/** Who is there, for who listed once and was told what followed. */
function knownTo({ received }: MeshClient): string[] {
  const listed = received.findIndex(({ command }) => command === "USER_LIST");
  const known = new Set<string>(received[listed]!.users);
  for (const { command, event, username } of received.slice(listed)) {
    if (command !== "PRESENCE") continue;
    assertEquals(known.has(username), event !== "joined", `${username} ${event}`);
    if (event === "joined") known.add(username);
    else known.delete(username);
  }
  return [...known].toSorted();
}

Deno.test("whatever a user does, and however long news take, each watcher is told of joined and gone in turn", async () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const world = await threeServers();
    world.network.slow("a", "c", 400 * (seed % 3));
    world.network.slow("b", "c", 300 * (seed % 2));
    const all = await watchers(world, "a", "b", "c");
    const sessions: MeshClient[] = [];
    for (let turn = 0; turn < 12; turn++) {
      const roll = (seed * 7 + turn * 5) % 4;
      if (roll < 2 || sessions.length === 0) sessions.push(await world.chat(["a", "b", "c"][turn % 3]!, "anna"));
      else if (roll === 2) sessions.shift()!.send({ command: "LOGOUT" });
      else sessions.pop()!.link.destroy();
      await world.run((seed * turn * 130) % 1_700);
    }
    await world.run(3_000);
    for (const { presence } of all) {
      presence.forEach((told, index) => assertEquals(told === "anna joined", index % 2 === 0, presence.join()));
      assertEquals(presence.at(-1) === "anna joined", sessions.length > 0);
    }
  }
});

// ---- how many sessions a user may have -----------------------------------------------------------------------------

for (const [where, second] of [["the same server", "a"], ["another server", "b"]] as const) {
  Deno.test(`"replace" ends the earlier session when the user logs in at ${where}, and tells nobody`, async () => {
    const world = await threeServers({ sessions: { perUser: "replace" } });
    const [watcher] = await watchers(world, "c");
    const first = await world.chat("a", "anna");
    await world.run(50);
    const later = await world.chat(second, "anna");
    await world.run(100);
    assertEquals(first.received.at(-1)!.command, "END_CONNECTION");
    assertEquals([first.last("END_CONNECTION")!.reason, first.last("END_CONNECTION")!.reconnect], [
      "SESSION_REPLACED",
      "never",
    ]);
    await world.run(2 * GRACE_MS);
    assertEquals(later.end, undefined);
    assertTold([watcher!], "anna joined");
    assertEquals(await online(world, watcher!), ["anna"]);
    // Those without a name are not one user.
    await watchers(world, "a", "b");
    assertEquals(watcher!.end, undefined);
  });

  Deno.test(`"refuse" refuses a second login at ${where}, until the first is over`, async () => {
    const world = await threeServers({ sessions: { perUser: "refuse" } });
    const first = await world.chat("a", "anna");
    await world.run(50);
    const refused = await world.client(second, loginOf("anna", { redirects: 3 }));
    await world.until(() => refused.commands.includes("LOGIN_FAILED"), "the refusal");
    assertEquals(refused.last("LOGIN_FAILED")!.reason, "LOGGED_IN_ELSEWHERE");
    assertEquals(first.end, undefined);
    first.send({ command: "LOGOUT" });
    await world.run(50);
    await world.chat(second, "anna");
    await watchers(world, "a", "a", "b");
  });
}

Deno.test('"replace" at two servers at once leaves one of the two sessions', async () => {
  const world = await threeServers({ sessions: { perUser: "replace" } });
  const [one, two] = await Promise.all([world.dial("a"), world.dial("b")]);
  const clients = [one, two].map((link) => world.over(link));
  for (const client of clients) client.send(loginOf("anna", { redirects: 3 }));
  await world.run(2_000);
  assertEquals(clients.filter(({ commands }) => commands.includes("LOGIN_SUCCESS")).length, 2);
  assertEquals(clients.filter(({ commands }) => commands.includes("END_CONNECTION")).length, 1);
});

function detectionOf({ cluster }: Config): number {
  const { peerIdleTimeoutMs, peerIntervalMs, peerHeartbeats } = cluster;
  return peerIdleTimeoutMs + peerIntervalMs * (peerHeartbeats + 1) + 500;
}
