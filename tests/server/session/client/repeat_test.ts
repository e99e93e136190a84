/** When what comes under a message id is the same as what came before. */

import { assertEquals } from "@std/assert";
import { isRepeatOf } from "../../../../server/session/client/repeat.ts";

function isRepeat(stored: string, came: string): boolean {
  const line = `{"command":"ACTIVITY_BROADCAST","activity":${stored},"id":"s-0123456789ab:1","lamport":1,"sentAt":1}`;
  return isRepeatOf(line, {
    command: "ACTIVITY_MESSAGE",
    activity: came,
    username: undefined,
    secret: undefined,
    messageId: "m",
    lamport: undefined,
  });
}

Deno.test("Whole numbers that differ in their last digit are two messages", () => {
  for (const digits of ["9007199254740992", "-9007199254740992", "12345678901234567890123456789"]) {
    const other = digits.slice(0, -1) + "3";
    const user = '"authenticated_user":"anna"';
    assertEquals(isRepeat(`{"n":[${digits}],${user}}`, `{"n":[${digits}]}`), true, digits);
    assertEquals(isRepeat(`{"n":[${digits}],${user}}`, `{"n":[${other}]}`), false, digits);
  }
});

Deno.test("The order of keys, and how a number is written, make no difference", () => {
  const same = [
    ['{"a":1.0,"b":2}', '{"b":2,"a":1}'],
    ['{"a":1e3}', '{"a":1000}'],
    ['{"a":0.30000000000000004}', '{"a":0.30000000000000004}'],
    ['{"a":1e400}', '{"a":1e400}'],
    ['{"a":"9007199254740993"}', '{"a":"9007199254740993"}'],
    ['{"__proto__":{"n":9007199254740993}}', '{"__proto__":{"n":9007199254740993}}'],
  ] as const;
  for (const [stored, came] of same) assertEquals(isRepeat(stored, came), true, stored);
  assertEquals(isRepeat('{"a":"9007199254740993"}', '{"a":9007199254740993}'), false);
  assertEquals(isRepeat('{"__proto__":{"n":1234567890123456789}}', '{"__proto__":{"n":1234567890123456788}}'), false);
});
