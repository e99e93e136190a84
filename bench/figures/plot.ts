/**
 * Pictures of figures: data in, SVG text out. A picture has one x axis and a panel for each y axis, one below the
 * other. It is drawn for light and dark, by what the reader's browser prefers. Pure.
 */

import type { Figures, Measured } from "../part.ts";
import { median } from "./statistics.ts";

/** What was measured at `x`: the median, and the lowest and the highest. */
export interface Point {
  readonly x: number;
  readonly y: number;
  readonly low: number;
  readonly high: number;
}

/** One line of a panel. */
export interface Line {
  readonly name: string;
  /** By ascending `x`. */
  readonly points: readonly Point[];
}

/** What an axis says, and whether its steps are powers. */
export interface Axis {
  readonly label: string;
  readonly isLog: boolean;
}

/** A whole picture. */
export interface Plot {
  readonly title: string;
  readonly x: Axis;
  readonly panels: readonly { readonly y: Axis; readonly lines: readonly Line[] }[];
}

const WIDTH = 760;
const LEFT = 70;
const RIGHT = 20;
const PANEL_HEIGHT = 230;
const PANEL_GAP = 52;
const TITLE_HEIGHT = 34;
const LEGEND_ROW = 22;
const LEGEND_COLUMN = 225;
const BOTTOM = 46;
/** A line with more points shows no marks. */
const MOST_MARKS = 40;
const LINEAR_TICKS = 5;
const COLOURS = 6;

const STYLE = `
text { font: 12px ui-sans-serif, system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1b1f24 }
.title { font-size: 15px; font-weight: 600 }
.quiet { fill: #57606a }
.ground { fill: #ffffff }
.grid { stroke: #e3e7eb; stroke-width: 1 }
.axis { stroke: #8c959f; stroke-width: 1 }
.line { fill: none; stroke-width: 2; stroke-linejoin: round }
.spread { stroke-width: 1.2; opacity: 0.55 }
.c0 { --c: #0072b2 } .c1 { --c: #009e73 } .c2 { --c: #c24e00 } .c3 { --c: #a8337e } .c4 { --c: #6e6e6e } .c5 { --c: #8a6d00 }
.line, .spread { stroke: var(--c) }
.mark { fill: var(--c); stroke: none }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .quiet { fill: #9da7b1 }
  .ground { fill: #0d1117 }
  .grid { stroke: #262c34 }
  .axis { stroke: #6e7681 }
  .c0 { --c: #58b4f0 } .c1 { --c: #3fcf9f } .c2 { --c: #ff9350 } .c3 { --c: #f09bd0 } .c4 { --c: #b5bcc4 } .c5 { --c: #e0bf3a }
}
`;

/**
 * A line for each server of `measured`, with a point for each load: what `read` finds in the rounds. `xOf` says where
 * the load stands.
 */
export function linesOf(
  measured: readonly Measured[],
  read: (figures: Figures) => number | undefined,
  xOf: (row: Measured) => number = ({ at }) => at,
): Line[] {
  return [...new Set(measured.map(({ name }) => name))].map((name) => ({
    name,
    points: measured.filter((row) => row.name === name).flatMap((row) => {
      const values = row.rounds.flatMap((figures) => (figures === null ? undefined : read(figures)) ?? []);
      if (values.length === 0) return [];
      return [{ x: xOf(row), y: median(values), low: Math.min(...values), high: Math.max(...values) }];
    }).sort((a, b) => a.x - b.x),
  }));
}

/** The picture as the text of an SVG file. */
export function plot({ title, x, panels }: Plot): string {
  const names = [...new Set(panels.flatMap(({ lines }) => lines.map(({ name }) => name)))];
  const legendRows = names.length > 1 ? Math.ceil(names.length / legendColumns()) : 0;
  const top = TITLE_HEIGHT + legendRows * LEGEND_ROW + 24;
  const height = top + panels.length * PANEL_HEIGHT + (panels.length - 1) * PANEL_GAP + BOTTOM;
  const xScale = scaleOf(panels.flatMap(({ lines }) => lines.flatMap(pointsX)), x.isLog, LEFT, WIDTH - RIGHT);
  const body = panels.map(({ y, lines }, index) => {
    const from = top + index * (PANEL_HEIGHT + PANEL_GAP);
    return panel(lines, names, xScale, x, y, from, index === panels.length - 1);
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" ` +
    `role="img" aria-label="${escaped(title)}">`,
    `<style>${STYLE}</style>`,
    `<rect class="ground" width="${WIDTH}" height="${height}" rx="6"/>`,
    text(LEFT - 50, 24, title, 'class="title"'),
    ...(names.length > 1 ? legend(names) : []),
    ...body,
    "</svg>\n",
  ].join("\n");
}

/** Where a value stands on an axis, and which values have a label. */
interface Scale {
  readonly ticks: readonly number[];
  at(value: number): number;
}

/** A scale over `values`, which runs from `from` to `to` in the picture. */
export function scaleOf(values: readonly number[], isLog: boolean, from: number, to: number): Scale {
  const known = values.filter((value) => Number.isFinite(value) && (!isLog || value > 0));
  const [least, most] = known.length === 0 ? [1, 10] : [Math.min(...known), Math.max(...known)];
  const ticks = isLog ? powers(least, most) : evenSteps(Math.min(0, least), most);
  const [low, high] = isLog ? [Math.min(least, ticks[0]!), Math.max(most, ticks.at(-1)!)] : [ticks[0]!, ticks.at(-1)!];
  const of = isLog ? Math.log : (value: number) => value;
  const span = of(high) - of(low) || 1;
  return { ticks, at: (value) => from + (of(value) - of(low)) / span * (to - from) };
}

/** 1, 2, 5, 10 … around the values; over many powers only the powers themselves. */
function powers(least: number, most: number): number[] {
  const [first, last] = [Math.floor(Math.log10(least)), Math.ceil(Math.log10(most))];
  const steps = last - first > 3 ? [1] : [1, 2, 5];
  const all = Array.from({ length: last - first + 1 }, (_, index) => first + index)
    .flatMap((power) => steps.map((step) => step * 10 ** power));
  const before = all.findLast((tick) => tick <= least) ?? all[0]!;
  const after = all.find((tick) => tick >= most) ?? all.at(-1)!;
  return all.filter((tick) => tick >= before && tick <= after);
}

/** Round steps from at most `least` to at least `most`. */
function evenSteps(least: number, most: number): number[] {
  const rough = (most - least || 1) / LINEAR_TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough)!;
  const first = Math.floor(least / step);
  const count = Math.max(1, Math.ceil(most / step - first - 1e-9));
  return Array.from({ length: count + 1 }, (_, index) => (first + index) * step);
}

