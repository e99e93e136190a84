import { assertEquals } from "@std/assert";
import type { Message } from "../../../../client/options.ts";
import { AwayMessages, MAX_HELD_MESSAGES } from "../../../../client/terminal/chat/away_messages.ts";

const message = (text: string, offline = true): Message => (
  { from: "bob", to: "ada", text, id: `s:${text}`, lamport: 1, sentAt: 0, offline }
);

Deno.test("AwayMessages keeps what waited until it is known how many they are", () => {
  const away = new AwayMessages();
  const [one, two, live] = [message("1"), message("2"), message("3", false)];
  assertEquals(away.message(one), { messages: [] });
  assertEquals(away.message(two), { messages: [] });
  assertEquals(away.message(live), { messages: [live] });
  assertEquals(away.caughtUp(2), { header: { count: 2, isMore: false }, messages: [one, two] });
  assertEquals(away.message(message("4", false)).messages.length, 1);
});

Deno.test("AwayMessages counts also what is handed over after the word that all has come", () => {
  const away = new AwayMessages();
  const [one, two] = [message("1"), message("2")];
  away.message(one);
  assertEquals(away.caughtUp(2), { header: { count: 2, isMore: false }, messages: [one] });
  assertEquals(away.message(two), { messages: [two] });
});

Deno.test("AwayMessages says nothing where nothing waited, and begins anew with each connection", () => {
  const away = new AwayMessages();
  assertEquals(away.caughtUp(0), { messages: [] });
  away.connected();
  assertEquals(away.message(message("1")), { messages: [] });
  assertEquals(away.caughtUp(1).header, { count: 1, isMore: false });
});

Deno.test("AwayMessages does not keep more than fits into memory", () => {
  const away = new AwayMessages();
  for (let n = 0; n < MAX_HELD_MESSAGES; n++) assertEquals(away.message(message(`${n}`)).messages, []);
  const full = away.message(message("one more"));
  assertEquals([full.header, full.messages.length], [
    { count: MAX_HELD_MESSAGES, isMore: true },
    MAX_HELD_MESSAGES + 1,
  ]);
  assertEquals(away.message(message("and more")).messages.length, 1);
  assertEquals(away.caughtUp(MAX_HELD_MESSAGES + 2), { messages: [] });
});
