/**
 * The space-time diagram as text for a terminal: a line for each event, a column for each node, and each message where
 * it arrives. Pure.
 */

import type { History } from "./history.ts";
import { phraseOf, shortNames, toneOf } from "./phrase.ts";
import type { TraceEvent } from "../trace/trace_event.ts";

/** What a column takes at most and at least. */
const MAX_COLUMN = 16;
const MIN_COLUMN = 5;
/** Left for words. */
const WORDS = 34;
const LAMPORT_WIDTH = 6;
/** Of wall times, and the width from which there is room for them. */
const WALL_WIDTH = 14;
const WIDE = 80;

/** `history` in lines of at most `width` characters. */
export function drawText(history: History, width = 110): string {
  const { events, nodes, arrows, crashes, ends, unanswered, wallTime } = history;
  const name = shortNames(nodes.map((node) => node.name));
  const timeWidth = LAMPORT_WIDTH + (width < WIDE ? 0 : WALL_WIDTH);
  const room = Math.floor((width - timeWidth - 1 - WORDS) / Math.max(1, nodes.length));
  const column = Math.max(MIN_COLUMN, Math.min(MAX_COLUMN, room));
  const places = new Map(nodes.map((node, index) => [node.name, index]));
  const cause = new Map(arrows.map(({ from, to }) => [to, from]));
  const isUp = nodes.map((node) => events.find((event) => event.node === node.name)?.event !== "start");
  const lines = [heading(), rule("┬")];
  let wall = "";
  for (const [index, event] of events.entries()) {
    const place = places.get(event.node)!;
    isUp[place] = true;
    lines.push(lineOf(event, index, place));
    if (event.event === "stop" || crashes.has(index)) isUp[place] = false;
    if (crashes.has(index)) {
      lines.push(clipped(" ".repeat(timeWidth) + cells((at) => at === place ? "✖" : life(at)) + " crashed"));
    }
    if (ends.has(index)) {
      isUp[place] = false;
      lines.push(
        clipped(" ".repeat(timeWidth) + cells((at) => at === place ? "┄" : life(at)) + " its trace ends here"),
      );
    }
  }
  return [...lines, rule("┴"), heading()].map((line) => line.trimEnd()).join("\n") + "\n";

  function heading(): string {
    const middle = (text: string) => {
      const left = Math.floor((column - text.length) / 2);
      return " ".repeat(Math.max(0, left)) + text.padEnd(column - Math.max(0, left));
    };
    return " ".repeat(timeWidth) + nodes.map((node) => middle(fitting(name(node.name), column - 1))).join("");
  }

  function rule(knot: string): string {
    return " ".repeat(timeWidth) + nodes.map(() => padded(knot, "─")).join("");
  }

  /** A cell with its mark in the middle. */
  function padded(mark: string, fill = " "): string {
    const left = Math.floor((column - 1) / 2);
    return fill.repeat(left) + mark + fill.repeat(column - 1 - left);
  }

  function life(at: number): string {
    return isUp[at] ? "│" : " ";
  }

  function cells(mark: (at: number) => string): string {
    return nodes.map((_, at) => padded(mark(at))).join("");
  }

  function lineOf(event: TraceEvent, index: number, place: number): string {
    const from = cause.get(index);
    const sender = from === undefined ? undefined : events[from]!;
    const cell = [...cells((at) => at === place ? markOf(event) : life(at))];
    if (sender !== undefined) drawArrow(cell, places.get(sender.node)!, place);
    const sent = sender === undefined ? "" : ` (${name(sender.node)} at ${sender.lamport})`;
    const missed = unanswered.has(index) ? ", no answer" : "";
    const lamport = String(event.lamport).padStart(LAMPORT_WIDTH - 1);
    return clipped(
      `${wallOf(event)}${lamport} ${cell.join("")} ${
        phraseOf(event, name, (node) => places.has(node))
      }${sent}${missed}`,
    );
  }

  /** The second, only if it differs from the line before. */
  function wallOf({ at }: TraceEvent): string {
    if (width < WIDE) return "";
    const [before, time] = [wall, wallTime.of(at)];
    wall = time.replace(/\.\d+$/, "");
    return (wall === before ? time.slice(wall.length) : time).padStart(WALL_WIDTH - 1) + " ";
  }

  function drawArrow(cell: string[], from: number, to: number): void {
    const middle = Math.floor((column - 1) / 2);
    const [start, end] = [from * column + middle, to * column + middle];
    const step = Math.sign(end - start);
    for (let at = start + step; at !== end - step; at += step) cell[at] = cell[at] === "│" ? "┼" : "─";
    cell[start] = step > 0 ? "├" : "┤";
    cell[end - step] = step > 0 ? "▶" : "◀";
  }

  function clipped(line: string): string {
    return line.length <= width ? line : `${line.slice(0, width - 1)}…`;
  }
}

/** Shortens a long name, and keeps the part that tells clients of one user apart. */
function fitting(name: string, most: number): string {
  const [user, mark = ""] = name.length <= most ? [name] : name.split(/(#.*)/);
  return user!.slice(0, Math.max(1, most - mark.length)) + mark.slice(0, most - 1);
}

function markOf(event: TraceEvent): string {
  if (event.event === "start") return "┳";
  if (event.event === "stop") return "┻";
  switch (toneOf(event)) {
    case "publish":
      return "■";
    case "broadcast":
      return "◆";
    case "heartbeat":
      return "♥";
    case "trouble":
      return "✖";
    case "presence":
      return "◉";
    case "message":
      return "●";
    case "plain":
      return "○";
  }
}
