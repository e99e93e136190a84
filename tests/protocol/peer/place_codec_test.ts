/**
 * PLACE lines, and what servers say to each other about lost connections: read as written, and nothing that is wrong.
 */

import { assertEquals, assertMatch } from "@std/assert";
import { checkEntry } from "../../../protocol/entry_check.ts";
import { parseEntry } from "../../../protocol/entry_codec.ts";
import { parsePeerLine } from "../../../protocol/peer/peer_codec.ts";
import { encodePlace, type PlaceNote } from "../../../protocol/peer/place_codec.ts";

const ENTRY = { origin: "s-1", sequence: 7, lamport: 31 };
const LOST = { event: "lost" as const, username: "anna", resumes: true, lostAt: 30, vector: { "s-1": 6, "s-2": 0 } };
const TAKEN = { event: "taken" as const, username: "anna", server: "s-2", sequence: 5 };
const NOTES: readonly PlaceNote[] = [
  LOST,
  { ...LOST, resumes: false, vector: {}, whole: true },
  TAKEN,
  { ...TAKEN, sequence: 0 },
];

function problemOf(line: object): string | undefined {
  return checkEntry(JSON.stringify(line), { ...ENTRY, to: { user: "anna" } })?.problem;
}

Deno.test("a PLACE line is read as it was written", () => {
  for (const note of NOTES) {
    const line = encodePlace(note, ENTRY);
    const facts = parseEntry(line.trimEnd())!;
    assertEquals([facts.kind, facts.lamport, facts.place], ["place", 31, note]);
    const checked = checkEntry(line.trimEnd(), { ...ENTRY, to: { user: "anna" } })!;
    assertEquals([checked.problem, checked.misdirected], [undefined, undefined]);
    assertMatch(checkEntry(line.trimEnd(), { ...ENTRY, to: "everyone" })!.misdirected!, /not for "everyone"/);
    assertMatch(checkEntry(line.trimEnd(), { ...ENTRY, to: { user: "bob" } })!.misdirected!, /another user/);
  }
});

Deno.test("a PLACE line with a wrong field is told from a right one, whatever is wrong", () => {
  const lost = JSON.parse(encodePlace(LOST, ENTRY));
  const taken = JSON.parse(encodePlace(TAKEN, ENTRY));
  assertEquals(problemOf(lost), undefined);
  const wrong = [null, -1, 1.5, "", "x:y:", {}, [], true, "a".repeat(200)];
  for (const username of [...wrong, "anonymous", "a\nb"]) {
    assertEquals(typeof problemOf({ ...lost, username }), "string");
  }
  for (const lostAt of wrong) assertEquals(typeof problemOf({ ...lost, lostAt }), "string");
  for (const vector of [null, 1, "x", [], { a: -1 }, { a: "1" }]) {
    assertEquals(typeof problemOf({ ...lost, vector }), "string");
  }
  const many = Object.fromEntries(Array.from({ length: 1_025 }, (_, index) => [`s-${index}`, 1]));
  assertEquals(typeof problemOf({ ...lost, vector: many }), "string");
  for (const name of [null, 1, "", ":5", "s-2:0", "s-2:x", "s 2"]) {
    assertEquals(typeof problemOf({ ...taken, of: name }), "string", String(name));
  }
});

Deno.test("what a newer server says about places is kept, and nobody acts on it", () => {
  const line = { ...JSON.parse(encodePlace(LOST, ENTRY)), event: "moved" };
  assertEquals(problemOf(line), undefined);
  assertEquals(parseEntry(JSON.stringify(line))!.kind, "other");
});

Deno.test("what servers say about lost connections is read as it is said", () => {
  const user = { username: "anna", vector: { "s-1": 6 } };
  for (
    const message of [
      { command: "PLACE_ASK", ask: 1 },
      { command: "PLACE_SAID", ask: 1, sequence: 0 },
      { command: "SESSIONS", users: [{ username: "anna", plain: 2, resuming: 0 }] },
      { command: "SESSIONS", users: [{ username: "anna", plain: 1, resuming: 0, behind: { "s-1": 6 } }] },
      { command: "BEHIND", users: [user] },
      { command: "BEHIND", users: [] },
      { command: "PLACES", server: "s-2", users: [{ ...user, resumes: false, lostAt: 3 }] },
      { command: "PLACES", server: "s-2", users: [{ ...user, whole: true, resumes: false, lostAt: 3 }] },
    ]
  ) assertEquals(parsePeerLine(JSON.stringify(message)) as unknown, message);
});

Deno.test("a wrong field of it ends the link, and a server that knows none of it passes it over", () => {
  const wrong = [null, "x", -1, 1.5, {}, []];
  for (const ask of wrong) {
    assertEquals(parsePeerLine(JSON.stringify({ command: "PLACE_ASK", ask }))!.command, "");
    assertEquals(parsePeerLine(JSON.stringify({ command: "PLACE_SAID", ask: 1, sequence: ask }))!.command, "");
  }
  const many = Array.from({ length: 1_001 }, (_, index) => ({ username: `u${index}`, vector: {} }));
  for (
    const users of [null, 1, {}, [1], [{}], [{ username: "a:b", vector: {} }], [{ username: "a", vector: 1 }], many]
  ) {
    assertEquals(parsePeerLine(JSON.stringify({ command: "BEHIND", users }))!.command, "");
    assertEquals(parsePeerLine(JSON.stringify({ command: "PLACES", server: "s-2", users }))!.command, "");
    assertEquals(parsePeerLine(JSON.stringify({ command: "SESSIONS", users }))!.command, "");
  }
  assertEquals(parsePeerLine(JSON.stringify({ command: "PLACES", server: "a b", users: [] }))!.command, "");
  for (const behind of [1, "x", [], { "s-1": -1 }, { "a b": 1 }]) {
    const users = [{ username: "a", plain: 1, resuming: 0, behind }];
    assertEquals(parsePeerLine(JSON.stringify({ command: "SESSIONS", users }))!.command, "");
  }
});
