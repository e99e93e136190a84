/** Where things are in the small drawings: neighbours, timelines, the pulse. */

import { assert, assertEquals } from "@std/assert";
import { layOut } from "../../dashboard/network_graph.js";
import { beat, PULSE_SECONDS, pulsePath, seconds } from "../../dashboard/pulse.js";
import { layOutTimeline, momentInWords, timelineInWords } from "../../dashboard/timeline.js";
import type { HeartbeatMoment, ServerView } from "../../view/network_view.ts";
import { AT, sampleEnd, sampleLink, sampleServer, sampleView } from "./_sample.ts";

const SIZE = { width: 300, height: 200 };

/** The drawing of servers "a", "b", …, seen from "a". */
function graph(...servers: Partial<ServerView>[]) {
  const named = servers.map((fields, index) => ["abcdefghij"[index]!, sampleServer({ name: `s${index}`, ...fields })]);
  return layOut(sampleView({ servers: Object.fromEntries(named) }), SIZE);
}

Deno.test("one server is in the middle, two are side by side, more are on a circle", () => {
  assertEquals(graph({}).places, [{ id: "a", x: 150, y: 100 }]);
  const [left, right] = graph({}, {}).places;
  assert(left!.x < right!.x && left!.y === right!.y);
  const { places } = graph({}, {}, {}, {}, {}, {}, {});
  assertEquals(new Set(places.map(({ x, y }) => `${x} ${y}`)).size, 7);
  assert(places.every(({ x, y }) => x > 30 && x < 270 && y > 20 && y < 180));
});

Deno.test("the server that answers is first, and who has left is not there", () => {
  assertEquals(graph({ name: "z" }, { name: "s10" }, { name: "s9" }, { state: "left" }).places.map(({ id }) => id), [
    "a",
    "c",
    "b",
  ]);
});

Deno.test("a line says the worse of what both ends say of their link", () => {
  const linked = { links: { b: sampleLink({ roundTripMs: 0.7 }) } };
  const [edge] = graph(linked, { links: { a: sampleLink() } }).edges;
  assertEquals([edge!.state, edge!.text, edge!.roundTripMs], ["good", "linked", 0.7]);
  const probing = { links: { a: sampleLink({ state: "probing", attempt: 2, of: 4 }) } };
  assertEquals(graph(linked, probing).edges.map(({ state, text }) => [state, text]), [["warn", "probing 2 of 4"]]);
  assertEquals(graph(linked, { state: "dead" }).edges.map(({ state }) => state), ["bad"]);
  assertEquals(graph({}, {}).edges.map(({ state, text }) => [state, text]), [["warn", "no link"]]);
});

function heartbeat(secondsBefore: number, event: HeartbeatMoment["event"]): HeartbeatMoment {
  return { at: AT - secondsBefore * 1_000, event, attempt: 1, of: 3, roundTripMs: event === "answered" ? 0.8 : null };
}

Deno.test("a timeline goes from the oldest heartbeat to the end", () => {
  const heartbeats = [heartbeat(10, "sent"), heartbeat(5, "answered"), heartbeat(0, "unanswered")];
  const { marks, spanMs } = layOutTimeline(sampleEnd({ heartbeats }));
  assertEquals(spanMs, 10_000);
  assertEquals(marks.map(({ x, event }) => [x, event]), [[0, "sent"], [0.5, "answered"], [1, "unanswered"]]);
});

Deno.test("heartbeats too near to be told apart are one mark, but not those of another kind", () => {
  const many = Array.from({ length: 1_000 }, (_, index) => heartbeat(100 - index / 10, "sent"));
  const { marks } = layOutTimeline(sampleEnd({ heartbeats: [...many, heartbeat(0, "unanswered")] }));
  assert(marks.length < 100);
  assertEquals(marks.reduce((sum, { count }) => sum + count, 0), 1_001);
  assertEquals(marks.at(-1)?.event, "unanswered");
});

Deno.test("a timeline of nothing, and of clocks that disagree, stays on the line", () => {
  assertEquals(layOutTimeline(sampleEnd({ heartbeats: [] })).marks, []);
  const { marks } = layOutTimeline(sampleEnd({ since: AT + 5_000, heartbeats: [heartbeat(-3, "sent")] }));
  assert(marks.every(({ x }) => x >= 0 && x <= 1));
});

Deno.test("a timeline is said in words too", () => {
  const heartbeats = [heartbeat(3, "sent"), heartbeat(2, "answered"), heartbeat(1, "sent"), heartbeat(0, "unanswered")];
  assertEquals(timelineInWords(sampleEnd({ heartbeats })), "2 heartbeats sent, 1 answered, 1 unanswered");
  assertEquals(timelineInWords(sampleEnd()), "No heartbeats");
  assertEquals(heartbeats.slice(0, 2).map(momentInWords), ["sent, 1 of 3", "answered after 0.80 ms"]);
  assertEquals(momentInWords({ ...heartbeats[1]!, roundTripMs: null }), "something else came");
});

Deno.test("the pulse counts by second, and leaves out the one that is not over", () => {
  let pulse = beat(new Map(), AT, 3);
  pulse = beat(pulse, AT + 900, 2);
  pulse = beat(pulse, AT + 1_000, 7);
  const counts = seconds(pulse, AT + 1_500);
  assertEquals([counts.length, counts.at(-1), counts.at(-2)], [PULSE_SECONDS, 5, 0]);
  assertEquals(beat(pulse, AT + 600_000, 1).size, 1);
});

Deno.test("the pulse is drawn within its height, and one among thousands is still to be seen", () => {
  const bars = [...pulsePath([0, 1, 5_000], 28).matchAll(/M([\d.]+) ([\d.]+)V([\d.]+)/g)]
    .map(([, x, top, bottom]) => ({ x: Number(x), height: Number(bottom) - Number(top), top: Number(top) }));
  assertEquals(bars.map(({ x }) => x), [0.5, 1.5, 2.5]);
  assertEquals(bars[2]!.height, 28);
  assert(bars[0]!.height < 1 && bars[1]!.height >= 2 && bars.every(({ top }) => top >= 0));
});
