import { assertEquals } from "@std/assert";
import { parseSince, sinceOf } from "../../config/since.ts";

Deno.test("parseSince() reads spans, entries and all, and nothing else", () => {
  for (const [given, ms] of [["30s", 30_000], ["10m", 600_000], ["1.5h", 5_400_000], ["3d", 259_200_000]] as const) {
    assertEquals(parseSince(given), { kind: "span", ms });
  }
  assertEquals(parseSince("s-86aaeef57584:12"), { kind: "entry", id: "s-86aaeef57584:12" });
  assertEquals(parseSince("all"), { kind: "all" });
  for (const wrong of ["", "10", "m", "-5m", "10 m", "10y", "s:", "s:0", "s:x", ":4", "a b:4", "ALL"]) {
    assertEquals(parseSince(wrong), undefined, wrong);
  }
});

Deno.test("sinceOf() gives what a client asks for", () => {
  assertEquals(sinceOf(undefined, 1_000), undefined);
  assertEquals(sinceOf({ kind: "all" }, 1_000), undefined);
  assertEquals(sinceOf({ kind: "entry", id: "s:4" }, 1_000), "s:4");
  assertEquals(sinceOf({ kind: "span", ms: 400.5 }, 1_000), 599);
  assertEquals(sinceOf({ kind: "span", ms: 4_000 }, 1_000), 0);
});
