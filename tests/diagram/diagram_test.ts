/** Each form of the space-time diagram, of a fixed trace; and that in the picture nothing covers anything. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { toJson, toMermaid, toShiviz } from "../../diagram/diagram_formats.ts";
import { type Box, PILL_HEIGHT } from "../../diagram/diagram_labels.ts";
import { layOut } from "../../diagram/diagram_layout.ts";
import { DIAGRAM_STYLE } from "../../diagram/diagram_style.ts";
import { drawSvg } from "../../diagram/diagram_svg.ts";
import { drawText } from "../../diagram/diagram_text.ts";
import { historyOf } from "../../diagram/history.ts";
import { liveDiagram } from "../../diagram/live_diagram.ts";
import { type Tone, toneOf } from "../../diagram/phrase.ts";
import type { TraceEvent } from "../../trace/trace_event.ts";
import { through } from "../../diagram/window.ts";
import { randomTrace, readSample } from "./_sample.ts";

const history = historyOf(readSample());
const LONE = { id: "s-aaaa11", name: "127.0.0.1:8000", state: "self" };

Deno.test("As text, each event has a line, and each message an arrow to where it arrives", () => {
  const part = through(history, { from: 8, to: 14, only: "ada" });
  assertEquals(
    drawText(part, 74),
    `           s-aaaa           ada
      ───────┬───────────────┬────────
    8        │               ●         #1
    9        ●◀──────────────┤         #1 (ada at 8)
   10        ■               │         publish s-aaaa:4
   12        ◆               │         broadcast s-aaaa:4
   13        │               ○         safe: s-aaaa:4
   14        ├──────────────▶●         s-aaaa:4 (s-aaaa at 12)
      ───────┴───────────────┴────────
           s-aaaa           ada
`,
  );
  for (const width of [40, 80, 200]) {
    assert(drawText(history, width).split("\n").every((line) => line.length <= width), `more than ${width} columns`);
  }
  assertStringIncludes(drawText(history), "crashed");
  // Where there is room, with the wall time; the second is said once.
  const lines = drawText(part, 110).split("\n").map((line) => line.slice(0, 20).trimEnd());
  assertEquals(lines.slice(2, 5), [" 00:00:02.000     8", "         .001     9", "         .001    10"]);
});

Deno.test("As Mermaid, messages stand where they arrive, with both their times", () => {
  const lines = toMermaid(history).split("\n");
  assertEquals(lines.slice(0, 3), ["sequenceDiagram", "  participant n0 as server s-aaaa", "  participant n1 as ada"]);
  for (
    const line of [
      "n1->>n0: #35;1 (8 → 9)",
      "n0->>n2: s-aaaa:4 (11 → 12)",
      "Note over n0: 10 publish s-aaaa:4",
      "n0--xn2: s-aaaa:5 (278, lost)",
      "Note over n2: crashed",
    ]
  ) assert(lines.includes(`  ${line}`), line);
});

Deno.test("For ShiViz, every event has the clock that its own expression reads", () => {
  const [expression, , ...rest] = toShiviz(history).split("\n");
  const log = rest.join("\n");
  const found = [...log.matchAll(new RegExp(expression!, "g"))];
  assertEquals(found.length, history.events.length);
  const seen = new Map<string, number>();
  for (const { groups } of found) {
    const host = groups!.host!;
    const clock = JSON.parse(groups!.clock!);
    // What ShiViz checks: each host counts its own events one by one.
    assertEquals(clock[host], (seen.get(host) ?? 0) + 1);
    seen.set(host, clock[host]);
  }
});

Deno.test("As JSON it has everything, vector clocks too", () => {
  const { nodes, events, messages, lost, crashes } = JSON.parse(toJson(history));
  assertEquals([nodes.length, events.length, messages.length], [4, 40, 10]);
  assertEquals([lost, crashes], [[39], [33]]);
  assertEquals(events[messages[0].from].node, "ada#k3f2");
  assertEquals(events.at(-1).vector["ada#k3f2"], 7);
});

Deno.test("As SVG it is well formed, has a title for every arrow and event, and shows text as text", () => {
  const mean: TraceEvent = {
    at: 1,
    lamport: 900,
    node: "s-aaaa11",
    event: "closed",
    peer: '<b>&"x" (1)',
    what: "a\u0001b",
  };
  const svg = drawSvg(historyOf([...readSample(), mean]), { title: "<One> & two" });
  assert(!svg.includes("<b>") && !svg.includes("\u0001"));
  assertStringIncludes(svg, "&lt;One&gt; &amp; two");
  const open: string[] = [];
  for (const [, end, name, alone] of svg.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)) {
    if (end === "/") assertEquals(open.pop(), name);
    else if (alone !== "/") open.push(name!);
  }
  assertEquals(open, []);
  assertStringIncludes(
    svg,
    "<title>k3f2abcdef-1: ada#k3f2 at 8 (00:00:02.000) → s-aaaa11 at 9 (00:00:02.001)</title>",
  );
  assertStringIncludes(svg, "<title>did not arrive: s-aaaa11, Lamport time 278");
  assertStringIncludes(svg, "prefers-color-scheme: dark");
  const titles = svg.match(/<title>/g)!.length;
  assert(titles >= 41 + 10);
  assertStringIncludes(drawSvg(historyOf([])), "There are no events.");
});

Deno.test("The SVG has nothing that a careful page would refuse or mix up: no ids, no scripts, no style but the known one", () => {
  for (const isInPage of [false, true]) {
    const svg = drawSvg(history, { isInPage });
    const styles = [...svg.matchAll(/<style>([^<]*)<\/style>/g)].map(([, text]) => text);
    assertEquals(styles, [DIAGRAM_STYLE]);
    assertEquals([...svg.matchAll(/\s(id|style|on\w+|href|xlink:href)=/g)].map(([, name]) => name), []);
    assert(!/<(script|image|foreignObject|use|a)\b/i.test(svg));
    // What a page calls something is not what it is called here.
    for (const [, names] of svg.matchAll(/class="([^"]*)"/g)) {
      for (const name of names!.split(" ")) assert(name.startsWith("st-"), name);
    }
    assert(!/url\(|@import/.test(DIAGRAM_STYLE));
    assert(!/(^|[\s,])[a-z]+ ?\{/m.test(DIAGRAM_STYLE), "an element of the page has no name");
  }
});

Deno.test("What the picture uses has a look, and what has a look is used", () => {
  const heard = historyOf([...readSample(), ...ROUND, ...WITHHELD_ANSWER]);
  const pages = [2, 6, 14].map((nodes) => drawSvg(historyOf(randomTrace(1, nodes, 60)), { isInPage: true }));
  const svg = drawSvg(heard) + drawSvg(historyOf(readSample().filter(({ event }) => event !== "send"))) +
    pages.join("") + liveDiagram([], { nowMs: 1, seconds: 1, maxEvents: 1, servers: [LONE] });
  const used = new Set([...svg.matchAll(/class="([^"]*)"/g)].flatMap(([, names]) => names!.split(" ")));
  const known = new Set([...DIAGRAM_STYLE.matchAll(/\.(st-[a-z]+)/g)].map(([, name]) => name!));
  // A plain event looks as any, and so does a label unless more is to be said.
  for (const name of ["st-plain", "st-part", "st-heads"]) used.delete(name), known.delete(name);
  assertEquals([...used].toSorted(), [...known].toSorted());
});

Deno.test("A heartbeat to a client with a trace is an arrow there and one back, and what is not answered has a cross", () => {
  const { arrows } = layOut(historyOf(ROUND));
  const told = (kind: string) => arrows.filter((arrow) => arrow.kind === kind).length;
  assertEquals([arrows.length, told("asked"), told("answer")], [2, 1, 1]);
  for (const { x1, x2, y1, y2 } of arrows) assert(x1 !== x2 && y2 > y1);
  const withheld = historyOf(WITHHELD_ANSWER);
  assertEquals(layOut(withheld).arrows.map(({ kind, from, to }) => [kind, from, to]), [["unanswered", 0, 1]]);
  const svg = drawSvg(withheld);
  assertStringIncludes(svg, "<title>not answered: s-1, Lamport time 4: heartbeat heartbeat:2, eve#abcd (1 of 3)");
  assertStringIncludes(svg, "♥ answer withheld");
  // One cross for the arrow, one in the legend.
  assertEquals(svg.match(/class="st-cross"/g)!.length, 2);
  // A client without a trace: the attempt alone.
  const alone = layOut(historyOf(WITHHELD_ANSWER.filter(({ node }) => node === "s-1")));
  assertEquals(alone.arrows.map(({ kind, from, to }) => [kind, from, to]), [["unanswered", 0, undefined]]);
  assertStringIncludes(drawText(withheld, 100), "♥ 1 of 3 → eve, no answer");
});

Deno.test("What somebody without a trace publishes says whose it is, in every form", () => {
  const events: TraceEvent[] = [
    { at: 1, lamport: 1, node: "s-1", event: "receive", peer: "petra" },
    {
      at: 2,
      lamport: 2,
      node: "s-1",
      event: "receive",
      peer: "web (127.0.0.1:5000)",
      id: "0123456789abcdef".repeat(2),
    },
    { at: 3, lamport: 3, node: "s-1", event: "receive", peer: "eve (127.0.0.1:5001)", id: "abcdefgh-7" },
  ];
  const words = ["from petra", "from web", "#7 from eve"];
  const text = drawText(historyOf(events), 100).split("\n").slice(2, 5).map((line) => line.split("●")[1]!.trim());
  assertEquals(text, words);
  const svg = drawSvg(historyOf(events));
  const mermaid = toMermaid(historyOf(events));
  for (const one of words) {
    assertStringIncludes(svg, `>${one}</text>`);
    assertStringIncludes(mermaid, one.replace("#", "#35;"));
  }
});

Deno.test("Who connects and goes again in good order, as a browser's tab does, is no trouble; who is lost, or loses a server, is", () => {
  const tone = (node: string, peer: string, what: string): Tone =>
    toneOf({ at: 1, lamport: 1, node, event: "closed", peer, what });
  for (const peer of ["127.0.0.1:5000", "[::1]:5000", "ada (127.0.0.1:5000)", "ada#k3f2", "petra"]) {
    assertEquals(tone("s-1", peer, "CLOSED_BY_OTHER_SIDE"), "plain", peer);
    assertEquals(tone("s-1", peer, "CONNECTION_RESET"), "trouble", peer);
    assertEquals(tone("s-1", peer, "INVALID_MESSAGE"), "trouble", peer);
  }
  assertEquals(tone("ada#k3f2", "127.0.0.1:8000", "CLOSED_BY_OTHER_SIDE"), "trouble");
});

Deno.test("A window by wall time shows what happened within it, whatever its Lamport times are", () => {
  const part = through(history, { fromMs: 7_000, toMs: 9_000 });
  assertEquals(part.events.map(({ at }) => at).toSorted((a, b) => a - b), [7_000, 7_000, 8_000, 9_000]);
  assertEquals(through(history, { newest: 3 }).events, history.events.slice(-3));
  assertEquals(through(history, { newest: 0 }).events, []);
});

Deno.test("In the picture every message goes down, and no event and no words cover another event or other words", () => {
  const many = manyEvents(200, 5);
  const random = Array.from({ length: 20 }, (_, seed) => historyOf(randomTrace(seed, 5, 200)));
  for (const drawn of [history, historyOf(many), ...random]) {
    const { events, arrows, width, height } = layOut(drawn);
    for (const { kind, y1, y2 } of arrows) assert(kind !== "message" || y2 > y1);
    const pills = events.map(({ x, y, width }): Box => ({
      x: x - width / 2,
      y: y - PILL_HEIGHT / 2,
      width,
      height: PILL_HEIGHT,
    }));
    const boxes = [...pills, ...events.map(({ label }) => label.box)];
    for (const box of boxes) {
      assert(
        box.x >= 0 && box.x + box.width <= width && box.y >= 0 && box.y + box.height <= height,
        JSON.stringify(box),
      );
    }
    for (const [index, a] of boxes.entries()) {
      for (const b of boxes.slice(index + 1)) {
        assert(!overlap(a, b), `${JSON.stringify(a)} covers ${JSON.stringify(b)}`);
      }
    }
  }
});

Deno.test("Thousands of events are drawn in a moment", () => {
  const begin = performance.now();
  drawSvg(historyOf(manyEvents(4_000, 8)));
  assert(performance.now() - begin < 20_000);
});

/** A heartbeat that is answered. */
const ROUND: readonly TraceEvent[] = [
  { at: 1, lamport: 1, node: "s-1", event: "heartbeat", peer: "eve#abcd", id: "heartbeat:1", what: "1 of 3" },
  { at: 2, lamport: 2, node: "eve#abcd", event: "receive", peer: "s-1", id: "heartbeat:1" },
  { at: 3, lamport: 3, node: "eve#abcd", event: "send", peer: "s-1", id: "heartbeat:1" },
  { at: 4, lamport: 4, node: "s-1", event: "answered", peer: "eve#abcd", id: "heartbeat:1", what: "after 3 ms" },
];
/** One that is seen, and not answered. */
const WITHHELD_ANSWER: readonly TraceEvent[] = [
  { at: 5, lamport: 4, node: "s-1", event: "heartbeat", peer: "eve#abcd", id: "heartbeat:2", what: "1 of 3" },
  { at: 6, lamport: 6, node: "eve#abcd", event: "receive", peer: "s-1", id: "heartbeat:2", what: "answer withheld" },
  { at: 7, lamport: 7, node: "s-1", event: "unanswered", peer: "eve#abcd", what: "3 heartbeats" },
];

