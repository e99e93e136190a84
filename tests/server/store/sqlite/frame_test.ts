import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { EVERYONE, SERVERS } from "../../../../log/segment.ts";
import {
  AUDIENCE_NUMBERS,
  audienceOf,
  decodeFrame,
  encodeFrame,
  encodeHeader,
  type Frame,
} from "../../../../server/store/sqlite/frame.ts";

const whole = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const name = fc.oneof(fc.string({ maxLength: 20 }), fc.string({ unit: "grapheme", maxLength: 128 }));
const range = fc.record({ start: fc.nat(), end: fc.nat() });
const frames: fc.Arbitrary<Frame> = fc.record({
  position: whole,
  origin: name,
  first: fc.integer({ min: 1, max: 2 ** 50 }),
  lines: fc.integer({ min: 1, max: 2 ** 31 }),
  audience: fc.oneof(
    fc.constantFrom(EVERYONE, SERVERS),
    name.map((username) => ({ kind: "user" as const, username })),
    fc.array(fc.record({ name, ranges: fc.array(range, { maxLength: 5 }) }), { minLength: 1, maxLength: 4 })
      .map((channels) => ({ kind: "channels" as const, channels })),
  ),
  takenAt: fc.double({ noNaN: true, min: 0, max: 1e15 }),
  lamport: whole,
  bytes: fc.uint8Array({ maxLength: 300 }),
}).map(({ lines, ...rest }) => ({ ...rest, last: rest.first + lines - 1 }));

const FRAME: Frame = {
  position: 17,
  origin: "s-0123456789ab",
  first: 5,
  last: 6,
  audience: { kind: "user", username: "zoë 😀" },
  takenAt: 1_796_000_000_000.5,
  bytes: new TextEncoder().encode('{"a":1}\n{"a":2}\n'),
  lamport: 40,
};

function decoded(bytes: Uint8Array, at?: number): { frame: Frame; length: number } {
  const found = decodeFrame(bytes, at);
  assert(found.ok, found.ok ? "" : found.problem);
  return found;
}

Deno.test("decodeFrame() gives back what encodeFrame() was given, wherever it lies", () => {
  fc.assert(
    fc.property(frames, fc.uint8Array({ maxLength: 9 }), fc.uint8Array({ maxLength: 9 }), (frame, before, after) => {
      const encoded = encodeFrame(frame);
      assertEquals(decoded(encoded), { ok: true, frame, length: encoded.length } as never);
      const around = new Uint8Array([...before, ...encoded, ...after]);
      assertEquals(decoded(around, before.length).frame, frame);
    }),
  );
});

Deno.test("a frame is its header, then the segment's own bytes", () => {
  fc.assert(fc.property(frames, (frame) => {
    assertEquals(encodeFrame(frame), new Uint8Array([...encodeHeader(frame), ...frame.bytes]));
  }));
});

Deno.test("decodeFrame() finds every single bit that has changed", () => {
  const encoded = encodeFrame(FRAME);
  for (let bit = 0; bit < encoded.length * 8; bit++) {
    const changed = encoded.slice();
    changed[bit >> 3]! ^= 1 << (bit & 7);
    assertEquals(decodeFrame(changed).ok, false, `bit ${bit & 7} of byte ${bit >> 3}`);
  }
});

Deno.test("decodeFrame() finds a changed bit, and a changed stretch, in any frame", () => {
  fc.assert(fc.property(frames, fc.nat(), fc.integer({ min: 1, max: 255 }), (frame, place, change) => {
    const encoded = encodeFrame(frame);
    const at = place % encoded.length;
    const flipped = encoded.slice();
    flipped[at]! ^= change;
    assertEquals(decodeFrame(flipped).ok, false);
    const zeroed = encoded.slice().fill(0, at);
    assertEquals(decodeFrame(zeroed).ok, zeroed.every((byte, index) => byte === encoded[index]));
  }));
});

Deno.test("decodeFrame() finds a frame that was cut off, wherever that was", () => {
  const encoded = encodeFrame(FRAME);
  for (let length = 0; length < encoded.length; length++) {
    assertEquals(decodeFrame(encoded.subarray(0, length)).ok, false, `${length} bytes`);
  }
});

Deno.test("decodeFrame() takes anything at all, and finds no frame in it", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), fc.boolean(), (bytes, hasMagic) => {
    if (hasMagic) bytes.set(encodeFrame(FRAME).subarray(0, Math.min(4, bytes.length)));
    assertEquals(decodeFrame(bytes).ok, false);
  }));
});

Deno.test("frames are written as they always were", async () => {
  // Files have them: whoever changes this makes a new form.
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", encodeFrame(FRAME).slice()));
  const text = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  assertEquals(text, "5fd3207df8268121760859a28a29a61bc35215e09f22ec88168d16191eeb4cc0");
});

Deno.test("a frame with lines of channels says so, and a program that knows no channels takes it for a newer one's", () => {
  const channels = [{ name: "lab/1", ranges: [{ start: 0, end: 8 }] }];
  const encoded = encodeFrame({ ...FRAME, audience: { kind: "channels", channels } });
  // The byte that such a program wants to be zero.
  assertEquals([encodeFrame(FRAME)[5], encoded[5]], [0, 1]);
  assertEquals(decoded(encoded).frame.audience, { kind: "channels", channels });
});

Deno.test("no line of a segment can be taken for the beginning of a frame", () => {
  const magic = encodeFrame(FRAME).subarray(0, 4);
  assertThrows(() => new TextDecoder("utf-8", { fatal: true }).decode(magic.subarray(0, 1)), TypeError);
});

Deno.test("encodeFrame() refuses a name that does not fit", () => {
  assertThrows(() => encodeFrame({ ...FRAME, origin: "x".repeat(70_000) }), RangeError, "70000 bytes");
});

Deno.test("audiences have the numbers that files have", () => {
  assertEquals(AUDIENCE_NUMBERS, { everyone: 0, user: 1, servers: 2 });
  assertEquals([0, 1, 2].map((number) => audienceOf(number, "bob")?.kind), ["everyone", "user", "servers"]);
  assertEquals([audienceOf(3, "bob"), audienceOf(1, null)], [undefined, undefined]);
});
