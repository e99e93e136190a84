/**
 * The live space-time diagram as the gateway draws it: who asks for it looks, and sees all servers and times
 * as on the own clock.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type DrawnNode, LiveDiagram } from "../../../../server/gateway/http/diagram.ts";
import type { TraceEvent } from "../../../../trace/trace_event.ts";
import type { ServerView } from "../../../../view/network_view.ts";
import { sampleView } from "./_world.ts";

const ASKED = { seconds: 60, server: undefined, offsetMinutes: undefined };
const EVENT: TraceEvent = { at: 90_000, lamport: 3, node: "s-1", event: "broadcast", id: "s-1:7" };

Deno.test("Who asks for the diagram looks: it says since when that is recorded, and has a column for every server", () => {
  const { node, looks, diagram } = world();
  const svg = diagram.draw(ASKED);
  assertEquals(looks(), 1);
  assertStringIncludes(svg, "Nothing has happened since 00:01:30, when somebody began to look.");
  assert(svg.indexOf(">h:8001</text>") < svg.indexOf(">h:8002</text>"));
  assertStringIncludes(svg, "server s-2, h:8001: dead");
  node.events = [EVENT];
  // The same for everybody within a second, who all look.
  assertEquals([diagram.draw(ASKED), looks()], [svg, 2]);
});

Deno.test("The diagram has the times of the clock of whoever asks, and only these", () => {
  const { node, diagram } = world();
  node.events = [EVENT];
  assertStringIncludes(diagram.draw(ASKED), "00:01:30.000 UTC");
  const east = diagram.draw({ ...ASKED, offsetMinutes: 330 });
  assertStringIncludes(east, "05:31:30.000;");
  assert(!east.includes("UTC"));
  assertStringIncludes(diagram.draw({ ...ASKED, offsetMinutes: 0 }), "to 00:01:30.000; numbers");
  assertStringIncludes(diagram.draw({ ...ASKED, server: "h:8002" }), "of h:8002");
});

/** A node with two servers that began to record a moment ago. */
function world(): { node: { events: readonly TraceEvent[] }; looks: () => number; diagram: LiveDiagram } {
  let looks = 0;
  const server = (name: string, state: string) => ({ name, state }) as ServerView;
  const view = { ...sampleView(), servers: { "s-1": server("h:8002", "self"), "s-2": server("h:8001", "dead") } };
  const node = {
    events: [] as readonly TraceEvent[],
    recordedSinceMs: 90_000,
    diagram: () => node.events,
    observe: () => ({ view, end: () => void looks++ }),
  };
  const clock = { nowMs: () => 5, wallMs: () => 100_000 };
  return { node, looks: () => looks, diagram: new LiveDiagram(node satisfies DrawnNode, clock) };
}
