import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { ConnectError, RefusedError } from "../../client/errors.ts";
import type { ReconnectPolicy } from "../../client/failover/reconnect.ts";
import { ClientWorld, collect } from "../support/client_world.ts";
import { FakeServer } from "../support/fake_server.ts";

/**
 * A world with three servers of one network, of which the client knows the first. The others tell who is
 * there with every login.
 */
function threeServers() {
  const world = new ClientWorld({ origin: "a" });
  const others = ["b", "c"].map((name) => {
    return new FakeServer(world.network.machine(name), { host: name, origin: name, joins: world.server });
  });
  const servers = [world.server, ...others] as [FakeServer, FakeServer, FakeServer];
  const name = (server: FakeServer) => {
    server.newest.send({
      command: "BACKUP_LIST",
      servers: servers.filter((one) => one !== server).map((one) => one.wire),
    });
  };
  return { world, servers, name };
}

Deno.test("A client tells who else is there, and goes there when its server is killed: everything once and in order", async () => {
  const { world, servers: [first, second, third], name } = threeServers();
  const client = await world.connected();
  const { ids, all } = collect(client);
  name(first);
  await world.clock.run(10);
  assertEquals(world.told("backups"), [{ kind: "backups", servers: [second.endpoint, third.endpoint] }]);
  first.publish({ n: 1 });
  await world.clock.run(60_000);
  await first.kill();
  second.publish({ n: 2 });
  third.publish({ n: 3 });
  await world.clock.run(1_100);
  assertEquals([client.serverId, first.connections.length, second.connections.length], ["b", 1, 1]);
  assertEquals(second.got("LOGIN")[0]?.resume, { vector: { a: 1 } });
  third.publish({ n: 4 });
  second.publish({ n: 5 });
  await world.clock.run(10);
  assertEquals(all.map(({ activity }) => activity.n), [1, 2, 3, 4, 5]);
  assertEquals(ids, ["a:1", "b:1", "c:1", "c:2", "b:2"]);
  assertEquals(world.told("unreachable"), []);
  assertEquals(world.told("duplicate"), []);
  await world.closed(client);
});

Deno.test("A client whose backup is dead as well takes the next one", async () => {
  const { world, servers: [first, second, third], name } = threeServers();
  const client = await world.connected();
  name(first);
  await world.clock.run(10);
  await second.kill();
  await first.kill();
  await world.clock.run(2_000);
  assertEquals([client.serverId, third.connections.length], ["c", 1]);
  assertEquals(world.told("unreachable").length, 1);
  await world.closed(client);
});

Deno.test("What was published around the death of a server is published once, in order, at the next one", async () => {
  const { world, servers: [first, second], name } = threeServers();
  const client = await world.connected();
  const { all } = collect(client);
  name(first);
  const published = [client.publish({ n: 1 })];
  await world.clock.run(10);
  // It takes this one, tells the other servers, and dies before it acknowledges it.
  first.onLine = (_connection, { activity, messageId }) => {
    first.publish(activity, "anonymous", messageId);
    first.shared.used.set(messageId, "a:2");
    return true;
  };
  published.push(client.publish({ n: 2 }));
  await world.clock.run(1);
  await first.kill();
  published.push(client.publish({ n: 3 }));
  await world.clock.run(1_100);
  assertEquals(await Promise.all(published), [{ id: "a:1" }, { id: "a:2" }, { id: "b:1" }]);
  assertEquals(second.got("LOGIN")[0]?.last, "a:1");
  assertEquals(all.map(({ activity }) => activity.n), [1, 2, 3]);
  await world.closed(client);
});

Deno.test("A client says what it published last also when the server that acknowledged it has lost that", async () => {
  const { world, servers: [first, second, third], name } = threeServers();
  const client = await world.connected();
  name(first);
  for (const n of [1, 2]) await Promise.all([client.publish({ n }), world.clock.run(10)]);
  // An old copy of its data was put back, and only this server is there.
  for (const server of [first, second, third]) await server.kill();
  first.log.length = 1;
  first.restart();
  await world.clock.run(5_000);
  second.restart();
  await first.kill();
  await world.clock.run(5_000);
  // Others may have it, and get it first to whoever reads them.
  assertEquals(second.got("LOGIN").at(-1)?.last, "a:2");
  await world.closed(client);
});

Deno.test("A message that two servers took is received once", async () => {
  const { world, servers: [first, second], name } = threeServers();
  const client = await world.connected();
  const { ids } = collect(client);
  name(first);
  first.publish({ n: 1 }, "bob", "m-1");
  await world.clock.run(60_000);
  await first.kill();
  // Bob had no answer, and this server had not heard of the message when he gave it to it.
  second.publish({ n: 1 }, "bob", "m-1");
  second.publish({ n: 1 }, "eve", "m-1");
  await world.clock.run(1_100);
  assertEquals(ids, ["a:1", "b:2"]);
  assertEquals(client.vector, { a: 1, b: 2 });
  assertEquals(world.told("duplicate"), []);
  assertEquals(world.told("caughtUp").at(-1)?.replayed, 2);
  await world.closed(client);
});

