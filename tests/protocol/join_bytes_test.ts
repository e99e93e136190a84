import { assertEquals, assertStrictEquals } from "@std/assert";
import { joinBytes } from "../../protocol/join_bytes.ts";

Deno.test("joinBytes() puts parts together in their order, and does not copy a single one", () => {
  const [one, two] = [new Uint8Array([1, 2]), new Uint8Array([3])];
  assertEquals(joinBytes([one, new Uint8Array(0), two]), new Uint8Array([1, 2, 3]));
  assertStrictEquals(joinBytes([one]), one);
  assertEquals(joinBytes([]), new Uint8Array(0));
});