function panel(
  lines: readonly Line[],
  names: readonly string[],
  xScale: Scale,
  x: Axis,
  y: Axis,
  top: number,
  isLast: boolean,
): string {
  const bottom = top + PANEL_HEIGHT;
  const yScale = scaleOf(lines.flatMap(pointsY), y.isLog, bottom, top);
  const grid = yScale.ticks.map((tick) => {
    const at = yScale.at(tick).toFixed(1);
    return `<path class="grid" d="M${LEFT} ${at}H${WIDTH - RIGHT}"/>` +
      text(LEFT - 8, Number(at) + 4, tickText(tick), 'class="quiet" text-anchor="end"');
  });
  const below = xScale.ticks.map((tick) => {
    const at = xScale.at(tick).toFixed(1);
    return `<path class="grid" d="M${at} ${top}V${bottom}"/>` +
      text(Number(at), bottom + 17, tickText(tick), 'class="quiet" text-anchor="middle"');
  });
  return [
    text(LEFT - 50, top - 10, y.label, ""),
    ...grid,
    ...below,
    `<path class="axis" d="M${LEFT} ${bottom}H${WIDTH - RIGHT}"/>`,
    ...lines.map((line) => drawn(line, names.indexOf(line.name), xScale, yScale, y.isLog)),
    ...(isLast ? [text(WIDTH - RIGHT, bottom + 36, x.label, 'text-anchor="end"')] : []),
  ].join("\n");
}

function drawn({ points }: Line, index: number, xScale: Scale, yScale: Scale, isLog: boolean): string {
  const shown = points.filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y) && (!isLog || y > 0));
  const at = (x: number, y: number) => `${xScale.at(x).toFixed(1)} ${yScale.at(y).toFixed(1)}`;
  const path = shown.map(({ x, y }, step) => `${step === 0 ? "M" : "L"}${at(x, y)}`).join("");
  const spreads = shown
    .filter(({ low, high }) => high > low && (!isLog || low > 0))
    .map(({ x, low, high }) => `<path class="spread" d="M${at(x, low)}L${at(x, high)}"/>`);
  const marks = shown.length > MOST_MARKS ? [] : shown.map(({ x, y }) => mark(index, xScale.at(x), yScale.at(y)));
  return `<g class="c${index % COLOURS}"><path class="line" d="${path}"/>${spreads.join("")}${marks.join("")}</g>`;
}

/** Of another form for each line, for those to whom the colours look alike. */
function mark(index: number, x: number, y: number): string {
  const [at, by] = [x.toFixed(1), y.toFixed(1)];
  switch (index % 4) {
    case 0:
      return `<circle class="mark" cx="${at}" cy="${by}" r="3.8"/>`;
    case 1:
      return `<rect class="mark" x="${(x - 3.5).toFixed(1)}" y="${(y - 3.5).toFixed(1)}" width="7" height="7"/>`;
    case 2:
      return `<path class="mark" d="M${at} ${(y - 4.6).toFixed(1)}l4.6 8h-9.2z"/>`;
    default:
      return `<path class="mark" d="M${at} ${(y - 5).toFixed(1)}l5 5l-5 5l-5 -5z"/>`;
  }
}

function legend(names: readonly string[]): string[] {
  return names.map((name, index) => {
    const x = LEFT - 50 + index % legendColumns() * LEGEND_COLUMN;
    const y = TITLE_HEIGHT + 12 + Math.floor(index / legendColumns()) * LEGEND_ROW;
    return `<g class="c${index % COLOURS}"><path class="line" d="M${x} ${y}h24"/>${mark(index, x + 12, y)}</g>` +
      text(x + 32, y + 4, name, "");
  });
}

function legendColumns(): number {
  return Math.floor((WIDTH - 2 * RIGHT) / LEGEND_COLUMN);
}

function pointsX({ points }: Line): number[] {
  return points.map(({ x }) => x);
}

function pointsY({ points }: Line): number[] {
  return points.flatMap(({ y, low, high }) => [y, low, high]);
}

/** 0.5, 20, 300, 10 k, 2 M. */
function tickText(value: number): string {
  const [unit, name] = value >= 1e6 ? [1e6, " M"] : value >= 1e4 ? [1e3, " k"] : [1, ""];
  return Number((value / unit).toPrecision(6)) + name;
}

function text(x: number, y: number, content: string, attributes: string): string {
  return `<text x="${x}" y="${y}"${attributes === "" ? "" : ` ${attributes}`}>${escaped(content)}</text>`;
}

function escaped(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
