/**
 * The space-time diagram as a picture. Forms and words say everything that colours say. The picture has no scripts, ids
 * or style attributes, so that a page can contain it unchanged. Pure.
 */

import { counted } from "../protocol/counted.ts";
import { STATE_WORDS } from "../view/state_words.ts";
import { type Box, LABEL_HEIGHT, PILL_HEIGHT, widthOf } from "./diagram_labels.ts";
import {
  HEAD_HEIGHT,
  headOf,
  headWidthOf,
  type Layout,
  layOut,
  NAME_HEIGHT,
  type PlacedArrow,
} from "./diagram_layout.ts";
import { classes, DIAGRAM_STYLE } from "./diagram_style.ts";
import type { History } from "./history.ts";
import { sentenceOf, type Tone, toneOf } from "./phrase.ts";

/** What a picture is for. */
export interface SvgFacts {
  /** The title above it. */
  readonly title?: string;
  /** What is to be known of the picture, before its times. */
  readonly note?: string;
  /** The sentence if there are no events. */
  readonly nothing?: string;
  /** Whether it takes the width of a page. Otherwise it is a file with its own size. */
  readonly isInPage?: boolean;
}

const GONE = STATE_WORDS.server;
const ESCAPES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
/** Of a file, and of a part of a page, where letters must not become huge. */
const MIN_WIDTH = 1_080;
const MIN_PAGE_WIDTH = 1_180;
const MARGIN = 24;
const LEGEND_Y = 66;

/** `history` as an SVG document. */
export function drawSvg(history: History, facts: SvgFacts = {}): string {
  const { title = "Space-time diagram", isInPage = false } = facts;
  const least = isInPage ? MIN_PAGE_WIDTH : MIN_WIDTH;
  const layout = layOut(history, least);
  const { height, nodes } = layout;
  const width = Math.max(layout.width, least);
  const size = isInPage
    ? `width="100%" preserveAspectRatio="xMidYMin meet" ${classes(breadthOf(width))}`
    : `width="${width}" height="${height}"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" ${size} role="img" aria-label="${
      escaped(title)
    }">`,
    `<style>${DIAGRAM_STYLE}</style>`,
    `<g ${classes("diagram")}>`,
    `<rect ${classes("ground")} width="${width}" height="${height}"/>`,
    `<text ${classes("title")} x="${MARGIN}" y="30">${escaped(title)}</text>`,
    ...(history.events.length === 0
      ? []
      : [`<text ${classes("quiet")} x="${MARGIN}" y="48">${escaped((facts.note ?? "") + summaryOf(history))}</text>`]),
    ...(history.events.length > 0 ? [legend()] : [
      drawNothing(facts.nothing ?? "There are no events.", width, nodes.length > 0 ? LEGEND_Y : height / 2 + 24),
    ]),
    ...(nodes.length === 0 ? [] : [
      ...drawRows(layout, width),
      ...nodes.map((node) => drawLife(node)),
      ...layout.partings.map(({ node, peer, fromLamport, toLamport, ...box }) =>
        titled(
          `${node} has no link to ${peer} from Lamport time ${fromLamport} ${
            toLamport === undefined ? "on" : `to ${toLamport}`
          }`,
          drawParting(box),
        )
      ),
      ...layout.arrows.map((arrow) => drawArrow(arrow, history)),
      ...history.events.map((_, index) => drawEvent(history, layout, index)),
      ...nodes.flatMap(({ gaps, x }) =>
        gaps.map(({ top, cross }) =>
          cross === undefined ? "" : cross === "ends here" ? drawEnd(x, top) : drawCrash(x, top, cross)
        )
      ),
      `<g ${classes("heads")}>`,
      ...nodes.map((node) => drawName(node, HEAD_HEIGHT - NAME_HEIGHT - 12)),
      "</g>",
      ...nodes.map((node) => drawName(node, height - NAME_HEIGHT - 14)),
    ]),
    "</g>",
    "</svg>\n",
  ].join("\n");
}

/** What forms and colours mean. */
export const LEGEND: readonly (readonly [Tone | "missing" | "parting", string])[] = [
  ["publish", "publish"],
  ["broadcast", "broadcast"],
  ["message", "sent, received"],
  ["presence", "comes, goes"],
  ["heartbeat", "heartbeat"],
  ["trouble", "trouble"],
  ["plain", "other"],
  ["missing", "no answer, or lost"],
  ["parting", "no link to a server"],
];

/** A picture wider than a page gets more room, so that people can still read it. */
function breadthOf(width: number): "narrow" | "wide" | "widest" {
  return width < 1.3 * MIN_PAGE_WIDTH ? "narrow" : width < 2 * MIN_PAGE_WIDTH ? "wide" : "widest";
}

function summaryOf({ events, arrows, wallTime }: History): string {
  const [first, last] = events.reduce(([a, b], { at }) => [Math.min(a, at), Math.max(b, at)], [Infinity, -Infinity]);
  return `${counted(events.length, "event")}, ${counted(arrows.length, "message")}, ${wallTime.of(first)} to ${
    `${wallTime.of(last)} ${wallTime.zone}`.trimEnd()
  }; numbers are Lamport times, time runs downward`;
}

