import { assertEquals } from "@std/assert";
import { type Editor, EMPTY_EDITOR, MAX_TEXT_LENGTH, stepEditor } from "../../../client/terminal/editor.ts";
import type { Key } from "../../../client/terminal/keys.ts";

/** The text after these keys; strings are typed. */
function typed(...keys: (string | Key["kind"])[]): string {
  let editor: Editor = EMPTY_EDITOR;
  for (const key of keys) {
    const known = ["enter", "backspace", "eraseWord", "eraseLine", "redraw", "endOfInput"].includes(key);
    editor = stepEditor(editor, (known ? { kind: key } : { kind: "text", text: key }) as Key).editor;
  }
  return editor.text;
}

Deno.test("stepEditor() erases what people take for one character", () => {
  assertEquals(typed("abc", "backspace"), "ab");
  assertEquals(typed("a", "👩‍👩‍👧", "backspace"), "a");
  assertEquals(typed("e\u0301", "backspace"), "");
  assertEquals(typed("🇩🇪🇫🇷", "backspace"), "🇩🇪");
  assertEquals(typed("backspace"), "");
});

Deno.test("stepEditor() erases words and lines", () => {
  assertEquals(typed("one two  ", "eraseWord"), "one ");
  assertEquals(typed("one two", "eraseWord", "eraseWord", "eraseWord"), "");
  assertEquals(typed("one two", "eraseLine"), "");
  assertEquals(typed("one", "redraw"), "one");
});

Deno.test("stepEditor() submits a line without the space around it, and begins a new one", () => {
  assertEquals(stepEditor({ text: " hello " }, { kind: "enter" }), {
    editor: EMPTY_EDITOR,
    request: { kind: "submit", line: "hello" },
  });
  assertEquals(stepEditor({ text: "  " }, { kind: "enter" }), { editor: EMPTY_EDITOR });
});

Deno.test("stepEditor() leaves with Ctrl-C always, with Ctrl-D on an empty line", () => {
  assertEquals(stepEditor({ text: "x" }, { kind: "interrupt" }).request, { kind: "leave" });
  assertEquals(stepEditor({ text: "" }, { kind: "endOfInput" }).request, { kind: "leave" });
  assertEquals(stepEditor({ text: "x" }, { kind: "endOfInput" }), { editor: { text: "x" } });
});

Deno.test("stepEditor() bounds what is pasted", () => {
  assertEquals(typed("x".repeat(100_000), "y").length, MAX_TEXT_LENGTH);
});
