/**
 * What can be seen from traces that were read together: pairs of sends and receives, crashes, heartbeats without an
 * answer, vector clocks.
 */

import { assert, assertEquals } from "@std/assert";
import { toMermaid } from "../../diagram/diagram_formats.ts";
import { layOut } from "../../diagram/diagram_layout.ts";
import { drawSvg } from "../../diagram/diagram_svg.ts";
import { drawText } from "../../diagram/diagram_text.ts";
import { covers, historyOf, readTrace, vectorClocks } from "../../diagram/history.ts";
import { encodeTraceEvent, parseRange, parseTraceEvent, type TraceEvent } from "../../trace/trace_event.ts";
import { through } from "../../diagram/window.ts";
import { randomTrace, readSample } from "./_sample.ts";

Deno.test("An event is the same after it was written and read, whatever is in it", () => {
  const events: TraceEvent[] = [
    { at: 1, lamport: 2, node: "s-1", event: "start" },
    { at: 1.5, lamport: 2, node: 'a "b" \\ c#x', event: "closed", peer: "\n\u0007é", id: "x:1", what: "𝄞 \ud800" },
  ];
  for (const event of events) {
    const line = encodeTraceEvent(event);
    assertEquals([line.indexOf("\n"), parseTraceEvent(line)], [line.length - 1, event]);
  }
});

Deno.test("readTrace() leaves out and counts what is no event, as the cut end of a killed server's file", () => {
  const good = '{"at":1,"lamport":2,"node":"a","event":"start"}';
  const bad = ["", "  ", '{"at":1,"lamp', "null", "[]", good.replace("start", "leap"), good.replace("2", "2.5")];
  const { events, unreadable } = readTrace([good, ...bad].join("\r\n"));
  assertEquals([events.length, unreadable], [1, 5]);
});

Deno.test("Sends and receives of several nodes are paired, in whatever order their files are read", () => {
  const events = readSample();
  const pairs = (traced: readonly TraceEvent[]) => {
    const { events, arrows } = historyOf(traced);
    return arrows.map(({ from, to }) =>
      [events[from]!, events[to]!].map(({ node, lamport }) => `${node.slice(0, 3)} ${lamport}`).join(" → ")
    ).sort();
  };
  assertEquals(
    pairs(events),
    [
      ...["ada 15 → s-a 16", "ada 2 → s-a 4", "ada 8 → s-a 9", "bob 2 → s-b 4", "s-a 11 → s-b 12", "s-a 12 → ada 14"],
      ...["s-a 18 → ada 19", "s-a 6 → ada 7", "s-b 13 → bob 14", "s-b 6 → bob 7"],
    ].sort(),
  );
  assertEquals(pairs(events.toReversed()), pairs(events));
});

Deno.test("What did not arrive, what comes from nowhere, crashes and unanswered heartbeats are found", () => {
  const events = readSample();
  const told = (history: ReturnType<typeof historyOf>) => {
    const name = (index: number) => `${history.events[index]!.node} ${history.events[index]!.lamport}`;
    const { lost, unsent, crashes, unanswered } = history;
    return [lost, unsent, [...crashes], [...unanswered]].map((indices) => indices.map(name));
  };
  assertEquals(told(historyOf(events)), [
    ["s-aaaa11 278"],
    [],
    ["s-bbbb22 17"],
    ["s-bbbb22 14", "s-bbbb22 15"],
  ]);
  // The end of the file of a server that was killed may be missing.
  const without = events.filter(({ event, node }) => event !== "broadcast" || node !== "s-bbbb22");
  assertEquals(told(historyOf(without))[1], ["bob#z9x1 14"]);
  const answered = events.filter(({ event }) => event !== "unanswered" && event !== "closed");
  assertEquals(told(historyOf(answered))[3], []);
});

