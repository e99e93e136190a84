import { assertEquals } from "@std/assert";
import { complete } from "../../../../client/terminal/screen/completion.ts";
import { EMPTY_EDITOR } from "../../../../client/terminal/screen/line_editor.ts";

const names = ["alice", "alan", "bob", "Mary Ann", "日本語", "日本人", "help"];

/** The line after Tab where `|` is the cursor, and what there is to choose from. */
function tab(
  line: string,
  known = names,
  channels: readonly string[] = [],
): [line: string, ...choices: string[]] {
  const cursor = line.indexOf("|");
  const text = line.slice(0, cursor) + line.slice(cursor + 1);
  const { editor, choices } = complete({ ...EMPTY_EDITOR, text, cursor }, known, channels);
  return [`${editor.text.slice(0, editor.cursor)}|${editor.text.slice(editor.cursor)}`, ...choices];
}

Deno.test("complete() makes a message of a name at the beginning of a line", () => {
  assertEquals(tab("b|"), ["bob: |"]);
  assertEquals(tab("B|"), ["bob: |"]);
  assertEquals(tab("mary a|"), ["Mary Ann: |"]);
  assertEquals(tab("b| hello"), ["bob:| hello"]);
  assertEquals(tab("bob:|"), ["bob:|"]);
});

Deno.test("complete() completes as far as there is one way, then shows them", () => {
  assertEquals(tab("ali|"), ["alice: |"]);
  assertEquals(tab("a|"), ["al|"]);
  assertEquals(tab("al|"), ["al|", "alan:", "alice:", "all"]);
  assertEquals(tab("日|"), ["日本|"]);
  assertEquals(tab("日本|"), ["日本|", "日本人:", "日本語:"]);
});

Deno.test("complete() completes words, with a slash too, and tells a word from a user of that name", () => {
  assertEquals(tab("on|"), ["online |"]);
  assertEquals(tab("/d|"), ["/disconnect |"]);
  assertEquals(tab("/|"), ["/|", "/all", "/disconnect", "/help", "/join", "/leave", "/online", "/say"]);
  assertEquals(tab("/j|"), ["/join |"]);
  assertEquals(tab("joi|"), ["joi|"]);
  assertEquals(tab("/b|"), ["/b|"]);
  assertEquals(tab("hel|"), ["help|"]);
  assertEquals(tab("help|"), ["help|", "help:", "help"]);
});

Deno.test("complete() completes channels: in a pattern nothing can be said, but it can be joined and left", () => {
  const channels = ["lab", "lab/door", "lab/**", "Hall", "my lab"];
  const tabbed = (line: string) => tab(line, names, channels);
  assertEquals(tabbed("#h|"), ["#Hall |"]);
  assertEquals(tabbed("#my|"), ["#my lab |"]);
  assertEquals(tabbed("#l|"), ["#lab|"]);
  assertEquals(tabbed("#lab|"), ["#lab|", "#lab", "#lab/door"]);
  assertEquals(tabbed("#lab| hi"), ["#lab| hi", "#lab", "#lab/door"]);
  assertEquals(tabbed("/join h|"), ["/join Hall |"]);
  assertEquals(tabbed("/join #h|"), ["/join #Hall |"]);
  assertEquals(tabbed("/leave lab/|"), ["/leave lab/|", "lab/**", "lab/door"]);
  assertEquals(tabbed("/join x|"), ["/join x|"]);
  assertEquals(tabbed("#x|"), ["#x|"]);
  assertEquals(tabbed("see #h|"), ["see #h|"]);
});

Deno.test("complete() completes names within a text", () => {
  assertEquals(tab("ask bo|"), ["ask bob |"]);
  assertEquals(tab("ask al|"), ["ask al|", "alan", "alice"]);
  assertEquals(tab("ask on|"), ["ask on|"]);
});

Deno.test("complete() does nothing where there is nothing to complete", () => {
  for (const line of ["|", "hello |", "x|", " |", "|bob"]) assertEquals(tab(line), [line]);
});

Deno.test("complete() does not show more than anybody reads", () => {
  const many = Array.from({ length: 1_000 }, (_, index) => `u${index}`);
  assertEquals(tab("u|", many).length, 51);
});
