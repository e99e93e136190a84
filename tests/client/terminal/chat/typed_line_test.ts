import { assert, assertEquals } from "@std/assert";
import { HELP, readPastedLines, readTypedLine, WORDS } from "../../../../client/terminal/chat/typed_line.ts";

const isUser = (name: string) => ["ada", "help", "Mary Ann", "日本"].includes(name);
const isChannel = (name: string) => ["lab", "my lab", "lab:"].includes(name);
const read = (line: string) => readTypedLine(line, isUser);
const readKnown = (line: string) => readTypedLine(line, isUser, undefined, isChannel);

Deno.test("readTypedLine() takes a text for everyone and NAME: text for one user", () => {
  assertEquals(read("hello there"), { kind: "say", text: "hello there" });
  assertEquals(read("ada: hello"), { kind: "direct", to: "ada", text: "hello" });
  assertEquals(read("nobody: hello"), { kind: "direct", to: "nobody", text: "hello" });
  assertEquals(read("Mary Ann:  a: b"), { kind: "direct", to: "Mary Ann", text: "a: b" });
  assertEquals(read("日本: こんにちは"), { kind: "direct", to: "日本", text: "こんにちは" });
});

Deno.test("readTypedLine() does not tell everyone what was meant for a user it knows", () => {
  assertEquals(read("ada:hello"), { kind: "direct", to: "ada", text: "hello" });
  assertEquals(read("ada :hello"), { kind: "direct", to: "ada", text: "hello" });
  assertEquals(read("ada:"), { kind: "mistake", info: "There is no text for ada" });
  assertEquals(read("bob:"), { kind: "mistake", info: "There is no text for bob" });
});

Deno.test("readTypedLine() takes addresses, times and the like for text", () => {
  for (const text of ["http://example.org: see", "at 12:30", "12:30", "a/b: c", ":-)", ": hello", "nobody:hello"]) {
    assertEquals(read(text), { kind: "say", text });
  }
});

Deno.test("readTypedLine() knows each word, alone and with a slash", () => {
  for (const word of WORDS) {
    assertEquals(read(word), { kind: "word", word });
    assertEquals(read(`/${word}`), { kind: "word", word });
    assertEquals(read(`${word} is a word`), { kind: "say", text: `${word} is a word` });
    // A user of that name can be written to.
    assertEquals(read(`${word}: hi`), { kind: "direct", to: word, text: "hi" });
  }
  assertEquals(read("help:hi"), { kind: "direct", to: "help", text: "hi" });
});

Deno.test("readTypedLine() takes a mistyped word for a mistake, and not for a text", () => {
  const info = "Words: /online, /all, /help, /disconnect, /join, /leave; to say it: /say …";
  assert(info.length < 80);
  for (
    const line of ["/onlin", "/online x", "/help me", "/Help", "/etc/hosts", "/ shrug", "/", "/ada: hi", "/saying"]
  ) {
    assertEquals(read(line), { kind: "mistake", info });
  }
  assertEquals(read("/say"), { kind: "mistake", info: "There is no text to say" });
});

Deno.test("readTypedLine() says with /say what means something else without it", () => {
  assertEquals(read("/say online"), { kind: "say", text: "online" });
  assertEquals(read("/say ada: hello"), { kind: "say", text: "ada: hello" });
  assertEquals(read("/say\t/online x"), { kind: "say", text: "/online x" });
  assertEquals(read("//etc/hosts is a file"), { kind: "say", text: "/etc/hosts is a file" });
  assertEquals(read("//help"), { kind: "say", text: "/help" });
  assertEquals(read('/say {"a":1}'), { kind: "say", text: '{"a":1}' });
});

Deno.test("readTypedLine() takes what begins as a JSON object for one", () => {
  assertEquals(read('{"a": 1}'), { kind: "activity", json: '{"a": 1}' });
  assertEquals(read("{broken: text"), { kind: "activity", json: "{broken: text" });
});

Deno.test("readTypedLine() joins and leaves channels, with their mark or without", () => {
  assertEquals(read("/join lab"), { kind: "join", channel: "lab" });
  assertEquals(read("/join  #lab/door "), { kind: "join", channel: "lab/door" });
  assertEquals(read("/join lab/**"), { kind: "join", channel: "lab/**" });
  assertEquals(read("/join my lab"), { kind: "join", channel: "my lab" });
  assertEquals(read("/join ##1"), { kind: "join", channel: "#1" });
  assertEquals(read("/join"), { kind: "join" });
  assertEquals(read("/leave"), { kind: "leave" });
  assertEquals(read("/leave #lab"), { kind: "leave", channel: "lab" });
  assertEquals(read("/join cafe\u0301"), { kind: "join", channel: "caf\u00e9" });
  // Only with their slash: these are words that people say.
  assertEquals(read("join us"), { kind: "say", text: "join us" });
  for (
    const [line, info] of [
      ["/join a//b", "The name of a channel has an empty level"],
      ["/join a/*/b", "A pattern of channels may end in /* or /**, and has no other *"],
      ["/leave /a", "The name of a channel has an empty level"],
      ["/join #", "The name of a channel is empty"],
      [`/join ${"x".repeat(129)}`, "A pattern of channels is longer than 128 characters"],
    ] as const
  ) assertEquals(read(line), { kind: "mistake", info }, line);
});

