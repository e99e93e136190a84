/** Cutting JSON without changing it, and hiding what nobody is to see. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { isJsonObject, masked, nestingDepth, rawValue, withoutMember } from "../../dashboard/client/raw_json.js";
import * as theirs from "../../protocol/raw_json.ts";

Deno.test("rawValue() gives numbers digit by digit, and of equal keys the last", () => {
  const line = '{"a":1,"activity": {"n": 1.0, "big":9007199254740993},"a":[ 2 ]}';
  assertEquals(rawValue(line, "activity"), '{"n": 1.0, "big":9007199254740993}');
  assertEquals([rawValue(line, "a"), rawValue(line, "b"), rawValue("{}", "a")], ["[ 2 ]", undefined, undefined]);
});

Deno.test("withoutMember() leaves all else as it was written", () => {
  assertEquals(
    withoutMember('{"x": 1.50, "y": [1, 2],"authenticated_user":"anna"}', "authenticated_user"),
    '{"x": 1.50, "y": [1, 2]}',
  );
  assertEquals(withoutMember('{"authenticated_user":"anna"}', "authenticated_user"), "{}");
  assertEquals(withoutMember('{"a":1,"b":2,"c":3}', "b"), '{"a":1,"c":3}');
  assertEquals(withoutMember('{"a":1}', "b"), '{"a":1}');
});

Deno.test("what is cut is what protocol/raw_json.ts cuts", () => {
  fc.assert(fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.string(), (object, key) => {
    const text = JSON.stringify(object);
    assertEquals(nestingDepth(text), theirs.nestingDepth(text));
    for (const one of [key, ...Object.keys(object)]) {
      assertEquals(rawValue(text, one), theirs.rawValue(text, one));
      assertEquals(JSON.parse(withoutMember(text, one)), JSON.parse(theirs.withoutMember(text, one)));
    }
  }));
});

Deno.test("masked() hides the secret and the ticket, and nothing else", () => {
  assertEquals(
    masked('{"command":"LOGIN","username":"anna","secret":"open sesame","features":[]}'),
    '{"command":"LOGIN","username":"anna","secret":"…","features":[]}',
  );
  assertEquals(masked('{"ticket": "s-1.x.y" ,"secret":7}'), '{"ticket": "…" ,"secret":"…"}');
  // What was published is no secret, whatever it is called.
  const said = '{"command":"ACTIVITY_MESSAGE","activity":{"secret":"recipe"}}';
  assertEquals(masked(said), said);
});

Deno.test("masked() hides a secret however it is written, also in a line that is wrong", () => {
  const secret = "hush-hush";
  const lines = [
    `{"secret":"${secret}"}`,
    `{"s\\u0065cret":"${secret}"}`,
    `{"secret":"a","secret":"${secret}"}`,
    `{"secret":{"deep":"${secret}"}}`,
    `{"secret":"${secret}`,
    `{"command":"LOGIN","secret":"${secret}",}`,
    `{'secret':'${secret}'}`,
    `{"Secret":"${secret}",}`,
    `{"s\\u0065cret":"${secret}",}`,
    `[{"secret":"${secret}"}]`,
    `"secret ${secret}"`,
  ];
  for (const line of lines) assert(!masked(line).includes(secret), line);
});

Deno.test("masked() keeps lines without secrets, whatever they are", () => {
  fc.assert(fc.property(fc.string().filter((text) => !/secret|ticket|\\u/i.test(text)), (text) => {
    assertEquals(masked(text), text);
  }));
});

Deno.test("isJsonObject() tells objects from all else", () => {
  assertEquals(["{}", "[]", "null", "1", "{", ""].map(isJsonObject), [true, false, false, false, false, false]);
});
