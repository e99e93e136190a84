/** What the page shows, in its address and back. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { readAddress, readOrder, writeAddress, writeOrder } from "../../dashboard/place/address.js";

const KNOWN = new Set(["connections", "connections.sort", "connection"]);
const COLUMNS = [{ key: "user" }, { key: "idle" }];
const USUAL = { key: "user", descending: false };

Deno.test("what is written into the address is read from it, whatever people type", () => {
  fc.assert(fc.property(
    fc.dictionary(fc.constantFrom(...KNOWN), fc.string({ unit: "grapheme", maxLength: 60 })),
    (shown) => {
      const said = Object.entries(shown).filter(([, value]) => value !== "");
      const read = readAddress(writeAddress(Object.entries(shown)), KNOWN);
      assertEquals(Object.fromEntries(read!), Object.fromEntries(said));
    },
  ));
});

Deno.test("an address says nothing where all is usual, of what nobody knows, and when it is too long", () => {
  assertEquals(writeAddress([["connections", ""]]), "");
  assertEquals(readAddress("", KNOWN), new Map());
  assertEquals(readAddress("#__proto__=x&connection=&connection=a+7&else=1", KNOWN), new Map([["connection", "a 7"]]));
  assertEquals(writeAddress([["connections", "x".repeat(9_000)]]), "");
  assertEquals(readAddress(`#connections=${"x".repeat(9_000)}`, KNOWN), new Map());
});

Deno.test("an anchor is a spot on the page, and changes nothing of what is shown", () => {
  assertEquals(readAddress("#main", KNOWN), undefined);
});

Deno.test("an order is its column, and where there is no such column the usual one", () => {
  for (const order of [{ key: "idle", descending: true }, { key: "user", descending: true }, USUAL]) {
    assertEquals(readOrder(writeOrder(order, USUAL), COLUMNS, USUAL), order);
  }
  assertEquals(writeOrder({ key: "idle", descending: true }, USUAL), "-idle");
  assertEquals(readOrder("-shoe-size", COLUMNS, USUAL), USUAL);
});
