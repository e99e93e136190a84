import { assertEquals } from "@std/assert";
import { timeAsOf, timeOfDay } from "../../platform/local_time.ts";

const atMs = new Date(2026, 0, 9, 7, 5, 3, 42).getTime();

Deno.test("timeOfDay() is the time on this machine's clock", () => {
  assertEquals(timeOfDay(atMs), "07:05:03");
  assertEquals(timeOfDay(atMs, true), "07:05:03.042");
});

Deno.test("timeAsOf() names the day where it is not today", () => {
  assertEquals(timeAsOf(atMs, new Date(2026, 0, 9, 23, 59, 59).getTime()), "07:05:03");
  assertEquals(timeAsOf(atMs, new Date(2026, 0, 10, 0, 0, 0).getTime()), "2026-01-09 07:05");
  assertEquals(timeAsOf(atMs, new Date(2027, 0, 9, 8, 0, 0).getTime()), "2026-01-09 07:05");
});
