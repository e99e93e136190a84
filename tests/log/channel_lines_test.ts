import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { channelsByLine, wantedBytes, wantedLines } from "../../log/channel_lines.ts";
import { cursorAt, readSegment } from "../../log/cursor.ts";
import { EVERYONE, linesAfter, linesOf, type Segment } from "../../log/segment.ts";
import { SegmentBuilder } from "../../log/segment_builder.ts";
import { buffersByNaiveReading, type Line } from "./_channel_reading.ts";
import { PatternSet } from "../../protocol/channels/pattern_set.ts";
import { ReaderGroups } from "../../server/hub/reader_groups.ts";

const channel = fc.constantFrom("", "", "a", "b", "a/b");
const lines: fc.Arbitrary<Line[]> = fc.array(
  fc.record({ channel, origin: fc.constantFrom("s-1", "s-1", "s-1", "s-2"), text: fc.string({ maxLength: 5 }) }),
  { minLength: 1, maxLength: 20 },
);
const wants = fc.array(fc.constantFrom("", "a", "b", "a/*", "a/**", "**"), { maxLength: 3 }).map((patterns) =>
  new PatternSet(patterns)
);

/** The segments of a turn with these lines. */
function segmentsOf(turn: readonly Line[]): Segment[] {
  const builder = new SegmentBuilder({});
  for (const { channel, origin, text } of turn) {
    const audience = channel === "" ? EVERYONE : { kind: "channel" as const, name: channel };
    builder.add(origin, builder.lastOf(origin) + 1, audience, `${JSON.stringify({ channel, text })}\n`);
  }
  return builder.take(0, 0);
}

function texts(parts: readonly Uint8Array[]): string[] {
  return parts.flatMap((part) => linesOf(part));
}

Deno.test("wantedLines() gives the lines that a reader of each line would keep, in their order", () => {
  fc.assert(fc.property(lines, wants, (turn, filter) => {
    const segments = segmentsOf(turn);
    const expected = buffersByNaiveReading(turn, filter);
    assertEquals(texts(segments.map((segment) => wantedLines(segment, filter))), expected);
    const bytes = segments.reduce((sum, segment) => sum + wantedBytes(segment, filter), 0);
    assertEquals(bytes, new TextEncoder().encode(expected.map((line) => `${line}\n`).join("")).length);
  }));
});

Deno.test("readSegment() leaves out what the reader has, and what it does not want", () => {
  fc.assert(fc.property(lines, wants, fc.nat(20), (turn, filter, has) => {
    const cursor = cursorAt(0, undefined, { "s-1": has }, filter);
    const read = segmentsOf(turn).map((segment) => readSegment(cursor, segment));
    let own = 0;
    const left = turn.filter(({ origin }) => origin !== "s-1" || ++own > has);
    assertEquals(texts(read), buffersByNaiveReading(left, filter));
  }));
});

Deno.test("channelsByLine() knows the channel of each line by where it begins", () => {
  fc.assert(fc.property(lines, (turn) => {
    const found = segmentsOf(turn).flatMap((segment) => {
      const channelAt = channelsByLine(segment.audience);
      const starts = [];
      for (let sequence = segment.first; sequence <= segment.last; sequence++) {
        starts.push(segment.bytes.length - linesAfter(segment, sequence - 1).length);
      }
      return starts.map(channelAt);
    });
    assertEquals(found.map(({ name }) => name), turn.map(({ channel }) => channel));
  }));
});

Deno.test("ReaderGroups gives each group what a reader of every line would keep, and nothing to the others", () => {
  fc.assert(fc.property(lines, fc.array(wants, { maxLength: 6 }), (turn, all) => {
    const groups = new ReaderGroups<number>();
    const entered = all.map((filter) => groups.enter(filter));
    const buffers = groups.buffersOf(segmentsOf(turn));
    entered.forEach((group, index) => {
      const bytes = buffers.get(group);
      assertEquals(bytes === undefined ? [] : linesOf(bytes), buffersByNaiveReading(turn, all[index]!));
    });
    for (const group of entered) groups.leave(group);
    assertEquals([...groups], []);
    assertEquals(groups.buffersOf(segmentsOf(turn)).size, 0);
  }));
});

Deno.test("equal readers are one group, and groups of one channel share its bytes", () => {
  const groups = new ReaderGroups<number>();
  const [first, second] = [groups.enter(new PatternSet(["a", "b"])), groups.enter(new PatternSet(["b", "a"]))];
  const third = groups.enter(new PatternSet(["a", "c"]));
  assertEquals(first === second, true);
  const buffers = groups.buffersOf(segmentsOf([
    { channel: "a", origin: "s-1", text: "1" },
    { channel: "d", origin: "s-1", text: "2" },
    { channel: "a", origin: "s-1", text: "3" },
  ]));
  assertEquals(buffers.get(first) === buffers.get(third), true);
  assertEquals(linesOf(buffers.get(third)!).length, 2);
});

Deno.test("lines of channels and others of one turn are one segment, which keeps their order", () => {
  const [segment, ...others] = segmentsOf([
    { channel: "", origin: "s-1", text: "1" },
    { channel: "a", origin: "s-1", text: "2" },
    { channel: "a", origin: "s-1", text: "3" },
    { channel: "", origin: "s-1", text: "4" },
  ]);
  assertEquals(others, []);
  assertEquals(linesOf(segment!.bytes).map((line) => JSON.parse(line).text), ["1", "2", "3", "4"]);
  const { audience } = segment!;
  assertEquals(audience.kind === "channels" && audience.channels.map(({ name, ranges }) => [name, ranges.length]), [
    ["a", 1],
  ]);
});
