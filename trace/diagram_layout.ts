/**
 * Where everything of a space-time diagram goes: a column for each node, a row for each Lamport time, and labels where they cover nothing. Time runs downward, so
 * that every message does. Pure geometry in pixels; `diagram_svg.ts` draws it.
 */

import type { History, TracedNode } from "./history.ts";
import { phraseOf, shortNames, toneOf } from "./phrase.ts";

/** A rectangle. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A line between two points. */
export interface Segment {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
}

/** An event's place, and that of its words. */
export interface PlacedEvent {
  readonly x: number;
  readonly y: number;
  /** Of what its time stands in. */
  readonly width: number;
  readonly label: { readonly text: string; readonly box: Box };
}

/** A message, or the attempt at one. */
export interface PlacedArrow extends Segment {
  readonly kind: "message" | "lost" | "unsent" | "asked" | "unanswered";
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
  readonly gaps: readonly { readonly top: number; readonly bottom: number; readonly isCrash: boolean }[];
}

/** A time in which one server had no link to another. */
export interface PlacedParting extends Box {
  readonly node: string;
  readonly peer: string;
  readonly fromLamport: number;
  readonly toLamport: number | undefined;
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

/** Words beside an event. */
interface Label {
  readonly text: string;
  readonly isBold: boolean;
}

/** Above the first row: title, legend, names. */
export const HEAD_HEIGHT = 132;
/** Of the bar that has a node's name. */
export const NAME_HEIGHT = 34;
export const PILL_HEIGHT = 18;
export const LABEL_HEIGHT = 14;
const ROW_HEIGHT = 34;
/** More for a row that does not follow the one before directly. */
const JUMP_HEIGHT = 12;
const JUMP = 20;
const AXIS_WIDTH = 64;
const MARGIN = 28;
/** Letters are taken to be as wide as in the widest of the usual fonts, as the reader's is not known. */
const NARROW = /[ijlt.,:;|' ()]/;
const WIDE = /[mwMW]/;
const MIN_COLUMN = 150;
const MAX_COLUMN = 290;
const MAX_LABEL_LETTERS = 34;
/** How far an arrow goes that does not arrive, or comes from nowhere. */
const STUB = 0.42;
const MAX_STUB = 92;

/** Lays out `history`. */
export function layOut(history: History): Layout {
  const { events, nodes } = history;
  const name = shortNames(nodes.map(({ name }) => name));
  const labels = events.map((event): Label => {
    const tone = toneOf(event);
    const isBold = tone === "trouble" || tone === "publish";
    return { text: shortened(phraseOf(event, name), MAX_LABEL_LETTERS), isBold };
  });
  const longest = labels.reduce((longest, label) => Math.max(longest, widthOf(label)), 0);
  const column = Math.min(MAX_COLUMN, Math.max(MIN_COLUMN, longest + 50));
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
  const boxes = placeLabels(labels, places, arrows, width);
  return {
    width,
    height: bottom + NAME_HEIGHT + MARGIN,
    nodes: nodes.map((node) => placedNode(node, history, places, x.get(node.name)!, name, bottom)),
    rows,
    events: places.map((place, index) => ({ ...place, label: boxes[index]! })),
    arrows,
    partings: partingsOf(history, places, x, bottom),
    name,
  };
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
  { events, arrows, lost, unsent, unanswered }: History,
  places: readonly { readonly x: number; readonly y: number; readonly width: number }[],
  x: ReadonlyMap<string, number>,
  column: number,
): PlacedArrow[] {
  const placed: PlacedArrow[] = [];
  for (const { from, to } of arrows) {
    const [a, b] = [places[from]!, places[to]!];
    const side = Math.sign(b.x - a.x);
    const [x1, x2] = [a.x + side * a.width / 2, b.x - side * (b.width / 2 + 3)];
    placed.push({ kind: "message", from, to, x1, y1: a.y, x2, y2: b.y });
  }
  const stub = Math.min(MAX_STUB, column * STUB);
  const towards = (index: number) => {
    const { node, peer = "" } = events[index]!;
    // Servers know a client that keeps no trace by its address only.
    return Math.sign((x.get(peer) ?? x.get(node)! + 1) - x.get(node)!) || 1;
  };
  for (const from of lost) placed.push({ kind: "lost", from, to: undefined, ...out(from, 0.5) });
  for (const [index, { event, node }] of events.entries()) {
    if (event !== "heartbeat" || node.includes("#")) continue;
    placed.push({
      kind: unanswered.has(index) ? "unanswered" : "asked",
      from: index,
      to: undefined,
      ...out(index, 0.25),
    });
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

/** Each label goes where it covers least: first no other event, then no other label, then no arrow. */
function placeLabels(
  labels: readonly Label[],
  places: readonly { readonly x: number; readonly y: number; readonly width: number }[],
  arrows: readonly Segment[],
  width: number,
): { text: string; box: Box }[] {
  const taken = new Map<number, Box[]>();
  // Only what is near can be in the way.
  const near = (box: Box) => [-1, 0, 1].flatMap((step) => taken.get(Math.floor(box.y / 64) + step) ?? []);
  const take = (box: Box) => {
    const key = Math.floor(box.y / 64);
    taken.set(key, [...taken.get(key) ?? [], box]);
  };
  for (const { x, y, width } of places) {
    take({ x: x - width / 2 - 2, y: y - PILL_HEIGHT / 2, width: width + 4, height: PILL_HEIGHT });
  }
  const sorted = arrows.toSorted((a, b) => a.y1 - b.y1);
  return labels.map((label, index) => {
    const { x, y, width: pill } = places[index]!;
    const wide = widthOf(label);
    const middle = y - LABEL_HEIGHT / 2;
    const crossing = sorted.filter(({ y1, y2 }) => y1 < y + 30 && y2 > y - 30);
    const at = (x: number, y: number): Box => ({ x, y, width: wide, height: LABEL_HEIGHT });
    const candidates = [
      at(x + pill / 2 + 4, middle),
      at(x - pill / 2 - 4 - wide, middle),
      at(x + 5, y - PILL_HEIGHT / 2 - LABEL_HEIGHT),
      at(x - 5 - wide, y - PILL_HEIGHT / 2 - LABEL_HEIGHT),
      at(x + 5, y + PILL_HEIGHT / 2),
      at(x - 5 - wide, y + PILL_HEIGHT / 2),
    ];
    let best = candidates[0]!;
    let least = Infinity;
    for (const [preference, box] of candidates.entries()) {
      const outside = box.x < AXIS_WIDTH || box.x + box.width > width - 4 ? 1 : 0;
      const covered = near(box).filter((other) => overlaps(box, other)).length;
      const crossed = crossing.filter((arrow) => crosses(arrow, box)).length;
      const cost = outside * 1_000 + covered * 100 + crossed * 10 + preference;
      if (cost < least) [best, least] = [box, cost];
    }
    take(best);
    return { text: label.text, box: best };
  });
}

function placedNode(
  node: TracedNode,
  { events, crashes }: History,
  places: readonly { readonly y: number }[],
  x: number,
  name: (node: string) => string,
  bottom: number,
): PlacedNode {
  const own = [...events.keys()].filter((index) => events[index]!.node === node.name);
  const gaps = own.flatMap((index, place) => {
    const isCrash = crashes.has(index);
    const next = own[place + 1];
    if (!isCrash && (events[index]!.event !== "stop" || next === undefined)) return [];
    return [{ top: places[index]!.y, bottom: next === undefined ? bottom : places[next]!.y, isCrash }];
  });
  const last = own.at(-1)!;
  const isOver = events[last]!.event === "stop";
  return {
    ...node,
    shortName: name(node.name),
    x,
    top: events[own[0]!]!.event === "start" ? places[own[0]!]!.y : HEAD_HEIGHT - 6,
    bottom: isOver ? places[last]!.y : bottom,
    gaps,
  };
}

function partingsOf(
  { events, nodes }: History,
  places: readonly { readonly y: number }[],
  x: ReadonlyMap<string, number>,
  bottom: number,
): PlacedParting[] {
  const partings: PlacedParting[] = [];
  for (const { name: node } of nodes) {
    const open = new Map<string, number>();
    const end = (peer: string, index: number | undefined) => {
      const begin = open.get(peer);
      open.delete(peer);
      if (begin === undefined) return;
      const y = places[begin]!.y;
      const side = Math.sign((x.get(peer) ?? Infinity) - x.get(node)!);
      partings.push({
        node,
        peer,
        x: x.get(node)! + side * 7 - 3,
        y,
        width: 6,
        height: (index === undefined ? bottom : places[index]!.y) - y,
        fromLamport: events[begin]!.lamport,
        toLamport: index === undefined ? undefined : events[index]!.lamport,
      });
    };
    for (const [index, event] of events.entries()) {
      if (event.node !== node) continue;
      const { peer = "" } = event;
      if (event.event === "unlinked" && toneOf(event) === "trouble") open.set(peer, index);
      else if (event.event === "linked") end(peer, index);
      else if (event.event === "stop" || event.event === "start") {
        for (const other of [...open.keys()]) end(other, index);
      }
    }
    for (const other of [...open.keys()]) end(other, undefined);
  }
  return partings;
}

function widthOf({ text, isBold }: Label): number {
  let width = 6;
  for (const letter of text) {
    width += NARROW.test(letter) ? 4 : WIDE.test(letter) ? 10 : /[A-Z\d♥→…]/.test(letter) ? 7.8 : 6.7;
  }
  return isBold ? width * 1.12 : width;
}

function shortened(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1).trimEnd()}…`;
}

function overlaps(a: Box, b: Box): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

/** Whether the line passes through the box: one that does has a piece of it over the box's width within its height. */
function crosses({ x1, y1, x2, y2 }: Segment, { x, y, width, height }: Box): boolean {
  const [left, right] = [Math.max(x, Math.min(x1, x2)), Math.min(x + width, Math.max(x1, x2))];
  if (left > right) return false;
  const at = (place: number) => x1 === x2 ? y1 : y1 + (y2 - y1) * (place - x1) / (x2 - x1);
  const [top, bottom] = [at(left), at(right)].toSorted((a, b) => a - b);
  return top! < y + height && bottom! > y;
}
