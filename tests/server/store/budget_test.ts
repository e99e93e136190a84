import { assertEquals } from "@std/assert";
import { defaultMaxBytes, type DiskUse, spaceOf, usedBytes } from "../../../server/store/budget.ts";

const LIMITS = { maxBytes: 1_000, minFreeBytes: 100 };

function used(bytes: number, freeBytes = 10_000): DiskUse {
  return {
    parts: { logFiles: bytes - 31, database: 10, writeAheadLog: 5, messageIds: 5, audit: 1, other: 10, reusable: 500 },
    freeBytes,
  };
}

Deno.test("usedBytes() leaves out what the database writes to again", () => {
  assertEquals(usedBytes(used(700)), 700);
});

Deno.test("spaceOf() says what is taken, by the folder's limit and by what is left on the disk", () => {
  for (
    const [use, expected] of [
      [used(999), "open"],
      [used(1_000), "full"],
      [used(1_099), "full"],
      [used(1_100), "exhausted"],
      [used(500, 100), "open"],
      [used(500, 99), "full"],
      [used(500, 50), "full"],
      [used(500, 49), "exhausted"],
      [used(1_000, 49), "exhausted"],
    ] as const
  ) assertEquals(spaceOf("open", use, LIMITS), expected, JSON.stringify(use));
});

Deno.test("spaceOf() opens again only when it is clear of the limit, so that it does not change with each look", () => {
  for (const before of ["full", "exhausted"] as const) {
    assertEquals(spaceOf(before, used(999), LIMITS), "full");
    assertEquals(spaceOf(before, used(980), LIMITS), "full");
    assertEquals(spaceOf(before, used(979), LIMITS), "open");
    assertEquals(spaceOf(before, used(500, 101), LIMITS), "full");
    assertEquals(spaceOf(before, used(500, 103), LIMITS), "open");
  }
  assertEquals(spaceOf("exhausted", used(1_099), LIMITS), "full");
});

Deno.test("spaceOf() takes everything where there is no limit at all", () => {
  assertEquals(spaceOf("open", used(1e15, 0), { maxBytes: Infinity, minFreeBytes: 0 }), "open");
});

Deno.test("defaultMaxBytes() is four fifths of what is free and of what the folder takes already", () => {
  assertEquals(defaultMaxBytes(used(1_000, 9_000)), 8_000);
});