Deno.test("readTypedLine() takes #NAME text for a channel, and for no other text that begins like that", () => {
  assertEquals(read("#lab hello  you"), { kind: "say", text: "hello  you", channel: "lab" });
  assertEquals(read("#lab/door: hello"), { kind: "say", text: "hello", channel: "lab/door" });
  assertEquals(read('#lab {"a":1}'), { kind: "activity", json: '{"a":1}', channel: "lab" });
  assertEquals(read("#lab /online"), { kind: "say", text: "/online", channel: "lab" });
  assertEquals(read("#lab"), {
    kind: "mistake",
    info: "There is no text for #lab; to be there, type /join lab",
  });
  assertEquals(read("#lab/* hello"), { kind: "mistake", info: "The name of a channel has a *" });
  for (const text of ["# heading", "## heading", "#", "say #lab"]) assertEquals(read(text), { kind: "say", text });
  assertEquals(read("/say #1 is best"), { kind: "say", text: "#1 is best" });
  // Names that are known may have spaces, and the longest one counts.
  assertEquals(read("#my lab hi"), { kind: "say", text: "lab hi", channel: "my" });
  assertEquals(readKnown("#my lab hi"), { kind: "say", text: "hi", channel: "my lab" });
  assertEquals(readKnown("#lab: hi"), { kind: "say", text: "hi", channel: "lab:" });
  // A user may be called so, and the text must not go to anybody else.
  const named = (line: string) => readTypedLine(line, (name) => name === "#ada");
  assertEquals(named("#ada: hi"), { kind: "direct", to: "#ada", text: "hi" });
});

Deno.test("readPastedLines() says in a channel all that is pasted behind its name", () => {
  const paste = (lines: string[], typed: string) =>
    readPastedLines(lines, typed, { isUser, alike: () => undefined, isChannel });
  const inLab = { channel: "lab" } as const;
  assertEquals(paste(["#lab one", "two", "/leave", '{"a":1}', "#hall x"], "#lab "), [
    { kind: "say", text: "one", ...inLab },
    { kind: "say", text: "two", ...inLab },
    { kind: "say", text: "/leave", ...inLab },
    { kind: "activity", json: '{"a":1}', ...inLab },
    { kind: "say", text: "#hall x", ...inLab },
  ]);
  assertEquals(paste(["#lab {", "two"], "#lab "), [
    { kind: "say", text: "{", ...inLab },
    { kind: "say", text: "two", ...inLab },
  ]);
  // What was pasted alone is text.
  assertEquals(paste(["#lab one", "/join lab"], ""), [
    { kind: "say", text: "#lab one" },
    { kind: "say", text: "/join lab" },
  ]);
});

Deno.test("HELP has every word", () => {
  for (const word of WORDS) assertEquals(HELP.filter(([typed]) => typed === word).length, 1);
});

Deno.test("readTypedLine() understands what other programs call it", () => {
  for (const [typed, word] of [["quit", "disconnect"], ["exit", "disconnect"], ["?", "help"]] as const) {
    assertEquals(read(typed), { kind: "word", word });
    assertEquals(read(`/${typed}`), { kind: "word", word });
    assertEquals(read(`${typed} is a word`), { kind: "say", text: `${typed} is a word` });
    assertEquals(read(`${typed}: hi`), { kind: "direct", to: typed, text: "hi" });
  }
});

const alike = (name: string) => ["ada", "help", "Mary Ann"].find((known) => known.toLowerCase() === name.toLowerCase());

Deno.test("readTypedLine() asks about a name that differs in case alone, and tells nobody", () => {
  const unsure = { kind: "unsure", to: "Ada", meant: "ada", text: "hi" } as const;
  assertEquals(readTypedLine("Ada: hi", isUser, alike), unsure);
  assertEquals(readTypedLine("Ada:hi", isUser, alike), unsure);
  assertEquals(readTypedLine("ada: hi", isUser, alike), { kind: "direct", to: "ada", text: "hi" });
  // There may be such a user that this client has not heard of.
  assertEquals(readTypedLine("Bob: hi", isUser, alike), { kind: "direct", to: "Bob", text: "hi" });
});

Deno.test("readPastedLines() says what is pasted, and obeys no word in it", () => {
  const paste = (lines: string[], typed = "") => readPastedLines(lines, typed, { isUser, alike, isChannel });
  const lines = ["disconnect", "/usr/bin", "Note: x", "\tindented", "{", '{"a":1}'];
  assertEquals(paste(lines), [
    ...lines.slice(0, 5).map((text) => ({ kind: "say", text } as const)),
    { kind: "activity", json: '{"a":1}' },
  ]);
  assertEquals(paste(["Ada: hi"]), [{ kind: "mistake", info: "There is no user Ada; did you mean ada?" }]);
});

Deno.test("readPastedLines() tells one user all that is pasted behind its name", () => {
  const paste = (lines: string[], typed = "") => readPastedLines(lines, typed, { isUser, alike, isChannel });
  const to = (to: string, ...texts: string[]) => texts.map((text) => ({ kind: "direct", to, text } as const));
  assertEquals(paste(["new: one", "two", "quit"], "new: "), to("new", "one", "two", "quit"));
  assertEquals(paste(["ada: one", "two", "Mary Ann: three", "four"]), [
    ...to("ada", "one", "two"),
    ...to("Mary Ann", "three", "four"),
  ]);
});
