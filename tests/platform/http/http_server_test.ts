/** Connections of an HTTP server: how many there are, and how long they take. Deno 2.5 tells of neither. */

import { assertEquals } from "@std/assert";
import type { Socket } from "node:net";
import { type HttpHandler, type HttpLimits, listenHttp } from "../../../platform/http/http_server.ts";
import { open, requestText } from "../../support/raw_http.ts";
import { until } from "../../support/until.ts";

const ENOUGH: HttpLimits = { maxCallers: 100, takeMs: 60_000, requestMs: 60_000 };
const HOST = { host: "localhost" };
/** More than the system's own buffers hold. */
const LARGE = new Uint8Array(32 * 1_048_576);

/** `undefined`, and says so, where the runtime does not tell of connections. */
async function listen(
  handler: HttpHandler["request"],
  limits: Partial<HttpLimits> = {},
): Promise<{ readonly port: number; parsed(): number } & AsyncDisposable | undefined> {
  if (Deno.version.deno.startsWith("2.5.")) {
    console.log("SKIPPED: Deno 2.5 does not tell of connections");
    return undefined;
  }
  const listener = await listenHttp({ host: "127.0.0.1", port: 0 }, { request: handler, upgrade: () => {} }, {
    ...ENOUGH,
    ...limits,
  });
  return { port: listener.port, parsed: () => listener.parsed, [Symbol.asyncDispose]: () => listener.close() };
}

function isClosed(socket: Socket): () => boolean {
  let closed = false;
  socket.on("close", () => closed = true);
  return () => closed;
}

Deno.test("of too many connections that ask for nothing the oldest goes, and streams are not counted", async () => {
  let streams = 0;
  await using server = await listen((exchange) => {
    streams++;
    exchange.stream({}, { drained: () => {}, closed: () => streams-- });
  }, { maxCallers: 2 });
  if (server === undefined) return;
  const stream = await open(server.port);
  stream.write(requestText("GET /stream", HOST));
  await until(() => streams === 1, "a stream");
  const sockets: Socket[] = [];
  for (let count = 1; count <= 3; count++) sockets.push((await open(server.port)).resume());
  const closed = sockets.map(isClosed);
  await until(() => closed[0]!(), "the end of the oldest");
  assertEquals([...closed.map((is) => is()), streams], [true, false, false, 1]);
  for (const socket of [stream, ...sockets]) socket.destroy();
  await until(() => streams === 0, "the end of the stream");
});

Deno.test("streams that wait behind another one on the same connection end with it", async () => {
  let streams = 0;
  await using server = await listen((exchange) => {
    streams++;
    const stream = exchange.stream({}, { drained: () => {}, closed: () => streams-- });
    stream.write(new Uint8Array(100));
  });
  if (server === undefined) return;
  const socket = await open(server.port);
  socket.write(requestText("GET /", HOST).repeat(10));
  await until(() => streams === 10, "all streams");
  socket.destroy();
  await until(() => streams === 0, "their end");
});

Deno.test("an answer that nobody takes is cut after a while, whatever it waits for", async () => {
  await using server = await listen((exchange) => {
    exchange.reply({ status: 200, headers: {}, body: exchange.request.target === "/" ? "small" : LARGE });
  }, { takeMs: 200 });
  if (server === undefined) return;
  const idle = (await open(server.port)).resume();
  const isIdleClosed = isClosed(idle);
  idle.write(requestText("GET /", HOST));
  const sockets: Socket[] = [];
  for (const path of ["/large", "/large"]) {
    const socket = await open(server.port);
    // Reads nothing, and sees only that it has been cut.
    socket.pause();
    socket.write(requestText(`GET ${path}`, HOST).repeat(sockets.length + 1));
    sockets.push(socket);
  }
  const closed = sockets.map(isClosed);
  await until(() => {
    for (const socket of sockets) if (!socket.destroyed) socket.write("\r\n");
    return closed.every((is) => is());
  }, "both cut");
  assertEquals(isIdleClosed(), false);
  idle.destroy();
});

Deno.test("headers that trickle in are cut when their time is over, the first ones and those that follow; what is answered has its own", async () => {
  let streams = 0;
  await using server = await listen((exchange) => {
    if (exchange.request.target === "/") return exchange.reply({ status: 200, headers: {}, body: "" });
    streams++;
    exchange.stream({}, { drained: () => {}, closed: () => streams-- });
  }, { requestMs: 500 });
  if (server === undefined) return;
  const stream = await open(server.port);
  stream.write(requestText("GET /stream", HOST));
  await until(() => streams === 1, "a stream");
  const sockets = [await open(server.port), await open(server.port), await open(server.port)];
  const closed = sockets.map(isClosed);
  const [slow, second, silent] = sockets as [Socket, Socket, Socket];
  for (const socket of sockets) socket.resume();
  second.write(requestText("GET /", HOST));
  slow.write("GET / HTTP/1.1\r\nx: ");
  // Always something, so that it is never idle.
  const trickling = setInterval(() => [slow, second].forEach((socket) => socket.write("x")), 20);
  try {
    await until(() => closed.every((is) => is()), "the end of those who have asked nothing in time");
  } finally {
    clearInterval(trickling);
  }
  assertEquals(streams, 1);
  for (const socket of [stream, silent]) socket.destroy();
  await until(() => streams === 0, "the end of the stream");
});

Deno.test("a connection that asks for very much before it was answered is cut, and one that asks for a little is answered", async () => {
  let asked = 0;
  await using server = await listen((exchange) => {
    asked++;
    exchange.reply({ status: 200, headers: {}, body: "ok" });
  });
  if (server === undefined) return;
  const answers = async (count: number) => {
    const socket = await open(server.port);
    const closed = isClosed(socket);
    let text = "";
    socket.on("data", (bytes: Uint8Array) => text += new TextDecoder().decode(bytes));
    socket.write(requestText("GET /", HOST).repeat(count));
    const isAnswered = () => text.split("HTTP/1.1 200").length - 1 === count;
    await until(() => closed() || isAnswered(), "an end");
    const sees = isAnswered();
    socket.destroy();
    return sees;
  };
  assertEquals(await answers(1_000), false);
  assertEquals(asked <= 16, true, `${asked} were answered`);
  // What stands behind the one that was too much keeps nobody waiting.
  assertEquals(server.parsed() <= 17, true, `${server.parsed()} were parsed`);
  assertEquals(await answers(10), true);
  // One after the other there may be any number.
  const socket = await open(server.port);
  let text = "";
  socket.on("data", (bytes: Uint8Array) => text += new TextDecoder().decode(bytes));
  for (let count = 1; count <= 100; count++) {
    socket.write(requestText("GET /", HOST));
    await until(() => text.split("HTTP/1.1 200").length - 1 === count, `answer ${count}`);
  }
  socket.destroy();
});