Deno.test("Servers that lost each other are apart until they are linked, or over; also in a window that begins later", () => {
  const history = historyOf(readSample());
  assertEquals(history.partings, [{ node: "s-aaaa11", peer: "s-bbbb22", fromLamport: 13, toLamport: 277 }]);
  const spans = (window: { from?: number; to?: number }) =>
    layOut(through(history, window)).partings.map(({ y, height }) => [y, y + height]);
  const [[begin, end] = [], ...others] = spans({});
  assert(others.length === 0 && end! > begin!);
  const inside = layOut(through(history, { from: 15, to: 18 }));
  assertEquals(spans({ from: 15, to: 18 }), [[inside.nodes[0]!.top, inside.nodes[0]!.bottom]]);
  assertEquals([spans({ to: 12 }), spans({ from: 277 })], [[], []]);
  // That a server has left is no loss.
  const left = { at: 1, lamport: 1, node: "s-1", event: "unlinked" as const, peer: "s-2", what: "it has left" };
  assertEquals(historyOf([left]).partings, []);
});

Deno.test("A message that was sent twice is paired with the sending that can have led to its receipt", () => {
  const event = (node: string, lamport: number, event: TraceEvent["event"], peer: string): TraceEvent => ({
    ...{ at: 0, node, lamport, event, peer, id: "m-1" },
  });
  const { arrows, lost, events } = historyOf([
    ...[event("a#1", 1, "send", "s"), event("a#1", 9, "send", "s")],
    ...[event("s", 5, "receive", "a#1"), event("s", 12, "receive", "a#1")],
  ]);
  assertEquals(arrows.map(({ from, to }) => [events[from]!.lamport, events[to]!.lamport]), [[1, 5], [9, 12]]);
  assertEquals(lost, []);
});

Deno.test("A receipt is never paired with what was sent to somebody else", () => {
  const event = (node: string, lamport: number, event: TraceEvent["event"], peer: string, id: string, what?: string) =>
    ({ at: lamport, node, lamport, event, peer, id, ...(what === undefined ? {} : { what }) }) satisfies TraceEvent;
  const start = (node: string, what: string): TraceEvent => ({ at: 0, node, lamport: 0, event: "start", what });
  const pairs = (traced: readonly TraceEvent[]) => {
    const { events, arrows, unsent } = historyOf(traced);
    return [arrows.map(({ from, to }) => [events[from]!.lamport, events[to]!.lamport]), unsent.length];
  };
  // To a server, and to a client, of which no trace was given.
  assertEquals(pairs([event("s-1", 1, "send", "s-3", "s-1:5"), event("s-2", 9, "receive", "s-1", "s-1:5")]), [[], 1]);
  const untraced = event("s-1", 1, "heartbeat", "bob (10.0.0.1:5)", "heartbeat:3");
  assertEquals(pairs([untraced, event("ann#1", 9, "receive", "s-1", "heartbeat:3")]), [[], 1]);
  // A call to an address reaches who listens there.
  const call = event("ann#1", 1, "send", "10.0.0.1:8001", "login:1");
  const [one, two] = [start("s-1", "10.0.0.1:8001"), start("s-2", "10.0.0.1:8002")];
  const taken = (node: string) => event(node, 9, "receive", "ann#1", "login:1");
  assertEquals(pairs([one, two, call, taken("s-1")]), [[[1, 9]], 0]);
  assertEquals(pairs([one, two, call, taken("s-2")]), [[], 1]);
  // Somebody may be reached at other addresses than the one that he listens on.
  assertEquals(pairs([start("s-2", "0.0.0.0:8002"), call, taken("s-2")]), [[[1, 9]], 0]);
  // What is for one user went to nobody else.
  const forBob = event("s-1", 1, "broadcast", "", "s-1:5", "for bob");
  const got = (node: string) => event(node, 9, "receive", "s-1", "s-1:5");
  assertEquals(pairs([forBob, got("bob#1")]), [[[1, 9]], 0]);
  assertEquals(pairs([forBob, got("bobby#1")]), [[], 1]);
});

