/**
 * What a connection of HTTP/2 may take of one turn of the event loop, and that nothing of it is lost for that. Deno
 * 2.5 has another front.
 */

import { assert, assertEquals } from "@std/assert";
import { setImmediate } from "node:timers";
import type { Duplex } from "node:stream";
import { UNGUARDED } from "../../platform/faults.ts";
import { BYTES_PER_TURN, listenHttp2 } from "../../platform/http/http2_front.ts";
import { hasHttp2 } from "../../platform/http/http2_polyfill.ts";
import { concat, FRAME, frame, PREFACE } from "../support/http2_frames.ts";
import { open } from "../support/raw_http.ts";
import { until } from "../support/until.ts";

const FRAMES = 6_000;
/** Each says which one it is. */
const PACKET = concat(
  PREFACE,
  ...Array.from({ length: FRAMES }, (_, n) => frame(FRAME.WINDOW_UPDATE, 0, 0, Uint8Array.of(0, 0, n >> 8, n & 255))),
);

/** Deno 2.5 has no such HTTP/2, and the door no front there. */
function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore: !hasHttp2(), fn });
}

/** Keeps what comes out of connections, and how much of it came in one turn. */
class Reader {
  readonly #parts: Uint8Array[] = [];
  #inThisTurn = 0;
  #turnEnd: ReturnType<typeof setImmediate> | undefined;
  mostInOneTurn = 0;
  size = 0;
  hasEnded = false;

  constructor(...connections: Duplex[]) {
    for (const connection of connections) this.read(connection);
  }

  read(connection: Duplex): void {
    connection.on("end", () => this.hasEnded = true);
    connection.on("data", (bytes: Uint8Array) => {
      this.#parts.push(bytes);
      this.size += bytes.length;
      this.#inThisTurn += bytes.length;
      this.mostInOneTurn = Math.max(this.mostInOneTurn, this.#inThisTurn);
      this.#turnEnd ??= setImmediate(() => {
        this.#turnEnd = undefined;
        this.#inThisTurn = 0;
      });
    });
  }

  get all(): Uint8Array {
    return concat(...this.#parts);
  }
}

test("of a packet of frames a slice is passed on in each turn, all of it in order, and then its end", async () => {
  let reader: Reader | undefined;
  let connection: Duplex | undefined;
  const front = await listenHttp2({ host: "127.0.0.1", port: 0 }, (taken) => {
    connection = taken;
    reader = new Reader(taken);
  }, { faults: UNGUARDED, maxCallers: 10 });
  const socket = await open(front.port);
  socket.end(PACKET);
  await until(() => reader?.hasEnded === true, "the end");
  assertEquals(reader!.size, PACKET.length);
  assertEquals(reader!.all, PACKET);
  assert(reader!.mostInOneTurn <= BYTES_PER_TURN, `${reader!.mostInOneTurn} bytes in one turn`);
  connection!.destroy();
  front.close();
  socket.destroy();
});

test("many connections with a packet each share the turn, and all packets are passed on", async () => {
  const connections: Duplex[] = [];
  const all = new Reader();
  const front = await listenHttp2({ host: "127.0.0.1", port: 0 }, (taken) => {
    connections.push(taken);
    all.read(taken);
  }, { faults: UNGUARDED, maxCallers: 30 });
  const sockets = await Promise.all(Array.from({ length: 20 }, () => open(front.port)));
  for (const socket of sockets) socket.end(PACKET);
  await until(() => all.size === sockets.length * PACKET.length, "all packets");
  // The last slice of a turn may begin just before the bound.
  assert(all.mostInOneTurn < 2 * BYTES_PER_TURN, `${all.mostInOneTurn} bytes in one turn`);
  for (const connection of connections) connection.destroy();
  front.close();
  for (const socket of sockets) socket.destroy();
});

test("a connection whose reader has no room is not read, and goes on when there is some", async () => {
  let connection: Duplex | undefined;
  const front = await listenHttp2({ host: "127.0.0.1", port: 0 }, (taken) => {
    connection = taken;
  }, { faults: UNGUARDED, maxCallers: 10 });
  const socket = await open(front.port);
  socket.end(PACKET);
  await until(() => connection !== undefined && connection.readableLength > 0, "something that waits");
  const reader = new Reader(connection!);
  await until(() => reader.hasEnded, "the end");
  assertEquals(reader.all, PACKET);
  connection!.destroy();
  front.close();
  socket.destroy();
});

test("a connection that is cut in the middle of a packet passes nothing more on", async () => {
  let size = 0;
  let isClosed = false;
  const front = await listenHttp2({ host: "127.0.0.1", port: 0 }, (taken) => {
    taken.on("data", (bytes: Uint8Array) => {
      size += bytes.length;
      taken.destroy();
    });
    taken.on("close", () => isClosed = true);
  }, { faults: UNGUARDED, maxCallers: 10 });
  const socket = await open(front.port);
  socket.on("error", () => {});
  socket.write(PACKET);
  await until(() => isClosed, "its end");
  assert(size <= BYTES_PER_TURN, `${size} bytes`);
  front.close();
  socket.destroy();
});

test("a connection whose client has ended is cut in the end, also when nobody ends it", async () => {
  let connection: Duplex | undefined;
  const front = await listenHttp2({ host: "127.0.0.1", port: 0 }, (taken) => {
    connection = taken;
    taken.resume();
  }, { faults: UNGUARDED, maxCallers: 10, lastAnswersMs: 1 });
  const socket = await open(front.port);
  socket.end(PREFACE);
  await until(() => connection?.destroyed === true, "its end");
  front.close();
  socket.destroy();
});
