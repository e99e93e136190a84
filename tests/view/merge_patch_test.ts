import { assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { applyPatch, diff, type JsonObject } from "../../view/merge_patch.ts";

/** As it comes out of a line of JSON. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

/** What is `null` is not there, but in lists. */
function withoutNulls(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).filter(([, below]) => below !== null).map(([key, below]) => [key, withoutNulls(below)]),
  );
}

const object = fc.dictionary(
  fc.constantFrom("a", "b", "c", "__proto__", "constructor"),
  fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: "small" },
      fc.integer({ min: 0, max: 3 }),
      fc.constant(null),
      fc.array(fc.constantFrom(1, null, "x"), { maxLength: 2 }),
      fc.dictionary(fc.constantFrom("a", "b", "__proto__"), tie("value"), { maxKeys: 3 }),
    ),
  })).value,
) as fc.Arbitrary<JsonObject>;

Deno.test("a patch from diff() makes the one of the other, whatever the keys are called", () => {
  fc.assert(fc.property(object, object, (before, after) => {
    const patch = plain(diff(before, after) ?? {});
    assertEquals(plain(withoutNulls(applyPatch(before, patch))), plain(withoutNulls(after)));
  }));
});

Deno.test("diff() has nothing to say of equal objects, and only what has changed of others", () => {
  fc.assert(fc.property(object, (same) => assertEquals(diff(same, plain(same) as JsonObject), undefined)));
  const before = { kept: { x: 1 }, list: [1, 2], gone: 1, deep: { a: 1, b: 2 } };
  const after = { kept: { x: 1 }, list: [2, 1], deep: { a: 1, b: 3 }, more: { y: null } };
  assertEquals(plain(diff(before, after)), { list: [2, 1], gone: null, deep: { b: 3 }, more: {} });
});

Deno.test("applyPatch() does the examples of RFC 7396 that begin with an object", () => {
  const examples: [unknown, unknown, unknown][] = [
    [{ a: "b" }, { a: "c" }, { a: "c" }],
    [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
    [{ a: "b" }, { a: null }, {}],
    [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
    [{ a: ["b"] }, { a: "c" }, { a: "c" }],
    [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
    [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
    [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
    [["a", "b"], ["c", "d"], ["c", "d"]],
    [{ a: "foo" }, "bar", "bar"],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: "b", c: null }, { a: "b" }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ];
  for (const [target, patch, result] of examples) assertEquals(plain(applyPatch(target, patch)), result);
});