Deno.test("A trace that was copied while its node ran ends there: what came later is not lost", () => {
  const sent = (lamport: number, at: number): TraceEvent => ({
    ...{ at, lamport, node: "s-1", event: "send", peer: "s-2", id: `s-1:${lamport}` },
  });
  const copied: TraceEvent[] = [
    { at: 0, lamport: 1, node: "s-2", event: "start" },
    sent(2, 10),
    { at: 12, lamport: 3, node: "s-2", event: "receive", peer: "s-1", id: "s-1:2" },
    sent(5, 4_000),
    sent(6, 9_000),
  ];
  const history = historyOf(copied);
  const told = ({ events, lost, beyond, ends }: typeof history) =>
    [lost, beyond, [...ends]].map((some) => some.map((index) => `${events[index]!.node} ${events[index]!.lamport}`));
  assertEquals(told(history), [[], ["s-1 5", "s-1 6"], ["s-2 3"]]);
  for (const drawing of [drawSvg(history), drawText(history), toMermaid(history)]) {
    assert(drawing.includes("ends here"), drawing);
    assert(!/did not arrive|, lost\)|class="st-arrow st-lost/.test(drawing), drawing);
  }
  // It goes on, and has not got them: these are lost.
  const later: TraceEvent = { at: 20_000, lamport: 90, node: "s-2", event: "linked", peer: "s-1" };
  assertEquals(told(historyOf([...copied, later])), [["s-1 5", "s-1 6"], [], []]);
  // It stopped, or crashed.
  const stop: TraceEvent = { at: 13, lamport: 4, node: "s-2", event: "stop" };
  assertEquals(told(historyOf([...copied, stop])), [["s-1 5", "s-1 6"], [], []]);
  const lost: TraceEvent = { at: 9_500, lamport: 7, node: "s-1", event: "unlinked", peer: "s-2", what: "it is gone" };
  assertEquals(told(historyOf([...copied, lost])), [["s-1 5", "s-1 6"], [], []]);
});

Deno.test("Vector clocks say the same of what happened before as the arrows do", () => {
  for (const trace of [readSample(), randomTrace(1, 4, 120), randomTrace(2, 7, 120)]) {
    const history = historyOf(trace);
    const { events, arrows } = history;
    const clocks = vectorClocks(history);
    const causes = new Map<number, Set<number>>();
    for (const [index, { node }] of events.entries()) {
      const direct = [
        ...[events.findLastIndex((event, at) => at < index && event.node === node)].filter((at) => at >= 0),
        ...arrows.filter(({ to }) => to === index).map(({ from }) => from),
      ];
      causes.set(index, new Set(direct.flatMap((at) => [at, ...causes.get(at)!])));
    }
    for (const a of events.keys()) {
      for (const b of events.keys()) {
        if (a === b) continue;
        const { node } = events[a]!;
        const isBefore = (clocks[b]!.get(node) ?? 0) >= clocks[a]!.get(node)!;
        assertEquals(isBefore, causes.get(b)!.has(a), `${a} and ${b}`);
      }
    }
  }
});

Deno.test("Ranges of entries are read and compared, also of servers with a name like one", () => {
  assertEquals(parseRange("s-1-2:4-9"), { origin: "s-1-2", first: 4, last: 9 });
  assertEquals([parseRange("login:1"), parseRange("abc-1")], [undefined, undefined]);
  assert(covers("a:4-9", "a:4") && covers("a:4-9", "a:9") && covers("m-1", "m-1"));
  assert(!covers("a:4-9", "a:10") && !covers("b:4-9", "a:5") && !covers(undefined, "a:5"));
});

Deno.test("through() shows a span, a user, or what surrounds one message under either of its names", () => {
  const history = historyOf(readSample());
  const span = through(history, { from: 9, to: 13 });
  assert(span.events.length > 4 && span.events.every(({ lamport }) => lamport >= 9 && lamport <= 13));
  // Out of sight is not lost.
  assertEquals(span.lost, []);
  const ada = through(history, { only: "ada" });
  assert(ada.events.every(({ node, peer }) => [node, peer].includes("ada#k3f2") || node === "s-aaaa11"));
  assertEquals(ada.nodes.map(({ name }) => name), ["s-aaaa11", "ada#k3f2"]);
  assertEquals(ada.arrows.length, 6);
  const around = through(history, { around: "s-aaaa11:4" });
  assertEquals(through(history, { around: "k3f2abcdef-1" }), around);
  assertEquals(around.nodes.length, 4);
  assert(around.events.length < history.events.length);
  assertEquals(through(history, { around: "s-aaaa11:99" }).events, []);
});
