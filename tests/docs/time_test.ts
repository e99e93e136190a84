/** docs/time.md has every event of a trace, and the words that stand beside it in a diagram. */

import { assert, assertEquals } from "@std/assert";
import { LEGEND } from "../../diagram/diagram_svg.ts";
import { phraseOf, toneOf } from "../../diagram/phrase.ts";
import { TRACE_KINDS, type TraceEvent, type TraceKind } from "../../trace/trace_event.ts";

const rows = Deno.readTextFileSync(new URL("../../docs/time.md", import.meta.url)).split("\n")
  .filter((line) => line.startsWith("| ")).map((line) => line.slice(1, -1).split("|").map((cell) => cell.trim()));

Deno.test("docs/time.md says of every event of a trace what happened, and of no other", () => {
  const described = rows.filter((cells) => cells.length === 5 && cells[0] !== "event")
    .flatMap(([events]) => events!.split(", ").map((event) => event.slice(1, -1)));
  assertEquals(described.toSorted(), [...TRACE_KINDS].toSorted());
});

Deno.test("docs/time.md has the words of every event in diagrams, and how they are drawn", () => {
  const words = rows.filter(([, event = ""]) => TRACE_KINDS.some((kind) => event === `\`${kind}\``))
    .map((cells) => cells.join(" | "));
  const expected = EXAMPLES.map(([event, fields]) => {
    const happened: TraceEvent = { at: 0, lamport: 1, node: "s1", event, ...fields };
    const [, drawn] = LEGEND.find(([tone]) => tone === toneOf(happened))!;
    return `\`${phraseOf(happened)}\` | \`${event}\` | ${drawn}`;
  });
  assertEquals(words, expected);
  for (const kind of TRACE_KINDS) assert(EXAMPLES.some(([event]) => event === kind), `${kind} has no words`);
});

/** At least one of each kind. */
const EXAMPLES: readonly (readonly [TraceKind, Partial<TraceEvent>])[] = [
  ["start", { what: "127.0.0.1:8000" }],
  ["stop", { what: "HEARTBEAT_TIMEOUT" }],
  ["connect", { peer: "127.0.0.1:8000" }],
  ["unreachable", { peer: "127.0.0.1:8000" }],
  ["register", { what: "ada" }],
  ["login", { what: "ada" }],
  ["redirect", { peer: "ada", what: "to 127.0.0.1:8001" }],
  ["closed", { peer: "ada", what: "LOGGED_OUT" }],
  ["closed", { peer: "ada", what: "HEARTBEAT_TIMEOUT" }],
  ["closed", { peer: "127.0.0.1:50003", what: "CLOSED_BY_OTHER_SIDE" }],
  ["heartbeat", { peer: "ada", id: "heartbeat:1", what: "1 of 3" }],
  ["answered", { peer: "ada", id: "heartbeat:1", what: "after 2 ms" }],
  ["unanswered", { peer: "ada", what: "3 heartbeats" }],
  ["suspected", { peer: "s2" }],
  ["trusted", { peer: "s2" }],
  ["linked", { peer: "s2" }],
  ["unlinked", { peer: "s2", what: "the network broke it" }],
  ["unlinked", { peer: "s2", what: "it has left" }],
  ["queued", { id: "k3f2abcdef-2" }],
  ["publish", { id: "s1:4" }],
  ["repeated", { id: "s1:4" }],
  ["delivered", { id: "s2:7", what: "s1:4" }],
  ["acknowledged", { id: "s1:4" }],
  ["send", { peer: "s1", id: "login:1" }],
  ["send", { peer: "s1", id: "k3f2abcdef-2" }],
  ["receive", { peer: "s1", id: "s1:4" }],
  ["receive", { peer: "s1", id: "s1:4", what: "again" }],
  ["receive", { peer: "petra" }],
  ["receive", { peer: "s1", id: "heartbeat:1" }],
  ["receive", { peer: "s1", id: "heartbeat:1", what: "answer withheld" }],
  ["receive", { peer: "ada", id: "heartbeat:1", what: "late answer" }],
  ["broadcast", { id: "s1:4-6" }],
  ["broadcast", { id: "s1:4", what: "for ada" }],
];
