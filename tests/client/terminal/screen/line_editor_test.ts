import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  type Editor,
  EMPTY_EDITOR,
  MAX_TEXT_LENGTH,
  stepEditor,
} from "../../../../client/terminal/screen/line_editor.ts";
import type { KeyName } from "../../../../client/terminal/screen/keys.ts";

const KEYS: readonly KeyName[] = [
  "enter",
  "tab",
  "backspace",
  "delete",
  "left",
  "right",
  "wordLeft",
  "wordRight",
  "home",
  "end",
  "up",
  "down",
  "eraseWord",
  "eraseBefore",
  "eraseAfter",
  "redraw",
  "endOfInput",
];

/** The editor after these keys; other strings are typed. */
function after(...keys: string[]): Editor {
  return keys.reduce((editor, key) => {
    const name = KEYS.find((name) => name === key);
    return stepEditor(editor, name === undefined ? { kind: "text", text: key } : { kind: name }).editor;
  }, EMPTY_EDITOR);
}

/** Its text, with `|` for the cursor. */
function typed(...keys: string[]): string {
  const { text, cursor } = after(...keys);
  return `${text.slice(0, cursor)}|${text.slice(cursor)}`;
}

Deno.test("stepEditor() erases what people take for one character", () => {
  assertEquals(typed("abc", "backspace"), "ab|");
  assertEquals(typed("a", "👩‍👩‍👧", "backspace"), "a|");
  assertEquals(typed("e\u0301", "backspace"), "|");
  assertEquals(typed("🇩🇪🇫🇷", "backspace"), "🇩🇪|");
  assertEquals(typed("backspace"), "|");
  assertEquals(typed("a👩‍👩‍👧b", "home", "right", "delete"), "a|b");
  assertEquals(typed("a", "delete"), "a|");
});

Deno.test("stepEditor() moves by characters and by words, and types where the cursor stands", () => {
  assertEquals(typed("a日👩‍👩‍👧b", "left", "left"), "a日|👩‍👩‍👧b");
  assertEquals(typed("ac", "left", "b"), "ab|c");
  assertEquals(typed("bc", "home", "a", "end", "d"), "abcd|");
  assertEquals(typed("one two three", "wordLeft", "wordLeft"), "one |two three");
  assertEquals(typed("one two three", "home", "wordRight", "wordRight"), "one two| three");
  assertEquals(typed("home", "left", "wordLeft", "right", "wordRight"), "|");
});

Deno.test("stepEditor() erases words, and what is before or behind the cursor", () => {
  assertEquals(typed("one two  ", "eraseWord"), "one |");
  assertEquals(typed("one two", "eraseWord", "eraseWord", "eraseWord"), "|");
  assertEquals(typed("one two three", "wordLeft", "eraseWord"), "one |three");
  assertEquals(typed("one two", "wordLeft", "eraseBefore"), "|two");
  assertEquals(typed("one two", "wordLeft", "eraseAfter"), "one |");
  assertEquals(typed("one", "left", "redraw"), "on|e");
});

Deno.test("stepEditor() submits the whole line without the space around it, and begins a new one", () => {
  const step = stepEditor(after(" hello ", "home"), { kind: "enter" });
  assertEquals(step.request, { kind: "submit", line: "hello" });
  assertEquals([step.editor.text, step.editor.cursor], ["", 0]);
  assertEquals(stepEditor(after("  "), { kind: "enter" }), { editor: EMPTY_EDITOR });
});

Deno.test("stepEditor() recalls what was submitted, and what was being typed before that", () => {
  const lines = ["one", "enter", "two", "enter", "two", "enter", "dra"];
  assertEquals(typed(...lines, "up"), "two|");
  assertEquals(typed(...lines, "up", "up"), "one|");
  assertEquals(typed(...lines, "up", "up", "up"), "one|");
  assertEquals(typed(...lines, "up", "up", "down"), "two|");
  assertEquals(typed(...lines, "up", "up", "down", "down"), "dra|");
  assertEquals(typed(...lines, "down", "ft"), "draft|");
  assertEquals(typed(...lines, "up", "!", "enter", "up"), "two!|");
  assertEquals(typed("up", "down"), "|");
});

Deno.test("stepEditor() leaves with Ctrl-C always, with Ctrl-D on an empty line", () => {
  assertEquals(stepEditor(after("x"), { kind: "interrupt" }).request, { kind: "leave" });
  assertEquals(stepEditor(after(), { kind: "endOfInput" }).request, { kind: "leave" });
  assertEquals(stepEditor(after("x"), { kind: "endOfInput" }), { editor: after("x") });
});

Deno.test("stepEditor() asks for completion with Tab, and leaves the line", () => {
  assertEquals(stepEditor(after("bo"), { kind: "tab" }), { editor: after("bo"), request: { kind: "complete" } });
});

Deno.test("stepEditor() bounds what is pasted", () => {
  assertEquals(after("x".repeat(100_000), "y").text.length, MAX_TEXT_LENGTH);
  assertEquals(after("ab", "left", "x".repeat(100_000)).text.slice(-1), "b");
});

Deno.test("stepEditor() keeps the cursor in the line, whatever is pressed", () => {
  const key = fc.oneof(fc.constantFrom(...KEYS), fc.string({ unit: "grapheme", minLength: 1, maxLength: 5 }));
  fc.assert(fc.property(fc.array(key, { maxLength: 40 }), (keys) => {
    const { text, cursor } = after(...keys);
    assert(cursor >= 0 && cursor <= text.length);
  }));
});
