import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { ConnectError, ConnectionEndedError, RefusedError } from "../../client/errors.ts";
import { ClientWorld, collect } from "../support/client_world.ts";
import { FakeServer } from "../support/fake_server.ts";

Deno.test("connect() logs in as anonymous and says what it can do", async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  assertEquals(world.server.lines, [{
    command: "LOGIN",
    username: "anonymous",
    features: ["heartbeat", "presence", "ack", "resume", "chat", "history", "channels"],
    ackRanges: true,
  }]);
  assertEquals([client.username, client.serverId, client.registered], ["anonymous", "s", false]);
  assertEquals(world.kinds, ["connecting", "connected", "caughtUp"]);
  await world.closed(client);
  assertEquals(world.kinds.at(-1), "closed");
});

Deno.test("connect() registers first when it is told to", async () => {
  const world = new ClientWorld();
  const client = await world.connected({ username: "ada", secret: "x", register: true });
  assertEquals(world.server.lines.map(({ command }) => command), ["REGISTER", "LOGIN"]);
  assertEquals(client.registered, true);
  assertEquals(world.kinds, ["connecting", "registered", "connected", "caughtUp"]);
  await world.closed(client);
});

Deno.test("connect() rejects with the refusal when a name is taken", async () => {
  const world = new ClientWorld();
  world.server.accounts.set("ada", "y");
  const client = world.connecting({ username: "ada", secret: "x", register: true });
  const rejected = assertRejects(
    () => client,
    RefusedError,
    'Cannot register "ada" at server:8000: this name is taken',
  );
  await world.clock.run(1_000);
  assertEquals((await rejected).reason, "NAME_TAKEN");
  assertEquals(world.network.openEnds, 0);
  assertEquals(world.clock.timersWaiting, 0);
});

for (const secret of ["x", "other"]) {
  Deno.test(`connect() whose REGISTER was not answered finds out whose the name is: secret "${secret}"`, async () => {
    const world = new ClientWorld();
    const second = new FakeServer(world.network.machine("second"), {
      host: "second",
      origin: "t",
      joins: world.server,
    });
    world.server.onLine = (connection, { command, username }) => {
      if (command !== "REGISTER") return false;
      // It has made the account, and its answer never comes.
      world.server.accounts.set(username, secret);
      connection.end();
      return true;
    };
    const client = world.connecting({ username: "ada", secret: "x", register: true, servers: [second.endpoint] });
    if (secret === "x") {
      await world.clock.run(5_000);
      assertEquals((await client).registered, true);
      await world.closed(await client);
    } else {
      const rejected = assertRejects(() => client, RefusedError, "this name is taken");
      await world.clock.run(5_000);
      assertEquals((await rejected).reason, "NAME_TAKEN");
    }
  });
}

Deno.test('connect() with register "ifNew" logs in with a name that exists', async () => {
  const world = new ClientWorld();
  world.server.accounts.set("ada", "x");
  const client = await world.connected({ username: "ada", secret: "x", register: "ifNew" });
  assertEquals(world.server.lines.map(({ command }) => command), ["REGISTER", "LOGIN"]);
  assertEquals(world.server.connections.length, 2);
  assertEquals(client.registered, false);
  await world.closed(client);
});

Deno.test("connect() rejects when nothing listens, and does not try for ever", async () => {
  const world = new ClientWorld();
  const rejected = assertRejects(
    () => world.connecting({ port: 9 }),
    ConnectError,
    "Cannot connect to server:9: nothing listens there",
  );
  await world.clock.run(10);
  await rejected;
  assertEquals(world.clock.timersWaiting, 0);
});

Deno.test("connect() rejects when the server does not answer the login in time", async () => {
  const world = new ClientWorld();
  world.server.onLine = () => true;
  const rejected = assertRejects(
    () => world.connecting({ connectTimeoutMs: 2_000 }),
    ConnectError,
    "Cannot log in at server:8000: the server did not answer within 2000 ms",
  );
  await world.clock.run(5_000);
  await rejected;
  assertEquals(world.network.openEnds, 0);
});

Deno.test("connect() rejects when the server ends the connection before the login", async () => {
  const world = new ClientWorld();
  world.server.onLine = (connection) => {
    connection.end({ command: "END_CONNECTION", reason: "SERVER_STOPPING", info: "bye", reconnect: "now" });
    return true;
  };
  const rejected = assertRejects(() => world.connecting(), ConnectionEndedError, "ended: bye");
  await world.clock.run(5_000);
  assertEquals((await rejected).reason, "SERVER_STOPPING");
});

