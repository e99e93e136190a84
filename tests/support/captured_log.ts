/** What the log says, for tests that run their server in this process. */

import { configure, getConfig, type LogLevel, type LogRecord, reset } from "@logtape/logtape";
import { assertEquals } from "@std/assert";

/** Keeps the lines that are logged while `run` does, at `level` and above, without times. */
export async function loggedLines(run: (lines: string[]) => Promise<void>, level: LogLevel = "info"): Promise<void> {
  assertEquals(getConfig(), null);
  const lines: string[] = [];
  await configure({
    sinks: { list: (record) => lines.push(lineOf(record)) },
    loggers: [{ category: "thrum", sinks: ["list"], lowestLevel: level }, { category: ["logtape", "meta"] }],
  });
  try {
    await run(lines);
  } finally {
    await reset();
  }
}

function lineOf({ message }: LogRecord): string {
  return message.map(String).join("");
}