Deno.test("A client that is moved in the middle of its session goes at once, loses nothing, and hears of no loss", async () => {
  const { world, servers: [first, second] } = threeServers();
  const client = await world.connected();
  const { all } = collect(client);
  const published = [client.publish({ n: 1 })];
  await world.clock.run(60_000);
  first.onLine = (connection, { command }) => {
    // What comes now is thrown away, as the server closes.
    if (command !== "ACTIVITY_MESSAGE") return false;
    connection.end({ command: "REDIRECT", hostname: "b", port: 8000 });
    return true;
  };
  published.push(client.publish({ n: 2 }), client.publish({ n: 3 }));
  await world.clock.run(20);
  assertEquals(client.serverId, "b");
  assertEquals(await Promise.all(published), [{ id: "a:1" }, { id: "b:1" }, { id: "b:2" }]);
  assertEquals(all.map(({ activity }) => activity.n), [1, 2, 3]);
  const [login] = second.got("LOGIN");
  assertEquals([login?.redirects, login?.resume, login?.last], [1, { vector: { a: 1 } }, "a:1"]);
  assertEquals([world.told("lost"), world.told("waiting")], [[], []]);
  await world.closed(client);
});

Deno.test("A client that is sent on at its login begins at the server that keeps it, with what it has", async () => {
  const { world, servers: [first, second, third], name } = threeServers();
  const sendOn = (to: FakeServer, times = Infinity) => {
    return (connection: FakeServer["newest"], { command }: Record<string, unknown>) => {
      if (command !== "LOGIN" || times-- <= 0) return false;
      const { host: hostname, port } = to.endpoint;
      // As such an answer is: without `resume`.
      connection.end(
        { command: "LOGIN_SUCCESS", info: "", features: ["heartbeat", "ack", "resume"], serverId: "x", ticket: "t" },
        { command: "REDIRECT", hostname, port },
      );
      return true;
    };
  };
  first.onLine = sendOn(second);
  const connecting = world.connecting();
  let isConnected = false;
  void connecting.then(() => isConnected = true);
  // There and back, a REDIRECT, and there: the second one has not answered.
  await world.clock.run(5);
  assertEquals([first.connections.length, isConnected], [1, false]);
  await world.clock.run(10);
  const client = await connecting;
  const { all } = collect(client);
  assertEquals(world.kinds, ["connecting", "redirected", "connecting", "connected", "caughtUp"]);
  const [login] = second.got("LOGIN");
  assertEquals([login?.redirects, login?.ticket, login?.resume], [1, "t", undefined]);
  second.publish({ n: 1 });
  name(second);
  await world.clock.run(10);
  // Its server dies, and the next one sends it on: it must not forget what it has on the way.
  first.onLine = sendOn(third);
  await second.kill();
  third.publish({ n: 2 });
  await world.clock.run(1_100);
  assertEquals(third.got("LOGIN")[0]?.resume, { vector: { b: 1 } });
  assertEquals(all.map(({ activity }) => activity.n), [1, 2]);
  assertEquals(world.told("connected").map(({ serverId }) => serverId), ["b", "c"]);
  await world.closed(client);
});

Deno.test("LOGIN carries the ticket of the last login, with the feature resume only", async () => {
  for (const features of [["resume"], ["ack"]] as const) {
    const { world, servers: [first, second], name } = threeServers();
    first.ticket = "let her in";
    const client = await world.connected({ features });
    name(first);
    await world.clock.run(10);
    assertEquals(first.got("LOGIN")[0]?.ticket, undefined);
    await first.kill();
    await world.clock.run(1_100);
    assertEquals(second.got("LOGIN")[0]?.ticket, features[0] === "resume" ? "let her in" : undefined);
    await world.closed(client);
  }
});

Deno.test("A server that stops sends its clients away in turn, and they go at once", async () => {
  const { world, servers: [first, second], name } = threeServers();
  const client = await world.connected();
  name(first);
  await world.clock.run(60_000);
  first.newest.end({ command: "END_CONNECTION", reason: "SERVER_STOPPING", info: "bye", reconnect: "now" });
  await world.clock.run(10);
  assertEquals([client.serverId, second.connections.length], ["b", 1]);
  assertEquals(world.told("waiting"), []);
  await world.closed(client);
});

Deno.test("connect() calls the other servers that it was given when the first does not answer", async () => {
  const { world, servers: [first, second] } = threeServers();
  await first.kill();
  const client = await world.connected({ servers: [{ host: "nowhere", port: 9 }, second.endpoint] });
  assertEquals(client.serverId, "b");
  assertEquals(world.told("unreachable").length, 2);
  await world.closed(client);
});

