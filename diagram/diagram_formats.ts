/** The space-time diagram for other programs: as JSON, for Mermaid, and for ShiViz with vector clocks. Pure. */

import { type History, vectorClocks } from "./history.ts";
import { phraseOf, shortNames } from "./phrase.ts";

/** Nodes, events with their vector clocks, and messages as pairs of places in `events`. */
export function toJson(history: History): string {
  const clocks = vectorClocks(history);
  const { nodes, arrows, lost, beyond, ends, unsent, unanswered, crashes } = history;
  const events = history.events.map((event, index) => ({ ...event, vector: Object.fromEntries(clocks[index]!) }));
  const found = { lost, beyond, unsent, unanswered: [...unanswered], crashes: [...crashes], ends: [...ends] };
  return `${JSON.stringify({ nodes, events, messages: arrows, ...found }, undefined, 2)}\n`;
}

/** A sequence diagram: messages where they arrive, with both their times, and notes for all else. */
export function toMermaid({ events, nodes, arrows, lost, crashes, ends }: History): string {
  const name = shortNames(nodes.map((node) => node.name));
  const alias = new Map(nodes.map((node, index) => [node.name, `n${index}`]));
  const cause = new Map(arrows.map(({ from, to }) => [to, from]));
  const sends = new Set(arrows.map(({ from }) => from));
  const lines = ["sequenceDiagram"];
  for (const { name: node, isServer } of nodes) {
    lines.push(`  participant ${alias.get(node)} as ${isServer ? "server " : ""}${plain(name(node))}`);
  }
  for (const [index, event] of events.entries()) {
    const to = alias.get(event.node)!;
    const words = plain(phraseOf(event, name, (node) => alias.has(node)));
    const from = cause.get(index);
    if (from !== undefined) {
      const sender = events[from]!;
      lines.push(`  ${alias.get(sender.node)}->>${to}: ${words} (${sender.lamport} → ${event.lamport})`);
    } else if (lost.includes(index)) {
      lines.push(`  ${to}--x${alias.get(event.peer!)}: ${words} (${event.lamport}, lost)`);
    } else if (event.event !== "send" || !sends.has(index)) lines.push(`  Note over ${to}: ${event.lamport} ${words}`);
    if (crashes.has(index)) lines.push(`  Note over ${to}: crashed`);
    if (ends.has(index)) lines.push(`  Note over ${to}: its trace ends here`);
  }
  return lines.join("\n") + "\n";
}

/**
 * A log for ShiViz, with its parser expression on the first line. Vector clocks are derived from pairs of sends and
 * receives: ShiViz draws cause and effect, and does not know Lamport times.
 */
export function toShiviz(history: History): string {
  const clocks = vectorClocks(history);
  const lines = [String.raw`(?<host>\S+) (?<clock>{.*})\n(?<event>.*)`, ""];
  for (const [index, event] of history.events.entries()) {
    const words = `${event.event} ${[event.id, event.peer, event.what].filter(Boolean).join(" ")}`.trimEnd();
    lines.push(
      `${hostOf(event.node)} ${
        JSON.stringify(Object.fromEntries([...clocks[index]!].map(([node, n]) => [hostOf(node), n])))
      }`,
    );
    lines.push(`${words.replaceAll(/\s+/g, " ")} [Lamport ${event.lamport}]`);
  }
  return lines.join("\n") + "\n";
}

/** White space ends a host's name. */
function hostOf(node: string): string {
  return node.replaceAll(/\s/g, "_");
}

/** Mermaid gives these a meaning. */
function plain(text: string): string {
  return text.replaceAll(/[;#]/g, (one) => one === "#" ? "#35;" : "#59;").replaceAll(/[\r\n]/g, " ");
}
