/** Reads traces for `diagram.ts` and `why.ts`. */

import { readTrace } from "../diagram/history.ts";
import type { TraceEvent } from "../trace/trace_event.ts";

/**
 * The events of all `paths`, and of the files that these went on from. `undefined`, and a sentence on standard error,
 * when one cannot be read.
 */
export async function readTraceFiles(paths: readonly string[]): Promise<TraceEvent[] | undefined> {
  const events: TraceEvent[] = [];
  for (const path of new Set(paths.flatMap((path) => path.endsWith(".1") ? [path] : [`${path}.1`, path]))) {
    let text: string;
    try {
      text = await Deno.readTextFile(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound && !paths.includes(path)) continue;
      console.error(`Cannot read "${path}": ${(error as Error).message}`);
      return undefined;
    }
    const read = readTrace(text);
    if (read.unreadable > 0) console.error(`${path}: ${read.unreadable} lines are no events`);
    // One after the other, as there may be more than an argument list holds.
    for (const event of read.events) events.push(event);
  }
  return events;
}