Deno.test("connect() rejects when none of the servers that it was given answers", async () => {
  const { world, servers: [first, second] } = threeServers();
  await first.kill();
  await second.kill();
  const rejected = assertRejects(() => world.connecting({ servers: [second.endpoint] }), ConnectError, "to b:8000");
  await world.clock.run(100);
  await rejected;
  assertEquals(world.clock.timersWaiting, 0);
});

Deno.test("A client whose user a new server does not know yet goes on to one that does", async () => {
  const { world, servers: [first, second], name } = threeServers();
  first.accounts.set("ada", "x");
  const client = await world.connected({ username: "ada", secret: "x" });
  name(first);
  second.onLine = (connection) => {
    connection.end({ command: "LOGIN_FAILED", info: "there is no account of this name", reason: "UNKNOWN_USER" });
    return true;
  };
  await world.clock.run(10);
  await first.kill();
  await world.clock.run(2_000);
  assertEquals([client.serverId, second.connections.length], ["c", 1]);
  // One that knows it, and refuses all the same, has the last word.
  const refused = assertRejects(() => client.publish({}), RefusedError);
  for (const server of world.server.shared.servers) {
    server.onLine = (connection) => {
      connection.end({ command: "LOGIN_FAILED", info: "not any more", reason: "WRONG_SECRET" });
      return true;
    };
  }
  world.network.cut();
  world.network.heal();
  await world.clock.run(5_000);
  await refused;
  assertEquals(world.clock.timersWaiting, 0);
});

Deno.test("60 clients of a killed server are back within a second or so, spread over it", async () => {
  const policy: Partial<ReconnectPolicy> = {};
  const { world, servers: [first, second] } = threeServers();
  const back: number[] = [];
  second.onLine = (_connection, { command }) => {
    if (command === "LOGIN") back.push(world.clock.nowMs());
    return false;
  };
  const connecting = Array.from(
    { length: 60 },
    () => world.connecting({ servers: [second.endpoint], reconnect: policy }),
  );
  await world.clock.run(60_000);
  const clients = await Promise.all(connecting);
  const killedAt = world.clock.nowMs();
  await first.kill();
  await world.clock.run(2_000);
  assertEquals(back.length, 60);
  assert(back.at(-1)! - killedAt <= 1_100, `the last after ${back.at(-1)! - killedAt} ms`);
  const mean = 60 / ((back.at(-1)! - back[0]!) / 100);
  for (const start of back) {
    const together = back.filter((at) => at >= start && at < start + 100).length;
    assert(together <= 3 * mean, `${together} within 100 ms, the mean is ${mean}`);
  }
  await world.closed(...clients);
});

Deno.test("Whichever servers die and come back, everything is published once and in order, and received once and in order", async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constantFrom("publish" as const, "wait" as const), at: fc.constant(0) }),
    fc.record({
      kind: fc.constantFrom("kill" as const, "restart" as const, "move" as const, "others" as const),
      at: fc.nat(2),
    }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
      const { world, servers, name } = threeServers();
      for (const server of servers) {
        server.onLine = (connection, { command }) => {
          // With the answer to the login, which is sent right after this.
          if (command === "LOGIN") world.clock.after(0, () => connection.isGone || name(server));
          return false;
        };
      }
      const client = await world.connected({ servers: servers.slice(1).map(({ endpoint }) => endpoint) });
      const { all } = collect(client);
      const dead = new Set<FakeServer>();
      const revive = (server: FakeServer) => {
        if (dead.delete(server)) server.restart();
      };
      const published: Promise<unknown>[] = [];
      for (const what of steps) {
        if (what.kind === "publish") published.push(client.publish({ mine: published.length }));
        else if (what.kind === "wait") await world.clock.run(700);
        else {
          const server = servers[what.at]!;
          if (what.kind === "others" && !dead.has(server)) server.publish({ theirs: world.server.log.length });
          if (what.kind === "kill" && !dead.has(server)) {
            dead.add(server);
            await server.kill();
          }
          if (what.kind === "restart") revive(server);
          if (what.kind === "move") {
            for (const { connections } of servers) {
              const open = connections.find(({ isGone, user }) => !isGone && user !== undefined);
              open?.end({ command: "REDIRECT", hostname: server.endpoint.host, port: server.endpoint.port });
            }
          }
          await world.clock.run(2);
        }
      }
      for (const server of servers) revive(server);
      await world.clock.run(30_000);
      await Promise.all(published);
      const { log } = world.server;
      const mine = log.filter(({ activity }) => "mine" in activity).map(({ activity }) => activity.mine);
      assertEquals(mine, published.map((_, index) => index));
      assertEquals(all.map(({ id }) => id).sort(), log.map(({ origin, sequence }) => `${origin}:${sequence}`).sort());
      assertEquals(all.filter(({ activity }) => "mine" in activity).map(({ activity }) => activity.mine), mine);
      assertEquals(world.told("duplicate"), []);
      await world.closed(client);
    }),
    { numRuns: 25 },
  );
});
