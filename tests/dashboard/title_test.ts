/** What stands in the tab of a page that nobody looks at. */

import { assertEquals } from "@std/assert";
import { titleOf, troubleOf } from "../../dashboard/look/title.js";
import { sampleServer } from "./_sample.ts";

Deno.test("a title begins with what is new, then says what is wrong, then whose page it is", () => {
  assertEquals(titleOf({ name: "Client" }), "Client · thrum");
  assertEquals(titleOf({ name: "" }), "thrum");
  assertEquals(titleOf({ unread: 2, trouble: "reconnecting", name: "Client" }), "(2) reconnecting · Client · thrum");
  assertEquals(titleOf({ unread: 99, name: "Client" }), "(99) Client · thrum");
  assertEquals(titleOf({ unread: 100, name: "Client" }), "(99+) Client · thrum");
});

Deno.test("the worst of a network is a partition, then the dead, then the doubtful; who left is no trouble", () => {
  const a = sampleServer({ state: "self" });
  const [dead, suspect, left] = (["dead", "suspect", "left"] as const).map((state) => sampleServer({ state }));
  assertEquals(troubleOf({ servers: { a, left: left! } }, false), undefined);
  assertEquals(troubleOf({ servers: { a, b: suspect!, c: suspect! } }, false), "2 servers suspect");
  assertEquals(troubleOf({ servers: { a, b: suspect!, c: dead! } }, false), "1 server dead");
  assertEquals(troubleOf({ servers: { a, c: dead! } }, true), "parted");
});
