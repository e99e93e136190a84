import { assertEquals } from "@std/assert";
import { type Key, KeyReader, MAX_PASTE_LENGTH } from "../../../../client/terminal/screen/keys.ts";

const encoder = new TextEncoder();

function read(...chunks: string[]): Key[] {
  const reader = new KeyReader();
  return chunks.flatMap((chunk) => reader.push(encoder.encode(chunk)));
}

/** The same in short: text as it is, keys by name. */
const named = (keys: Key[]) =>
  keys.map((key) => key.kind === "text" ? `"${key.text}"` : key.kind === "paste" ? `<${key.text}>` : key.kind).join(
    " ",
  );

Deno.test("KeyReader tells text from keys", () => {
  assertEquals(
    named(read("hi\r", "\t\x7f\x08\x15\x17\x0b\x0c\x03\x04\x01\x05\x02\x06\x10\x0e")),
    '"hi" enter tab backspace backspace eraseBefore eraseWord eraseAfter redraw interrupt endOfInput home end left right up down',
  );
  assertEquals(named(read("\x12\x07\x1a\x1b[5~\x1b[6~")), "search cancel suspend pageUp pageDown");
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

Deno.test("KeyReader takes for one what a terminal says was pasted, wherever it is cut", () => {
  const typed = "a\x1b[200~b\tc\r\nd\x1b[A日\x07\x1b[201~e\r";
  const bytes = encoder.encode(typed);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const reader = new KeyReader();
    const keys = [...reader.push(bytes.subarray(0, cut)), ...reader.push(bytes.subarray(cut))];
    // What is no text in it has no effect: no key may be pasted.
    assertEquals(named(keys), '"a" <b\tc\r\nd[A日> "e" enter', `cut at ${cut}`);
  }
  const reader = new KeyReader();
  assertEquals(
    named([...bytes].flatMap((byte) => reader.push(new Uint8Array([byte])))),
    '"a" <b\tc\r\nd[A日> "e" enter',
  );
});

Deno.test("KeyReader bounds a paste, and is not kept in one that never ends", () => {
  const long = read("\x1b[200~", "x".repeat(MAX_PASTE_LENGTH), "y".repeat(100), "\x1b[20", "1~z");
  const [paste] = long as { text: string; isCut?: true }[];
  assertEquals([long.map(({ kind }) => kind), paste!.text.length, paste!.isCut], [
    ["paste", "text"],
    MAX_PASTE_LENGTH,
    true,
  ]);
  assertEquals(named(read("\x1b[200~abc", "\x03", "d")), 'interrupt "d"');
});
