/** What of a client's HTTP/2 gets to Deno's: everything but what it cannot bear, however it is cut. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Http2Filter, MAX_FRAME_BYTES } from "../../../platform/http/http2_filter.ts";
import { concat, END_HEADERS, FRAME, frame, PREFACE, requestHeaders } from "../../support/http2_frames.ts";

/** What is passed of `bytes`, which come in pieces of these sizes; or why nothing more is. */
function filtered(bytes: Uint8Array, sizes: readonly number[] = [bytes.length]): Uint8Array | string {
  const filter = new Http2Filter();
  const passed: Uint8Array[] = [];
  for (let at = 0, index = 0; at < bytes.length; index++) {
    const size = sizes[index % sizes.length]!;
    const { bytes: parts, problem } = filter.push(bytes.subarray(at, at + size));
    if (problem !== undefined) return problem;
    passed.push(...parts);
    at += size;
  }
  return concat(...passed);
}

const SETTINGS = frame(FRAME.SETTINGS, 0, 0);
const HEADERS = frame(FRAME.HEADERS, END_HEADERS, 1, requestHeaders("/a/B"));
const GOAWAY = frame(FRAME.GOAWAY, 0, 0, new Uint8Array(12));
const PING = frame(FRAME.PING, 0, 0, new Uint8Array(8));
/** Answers to a PING that nobody sent, with and without other flags. */
const ANSWERS = [1, 5, 255].map((flags) => frame(FRAME.PING, flags, 0, new Uint8Array(8)));
const DATA = frame(FRAME.DATA, 1, 1, new Uint8Array([1, 2, 3]));
const DROPPED = [GOAWAY, ...ANSWERS];

Deno.test("frames are passed as they are, but GOAWAY and answers to a PING are left out, however the bytes are cut", () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 8 });
  const frames = fc.array(fc.constantFrom(SETTINGS, HEADERS, PING, DATA, ...DROPPED), { maxLength: 8 });
  fc.assert(fc.property(frames, sizes, (frames, sizes) => {
    const expected = concat(PREFACE, ...frames.filter((one) => !DROPPED.includes(one)));
    assertEquals(filtered(concat(PREFACE, ...frames), sizes), expected);
  }));
});

Deno.test("what no client may send is passed to nobody", () => {
  assertEquals(filtered(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n")), "it does not speak HTTP/2");
  assertEquals(filtered(concat(PREFACE, frame(FRAME.PUSH_PROMISE, 0, 1))), "a frame that only a server may send");
  const long = frame(FRAME.DATA, 0, 1, new Uint8Array(0), MAX_FRAME_BYTES + 1);
  assertEquals(filtered(concat(PREFACE, SETTINGS, long)), "a frame of 16385 bytes");
  const longest = frame(FRAME.DATA, 0, 1, new Uint8Array(MAX_FRAME_BYTES));
  assertEquals(filtered(concat(PREFACE, longest)), concat(PREFACE, longest));
});
