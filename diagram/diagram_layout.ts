/**
 * The layout of a space-time diagram: a column for each node, a row for each Lamport time, and labels where they cover
 * nothing. Time runs downward, so every message does. Pure.
 */

import {
  type Box,
  type Label,
  type PillPlace,
  placeLabels,
  type Segment,
  shortened,
  widthOf,
} from "./diagram_labels.ts";
import { partingsOf, type PlacedParting } from "./diagram_partings.ts";
import type { History, TracedNode } from "./history.ts";
import { isHeartbeat, phraseOf, shortNames, toneOf } from "./phrase.ts";
import { STATE_WORDS } from "../view/state_words.ts";

/** An event's place, and that of its words. */
export interface PlacedEvent {
  readonly x: number;
  readonly y: number;
  /** Of what its time stands in. */
  readonly width: number;
  readonly label: { readonly text: string; readonly box: Box };
}

/**
 * A message, or an attempt at one. Heartbeats (`asked`, `unanswered`) and their answers (`answer`) are kinds of their
 * own.
 */
export interface PlacedArrow extends Segment {
  readonly kind: "message" | "lost" | "beyond" | "unsent" | "asked" | "unanswered" | "answer";
  /** Places in `History.events`; one of them is missing where one end is. */
  readonly from: number | undefined;
  readonly to: number | undefined;
}

/** A column. */
export interface PlacedNode extends TracedNode {
  readonly shortName: string;
  readonly x: number;
  /** Its first and last events' heights, and the spans in which it was not there. */
  readonly top: number;
  readonly bottom: number;
  readonly gaps: readonly PlacedGap[];
}

/** A span in which a node was not there. */
export interface PlacedGap {
  readonly top: number;
  readonly bottom: number;
  /** The words at the cross; `undefined` if the node left by itself. */
  readonly cross: "crashed" | "dead" | "ends here" | undefined;
}

/** All of it. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly PlacedNode[];
  readonly rows: readonly { readonly lamport: number; readonly y: number; readonly isAfterJump: boolean }[];
  readonly events: readonly PlacedEvent[];
  readonly arrows: readonly PlacedArrow[];
  readonly partings: readonly PlacedParting[];
  readonly name: (node: string) => string;
}

/** Above the first row: title, legend, names. */
export const HEAD_HEIGHT = 132;
/** Of the bar that has a node's name. */
export const NAME_HEIGHT = 34;
/** Where lines begin that were there before. */
const TOP = HEAD_HEIGHT - 6;
const ROW_HEIGHT = 34;
/** More for a row that does not follow the one before directly. */
const JUMP_HEIGHT = 12;
const JUMP = 20;
const AXIS_WIDTH = 64;
const MARGIN = 28;
const MIN_COLUMN = 150;
const MAX_COLUMN = 290;
/** More looks lost. */
const STRETCHED_COLUMN = 380;
const MAX_LABEL_LETTERS = 34;
const MAX_HEAD_LETTERS = 40;
/** Between the heads of two columns, at least. */
const HEAD_DISTANCE = 12;
/** How far an arrow goes that does not arrive, or comes from nowhere. */
const STUB = 0.42;
const MAX_STUB = 92;

/** Lays out `history`, in `wantedWidth` if that can be filled. */
export function layOut(history: History, wantedWidth = 0): Layout {
  const { events, nodes } = history;
  const name = shortNames(nodes.map(({ name }) => name));
  const shown = new Set(nodes.map(({ name }) => name));
  const labels = events.map((event): Label => {
    const tone = toneOf(event);
    const isBold = tone === "trouble" || tone === "publish";
    return { text: shortened(phraseOf(event, name, (node) => shown.has(node)), MAX_LABEL_LETTERS), isBold };
  });
  const longest = labels.reduce((longest, label) => Math.max(longest, widthOf(label)), 0);
  const widest = Math.max(0, ...nodes.map((node) => headWidthOf(node.label ?? "") + HEAD_DISTANCE));
  const needed = Math.max(widest, Math.min(MAX_COLUMN, Math.max(MIN_COLUMN, longest + 50)));
  const offered = Math.min(STRETCHED_COLUMN, (wantedWidth - AXIS_WIDTH - MARGIN) / Math.max(1, nodes.length));
  const column = 2 * Math.ceil(Math.max(needed, offered) / 2);
  const x = new Map(nodes.map(({ name }, index) => [name, AXIS_WIDTH + MARGIN + column * (index + 0.5)]));
  const rows = rowsOf(history);
  const y = new Map(rows.map(({ lamport, y }) => [lamport, y]));
  const bottom = (rows.at(-1)?.y ?? HEAD_HEIGHT) + ROW_HEIGHT;
  // Room for the words to the right of the last column.
  const width = Math.ceil(
    AXIS_WIDTH + MARGIN + column * (Math.max(1, nodes.length) - 0.5) + Math.max(column / 2, longest + 40),
  );
  const places = events.map(({ node, lamport }) => ({
    x: x.get(node)!,
    y: y.get(lamport)!,
    width: String(lamport).length * 7 + 13,
  }));
  const arrows = arrowsOf(history, places, x, column);
  const boxes = placeLabels(labels, places, arrows, { left: AXIS_WIDTH, right: width - 4 });
  return {
    width,
    height: bottom + NAME_HEIGHT + MARGIN,
    nodes: nodes.map((node) => placedNode(node, history, places, x.get(node.name)!, name, bottom)),
    rows,
    events: places.map((place, index) => ({ ...place, label: boxes[index]! })),
    arrows,
    partings: partingsOf(history, { x, rows, top: TOP, bottom }),
    name,
  };
}

