import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { nestingDepth, rawElements, rawMembers, rawValue, withoutMember } from "../../protocol/raw_json.ts";

Deno.test("rawValue() gives the text of a value as it was written", () => {
  const text = ' { "a" : 1.0 , "b":{"x":[1,"}\\"",{}]} ,"c":9007199254740993,"d": "\\\\" , "e":null } ';
  assertEquals(rawValue(text, "a"), "1.0");
  assertEquals(rawValue(text, "b"), '{"x":[1,"}\\"",{}]}');
  assertEquals(rawValue(text, "c"), "9007199254740993");
  assertEquals(rawValue(text, "d"), '"\\\\"');
  assertEquals(rawValue(text, "e"), "null");
  assertEquals(rawValue(text, "f"), undefined);
  assertEquals(rawValue("{}", "a"), undefined);
});

Deno.test("rawValue() takes the last of equal keys, and keys written with escapes, as JSON.parse does", () => {
  assertEquals(rawValue('{"a":1,"a":2}', "a"), "2");
  assertEquals(rawValue('{"a":1,"\\u0061":2}', "a"), "2");
  assertEquals(rawValue('{"\\u0061\\u0062":3,"a":1}', "a"), "1");
});

Deno.test("withoutMember() takes out every member of that name and nothing else", () => {
  assertEquals(withoutMember('{"x": 1.0, "u":"me","y":[1 ,2]}', "u"), '{"x": 1.0,"y":[1 ,2]}');
  assertEquals(withoutMember('{"u":1,"\\u0075":2}', "u"), "{}");
  assertEquals(withoutMember('{"a":{"u":1}}', "u"), '{"a":{"u":1}}');
});

Deno.test("rawElements() gives the texts of an array's elements as they were written", () => {
  assertEquals(rawElements(' [ 1.0 ,{"a":[1,2]},"],\\"", [ ] , null] '), [
    "1.0",
    '{"a":[1,2]}',
    '"],\\""',
    "[ ]",
    "null",
  ]);
  assertEquals(rawElements("[ ]"), []);
});

Deno.test("nestingDepth() counts objects and arrays, not what stands in strings", () => {
  assertEquals(nestingDepth("{}"), 1);
  assertEquals(nestingDepth('{"a":[[{"b":"[[[[\\"[["}]]}'), 4);
  assertEquals(nestingDepth("[".repeat(500) + "]".repeat(500)), 500);
});

Deno.test("rawMembers() agrees with JSON.parse on any object, however it is written", () => {
  const space = fc.constantFrom("", " ", "\t", "\r", "  ");
  const object = fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 6 });
  fc.assert(fc.property(object, space, fc.boolean(), (value, gap, escaped) => {
    let text = `${gap}{${
      Object.entries(value)
        .map(([key, item]) => `${gap}${JSON.stringify(key)}${gap}:${gap}${JSON.stringify(item)}${gap}`)
        .join(",")
    }${gap}}${gap}`;
    if (escaped) text = text.replace(/[\u0080-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
    const parsed = JSON.parse(text);
    const members = rawMembers(text);
    assertEquals(members.map(({ key }) => key), Object.keys(value));
    for (const { key, valueStart, end } of members) {
      assertEquals(JSON.parse(text.slice(valueStart, end)), parsed[key]);
      assertEquals(rawValue(text, key), text.slice(valueStart, end));
    }
  }));
});
