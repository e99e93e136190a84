/**
 * A server in which something throws: what it ends, and that everybody else goes on. On real sockets, through every
 * door, and in one turn on a fake clock.
 */

import { assertEquals } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { type ConfigLayer, DEFAULT_CONFIG } from "../../../config/config.ts";
import { layered } from "../../../config/load.ts";
import { openGrpcDoor } from "../../../server/gateway/grpc/grpc_door.ts";
import { SERVICE_IN } from "../../../server/gateway/grpc/messages.ts";
import { callUnary } from "../../../server/gateway/grpc/unary_call.ts";
import { openHttpDoor } from "../../../server/gateway/http/http_door.ts";
import { Supervisor } from "../../../heartbeat/supervisor.ts";
import { Hub } from "../../../server/hub/hub.ts";
import { Reader } from "../../../server/hub/reader.ts";
import { cursorAt } from "../../../log/cursor.ts";
import { EVERYONE, type Segment } from "../../../log/segment.ts";
import { ThrumNode } from "../../../server/node/node.ts";
import type { Clock } from "../../../platform/clock.ts";
import { nodeCrypto } from "../../../platform/crypto.ts";
import { type FaultPlace, Faults } from "../../../platform/faults.ts";
import { enduringClock } from "../../../platform/enduring_clock.ts";
import { Http2Channel } from "../../../platform/http/http2_client.ts";
import { realClock } from "../../../platform/real_clock.ts";
import { tcpTransport } from "../../../platform/tcp/tcp_transport.ts";
import { PEER_FEATURE } from "../../../protocol/peer/peer_message.ts";
import { openMemoryStore } from "../../../server/store/memory_store.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { LineClient, PATIENCE_MS } from "../../support/line_client.ts";
import { ask } from "../../support/raw_http.ts";
import { eventually } from "../../support/until.ts";

/** Faults that keep quiet: what they tell is tested elsewhere. */
class QuietFaults extends Faults {
  override caught(where: FaultPlace, error: unknown): void {
    const { error: loud } = console;
    console.error = () => {};
    super.caught(where, error);
    console.error = loud;
  }

  /** Where there were any. */
  get places(): Partial<Record<FaultPlace, number>> {
    return Object.fromEntries(Object.entries(this.counts).filter(([, count]) => count > 0));
  }
}

/** A server with all its doors, of which what it writes into its trace throws where the test says so. */
class FaultyServer implements AsyncDisposable {
  readonly faults = new QuietFaults();
  /** Events that cannot be written, and how often yet. */
  readonly broken = new Map<string, number>();
  readonly clock: Clock = enduringClock(realClock, this.faults);
  node!: ThrumNode;
  http = 0;
  grpc = 0;
  #close: (() => Promise<unknown>)[] = [];

