/**
 * Random HTTP/2 at the Chitty-Chat door: connections of frames that are right, nearly right, and wrong, in packets cut
 * anywhere, that end in every way. The server has to live, and others have to be answered meanwhile. Some hundred
 * connections; ten minutes with THRUM_TEST_FULL=1, and then it says what it has done. Started with
 * MALLOC_PERTURB_=165 (glibc) it ends at the first use of freed memory, and not only when that does harm.
 */

import { assert, assertEquals } from "@std/assert";
import { connect, type Socket } from "node:net";
import { serve } from "../../../../mod.ts";
import { ask } from "../../../support/raw_http.ts";
import { concat, FRAME, frame, GRPC_HEADERS, PREFACE, requestHeaders } from "../../../support/http2_frames.ts";
import { TestParticipant } from "./_world.ts";

const IS_FULL = Deno.env.get("THRUM_TEST_FULL") === "1";
/** How long, or how many connections: a busy machine may take its time. */
const SPAN_MS = 600_000;
const CONNECTIONS = 300;
/** Fuzzing clients at once. */
const CLIENTS = 8;
/** A connection that is not closed by the server within this closes itself. */
const PATIENCE_MS = 30;

type Pick = (most: number) => number;

/** Numbers from 0 up to but not including `most`, always the same ones for a seed. */
function chance(seed: number): Pick {
  let state = seed >>> 0;
  return (most) => {
    // Mulberry32.
    state = (state + 0x6d2b79f5) >>> 0;
    let word = Math.imul(state ^ (state >>> 15), state | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return ((word ^ (word >>> 14)) >>> 0) % most;
  };
}

function oneOf<T>(pick: Pick, all: readonly T[]): T {
  return all[pick(all.length)]!;
}

function bytesOf(pick: Pick, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => pick(256));
}

/** A payload as its kind of frame wants it, or something else. */
function payloadOf(pick: Pick, type: number): Uint8Array {
  const path = oneOf(pick, ["Join", "Publish", "Leave", "Nope"].map((name) => `/ChittyChatServiceIN/${name}`));
  const more = oneOf<Record<string, string>>(pick, [
    GRPC_HEADERS,
    GRPC_HEADERS,
    {},
    { ...GRPC_HEADERS, "grpc-timeout": oneOf(pick, ["1m", "0m", "nonsense", "99999999S"]) },
    { ...GRPC_HEADERS, "grpc-encoding": oneOf(pick, ["gzip", "nope"]) },
    { ...GRPC_HEADERS, "content-length": "-1" },
  ]);
  const message = bytesOf(pick, pick(40));
  if (pick(6) === 0) return bytesOf(pick, pick(64));
  switch (type) {
    case FRAME.HEADERS:
      return requestHeaders(path, more);
    case FRAME.DATA:
      return concat(new Uint8Array([pick(2), 0, 0, 0, oneOf(pick, [message.length, 0, 255])]), message);
    case FRAME.PRIORITY:
      return bytesOf(pick, 5);
    case FRAME.RST_STREAM:
    case FRAME.WINDOW_UPDATE:
      return oneOf(pick, [new Uint8Array([0, 0, 0, 8]), new Uint8Array([0x7f, 255, 255, 255]), new Uint8Array(4)]);
    case FRAME.SETTINGS: {
      const setting = new Uint8Array([0, 1 + pick(7), 0, 0, pick(256), pick(256)]);
      return oneOf(pick, [new Uint8Array(0), setting, concat(setting, setting)]);
    }
    case FRAME.PING:
      return bytesOf(pick, 8);
    case FRAME.GOAWAY:
      return concat(new Uint8Array([0, 0, 0, pick(8), 0, 0, 0, pick(14)]), bytesOf(pick, pick(8)));
    default:
      return bytesOf(pick, pick(32));
  }
}

/** What one connection says, and how many frames that are. */
function talk(pick: Pick): { bytes: Uint8Array; frames: number } {
  const parts = [pick(20) === 0 ? bytesOf(pick, 24) : PREFACE];
  if (pick(10) > 0) parts.push(frame(FRAME.SETTINGS, 0, 0));
  const kinds = [FRAME.HEADERS, FRAME.HEADERS, FRAME.HEADERS, ...Object.values(FRAME), 10 + pick(246)];
  const count = 1 + pick(12);
  for (let index = 0; index < count; index++) {
    const type = oneOf(pick, kinds);
    const stream = oneOf(pick, [0, 1, 1, 1, 3, 5, 2, 2 * index + 1, 0x7fffffff]);
    const payload = payloadOf(pick, type);
    const flags = oneOf(pick, [4, 4, 5, 1, 0, pick(256)]);
    const length = pick(15) === 0 ? pick(70_000) : payload.length;
    parts.push(frame(type, flags, stream, payload, length));
  }
  return { bytes: concat(...parts), frames: count };
}

/** Says it, and waits until the connection is over. */
function run(port: number, bytes: Uint8Array, pick: Pick): Promise<void> {
  return new Promise((resolve) => {
    const socket: Socket = connect(port, "127.0.0.1");
    const how = pick(4);
    const timer = setTimeout(() => socket.destroy(), PATIENCE_MS);
    socket.on("error", () => {});
    socket.on("data", () => {});
    socket.on("close", () => {
      clearTimeout(timer);
      resolve();
    });
    socket.on("connect", () => {
      const cut = pick(3) === 0 ? pick(bytes.length) : bytes.length;
      socket.write(bytes.subarray(0, cut));
      if (cut < bytes.length) socket.write(bytes.subarray(cut));
      if (how === 0) socket.resetAndDestroy();
      else if (how === 1) socket.end();
    });
  });
}

Deno.test("random HTTP/2 ends connections and nothing else, and others are answered meanwhile", async () => {
  await using server = await serve({
    server: { host: "127.0.0.1", port: 0 },
    gateway: { grpc: { listen: "127.0.0.1:0" }, http: { listen: "127.0.0.1:0" } },
    store: { ephemeral: true },
  });
  const { error } = console;
  const told: string[] = [];
  console.error = (text: unknown) => told.push(String(text));
  const seed = IS_FULL ? Date.now() >>> 0 : 1;
  let connections = 0;
  let frames = 0;
  let answered = 0;
  try {
    const endAt = performance.now() + SPAN_MS;
    const isOver = () => IS_FULL ? performance.now() >= endAt : connections >= CONNECTIONS;
    await using participant = await TestParticipant.listen(server.grpc!);
    const fuzzing = Array.from({ length: CLIENTS }, async (_, client) => {
      const pick = chance(seed + client);
      while (!isOver()) {
        const { bytes, frames: count } = talk(pick);
        await run(server.grpc!.port, bytes, pick);
        connections++;
        frames += count;
      }
    });
    do {
      await participant.program.join();
      await participant.program.leave();
      answered++;
    } while (!isOver());
    await Promise.all(fuzzing);
  } finally {
    console.error = error;
  }
  const metrics = (await ask(server.http!.port, "GET /metrics")).body;
  const faults = [...metrics.matchAll(/^thrum_faults_total\{where="(\w+)"\} ([1-9]\d*)$/gm)].map((
    [, where, count],
  ) => [where, count]);
  if (IS_FULL) {
    console.log({ seed, connections, frames, answered, faults, kindsOfFaults: told.length });
    for (const text of told) console.log(text);
  }
  // Whatever is thrown on the way belongs to the connection that it came from.
  assertEquals(faults.filter(([where]) => where !== "grpc"), []);
  assert(connections >= CONNECTIONS && answered > 0, `${connections} connections, ${answered} answers`);
});