function legend(): string {
  let x = MARGIN;
  return LEGEND.map(([what, text]) => {
    const [wide, y] = [what === "missing" ? 34 : what === "parting" ? 6 : 26, LEGEND_Y];
    const mark = what === "missing"
      ? `<path ${classes("arrow", "unanswered")} d="M${x} ${y}h26"/>${drawCross(x + 30, y, 4)}`
      : what === "parting"
      ? drawParting({ x, y: y - 8, width: 6, height: 16 })
      : pill(what, x + 13, y, 20);
    const drawn = `${mark}<text ${classes("quiet")} x="${x + wide + 6}" y="${y + 4}">${text}</text>`;
    x += wide + 6 + Math.ceil(widthOf({ text, isBold: false })) + 14;
    return drawn;
  }).join("");
}

function drawNothing(text: string, width: number, y: number): string {
  return `<text ${classes("quiet", "name")} x="${width / 2}" y="${y}">${escaped(text)}</text>`;
}

function drawRows({ rows }: Layout, width: number): string[] {
  return rows.map(({ lamport, y, isAfterJump }) =>
    `<path ${classes("row")} d="M52 ${y}H${width - 12}"/><text ${classes("quiet")} x="44" y="${
      y + 4
    }" text-anchor="end">${lamport}</text>` +
    (isAfterJump ? `<path ${classes("jump")} d="M16 ${y - 22}H${width - 12}"/>` : "")
  );
}

function drawLife({ x, top, bottom, gaps, isServer }: Layout["nodes"][number]): string {
  const parts: string[] = [];
  const look = classes("life", ...isServer ? ["server"] : []);
  let from = top;
  for (const gap of gaps) {
    parts.push(`<path ${look} d="M${x} ${from}V${gap.top}"/>`);
    parts.push(
      `<path ${classes("away", ...gap.cross === undefined ? [] : ["crash"])} d="M${x} ${gap.top}V${gap.bottom}"/>`,
    );
    from = gap.bottom;
  }
  if (from < bottom) parts.push(`<path ${look} d="M${x} ${from}V${bottom}"/>`);
  return parts.join("");
}

/** The name for people, and the name in labels below it. */
function drawName({ x, shortName, name, label, gone, isServer }: Layout["nodes"][number], y: number): string {
  const width = headWidthOf(label ?? shortName);
  const known = label === undefined ? "" : `, ${label}`;
  return titled(
    `${isServer ? "server" : "client"} ${name}${known}${gone === undefined ? "" : `: ${GONE[gone]}`}`,
    `<rect ${classes("head", ...isServer ? ["server"] : [])} x="${round(x - width / 2)}" y="${y}" width="${
      round(width)
    }" height="${NAME_HEIGHT - 6}" rx="${isServer ? 4 : 14}"/>` +
      (label === undefined
        ? `<text ${classes("name")} x="${x}" y="${y + 19}">${escaped(headOf(shortName))}</text>`
        : `<text ${classes("name")} x="${x}" y="${y + 13}">${escaped(headOf(label))}</text>` +
          `<text ${classes("quiet", "under")} x="${x}" y="${y + 24}">${escaped(headOf(shortName))}</text>`),
  );
}

/** A hatched bar. Drawn line by line, as a pattern would need an id. */
function drawParting({ x, y, width, height }: Box): string {
  const count = Math.max(0, Math.floor(height / width) - 1);
  const d = `M${round(x)} ${round(y + width)}l${width} ${-width}` +
    `m${-width} ${2 * width}l${width} ${-width}`.repeat(count);
  return `<rect ${classes("parting")} x="${round(x)}" y="${round(y)}" width="${width}" height="${round(height)}"/>` +
    (height < width ? "" : `<path ${classes("hatch")} d="${d}"/>`);
}

/** Below the last event before it. */
function drawCrash(x: number, y: number, word: string): string {
  const middle = y + PILL_HEIGHT / 2 + 9;
  return titled(word, drawCross(x, middle, 6)) +
    `<rect ${classes("back")} x="${x + 10}" y="${middle - 8}" width="52" height="${LABEL_HEIGHT}"/>` +
    `<text ${classes("label", "trouble")} x="${x + 12}" y="${middle + 4}">${word}</text>`;
}

/** The trace goes no further. Of the node nothing is known from there on. */
function drawEnd(x: number, y: number): string {
  const middle = y + PILL_HEIGHT / 2 + 9;
  const words = "ends here";
  return titled(
    "its trace ends here, and says neither that the node stopped nor that it crashed",
    `<rect ${classes("back")} x="${x + 6}" y="${middle - 8}" width="60" height="${LABEL_HEIGHT}"/>` +
      `<text ${classes("label", "plain")} x="${x + 8}" y="${middle + 4}">${words}</text>`,
  );
}

