/** The live space-time diagram: the newest events, as a part of a page. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { DIAGRAM_STYLE } from "../../diagram/diagram_style.ts";
import { liveDiagram } from "../../diagram/live_diagram.ts";
import type { TraceEvent } from "../../trace/trace_event.ts";
import { atOffset } from "../../diagram/wall_time.ts";
import { randomTrace, readSample } from "./_sample.ts";

const SERVERS = [
  { id: "s-aaaa11", name: "127.0.0.1:8000", state: "self" },
  { id: "s-bbbb22", name: "127.0.0.1:8001", state: "linked" },
  { id: "s-cccc33", name: "127.0.0.1:8002", state: "dead" },
];
const OPTIONS = { nowMs: 10_000, seconds: 60, maxEvents: 80 };

Deno.test("The live diagram fits the width of a page, and has the one style that a page may allow", () => {
  const svg = liveDiagram(readSample(), OPTIONS);
  const [root] = /<svg [^>]*>/.exec(svg)!;
  assert(/viewBox="0 0 \d+ \d+" width="100%" preserveAspectRatio="xMidYMin meet"/.test(root), root);
  assert(!root.includes("height="));
  assertStringIncludes(svg, `<style>${DIAGRAM_STYLE}</style>`);
  assertStringIncludes(svg, "The last 60 seconds<");
});

Deno.test("The live diagram shows the last seconds, and of many events only the newest", () => {
  const late = titles(liveDiagram(readSample(), { ...OPTIONS, seconds: 2 }));
  assert(late.length > 4 && late.every((title) => !title.includes("00:00:07")), late.join("\n"));
  const many = randomTrace(1, 5, 3_000);
  const options = { nowMs: 3_000, seconds: 60, maxEvents: 40 };
  const svg = liveDiagram(many, options);
  assertEquals(svg.match(/class="st-time /g)!.length, 40);
  assertStringIncludes(svg, "The last 60 seconds: the newest 40 events");
  const newest = Math.max(...many.map(({ lamport }) => lamport));
  assertStringIncludes(svg, `>${newest}</text>`);
  // In whatever order they came from the servers.
  assertEquals(liveDiagram(many.toReversed(), options), svg);
});

Deno.test("In the live diagram a message that was sent just now is under way, and an older one that did not arrive is lost", () => {
  const sent: TraceEvent = { at: 9_000, lamport: 1, node: "s-1", event: "send", peer: "s-2", id: "s-1:4" };
  const other: TraceEvent = { at: 9_000, lamport: 1, node: "s-2", event: "start" };
  assert(!liveDiagram([sent, other], OPTIONS).includes("did not arrive"));
  assertStringIncludes(liveDiagram([sent, other], { ...OPTIONS, nowMs: 15_000 }), "did not arrive");
  // Whose sending was before the first event that is kept.
  const received: TraceEvent = { at: 9_500, lamport: 3, node: "s-2", event: "receive", peer: "s-1", id: "s-1:3" };
  assert(!liveDiagram([sent, received], OPTIONS).includes("not on record"));
});

Deno.test("The live diagram of one node has the other ends of its messages, and no others", () => {
  const svg = liveDiagram(readSample(), { ...OPTIONS, only: "s-bbbb22" });
  assertStringIncludes(svg, "of s-bbbb22");
  assert(!svg.includes("client ada#k3f2"));
});

Deno.test("The live diagram says since when it is recorded, where that is later than it goes back", () => {
  const some = liveDiagram(readSample(), { ...OPTIONS, recordedSinceMs: 1_500 });
  assertStringIncludes(some, ">The last 60 seconds, recorded since 00:00:01, when somebody began to look<");
  assert(!liveDiagram(readSample(), { ...OPTIONS, seconds: 5, recordedSinceMs: 1_500 }).includes("recorded"));
  const none = liveDiagram([], { ...OPTIONS, recordedSinceMs: 9_900, servers: SERVERS });
  assertStringIncludes(
    none,
    "Nothing has happened since 00:00:09, when somebody began to look. New events are drawn here.",
  );
  const clock = atOffset(-90);
  const there = liveDiagram(readSample(), { ...OPTIONS, nowMs: 10_000, recordedSinceMs: 1_500, wallTime: clock });
  assertStringIncludes(there, "recorded since 22:30:01,");
  assertStringIncludes(there, " to 22:30:09.511; numbers are");
  assert(!there.includes("UTC"));
});

Deno.test("Every server of the network has a column in the live diagram, one that is dead with a cross, and whether or not anything happened", () => {
  for (const events of [[], readSample().slice(0, 2)]) {
    const svg = liveDiagram(events, { ...OPTIONS, servers: SERVERS });
    const heads = [...svg.matchAll(/<title>(server [^<]*)<\/title>/g)].map(([, title]) => title!);
    const columns = [
      "server s-aaaa11, 127.0.0.1:8000",
      "server s-bbbb22, 127.0.0.1:8001",
      "server s-cccc33, 127.0.0.1:8002: dead",
    ];
    assertEquals(heads, [...columns, ...columns]);
    for (const { name } of SERVERS) assertEquals(svg.split(`>${name}</text>`).length, 3, name);
    assertStringIncludes(svg, ">s-cccc</text>");
    assertEquals(svg.match(/<title>dead</g)!.length, 1);
  }
  // Its last words are above the cross; what it has said of its end is said once.
  const dying = { ...OPTIONS, servers: SERVERS.map((one) => ({ ...one, state: "dead" })) };
  const last = liveDiagram([{ at: 9_000, lamport: 7, node: "s-aaaa11", event: "broadcast", id: "s-aaaa11:1" }], dying);
  const crossAt = [...last.matchAll(/<title>dead<\/title><path [^>]* d="M[\d.]+ ([\d.]+)/g)].map(([, y]) => Number(y));
  assertEquals([crossAt.length, crossAt[0]! > crossAt[1]!], [3, true]);
  const stopped = liveDiagram([{ at: 9_000, lamport: 7, node: "s-aaaa11", event: "stop" }], dying);
  assertEquals(stopped.match(/<title>dead</g)!.length, 2);
});

Deno.test("The live diagram of one server knows it by its name, its id, and the beginning of that, also when it says nothing", () => {
  for (const only of ["127.0.0.1:8001", "s-bbbb22", "s-bb"]) {
    const svg = liveDiagram(readSample(), { ...OPTIONS, servers: SERVERS, only });
    assertStringIncludes(svg, `of ${only}<`);
    assertStringIncludes(svg, "server s-bbbb22, 127.0.0.1:8001");
    assert(svg.match(/class="st-time /g)!.length > 3 && !svg.includes("s-cccc33"));
    assertStringIncludes(liveDiagram([], { ...OPTIONS, servers: SERVERS, only }), ">127.0.0.1:8001</text>");
  }
});

Deno.test("A name without end makes no picture without end: its bar has the beginning, and its title all of it", () => {
  const name = "h".repeat(70_000);
  const svg = liveDiagram(readSample(), { ...OPTIONS, servers: [{ id: "s-aaaa11", name, state: "self" }] });
  const [, width] = /viewBox="0 0 (\d+) /.exec(svg)!;
  assert(Number(width) < 3_000, width);
  assertStringIncludes(svg, `<title>server s-aaaa11, ${name}</title>`);
});

Deno.test("Without events the live diagram says so, and with strange ones it is still a picture", () => {
  const empty = liveDiagram([], OPTIONS);
  assertStringIncludes(empty, "Nothing has happened. New events are drawn here.");
  assertStringIncludes(empty, "viewBox=");
  const strange: TraceEvent[] = [
    { at: 9_999, lamport: 5, node: "</style><script>alert(1)</script>", event: "start", what: "<b>" },
    { at: 9_999, lamport: 5, node: "x#y#z", event: "receive", peer: "\u0000", id: "]]>:1", what: "&amp;" },
    { at: 9_999, lamport: 0, node: "", event: "broadcast", id: "constructor:1-99999999" },
    { at: 9_999, lamport: 2, node: "__proto__", event: "heartbeat", peer: "toString", id: "heartbeat:1" },
  ];
  const svg = liveDiagram(strange, OPTIONS);
  for (const mean of ["<script", "<b>", "\u0000"]) assert(!svg.includes(mean), mean);
  assertEquals(svg.match(/class="st-time /g)!.length, 4);
});

function titles(svg: string): string[] {
  return [...svg.matchAll(/<title>([^<]*)<\/title>/g)].map(([, title]) => title!);
}
