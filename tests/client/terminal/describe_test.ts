import { assertEquals, assertMatch } from "@std/assert";
import {
  activityLine,
  activityWords,
  beforeRow,
  DayMarks,
  describeActivity,
  describeMessage,
  listenedLine,
  messageLine,
} from "../../../client/terminal/describe.ts";
import { parseLineFormat } from "../../../config/line_format.ts";
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

Deno.test("what is of a channel says so, as text, as JSON and in a template", () => {
  const inLab = { ...activity, channel: "lab/d\u200boor" };
  assertMatch(describeActivity(inLab, PLAIN), /^\d\d:\d\d:\d\d {2}#lab\/d\\u200boor {2}bob {2}hello$/);
  assertEquals(
    activityLine({ ...activity, channel: "lab" }, true),
    '{"id":"s:1","user":"bob","sentAt":0,"lamport":4,"channel":"lab","past":true,"activity":{"text":"hello"}}',
  );
  const template = parseLineFormat("[{channel}] {user}")!;
  assertEquals(listenedLine({ activity: inLab }, template, PLAIN), "[lab/d\\u200boor] bob");
  assertEquals(listenedLine({ activity }, template, PLAIN), "[] bob");
  assertEquals(beforeRow(PLAIN), "── said before ──");
  assertEquals(beforeRow(PLAIN, "lab"), "── said before in #lab ──");
});

Deno.test("listenedLine() fills a template, and makes harmless what others wrote", () => {
  const format = (text: string) => parseLineFormat(text)!;
  const json = '{"text":"a\\u001bb","engine":{"rpm":7.50},"list":[1]}';
  const activity = { activity: JSON.parse(json), json, user: "a\u009bda", id: "s:7", lamport: 9, sentAt: 0 };
  const line = (template: string) => listenedLine({ activity }, format(template), PLAIN);
  assertEquals(line("{id}\\t{lamport} {sentAt} {{{user}}}"), "s:7\t9 0 {a\\u009bda}");
  assertEquals(line("{activity}"), json);
  assertEquals(line("{activity.text}|{activity.engine.rpm}|{activity.list}|{activity.no.way}"), "a\\u001bb|7.5|[1]|");
  assertEquals(line("{to}{activity.constructor}."), ".");
  assertMatch(line("{date} {time}"), /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
  const message = { from: "bob", to: "ada", text: "hi", id: "s:8", lamport: 9, sentAt: 0, offline: false };
  assertEquals(listenedLine({ message }, format("{user}>{to}: {text}"), PLAIN), "bob>ada: hi");
  assertEquals(listenedLine({ message }, "json", PLAIN), messageLine(message));
});

Deno.test("parseLineFormat() refuses what it does not know, and what shows nothing", () => {
  for (const wrong of ["", "plain", "{nobody}", "{time", "time}", "{time.now}", "{activity.}", "{{time}}"]) {
    assertEquals(parseLineFormat(wrong), undefined, wrong);
  }
});

Deno.test("DayMarks says the day where it changes, and only there", () => {
  const noon = new Date(2026, 10, 29, 12).getTime();
  const days = new DayMarks(noon);
  const marks = [-60, 0, 11 * 3600, 12 * 3600, 13 * 3600].map((seconds) => days.before(noon + seconds * 1000, PLAIN));
  assertEquals(marks, [undefined, undefined, undefined, "── Monday, 2026-11-30 ──", undefined]);
  assertEquals(days.before(noon, PLAIN), "── Sunday, 2026-11-29 ──");
});
