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
  "search",
  "cancel",
  "pageUp",
  "pageDown",
  "suspend",
  "interrupt",
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

Deno.test("stepEditor() takes the line back with Ctrl-C, and leaves with it on an empty one, as with Ctrl-D", () => {
  assertEquals(stepEditor(after("x"), { kind: "interrupt" }), { editor: EMPTY_EDITOR });
  assertEquals(stepEditor(after(), { kind: "interrupt" }).request, { kind: "leave" });
  assertEquals(stepEditor(after(), { kind: "endOfInput" }).request, { kind: "leave" });
  assertEquals(stepEditor(after("x"), { kind: "endOfInput" }), { editor: after("x") });
  // What was recalled is taken back too, and Up begins with the newest again.
  const recalled = after("one", "enter", "two", "enter", "up", "up");
  const { editor } = stepEditor(recalled, { kind: "interrupt" });
  assertEquals(stepEditor(editor, { kind: "up" }).editor.text, "two");
});

Deno.test("stepEditor() puts a pasted line where the cursor stands, with its tabs, and submits nothing", () => {
  const paste = (text: string, into = after("ac", "left")) => stepEditor(into, { kind: "paste", text });
  assertEquals(paste("\tb\n").editor.text, "a\tbc");
  assertEquals([paste("b\r\n").request, paste("").request, paste("\n").request], [undefined, undefined, undefined]);
  assertEquals(stepEditor(paste("\tb", after()).editor, { kind: "enter" }).request, { kind: "submit", line: "\tb" });
  const { editor, request } = paste("1\n2\r\n\r3\n");
  assertEquals(request, { kind: "paste", lines: ["a1", "2", "", "3c"], typed: "a" });
  assertEquals(editor.text, "ac");
});

Deno.test("stepEditor() finds an earlier line by a part of it, goes on to older ones, and takes it or gives it up", () => {
  const lines = ["say hello", "enter", "bob: hello", "enter", "other", "enter", "draft"];
  const search = (...keys: (KeyName | string)[]) =>
    keys.reduce((editor, key) => {
      const name = [...KEYS, "search", "cancel", "interrupt"].find((name) => name === key) as KeyName | undefined;
      return stepEditor(editor, name === undefined ? { kind: "text", text: key } : { kind: name }).editor;
    }, after(...lines));
  const shown = (...keys: string[]) => {
    const { text, cursor, search: found } = search(...keys);
    return `${text.slice(0, cursor)}|${text.slice(cursor)}${found === undefined ? "" : ` (${found.query})`}`;
  };
  assertEquals(shown("search"), "draft| ()");
  assertEquals(shown("search", "hel"), "bob: |hello (hel)");
  assertEquals(shown("search", "HEL", "search"), "say |hello (HEL)");
  assertEquals(shown("search", "hel", "search", "search"), "say |hello (hel)");
  assertEquals(shown("search", "hel", "x"), "bob: |hello (helx)");
  assertEquals(search("search", "hel", "x").search?.at, undefined);
  assertEquals(shown("search", "hel", "x", "backspace"), "bob: |hello (hel)");
  assertEquals(shown("search", "hel", "cancel"), "draft|");
  assertEquals(shown("search", "hel", "interrupt"), "draft|");
  assertEquals(shown("search", "hel", "end", "!"), "bob: hello!|");
  assertEquals(stepEditor(search("search", "say"), { kind: "enter" }).request, { kind: "submit", line: "say hello" });
  assertEquals(shown("search", "hel", "endOfInput"), "bob: |hello");
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
