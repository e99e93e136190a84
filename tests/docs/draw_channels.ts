/**
 * Draws the picture of docs/channels.md from a real server and what three readers of it got:
 * `deno run -A tests/docs/draw_channels.ts`. A test holds that the picture there is this one.
 */

import { connect, serve } from "../../mod.ts";

/** What is published, in this order. */
const PUBLISHED = ["", "lab", "hall", "", "lab/door", "lab", "hall", "lab/door"] as const;
/** Who reads what, and how the picture says it. */
const READERS = [
  { channels: [""], says: "what has no channel" },
  { channels: ["lab/**"], says: "lab, and all below it" },
  { channels: ["**"], says: "everything" },
] as const;

const LEFT = 178;
const CELL = 88;
const LOG_Y = 62;
const CELL_HEIGHT = 44;
const FIRST_ROW_Y = 160;
const ROW = 56;
const WIDTH = LEFT + PUBLISHED.length * CELL + 34;
const HEIGHT = FIRST_ROW_Y + READERS.length * ROW - 10;

/** Colours as in the other pictures (`diagram/diagram_style.ts`): on white, and on dark ground. */
const STYLE = `
.ch { font: 13px ui-sans-serif, system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1b1f24 }
.ch-code { font: 13px ui-monospace, "SF Mono", Menlo, "DejaVu Sans Mono", monospace }
.ch-ground { fill: #ffffff }
.ch-quiet { fill: #57606a; font-size: 12px }
.ch-middle { text-anchor: middle }
.ch-none { fill: #eef1f4; stroke: #8c959f }
.ch-lab { fill: #dcecf7; stroke: #0072b2 }
.ch-hall { fill: #fdf0d5; stroke: #c98a00 }
.ch-way { stroke: #57606a; stroke-width: 1.5; fill: none }
.ch-tip { fill: #57606a }
.ch-passed { fill: #ffffff; stroke: #b8c0c8; stroke-width: 1.5 }
.ch-fall { stroke: #d0d7de; stroke-width: 1; stroke-dasharray: 2 4 }
@media (prefers-color-scheme: dark) {
.ch { fill: #e6edf3 }
.ch-ground { fill: #0d1117 }
.ch-quiet { fill: #9198a1 }
.ch-none { fill: #21262d; stroke: #6e7681 }
.ch-lab { fill: #12324a; stroke: #56b4e9 }
.ch-hall { fill: #3a2c0c; stroke: #e6a23c }
.ch-way { stroke: #9198a1 }
.ch-tip { fill: #9198a1 }
.ch-passed { fill: #0d1117; stroke: #4a525c }
.ch-fall { stroke: #30363d }
}
`;

/** Publishes it all at a real server. Gives the numbers that each reader got, in their order. */
export async function readByAll(): Promise<number[][]> {
  await using server = await serve({ server: { host: "127.0.0.1", port: 0 }, store: { ephemeral: true } });
  const { host, port } = server;
  const clients = await Promise.all(READERS.map(({ channels }) => connect({ host, port, channels })));
  const reading = clients.map(async (client) => {
    const numbers: number[] = [];
    for await (const { id } of client.activities()) numbers.push(Number(id.split(":").at(-1)));
    return numbers;
  });
  await using sender = await connect({ host, port, receive: "none" });
  for (const channel of PUBLISHED) await sender.publish({}, channel === "" ? {} : { channel });
  // A page of the past comes behind all that came before.
  await Promise.all(clients.map((client) => client.history({ limit: 1 })));
  await Promise.all(clients.map((client) => client.close()));
  return await Promise.all(reading);
}

/** The picture of it. */
export function drawChannels(got: readonly (readonly number[])[]): string {
  const width = PUBLISHED.length * CELL;
  const cells = PUBLISHED.flatMap((channel, index) => {
    const x = LEFT + index * CELL;
    const lastY = FIRST_ROW_Y + (READERS.length - 1) * ROW;
    return [
      `<path class="ch-fall" d="M${x + CELL / 2} ${LOG_Y + CELL_HEIGHT}V${lastY}"/>`,
      text(x + CELL / 2, LOG_Y - 9, String(index + 1), "ch-quiet ch-middle"),
      `<rect class="${kind(channel)}" x="${x + 3}" y="${LOG_Y}" width="${CELL - 6}" height="${CELL_HEIGHT}" rx="5"/>`,
      channel === ""
        ? text(x + CELL / 2, LOG_Y + 27, "for all", "ch-quiet ch-middle")
        : text(x + CELL / 2, LOG_Y + 27, channel, "ch-code ch-middle"),
    ];
  });
  const rows = READERS.flatMap(({ channels: [pattern], says }, row) => {
    const y = FIRST_ROW_Y + row * ROW;
    const marks = PUBLISHED.flatMap((channel, index) => {
      const x = LEFT + index * CELL + CELL / 2;
      if (!got[row]!.includes(index + 1)) return [`<circle class="ch-passed" cx="${x}" cy="${y}" r="4.5"/>`];
      return [
        `<circle class="${kind(channel)}" cx="${x}" cy="${y}" r="13"/>`,
        text(x, y + 4.5, String(index + 1), "ch-middle"),
      ];
    });
    return [
      text(16, y - 3, pattern === "" ? '""' : pattern, "ch-code"),
      text(16, y + 14, says, "ch-quiet"),
      `<path class="ch-way" d="M${LEFT} ${y}h${width + 6}"/>`,
      `<path class="ch-tip" d="M${LEFT + width + 18} ${y}l-13 -6v12z"/>`,
      ...marks,
    ];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" ` +
    'class="ch" role="img" aria-label="One log with activities of three channels, and three cursors that filter">',
    `<style>${STYLE}</style>`,
    `<rect class="ch-ground" width="${WIDTH}" height="${HEIGHT}"/>`,
    text(16, 28, "One log, and three cursors that filter", "ch"),
    text(16, LOG_Y + 27, "the log", "ch"),
    ...cells,
    ...rows,
    "</svg>",
    "",
  ].join("\n");
}

function text(x: number, y: number, words: string, classes: string): string {
  return `<text class="${classes}" x="${x}" y="${y}">${words}</text>`;
}

function kind(channel: string): string {
  return channel === "" ? "ch-none" : channel.startsWith("lab") ? "ch-lab" : "ch-hall";
}

if (import.meta.main) {
  Deno.writeTextFileSync(new URL("../../docs/channels.svg", import.meta.url), drawChannels(await readByAll()));
}
