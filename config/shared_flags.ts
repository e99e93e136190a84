/**
 * What the command lines of the two programs share: flags that both have, and how a table of flags is written. Pure.
 */

import { type Flag, type FlagValues, UsageError } from "./flags.ts";
import { quoted, type Reader, text, TRACE_LIMIT_MIB, wholeNumber } from "./values.ts";

/** The name of a file, as flags take it. */
export const FILE = text("the name of a file");

/** The flags that explain a program. */
export const HELP = {
  help: toggle({ heading: "Help", short: ["-h"], help: "show this" }),
  version: toggle({ short: ["-V"], help: "show the version" }),
};

/** The flag that forbids questions. */
export const NO_PROMPT = toggle({ help: "ask nothing, also on a terminal" });

/** The flag that names the config file. */
export const CONFIG = flag("FILE", FILE, {
  help: "read the configuration from FILE",
  default: "config.json, if it exists",
  completes: "files",
});

/** The flags of a trace. */
export const TRACE = {
  trace: flag("FILE", FILE, {
    help: "write each event with its logical time to FILE, a JSON object a line",
    completes: "files",
  }),
  "trace-limit": flag("MIB", wholeNumber("mebibytes", TRACE_LIMIT_MIB), {
    help: "begin a new FILE at this size; the former one becomes FILE.1",
    default: "64",
  }),
};

/**
 * What the flags of a trace say.
 * @throws {UsageError} when there is a limit and no file.
 */
export function traceOf(
  { trace, "trace-limit": limit }: FlagValues<typeof TRACE>,
): { trace: string | undefined; traceLimitBytes: number | undefined } {
  if (limit !== undefined && trace === undefined) throw new UsageError("--trace-limit needs --trace FILE");
  return { trace, traceLimitBytes: limit === undefined ? undefined : limit * 1_048_576 };
}

/** A flag with a value. */
export function flag<T>(value: string, reader: Reader<T>, rest: Omit<Flag<T>, "value" | "reader">): Flag<T> {
  return { ...rest, value, reader };
}

/** A flag without a value. */
export function toggle(rest: Omit<Flag<true>, "value" | "reader">): Flag<true> {
  return rest;
}

/**
 * Refuses words that a command does not take.
 * @throws {UsageError} when there are some.
 */
export function refuseWords(words: readonly string[]): void {
  if (words.length > 0) throw new UsageError(`Unexpected argument ${quoted(words[0]!)}`);
}

/** `values` without the undefined ones. */
export function given<T extends object>(values: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Key in keyof T]?: Exclude<T[Key], undefined> };
}
