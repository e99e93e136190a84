/**
 * The space-time diagram as a picture. Colours are those of Okabe and Ito, which people see apart who do not see all colours, and nothing is said by colour alone:
 * forms and words say it too. In dark surroundings the picture is dark. Pure.
 */

import {
  HEAD_HEIGHT,
  LABEL_HEIGHT,
  type Layout,
  layOut,
  NAME_HEIGHT,
  PILL_HEIGHT,
  type PlacedArrow,
} from "./diagram_layout.ts";
import type { History } from "./history.ts";
import { sentenceOf, timeOf, type Tone, toneOf } from "./phrase.ts";
import type { TraceEvent } from "./trace_event.ts";

const STYLE = `
text { font: 11px ui-sans-serif, system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1b1f24 }
.ground { fill: #ffffff }
.quiet { fill: #6a737d }
.title { font-size: 16px; font-weight: 600 }
.name { font-size: 13px; font-weight: 600 }
.row { stroke: #eaeef2; stroke-width: 1 }
.jump { stroke: #b8c0c8; stroke-width: 1; stroke-dasharray: 2 4 }
.head { fill: #f3f5f7; stroke: #c4ccd4 }
.head.server { fill: #e4eef6; stroke: #0072b2 }
.life { stroke: #8c959f; stroke-width: 1.5 }
.life.server { stroke: #57606a; stroke-width: 2.5 }
.away { stroke: #c4ccd4; stroke-width: 1.5; stroke-dasharray: 2 5 }
.away.crash { stroke: #d55e00; stroke-width: 2; stroke-dasharray: 3 5 }
.cross { stroke: #d55e00; stroke-width: 2.5; stroke-linecap: round }
.parting { fill: url(#parted); stroke: #d55e00; stroke-width: 0.75 }
.hatch { stroke: #d55e00; stroke-width: 1.5 }
.pill { fill: #ffffff; stroke: #6a737d; stroke-width: 1.25 }
.pill.publish { fill: #0072b2; stroke: #0072b2 }
.pill.broadcast { fill: #e69f00; stroke: #b87d00 }
.pill.message { fill: #dcecf7; stroke: #0072b2 }
.pill.presence { fill: #c9ebe0; stroke: #00805f }
.pill.heartbeat { fill: #f7e3ee; stroke: #b5588e }
.pill.trouble { fill: #d55e00; stroke: #d55e00 }
.time { font-size: 11px; font-weight: 600; text-anchor: middle }
.publish.time, .trouble.time { fill: #ffffff }
.back { fill: #ffffff; opacity: 0.82 }
.label.trouble { fill: #a84a00; font-weight: 600 }
.label.publish { font-weight: 600 }
.arrow { fill: none; stroke: #57606a; stroke-width: 1.4 }
.arrow.publication { stroke: #0072b2 }
.arrow.delivery { stroke: #c98a00 }
.arrow.entries { stroke: #57606a; stroke-width: 2 }
.arrow.login { stroke: #00805f }
.arrow.lost, .arrow.unanswered { stroke: #d55e00; stroke-dasharray: 4 3 }
.arrow.unsent { stroke: #8c959f; stroke-dasharray: 2 3 }
.arrow.asked { stroke: #b5588e; stroke-dasharray: 4 3 }
.tip { fill: #57606a } .tip.publication { fill: #0072b2 } .tip.delivery { fill: #c98a00 } .tip.login { fill: #00805f }
.tip.asked { fill: #b5588e } .tip.unsent { fill: #8c959f }
g:hover > .arrow { stroke-width: 3.5 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .ground { fill: #0d1117 } .quiet { fill: #9198a1 } .row { stroke: #1b212a } .jump { stroke: #4a525c }
.head { fill: #161b22; stroke: #454c55 } .head.server { fill: #10283a; stroke: #56b4e9 } .life { stroke: #6e7681 }
.life.server { stroke: #9198a1 } .away { stroke: #454c55 } .away.crash, .cross, .hatch { stroke: #ff8f3d }
.parting { stroke: #ff8f3d } .pill { fill: #0d1117; stroke: #9198a1 } .pill.publish { fill: #56b4e9; stroke: #56b4e9 }
.pill.broadcast { fill: #e69f00; stroke: #ffc94d } .pill.message { fill: #12324a; stroke: #56b4e9 }
.pill.presence { fill: #0b3b30; stroke: #2fc49b } .pill.heartbeat { fill: #43263a; stroke: #e3a0c8 }
.pill.trouble { fill: #ff8f3d; stroke: #ff8f3d } .publish.time, .trouble.time, .broadcast.time { fill: #0d1117 }
.back { fill: #0d1117 } .label.trouble { fill: #ffb07a } .arrow, .arrow.entries { stroke: #9198a1 }
.arrow.publication { stroke: #56b4e9 } .arrow.delivery { stroke: #e69f00 } .arrow.login { stroke: #2fc49b }
.arrow.lost, .arrow.unanswered { stroke: #ff8f3d } .arrow.asked { stroke: #e3a0c8 } .tip { fill: #9198a1 }
.tip.publication { fill: #56b4e9 } .tip.delivery { fill: #e69f00 } .tip.login { fill: #2fc49b } .tip.asked { fill: #e3a0c8 }
}`;

