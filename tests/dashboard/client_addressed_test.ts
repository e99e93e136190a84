/** Whom a typed text is for: by hand, and against the terminal client's own rule. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { readTypedLine, type TypedLine, WORDS } from "../../client/terminal/chat/typed_line.ts";
import { type Addressed, readAddressed } from "../../dashboard/client/addressed.js";
import { broadcast, Page } from "./_page.ts";

const KNOWN = ["bob", "Mary Ann", "日本", "a/b"];
const isUser = (name: string) => KNOWN.includes(name);
const read = (typed: string) => readAddressed(typed, isUser);

Deno.test("readAddressed() gives a text that begins with a known name to that user alone", () => {
  assertEquals(read("bob: hello"), { kind: "direct", to: "bob", text: "hello" });
  assertEquals(read("bob:hello"), { kind: "direct", to: "bob", text: "hello" });
  assertEquals(read("  bob :\nat five?\nor six? "), { kind: "direct", to: "bob", text: "at five?\nor six?" });
  assertEquals(read("Mary Ann: a: b"), { kind: "direct", to: "Mary Ann", text: "a: b" });
  assertEquals(read("bob:"), { kind: "direct", to: "bob", text: "" });
});

Deno.test("readAddressed() gives to nobody what is for somebody it does not know", () => {
  assertEquals(read("bbo: hello"), { kind: "unknown", to: "bbo" });
  assertEquals(read("bbo:"), { kind: "unknown", to: "bbo" });
  assertEquals(read("/msg bob hello").kind, "mistake");
});

Deno.test("readAddressed() leaves a text for everyone as it was typed", () => {
  const texts = ["hello", " hello ", "12:30", "http://example.org: see", ":-)", "milk\neggs: two", '{"a": 1}'];
  for (const text of texts) assertEquals(read(text), { kind: "say", text });
  assertEquals(read("/say bob: hello"), { kind: "say", text: "bob: hello" });
  assertEquals(read("//etc"), { kind: "say", text: "/etc" });
});

Deno.test("readAddressed() takes every line for what the terminal client takes it for", () => {
  const piece = fc.constantFrom(...KNOWN, ...WORDS, ":", ": ", " ", "/", "//", "/say ", '"', "\\", "nobody", "é", "12");
  const line = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join("").trim());
  fc.assert(
    fc.property(line, (line) => {
      const typed = readTypedLine(line, isUser);
      // Words and objects have their own places in the page.
      if (line === "" || typed.kind === "word" || typed.kind === "activity") return;
      const to = line.slice(0, line.indexOf(":")).trim();
      const isUnknown = !line.startsWith("/") && (typed.kind === "direct" || typed.kind === "mistake") && !isUser(to);
      assertEquals(sameWords(read(line)), inTheTerminal(typed, isUnknown ? to : undefined), line);
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("readAddressed() takes what begins with # for what the terminal client takes it for", () => {
  const isChannel = (name: string) => ["lab", "the lab", "é/b"].includes(name);
  const piece = fc.constantFrom(
    "lab",
    "the lab",
    "é/b",
    "e\u0301/b",
    "b",
    "bob",
    " ",
    "  ",
    "/",
    "//",
    "*",
    "#",
    ":",
    ": ",
    "\n",
  );
  const line = fc.array(piece, { maxLength: 6 }).map((pieces) => `#${pieces.join("")}`.trim());
  fc.assert(
    fc.property(line, (line) => {
      const typed = readTypedLine(line, isUser, undefined, isChannel);
      const page = readAddressed(line, isUser, isChannel);
      if (typed.kind === "say" && typed.channel !== undefined) {
        assertEquals(page, { kind: "channel", channel: typed.channel, text: typed.text }, line);
      } else if (/^#[^\s#]/.test(line) && typed.kind === "mistake") assertEquals(page.kind, "mistake", line);
      else assert(page.kind !== "channel", line);
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("a name is known once it was heard of, also when its user is gone", () => {
  const page = new Page();
  page.live();
  const { surroundings } = page.session;
  page.take({ kind: "learned", view: { from: "a", servers: {}, users: { registered: [], online: ["a"] } } });
  page.line({ command: "USER_LIST", scope: "online", users: ["listed"] });
  page.line({ command: "PRESENCE", event: "joined", username: "joined", lamport: 1 });
  page.line({ command: "PRESENCE", event: "left", username: "joined", lamport: 2 });
  page.line(broadcast("b:1", { activity: { text: "hi", authenticated_user: "speaker" } }));
  page.line({ command: "DIRECT_MESSAGE", from: "friend", to: "anna", text: "hi", id: "b:2", lamport: 9, sentAt: 1 });
  page.take({ kind: "learned", view: { from: "a", servers: {}, users: {} } });
  page.line({ command: "USER_LIST", scope: "online", users: [] });
  for (const name of ["registered", "online", "listed", "joined", "speaker", "friend"]) {
    assert(surroundings.isKnown(name), name);
  }
  assertEquals(surroundings.isKnown("nobody"), false);
});

/** In one form: what is sent to everyone, and to whom a text is sent or not sent. */
function sameWords(read: Addressed): unknown {
  if (read.kind === "say") return read.text;
  if (read.kind === "channel") return read;
  if (read.kind === "mistake" || "text" in read && read.text === "") return "mistake";
  return read.kind === "unknown" ? { unknown: read.to } : { to: read.to, text: read.text };
}

/** The terminal sends to a user it does not know too, and lets the server refuse it. */
function inTheTerminal(typed: TypedLine, unknown: string | undefined): unknown {
  if (typed.kind === "say") return typed.text;
  if (unknown !== undefined) return { unknown };
  return typed.kind === "direct" ? { to: typed.to, text: typed.text } : "mistake";
}
