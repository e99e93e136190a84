import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  activityRow,
  deliveredRow,
  messageRow,
  presenceRow,
  refusedRows,
  sentRow,
  usersRow,
} from "../../../../client/terminal/chat/chat_rows.ts";
import { describeActivity } from "../../../../client/terminal/describe.ts";
import { styleNotice } from "../../../../client/terminal/notices.ts";
import { drawPrompt } from "../../../../client/terminal/screen/prompt_line.ts";
import { visible } from "../../../../client/terminal/screen/visible.ts";
import { PLAIN } from "../../../support/fake_stdio.ts";
import { ESCAPES } from "./_escapes.ts";

/** What a terminal obeys, and what it does not draw from left to right. */
const OBEYED = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]|\p{Cs}/u;

/** Every place where something that others wrote is shown. */
function shown(text: string): string[] {
  const activity = { activity: { text }, json: JSON.stringify({ text }), user: text, id: "s:1", lamport: 1, sentAt: 0 };
  const message = { from: text, to: "ada", text, id: "s:1", lamport: 1, sentAt: 0, offline: false };
  const presence = { username: text, lamport: 1 };
  return [
    visible(text),
    describeActivity(activity, PLAIN),
    activityRow(activity, 0, PLAIN),
    activityRow({ ...activity, activity: { text, more: 1 } }, 0, PLAIN),
    messageRow(message, 0, PLAIN),
    sentRow({ ...message, to: text }, "stored", PLAIN),
    deliveredRow(text, { count: 1, text }, 0, PLAIN),
    ...refusedRows(text, text, PLAIN).split("\n"),
    presenceRow({ ...presence, event: "joined" }, 0, PLAIN),
    presenceRow({ ...presence, event: "left" }, 0, PLAIN),
    presenceRow({ ...presence, event: "lost" }, 0, PLAIN),
    usersRow("online", [text, text], PLAIN),
    styleNotice({ tone: "warning", text }, PLAIN),
    // Pasted, or completed from somebody's name. The first characters are our own.
    drawPrompt({ prompt: "> ", text, cursor: text.length, columns: 80 }).slice("\r\x1b[K".length),
  ];
}

Deno.test("nothing that others write moves the cursor, rings, clears or does anything else that terminals do", () => {
  for (const [does, sequence] of ESCAPES) {
    for (const text of [sequence, `before${sequence}after`, sequence.repeat(3)]) {
      for (const row of shown(text)) assert(!OBEYED.test(row), `it ${does}: ${JSON.stringify(row)}`);
    }
  }
});

Deno.test("nothing that others write is obeyed, whatever it is", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 100 }), (text) => {
      for (const row of shown(text)) assert(!OBEYED.test(row), JSON.stringify(row));
    }),
    { numRuns: 50 },
  );
});

Deno.test("visible() shows what it was as JSON would, and leaves letters of all kinds", () => {
  assertEquals(
    visible("a\x1b[31m\x07\r\n\t\x7f\u009b\u202eb\u2066\u2028"),
    "a\\u001b[31m\\u0007\\r\\n\\t\\u007f\\u009b\\u202eb\\u2066\\u2028",
  );
  assertEquals(visible("\ud800x"), "\\ud800x");
  assertEquals(visible("naïve 日本 👩‍👩‍👧 עברית"), "naïve 日本 👩‍👩‍👧 עברית");
});
