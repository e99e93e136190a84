/** Connections to the Chitty-Chat door that break HTTP/2 in the middle of a request: they end, and nobody else does. */

import { assert, assertEquals } from "@std/assert";
import { connect } from "node:net";
import { serve } from "../../../../mod.ts";
import { hasHttp2 } from "../../../../platform/http/http2_polyfill.ts";
import { ask } from "../../../support/raw_http.ts";
import { until } from "../../../support/until.ts";
import {
  concat,
  END_HEADERS,
  END_STREAM,
  FRAME,
  frame,
  GRPC_HEADERS,
  PREFACE,
  requestHeaders,
} from "../../../support/http2_frames.ts";
import { DoorWorld, TestParticipant } from "./_world.ts";

const JOIN = "/ChittyChatServiceIN/Join";
/** Not of gRPC; of no procedure; and as it should be. */
const REQUESTS = [
  requestHeaders(JOIN),
  requestHeaders("/nope/Nope", GRPC_HEADERS),
  requestHeaders(JOIN, GRPC_HEADERS),
];

Deno.test("HEADERS and an error of the connection in one packet end that connection alone", async () => {
  await using server = await serve({
    server: { host: "127.0.0.1", port: 0 },
    gateway: { grpc: { listen: "127.0.0.1:0" }, http: { listen: "127.0.0.1:0" } },
    store: { ephemeral: true },
  });
  const { error } = console;
  console.error = () => {};
  try {
    for (const headers of REQUESTS) {
      const resetOfNothing = frame(FRAME.RST_STREAM, 0, 0x7fffffff, new Uint8Array([0, 0, 0, 8]));
      const packet = concat(
        PREFACE,
        frame(FRAME.SETTINGS, 0, 0),
        frame(FRAME.HEADERS, END_HEADERS, 1, headers),
        resetOfNothing,
      );
      const socket = connect(server.grpc!.port, "127.0.0.1");
      let isClosed = false;
      socket.on("error", () => {});
      socket.on("data", () => {});
      socket.on("close", () => isClosed = true);
      socket.write(packet);
      await until(() => isClosed, "the end of the connection");
    }
  } finally {
    console.error = error;
  }
  await using participant = await TestParticipant.listen(server.grpc!);
  await participant.program.join();
  const metrics = (await ask(server.http!.port, "GET /metrics")).body;
  const count = Number(/^thrum_faults_total\{where="grpc"\} (\d+)$/m.exec(metrics)?.[1]);
  assert(count >= 2, `faults that were counted: ${count}`);
  assertEquals(/^thrum_faults_total\{where="process"\} (\d+)$/m.exec(metrics)?.[1], "0");
});

Deno.test({
  name: "a client that ends after its requests gets all answers, and then the connection ends",
  // There the library listens by itself.
  ignore: !hasHttp2(),
  fn: async () => {
    await using world = await DoorWorld.open();
    const streams = Array.from({ length: 60 }, (_, n) => 2 * n + 1);
    const headers = (stream: number) =>
      frame(FRAME.HEADERS, END_HEADERS, stream, requestHeaders("/ChittyChatServiceIN/Leave", GRPC_HEADERS));
    const requests = streams.flatMap((
      stream,
    ) => [headers(stream), frame(FRAME.DATA, END_STREAM, stream, new Uint8Array(5))]);
    // The last one is broken off.
    const packet = concat(PREFACE, frame(FRAME.SETTINGS, 0, 0), ...requests, headers(2 * streams.length + 1));
    const socket = connect({ port: world.server.port, host: "127.0.0.1", allowHalfOpen: true });
    let received: Uint8Array = new Uint8Array(0);
    let hasEnded = false;
    socket.on("error", () => {});
    socket.on("data", (bytes: Uint8Array) => received = concat(received, bytes));
    socket.on("end", () => hasEnded = true);
    socket.end(packet);
    await until(() => hasEnded, "the end of the connection");
    socket.destroy();
    const answers = framesOf(received);
    const answered = answers.filter(({ type }) => type === FRAME.HEADERS).map(({ stream }) => stream);
    assertEquals(answered.filter((stream) => streams.includes(stream)), streams);
    // It was ended, and not cut.
    assertEquals(answers.filter(({ type }) => type === FRAME.GOAWAY).length, 1);
  },
});

function framesOf(bytes: Uint8Array): { type: number; stream: number }[] {
  const view = new DataView(bytes.buffer);
  const frames = [];
  for (let at = 0; at + 9 <= bytes.length; at += 9 + (view.getUint32(at) >> 8)) {
    frames.push({ type: bytes[at + 3]!, stream: view.getUint32(at + 5) });
  }
  return frames;
}
