/**
 * Every kind of HTTP/2 frame at the Chitty-Chat door of a server whose memory is overwritten when it is freed
 * (`MALLOC_PERTURB_`, of glibc). So what the runtime uses after it was freed ends the server here each time, and not
 * once in some thousand connections. Elsewhere it is only a server that gets many frames.
 */

import { assertEquals, fail } from "@std/assert";
import { hasHttp2 } from "../../../../platform/http/http2_polyfill.ts";
import {
  concat,
  END_HEADERS,
  FRAME,
  frame,
  GRPC_HEADERS,
  PREFACE,
  requestHeaders,
} from "../../../support/http2_frames.ts";
import { startServer } from "../../../support/program.ts";
import { open } from "../../../support/raw_http.ts";

/** Connections at once. */
const CLIENTS = 8;
const UNKNOWN = 10;
const TYPES = [...Object.values(FRAME), UNKNOWN];
/** None, what most kinds know, and all. */
const FLAGS = [0, 1, 4, 5, 255];
/** Of the connection, of a request that is open, and of none. */
const STREAMS = [0, 1, 3];
/** Bytes of a payload: none, a RST_STREAM's, a PING's, a GOAWAY's with something to say. */
const SIZES = [0, 4, 8, 17];

const OPENED = concat(PREFACE, frame(FRAME.SETTINGS, 0, 0));
const REQUEST = frame(FRAME.HEADERS, END_HEADERS, 1, requestHeaders("/ChittyChatServiceIN/Join", GRPC_HEADERS));
/** An error of the connection, so that it ends. */
const ERROR = frame(FRAME.CONTINUATION, END_HEADERS, 0x7fffffff);

/** What connections say: each frame with and without a request, in one packet with the error. */
const TALKS = TYPES.flatMap((type) =>
  FLAGS.flatMap((flags) =>
    STREAMS.flatMap((stream) =>
      SIZES.flatMap((size) => {
        const one = frame(type, flags, stream, new Uint8Array(size));
        return [concat(OPENED, one, ERROR), concat(OPENED, REQUEST, one, ERROR)];
      })
    )
  )
);

/** Says it, and waits until the connection is over. */
async function say(port: number, bytes: Uint8Array): Promise<void> {
  const socket = await open(port);
  const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
  socket.resume();
  socket.write(bytes);
  await closed;
}

Deno.test({
  name: "no frame makes the runtime use memory that it has freed",
  ignore: !hasHttp2(),
  fn: async () => {
    await using server = startServer(["--port", "0", "--ephemeral", "--grpc", "0"], {
      env: { MALLOC_PERTURB_: "165" },
    });
    const [, port] = await server.sees(/Chitty-Chat 127\.0\.0\.1:(\d+)/);
    const waiting = [...TALKS];
    const talking = Array.from({ length: CLIENTS }, async () => {
      for (let talk = waiting.pop(); talk !== undefined; talk = waiting.pop()) await say(Number(port), talk);
    });
    await Promise.all(talking).catch(async (error) => fail(`The server ended with ${await server.ended()}: ${error}`));
    server.signal("SIGTERM");
    assertEquals(await server.ended(), 0);
  },
});
