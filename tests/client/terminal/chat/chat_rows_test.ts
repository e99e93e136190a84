import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  activityRow,
  awayRow,
  deliveredRow,
  helpRows,
  messageRow,
  nameText,
  presenceRow,
  refusedRows,
  saidRow,
  sentRow,
  usersRow,
} from "../../../../client/terminal/chat/chat_rows.ts";
import { nameColour } from "../../../../client/terminal/chat/name_colour.ts";
import { textWidth } from "../../../../client/terminal/screen/text_width.ts";
import { PLAIN } from "../../../support/fake_stdio.ts";

const DAY_MS = 86_400_000;
const noonMs = new Date(2026, 10, 21, 12, 34, 56).getTime();
const activity = {
  activity: { text: "hello" },
  json: '{"text":"hello"}',
  user: "bob",
  id: "s:1",
  lamport: 1,
  sentAt: noonMs,
};
const message = { from: "bob", to: "ada", text: "hello", id: "s:2", lamport: 2, sentAt: noonMs, offline: false };

Deno.test("what people say reads as when, who and what", () => {
  assertEquals(activityRow(activity, noonMs, PLAIN), "12:34:56  bob  hello");
  assertEquals(messageRow(message, noonMs, PLAIN), "12:34:56  bob → you  hello");
  const sent = { from: "ada", to: "bob", text: "hello", sentAt: noonMs };
  assertEquals(sentRow(sent, "stored", PLAIN), "12:34:56  ada → bob  hello  ✓ stored");
  assertEquals(sentRow(sent, "delivered", PLAIN), "12:34:56  ada → bob  hello  ✓✓ delivered");
});

Deno.test("what is said in a channel reads with its name, which stands back where the person is", () => {
  const inLab = { ...activity, channel: "lab" };
  assertEquals(activityRow(inLab, noonMs, PLAIN), "12:34:56  #lab  bob  hello");
  assertEquals(activityRow(inLab, noonMs, PLAIN, "lab"), "12:34:56  #lab  bob  hello");
  const marked = { ...PLAIN, dim: (text: string) => `<${text}>`, coloured: (text: string) => `*${text}*` };
  assertEquals(activityRow(inLab, noonMs, marked, "hall"), "<12:34:56>  *#lab*  *bob*  hello");
  assertEquals(activityRow(inLab, noonMs, marked, "lab"), "<12:34:56>  <#lab>  *bob*  hello");
  const said = { from: "ada", to: "lab", text: "hello", sentAt: noonMs };
  assertEquals(saidRow(said, PLAIN), "12:34:56  ada → #lab  hello  ✓ stored");
});

Deno.test("what was said on another day reads with that day", () => {
  assertEquals(messageRow(message, noonMs + DAY_MS, PLAIN), "2026-11-21 12:34  bob → you  hello");
  assertEquals(activityRow(activity, noonMs + DAY_MS, PLAIN), "2026-11-21 12:34  bob  hello");
});

Deno.test("who comes and goes reads as the words say", () => {
  const read = (event: "joined" | "left" | "lost") =>
    presenceRow({ event, username: "bob", lamport: 1 }, noonMs, PLAIN);
  assertEquals(read("joined"), "12:34:56  A new client bob has joined");
  assertEquals(read("left"), "12:34:56  bob left");
  assertEquals(read("lost"), "12:34:56  bob lost its connection");
});

Deno.test("messages that waited, and those that are delivered later, are counted", () => {
  assertEquals(awayRow(3, PLAIN), "3 messages while you were away");
  assertEquals(awayRow(1, PLAIN), "1 message while you were away");
  assertEquals(awayRow(1000, PLAIN, true), "More than 1000 messages while you were away");
  const read = (count: number, text: string) => deliveredRow("bob", { count, text }, noonMs, PLAIN);
  assertEquals(read(1, "hello"), "12:34:56  ✓✓ delivered to bob: hello");
  assertEquals(read(3, "hello"), "12:34:56  ✓✓ delivered to bob: 3 messages");
  assertEquals(read(1, "日".repeat(40)), `12:34:56  ✓✓ delivered to bob: ${"日".repeat(14)}…`);
});

Deno.test("a line that was not sent is shown as far as it needs to be, and why", () => {
  assertEquals(refusedRows("zed: hi", "nobody has it", PLAIN), "not sent: zed: hi\nnobody has it");
  assertEquals(refusedRows("x".repeat(99), "too long", PLAIN), `not sent: ${"x".repeat(29)}…\ntoo long`);
});

Deno.test("users are counted and named", () => {
  assertEquals(usersRow("online", ["ada", "bob"], PLAIN), "2 online: ada, bob");
  assertEquals(usersRow("online", [], PLAIN), "0 online");
  assertEquals(usersRow("all", ["ada"], PLAIN), "1 registered user: ada");
});

Deno.test("help fits 80 columns in rows of one, and 40 in rows of two", () => {
  for (const row of helpRows(80, PLAIN).split("\n")) assert(textWidth(row) < 80, row);
  assertMatch(helpRows(80, PLAIN), /^online {9}who is online$/m);
  assertMatch(helpRows(40, PLAIN), /^online\n {2}who is online$/m);
});

Deno.test("a name has one colour, and different names mostly different ones", () => {
  const style = { ...PLAIN, coloured: (text: string, colour: number) => `${colour}(${text})` };
  assertEquals(nameText("ada", style), `${nameColour("ada")}(ada)`);
  // These stand in what people have on their screens: they must not change from one version to the next.
  assertEquals(["ada", "bob", "日本"].map(nameColour), [64, 166, 68]);
  const colours = new Set(Array.from({ length: 200 }, (_, index) => nameColour(`user${index}`)));
  assertEquals(colours.size, 14);
});
