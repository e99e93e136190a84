/** Which rows a table shows, in what order, and where a key leads. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { filtered, headAfterKey, pressed, rowAfterKey, sorted, windowOf } from "../../dashboard/table_model.js";

interface Row {
  readonly name: string;
  readonly load: number | null;
}

const COLUMNS = [
  { key: "name", value: ({ name }: Row) => name },
  { key: "load", value: ({ load }: Row) => load },
];

const ROWS: readonly Row[] = [
  { name: "b10", load: 3 },
  { name: "", load: 1 },
  { name: "B2", load: null },
  { name: "a", load: 1 },
];

function names(rows: readonly Row[]): string[] {
  return rows.map(({ name }) => name);
}

Deno.test("text is sorted as people do, and what is missing comes last either way", () => {
  assertEquals(names(sorted(ROWS, COLUMNS, { key: "name", descending: false })), ["a", "B2", "b10", ""]);
  assertEquals(names(sorted(ROWS, COLUMNS, { key: "name", descending: true })), ["b10", "B2", "a", ""]);
  assertEquals(names(sorted(ROWS, COLUMNS, { key: "load", descending: true })), ["b10", "", "a", "B2"]);
});

Deno.test("rows that are equal stay in their order, and the list given is not changed", () => {
  const rows = Object.freeze([...ROWS]);
  assertEquals(names(sorted(rows, COLUMNS, { key: "load", descending: false })), ["", "a", "b10", "B2"]);
  assertEquals(sorted(rows, COLUMNS, { key: "unknown", descending: false }), rows);
});

Deno.test("a column's head sorts by it, and turns the order when pressed again", () => {
  const once = pressed({ key: "name", descending: true }, "load");
  assertEquals(once, { key: "load", descending: false });
  assertEquals(pressed(once, "load"), { key: "load", descending: true });
  assertEquals(pressed(pressed(once, "load"), "load"), once);
});

Deno.test("every word has to occur, in any order and case", () => {
  const texts = ["Ada 127.0.0.1:8000 probing 2 of 3", "Bela 127.0.0.1:8001 watching", "ＡＤＡ wide"];
  const find = (filter: string) => filtered(texts, filter, (text) => text);
  assertEquals(find("  "), texts);
  assertEquals(find("PROBING ada"), [texts[0]!]);
  assertEquals(find("ada"), [texts[0]!, texts[2]!]);
  assertEquals(find("ada 8001"), []);
});

Deno.test("of 5,000 rows only those exist that are seen, and a few around them", () => {
  const table = { count: 5_000, rowHeight: 34, height: 444, margin: 8 };
  assertEquals(windowOf({ ...table, scrollTop: 0 }), { from: 0, to: 22 });
  assertEquals(windowOf({ ...table, scrollTop: 34 * 100 }), { from: 92, to: 122 });
  assertEquals(windowOf({ ...table, scrollTop: 1e9 }), { from: 5_000, to: 5_000 });
});

Deno.test("all that is seen is among the rows that exist, wherever the table is scrolled", () => {
  const nat = (max: number) => fc.integer({ min: 0, max });
  fc.assert(fc.property(nat(9_000), nat(300_000), nat(2_000), (count, scrollTop, height) => {
    const { from, to } = windowOf({ count, rowHeight: 34, scrollTop, height, margin: 8 });
    assert(0 <= from && from <= to && to <= count && to - from <= height / 34 + 18);
    for (const seen of [Math.floor(scrollTop / 34), Math.ceil((scrollTop + height) / 34) - 1]) {
      assert(seen < 0 || seen >= count || height === 0 || (from <= seen && seen < to), `row ${seen} is not there`);
    }
  }));
});

Deno.test("keys lead from row to row, and no further than to the ends", () => {
  const table = { active: 5, count: 100, page: 10 };
  const from = (active: number, key: string) => rowAfterKey(key, { ...table, active });
  assertEquals(["ArrowDown", "ArrowUp", "PageDown", "PageUp", "Home", "End", "a"].map((key) => from(5, key)), [
    6,
    4,
    15,
    0,
    0,
    99,
    -1,
  ]);
  assertEquals([from(-1, "ArrowDown"), from(-1, "PageDown"), from(99, "ArrowDown"), from(0, "ArrowUp")], [0, 9, 99, 0]);
  assertEquals(rowAfterKey("End", { active: -1, count: 0, page: 10 }), -1);
});

Deno.test("keys lead from head to head, and end at the first and the last", () => {
  const from = (active: number, key: string) => headAfterKey(key, { active, count: 3 });
  assertEquals(["ArrowRight", "ArrowLeft", "Home", "End", "Enter"].map((key) => from(1, key)), [2, 0, 0, 2, -1]);
  assertEquals([from(0, "ArrowLeft"), from(2, "ArrowRight")], [0, 2]);
});
