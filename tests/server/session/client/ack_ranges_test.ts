import { assertEquals } from "@std/assert";
import { AckRanges } from "../../../../server/session/client/ack_ranges.ts";

const of = (sequence: number, origin = "s") => ({ origin, sequence });

Deno.test("AckRanges keeps entries that follow each other in one range, and counts every activity", () => {
  const ranges = new AckRanges();
  for (const sequence of [5, 6]) {
    ranges.count();
    assertEquals(ranges.take(of(sequence)), undefined);
  }
  // One that is not taken.
  ranges.count();
  ranges.count();
  assertEquals(ranges.take(of(7)), undefined);
  assertEquals(ranges.close(), { upTo: 4, ...of(7) });
  assertEquals(ranges.close(), undefined);
});

Deno.test("AckRanges ends a range where an entry of somebody else, or of another origin, comes between", () => {
  const ranges = new AckRanges();
  ranges.count();
  ranges.take(of(5));
  ranges.count();
  assertEquals(ranges.take(of(7)), { upTo: 1, ...of(5) });
  ranges.count();
  assertEquals(ranges.take(of(8, "t")), { upTo: 2, ...of(7) });
  assertEquals(ranges.close(), { upTo: 3, ...of(8, "t") });
});
