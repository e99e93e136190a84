import { assertEquals, assertMatch } from "@std/assert";
import {
  activityLine,
  activityWords,
  describeActivity,
  describeMessage,
  messageLine,
} from "../../../client/terminal/describe.ts";
import type { Activity } from "../../../client/options.ts";
import { PLAIN } from "../../support/fake_stdio.ts";

const activity: Activity = {
  activity: { text: "hello" },
  json: '{"text":"hello"}',
  user: "bob",
  id: "s:1",
  lamport: 4,
  sentAt: 0,
};

Deno.test("a direct message is described like an activity, and harmless", () => {
  const message = { from: "b\x07b", to: "ada", text: "a\nb\u001b", id: "s:2", lamport: 5, sentAt: 0, offline: true };
  assertMatch(describeMessage(message, PLAIN), /^\d\d:\d\d:\d\d {2}b\\u0007b {2}to you: a\\nb\\u001b$/);
  assertEquals(
    messageLine({ ...message, from: "bob" }),
    '{"id":"s:2","user":"bob","sentAt":0,"lamport":5,"direct_message":{"to":"ada","text":"a\\nb\\u001b","offline":true}}',
  );
});

Deno.test("describeActivity() shows a text as text and everything else as JSON, in one line", () => {
  assertMatch(describeActivity(activity, PLAIN), /^\d\d:\d\d:\d\d {2}bob {2}hello$/);
  const strange = { ...activity, user: "b\x1bb", activity: { text: "a\nb" } };
  assertMatch(describeActivity(strange, PLAIN), / {2}b\\u001bb {2}a\\nb$/);
  assertEquals(
    activityWords({ text: "hello", to: "all" }, '{"text":"hello", "to":"all"}'),
    '{"text":"hello", "to":"all"}',
  );
  assertEquals(activityWords({ text: 1 }, '{"text":1.0}'), '{"text":1.0}');
});

Deno.test("activityLine() is one line of JSON", () => {
  assertEquals(
    activityLine({ ...activity, json: '{"a\\nb":1.0}' }),
    '{"id":"s:1","user":"bob","sentAt":0,"lamport":4,"activity":{"a\\nb":1.0}}',
  );
});
