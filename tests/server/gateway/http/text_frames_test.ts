import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { FrameCache, framesOf } from "../../../../server/gateway/http/text_frames.ts";
import { FakeClock } from "../../../support/fake_clock.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** As RFC 6455 has it, and as slowly as can be. */
function readFrames(frames: Uint8Array): string[] {
  const texts: string[] = [];
  for (let at = 0; at < frames.length;) {
    assertEquals(frames[at], 0x81);
    const short = frames[at + 1]!;
    const bytes = short < 126 ? 0 : short === 126 ? 2 : 8;
    let length = bytes === 0 ? short : 0;
    for (let byte = 0; byte < bytes; byte++) length = length * 256 + frames[at + 2 + byte]!;
    at += 2 + bytes;
    texts.push(decoder.decode(frames.subarray(at, at + length)));
    at += length;
  }
  return texts;
}

Deno.test("framesOf() makes a text frame of each line, without its newline", () => {
  for (const lengths of [[0], [1, 2], [125, 126, 127], [65_535], [65_536, 1], [70_000, 0, 0, 5]]) {
    const lines = lengths.map((length, index) => String(index).repeat(length));
    const { frames, rest } = framesOf(encoder.encode(lines.map((line) => `${line}\n`).join("")));
    assertEquals(readFrames(frames), lines);
    assertEquals(rest.length, 0);
  }
});

Deno.test("framesOf() leaves what follows the last newline, wherever a text is cut", () => {
  fc.assert(fc.property(fc.array(fc.string({ unit: "binary" })), fc.nat(), (parts, cut) => {
    const lines = parts.map((part) => part.replaceAll("\n", " "));
    const bytes = encoder.encode(lines.map((line) => `${line}\n`).join(""));
    const at = bytes.length === 0 ? 0 : cut % bytes.length;
    const first = framesOf(bytes.subarray(0, at));
    const second = framesOf(new Uint8Array([...first.rest, ...bytes.subarray(at)]));
    assertEquals(
      [...readFrames(first.frames), ...readFrames(second.frames)],
      lines.map((line) => decoder.decode(encoder.encode(line))),
    );
    assertEquals(second.rest.length, 0);
  }));
});

Deno.test("the frames of a buffer are made once for all who are sent it in one turn, and not kept", async () => {
  const clock = new FakeClock();
  const cache = new FrameCache(clock);
  const bytes = encoder.encode("a\nb\n");
  const framed = cache.framesOf(bytes);
  assertStrictEquals(cache.framesOf(bytes), framed);
  assertEquals(cache.framesOf(encoder.encode("a\nb\n")), framed);
  await clock.run(0);
  assert(cache.framesOf(bytes) !== framed);
  await clock.run(0);
});
