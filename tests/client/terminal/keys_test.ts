import { assertEquals } from "@std/assert";
import { type Key, KeyReader } from "../../../client/terminal/keys.ts";

const encoder = new TextEncoder();

function read(...chunks: string[]): Key[] {
  const reader = new KeyReader();
  return chunks.flatMap((chunk) => reader.push(encoder.encode(chunk)));
}

Deno.test("KeyReader tells text from keys", () => {
  assertEquals(read("hi\r", "\x7f\x08\x15\x17\x0c\x03\x04"), [
    { kind: "text", text: "hi" },
    { kind: "enter" },
    { kind: "backspace" },
    { kind: "backspace" },
    { kind: "eraseLine" },
    { kind: "eraseWord" },
    { kind: "redraw" },
    { kind: "interrupt" },
    { kind: "endOfInput" },
  ]);
});

Deno.test("KeyReader puts characters together that come in parts", () => {
  const bytes = encoder.encode("aé日👩‍👩‍👧z");
  const reader = new KeyReader();
  const text = [...bytes].flatMap((byte) => reader.push(new Uint8Array([byte])))
    .map((key) => key.kind === "text" ? key.text : key.kind).join("");
  assertEquals(text, "aé日👩‍👩‍👧z");
});

Deno.test("KeyReader leaves out keys that mean nothing here, wherever they are cut", () => {
  // Cursor keys, Delete, F1, a modified cursor key, Alt-b, and control characters.
  const keys = "\x1b[A\x1b[D\x1b[3~\x1bOP\x1b[1;5C\x1bb\x01\t\x7f";
  for (let cut = 0; cut <= keys.length; cut++) {
    assertEquals(read(`a${keys.slice(0, cut)}`, `${keys.slice(cut)}b`).filter(({ kind }) => kind !== "backspace"), [
      { kind: "text", text: "a" },
      { kind: "text", text: "b" },
    ]);
  }
});

Deno.test("KeyReader hears Ctrl-C after Escape", () => {
  assertEquals(read("\x1b", "\x03"), [{ kind: "interrupt" }]);
});

Deno.test("KeyReader takes pasted lines for lines", () => {
  assertEquals(read("one\ntwo\r"), [
    { kind: "text", text: "one" },
    { kind: "enter" },
    { kind: "text", text: "two" },
    { kind: "enter" },
  ]);
});

Deno.test("KeyReader makes no text of control characters that are pasted as UTF-8", () => {
  assertEquals(read("a\u009b31mb"), [{ kind: "text", text: "a31mb" }]);
});