/** Of the bar that has a name. */
export function headWidthOf(text: string): number {
  return Math.max(90, headOf(text).length * 8.2 + 28);
}

/** A name as the bar shows it: one that is much too long makes no picture that is too wide to be seen. */
export function headOf(name: string): string {
  return shortened(name, MAX_HEAD_LETTERS);
}

function rowsOf({ events }: History): { lamport: number; y: number; isAfterJump: boolean }[] {
  let y = HEAD_HEIGHT + ROW_HEIGHT / 2;
  let before: number | undefined;
  return [...new Set(events.map(({ lamport }) => lamport))].map((lamport) => {
    const isAfterJump = before !== undefined && lamport - before > JUMP;
    y += before === undefined ? 0 : ROW_HEIGHT + (isAfterJump ? JUMP_HEIGHT : 0);
    before = lamport;
    return { lamport, y, isAfterJump };
  });
}

function arrowsOf(
  { events, arrows, lost, beyond, unsent, unanswered }: History,
  places: readonly PillPlace[],
  x: ReadonlyMap<string, number>,
  column: number,
): PlacedArrow[] {
  const placed: PlacedArrow[] = [];
  const arrived = new Set<number>();
  const kindOf = (index: number) => unanswered.has(index) ? "unanswered" as const : "asked" as const;
  for (const { from, to } of arrows) {
    arrived.add(from);
    const [a, b] = [places[from]!, places[to]!];
    const side = Math.sign(b.x - a.x);
    const [x1, x2] = [a.x + side * a.width / 2, b.x - side * (b.width / 2 + 3)];
    const { event, id } = events[from]!;
    const kind = event === "heartbeat" ? kindOf(from) : isHeartbeat(id) ? "answer" as const : "message" as const;
    placed.push({ kind, from, to, x1, y1: a.y, x2, y2: b.y });
  }
  const stub = Math.min(MAX_STUB, column * STUB);
  const towards = (index: number) => {
    const { node, peer = "" } = events[index]!;
    // Servers know a client that keeps no trace by its address only.
    return Math.sign((x.get(peer) ?? x.get(node)! + 1) - x.get(node)!) || 1;
  };
  for (const from of lost) placed.push({ kind: "lost", from, to: undefined, ...out(from, 0.5) });
  for (const from of beyond) placed.push({ kind: "beyond", from, to: undefined, ...out(from, 0.5) });
  for (const [index, { event }] of events.entries()) {
    if (event !== "heartbeat" || arrived.has(index)) continue;
    placed.push({ kind: kindOf(index), from: index, to: undefined, ...out(index, 0.25) });
  }
  for (const to of unsent) {
    const { x: x2, y: y2, width } = places[to]!;
    const side = towards(to);
    placed.push({
      kind: "unsent",
      from: undefined,
      to,
      x1: x2 + side * (width / 2 + stub * 0.6),
      y1: y2 - ROW_HEIGHT * 0.4,
      x2: x2 + side * (width / 2 + 3),
      y2,
    });
  }
  return placed;

  function out(index: number, drop: number): Segment {
    const { x: x1, y: y1, width } = places[index]!;
    const side = towards(index);
    return { x1: x1 + side * width / 2, y1, x2: x1 + side * (width / 2 + stub * 0.7), y2: y1 + ROW_HEIGHT * drop };
  }
}

function placedNode(
  node: TracedNode,
  { events, crashes, ends }: History,
  places: readonly { readonly y: number }[],
  x: number,
  name: (node: string) => string,
  bottom: number,
): PlacedNode {
  const own = [...events.keys()].filter((index) => events[index]!.node === node.name);
  const gaps = own.flatMap((index, place): PlacedGap[] => {
    const isCrash = crashes.has(index);
    const next = own[place + 1];
    if (ends.has(index) && next === undefined) return [{ top: places[index]!.y, bottom, cross: "ends here" }];
    if (!isCrash && (events[index]!.event !== "stop" || next === undefined)) return [];
    const end = next === undefined ? bottom : places[next]!.y;
    return [{ top: places[index]!.y, bottom: end, cross: isCrash ? "crashed" as const : undefined }];
  });
  const [first, last] = [own[0], own.at(-1)];
  const end = last === undefined ? TOP : places[last]!.y;
  const isOver = last !== undefined && events[last]!.event === "stop";
  if (node.gone !== undefined && !isOver && !gaps.some((gap) => gap.bottom === bottom)) {
    gaps.push({ top: end, bottom, cross: node.gone === "dead" ? STATE_WORDS.server.dead : undefined });
  }
  return {
    ...node,
    shortName: name(node.name),
    x,
    top: first !== undefined && events[first]!.event === "start" ? places[first]!.y : TOP,
    bottom: isOver ? end : bottom,
    gaps,
  };
}
