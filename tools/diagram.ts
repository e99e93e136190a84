/**
 * `deno task diagram a.jsonl b.jsonl … > diagram.svg`: draws what several nodes put on record with `--trace` as one space-time diagram. Where a trace has gone on in a new
 * file, the one before it (`FILE.1`) is read too.
 */

import { parseArgs } from "@std/cli/parse-args";
import { toJson, toMermaid, toShiviz } from "../trace/diagram_formats.ts";
import { drawSvg } from "../trace/diagram_svg.ts";
import { drawText } from "../trace/diagram_text.ts";
import { type History, historyOf } from "../trace/history.ts";
import { through, type Window } from "../trace/window.ts";
import { readTraceFiles } from "./trace_files.ts";

const HELP = `Draws traces of servers and clients (--trace FILE) as one space-time diagram.

Usage: deno task --quiet diagram FILE... [flags] > diagram.svg

  --format FORMAT   svg (default), text, json, mermaid or shiviz (for bestchai.bitbucket.io/shiviz)
  --from LAMPORT    leave out what has a lower Lamport time
  --to LAMPORT      leave out what has a higher one
  --only USER       what USER, or the node of that name, had to do with
  --around ID       one activity (origin:number, or its sender's message id): where it came from and where it went
  --title TEXT      what stands above it
  --help            this

Exit codes: 0 done, 1 wrong usage, or a file that cannot be read.`;

const FORMATS: Readonly<Record<string, (history: History, title: string | undefined) => string>> = {
  svg: drawSvg,
  text: (history) => drawText(history, columns()),
  json: toJson,
  mermaid: toMermaid,
  shiviz: toShiviz,
};
/** More than one can take in at once. */
const MANY_EVENTS = 600;

async function main(): Promise<number> {
  const unknown: string[] = [];
  const flags = parseArgs(Deno.args, {
    string: ["format", "from", "to", "only", "around", "title", "_"],
    boolean: ["help"],
    // Called for file names too.
    unknown: (argument) => {
      if (argument.startsWith("-")) unknown.push(argument);
    },
  });
  const { format = "svg", only, around, title } = flags as Partial<Record<string, string>>;
  const draw = FORMATS[format];
  const [from, to] = [flags.from, flags.to].map((text) => text === undefined ? undefined : Number(text));
  const isWrong = unknown.length > 0 || draw === undefined || [from, to].some(Number.isNaN) || flags._.length === 0;
  if (flags.help || isWrong) {
    const problem = unknown.length > 0 ? `Cannot understand "${unknown[0]}"\n\n` : "";
    console[flags.help ? "log" : "error"](problem + HELP);
    return flags.help ? 0 : 1;
  }
  const events = await readTraceFiles(flags._.map(String));
  if (events === undefined) return 1;
  const window: Window = {
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(only === undefined ? {} : { only }),
    ...(around === undefined ? {} : { around }),
  };
  const history = through(historyOf(events), window);
  if (history.events.length > MANY_EVENTS) {
    console.error(`${history.events.length} events: --from, --to, --only and --around show less of it`);
  }
  const bytes = new TextEncoder().encode(draw!(history, title));
  for (let written = 0; written < bytes.length;) written += await Deno.stdout.write(bytes.subarray(written));
  return 0;
}

function columns(): number {
  try {
    return Deno.consoleSize().columns;
  } catch {
    // No terminal: a page.
    return 110;
  }
}

if (import.meta.main) Deno.exit(await main());