  static async open(options: ConfigLayer = {}): Promise<FaultyServer> {
    const server = new FaultyServer();
    const { faults, clock } = server;
    const config = layered(DEFAULT_CONFIG, { server: { host: "127.0.0.1", port: 0 } }, options);
    const node = server.node = new ThrumNode({
      ...{ config, clock, faults, crypto: nodeCrypto },
      transport: tcpTransport(config.limits.maxPendingBytes, { faults }),
      store: openMemoryStore({ serverId: `s-${crypto.randomUUID()}` }),
      writeTrace: ({ event }) => {
        const times = server.broken.get(event) ?? 0;
        if (times === 0) return;
        server.broken.set(event, times - 1);
        throw new Error(`the trace of ${event} is broken`);
      },
    });
    await node.start();
    const parts = { node, config, clock, faults, crypto: nodeCrypto };
    const at = { host: "127.0.0.1", port: 0 };
    const http = await openHttpDoor({ ...parts, node: server.#gatewayNode() }, at);
    const grpc = await openGrpcDoor(parts, at, (what) => server.#note(what));
    server.http = http.port;
    server.grpc = grpc.port;
    server.#close = [() => node.stop(), () => http.close(), () => grpc.close()];
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const close of this.#close) await close();
  }

  /** The node as the HTTP gateway has it. */
  #gatewayNode(): ThrumNode {
    return new Proxy(this.node, {
      get: (target, name) => {
        if (name === "state" && (this.broken.get("state") ?? 0) > 0) {
          this.broken.set("state", 0);
          throw new Error("the state is broken");
        }
        const value = Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  }

  #note(what: string): void {
    if ((this.broken.get(what) ?? 0) === 0) return;
    this.broken.set(what, 0);
    throw new Error("the note is broken");
  }
}

const ACTIVITY = { command: "ACTIVITY_MESSAGE", username: "anonymous", messageId: "m", activity: {} };

interface Kind {
  readonly what: string;
  readonly where: FaultPlace;
  /** Has something throw, and sees what that ends. */
  provoke(server: FaultyServer): Promise<void>;
}

const KINDS: readonly Kind[] = [
  {
    what: "a line's handler",
    where: "tcp",
    async provoke(server) {
      await using client = await LineClient.loggedIn(server.node.port);
      server.broken.set("receive", 1);
      client.send(ACTIVITY);
      await client.closed();
    },
  },
  {
    what: "a connection that is accepted",
    where: "tcp",
    async provoke(server) {
      server.broken.set("connect", 1);
      await using client = await LineClient.connect(server.node.port);
      await client.closed();
    },
  },
  {
    what: "the end of a connection",
    where: "tcp",
    async provoke(server) {
      const client = await LineClient.loggedIn(server.node.port);
      server.broken.set("closed", 1);
      await client[Symbol.asyncDispose]();
    },
  },
  {
    what: "what follows a derivation",
    where: "session",
    async provoke(server) {
      await using client = await LineClient.connect(server.node.port);
      server.broken.set("register", 1);
      client.send({ command: "REGISTER", username: "anna", secret: "s" });
      await client.closed();
    },
  },
  {
    what: "a WebSocket's line",
    where: "websocket",
    async provoke(server) {
      await using client = await (await LineClient.connectWebSocket(server.http)).loggedIn();
      server.broken.set("receive", 1);
      client.send(ACTIVITY);
      await client.closed();
    },
  },
  {
    what: "an HTTP request",
    where: "http",
    async provoke(server) {
      server.broken.set("state", 1);
      assertEquals((await ask(server.http, "GET /readyz")).status, 500);
    },
  },
  {
    what: "a gRPC request",
    where: "grpc",
    async provoke(server) {
      server.broken.set("Received join request", 1);
      const channel = new Http2Channel({ host: "127.0.0.1", port: server.grpc });
      const request = { participantID: "7", lamportTime: 1 };
      const options = { clock: realClock, timeoutMs: 10_000, waitsForServer: false };
      const outcome = await callUnary(channel, SERVICE_IN.Join, request, options).then(
        () => "a reply",
        ({ code }) => code,
      );
      channel.close();
      // gRPC's INTERNAL.
      assertEquals(outcome, 13);
    },
  },
  {
    what: "a heartbeat",
    where: "heartbeat",
    async provoke(server) {
      server.broken.set("heartbeat", 1);
      await using client = await LineClient.loggedIn(server.node.port, { features: ["heartbeat"] });
      await client.closed();
    },
  },
  {
    what: "the end of a turn",
    where: "turn",
    async provoke(server) {
      await using client = await LineClient.loggedIn(server.node.port, { features: ["ack"] });
      server.broken.set("broadcast", 1);
      client.send({ command: "ACTIVITY_MESSAGE", messageId: "m", activity: { n: 1 } });
      // What was in the middle was no connection of anybody, so that nobody loses one, or anything.
      await client.next("ACTIVITY_ACK");
      await client.untilActivities(1);
    },
  },
];

for (const { what, where, provoke } of KINDS) {
  Deno.test(`a fault in ${what} ends what it belongs to, is counted, and the server goes on`, async () => {
    await using server = await FaultyServer.open({ heartbeat: { idleTimeoutMs: 200, intervalMs: 100, count: 2 } });
    await using bystander = await LineClient.loggedIn(server.node.port);
    await provoke(server);
    await eventually(
      () => server.faults.counts[where] === 1,
      () => `one fault at ${where}: ${Deno.inspect(server.faults.places)}`,
    );
    assertEquals(server.faults.places, { [where]: 1 });
    bystander.send({ command: "ACTIVITY_MESSAGE", username: "anonymous", activity: { still: "here" } });
    await bystander.until(() => bystander.activities.some(({ still }) => still === "here"), "its own activity");
    await using newcomer = await LineClient.loggedIn(server.node.port);
    newcomer.send({ command: "LOGOUT" });
    await newcomer.closed();
    // Nobody holds a place who is gone.
    await eventually(() => server.node.connectionCount === 1, "only the bystander is served");
  });
}

Deno.test("a fault on the way to a peer ends that link; the servers link again and nothing is lost", async () => {
  const cluster = { secret: "s", timeBeforeReconnectMs: 100 };
  await using one = await FaultyServer.open({ cluster });
  await using two = await FaultyServer.open({ cluster: { ...cluster, join: [`127.0.0.1:${one.node.port}`] } });
  await eventually(() => two.node.isJoined && one.node.members[0]?.state === "linked", "the servers are linked");
  await using here = await LineClient.loggedIn(one.node.port, { features: ["ack"] });
  await using there = await LineClient.loggedIn(two.node.port);
  one.broken.set("send", 1);
  for (let n = 1; n <= 3; n++) here.send({ command: "ACTIVITY_MESSAGE", messageId: `m-${n}`, activity: { n } });
  await there.untilActivities(3);
  assertEquals(there.activities, [{ n: 1 }, { n: 2 }, { n: 3 }]);
  assertEquals(one.faults.places, { peers: 1 });
});

Deno.test("a fault while a server is taken in ends its link, which holds no place any more, and nobody waits for it", async () => {
  const server = await FaultyServer.open({ cluster: { secret: "s", clearSecret: "upgrade" } });
  server.broken.set("linked", 1);
  await using peer = await LineClient.connect(server.node.port);
  const self = { serverId: "s-other", host: "127.0.0.1", port: 1, features: [PEER_FEATURE], vector: {} };
  peer.send({ command: "AUTHENTICATE", secret: "s", ...self });
  await peer.closed();
  await eventually(() => server.node.connectionCount === 0, "nobody is served");
  assertEquals(server.faults.places, { tcp: 1 });
  await deadline(server[Symbol.asyncDispose](), PATIENCE_MS);
});

Deno.test("a reader that cannot be written to is cut, and the others get the turn", () => {
  const faults = new QuietFaults();
  const bytes = new TextEncoder().encode("line\n");
  const segment: Segment = { position: 1, origin: "s-1", first: 1, last: 1, audience: EVERYONE, bytes, takenAt: 0 };
  const log: Segment[] = [];
  const hub = new Hub(
    {
      get head() {
        return log.length;
      },
      vector: {},
      portionAfter: (position) => ({ segments: log.slice(position), upTo: Math.max(position, log.length) }),
    },
    new FakeClock(),
    faults,
  );
  const got: string[] = [];
  const readers = ["one", "faulty", "two"].map((name) => {
    const write = () => {
      if (name === "faulty") throw new Error("the link is broken");
      got.push(name);
      return true;
    };
    const owner = {
      caughtUp() {},
      passedAhead() {},
      movedOn() {},
      fellBehind() {},
      forUser: (_: Segment, bytes: Uint8Array) => bytes,
      faulted: () => void got.push(`${name} is cut`),
    };
    const reader = new Reader({ pendingBytes: 0, write }, cursorAt(0, undefined), owner);
    hub.join(reader);
    return reader;
  });
  log.push(segment);
  hub.deliver([segment]);
  assertEquals(got, ["one", "faulty is cut", "two"]);
  assertEquals([readers[1]!.state, hub.positionOf(readers[1]!), faults.counts.delivery], ["gone", 0, 1]);
  hub.leave(readers[1]!);
  assertEquals(got.length, 3);
});

Deno.test("a connection whose heartbeat throws is cut, and the others are supervised", async () => {
  const faults = new QuietFaults();
  const clock = new FakeClock();
  using supervisor = new Supervisor(clock, faults);
  const calls: string[] = [];
  const config = { idleTimeoutMs: 200, intervalMs: 100, count: 1 };
  for (const name of ["faulty", "sound"]) {
    supervisor.watch({
      sendHeartbeat() {
        calls.push(`${name} is asked`);
        if (name === "faulty") throw new Error("no");
      },
      alive() {},
      gaveUp: () => calls.push(`${name} is given up`),
      faulted: () => calls.push(`${name} is cut`),
    }, config);
  }
  await clock.run(5_000);
  assertEquals(calls.sort(), ["faulty is asked", "faulty is cut", "sound is asked", "sound is given up"]);
  assertEquals([faults.counts.heartbeat, supervisor.snapshot().size], [1, 0]);
});