const ESCAPES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** `history` as an SVG document. */
export function drawSvg(history: History, title = "Space-time diagram"): string {
  const layout = layOut(history);
  const { width: drawn, height, nodes } = layout;
  const width = Math.max(drawn, LEGEND_WIDTH);
  const { events } = history;
  const span = events.length === 0
    ? "no events"
    : `${events.length} events, ${history.arrows.length} messages, ${
      timeOf(Math.min(...events.map(({ at }) => at)))
    } to ${timeOf(Math.max(...events.map(({ at }) => at)))} UTC; numbers are Lamport times, time runs downward`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${
      escaped(title)
    }">`,
    `<style>${STYLE}</style>`,
    `<defs><pattern id="parted" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path class="hatch" d="M0 0V5"/></pattern></defs>`,
    `<rect class="ground" width="${width}" height="${height}"/>`,
    `<text class="title" x="24" y="30">${escaped(title)}</text>`,
    `<text class="quiet" x="24" y="48">${escaped(span)}</text>`,
    legend(),
    ...drawRows(layout),
    ...nodes.map((node) => drawLife(node)),
    ...layout.partings.map(({ x, y, width, height, node, peer, fromLamport, toLamport }) =>
      titled(
        `${node} has no link to ${peer} from Lamport time ${fromLamport} ${
          toLamport === undefined ? "on" : `to ${toLamport}`
        }`,
        `<rect class="parting" x="${round(x)}" y="${round(y)}" width="${width}" height="${round(height)}"/>`,
      )
    ),
    ...layout.arrows.map((arrow) => drawArrow(arrow, events, isServerIn(history))),
    ...events.map((event, index) => drawEvent(event, layout, index)),
    ...nodes.flatMap(({ gaps, x }) => gaps.filter(({ isCrash }) => isCrash).map(({ top }) => drawCrash(x, top))),
    ...[HEAD_HEIGHT - NAME_HEIGHT - 12, height - NAME_HEIGHT - 14].flatMap((y) =>
      nodes.map((node) => drawName(node, y))
    ),
    "</svg>\n",
  ].join("\n");
}

/** What forms and colours mean. */
const LEGEND: readonly (readonly [Tone, string])[] = [
  ["publish", "publish"],
  ["broadcast", "broadcast"],
  ["message", "sent, received"],
  ["presence", "comes, goes"],
  ["heartbeat", "heartbeat"],
  ["trouble", "trouble"],
  ["plain", "other"],
];
const LEGEND_STEP = 116;
const LEGEND_WIDTH = 24 + LEGEND.length * LEGEND_STEP + 130;

function legend(): string {
  const parts = LEGEND.map(([tone, text], index) => {
    const x = 36 + index * LEGEND_STEP;
    return `${pill(tone, x, 66, 20)}<text class="quiet" x="${x + 16}" y="70">${text}</text>`;
  });
  const x = 26 + LEGEND.length * LEGEND_STEP;
  return `${parts.join("")}<rect class="parting" x="${x}" y="58" width="6" height="16"/><text class="quiet" x="${
    x + 12
  }" y="70">no link to a server</text>`;
}

function drawRows({ rows, width }: Layout): string[] {
  return rows.map(({ lamport, y, isAfterJump }) =>
    `<path class="row" d="M52 ${y}H${width - 12}"/><text class="quiet" x="44" y="${
      y + 4
    }" text-anchor="end">${lamport}</text>` +
    (isAfterJump ? `<path class="jump" d="M16 ${y - 22}H${width - 12}"/>` : "")
  );
}

function drawLife({ x, top, bottom, gaps, isServer }: Layout["nodes"][number]): string {
  const parts: string[] = [];
  let from = top;
  for (const gap of gaps) {
    parts.push(`<path class="life${isServer ? " server" : ""}" d="M${x} ${from}V${gap.top}"/>`);
    parts.push(`<path class="away${gap.isCrash ? " crash" : ""}" d="M${x} ${gap.top}V${gap.bottom}"/>`);
    from = gap.bottom;
  }
  if (from < bottom) parts.push(`<path class="life${isServer ? " server" : ""}" d="M${x} ${from}V${bottom}"/>`);
  return parts.join("");
}

function drawName({ x, shortName, name, isServer }: Layout["nodes"][number], y: number): string {
  const width = Math.max(90, shortName.length * 8.2 + 28);
  return titled(
    `${isServer ? "server" : "client"} ${name}`,
    `<rect class="head${isServer ? " server" : ""}" x="${round(x - width / 2)}" y="${y}" width="${
      round(width)
    }" height="${NAME_HEIGHT - 6}" rx="${isServer ? 4 : 14}"/>` +
      `<text class="name" x="${x}" y="${y + 19}" text-anchor="middle">${escaped(shortName)}</text>`,
  );
}

