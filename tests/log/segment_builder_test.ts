import { assertEquals } from "@std/assert";
import { EVERYONE, SERVERS } from "../../log/segment.ts";
import { SegmentBuilder } from "../../log/segment_builder.ts";

const decoder = new TextDecoder();

function textsOf(builder: SegmentBuilder): string[] {
  return builder.take(0, 0).map(({ first, last, bytes }) => `${first}-${last} ${decoder.decode(bytes)}`);
}

Deno.test("SegmentBuilder makes a segment of each run, from lines that are texts and lines that are written", () => {
  const builder = new SegmentBuilder({});
  builder.add("s", 1, EVERYONE, "ø\n");
  builder.reserve(9).set([0x62, 0x0a], builder.length);
  builder.append("s", 2, EVERYONE, builder.length + 2);
  builder.add("s", 3, SERVERS, "c\n");
  builder.add("t", 4, SERVERS, "d\n");
  assertEquals([1, 2, 3].map((sequence) => builder.lineOf("s", sequence)), ["ø", "b", "c"]);
  assertEquals(builder.lineOf("t", 3), undefined);
  assertEquals(textsOf(builder), ["1-2 ø\nb\n", "3-3 c\n", "4-4 d\n"]);
  assertEquals([textsOf(builder), builder.lineOf("s", 1)], [[], undefined]);
});

Deno.test("the bytes of a segment stay as they are when the next turn is written", () => {
  const builder = new SegmentBuilder({});
  builder.add("s", 1, EVERYONE, "first\n");
  const [segment] = builder.take(0, 0);
  builder.add("s", 2, EVERYONE, "other\n");
  assertEquals(decoder.decode(segment!.bytes), "first\n");
  assertEquals(segment!.bytes.byteLength, segment!.bytes.buffer.byteLength, "no more is kept than the segment has");
});

Deno.test("a turn may have more than the builder has room for, and a long run is cut", () => {
  const builder = new SegmentBuilder({});
  const line = `${"x".repeat(30_000)}\n`;
  for (let sequence = 1; sequence <= 60; sequence++) builder.add("s", sequence, EVERYONE, line);
  const segments = builder.take(7, 0);
  assertEquals(segments.map(({ bytes }) => bytes.length / line.length), [9, 9, 9, 9, 9, 9, 6]);
  assertEquals(segments.map(({ position }) => position), [8, 9, 10, 11, 12, 13, 14]);
  assertEquals(segments.every(({ bytes }) => decoder.decode(bytes.subarray(-line.length)) === line), true);
});
