/** Reflection and health through the door, over real HTTP/2. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import type { Endpoint } from "../../../../../platform/address.ts";
import { Http2Channel } from "../../../../../platform/http/http2_client.ts";
import {
  concat,
  END_HEADERS,
  END_STREAM,
  FRAME,
  frame,
  GRPC_HEADERS,
  PREFACE,
  requestHeaders,
} from "../../../../support/http2_frames.ts";
import { eventually } from "../../../../support/until.ts";
import { DoorWorld } from "../_world.ts";

const CHECK = "/grpc.health.v1.Health/Check";
const WATCH = "/grpc.health.v1.Health/Watch";
const INFO = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
const LIST = [0x3a, 0];
const INVALID_ARGUMENT = "3";
const NOT_FOUND = "5";

Deno.test("Two questions of one stream are answered in their order; wrong bytes end it with a status", async () => {
  await using world = await DoorWorld.open();
  const file = [0x1a, 17, ...new TextEncoder().encode("chitty_chat.proto")];
  const { body } = await call(world.server, INFO, LIST, file, LIST);
  const [list, described, again, ...more] = messagesOf(body);
  assertStringIncludes(textOf(list!), "grpc.health.v1.Health");
  assertStringIncludes(textOf(described!), "PublishMessageReply");
  assertEquals([again, more], [list, []]);
  const refused = await call(world.server, INFO, [0xff]);
  assertEquals([refused.headers.get("grpc-status"), refused.body.length], [INVALID_ARGUMENT, 0]);
  assertEquals(messagesOf((await call(world.server, INFO, LIST)).body), [list!], "the door goes on");
});

Deno.test("Health is checked: of the server, of a service, of nobody, and with wrong bytes", async () => {
  await using world = await DoorWorld.open();
  const nobody = [0x0a, 2, 0x78, 0x79];
  assertEquals(messagesOf((await call(world.server, CHECK, [])).body).map((message) => [...message]), [[8, 1]]);
  assertEquals((await call(world.server, CHECK, nobody)).headers.get("grpc-status"), NOT_FOUND);
  assertEquals((await call(world.server, CHECK, [0xff])).headers.get("grpc-status"), INVALID_ARGUMENT);
  const drained = world.node.drain();
  assertEquals(messagesOf((await call(world.server, CHECK, [])).body).map((message) => [...message]), [[8, 2]]);
  await drained;
});

Deno.test("A watcher is told the health, each change of it, and that a service is not known", async () => {
  await using world = await DoorWorld.open();
  using server = await Deno.connect({ hostname: world.server.host, port: world.server.port });
  await server.write(concat(PREFACE, frame(FRAME.SETTINGS, 0, 0), watch(1, []), watch(3, [0x0a, 1, 0x78])));
  let heard = "";
  const reading = (async () => {
    const buffer = new Uint8Array(16_384);
    for (;;) {
      const length = await server.read(buffer).catch(() => null);
      if (length === null) return;
      heard += buffer.subarray(0, length).toHex();
    }
  })();
  /** A frame of data: its length, kind, flags and stream, and in it one message of two bytes. */
  const told = (stream: number, status: number) =>
    `000007 00 00 0000000${stream} 00 00000002 080${status}`.replaceAll(" ", "");
  await eventually(() => heard.includes(told(1, 1)) && heard.includes(told(3, 3)), () => `both are told: ${heard}`);
  const drained = world.node.drain();
  await eventually(() => heard.includes(told(1, 2)), () => `the change is told: ${heard}`);
  await drained;
  server.close();
  await reading;
});

/** Calls a method with these messages, and gives the whole answer. */
async function call(server: Endpoint, path: string, ...messages: number[][]) {
  const channel = new Http2Channel(server);
  const framed = concat(...messages.map((message) => framedOf(message)));
  const options = { signal: AbortSignal.timeout(5_000), maxBytes: 65_536 };
  try {
    return await channel.post(path, { ...GRPC_HEADERS }, new Uint8Array(framed), options);
  } finally {
    channel.close();
  }
}

function watch(stream: number, request: number[]): Uint8Array {
  return concat(
    frame(FRAME.HEADERS, END_HEADERS, stream, requestHeaders(WATCH, GRPC_HEADERS)),
    frame(FRAME.DATA, END_STREAM, stream, framedOf(request)),
  );
}

function framedOf(message: number[]): Uint8Array {
  return new Uint8Array([0, 0, 0, 0, message.length, ...message]);
}

function messagesOf(body: Uint8Array): Uint8Array[] {
  const messages: Uint8Array[] = [];
  for (let at = 0; at < body.length;) {
    const length = new DataView(body.buffer, body.byteOffset + at).getUint32(1);
    messages.push(body.slice(at + 5, at += 5 + length));
  }
  return messages;
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
