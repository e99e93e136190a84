/**
 * Who is served where: redirects, the slow moving of idle clients, and where to go when a server is gone
 * (docs/protocol.md, sections 5 and 6).
 */

import { assert, assertEquals } from "@std/assert";
import type { ConfigLayer } from "../../../config/config.ts";
import { loginOf, MeshClient, MeshWorld } from "../../support/mesh_world.ts";
import type { Received } from "../../support/line_client.ts";

/** A client that does what REDIRECT says, as ours does, and says how often. */
async function follow(world: MeshWorld, server: string, login: Received = loginOf("anonymous")): Promise<Followed> {
  const path = [server];
  for (;;) {
    const redirects = path.length - 1;
    const client = await world.client(path.at(-1)!, login.features === undefined ? login : { ...login, redirects });
    await world.until(() => client.commands.length > 0, "an answer");
    await world.run(5);
    const redirect = client.last("REDIRECT");
    if (redirect === undefined) return { client, path };
    await world.run(20);
    assertEquals(client.end, "local");
    assert(path.length < 10, path.join());
    path.push(redirect.hostname);
  }
}

interface Followed {
  readonly client: MeshClient;
  readonly path: readonly string[];
}

function loads(world: MeshWorld): number[] {
  return [...world.servers.values()].map(({ node }) => node.load);
}

/** Clients that do not follow a redirect in vain: they stay where they are. */
async function fill(world: MeshWorld, server: string, count: number, more: Received = {}): Promise<MeshClient[]> {
  const clients = [];
  for (let n = 0; n < count; n++) {
    clients.push(await world.client(server, loginOf("anonymous", { redirects: 3, ...more })));
  }
  return clients;
}

/** A plain client on a machine of that name. */
async function plainFrom(world: MeshWorld, machine: string, server: string): Promise<MeshClient> {
  const client = new MeshClient(await world.dial(server, machine));
  client.send({ command: "LOGIN", username: "anonymous" });
  await world.run(50);
  return client;
}

const STILL: ConfigLayer = { cluster: { rebalance: false } };

Deno.test("a burst of logins at one server spreads over all, and nobody goes in circles", async () => {
  const world = await MeshWorld.of(["a", "b", "c"], STILL);
  const paths = [];
  for (let n = 0; n < 30; n++) paths.push((await follow(world, "a")).path);
  const [most, least] = [Math.max(...loads(world)), Math.min(...loads(world))];
  assert(most - least <= 2, loads(world).join());
  for (const path of paths) {
    assert(path.length <= 2, path.join());
    assertEquals(new Set(path).size, path.length);
  }
});

Deno.test("whoever logs in where there are not two fewer elsewhere stays, and after three redirects in any case", async () => {
  const world = await MeshWorld.of(["a", "b"], STILL);
  assertEquals((await follow(world, "a")).path, ["a"]);
  await world.run(200);
  // Counting the newcomer there are two here and none there.
  assertEquals((await follow(world, "a")).path, ["a", "b"]);
  await fill(world, "a", 5);
  await world.run(200);
  const kept = await world.client("a", loginOf("anonymous", { redirects: 3 }));
  assertEquals(kept.commands.includes("REDIRECT"), false);
  const sent = await world.client("a", loginOf("anonymous", { redirects: 2 }));
  await world.run(20);
  assertEquals(sent.commands, ["LOGIN_SUCCESS", "REDIRECT"]);
  assertEquals(sent.last("REDIRECT"), { command: "REDIRECT", hostname: "b", port: 8000 });
  assertEquals(sent.last("LOGIN_SUCCESS")!.resume, undefined);
});

Deno.test("a plain client is redirected too, and kept when it comes back", async () => {
  const world = await MeshWorld.of(["a", "b"], STILL);
  await fill(world, "a", 4);
  await world.run(200);
  const sent = await plainFrom(world, "somewhere", "a");
  assertEquals([sent.commands, sent.end], [["LOGIN_SUCCESS", "REDIRECT"], "local"]);
  // It has no features, so no other field may be there.
  assertEquals(Object.keys(sent.received[0]!), ["command", "info"]);
  const back = await plainFrom(world, "somewhere", "a");
  assertEquals([back.commands, back.end], [["LOGIN_SUCCESS"], undefined]);
});

Deno.test("nobody is sent to a server that is silent, dead, or stopping", async () => {
  const world = await MeshWorld.of(["a", "b", "c"], { cluster: { rebalance: false, drainMs: 2_000 } });
  await fill(world, "a", 6);
  await world.run(200);
  world.server("b").powerOff();
  await world.run(3_000);
  world.server("c").process.stall();
  await world.until(() => world.server("a").stateOf("c") === "suspect", "the suspicion");
  const client = await world.client("a", loginOf("anonymous"));
  await world.run(20);
  assertEquals(client.commands, ["LOGIN_SUCCESS"]);
  world.server("c").process.goOn();
  await world.linked("a", "c");
  assertEquals(client.last("BACKUP_LIST")?.servers.length, 1);
  await fill(world, "c", 4);
  void world.server("c").node.stop();
  await world.run(100);
  assertEquals(world.server("a").stateOf("c"), "linked");
  const other = await world.client("a", loginOf("anonymous"));
  await world.run(20);
  assertEquals(other.commands, ["LOGIN_SUCCESS"]);
  assertEquals(client.last("BACKUP_LIST")?.servers, []);
});