/** Below the last event before it. */
function drawCrash(x: number, y: number): string {
  const middle = y + PILL_HEIGHT / 2 + 9;
  return titled("crashed", `<path class="cross" d="M${x - 6} ${middle - 6}l12 12m0 -12l-12 12"/>`) +
    `<rect class="back" x="${x + 10}" y="${middle - 8}" width="52" height="${LABEL_HEIGHT}"/>` +
    `<text class="label trouble" x="${x + 12}" y="${middle + 4}">crashed</text>`;
}

function drawArrow(
  arrow: PlacedArrow,
  events: readonly TraceEvent[],
  isServer: (node: string) => boolean,
): string {
  const { kind, from, to, x1, y1, x2, y2 } = arrow;
  const [sent, received] = [from, to].map((index) => index === undefined ? undefined : events[index]);
  const look = kind !== "message" ? kind : lookOf(sent!, received!, isServer);
  const line = `<path class="arrow ${look}" d="M${round(x1)} ${round(y1)}L${round(x2)} ${round(y2)}"/>`;
  const end = kind === "lost" || kind === "unanswered"
    ? `<path class="cross" d="M${round(x2 - 4)} ${round(y2 - 4)}l8 8m0 -8l-8 8"/>`
    : tip(arrow, look);
  return titled(titleOf(arrow, sent, received), line + end);
}

function titleOf({ kind }: PlacedArrow, sent: TraceEvent | undefined, received: TraceEvent | undefined): string {
  if (sent !== undefined && received !== undefined) {
    return `${received.id ?? "message"}: ${sent.node} at ${sent.lamport} → ${received.node} at ${received.lamport}`;
  }
  const one = sentenceOf((sent ?? received)!);
  return kind === "lost"
    ? `did not arrive: ${one}`
    : kind === "unsent"
    ? `its sending is not on record: ${one}`
    : kind === "unanswered"
    ? `not answered: ${one}`
    : one;
}

function lookOf(sent: TraceEvent, received: TraceEvent, isServer: (node: string) => boolean): string {
  if (received.id?.startsWith("login:")) return "login";
  if (isServer(sent.node) && isServer(received.node)) return "entries";
  return isServer(sent.node) ? "delivery" : "publication";
}

function tip({ x1, y1, x2, y2 }: PlacedArrow, look: string): string {
  const length = Math.hypot(x2 - x1, y2 - y1) || 1;
  const [dx, dy] = [(x2 - x1) / length, (y2 - y1) / length];
  const corner = (side: number) => `${round(x2 - 9 * dx + side * 4 * dy)} ${round(y2 - 9 * dy - side * 4 * dx)}`;
  return `<path class="tip ${look}" d="M${round(x2)} ${round(y2)}L${corner(1)}L${corner(-1)}Z"/>`;
}

function drawEvent(event: TraceEvent, { events }: Layout, index: number): string {
  const { x, y, width, label: { text, box } } = events[index]!;
  const tone = toneOf(event);
  return titled(
    sentenceOf(event),
    pill(tone, x, y, width) + `<text class="time ${tone}" x="${x}" y="${y + 4}">${event.lamport}</text>` +
      `<rect class="back" x="${round(box.x)}" y="${round(box.y)}" width="${
        round(box.width)
      }" height="${box.height}" rx="3"/>` +
      `<text class="label ${tone}" x="${round(box.x + 3)}" y="${round(box.y + 11)}">${escaped(text)}</text>`,
  );
}

/** Each kind has its own form: a square publishes, six corners broadcast, eight mean trouble, all else is round. */
function pill(tone: Tone, x: number, y: number, width: number): string {
  const [w, h] = [width / 2, PILL_HEIGHT / 2];
  if (tone === "broadcast") {
    const d = `M${x - w - 3} ${y}l6 ${-h}h${width - 6}l6 ${h}l-6 ${h}h${6 - width}Z`;
    return `<path class="pill broadcast" d="${d}"/>`;
  }
  if (tone === "trouble") {
    const d = `M${x - w} ${y - h + 5}l5 -5h${width - 10}l5 5v${PILL_HEIGHT - 10}l-5 5h${10 - width}l-5 -5Z`;
    return `<path class="pill trouble" d="${d}"/>`;
  }
  const rx = tone === "publish" ? 2 : h;
  return `<rect class="pill ${tone}" x="${x - w}" y="${y - h}" width="${width}" height="${PILL_HEIGHT}" rx="${rx}"/>`;
}

function isServerIn({ nodes }: History): (node: string) => boolean {
  const servers = new Set(nodes.filter(({ isServer }) => isServer).map(({ name }) => name));
  return (node) => servers.has(node);
}

function titled(title: string, inner: string): string {
  return `<g><title>${escaped(title)}</title>${inner}</g>`;
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"]/g, (one) => ESCAPES[one]!).replaceAll(/[\p{Cc}\ufffe\uffff]/gu, "\ufffd");
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
