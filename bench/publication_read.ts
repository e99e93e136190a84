/**
 * `deno run -A bench/publication_read.ts`: what it costs to read one publication, where it stands
 * (`protocol/publication/plain_publication.ts`) and as a line (`protocol/client_codec.ts`), and to write its broadcast.
 * One core, no sockets: for choosing, not for comparing with others. Each figure is the least of many rounds.
 */

import { isUtf8 } from "../platform/node_buffer.ts";
import { broadcastRoom, BroadcastWriter } from "../protocol/publication/broadcast_bytes.ts";
import { parseClientLine } from "../protocol/client_codec.ts";
import { PublicationReader } from "../protocol/publication/plain_publication.ts";

const CHUNK_BYTES = 65_536;
const ROUNDS = 20;
const RUNS = 20;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const reader = new PublicationReader();
const writer = new BroadcastWriter();
const text = "we measure what a person would see, again and again, ";
/** So that nothing is left out by the compiler. */
let sink: unknown;

/** Nanoseconds for each of `count`. */
function time(count: number, run: () => void): number {
  let least = Infinity;
  for (let round = 0; round < ROUNDS * 2; round++) {
    const startedAt = performance.now();
    for (let n = 0; n < RUNS; n++) run();
    // The first rounds are for the compiler.
    if (round >= ROUNDS) least = Math.min(least, performance.now() - startedAt);
  }
  return least / RUNS / count * 1_000_000;
}

function measure(what: string, activity: unknown, fields: object = { username: "anonymous", secret: null }): void {
  const line = `${JSON.stringify({ command: "ACTIVITY_MESSAGE", ...fields, activity })}\n`;
  const count = Math.max(1, Math.floor(CHUNK_BYTES / line.length));
  const chunk = encoder.encode(line.repeat(count));
  const asLines = time(count, () => {
    for (const one of decoder.decode(chunk.subarray(0, -1)).split("\n")) sink = parseClientLine(one);
  });
  const inPlace = time(count, () => {
    sink = isUtf8(chunk);
    for (let at = 0; at < chunk.length; at = reader.end + 1) {
      if (!reader.read(chunk, at)) throw new Error(`${what} is not plain`);
    }
  });
  const numbers = { origin: "s-86aaeef57584", sequence: 123_456, lamport: 234_567, sentAt: 1_795_268_126_199 };
  const broadcast = { ...numbers, quotedUsername: '"anonymous"', messageId: undefined };
  reader.read(chunk, 0);
  const raw = { ...broadcast, activity: { bytes: chunk, from: reader.activityFrom, to: reader.activityTo } };
  const into = new Uint8Array(count * broadcastRoom(raw));
  const written = time(count, () => {
    let at = 0;
    for (let n = 0; n < count; n++) at = writer.write(into, at, raw);
    sink = at;
  });
  const figures = [line.length, asLines, inPlace, written].map((figure) => figure.toFixed(0).padStart(9));
  console.log(`${what.padEnd(24)}${figures.join("")}`);
}

console.log(
  `${"".padEnd(24)}${["bytes", "as line", "in place", "written"].map((head) => head.padStart(9)).join("")}  (ns)`,
);
measure("200 bytes", { at: "~0000000000", text: text.repeat(4).slice(0, 165) });
measure("as our library", { text: text.repeat(3) }, { messageId: "abcdefghijklmnop-123", lamport: 4_711 });
measure("a short word", { text: "hello there" });
measure("Danish", { text: "æøå på en båd ".repeat(12) });
measure("escapes", { text: 'he said "yes" and\n'.repeat(10) });
for (const bytes of [1_000, 2_000, 4_000, 16_000, 60_000]) {
  measure(`a text of ${bytes}`, { text: text.repeat(1_200).slice(0, bytes) });
}
for (const count of [5, 100, 800]) {
  measure(`${count} objects`, {
    list: Array.from({ length: count }, (_, x) => ({ x, y: x * 0.5, name: "n", ok: true })),
  });
}
if (sink === null) console.log(sink);
