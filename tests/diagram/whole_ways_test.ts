/** What the picture of a busy network shows: whole ways of entries, spread over the time, and what is left out. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { historyOf } from "../../diagram/history.ts";
import { liveDiagram } from "../../diagram/live_diagram.ts";
import { wholeWays } from "../../diagram/whole_ways.ts";
import { UTC } from "../../diagram/wall_time.ts";
import type { TraceEvent } from "../../trace/trace_event.ts";

const SERVERS = ["s-1", "s-2", "s-3"];

/** Each server in turn publishes an entry, `count` in all, one each `everyMs`, which all others get and deliver. */
function busyNetwork(count: number, everyMs: number): TraceEvent[] {
  const events: TraceEvent[] = [];
  let lamport = 1;
  for (let n = 0; n < count; n++) {
    const origin = SERVERS[n % 3]!;
    const id = `${origin}:${1 + Math.floor(n / 3)}`;
    const at = n * everyMs;
    const add = (node: string, event: TraceEvent["event"], more: Partial<TraceEvent>) =>
      void events.push({ at, lamport: lamport++, node, event, ...more });
    add(origin, "receive", { peer: `user${n} (10.0.0.1:5)`, id: `abcdefgh-${n}` });
    add(origin, "publish", { peer: `user${n} (10.0.0.1:5)`, id, what: `abcdefgh-${n}` });
    const others = SERVERS.filter((server) => server !== origin);
    for (const peer of others) add(origin, "send", { peer, id });
    add(origin, "broadcast", { id });
    for (const node of others) {
      add(node, "receive", { peer: origin, id });
      add(node, "broadcast", { id });
    }
    if (n % 50 === 0) add(SERVERS[0]!, "heartbeat", { peer: "user (10.0.0.1:5)", what: "1 of 3" });
    if (n === 20) add(SERVERS[1]!, "unanswered", { peer: "user (10.0.0.1:5)" });
  }
  return events;
}

Deno.test("of a busy minute a picture has whole ways, of every server, from its beginning to its end", () => {
  const history = historyOf(busyNetwork(6_000, 10), UTC, true);
  const { shown, ways, allWays, others, allOthers } = wholeWays(history, 400)!;
  assert(shown.size <= 400 && shown.size > 380, `${shown.size} events`);
  assertEquals([allWays, others, allOthers], [6_000, 121, 121]);
  assert(ways >= 30, `${ways} ways`);
  const events = [...shown].map((index) => history.events[index]!);
  const ids = new Set(events.filter(({ event }) => event === "publish").map(({ id }) => id!));
  assertEquals(ids.size, ways);
  for (const id of ids) {
    assertEquals(events.filter((event) => event.id === id).length, 8);
  }
  // No receipt without an arrow, no sending that nobody got.
  const ends = new Set(history.arrows.flatMap(({ from, to }) => [from, to]));
  for (const index of shown) {
    const { event, id } = history.events[index]!;
    if (event === "send" || (event === "receive" && id!.startsWith("s-"))) assert(ends.has(index));
  }
  const times = events.filter(({ event }) => event === "publish").map(({ at }) => at).sort((a, b) => a - b);
  assert(times[0]! < 5_000 && times.at(-1)! > 55_000, `${times[0]} to ${times.at(-1)}`);
  const gaps = times.slice(1).map((at, index) => at - times[index]!);
  assert(Math.max(...gaps) < 6_000, `nothing for ${Math.max(...gaps)} ms`);
  const origins = SERVERS.map((server) => [...ids].filter((id) => id.startsWith(server)).length);
  assert(Math.min(...origins) >= ways / 3 - 2, origins.join());
});

Deno.test("trouble comes before what is usual, and what there is little of leaves its room to the rest", () => {
  const history = historyOf(busyNetwork(600, 10), UTC, true);
  const { shown } = wholeWays(history, 30)!;
  const kinds = [...shown].map((index) => history.events[index]!.event);
  assert(kinds.includes("unanswered"));
  const all = wholeWays(historyOf(busyNetwork(6, 10), UTC, true), 400)!;
  assertEquals([all.ways, all.allWays, all.others, all.allOthers], [6, 6, 1, 1]);
  assertEquals(wholeWays(historyOf([]), 10), undefined);
});

Deno.test("the live diagram says how many entries it shows, of how many that passed", () => {
  const facts = { nowMs: 60_000, seconds: 60, maxEvents: 400, entries: { all: 60_000, recorded: 6_000 } };
  const svg = liveDiagram(busyNetwork(6_000, 10), facts);
  const [, note] = />(\d+ of 60,000 entries on their whole way, the others are left out); /.exec(svg) ?? [];
  assert(note !== undefined, svg.slice(0, 3_000));
  assert(!svg.includes("did not arrive"));
  // A quiet network leaves nothing out, and says nothing.
  const quiet = liveDiagram(busyNetwork(6, 10), { ...facts, nowMs: 100, entries: { all: 6, recorded: 6 } });
  assert(!quiet.includes("left out"));
  assertStringIncludes(quiet, ">The last 60 seconds<");
});
