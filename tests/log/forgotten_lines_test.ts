import { assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { wantedLines } from "../../log/channel_lines.ts";
import { lostLinesIn, withoutLines } from "../../log/forgotten_lines.ts";
import { linesOf } from "../../log/segment.ts";
import { PatternSet } from "../../protocol/channels/pattern_set.ts";
import { ChannelLog } from "../support/channel_log.ts";

const EVERYTHING = new PatternSet(["**"]);

Deno.test("withoutLines() leaves a line for each number, and nothing of the channels that go", () => {
  const channel = fc.constantFrom("lab", "hall", "room", undefined);
  const some = fc.array(channel, { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(some, fc.subarray(["lab", "hall", "room"]), fc.subarray(["lab", "hall"]), (channels, gone, next) => {
      const [segment] = new ChannelLog().turn(channels.map((channel) => channel === undefined ? {} : { channel }));
      const first = withoutLines(segment!, (name) => gone.includes(name));
      // Others go later.
      const left = withoutLines(first, (name) => next.includes(name));
      const isGone = (channel = "") => [...gone, ...next].includes(channel);
      const lines = linesOf(segment!.bytes).map((line, index) => isGone(channels[index]) ? "" : line);
      assertEquals(linesOf(left.bytes), lines);
      assertEquals(linesOf(wantedLines(left, EVERYTHING)), lines.filter((line) => line !== ""));
      const lost = channels.flatMap((channel, index) => isGone(channel) ? [[channel!, index + 1] as const] : []);
      assertEquals(new Map(lostLinesIn(left).map(({ name, last }) => [name, last])), new Map(lost));
      if (lost.length === 0) assertStrictEquals(left, segment);
    }),
  );
});