/** Clients that publish to one server in turn, and all get it. */
function manyEvents(count: number, nodes: number): TraceEvent[] {
  const clients = Array.from({ length: nodes - 1 }, (_, index) => `user${index}#abcd`);
  const clocks = new Map<string, number>();
  const events: TraceEvent[] = [];
  const add = (node: string, received: number, rest: Pick<TraceEvent, "event" | "peer" | "id">) => {
    const lamport = Math.max(clocks.get(node) ?? 0, received) + 1;
    clocks.set(node, lamport);
    events.push({ at: events.length, node, lamport, ...rest });
    return lamport;
  };
  for (let n = 1; events.length < count; n++) {
    const sender = clients[n % clients.length]!;
    const messageId = `abcdefgh-${n}`;
    const sent = add(sender, 0, { event: "send", peer: "s-000001", id: messageId });
    add("s-000001", sent, { event: "receive", peer: sender, id: messageId });
    add("s-000001", 0, { event: "publish", peer: sender, id: `s-000001:${n}` });
    const told = add("s-000001", 0, { event: "broadcast", peer: "", id: `s-000001:${n}` });
    for (const client of clients) add(client, told, { event: "receive", peer: "s-000001", id: `s-000001:${n}` });
  }
  return events;
}

function overlap(a: Box, b: Box): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}