Deno.test("connect() rejects when what answers is no server of ours", async () => {
  const world = new ClientWorld();
  world.server.onLine = (connection) => {
    connection.link.write(new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n"));
    return true;
  };
  const rejected = assertRejects(() => world.connecting(), ConnectError, "sent something that cannot be read");
  await world.clock.run(5_000);
  await rejected;
});

Deno.test("Client.publish() resolves with the identity that the server gave", async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const published = client.publish({ text: "hello" });
  assertEquals(client.unacknowledged, 1);
  await world.clock.run(10);
  assertEquals(await published, { id: "s:1" });
  assertEquals(world.server.log[0]?.activity, { text: "hello" });
  assertEquals(client.unacknowledged, 0);
  await world.closed(client);
});

Deno.test("Client.publish() keeps the order of its calls, also beyond what may be under way", async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const published = Array.from({ length: 5_000 }, (_, index) => client.publish({ index }));
  await world.clock.run(100);
  assertEquals((await Promise.all(published)).at(-1), { id: "s:5000" });
  assertEquals(world.server.log.every(({ activity }, index) => activity.index === index), true);
  await world.closed(client);
});

Deno.test("Client.publish() sends a text as it is, and a Lamport time that is after all it knows", async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  world.server.publish({ text: "first" });
  await world.clock.run(10);
  void client.publish('{"n":1.0}');
  await world.clock.run(10);
  const [line] = world.server.got("ACTIVITY_MESSAGE");
  // The login said 100, the activity 101; each receive and each send is one more.
  assertEquals(line?.lamport, 103);
  await world.closed(client);
});

Deno.test("Client.publish() refuses at once what the server would refuse", async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  await assertRejects(() => client.publish("[]"), TypeError, "not a JSON object");
  await assertRejects(() => client.publish({ text: "x".repeat(70_000) }), RangeError, "allowed are 65536");
  assertEquals(world.server.got("ACTIVITY_MESSAGE"), []);
  await world.closed(client);
});

Deno.test("Client.publish() rejects with the refusal when the server refuses a line, and so does everything after", async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const activities = collect(client);
  world.server.onLine = (connection, line) => {
    if (line.command === "ACTIVITY_MESSAGE") connection.end({ command: "INVALID_MESSAGE", info: "not this one" });
    return true;
  };
  const refused = assertRejects(() => client.publish({}), RefusedError, "not this one");
  await world.clock.run(1_000);
  await refused;
  await assertRejects(() => client.publish({}), RefusedError, "not this one");
  assert(await activities.ended instanceof RefusedError);
  assertEquals((await client.closed).reason, "INVALID_MESSAGE");
  assertEquals(world.clock.timersWaiting, 0);
});

Deno.test("A client without features publishes with its name and secret, and knows only that it was sent", async () => {
  const world = new ClientWorld();
  world.server.accounts.set("ada", "x");
  const client = await world.connected({ username: "ada", secret: "x", features: [] });
  assertEquals(world.server.lines[0], { command: "LOGIN", username: "ada", secret: "x" });
  assertEquals(await client.publish({ text: "hello" }), { id: undefined });
  await world.clock.run(10);
  assertEquals(world.server.got("ACTIVITY_MESSAGE")[0]?.secret, "x");
  await world.closed(client);
});

Deno.test("Client.activities() gives what all publish, the client's own included, from the login on", async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  world.server.publish({ text: "theirs" }, "bob");
  void client.publish({ text: "mine" });
  await world.clock.run(10);
  const { all, ended } = collect(client);
  await world.clock.run(10);
  assertEquals(all, [
    {
      activity: { text: "theirs" },
      json: '{"text":"theirs"}',
      user: "bob",
      id: "s:1",
      lamport: 101,
      sentAt: 1_000_001,
    },
    {
      activity: { text: "mine" },
      json: '{"text":"mine"}',
      user: "anonymous",
      id: "s:2",
      lamport: 102,
      sentAt: 1_000_002,
    },
  ]);
  await world.closed(client);
  assertEquals(await ended, undefined);
});

Deno.test("A client that only publishes is not held up by what nobody reads", async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  for (let index = 0; index < 40; index++) {
    const published = client.publish({ text: "x".repeat(60_000) });
    await world.clock.run(10);
    await published;
  }
  assertEquals(world.told("unread").length, 1);
  await world.closed(client);
});

Deno.test("A slow iterator makes the client stop reading, and gets everything when it goes on", async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const iterator = client.activities();
  const text = "x".repeat(10_000);
  for (let index = 0; index < 500; index++) world.server.publish({ text });
  await world.clock.run(100);
  const { link } = world.server.newest;
  assert(link.pendingBytes > 3_000_000, `${link.pendingBytes} bytes wait with the server`);
  for (let sequence = 1; sequence <= 500; sequence++) {
    const { value } = await iterator.next();
    assertEquals(value.id, `s:${sequence}`);
    await world.clock.run(1);
  }
  assertEquals(link.pendingBytes, 0);
  await world.closed(client);
});

