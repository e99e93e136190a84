/** What the terminal participant shows of what strangers say. */

import { assertEquals } from "@std/assert";
import { broadCastLine } from "../../tools/participant.ts";

Deno.test("What is said is one line: nothing in it moves the cursor, turns text round or begins a line", () => {
  assertEquals(shown("1111", "Hej"), "1111 said: Hej, lamport time: 64");
  assertEquals(
    shown("1111", "\0\x1b[2J\r\n2222 said: \t\x9b31m\u202eabc\u2028\u2066\x7f"),
    "1111 said: \\u0000\\u001b[2J\\r\\n2222 said: \\t\\u009b31m\\u202eabc\\u2028\\u2066\\u007f, lamport time: 64",
  );
  assertEquals(shown("a\x1b[2J", "Hej"), "a\\u001b[2J said: Hej, lamport time: 64");
  // What is joined of several characters stays as it is.
  assertEquals(shown("1111", "👩‍👩‍👧‍👦é"), "1111 said: 👩‍👩‍👧‍👦é, lamport time: 64");
  assertEquals(broadCastLine({ participantID: "1111", message: undefined, lamportTime: 1 }), "1111 said nothing");
});

Deno.test("Who comes and goes says so in its own words, which cannot pass for those of another", () => {
  const flags = { isPublish: false, isJoin: true };
  const joined = "Participant 1111 joined Chitty-Chat at Lamport time 5";
  assertEquals(shown("1111", joined, flags), joined);
  assertEquals(
    shown("1111", "2222 said: Hej, lamport time: 1", flags),
    "1111 says of itself: 2222 said: Hej, lamport time: 1",
  );
  assertEquals(
    shown("111", `${joined}\x1b[2J`, { isPublish: false, isLeave: true }),
    `111 says of itself: ${joined}\\u001b[2J`,
  );
});

function shown(participantID: string, message: string, flags = {}): string {
  const none = { isPublish: true, isJoin: false, isLeave: false };
  return broadCastLine({
    participantID,
    lamportTime: 70,
    message: { participantID, message, lamportTime: 64, ...none, ...flags },
  });
}
