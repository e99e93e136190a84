/**
 * `deno task diagram a.jsonl b.jsonl … > diagram.svg`: draws what several nodes put on record with `--trace` as one
 * space-time diagram. Where a trace has gone on in a new file, the one before it (`FILE.1`) is read too.
 */

import { parseArgs } from "@std/cli/parse-args";
import { toJson, toMermaid, toShiviz } from "../diagram/diagram_formats.ts";
import { drawSvg } from "../diagram/diagram_svg.ts";
import { drawText } from "../diagram/diagram_text.ts";
import { type History, historyOf } from "../diagram/history.ts";
import { completeEntry, completeName, serversIn } from "../diagram/server_ids.ts";
import { isNamed, through, type Window } from "../diagram/window.ts";
import { LOCAL_TIME, readMoment } from "./moment.ts";
import { readTraceFiles } from "./trace_files.ts";

const HELP = `Draws traces of servers and clients (--trace FILE) as one space-time diagram.

Usage: deno task --quiet diagram FILE... [flags] > diagram.svg

  --format FORMAT   svg (default), text, json, mermaid or shiviz (for bestchai.bitbucket.io/shiviz)
  --from MOMENT     leave out what was before: a Lamport time (145), a time of day (14:02:10), or a date and time
                    (2026-11-20T14:02:10; this machine's time zone, or what follows: Z, +01:00)
  --to MOMENT       leave out what was after; a second or a minute is shown to its end
  --only USER       what USER, or the node of that name, had to do with
  --around ID       one activity (origin:number, or its sender's message id): where it came from and where it went
                    Of a server's name its beginning is enough, as the picture shows it (s-2a02, s-2a02:7).
  --title TEXT      what stands above it
  --help            this

Exit codes: 0 done, 1 wrong usage, a file that cannot be read, or no events to be drawn.`;

const FORMATS: Readonly<Record<string, (history: History, title: string | undefined) => string>> = {
  svg: (history, title) => drawSvg(history, title === undefined ? {} : { title }),
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
  const { format = "svg", from: begin, to: end, only, around, title } = flags as Partial<Record<string, string>>;
  const draw = FORMATS[format];
  const isWrong = unknown.length > 0 || draw === undefined || flags._.length === 0;
  if (flags.help || isWrong) {
    const problem = unknown.length > 0 ? `Cannot understand "${unknown[0]}"\n\n` : "";
    console[flags.help ? "log" : "error"](problem + HELP);
    return flags.help ? 0 : 1;
  }
  const events = await readTraceFiles(flags._.map(String));
  if (events === undefined) return 1;
  const times = events.map(({ at }) => at);
  const [from, to] = [begin, end].map((text) => text === undefined ? undefined : readMoment(text, times));
  const servers = serversIn(events);
  // Somebody whose whole name it is comes first.
  const isName = events.some(({ node, peer }) => only !== undefined && (isNamed(node, only) || isNamed(peer, only)));
  const who = only === undefined ? undefined : completeName(only, isName ? [] : servers);
  const what = around === undefined ? undefined : completeEntry(around, servers);
  const problem = [from, to].find((moment) => moment?.kind === "problem") ??
    [who, what].find((completed) => completed?.kind === "ambiguous");
  if (problem !== undefined) {
    console.error(problem.sentence);
    return 1;
  }
  const window: Window = {
    ...(from?.kind === "lamport" ? { from: from.lamport } : {}),
    ...(from?.kind === "wall" ? { fromMs: from.firstMs } : {}),
    ...(to?.kind === "lamport" ? { to: to.lamport } : {}),
    ...(to?.kind === "wall" ? { toMs: to.lastMs } : {}),
    ...(who?.kind === "complete" ? { only: who.text } : {}),
    ...(what?.kind === "complete" ? { around: what.text } : {}),
  };
  const history = through(historyOf(events, LOCAL_TIME), window);
  if (history.events.length === 0) {
    console.error(nothingOf(events.length, window, begin ?? end));
    return 1;
  }
  if (history.events.length > MANY_EVENTS) {
    console.error(`${history.events.length} events: --from, --to, --only and --around show less of it`);
  }
  const bytes = new TextEncoder().encode(draw!(history, title));
  for (let written = 0; written < bytes.length;) written += await Deno.stdout.write(bytes.subarray(written));
  return 0;
}

/** Why there is nothing to be drawn. */
function nothingOf(count: number, { only, around }: Window, moment: string | undefined): string {
  if (count === 0) return "There are no events in these traces.";
  const about = [only, around].filter((one) => one !== undefined).join(" and ");
  const span = moment === undefined ? "" : " within that time";
  return `Nothing in these traces${about === "" ? " is" : ` is about ${about}`}${span}.`;
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
