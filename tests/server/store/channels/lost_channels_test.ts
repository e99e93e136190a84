import { assertEquals } from "@std/assert";
import {
  ANY_CHANNEL,
  formatLost,
  lostFor,
  lostUpTo,
  NOTHING_LOST,
  parseLost,
  withLost,
} from "../../../../server/store/channels/lost_channels.ts";
import { reading } from "../../../support/channel_log.ts";

const lost = withLost(NOTHING_LOST, [{ name: "lab", last: 5 }, { name: "", last: 3 }, { name: "lab", last: 4 }]);
const of = (...patterns: string[]) => reading(patterns).filter;

Deno.test("lostFor() is the newest forgotten sequence of what a reader wants", () => {
  assertEquals([lostFor(lost, of("lab")), lostFor(lost, of("")), lostFor(lost, of("hall")), lostFor(lost)], [
    5,
    3,
    0,
    5,
  ]);
  const withAny = withLost(lost, [{ name: ANY_CHANNEL, last: 4 }]);
  assertEquals([lostFor(withAny, of("lab")), lostFor(withAny, of("hall"))], [5, 4]);
  assertEquals([...withAny.keys()].sort(), [ANY_CHANNEL, "lab"]);
});

Deno.test("withLost() bounds the channels: what was forgotten first counts as of any", () => {
  const many = Array.from({ length: 10 }, (_, index) => ({ name: `c${index}`, last: index + 1 }));
  const bounded = withLost(NOTHING_LOST, many, 4);
  assertEquals(bounded.size <= 5, true);
  // Nobody is not told.
  for (const { name, last } of many) assertEquals(lostFor(bounded, of(name)) >= last, true, name);
  assertEquals(lostFor(bounded, of("c9")), 10);
  assertEquals(lostFor(bounded, of("other")) < 10, true);
});

Deno.test("lostUpTo() ends with the log of the origin, and the text is read as it was written", () => {
  assertEquals([...lostUpTo(lost, 4)], [["lab", 4], ["", 3]]);
  assertEquals(lostUpTo(lost, 9), lost);
  assertEquals(parseLost(formatLost(lost)), lost);
});