Deno.test("A client that does not read shows that it lives, and does not accuse the server", async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const iterator = client.activities();
  for (let index = 0; index < 300; index++) world.server.publish({ text: "x".repeat(10_000) });
  await world.clock.run(300_000);
  assertEquals(world.told("lost"), []);
  // One at every interval: the server, which waits for three of these, never has to ask.
  assertEquals(world.server.got("HEARTBEAT_ACK").length, 29);
  for (let sequence = 1; sequence <= 300; sequence++) {
    await iterator.next();
    await world.clock.run(1);
  }
  world.server.newest.lines.length = 0;
  await world.clock.run(60_000);
  assertEquals(world.server.got("HEARTBEAT_ACK"), []);
  assert(world.server.got("HEARTBEAT").length > 0);
  await world.closed(client);
});

Deno.test("close() with a slow iterator neither waits for it nor loses what it has", async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const iterator = client.activities();
  for (let index = 0; index < 300; index++) world.server.publish({ text: "x".repeat(10_000) });
  await world.clock.run(100);
  await world.closed(client);
  assertEquals((await iterator.next()).value.id, "s:1");
  assertEquals(client.vector, { s: 1 });
});

Deno.test("close() waits for acknowledgements, then logs out", async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  // A server that stores before it acknowledges, and closes as soon as it hears LOGOUT.
  world.server.onLine = (connection, { command, messageId }) => {
    if (command !== "ACTIVITY_MESSAGE") return false;
    world.clock.after(500, () => connection.send({ command: "ACTIVITY_ACK", messageId, id: "s:1" }));
    return true;
  };
  const published = client.publish({ text: "last words" });
  await world.closed(client);
  assertEquals(await published, { id: "s:1" });
  assertEquals(world.server.lines.map(({ command }) => command), ["LOGIN", "ACTIVITY_MESSAGE", "LOGOUT"]);
  assertEquals(await client.closed, { reason: "LOGGED_OUT", info: "the client logged out" });
  await assertRejects(() => client.publish({}), ConnectionEndedError, "The client is closed");
});

Deno.test("close() gives up waiting for a server that does not answer", async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  world.server.onLine = () => true;
  const rejected = assertRejects(() => client.publish({}), ConnectionEndedError);
  const closing = client.close();
  await world.clock.run(8_000);
  await closing;
  await rejected;
  assertEquals(world.network.openEnds, 0);
});

Deno.test("close() ends a client that is trying to come back", async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const activities = collect(client);
  world.network.cut();
  await world.clock.run(60_000);
  const rejected = assertRejects(() => client.publish({}), ConnectionEndedError);
  await world.closed(client);
  await rejected;
  assertEquals(await activities.ended, undefined);
});

Deno.test("close() ends a client that is dialling", async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  world.network.cut();
  world.network.stall();
  await world.clock.run(2_000);
  await world.closed(client);
});

Deno.test("A REDIRECT is followed, and its count is told", async () => {
  const world = new ClientWorld();
  const other = new FakeServer(world.network.machine("other"), { host: "other", port: 1, origin: "o" });
  world.server.onLine = (connection, { command }) => {
    if (command !== "LOGIN") return false;
    connection.end({ command: "LOGIN_SUCCESS", info: "" }, { command: "REDIRECT", hostname: "other", port: 1 });
    return true;
  };
  const client = await world.connected();
  await world.clock.run(10);
  assertEquals(other.lines[0]?.redirects, 1);
  assertEquals(client.serverId, "o");
  assertEquals(world.told("redirected").length, 1);
  assertStringIncludes(world.kinds.join(" "), "redirected connecting connected");
  await world.closed(client);
});

Deno.test("A client that is redirected in circles gives up", async () => {
  const world = new ClientWorld();
  world.server.onLine = (connection, { command }) => {
    if (command !== "LOGIN") return false;
    connection.end({ command: "REDIRECT", hostname: "server", port: 8000 });
    return true;
  };
  const rejected = assertRejects(() => world.connecting(), ConnectError, "redirected more than 5 times");
  await world.clock.run(1_000);
  await rejected;
  assertEquals(world.server.connections.length, 6);
});

Deno.test("A server that a REDIRECT named and that does not answer is left for the first one", async () => {
  const world = new ClientWorld();
  let isFirst = true;
  world.server.onLine = (connection, { command }) => {
    if (command !== "LOGIN" || !isFirst) return false;
    isFirst = false;
    connection.end({ command: "LOGIN_SUCCESS", info: "", features: ["ack"] }, {
      command: "REDIRECT",
      hostname: "nowhere",
      port: 1,
    });
    return true;
  };
  const client = await world.connected();
  await world.clock.run(1_000);
  assertEquals(client.serverId, "s");
  await world.closed(client);
});
