import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { LineFramer } from "../../protocol/line_framer.ts";

const encoder = new TextEncoder();

/** What a connection would see: all lines in order, and the first problem. */
function frame(framer: LineFramer, ...chunks: Uint8Array[]): { lines: string[]; problem: string | undefined } {
  const lines: string[] = [];
  for (const chunk of chunks) {
    const framed = framer.push(chunk);
    lines.push(...framed.lines);
    if (framed.problem !== undefined) return { lines, problem: framed.problem };
  }
  return { lines, problem: undefined };
}

Deno.test("LineFramer.push() keeps a partial line for the next chunk", () => {
  const framer = new LineFramer(100);
  assertEquals(frame(framer, encoder.encode('{"a":')), { lines: [], problem: undefined });
  assert(framer.hasUnfinishedLine);
  assertEquals(frame(framer, encoder.encode('1}\n{"b"')), { lines: ['{"a":1}'], problem: undefined });
  assertEquals(frame(framer, encoder.encode(":2}\n")), { lines: ['{"b":2}'], problem: undefined });
  assert(!framer.hasUnfinishedLine);
});

Deno.test("LineFramer.push() takes CRLF, also cut between its two bytes", () => {
  assertEquals(frame(new LineFramer(9), encoder.encode("a\r\nb\r\n")).lines, ["a", "b"]);
  assertEquals(frame(new LineFramer(9), encoder.encode("a\r"), encoder.encode("\nb\n")).lines, ["a", "b"]);
});

Deno.test("LineFramer.push() gives the same lines wherever the bytes are cut", () => {
  const samples = ['{"command":"LOGOUT"}\n', "Grüße, 日本語 and 🎈\r\n", "\n", "x\n\ny\n", "\u2028\n"];
  for (const sample of [...samples, samples.join("")]) {
    const bytes = encoder.encode(sample);
    const whole = frame(new LineFramer(1000), bytes);
    for (let at = 0; at <= bytes.length; at++) {
      assertEquals(frame(new LineFramer(1000), bytes.subarray(0, at), bytes.subarray(at)), whole, `cut at ${at}`);
    }
    assertEquals(frame(new LineFramer(1000), ...Array.from(bytes, (byte) => Uint8Array.of(byte))), whole);
  }
});

Deno.test("LineFramer.push() does what a splitter that sees everything at once does", () => {
  const line = fc.string({ unit: "grapheme", maxLength: 12 }).map((text) => text.replace(/[\r\n]/g, ""));
  fc.assert(fc.property(fc.array(line), fc.array(fc.integer({ min: 1, max: 7 })), (lines, sizes) => {
    const bytes = encoder.encode(lines.map((one) => `${one}\n`).join(""));
    const chunks: Uint8Array[] = [];
    for (let at = 0, turn = 0; at < bytes.length; turn++) {
      const size = sizes[turn % Math.max(1, sizes.length)] ?? 5;
      chunks.push(bytes.subarray(at, at + size));
      at += size;
    }
    assertEquals(frame(new LineFramer(1000), ...chunks), { lines, problem: undefined });
  }));
});

Deno.test("LineFramer.push() measures the limit in bytes, without the line's end", () => {
  const fits = "ü".repeat(5);
  assertEquals(frame(new LineFramer(10), encoder.encode(`${fits}\r\n`)).lines, [fits]);
  for (const bad of [`${fits}x\n`, `${fits}xy`, `${fits}xyz\nok\n`, "🎈🎈🎈\n"]) {
    for (const chunks of [[encoder.encode(bad)], Array.from(encoder.encode(bad), (byte) => Uint8Array.of(byte))]) {
      const { lines, problem } = frame(new LineFramer(10), ...chunks);
      assertEquals(lines, []);
      assertStringIncludes(problem!, "longer than 10 bytes");
    }
  }
});

Deno.test("LineFramer.push() gives the good lines before one that is too long or not UTF-8", () => {
  const tooLong = frame(new LineFramer(5), encoder.encode("a\nb\n123456\nc\n"));
  assertEquals(tooLong.lines, ["a", "b"]);
  assertStringIncludes(tooLong.problem!, "longer");
  for (const invalid of [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xf0, 0x9f]]) {
    const bytes = new Uint8Array([...encoder.encode("a\nü\n"), ...invalid, 0x0a, 0x62, 0x0a]);
    const { lines, problem } = frame(new LineFramer(50), bytes);
    assertEquals(lines, ["a", "ü"]);
    assertEquals(problem, "the line is not valid UTF-8");
  }
});

Deno.test("LineFramer.push() costs no more than the line when it trickles in", () => {
  const framer = new LineFramer(65_536);
  const byte = Uint8Array.of(0x61);
  for (let count = 0; count < 65_536; count++) assertEquals(framer.push(byte).problem, undefined);
  assertEquals(framer.push(Uint8Array.of(0x0a)).lines[0]?.length, 65_536);
});
