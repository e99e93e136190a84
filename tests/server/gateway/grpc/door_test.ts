/**
 * The door over real gRPC on loopback: participants of two servers and users of the line protocol, and
 * programs that misbehave.
 */

import http2 from "node:http2";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import * as grpc from "@grpc/grpc-js";
import { methodOf } from "../../../../server/gateway/grpc/grpc_codec.ts";
import { openGrpcDoor } from "../../../../server/gateway/grpc/grpc_door.ts";
import { SERVICE_IN } from "../../../../server/gateway/grpc/messages.ts";
import { GrpcError } from "../../../../server/gateway/grpc/unary_call.ts";
import { type Activity, connect, serve } from "../../../../mod.ts";
import type { Endpoint } from "../../../../platform/address.ts";
import { nodeCrypto } from "../../../../platform/crypto.ts";
import { Http2Channel } from "../../../../platform/http/http2_client.ts";
import { realClock } from "../../../../platform/real_clock.ts";
import { DEFAULT_CONFIG } from "../../../../config/config.ts";
import { eventually } from "../../../support/until.ts";
import { DoorWorld, TestParticipant } from "./_world.ts";

/** Why the library cannot be a client here. */
const noLibraryClient = findLibraryClient();
if (noLibraryClient !== undefined) console.log(`SKIPPED: clients of the gRPC library, as ${noLibraryClient}`);
const SECRET = "the secret of this network";

Deno.test("Participants of two servers and users of the line protocol hear each other, and who comes and goes", async () => {
  await using one = await DoorWorld.open({ cluster: { secret: SECRET } });
  const join = [`127.0.0.1:${one.node.port}`];
  await using two = await DoorWorld.open({ cluster: { secret: SECRET, join } });
  await eventually(() => two.node.isJoined && one.node.members[0]?.state === "linked", "the servers are linked");
  await using ada = await connect({
    host: "127.0.0.1",
    port: two.node.port,
    username: "ada",
    secret: "s",
    register: true,
  });
  const presence = ada.presence();
  const activities = ada.activities();

  await using here = await TestParticipant.joined(one.server);
  await using there = await TestParticipant.joined(two.server);
  await here.hears(new RegExp(`^Participant ${there.id} joined Chitty-Chat at Lamport time \\d+$`));
  assertEquals((await presence.next()).value.username, here.id);
  assertEquals((await presence.next()).value.username, there.id);

  await here.program.say("Hej");
  await there.hears(`${here.id}: Hej`);
  await there.program.say("Hej selv");
  await here.hears(`${there.id}: Hej selv`);
  await ada.publish({ text: "hello" });
  await ada.publish({ temperature: 21.5 });
  for (const participant of [here, there]) {
    await participant.hears("ada: hello");
    await participant.hears('ada: {"temperature":21.5}');
  }
  const seen: Activity[] = [];
  for (let count = 0; count < 4; count++) seen.push((await activities.next()).value);
  assertEquals(seen.slice(0, 2).map(({ user, activity }) => ({ user, activity })), [
    { user: here.id, activity: { text: "Hej" } },
    { user: there.id, activity: { text: "Hej selv" } },
  ]);
  assertEquals(await ada.users("online"), ["ada", here.id, there.id].sort());

  await there.program.announce("left");
  await there.program.leave();
  await here.hears(new RegExp(`^Participant ${there.id} left Chitty-Chat at Lamport time \\d+$`));
  const left = (await presence.next()).value;
  assertEquals([left.username, left.event], [there.id, "left"]);
  // Each time is above that of what caused it.
  for (const { message, lamportTime } of here.heard) assert(lamportTime > message!.lamportTime);
});

Deno.test("Ten participants that publish at once see all of it in one order", async () => {
  await using world = await DoorWorld.open();
  const participants = await Promise.all(Array.from({ length: 10 }, () => TestParticipant.joined(world.server)));
  await using stack = new AsyncDisposableStack();
  for (const participant of participants) stack.use(participant);
  await Promise.all(participants.map(async ({ program }) => {
    for (let count = 0; count < 10; count++) await program.say(`${count}`);
  }));
  await eventually(
    () => participants.every(({ said }) => said.length === 100),
    () => `each hears 100: ${participants.map(({ said }) => said.length)}`,
  );
  for (const { said } of participants) assertEquals(said, participants[0]!.said);
});

