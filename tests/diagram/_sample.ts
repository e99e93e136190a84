/**
 * Traces to look at: a short one of two servers and two clients in which most things happen (`sample.jsonl`),
 * and others by chance.
 */

import { readTrace } from "../../diagram/history.ts";
import type { TraceEvent } from "../../trace/trace_event.ts";
import { Chance } from "../simulation/chance.ts";

/** Its events, in the order of the file. */
export function readSample(): TraceEvent[] {
  return readTrace(Deno.readTextFileSync(new URL("./sample.jsonl", import.meta.url))).events;
}

/** Nodes that do this and that and send each other messages, some of which overtake others. */
export function randomTrace(seed: number, nodes: number, count: number): TraceEvent[] {
  const chance = new Chance(seed, "trace");
  const names = Array.from({ length: nodes }, (_, index) => index % 2 === 0 ? `s-00000${index}` : `user${index}#abcd`);
  const clocks = new Map<string, number>();
  const events: TraceEvent[] = [];
  const underway: { from: string; to: string; id: string; lamport: number }[] = [];
  const add = (node: string, received: number, rest: Pick<TraceEvent, "event" | "peer" | "id" | "what">) => {
    const lamport = Math.max(clocks.get(node) ?? 0, received) + 1;
    clocks.set(node, lamport);
    events.push({ at: events.length, node, lamport, ...rest });
    return lamport;
  };
  while (events.length < count) {
    const [node, peer] = [names[chance.whole(0, nodes - 1)]!, names[chance.whole(0, nodes - 1)]!];
    const due = underway.length === 0 ? undefined : underway.splice(chance.whole(0, underway.length - 1), 1)[0];
    if (chance.percent(30)) add(node, 0, { event: "closed", peer, what: "HEARTBEAT_TIMEOUT" });
    else if (chance.percent(50) && node !== peer) {
      const id = `abcdefgh-${events.length}`;
      underway.push({ from: node, to: peer, id, lamport: add(node, 0, { event: "send", peer, id }) });
    }
    if (due === undefined) continue;
    if (chance.percent(20)) underway.push(due);
    else add(due.to, due.lamport, { event: "receive", peer: due.from, id: due.id });
  }
  return events;
}
