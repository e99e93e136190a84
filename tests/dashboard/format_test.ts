/** How spans, numbers and names are written. */

import { assertEquals } from "@std/assert";
import {
  age,
  briefAge,
  bytes,
  isolated,
  moment,
  number,
  plural,
  reasonInWords,
  shortName,
  span,
} from "../../dashboard/format.js";

const [SECOND, MINUTE, HOUR, DAY] = [1_000, 60_000, 3_600_000, 86_400_000];

Deno.test("an age is written in its two largest units", () => {
  assertEquals([-5_000, Number.NaN, 0, 999].map(age), ["now", "now", "now", "now"]);
  assertEquals([SECOND, 59_999].map(age), ["1 s", "59 s"]);
  assertEquals([MINUTE, 3 * MINUTE + 5 * SECOND, HOUR - 1].map(age), ["1 min", "3 min 5 s", "59 min 59 s"]);
  assertEquals([HOUR, 2 * HOUR + 7 * MINUTE, DAY - 1].map(age), ["1 h", "2 h 7 min", "23 h 59 min"]);
  assertEquals([DAY, 400 * DAY + 5 * HOUR].map(age), ["1 d", "400 d 5 h"]);
});

Deno.test("a brief age is written in one unit", () => {
  assertEquals([0, 59_999, 3 * MINUTE + 5 * SECOND, 2 * HOUR + 7 * MINUTE, 3 * DAY].map(briefAge), [
    "now",
    "59 s",
    "3 min",
    "2 h",
    "3 d",
  ]);
});

Deno.test("a measured span has the digits that mean something", () => {
  assertEquals([0, 0.824, 1.25, 9.9, 12.4, 999, 1_340].map(span), [
    "< 0.1 ms",
    "0.82 ms",
    "1.3 ms",
    "9.9 ms",
    "12 ms",
    "999 ms",
    "1.3 s",
  ]);
  assertEquals([span(null), span(undefined), span(Number.NaN)], ["", "", ""]);
});

Deno.test("numbers are grouped, and nouns agree with them", () => {
  assertEquals([0, 999, 1_000, 1_234_567].map(number), ["0", "999", "1,000", "1,234,567"]);
  assertEquals([plural(1, "server"), plural(0, "server"), plural(2, "entry", "entries")], [
    "1 server",
    "0 servers",
    "2 entries",
  ]);
});

Deno.test("bytes have a unit and two or three digits", () => {
  assertEquals([0, 999, 1_000, 1_500, 71_000_000, 999_950_000, 2_400_000_000].map(bytes), [
    "0 B",
    "999 B",
    "1.0 kB",
    "1.5 kB",
    "71 MB",
    "1.0 GB",
    "2.4 GB",
  ]);
  assertEquals([bytes(null), bytes(undefined)], ["", ""]);
});

Deno.test("a moment that is none is written as nothing", () => {
  assertEquals(moment(Number.NaN), "");
  assertEquals(moment(8.64e15 + 1), "");
});

Deno.test("a reason is written in words", () => {
  assertEquals(reasonInWords("HEARTBEAT_TIMEOUT"), "heartbeat timeout");
});

Deno.test("a name that may run from right to left is kept to itself, a plain one is as it was", () => {
  assertEquals(isolated("127.0.0.1:8000"), "127.0.0.1:8000");
  assertEquals(isolated("שלום"), "\u2068שלום\u2069");
});

Deno.test("the short name of a server of this machine is its port, of another one all of it", () => {
  assertEquals(
    ["127.0.0.1:8001", "localhost:8001", "[::1]:8001", "10.0.0.7:8001", "127.0.0.1.example.org:1"].map(shortName),
    [
      ":8001",
      ":8001",
      ":8001",
      "10.0.0.7:8001",
      "127.0.0.1.example.org:1",
    ],
  );
});
