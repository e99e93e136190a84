/** The live space-time diagram: the newest events, as a part of a page. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { DIAGRAM_STYLE } from "../../trace/diagram_style.ts";
import { liveDiagram } from "../../trace/live_diagram.ts";
import type { TraceEvent } from "../../trace/trace_event.ts";
import { randomTrace, readSample } from "./_sample.ts";

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

Deno.test("Without events the live diagram says so, and with strange ones it is still a picture", () => {
  const empty = liveDiagram([], OPTIONS);
  assertStringIncludes(empty, "Nothing has happened. As soon as somebody publishes something, it is drawn here.");
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
