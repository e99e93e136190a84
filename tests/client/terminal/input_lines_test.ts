import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { type InputLine, InputLines } from "../../../client/terminal/input_lines.ts";

const encoder = new TextEncoder();

/** The lines of `bytes`, handed over in chunks of `size`. */
function read(bytes: Uint8Array, { size = bytes.length || 1, maxBytes = 1_000 } = {}): InputLine[] {
  const lines = new InputLines(maxBytes);
  const found: InputLine[] = [];
  for (let at = 0; at < bytes.length; at += size) found.push(...lines.push(bytes.subarray(at, at + size)));
  return [...found, ...lines.end()];
}

function bytesOf(...parts: (string | readonly number[])[]): Uint8Array {
  return new Uint8Array(parts.flatMap((part) => typeof part === "string" ? [...encoder.encode(part)] : part));
}

Deno.test("InputLines cuts any chunking into the same lines, and numbers them", () => {
  fc.assert(fc.property(fc.array(fc.string({ unit: "grapheme" })), fc.integer({ min: 1, max: 9 }), (texts, size) => {
    const lines = texts.map((text) => text.replaceAll(/[\r\n\ufeff]/g, "."));
    const expected = lines.map((text, index) => ({ number: index + 1, text }));
    assertEquals(read(bytesOf(lines.map((line) => `${line}\n`).join("")), { size }), expected);
    assertEquals(read(bytesOf(lines.map((line) => `${line}\r\n`).join("")), { size }), expected);
  }));
  assertEquals(read(bytesOf("a\n\nb")), [
    { number: 1, text: "a" },
    { number: 2, text: "" },
    { number: 3, text: "b" },
  ]);
});

Deno.test("InputLines goes on after a line that is not UTF-8, or too long, and keeps nothing of that", () => {
  for (const size of [1, 3, 100]) {
    assertEquals(
      read(bytesOf("a\n", [0xff], "b\nc\n", "x".repeat(11), "\n", "y".repeat(10), "\r\nz"), { size, maxBytes: 10 }),
      [
        { number: 1, text: "a" },
        { number: 2, problem: "the line is not valid UTF-8" },
        { number: 3, text: "c" },
        { number: 4, problem: "the line is longer than 10 bytes" },
        { number: 5, text: "y".repeat(10) },
        { number: 6, text: "z" },
      ],
    );
  }
});

Deno.test("InputLines says that a text begins with a byte order mark, of whichever kind", () => {
  const problemOf = (...parts: (string | readonly number[])[]) => read(bytesOf(...parts))[0]?.problem;
  assertEquals(problemOf([0xef, 0xbb, 0xbf], "{}\n"), "it begins with a byte order mark; save it as UTF-8 without one");
  const utf16 = "it begins with a byte order mark; it is UTF-16: save it as UTF-8 without one";
  assertEquals(problemOf([0xff, 0xfe, 0x7b, 0, 0x7d, 0, 0x0a, 0]), utf16);
  assertEquals(problemOf([0xfe, 0xff, 0, 0x7b]), utf16);
  // Further on it is a character like others, and no JSON.
  assertEquals(read(bytesOf("{}\n", [0xef, 0xbb, 0xbf], "{}\n"))[1], { number: 2, text: "\ufeff{}" });
});