function drawArrow(arrow: PlacedArrow, history: History): string {
  const { kind, from, to, x1, y1, x2, y2 } = arrow;
  const { events } = history;
  const [sent, received] = [from, to].map((index) => index === undefined ? undefined : events[index]);
  const look = kind === "message" ? lookOf(arrow, history) : kind === "beyond" ? "unsent" : kind;
  const line = `<path ${classes("arrow", look)} d="M${round(x1)} ${round(y1)}L${round(x2)} ${round(y2)}"/>`;
  if (kind !== "lost" && kind !== "unanswered") return titled(titleOf(), line + tip(arrow, look));
  // If the message reached a node, its cross stands before the end.
  const [cx, cy] = to === undefined ? [x2, y2] : [x2 - Math.sign(x2 - x1) * 6, y2 - 6 * (y2 - y1) / Math.abs(x2 - x1)];
  return titled(titleOf(), line + drawCross(cx, cy, 4));

  function titleOf(): string {
    const said = sentenceOf((sent ?? received)!, history.wallTime);
    if (kind === "lost") return `did not arrive: ${said}`;
    if (kind === "beyond") return `the trace of ${sent!.peer} ends before it can have arrived: ${said}`;
    if (kind === "unsent") return `its sending is not on record: ${said}`;
    if (kind === "unanswered") return `not answered: ${said}`;
    if (sent === undefined || received === undefined) return said;
    const [a, b] = [sent, received].map(({ node, lamport, at }) =>
      `${node} at ${lamport} (${history.wallTime.of(at)})`
    );
    return `${received.id ?? "message"}: ${a} → ${b}`;
  }
}

function lookOf({ from, to }: PlacedArrow, { events, nodes }: History): string {
  const [sender, receiver] = [from, to].map((index) => nodes.find(({ name }) => name === events[index!]!.node)!);
  if (events[to!]!.id?.startsWith("login:")) return "login";
  if (sender!.isServer && receiver!.isServer) return "entries";
  return sender!.isServer ? "delivery" : "publication";
}

function drawCross(x: number, y: number, size: number): string {
  const d = `M${round(x - size)} ${round(y - size)}l${2 * size} ${2 * size}m0 ${-2 * size}l${-2 * size} ${2 * size}`;
  return `<path ${classes("cross")} d="${d}"/>`;
}

function tip({ x1, y1, x2, y2 }: PlacedArrow, look: string): string {
  const length = Math.hypot(x2 - x1, y2 - y1) || 1;
  const [dx, dy] = [(x2 - x1) / length, (y2 - y1) / length];
  const corner = (side: number) => `${round(x2 - 9 * dx + side * 4 * dy)} ${round(y2 - 9 * dy - side * 4 * dx)}`;
  return `<path ${classes("tip", look)} d="M${round(x2)} ${round(y2)}L${corner(1)}L${corner(-1)}Z"/>`;
}

function drawEvent({ events, wallTime }: History, layout: Layout, index: number): string {
  const event = events[index]!;
  const { x, y, width, label: { text, box } } = layout.events[index]!;
  const tone = toneOf(event);
  return titled(
    sentenceOf(event, wallTime),
    pill(tone, x, y, width) + `<text ${classes("time", tone)} x="${x}" y="${y + 4}">${event.lamport}</text>` +
      `<rect ${classes("back")} x="${round(box.x)}" y="${round(box.y)}" width="${
        round(box.width)
      }" height="${box.height}" rx="3"/>` +
      `<text ${classes("label", tone)} x="${round(box.x + 3)}" y="${round(box.y + 11)}">${escaped(text)}</text>`,
  );
}

/** Each kind has its own form: a square publishes, six corners broadcast, eight mean trouble, all else is round. */
function pill(tone: Tone, x: number, y: number, width: number): string {
  const [w, h] = [width / 2, PILL_HEIGHT / 2];
  if (tone === "broadcast") {
    const d = `M${x - w - 3} ${y}l6 ${-h}h${width - 6}l6 ${h}l-6 ${h}h${6 - width}Z`;
    return `<path ${classes("pill", tone)} d="${d}"/>`;
  }
  if (tone === "trouble") {
    const d = `M${x - w} ${y - h + 5}l5 -5h${width - 10}l5 5v${PILL_HEIGHT - 10}l-5 5h${10 - width}l-5 -5Z`;
    return `<path ${classes("pill", tone)} d="${d}"/>`;
  }
  const rx = tone === "publish" ? 2 : h;
  return `<rect ${classes("pill", tone)} x="${x - w}" y="${
    y - h
  }" width="${width}" height="${PILL_HEIGHT}" rx="${rx}"/>`;
}

function titled(title: string, inner: string): string {
  return `<g ${classes("part")}><title>${escaped(title)}</title>${inner}</g>`;
}

/** Text for XML. A character that XML lacks is shown as a mark. */
function escaped(text: string): string {
  return text.replaceAll(/[&<>"]/g, (one) => ESCAPES[one]!).replaceAll(/[\p{Cc}\p{Cs}\ufffe\uffff]/gu, "\ufffd");
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