Deno.test("A participant that is stopped or gone delays nobody, and the others are told that it left", async () => {
  await using world = await DoorWorld.open();
  await using one = await TestParticipant.joined(world.server);
  await using two = await TestParticipant.joined(world.server);
  // Nobody listens there.
  const gone = { id: `${freePort()}` };
  await call(world.server, "Join", [0x0a, ...text(gone.id)]);
  await using stuck = await TestParticipant.joined(world.server);
  const release = Promise.withResolvers<void>();
  stuck.holding = release.promise;
  const begunAt = performance.now();
  for (let count = 0; count < 10; count++) await one.program.say(`${count}`);
  const tookMs = performance.now() - begunAt;
  assert(tookMs < 2_000, `${tookMs} ms`);
  await two.hears(`${one.id}: 9`);
  for (const { id } of [gone, stuck]) await two.hears(new RegExp(`^Participant ${id} left Chitty-Chat`), 10_000);
  assertEquals(await one.program.say("still here"), "Publish message reply");
  release.resolve();
});

Deno.test("A participant that begins to listen only after it has joined misses nothing", async () => {
  await using world = await DoorWorld.open();
  await using one = await TestParticipant.joined(world.server);
  const port = freePort();
  await call(world.server, "Join", [0x0a, ...text(`${port}`)]);
  await one.program.say("Hej");
  await using two = await TestParticipant.listen(world.server, { port });
  await two.hears(`${one.id}: Hej`);
});

Deno.test("A participant whose id is the port of something else is taken as left, and does that no harm", async () => {
  await using world = await DoorWorld.open();
  await using other = await DoorWorld.open();
  await using web = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => new Response("a web page"));
  await using one = await TestParticipant.joined(world.server);
  const ids = [other.node.port, other.door.port, web.addr.port].map(String);
  for (const id of ids) await call(world.server, "Join", [0x0a, ...text(id)]);
  await one.program.say("Hej");
  for (const id of ids) await one.hears(new RegExp(`^Participant ${id} left Chitty-Chat`), 10_000);
  await using two = await TestParticipant.joined(other.server);
  assertEquals(await two.program.say("still here"), "Publish message reply");
  assertEquals(other.node.connectionCount, 1);
});

Deno.test({
  name: "A client of the gRPC library is served, also one that names its server without a host, as in :7080",
  ignore: noLibraryClient !== undefined,
  fn: async () => {
    await using world = await DoorWorld.open();
    for (const options of [{}, { "grpc.default_authority": `:${world.door.port}` }]) {
      const channel = new grpc.Client(`127.0.0.1:${world.door.port}`, grpc.credentials.createInsecure(), options);
      const leave = methodOf(SERVICE_IN.Leave);
      const reply = await new Promise((resolve, reject) =>
        channel.makeUnaryRequest(
          leave.path,
          leave.requestSerialize,
          leave.responseDeserialize,
          { participantID: "1111", lamportTime: 0 },
          (error, reply) => error === null ? resolve(reply?.reply) : reject(error),
        )
      );
      assertEquals(reply, "Unknown user tried to leave the server");
      // Before the server is: see platform/http/http2_client.ts.
      channel.close();
    }
  },
});

Deno.test("Refusals are gRPC's, with a sentence; bytes that are no message, and very many, end one call only", async () => {
  await using world = await DoorWorld.open();
  await using one = await TestParticipant.joined(world.server);
  await assertStatus(one.program.say("🌍".repeat(129)), grpc.status.INVALID_ARGUMENT, "129 characters");
  await assertStatus(call(world.server, "Join", [0x0a, ...text("70000")]), grpc.status.INVALID_ARGUMENT, "65535");
  await assertStatus(
    call(world.server, "Join", [0x0a, ...text(`${world.door.port}`)]),
    grpc.status.INVALID_ARGUMENT,
    "a port that this server listens on",
  );
  await assertStatus(
    call(world.server, "Join", [0x0a, ...text(`${world.node.port}`)]),
    grpc.status.INVALID_ARGUMENT,
    "a port that this server listens on",
  );
  await assertStatus(call(world.server, "Join", [0x0a, 0x7f]), grpc.status.INTERNAL, "");
  await assertStatus(call(world.server, "Publish", new Array(100_000).fill(0)), grpc.status.RESOURCE_EXHAUSTED, "");
  await assertStatus(call(world.server, "Sing", []), grpc.status.UNIMPLEMENTED, "");
  assertEquals(await one.program.say("still here"), "Publish message reply");
});

