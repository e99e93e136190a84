/**
 * `deno task why --user NAME | --id ACTIVITY a.jsonl b.jsonl …`: answers from traces why a connection was closed, or
 * where an activity went. With `--server` it asks a server that runs.
 */

import { parseArgs } from "@std/cli/parse-args";
import type { Told } from "../diagram/answer.ts";
import { historyOf } from "../diagram/history.ts";
import { whereWent } from "../diagram/where_went.ts";
import { whyClosed } from "../diagram/why.ts";
import { whereIsLive, whyClosedLive } from "../diagram/why_live.ts";
import { LOCAL_TIME } from "./moment.ts";
import { askServer } from "./network_view.ts";
import { readTraceFiles } from "./trace_files.ts";

const HELP = `Answers questions from traces of servers and clients (--trace FILE), or from a server that runs.

Usage: deno task --quiet why --user NAME FILE...    why connections of NAME were closed, with their heartbeats
       deno task --quiet why --id ID FILE...        where an activity or a direct message (origin:number, or its
                                                    sender's message id) went, when each client got it, or why one
                                                    did not
       deno task --quiet why --user NAME --server http://127.0.0.1:8080
                                                    the same of connections that ended lately, and how NAME is
                                                    connected now
       deno task --quiet why --id ID --server http://127.0.0.1:8080
                                                    which servers have it now, and which do not yet

A server answers where it was started with --http. If it wants its token, that is taken from THRUM_HTTP_TOKEN.

Of the origin its beginning is enough, as diagrams show it (s-2a02:7).

Exit codes: 0 done, 1 wrong usage, a file or a server that cannot be read, or nothing known of NAME or ID.`;

async function main(): Promise<number> {
  const unknown: string[] = [];
  const flags = parseArgs(Deno.args, {
    string: ["user", "id", "server", "_"],
    boolean: ["help"],
    // Called for file names too.
    unknown: (argument) => {
      if (argument.startsWith("-")) unknown.push(argument);
    },
  });
  const { user, id, server } = flags as Partial<Record<string, string>>;
  const hasOneSource = (server === undefined) !== (flags._.length === 0);
  if (flags.help || unknown.length > 0 || (user === undefined) === (id === undefined) || !hasOneSource) {
    const problem = unknown.length > 0 ? `Cannot understand "${unknown[0]}"\n\n` : "";
    console[flags.help ? "log" : "error"](problem + HELP);
    return flags.help ? 0 : 1;
  }
  const answer = server === undefined
    ? await fromTraces(flags._.map(String), user, id!)
    : await fromServer(server, user, id!);
  if (answer === undefined) return 1;
  console[answer.isFound ? "log" : "error"](answer.text.trimEnd());
  return answer.isFound ? 0 : 1;
}

async function fromTraces(paths: readonly string[], user: string | undefined, id: string): Promise<Told | undefined> {
  const events = await readTraceFiles(paths);
  if (events === undefined) return undefined;
  const history = historyOf(events, LOCAL_TIME);
  return user === undefined ? whereWent(history, id) : whyClosed(history, user);
}

async function fromServer(server: string, user: string | undefined, id: string): Promise<Told | undefined> {
  const network = await askServer(server, Deno.env.get("THRUM_HTTP_TOKEN") || undefined);
  if (typeof network === "string") {
    console.error(network);
    return undefined;
  }
  return user === undefined ? whereIsLive(network, id, LOCAL_TIME) : whyClosedLive(network, user, LOCAL_TIME);
}

if (import.meta.main) Deno.exit(await main());
