/** Answers from a fixed trace. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { historyOf } from "../../diagram/history.ts";
import { completeEntry, completeName } from "../../diagram/server_ids.ts";
import { whereWent } from "../../diagram/where_went.ts";
import { whyClosed } from "../../diagram/why.ts";
import { readSample } from "./_sample.ts";

const history = historyOf(readSample());

Deno.test("whyClosed() tells a connection's end with its heartbeats", () => {
  assertEquals(
    whyClosed(history, "bob").text,
    `s-bbbb22 closed the connection of bob#z9x1 at 00:00:07.000 (Lamport time 17): HEARTBEAT_TIMEOUT, it answered no heartbeat.
  00:00:01.026  logged in; was connected for 6 s
  00:00:05.000  ♥ 1 of 2 → bob#z9x1   no answer
  00:00:06.000  ♥ 2 of 2 → bob#z9x1   no answer
  00:00:07.000  bob#z9x1 answers nothing
  00:00:07.000  closed
  The last event of bob#z9x1 before that: s-aaaa11:4 at 00:00:02.003.
`,
  );
  assertStringIncludes(whyClosed(history, "ada").text, "s-aaaa11 has a connection of ada#k3f2 that is not closed");
  assertEquals(whyClosed(history, "eve").text, "Nothing in these traces is about a connection of eve.\n");
});

Deno.test("whyClosed() finds a crash behind a connection that only its client saw break", () => {
  const broken = [
    ...readSample().filter(({ event, node }) =>
      !(node === "s-bbbb22" && (event === "closed" || event === "unanswered"))
    ),
    { at: 7_500, lamport: 16, node: "bob#z9x1", event: "closed" as const, peer: "s-bbbb22", what: "CONNECTION_RESET" },
  ];
  assertStringIncludes(
    whyClosed(historyOf(broken), "bob").text,
    "bob#z9x1 lost its connection to s-bbbb22 at 00:00:07.500 (Lamport time 16): CONNECTION_RESET. s-bbbb22 crashed: its trace ends at 00:00:06.000",
  );
});

Deno.test("whyClosed() says of a killed server that the connection went with it, also where its client keeps no trace", () => {
  const events = [
    { at: 1_000, lamport: 1, node: "s-1", event: "start" as const },
    { at: 1_000, lamport: 1, node: "s-2", event: "start" as const },
    { at: 2_000, lamport: 3, node: "s-2", event: "login" as const, peer: "zoe (10.0.0.9:5000)", what: "zoe" },
    { at: 3_000, lamport: 5, node: "s-2", event: "broadcast" as const, id: "s-1:4" },
    { at: 4_000, lamport: 7, node: "s-1", event: "unlinked" as const, peer: "s-2", what: "the other side closed it" },
  ];
  const sentence = "s-2 crashed with the connection of zoe (10.0.0.9:5000), which was logged in at 00:00:02.000 " +
    "(Lamport time 3): the trace of s-2 ends at 00:00:03.000, and nothing says that it stopped.\n";
  assertEquals(whyClosed(historyOf(events), "zoe"), { text: sentence, isFound: true });
  const again = { at: 9_000, lamport: 9, node: "s-2", event: "start" as const };
  assertEquals(whyClosed(historyOf([...events, again]), "zoe"), { text: sentence, isFound: true });
});

Deno.test("whereWent() follows an activity under either of its names, to everybody who got it", () => {
  const told = whereWent(history, "s-aaaa11:4").text;
  assertEquals(whereWent(history, "k3f2abcdef-1").text, told);
  for (
    const line of [
      "s-aaaa11:4 was published by ada#k3f2 at s-aaaa11 at 00:00:02.001 (Lamport time 10).",
      "ada#k3f2: got it at 00:00:02.002 (Lamport time 14) from s-aaaa11",
      "bob#z9x1: got it at 00:00:02.003 (Lamport time 14) from s-bbbb22",
      "2 of 2 clients with a trace got it.",
    ]
  ) assertStringIncludes(told, line);
  assertEquals(whereWent(history, "nothing").text, "Nothing in these traces is about nothing.\n");
});

Deno.test("What was not given is not said not to be there", () => {
  const servers = historyOf(readSample().filter(({ node }) => node.startsWith("s-")));
  assertStringIncludes(whyClosed(servers, "bob").text, "No trace of bob#z9x1 was given, so its side is not known.");
  const { text, isFound } = whereWent(servers, "s-aaaa11:4");
  assert(isFound && text.endsWith("\n\nNo trace of a client was given, so who got it is not known.\n"), text);
});

Deno.test("Of a server's name the beginning is enough, and one that several have is refused", () => {
  assertEquals(whereWent(history, "s-a:4"), whereWent(history, "s-aaaa11:4"));
  const several = whereWent(history, "s-:4");
  assertEquals(several, {
    text: '"s-" is the beginning of several: s-aaaa11, s-bbbb22. Type more of it.\n',
    isFound: false,
  });
  assertEquals(whereWent(history, "x:4").isFound, false);
  // What is a whole name is not taken for a beginning.
  assertEquals(completeName("s-1", ["s-1", "s-12"]), { kind: "complete", text: "s-1" });
  assertEquals(completeEntry("s-12:4-9", ["s-1", "s-123"]), { kind: "complete", text: "s-123:4-9" });
  for (const other of ["k3f2abcdef-1", "login:1", "heartbeat:1", "", "9:9:9"]) {
    assertEquals(completeEntry(other, ["k3f2abcdef-12", "login", "heartbeat"]), { kind: "complete", text: other });
  }
});

Deno.test("whereWent() says why a client did not get it", () => {
  assertStringIncludes(
    whereWent(history, "s-aaaa11:5").text,
    "bob#z9x1: did not: it never came to s-bbbb22, where bob#z9x1 was logged in last",
  );
  const left = [
    ...readSample().filter(({ node, lamport }) => node !== "bob#z9x1" || lamport < 8),
    { at: 1_500, lamport: 8, node: "bob#z9x1", event: "stop" as const, what: "LOGGED_OUT" },
  ];
  assertStringIncludes(
    whereWent(historyOf(left), "s-aaaa11:4").text,
    "bob#z9x1: did not: it had left s-bbbb22 before (stops, 00:00:01.500)",
  );
});