Deno.test({
  name: "Bytes that are no HTTP/2, and connections that break off, do the door no harm",
  // Deno 2.5 keeps something of a connection that breaks off.
  sanitizeResources: noLibraryClient === undefined,
  fn: async () => {
    await using world = await DoorWorld.open();
    await using one = await TestParticipant.joined(world.server);
    const beginning = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    const headersCutOff = `${beginning}\0\x01\0\x01\x04\0\0\0\x01\x82`;
    for (const bytes of ["", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\x16\x03\x01\x02\0\x01", beginning, headersCutOff]) {
      using connection = await Deno.connect({ hostname: "127.0.0.1", port: world.door.port });
      await connection.write(new TextEncoder().encode(bytes));
    }
    assertEquals(await one.program.say("still here"), "Publish message reply");
  },
});

Deno.test("The door closes with its server, within two seconds, whatever participants do; they find out", async () => {
  const world = await DoorWorld.open();
  await using one = await TestParticipant.joined(world.server);
  await using stuck = await TestParticipant.joined(world.server);
  const release = Promise.withResolvers<void>();
  stuck.holding = release.promise;
  const saying = assertStatus(stuck.program.say("Hej"), grpc.status.UNAVAILABLE, "");
  await one.hears(`${stuck.id}: Hej`);
  const gone = one.program.serverGone();
  const begunAt = performance.now();
  await world.close();
  const tookMs = performance.now() - begunAt;
  assert(tookMs < 2_000, `${tookMs} ms`);
  await saying;
  await gone;
  release.resolve();
});

Deno.test("serve() opens the door where it is told to, and says when it cannot", async () => {
  const options = { server: { port: 0 }, store: { ephemeral: true } };
  await using server = await serve({
    ...options,
    gateway: { http: { listen: "127.0.0.1:0", token: "" }, grpc: { listen: "127.0.0.1:0", participantHosts: [] } },
  });
  const { grpc: endpoint } = server;
  await using one = await TestParticipant.joined(endpoint!);
  assertEquals(await one.program.say("Hej"), "Publish message reply");
  assertEquals(server.connectionCount, 1);
  for (const port of [server.port, server.http!.port, endpoint!.port]) {
    await assertStatus(call(endpoint!, "Join", [0x0a, ...text(`${port}`)]), grpc.status.INVALID_ARGUMENT, "listens on");
  }
  const taken = {
    http: { listen: "", token: "" },
    grpc: { listen: `127.0.0.1:${endpoint!.port}`, participantHosts: [] },
  };
  const error = await assertRejects(() => serve({ ...options, gateway: taken }), Error);
  assertStringIncludes(error.message, "EADDRINUSE");
});

Deno.test("A door whose address is taken leaves nothing open", async () => {
  await using world = await DoorWorld.open();
  const parts = { node: world.node, config: DEFAULT_CONFIG, clock: realClock, crypto: nodeCrypto };
  const error = await assertRejects(() => openGrpcDoor(parts, world.server), Error);
  assertEquals((error as { code?: string }).code, "EADDRINUSE");
});

/** Calls a procedure with bytes, as no library would. Gives the reply's bytes as text. */
async function call(server: Endpoint, name: string, bytes: readonly number[]): Promise<string> {
  const channel = new Http2Channel(server);
  const length = [bytes.length >> 16 & 0xff, bytes.length >> 8 & 0xff, bytes.length & 0xff];
  try {
    const { headers, body } = await channel.post(
      `/chat.ChittyChatServiceIN/${name}`,
      { "content-type": "application/grpc", te: "trailers" },
      Uint8Array.from([0, 0, ...length, ...bytes]),
      { signal: AbortSignal.timeout(5_000), maxBytes: 65_536 },
    );
    const code = Number(headers.get("grpc-status") ?? 0);
    if (code !== 0) throw new GrpcError(code, decodeURIComponent(headers.get("grpc-message") ?? ""));
    return new TextDecoder().decode(body.subarray(5));
  } finally {
    channel.close();
  }
}

async function assertStatus(promise: Promise<unknown>, code: grpc.status, sentence: string): Promise<void> {
  const error = await assertRejects(() => promise, GrpcError);
  assertEquals(error.code, code, error.message);
  assertStringIncludes(error.message, sentence);
}

/** A string's bytes, with their number before them. */
function text(value: string): number[] {
  const bytes = [...new TextEncoder().encode(value)];
  return [bytes.length, ...bytes];
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

function findLibraryClient(): string | undefined {
  try {
    http2.getDefaultSettings();
    return undefined;
  } catch {
    return `Deno ${Deno.version.deno} has no client of HTTP/2 that it could use`;
  }
}