Deno.test("idle clients that can resume are moved slowly until all have about as many; plain and busy ones are not", async () => {
  const world = await MeshWorld.of(["a", "b", "c"]);
  const busy = await fill(world, "a", 3);
  const plain: MeshClient[] = [];
  for (const machine of ["x", "y", "z"]) {
    const first = await plainFrom(world, machine, "a");
    plain.push(first.end === undefined ? first : await plainFrom(world, machine, "a"));
  }
  const idle = await fill(world, "a", 24);
  let moved = 0;
  const arrived: MeshClient[] = [];
  for (let ms = 0; ms < 90_000; ms += 500) {
    for (const client of busy) client.publish(ms);
    await world.run(500);
    const there = [...idle, ...arrived].filter((client) =>
      client.commands.includes("REDIRECT") && client.end === "local"
    );
    assert(there.length - moved <= 6, `${there.length - moved} at once`);
    for (const client of there.slice(moved)) {
      const { hostname } = client.last("REDIRECT")!;
      const link = await world.client(hostname, loginOf("anonymous", { redirects: 1 }));
      arrived.push(link);
    }
    moved = there.length;
  }
  assertEquals(busy.map(({ end }) => end), [undefined, undefined, undefined]);
  assertEquals(plain.map(({ end }) => end), [undefined, undefined, undefined]);
  const [most, least] = [Math.max(...loads(world)), Math.min(...loads(world))];
  assert(most - least <= 2, `loads ${loads(world).join()}, moved ${moved}`);
  // And then nobody is moved any more.
  await world.run(60_000);
  const after = [...idle, ...arrived].filter((client) => client.commands.includes("REDIRECT")).length;
  assertEquals(after, moved);
});

Deno.test("a balanced network moves nobody", async () => {
  const world = await MeshWorld.of(["a", "b"]);
  const clients = [...await fill(world, "a", 5), ...await fill(world, "b", 4)];
  const made = world.made.length;
  await world.run(120_000);
  assertEquals(clients.filter(({ commands }) => commands.includes("REDIRECT")), []);
  assertEquals(world.made.length, made);
});

Deno.test("with rebalance off nobody is moved", async () => {
  const world = await MeshWorld.of(["a", "b"], STILL);
  const clients = await fill(world, "a", 10);
  await world.run(60_000);
  assertEquals(clients.filter(({ commands }) => commands.includes("REDIRECT")), []);
});

Deno.test("clients that can resume learn after the login, and whenever it changes, where else they can go", async () => {
  const world = await MeshWorld.of(["a", "b"], STILL);
  const servers = (client: MeshClient) =>
    client.all("BACKUP_LIST").map(({ servers }) => servers.map(({ serverId }: Received) => serverId).toSorted());
  const anna = await world.login("a");
  const withoutResume = await world.client("a", loginOf("anonymous", { features: ["ack"], redirects: 3 }));
  const plain = await plainFrom(world, "somewhere", "a");
  assertEquals(anna.commands.slice(0, 2), ["LOGIN_SUCCESS", "BACKUP_LIST"]);
  assertEquals(anna.last("BACKUP_LIST")!.servers, [{ serverId: "b", host: "b", port: 8000 }]);
  world.start("c", ["a"]);
  await world.linked("a", "b", "c");
  assertEquals(servers(anna), [["b"], ["b", "c"]]);
  await world.run(30_000);
  assertEquals(servers(anna).length, 2);
  world.server("b").kill();
  await world.run(100);
  assertEquals(servers(anna).at(-1), ["c"]);
  world.server("c").kill();
  await world.run(100);
  assertEquals(servers(anna).at(-1), []);
  for (const client of [withoutResume, plain]) assertEquals(client.commands.includes("BACKUP_LIST"), false);
});

Deno.test("a client that has more of a server's own entries than the server is told so there, and not sent on before", async () => {
  const world = await MeshWorld.of(["a", "b"], STILL);
  await fill(world, "a", 6);
  const [anna] = await fill(world, "a", 1);
  for (const n of [1, 2, 3]) anna!.publish(n);
  await world.equal("a", "b");
  const pathOf = async (vector: Record<string, number>) => {
    const { client, path } = await follow(world, "a", loginOf("anonymous", { resume: { vector } }));
    return { path, gap: client.last("LOGIN_SUCCESS")!.resume.gap };
  };
  assertEquals(await pathOf({ a: 3 }), { path: ["a", "b"], gap: undefined });
  assertEquals(await pathOf({ a: 5 }), { path: ["a"], gap: [{ origin: "a", first: 4, last: 5 }] });
});
