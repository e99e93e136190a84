/** Answers from a fixed trace. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { historyOf } from "../../trace/history.ts";
import { whereWent } from "../../trace/where_went.ts";
import { whyClosed } from "../../trace/why.ts";
import { readSample } from "./_sample.ts";

const history = historyOf(readSample());

Deno.test("whyClosed() tells a connection's end with its heartbeats", () => {
  assertEquals(
    whyClosed(history, "bob"),
    `s-bbbb22 closed the connection of bob#z9x1 at 00:00:07.000 (Lamport time 17): HEARTBEAT_TIMEOUT, it answered no heartbeat.
  00:00:01.026  logged in; was connected for 6 s
  00:00:05.000  ♥ 1 of 2 → bob#z9x1   no answer
  00:00:06.000  ♥ 2 of 2 → bob#z9x1   no answer
  00:00:07.000  bob#z9x1 answers nothing
  00:00:07.000  closed
  The last event of bob#z9x1 before that: s-aaaa11:4 at 00:00:02.003.
`,
  );
  assertStringIncludes(whyClosed(history, "ada"), "s-aaaa11 has a connection of ada#k3f2 that is not closed");
  assertEquals(whyClosed(history, "eve"), "Nothing in these traces is about a connection of eve.\n");
});

Deno.test("whyClosed() finds a crash behind a connection that only its client saw break", () => {
  const broken = [
    ...readSample().filter(({ event, node }) =>
      !(node === "s-bbbb22" && (event === "closed" || event === "unanswered"))
    ),
    { at: 7_500, lamport: 16, node: "bob#z9x1", event: "closed" as const, peer: "s-bbbb22", what: "CONNECTION_RESET" },
  ];
  assertStringIncludes(
    whyClosed(historyOf(broken), "bob"),
    "bob#z9x1 lost its connection to s-bbbb22 at 00:00:07.500 (Lamport time 16): CONNECTION_RESET. s-bbbb22 crashed: its trace ends at 00:00:06.000",
  );
});

Deno.test("whereWent() follows an activity under either of its names, to everybody who got it", () => {
  const told = whereWent(history, "s-aaaa11:4");
  assertEquals(whereWent(history, "k3f2abcdef-1"), told);
  for (
    const line of [
      "s-aaaa11:4 was published by ada#k3f2 at s-aaaa11 at 00:00:02.001 (Lamport time 10).",
      "ada#k3f2: got it at 00:00:02.002 (Lamport time 14) from s-aaaa11",
      "bob#z9x1: got it at 00:00:02.003 (Lamport time 14) from s-bbbb22",
      "2 of 2 clients that keep a trace got it.",
    ]
  ) assertStringIncludes(told, line);
  assertEquals(whereWent(history, "nothing"), "Nothing in these traces is about nothing.\n");
});

Deno.test("whereWent() says why a client did not get it", () => {
  assertStringIncludes(
    whereWent(history, "s-aaaa11:5"),
    "bob#z9x1: did not: it never came to s-bbbb22, where bob#z9x1 was logged in last",
  );
  const left = [
    ...readSample().filter(({ node, lamport }) => node !== "bob#z9x1" || lamport < 8),
    { at: 1_500, lamport: 8, node: "bob#z9x1", event: "stop" as const, what: "LOGGED_OUT" },
  ];
  assertStringIncludes(
    whereWent(historyOf(left), "s-aaaa11:4"),
    "bob#z9x1: did not: it had left s-bbbb22 before (stops, 00:00:01.500)",
  );
});
