import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { drawAbove, drawPrompt } from "../../../client/terminal/prompt_line.ts";
import { textEnd, textWidth } from "../../../client/terminal/text_width.ts";

Deno.test("drawPrompt() draws the line anew in its row", () => {
  assertEquals(drawPrompt({ prompt: "> ", text: "hello", columns: 80 }), "\r\x1b[K> hello");
});

Deno.test("drawPrompt() shows the end of a text that is too long for the row", () => {
  assertEquals(drawPrompt({ prompt: "> ", text: "0123456789", columns: 10 }), "\r\x1b[K> …456789");
  assertEquals(drawPrompt({ prompt: "> ", text: "0123456", columns: 10 }), "\r\x1b[K> 0123456");
  assertEquals(drawPrompt({ prompt: "> ", text: "日本語日本語", columns: 10 }), "\r\x1b[K> …日本語");
});

Deno.test("drawAbove() puts lines in the place of the prompt, and the prompt below", () => {
  assertEquals(
    drawAbove("one\ntwo", { prompt: "> ", text: "typing", columns: 80 }),
    "\r\x1b[Kone\r\ntwo\r\n\r\x1b[K> typing",
  );
});

Deno.test("drawPrompt() never takes more than the row, whatever is typed", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 200 }), fc.integer({ min: 5, max: 100 }), (text, columns) => {
      const line = drawPrompt({ prompt: "> ", text, columns }).slice("\r\x1b[K".length);
      assert(textWidth(line) < columns, `${textWidth(line)} columns of ${columns}`);
      assert(!/\p{Cc}/u.test(line));
    }),
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
      ["ｗ", 2],
    ] as const
  ) {
    // Halfwidth katakana are of the script but narrow: counted wide, so that the row is never exceeded.
    assertEquals(textWidth(text), width, text);
  }
});

Deno.test("textEnd() cuts between what people take for characters", () => {
  assertEquals(textEnd("ab👩‍👩‍👧c", 3), "👩‍👩‍👧c");
  assertEquals(textEnd("ab👩‍👩‍👧c", 2), "c");
});
