/**
 * The heartbeat between real processes (docs/heartbeat.md), with times scaled down: the four cases that supervision is
 * there for, and what a process that stands still does to it. The same rules as pure decisions are in tests/heartbeat/.
 */

import { assert, assertEquals } from "@std/assert";
import { LineClient } from "../support/line_client.ts";
import { type Program, startClient, startServer } from "../support/program.ts";

const IDLE_MS = 1_200;
const INTERVAL_MS = 400;
const COUNT = 3;
/** From the last byte of a silent client to its end: not sooner, and not later. */
const EARLIEST_MS = IDLE_MS + COUNT * INTERVAL_MS;
const BOUND_MS = EARLIEST_MS + INTERVAL_MS;

interface Running {
  readonly server: Program;
  readonly port: string;
}

async function start(): Promise<Running> {
  const seconds = (ms: number) => String(ms / 1000);
  const server = startServer([
    ...["--no-prompt", "--port", "0", "--ephemeral", "--log-format", "json"],
    ...["--idle", seconds(IDLE_MS), "--interval", seconds(INTERVAL_MS), "--heartbeats", String(COUNT)],
  ]);
  const [, port] = await server.sees(/listening on \S+:(\d+)/);
  return { server, port: port! };
}

/** The server's log so far: when each thing happened, and what. */
function logOf(server: Program): { at: number; message: string }[] {
  return server.errors.split("\n").filter((line) => line.startsWith("{")).map((line) => {
    const record = JSON.parse(line);
    return { at: Date.parse(record["@timestamp"]), message: record.message };
  });
}

function count(server: Program, pattern: RegExp): number {
  return logOf(server).filter(({ message }) => pattern.test(message)).length;
}

/** How much longer than asked for this machine takes: what a busy one adds to any time that is measured. */
class Lateness implements Disposable {
  ms = 0;
  #due = performance.now() + 20;
  readonly #timer = setInterval(() => {
    this.ms += Math.max(0, performance.now() - this.#due - 5);
    this.#due = performance.now() + 20;
  }, 20);
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

Deno.test("case 1: data at the configured rate, so no heartbeat is ever sent", async () => {
  const { server, port } = await start();
  await using _server = server;
  await using client = startClient(["exchange", "--no-prompt", "--port", port, "--interval", "0.3"]);
  // Far longer than a silent client would live.
  await client.sees(new RegExp(`(echo[^]*?){${Math.ceil(2 * BOUND_MS / 300)}}`));
  assertEquals(count(server, /heartbeat/), 0);
  assert(!/heartbeat/.test(client.output));
});

Deno.test("case 2: slow data and heartbeats answered, so heartbeats are sent and the connection stays", async () => {
  const { server, port } = await start();
  await using _server = server;
  await using client = startClient(["exchange", "--no-prompt", "--port", port, "--interval", "3"]);
  await client.sees(/(echo[^]*?){3}/);
  assert(count(server, /sending heartbeat 1 of 3/) >= 2);
  // A busy machine may be slow to answer the first one, but not all of them.
  assertEquals(
    count(server, /heartbeat answered by .* after [\d.]+ ms; connection is alive/),
    count(server, /no data for the past 1.2 seconds/),
  );
  assertEquals(count(server, /closed/), 0);
});

Deno.test("case 3: slow data and no answer, so all heartbeats, END_CONNECTION, and the client's process ends", async () => {
  const { server, port } = await start();
  await using _server = server;
  using late = new Lateness();
  await using client = startClient(
    ["exchange", "--no-prompt", "--port", port, "--interval", "60", "--block-heartbeat", "60"],
  );
  assertEquals(await client.ended(), 4);
  await server.tells(/HEARTBEAT_TIMEOUT/);
  const log = logOf(server);
  const began = log.find(({ message }) => message.includes(" connected from "))!.at;
  const ended = log.find(({ message }) => message.includes("closed by server"))!;
  assertEquals(count(server, /sending heartbeat \d of 3/), COUNT);
  assert(ended.message.includes("HEARTBEAT_TIMEOUT"));
  assert(ended.at - began >= EARLIEST_MS - 5, `it was closed after ${ended.at - began} ms`);
  assert(ended.at - began <= BOUND_MS + 500 + late.ms, `it was closed after ${ended.at - began} ms`);
  assert(/heartbeat +3, not answered/.test(client.output));
});

Deno.test("case 4: the client closes, so the server closes at once and sends no heartbeat", async () => {
  const { server, port } = await start();
  await using _server = server;
  const client = startClient(["listen", "--no-prompt", "--port", port]);
  await server.tells(/ connected from/);
  // Without a goodbye: the operating system closes for it.
  client.signal("SIGKILL");
  await client[Symbol.asyncDispose]();
  await server.tells(/closed by client/);
  assertEquals(count(server, /heartbeat/), 0);
});

Deno.test("a server that was stopped for longer than the whole protocol closes no client that answers", async () => {
  const { server, port } = await start();
  await using _server = server;
  // Clients that answer, and do not give the server up as ours would: what is tried is whom the server accuses.
  await using idle = await LineClient.loggedIn(Number(port), { features: ["heartbeat"] });
  await using asked = await LineClient.loggedIn(Number(port), { features: ["heartbeat"] });
  for (const client of [idle, asked]) {
    client.onMessage = ({ command, sequence }) => {
      if (command === "HEARTBEAT") client.send({ command: "HEARTBEAT_ACK", sequence });
    };
  }
  const witness = await start();
  await using _witness = witness.server;
  // The server is stopped in the middle of asking.
  await server.tells(/sending heartbeat 1 of 3/);
  server.signal("SIGSTOP");
  // Nothing is to be seen of a process that stands still. Another one takes the whole protocol's time for somebody who
  // came later and never answers.
  await using _silent = await LineClient.loggedIn(Number(witness.port), { features: ["heartbeat"] });
  await witness.server.tells(/HEARTBEAT_TIMEOUT/);
  server.signal("SIGCONT");
  const before = count(server, /heartbeat answered/);
  await server.tells(new RegExp(`(heartbeat answered[^]*?){${before + 4}}`));
  assertEquals(logOf(server).filter(({ message }) => message.includes("closed")), []);
  assert(!idle.isClosed && !asked.isClosed);
});

Deno.test("clients of ours leave a server that was stopped for so long, and come back to it by themselves", async () => {
  const { server, port } = await start();
  await using _server = server;
  await using client = startClient(["listen", "--json", "--no-prompt", "--port", port]);
  await server.tells(/ connected from/);
  server.signal("SIGSTOP");
  await client.tells(/lost|no heartbeat/);
  server.signal("SIGCONT");
  await server.tells(/( connected from[^]*?){2}/);
  await using publisher = startClient(["publish", '{"after":"all"}', "--no-prompt", "--port", port]);
  assertEquals(await publisher.ended(), 0);
  await client.sees(/"activity":\{"after":"all"\}/);
  assertEquals(count(server, /closed by server/), 0);
});

Deno.test("a client that was stopped dies by the rule, and comes back when it goes on", async () => {
  const { server, port } = await start();
  await using _server = server;
  await using client = startClient(["listen", "--json", "--no-prompt", "--port", port]);
  await server.tells(/ connected from/);
  client.signal("SIGSTOP");
  await server.tells(/HEARTBEAT_TIMEOUT/);
  assert(count(server, /sending heartbeat \d of 3/) >= COUNT);
  await using publisher = startClient(["publish", '{"while":"away"}', "--no-prompt", "--port", port]);
  assertEquals(await publisher.ended(), 0);
  client.signal("SIGCONT");
  await client.sees(/"activity":\{"while":"away"\}/);
});
