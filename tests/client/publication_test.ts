import { assertEquals, assertThrows } from "@std/assert";
import { activityText, encodePublication } from "../../client/publication.ts";
import { parseClientLine } from "../../protocol/client_codec.ts";

const decoder = new TextDecoder();
const publication = { activity: "{}", messageId: "n-1", lamport: 5, user: undefined };

Deno.test("activityText() takes a text as it is, in one line", () => {
  assertEquals(activityText('\n{"n": 9007199254740993,\r\n "z":1.0}\n'), '{"n": 9007199254740993,   "z":1.0}');
});

Deno.test("activityText() refuses what is no object, and names no part of it", () => {
  for (const wrong of ["[]", "null", "1", '"text"']) {
    assertThrows(() => activityText(wrong), TypeError, "not a JSON object");
  }
  assertThrows(() => activityText("{nonsense"), TypeError, "not JSON");
  assertThrows(() => activityText([]), TypeError, "not a JSON object");
  assertThrows(() => activityText({ toJSON: () => "text" }), TypeError, "not a JSON object");
  assertThrows(() => activityText({ toJSON: () => undefined }), TypeError, "not a JSON object");
});

Deno.test("activityText() says where a text stops being JSON", () => {
  for (
    const [text, why] of [
      ['{"a":1', 'expected "," or "}", found the end of the text at column 7'],
      ['{"a":1} x', 'expected the end of the text, found "x" at column 9'],
      ["{a:1}", 'expected a key in double quotes, found "a" at column 2'],
      ['{"a":\n1,}', 'expected a key in double quotes, found "}" at line 2, column 3'],
    ] as const
  ) assertThrows(() => activityText(text), TypeError, `Cannot publish: the text is not JSON: ${why}`);
});

Deno.test("activityText() refuses also what would take too long a look", () => {
  for (const text of ["[".repeat(500_000), '{"a":'.repeat(200_000), `{"${"a".repeat(1_000_000)}`]) {
    assertThrows(() => activityText(text), TypeError, "not JSON");
  }
});

Deno.test("activityText() refuses what is nested too deep", () => {
  const nested = (levels: number) => `${'{"a":'.repeat(levels - 1)}{}${"}".repeat(levels - 1)}`;
  assertEquals(activityText(nested(64)), nested(64));
  assertThrows(() => activityText(nested(65)), RangeError, "64 levels");
});

Deno.test("encodePublication() writes a line that the server reads", () => {
  const user = { username: "añа", secret: 'a"b\n' };
  const line = decoder.decode(encodePublication({ ...publication, activity: '{"a":"€"}', user }, 1000));
  assertEquals(line.indexOf("\n"), line.length - 1);
  assertEquals(parseClientLine(line.trimEnd()), {
    command: "ACTIVITY_MESSAGE",
    ...user,
    activity: '{"a":"€"}',
    messageId: "n-1",
    lamport: 5,
  });
});

Deno.test("encodePublication() leaves out who publishes where the login says it", () => {
  const message = parseClientLine(decoder.decode(encodePublication(publication, 1000)).trimEnd());
  assertEquals("username" in message && message.username, undefined);
});

Deno.test("encodePublication() refuses a line that the server would not take, by the byte", () => {
  const line = encodePublication({ ...publication, activity: '{"a":"€"}' }, 1000);
  const longest = line.length - 1;
  assertEquals(encodePublication({ ...publication, activity: '{"a":"€"}' }, longest).length, line.length);
  assertThrows(
    () => encodePublication({ ...publication, activity: '{"a":"€"}' }, longest - 1),
    RangeError,
    `${longest} bytes, allowed are ${longest - 1}`,
  );
});
