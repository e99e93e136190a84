/**
 * What is the WebSocket's own: frames, close codes, pings. What it has in common with TCP is in
 * websocket_suite_test.ts.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { serve, type ServeOptions, type Server } from "../../../../mod.ts";
import type { ConnectionView, NetworkView } from "../../../../view/network_view.ts";
import { LineClient } from "../../../support/line_client.ts";
import { until } from "../../../support/until.ts";
import { closeFrame, frame } from "../../../support/websocket_frames.ts";

const LOGIN = { command: "LOGIN", username: "anonymous", features: ["ack"] };
const encoder = new TextEncoder();

async function start(options: ServeOptions = {}): Promise<Server> {
  return await serve({
    gateway: { http: { listen: "0" } },
    ...options,
    server: { host: "127.0.0.1", port: 0 },
    store: { ephemeral: true },
  });
}

function connect(server: Server): Promise<LineClient> {
  return LineClient.connectWebSocket(server.http!.port);
}

function activity(n: number): Record<string, unknown> {
  return { command: "ACTIVITY_MESSAGE", messageId: `m-${n}`, activity: { n } };
}

function texts(...messages: Record<string, unknown>[]): Uint8Array {
  return concat(...messages.map((message) => frame(1, encoder.encode(JSON.stringify(message)))));
}

function concat(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

Deno.test("the client that every runtime has logs in, publishes and is answered", async () => {
  await using server = await start();
  const socket = new WebSocket(`ws://127.0.0.1:${server.http!.port}/line`);
  const received: Record<string, unknown>[] = [];
  let code: number | undefined;
  socket.onmessage = ({ data }) => received.push(JSON.parse(data));
  socket.onclose = (event) => code = event.code;
  socket.onopen = () => {
    socket.send(JSON.stringify(LOGIN));
    socket.send(JSON.stringify(activity(1)));
    socket.send('{"command":"LOGOUT"}');
  };
  await until(() => code !== undefined, "the end");
  assertEquals(received.map(({ command }) => command), ["LOGIN_SUCCESS", "ACTIVITY_ACK", "ACTIVITY_BROADCAST"]);
  assertEquals(code, 1000);
});

Deno.test("frames arrive whole, however they are cut, split and packed, and with pings between their parts", async () => {
  await using server = await start();
  await using client = await connect(server);
  const line = encoder.encode(JSON.stringify(activity(1)));
  const split = concat(
    frame(1, line.subarray(0, 10), false),
    frame(9, encoder.encode("ping")),
    frame(0, line.subarray(10, 11), false),
    frame(0, line.subarray(11)),
  );
  const all = concat(texts(LOGIN), split, texts(activity(2), activity(3)));
  for (const byte of all) {
    client.sendBytes(new Uint8Array([byte]));
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  await client.untilActivities(3);
  assertEquals(client.activities, [{ n: 1 }, { n: 2 }, { n: 3 }]);
  assertEquals(client.frames!.pongs, 1);
});

Deno.test("a frame is one line: a line break in it is a space, and a second line in it is no JSON", async () => {
  await using server = await start();
  await using client = await connect(server);
  client.sendBytes(frame(1, encoder.encode(JSON.stringify(LOGIN, undefined, 2))));
  await client.next("LOGIN_SUCCESS");
  client.sendBytes(frame(1, encoder.encode(`${JSON.stringify(activity(1))}\r\n`)));
  await client.untilActivities(1);
  client.sendBytes(frame(1, encoder.encode(`${JSON.stringify(activity(2))}\n${JSON.stringify(activity(3))}`)));
  assertStringIncludes((await client.next("INVALID_MESSAGE")).info, "JSON");
  await client.closed();
  assertEquals(client.activities, [{ n: 1 }]);
});

Deno.test("a binary frame is a line like any other", async () => {
  await using server = await start();
  await using client = await connect(server);
  client.sendBytes(frame(2, encoder.encode(JSON.stringify(LOGIN))));
  await client.next("LOGIN_SUCCESS");
});

Deno.test("what is longer than a line may be is answered, without having been read, in one frame or in many", async () => {
  await using server = await start({ limits: { maxLineBytes: 2_000 } });
  const longest = JSON.stringify(LOGIN).padEnd(2_000);
  {
    await using client = await connect(server);
    client.sendBytes(frame(1, encoder.encode(longest)));
    await client.next("LOGIN_SUCCESS");
  }
  // The head alone says that it is a gigabyte; the other one comes in parts that are each short enough.
  const head = new Uint8Array([0x81, 0x80 | 127, 0, 0, 0, 0, 0x40, 0, 0, 0, 1, 2, 3, 4]);
  const parts = concat(frame(1, encoder.encode(longest), false), frame(0, encoder.encode("x")));
  for (const bytes of [head, parts, frame(1, encoder.encode(`${longest} `))]) {
    await using client = await connect(server);
    client.sendBytes(bytes);
    assertStringIncludes((await client.next("INVALID_MESSAGE")).info, "longer than 2000 bytes");
    await client.closed();
  }
  await until(() => server.connectionCount === 0, "the end of all connections");
});

Deno.test("what was sent before a frame that is too long has its effect", async () => {
  await using server = await start({ limits: { maxLineBytes: 2_000 } });
  await using client = await connect(server);
  client.sendBytes(concat(texts(LOGIN, activity(1)), frame(1, new Uint8Array(3_000))));
  await client.closed();
  assertEquals(client.received.map(({ command }) => command).slice(0, 2), ["LOGIN_SUCCESS", "ACTIVITY_ACK"]);
  assertEquals(client.received.at(-1)!.command, "INVALID_MESSAGE");
});

Deno.test("a frame that is too long is answered after lines that take their time", async () => {
  await using server = await start({ limits: { maxLineBytes: 2_000 } });
  await using client = await connect(server);
  // The secret is derived, which takes longer than a turn.
  const register = { command: "REGISTER", username: "anna", secret: "s" };
  client.sendBytes(concat(texts(register, LOGIN, activity(1)), frame(1, new Uint8Array(3_000))));
  await client.closed();
  const commands = client.received.map(({ command }) => command);
  assertEquals(commands.slice(0, 3), ["REGISTER_SUCCESS", "LOGIN_SUCCESS", "ACTIVITY_ACK"]);
  assertEquals(commands.at(-1), "INVALID_MESSAGE");
});

Deno.test("what is no WebSocket ends the connection, and nobody else notices", async () => {
  await using server = await start();
  await using bystander = await connect(server);
  bystander.send(LOGIN);
  const text = encoder.encode("{}");
  const unmasked = concat(new Uint8Array([0x81, text.length]), text);
  const reserved = frame(1, text).map((byte, index) => index === 0 ? byte | 0x40 : byte);
  for (const bytes of [unmasked, reserved, frame(3, text), frame(0, text), frame(9, new Uint8Array(126))]) {
    await using client = await connect(server);
    client.sendBytes(bytes);
    await client.closed();
    assert([1002, 1009].includes(client.frames!.closeCode ?? 0), `${client.frames!.closeCode}`);
  }
  await until(() => server.connectionCount === 1, "the end of the others");
  bystander.send(activity(1));
  await bystander.untilActivities(1);
});

Deno.test("a close frame is answered after all that was said before it, also while a secret is being checked", async () => {
  await using server = await start();
  await using client = await connect(server);
  client.sendBytes(concat(
    texts(
      { command: "REGISTER", username: "anna", secret: "s" },
      { ...LOGIN, username: "anna", secret: "s" },
      activity(1),
    ),
    closeFrame(1001),
  ));
  await client.closed();
  assertEquals(client.received.map(({ command }) => command).slice(0, 3), [
    "REGISTER_SUCCESS",
    "LOGIN_SUCCESS",
    "ACTIVITY_ACK",
  ]);
  assertEquals(client.frames!.closeCode, 1000);
  await until(() => server.connectionCount === 0, "the end of the connection");
});

Deno.test("any frame, a ping too, is a sign of life", async () => {
  await using server = await start({ heartbeat: { idleTimeoutMs: 300, intervalMs: 100, count: 3 } });
  await using client = await connect(server);
  client.send({ ...LOGIN, features: ["heartbeat"] });
  for (let round = 1; round <= 6; round++) {
    await client.next("HEARTBEAT");
    client.sendBytes(frame(9, new Uint8Array(0)));
    await client.until(() => client.frames!.pongs === round, "a pong");
  }
  assertEquals(client.received.every(({ command, sequence }) => command !== "HEARTBEAT" || sequence <= 6), true);
  assertEquals(client.received.filter(({ command }) => command === "END_CONNECTION"), []);
});

Deno.test("whoever pings without end and reads nothing costs no more than its share", async () => {
  await using server = await start({ limits: { maxPendingBytes: 65_536 } });
  await using bystander = await LineClient.loggedIn(server.port);
  await using client = await connect(server);
  client.send(LOGIN);
  await client.next("LOGIN_SUCCESS");
  client.pause();
  // 31 MB of answers: far more than the system's own buffers take.
  const pings = concat(...Array.from({ length: 2_000 }, () => frame(9, new Uint8Array(125))));
  for (let batch = 0; batch < 120; batch++) client.sendBytes(pings);
  client.send(activity(1));
  await bystander.untilActivities(1);
  const [pinging] = (await connectionsOf(server)).filter(({ over }) => over === "websocket");
  assert(pinging!.waitingBytes < 200_000, `${pinging!.waitingBytes} bytes wait`);
  client.resume();
  await client.untilActivities(1);
});

Deno.test("a client that reads nothing falls behind instead of filling the memory, and gets everything when it reads", async () => {
  await using server = await start({ limits: { maxPendingBytes: 65_536, tailBytes: 1_000_000 } });
  await using sleeper = await connect(server);
  sleeper.send(LOGIN);
  await sleeper.next("LOGIN_SUCCESS");
  sleeper.pause();
  await using publisher = await LineClient.loggedIn(server.port, { features: ["ack"] });
  const filler = "x".repeat(20_000);
  const count = 1_000;
  for (let n = 0; n < count; n++) {
    publisher.send({ command: "ACTIVITY_MESSAGE", activity: { n, filler } });
    if (n % 50 === 49) await publisher.untilActivities(n + 1);
  }
  const [slow] = (await connectionsOf(server)).filter(({ over }) => over === "websocket");
  assertEquals(slow!.behind, true);
  assert(slow!.waitingBytes < 3_000_000, `${slow!.waitingBytes} bytes wait`);
  sleeper.resume();
  await sleeper.untilActivities(count);
  assertEquals(sleeper.activities.every(({ n }, index) => n === index), true);
});

/** What its own dashboard shows of a server's connections. */
async function connectionsOf(server: Server): Promise<ConnectionView[]> {
  const view: NetworkView = await (await fetch(`http://127.0.0.1:${server.http!.port}/api/network`)).json();
  return Object.values(view.connections[server.serverId]!);
}
