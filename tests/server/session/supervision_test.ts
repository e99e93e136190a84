/**
 * How a server supervises the connections of raw clients (docs/protocol.md, section 3), on real sockets,
 * with times scaled down.
 */

import { assert, assertEquals } from "@std/assert";
import { createServer, type Server as NetServer, type Socket } from "node:net";
import { deadline } from "@std/async/deadline";
import { PATIENCE_MS } from "../../support/line_client.ts";
import { doorOf } from "../../support/test_door.ts";
import { until } from "../../support/until.ts";

const door = doorOf(import.meta.url);
const { start } = door;

const QUICK = { idleTimeoutMs: 300, intervalMs: 100, count: 3 };

Deno.test("a silent client is sent `count` heartbeats and END_CONNECTION, and is closed", async () => {
  await using server = await start({ heartbeat: QUICK });
  await using client = await door.loggedIn(server, { features: ["heartbeat"] });
  await client.closed();
  const lines = client.received.slice(1);
  assertEquals(
    lines.slice(0, 3),
    [1, 2, 3].map((sequence) => ({ command: "HEARTBEAT", sequence, of: 3, intervalMs: 100 })),
  );
  assertEquals(lines.length, 4);
  assertEquals([lines[3]!.command, lines[3]!.reason, lines[3]!.reconnect], [
    "END_CONNECTION",
    "HEARTBEAT_TIMEOUT",
    "now",
  ]);
});

Deno.test("any line, not only an answer, keeps a client", async () => {
  await using server = await start({ heartbeat: QUICK });
  await using client = await door.loggedIn(server, { features: ["heartbeat"] });
  for (let round = 0; round < 6; round++) {
    await client.next("HEARTBEAT");
    if (round % 2 === 0) client.send({ command: "ACTIVITY_MESSAGE", activity: { round } });
    else client.send({ command: "HEARTBEAT_ACK", sequence: client.received.at(-1)!.sequence });
  }
  assert(!client.isClosed);
  // Every round was the first heartbeat again, so none went unanswered.
  assertEquals(client.received.filter(({ command }) => command === "END_CONNECTION"), []);
});

Deno.test("a client may ask the server in the same way", async () => {
  await using server = await start();
  await using client = await door.loggedIn(server, { features: ["heartbeat"] });
  client.send({ command: "HEARTBEAT", sequence: 41, of: 3, intervalMs: 100 });
  assertEquals(await client.next("HEARTBEAT_ACK"), { command: "HEARTBEAT_ACK", sequence: 41 });
});

Deno.test("a plain client is sent no heartbeat, unless the config says that it is supervised", async () => {
  await using lenient = await start({ heartbeat: QUICK });
  await using strict = await start({ heartbeat: { ...QUICK, plainClients: "supervise" } });
  await using spared = await door.loggedIn(lenient);
  await using supervised = await door.loggedIn(strict);
  await supervised.closed();
  assertEquals(supervised.received.filter(({ command }) => command === "HEARTBEAT").length, 3);
  // By now the other one has been silent for as long.
  assert(!spared.isClosed);
  assertEquals(spared.received.length, 1);
});

Deno.test("a connection that does not log in is told so and closed, also after a registration", async () => {
  await using server = await start({ limits: { identifyTimeoutMs: 200 } });
  await using silent = await door.connect(server);
  await using registered = await door.connect(server);
  registered.send({ command: "REGISTER", username: "anna", secret: "s" });
  await registered.next("REGISTER_SUCCESS");
  for (const client of [silent, registered]) {
    await client.next("INVALID_MESSAGE");
    await client.closed();
  }
  await until(() => server.connectionCount === 0, "the end of both connections");
});

/** A client's out-of-band endpoint. */
class Channel implements AsyncDisposable {
  readonly lines: { sequence: number }[] = [];
  readonly #server: NetServer;
  readonly #sockets: Socket[] = [];
  onLine: ((line: { sequence: number }, socket: Socket) => void) | undefined;

  private constructor(server: NetServer) {
    this.#server = server;
    server.on("connection", (socket) => {
      this.#sockets.push(socket);
      socket.on("error", () => {});
      socket.on("data", (bytes: Uint8Array) => {
        for (const line of new TextDecoder().decode(bytes).trimEnd().split("\n")) {
          this.lines.push(JSON.parse(line));
          this.onLine?.(this.lines.at(-1)!, socket);
        }
      });
    });
  }

  static listen(): Promise<Channel> {
    return new Promise((resolve) => {
      const server = createServer();
      server.listen(0, "127.0.0.1", () => resolve(new Channel(server)));
    });
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

Deno.test("out of band: heartbeats go to the client's own port, and answers from there keep its connection", async () => {
  await using server = await start({ heartbeat: QUICK });
  await using channel = await Channel.listen();
  const enough = Promise.withResolvers<void>();
  channel.onLine = ({ sequence }, socket) => {
    socket.write(`${JSON.stringify({ command: "HEARTBEAT_ACK", sequence })}\n`);
    if (sequence === 5) enough.resolve();
  };
  await using client = await door.loggedIn(server, {
    features: ["heartbeat"],
    heartbeat: { port: channel.port },
  });
  await deadline(enough.promise, PATIENCE_MS);
  assert(!client.isClosed);
  assertEquals(client.received.length, 1, "heartbeats went with the data");
});

Deno.test("out of band: silence there is silence, and END_CONNECTION goes with the data", async () => {
  await using server = await start({ heartbeat: QUICK });
  await using channel = await Channel.listen();
  await using client = await door.loggedIn(server, {
    features: ["heartbeat"],
    heartbeat: { port: channel.port },
  });
  await client.closed();
  assertEquals(channel.lines.length, 3);
  assertEquals(client.received.slice(1).map(({ command }) => command), ["END_CONNECTION"]);
});

Deno.test("out of band: another address than the client's own is refused, and nothing is dialled", async () => {
  await using server = await start({ heartbeat: QUICK });
  await using client = await door.connect(server);
  client.send({
    command: "LOGIN",
    username: "anonymous",
    features: ["heartbeat"],
    heartbeat: { host: "127.0.0.2", port: 9 },
  });
  assert((await client.next("INVALID_MESSAGE")).info.includes("address that the connection comes from"));
  await client.closed();
});

Deno.test("out of band: where nobody listens, heartbeats go with the data", async () => {
  await using server = await start({ heartbeat: QUICK });
  const channel = await Channel.listen();
  const { port } = channel;
  await channel[Symbol.asyncDispose]();
  await using client = await door.loggedIn(server, { features: ["heartbeat"], heartbeat: { port } });
  assertEquals((await client.next("HEARTBEAT")).sequence, 1);
});
