/** Calls of servers that answer strangely, late, or not at all. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { SERVICE_IN } from "../../../../server/gateway/grpc/messages.ts";
import { callUnary, GRPC_STATUS, GrpcError } from "../../../../server/gateway/grpc/unary_call.ts";
import { Http2Channel, Http2Error } from "../../../../platform/http/http2_client.ts";
import { realClock } from "../../../../platform/real_clock.ts";

const REPLY = Uint8Array.from([0, 0, 0, 0, 4, 0x12, 2, 0x6f, 0x6b]);
const GRPC = { "content-type": "application/grpc" };

Deno.test("A reply is its message; what is no reply is an error with a sentence", async () => {
  const answers: [Response, number | undefined, string][] = [
    [new Response(REPLY, { headers: GRPC }), undefined, "ok"],
    [
      new Response(null, { headers: { ...GRPC, "grpc-status": "9", "grpc-message": "1111 has%20not joined" } }),
      9,
      "not joined",
    ],
    [new Response(null, { headers: { ...GRPC, "grpc-status": "9", "grpc-message": "100%" } }), 9, "100%"],
    [new Response(null, { headers: GRPC }), GRPC_STATUS.UNKNOWN, "without a message"],
    [new Response("not here", { status: 404 }), GRPC_STATUS.UNKNOWN, "HTTP status 404"],
    [new Response(null, { status: 302, headers: { location: "/elsewhere" } }), GRPC_STATUS.UNKNOWN, "302"],
    [new Response(REPLY.subarray(0, 7), { headers: GRPC }), GRPC_STATUS.INTERNAL, "cut off"],
    [new Response(REPLY.subarray(0, 3), { headers: GRPC }), GRPC_STATUS.INTERNAL, "cut off"],
    [new Response(Uint8Array.from([1, ...REPLY.subarray(1)]), { headers: GRPC }), GRPC_STATUS.INTERNAL, "compressed"],
    [new Response(Uint8Array.from([0, 0, 0, 0, 1, 0x0f]), { headers: GRPC }), GRPC_STATUS.INTERNAL, "no message"],
    [new Response(new Uint8Array(70_000), { headers: GRPC }), GRPC_STATUS.UNAVAILABLE, "longer than"],
  ];
  for (const [answer, code, words] of answers) {
    await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => answer);
    await withChannel(server.addr.port, async (channel) => {
      const call = callUnary(channel, SERVICE_IN.Join, { participantID: "1111", lamportTime: 1 }, options(5_000));
      if (code === undefined) return assertEquals((await call).reply, words);
      const error = await assertRejects(() => call, GrpcError);
      assertEquals([error.code, error.message.includes(words)], [code, true], error.message);
    });
  }
});

Deno.test("A server that says nothing is waited for until the deadline, and the next call goes over the same connection", async () => {
  let isSilent = true;
  const late = Promise.withResolvers<Response>();
  const ports = new Set<number>();
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (_request, { remoteAddr }) => {
    ports.add(remoteAddr.port);
    return isSilent ? late.promise : new Response(REPLY.slice(), { headers: GRPC });
  });
  await withChannel(server.addr.port, async (channel) => {
    const request = { participantID: "1111", lamportTime: 1 };
    const error = await assertRejects(() => callUnary(channel, SERVICE_IN.Join, request, options(50)), GrpcError);
    assertEquals(error.code, GRPC_STATUS.DEADLINE_EXCEEDED);
    isSilent = false;
    assertEquals((await callUnary(channel, SERVICE_IN.Join, request, options(5_000))).reply, "ok");
    assertEquals(ports.size, 1);
  });
  late.resolve(new Response());
});

Deno.test("One that does not listen is unreachable at once, or waited for", async () => {
  const port = freePort();
  await withChannel(port, async (channel) => {
    const request = { participantID: "1111", lamportTime: 1 };
    const error = await assertRejects(() => callUnary(channel, SERVICE_IN.Join, request, options(5_000)), GrpcError);
    assertEquals(error.code, GRPC_STATUS.UNAVAILABLE);
    assertStringIncludes(error.message, "onnection refused");
    const waiting = callUnary(channel, SERVICE_IN.Join, request, { ...options(5_000), waitsForServer: true });
    await using _server = Deno.serve(
      { hostname: "127.0.0.1", port, onListen() {} },
      () => new Response(REPLY.slice(), { headers: GRPC }),
    );
    assertEquals((await waiting).reply, "ok");
  });
});

Deno.test("A channel that is closed ends what is under way over it", async () => {
  const arrived = Promise.withResolvers<void>();
  const late = Promise.withResolvers<Response>();
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => {
    arrived.resolve();
    return late.promise;
  });
  const channel = new Http2Channel({ host: "127.0.0.1", port: server.addr.port });
  const request = { participantID: "1111", lamportTime: 1 };
  const call = assertRejects(() => callUnary(channel, SERVICE_IN.Join, request, options(5_000)), GrpcError);
  await arrived.promise;
  const begunAt = performance.now();
  channel.close();
  channel.close();
  assertEquals((await call).code, GRPC_STATUS.UNAVAILABLE);
  assert(performance.now() - begunAt < 2_000);
  late.resolve(new Response());
});

Deno.test("A channel that is closed waits for no server any more, and one that is told too late calls none", async () => {
  const port = freePort();
  const request = { participantID: "1111", lamportTime: 1 };
  const channel = new Http2Channel({ host: "127.0.0.1", port });
  const endless = { ...options(60_000), waitsForServer: true };
  const call = assertRejects(() => callUnary(channel, SERVICE_IN.Join, request, endless), GrpcError, "was closed");
  channel.close();
  await call;
  await assertRejects(() => callUnary(channel, SERVICE_IN.Join, request, endless), GrpcError, "was closed");
  await withChannel(port, async (channel) => {
    const late = { signal: AbortSignal.abort(new Error("too late")), maxBytes: 1 };
    await assertRejects(() => channel.post("/", {}, new Uint8Array(), late), Http2Error, "too late");
  });
});

function options(timeoutMs: number) {
  return { clock: realClock, timeoutMs, waitsForServer: false };
}

async function withChannel(port: number, use: (channel: Http2Channel) => Promise<void>): Promise<void> {
  const channel = new Http2Channel({ host: "127.0.0.1", port });
  try {
    await use(channel);
  } finally {
    channel.close();
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
