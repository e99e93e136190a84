import { assertEquals } from "@std/assert";
import { type Key, KeyReader } from "../../../../client/terminal/screen/keys.ts";

const encoder = new TextEncoder();

function read(...chunks: string[]): Key[] {
  const reader = new KeyReader();
  return chunks.flatMap((chunk) => reader.push(encoder.encode(chunk)));
}

/** The same in short: text as it is, keys by name. */
const named = (keys: Key[]) => keys.map((key) => key.kind === "text" ? `"${key.text}"` : key.kind).join(" ");

Deno.test("KeyReader tells text from keys", () => {
  assertEquals(
    named(read("hi\r", "\t\x7f\x08\x15\x17\x0b\x0c\x03\x04\x01\x05\x02\x06\x10\x0e")),
    '"hi" enter tab backspace backspace eraseBefore eraseWord eraseAfter redraw interrupt endOfInput home end left right up down',
  );
});

Deno.test("KeyReader knows cursor keys as terminals of all kinds send them, wherever they are cut", () => {
  const sequences = [
    ["up", "[A", "OA"],
    ["down", "[B", "OB"],
    ["right", "[C", "OC"],
    ["left", "[D", "OD"],
    ["home", "[H", "OH", "[1~", "[7~"],
    ["end", "[F", "OF", "[4~", "[8~"],
    ["delete", "[3~"],
    ["wordLeft", "[1;5D", "[1;3D", "b"],
    ["wordRight", "[1;5C", "[1;3C", "f"],
    ["eraseWord", "\x7f", "\b"],
  ];
  for (const [name, ...forms] of sequences) {
    for (const form of forms) {
      for (let cut = 0; cut <= form.length; cut++) {
        const keys = read(`a\x1b${form.slice(0, cut)}`, `${form.slice(cut)}b`);
        assertEquals(named(keys), `"a" ${name} "b"`, JSON.stringify(form));
      }
    }
  }
});

Deno.test("KeyReader puts characters together that come in parts", () => {
  const bytes = encoder.encode("aé日👩‍👩‍👧z");
  const reader = new KeyReader();
  const text = [...bytes].flatMap((byte) => reader.push(new Uint8Array([byte])))
    .map((key) => key.kind === "text" ? key.text : key.kind).join("");
  assertEquals(text, "aé日👩‍👩‍👧z");
});

Deno.test("KeyReader leaves out keys that mean nothing here, wherever they are cut", () => {
  // Insert, F1, F5, Shift-Tab, an unknown Alt, and control characters.
  const keys = "\x1b[2~\x1bOP\x1b[15~\x1b[Z\x1bq\x00\x1f";
  for (let cut = 0; cut <= keys.length; cut++) {
    assertEquals(named(read(`a${keys.slice(0, cut)}`, `${keys.slice(cut)}b`)).replaceAll('" "', ""), '"ab"');
  }
});

Deno.test("KeyReader hears Ctrl-C after Escape, and within a sequence that never ends", () => {
  assertEquals(named(read("\x1b", "\x03")), "interrupt");
  assertEquals(named(read("\x1b[1;", "\x03a")), 'interrupt "a"');
  assertEquals(named(read("\x1b\x1b[A")), "up");
});

Deno.test("KeyReader takes pasted lines for lines", () => {
  assertEquals(named(read("one\ntwo\r")), '"one" enter "two" enter');
});

Deno.test("KeyReader makes no text of control characters that are pasted as UTF-8", () => {
  assertEquals(named(read("a\u009b31mb")), '"a31mb"');
});
