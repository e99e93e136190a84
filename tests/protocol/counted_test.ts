import { assertEquals } from "@std/assert";
import { counted } from "../../protocol/counted.ts";

Deno.test("counted() has the singular for one, and the plural for all others", () => {
  assertEquals([0, 1, 2, 11].map((count) => counted(count, "client")), [
    "0 clients",
    "1 client",
    "2 clients",
    "11 clients",
  ]);
  assertEquals([1, 2].map((count) => counted(count, "activity", "activities")), ["1 activity", "2 activities"]);
});
