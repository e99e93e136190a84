import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { ConnectError, RefusedError } from "../../client/errors.ts";
import { Failover, MAX_REDIRECTS } from "../../client/failover/failover.ts";
import type { ReconnectPolicy } from "../../client/failover/reconnect.ts";
import { ClientWorld, collect } from "../support/client_world.ts";
import { FakeServer } from "../support/fake_server.ts";

const a = { host: "a", port: 1 };
const b = { host: "b", port: 1 };
const c = { host: "c", port: 1 };
const backups = [{ serverId: "sb", ...b }, { serverId: "sc", ...c }];
const gone = { kind: "lost", reason: "CONNECTION_RESET", info: "" } as const;

/** A moment, without luck. */
function now(at: number) {
  return { at, chance: 0.999 };
}

Deno.test("Failover goes to the best backup when a server is lost, then to the others, and last to the one that was lost", () => {
  const failover = new Failover([a], {});
  failover.opened(0);
  assertEquals(failover.backups(backups, "sa"), [b, c]);
  assertEquals(failover.server, a);
  assertEquals(failover.lost(now(60_000), gone), { kind: "call", delayMs: 999 });
  const called = [failover.server];
  for (let turn = 0; turn < 3; turn++) {
    failover.unreachable(now(61_000));
    called.push(failover.server);
  }
  assertEquals(called, [b, c, a, b]);
});

Deno.test("Failover prefers backups to the other servers that it was given", () => {
  const failover = new Failover([a, { host: "d", port: 1 }], {});
  failover.opened(0);
  failover.backups(backups, "sa");
  failover.lost(now(60_000), gone);
  assertEquals(failover.server, b);
});

Deno.test("Failover does as the server said that ended the connection", () => {
  const end = { kind: "endedByServer", reason: "SERVER_STOPPING", info: "", advice: "now", retryAfterMs: 0 } as const;
  const next = (how: Partial<Parameters<Failover["lost"]>[1]>) => {
    const failover = new Failover([a, b], {});
    failover.opened(0);
    return failover.lost(now(60_000), { ...end, ...how } as typeof end);
  };
  assertEquals(next({}), { kind: "call", delayMs: 0 });
  assertEquals(next({ retryAfterMs: 50 }), { kind: "call", delayMs: 50 });
  assertEquals(next({ reason: "HEARTBEAT_TIMEOUT" }), { kind: "call", delayMs: 999 });
  assertEquals(next({ reason: "SERVER_FAILED", advice: "backoff" }), { kind: "call", delayMs: 999 });
  assertEquals(next({ reason: "NAME_LOST", advice: "never" }), { kind: "giveUp" });
});

Deno.test("Failover does not take the server that it is at for its own backup", () => {
  const failover = new Failover([a], {});
  assertEquals(failover.backups([{ serverId: "sa", host: "alias", port: 1 }, ...backups], "sa"), [b, c]);
});

Deno.test("Failover calls the next server when one ends the connection before the login", () => {
  const failover = new Failover([a, b], {});
  assertEquals(failover.lost(now(0), gone), { kind: "call", delayMs: 0 });
  assertEquals(failover.server, b);
  assertEquals(failover.lost(now(0), gone), { kind: "giveUp" });
});

Deno.test("Failover tries every server once for a client that has never been logged in, without a pause", () => {
  const failover = new Failover([a, b, c], {});
  assertEquals(failover.unreachable(now(0)), { kind: "call", delayMs: 0 });
  assertEquals(failover.unreachable(now(0)), { kind: "call", delayMs: 0 });
  assertEquals(failover.unreachable(now(0)), { kind: "giveUp" });
});

Deno.test("Failover follows redirects at once, and counts those of one journey", () => {
  const failover = new Failover([a], {});
  failover.opened(0);
  assertEquals(failover.redirected(now(1), b), { kind: "call", delayMs: 0 });
  assertEquals([failover.server, failover.redirects], [b, 1]);
  failover.opened(2);
  failover.redirected(now(3), c);
  assertEquals(failover.redirects, 2);
  // An hour later a server moves the client: that is another journey.
  failover.opened(4);
  failover.redirected(now(3_600_000), a);
  assertEquals(failover.redirects, 1);
  // And so is the search for another server.
  failover.opened(3_600_001);
  failover.lost(now(3_600_002), gone);
  assertEquals(failover.redirects, 0);
});

Deno.test("Failover comes back to a server that sent a new client to one that does not answer", () => {
  const failover = new Failover([a], {});
  for (let journey = 1; journey <= 3; journey++) {
    assertEquals(failover.redirected(now(0), b), { kind: "call", delayMs: 0 });
    assertEquals(failover.unreachable(now(0)), { kind: "call", delayMs: 0 });
    assertEquals([failover.server, failover.redirects], [a, journey]);
  }
  // The third time the server keeps it; unless it is gone now.
  assertEquals(failover.unreachable(now(0)), { kind: "giveUp" });
});

Deno.test("Failover gives up a new client that is sent in circles", () => {
  const failover = new Failover([a], {});
  for (let turn = 0; turn < MAX_REDIRECTS; turn++) failover.redirected(now(turn), b);
  assertEquals(failover.redirected(now(9), a), { kind: "giveUp" });
});

Deno.test("Failover pauses when it is sent in circles, and does not give up a client that was logged in", () => {
  const failover = new Failover([a], {});
  failover.opened(0);
  for (let turn = 0; turn < MAX_REDIRECTS; turn++) {
    assertEquals(failover.redirected(now(turn), b), { kind: "call", delayMs: 0 });
  }
  const next = failover.redirected(now(9), a);
  assert(next.kind === "call" && next.delayMs > 0, JSON.stringify(next));
});

Deno.test("Failover does not hold old failures against a client that was redirected after a good connection", () => {
  const failover = new Failover([a], { giveUpAfterMs: 30_000 });
  failover.opened(0);
  failover.lost(now(1), gone);
  failover.opened(2);
  failover.redirected(now(3_600_000), b);
  assertEquals(failover.unreachable(now(3_600_001)).kind, "call");
});

Deno.test("Failover believes a server that does not know the user only when none of several ever does", () => {
  const alone = new Failover([a], {});
  alone.opened(0);
  assertEquals(alone.refused(now(1), "UNKNOWN_USER"), { kind: "giveUp" });
  const stranger = new Failover([a, b], {});
  assertEquals(stranger.refused(now(1), "UNKNOWN_USER"), { kind: "giveUp" });
  const known = new Failover([a, b], {});
  known.opened(0);
  known.lost(now(1), gone);
  const answers = Array.from({ length: 6 }, (_, turn) => known.refused(now(turn), "UNKNOWN_USER").kind);
  assertEquals(answers, ["call", "call", "call", "call", "call", "giveUp"]);
  known.opened(10);
  assertEquals(known.refused(now(11), "UNKNOWN_USER").kind, "call");
});

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
