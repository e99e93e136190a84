import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  drawAbove,
  drawPrompt,
  type PromptLine,
  redrawAbove,
  redrawResized,
} from "../../../../client/terminal/screen/prompt_line.ts";
import { textEnd, textStart, textWidth } from "../../../../client/terminal/screen/text_width.ts";

/** A line where `|` is the cursor. */
function line(typed: string, columns = 10): PromptLine {
  const cursor = typed.indexOf("|");
  return { prompt: "> ", text: typed.slice(0, cursor) + typed.slice(cursor + 1), cursor, columns };
}

/** What is drawn, with `|` where the cursor ends up. */
function drawn(typed: string, columns = 10): string {
  const text = drawPrompt(line(typed, columns));
  assert(text.startsWith("\r\x1b[K> "));
  const [before = "", after = ""] = text.slice("\r\x1b[K> ".length).split("\x1b7");
  assert(after === "" || after.endsWith("\x1b8"));
  return `${before}|${after.slice(0, -2)}`;
}

Deno.test("drawPrompt() draws the line anew in its row, with the cursor where it stands", () => {
  assertEquals(drawPrompt(line("hello|", 80)), "\r\x1b[K> hello");
  assertEquals(drawPrompt(line("hel|lo", 80)), "\r\x1b[K> hel\x1b7lo\x1b8");
  assertEquals(drawn("|hello"), "|hello");
});

Deno.test("drawPrompt() shows the end of a text that is too long for the row", () => {
  assertEquals(drawn("0123456789|"), "…456789|");
  assertEquals(drawn("0123456|"), "0123456|");
  assertEquals(drawn("日本語日本語|"), "…日本語|");
});

Deno.test("drawPrompt() shows what is around the cursor in the middle of a long text", () => {
  assertEquals(drawn("|0123456789"), "|012345…");
  assertEquals(drawn("01|23456789"), "01|2345…");
  assertEquals(drawn("012345|6789"), "…2345|6…");
  assertEquals(drawn("01234567|89"), "…4567|89");
  assertEquals(drawn(`${"x".repeat(10_000)}|${"y".repeat(10_000)}`), "…xxxx|y…");
});

Deno.test("drawAbove() puts lines in the place of the prompt, and the prompt below", () => {
  assertEquals(drawAbove("one\ntwo", line("typing|", 80)), "\r\x1b[Kone\r\ntwo\r\n\r\x1b[K> typing");
});

Deno.test("redrawAbove() puts a line in the place of the row above the prompt", () => {
  assertEquals(redrawAbove("one", line("ty|", 80)), "\r\x1b[K\x1b[A\r\x1b[Kone\r\n\r\x1b[K> ty");
});

Deno.test("redrawResized() goes up as many rows as the terminal has broken the line into before the cursor", () => {
  const rowsUp = (typed: string, before: number, now: number) => {
    const text = redrawResized(line(typed, before), line(typed, now));
    // deno-lint-ignore no-control-regex -- the sequence that goes up begins with it
    return Number(/^\x1b\[(\d+)A/.exec(text)?.[1] ?? 0);
  };
  const long = "x".repeat(70);
  assertEquals(rowsUp(`${long}|`, 80, 40), 1);
  assertEquals(rowsUp(`${long}|`, 80, 30), 2);
  assertEquals(rowsUp(`${long}|`, 80, 120), 0);
  assertEquals(rowsUp(`|${long}`, 80, 40), 0);
  assertEquals(rowsUp("short|", 80, 40), 0);
  // Only what was shown of it has been broken.
  assertEquals(rowsUp(`${"x".repeat(700)}|`, 80, 40), 1);
  assertEquals(redrawResized(line("ab|", 80), line("ab|", 40)), "\r\x1b[J\r\x1b[K> ab");
});

Deno.test("drawPrompt() never takes more than the row, whatever is typed and wherever the cursor is", () => {
  const place = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: "grapheme", maxLength: 3 }), { maxLength: 60 }),
      place,
      fc.integer({ min: 5, max: 100 }),
      (parts, at, columns) => {
        const before = parts.slice(0, Math.floor(at * parts.length)).join("");
        const text = drawn(`${before.replaceAll("|", "")}|${parts.join("").slice(before.length)}`, columns).replace(
          "|",
          "",
        );
        assert(textWidth(text) + 2 < columns, `${textWidth(text)} columns of ${columns}`);
        assert(!/\p{Cc}/u.test(text));
      },
    ),
  );
});

Deno.test("textWidth() counts columns", () => {
  for (
    const [text, width] of [
      ["", 0],
      ["abc", 3],
      ["é", 1],
      ["e\u0301", 1],
      ["日本", 4],
      ["한", 2],
      ["ｶﾅ", 4],
      ["👍", 2],
      [
        "👩‍👩‍👧",
        2,
      ],
      ["❤️", 2],
      ["㍿㊙", 4],
      ["䷀", 2],
      ["︽", 2],
      ["क्ष", 2],
      ["ｗ", 2],
    ] as const
  ) {
    // Halfwidth katakana are of the script but narrow: counted wide, so that the row is never exceeded.
    assertEquals(textWidth(text), width, text);
  }
});

Deno.test("textStart() and textEnd() cut between what people take for characters", () => {
  assertEquals(textStart("a👩‍👩‍👧bc", 4), "a👩‍👩‍👧b");
  assertEquals(textStart("a👩‍👩‍👧bc", 2), "a");
  assertEquals(textEnd("ab👩‍👩‍👧c", 3), "👩‍👩‍👧c");
  assertEquals(textEnd("ab👩‍👩‍👧c", 2), "c");
});
