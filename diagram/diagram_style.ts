/**
 * The look of a space-time diagram. The colours are those of Okabe and Ito, which most colour-blind people can tell
 * apart. The picture is dark if the system is dark; a page with its own switch changes that one media rule. All names
 * begin with `st-`, so that a page and its picture do not disturb each other. Pure.
 */

/** The selector without `st-`, its look, and the differences in the dark. */
type Look = readonly [selector: string, light: string, dark?: string];

const LOOKS: readonly Look[] = [
  [
    ".diagram",
    `font: 11px ui-sans-serif, system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1b1f24`,
    "fill: #e6edf3",
  ],
  // In a page: scroll rather than become too small to read.
  [".narrow", "min-width: 860px"],
  [".wide", "min-width: 1400px"],
  [".widest", "min-width: 2200px"],
  [".ground", "fill: #ffffff", "fill: #0d1117"],
  [".quiet", "fill: #57606a", "fill: #9198a1"],
  [".title", "font-size: 16px; font-weight: 600"],
  [".name", "font-size: 13px; font-weight: 600; text-anchor: middle"],
  [".under", "font-size: 9.5px; text-anchor: middle"],
  [".row", "stroke: #eaeef2; stroke-width: 1", "stroke: #1b212a"],
  [".jump", "stroke: #b8c0c8; stroke-width: 1; stroke-dasharray: 2 4", "stroke: #4a525c"],
  [".head", "fill: #f3f5f7; stroke: #c4ccd4", "fill: #161b22; stroke: #454c55"],
  [".head.server", "fill: #e4eef6; stroke: #0072b2", "fill: #10283a; stroke: #56b4e9"],
  [".life", "stroke: #8c959f; stroke-width: 1.5", "stroke: #6e7681"],
  [".life.server", "stroke: #57606a; stroke-width: 2.5", "stroke: #9198a1"],
  [".away", "stroke: #c4ccd4; stroke-width: 1.5; stroke-dasharray: 2 5", "stroke: #454c55"],
  [".away.crash", "stroke: #d55e00; stroke-width: 2; stroke-dasharray: 3 5", "stroke: #ff8f3d"],
  [".cross", "fill: none; stroke: #d55e00; stroke-width: 2.5; stroke-linecap: round", "stroke: #ff8f3d"],
  [".parting", "fill: #ffffff; stroke: #d55e00; stroke-width: 0.75", "fill: #0d1117; stroke: #ff8f3d"],
  [".hatch", "fill: none; stroke: #d55e00; stroke-width: 1.25", "stroke: #ff8f3d"],
  [".pill", "fill: #ffffff; stroke: #6a737d; stroke-width: 1.25", "fill: #0d1117; stroke: #9198a1"],
  [".pill.publish", "fill: #0072b2; stroke: #0072b2", "fill: #56b4e9; stroke: #56b4e9"],
  [".pill.broadcast", "fill: #e69f00; stroke: #b87d00", "fill: #e69f00; stroke: #ffc94d"],
  [".pill.message", "fill: #dcecf7; stroke: #0072b2", "fill: #12324a; stroke: #56b4e9"],
  [".pill.presence", "fill: #c9ebe0; stroke: #00805f", "fill: #0b3b30; stroke: #2fc49b"],
  [".pill.heartbeat", "fill: #f7e3ee; stroke: #b5588e", "fill: #43263a; stroke: #e3a0c8"],
  [".pill.trouble", "fill: #d55e00; stroke: #d55e00", "fill: #ff8f3d; stroke: #ff8f3d"],
  [".time", "font-size: 11px; font-weight: 600; text-anchor: middle"],
  [".time.publish, .time.trouble", "fill: #ffffff", "fill: #0d1117"],
  [".time.broadcast", "fill: #1b1f24", "fill: #0d1117"],
  [".back", "fill: #ffffff; opacity: 0.82", "fill: #0d1117"],
  [".label.trouble", "fill: #a84a00; font-weight: 600", "fill: #ffb07a"],
  [".label.publish", "font-weight: 600"],
  [".arrow", "fill: none; stroke: #57606a; stroke-width: 1.4", "stroke: #9198a1"],
  [".arrow.publication", "stroke: #0072b2", "stroke: #56b4e9"],
  [".arrow.delivery", "stroke: #c98a00", "stroke: #e69f00"],
  [".arrow.entries", "stroke: #57606a; stroke-width: 2", "stroke: #9198a1"],
  [".arrow.login", "stroke: #00805f", "stroke: #2fc49b"],
  [".arrow.lost, .arrow.unanswered", "stroke: #d55e00; stroke-width: 1.8; stroke-dasharray: 5 3", "stroke: #ff8f3d"],
  [".arrow.unsent", "stroke: #8c959f; stroke-dasharray: 2 3"],
  [".arrow.asked, .arrow.answer", "stroke: #b5588e; stroke-width: 1.1", "stroke: #e3a0c8"],
  [".tip", "fill: #57606a", "fill: #9198a1"],
  [".tip.publication", "fill: #0072b2", "fill: #56b4e9"],
  [".tip.delivery", "fill: #c98a00", "fill: #e69f00"],
  [".tip.login", "fill: #00805f", "fill: #2fc49b"],
  [".tip.asked, .tip.answer", "fill: #b5588e", "fill: #e3a0c8"],
  [".tip.unsent", "fill: #8c959f"],
  [".part:hover > .arrow", "stroke-width: 3.5"],
];

/** The text of the `<style>` that every diagram has, the same for all: who serves pages can allow it by its hash. */
export const DIAGRAM_STYLE: string = styleOf(LOOKS);

/** `class="…"` for these names. */
export function classes(...names: readonly string[]): string {
  return `class="${names.map((name) => `st-${name}`).join(" ")}"`;
}

function styleOf(looks: readonly Look[]): string {
  const rule = (selector: string, look: string) => `${selector.replaceAll(".", ".st-")} { ${look} }`;
  const dark = looks.flatMap(([selector, , look]) => look === undefined ? [] : [rule(selector, look)]);
  return [
    "",
    ...looks.map(([selector, light]) => rule(selector, light)),
    "@media (prefers-color-scheme: dark) {",
    ...dark,
    "}",
    "",
  ].join("\n");
}
