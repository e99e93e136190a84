import { assertEquals } from "@std/assert";
import { render, short, type Table, times, whole } from "../../bench/figures/table.ts";

const TABLE: Table = {
  title: "Fan-out",
  names: 1,
  head: ["server", "deliveries/s"],
  rows: [["thrum", "1.52 M"], ["nats-server", "–"]],
  notes: ["One note."],
};

Deno.test("render() lines up names on the left and numbers on the right", () => {
  assertEquals(render(TABLE, "terminal").split("\n"), [
    "Fan-out",
    "",
    "server        deliveries/s",
    "──────────────────────────",
    "thrum               1.52 M",
    "nats-server              –",
    "",
    "* One note.",
    "",
  ]);
});

Deno.test("render() makes a Markdown table", () => {
  assertEquals(render(TABLE, "markdown").split("\n"), [
    "### Fan-out",
    "",
    "| server      | deliveries/s |",
    "| ----------- | -----------: |",
    "| thrum       |       1.52 M |",
    "| nats-server |            – |",
    "",
    "* One note.",
    "",
  ]);
});

Deno.test("short() shows three digits", () => {
  const shown = [1_523_000, 999_600, 214_400, 9_996, 9_990, 123.4, 87.31, 0.8579, NaN].map(short);
  assertEquals(shown, ["1.52 M", "1.00 M", "214 k", "10.0 k", "9990", "123", "87.3", "0.858", "–"]);
});

Deno.test("times() shows a ratio, or that there is none", () => {
  assertEquals([2.306, NaN].map(times), ["2.31 ×", "–"]);
});

Deno.test("whole() parts thousands", () => {
  assertEquals([10, 1_000, 10_000_000].map(whole), ["10", "1,000", "10,000,000"]);
});
