/** `deno task why --user NAME | --id ACTIVITY a.jsonl b.jsonl …`: answers from traces why a connection was closed, or where an activity went. */

import { parseArgs } from "@std/cli/parse-args";
import { historyOf } from "../trace/history.ts";
import { whereWent, whyClosed } from "../trace/why.ts";
import { readTraceFiles } from "./trace_files.ts";

const HELP = `Answers questions from traces of servers and clients (--trace FILE).

Usage: deno task --quiet why --user NAME FILE...    why connections of NAME were closed, with their heartbeats
       deno task --quiet why --id ID FILE...        where an activity (origin:number, or its sender's message id)
                                                    went, when each client got it, or why one did not

Exit codes: 0 done, 1 wrong usage, or a file that cannot be read.`;

async function main(): Promise<number> {
  const unknown: string[] = [];
  const flags = parseArgs(Deno.args, {
    string: ["user", "id", "_"],
    boolean: ["help"],
    // Called for file names too.
    unknown: (argument) => {
      if (argument.startsWith("-")) unknown.push(argument);
    },
  });
  const { user, id } = flags as Partial<Record<string, string>>;
  if (flags.help || unknown.length > 0 || (user === undefined) === (id === undefined) || flags._.length === 0) {
    const problem = unknown.length > 0 ? `Cannot understand "${unknown[0]}"\n\n` : "";
    console[flags.help ? "log" : "error"](problem + HELP);
    return flags.help ? 0 : 1;
  }
  const events = await readTraceFiles(flags._.map(String));
  if (events === undefined) return 1;
  const history = historyOf(events);
  console.log((user === undefined ? whereWent(history, id!) : whyClosed(history, user)).trimEnd());
  return 0;
}

if (import.meta.main) Deno.exit(await main());
