/**
 * Where log records go: to standard error as lines for people or as JSON, or to a file that is rotated. Who has
 * something to log calls LogTape's `getLogger(["thrum", …])` and nothing of ours; the two programs call
 * `startLogging` once.
 */

import { getRotatingFileSink } from "@logtape/file";
import {
  configure,
  dispose,
  type FormattedValues,
  getAnsiColorFormatter,
  getJsonLinesFormatter,
  getLogger,
  getStreamSink,
  getTextFormatter,
  type LogLevel,
  type LogRecord,
  type Sink,
  type TextFormatter,
} from "@logtape/logtape";
import { delay } from "@std/async/delay";
import { FileError, fileReason } from "./files/text_file.ts";

/** What is logged, how and where to. */
export interface LoggingOptions {
  /** Records below this are dropped. */
  readonly level: LogLevel;
  readonly format: "text" | "json";
  /** Empty means standard error. */
  readonly file: string;
}

const MIB = 1_048_576;
/**
 * How long a record may wait to be written. Short enough to seem immediate, long enough to make one
 * write of a burst's start.
 */
const FLUSH_INTERVAL_MS = 50;
/**
 * Twice as many wait before the oldest are dropped, and counted: a log that nobody reads must not cost the server
 * its memory, or stop it.
 */
const STREAM_BUFFER_RECORDS = 10_000;
/** How long the end of the program waits for a reader of its log that has stopped reading. */
const LAST_WORDS_MS = 1_000;

/**
 * Configures LogTape for this process. What it gives back is disposed of at the end, and then all is written.
 * @throws {FileError} when the log file cannot be opened.
 */
export async function startLogging(options: LoggingOptions): Promise<AsyncDisposable> {
  const file = options.file === "" ? undefined : fileSink(options.file, logFormatter(options.format, "file"));
  const onTerminal = Deno.stderr.isTerminal() && !Deno.noColor;
  const stream = getStreamSink(Deno.stderr.writable, {
    formatter: logFormatter(options.format, onTerminal ? "terminal" : "pipe"),
    closeStream: false,
    nonBlocking: { bufferSize: STREAM_BUFFER_RECORDS, flushInterval: FLUSH_INTERVAL_MS, onDrop: tellDropped },
  });
  await configure({
    sinks: { stream, main: file ?? stream },
    loggers: [
      { category: "thrum", lowestLevel: options.level, sinks: ["main"] },
      // What LogTape itself has to say, such as that the log file cannot be written.
      { category: ["logtape", "meta"], lowestLevel: "warning", sinks: ["stream"] },
    ],
    reset: true,
  });
  return {
    async [Symbol.asyncDispose]() {
      const cut = new AbortController();
      await Promise.race([dispose(), delay(LAST_WORDS_MS, { signal: cut.signal }).catch(() => {/* cut below */})]);
      cut.abort();
    },
  };
}

const toJson = getJsonLinesFormatter({ message: "template" });
const toMessage = getTextFormatter({ value: "bare", format: ({ message }) => message, lineEnding: "lf" });

/** The message in JSON reads as it does in text: LogTape's own would put quotes around what is filled in. */
function jsonLine(record: LogRecord): string {
  const { message: _, ...rest } = JSON.parse(toJson(record));
  return JSON.stringify({
    "@timestamp": rest["@timestamp"],
    level: rest.level,
    message: toMessage(record).trimEnd(),
    ...rest,
  }) + "\n";
}

/**
 * How a record becomes a line: `[12:34:56.789] message`, with the day in a file, and with the level where it
 * is not the usual one.
 */
export function logFormatter(format: "text" | "json", place: "terminal" | "pipe" | "file"): TextFormatter {
  if (format === "json") return jsonLine;
  const options = {
    timestamp: place === "file" ? "date-time" : "time",
    // The operator's time, not Greenwich's.
    timeZone: null,
    value: "bare",
    // A line each, whatever a client put into its name.
    sanitize: { newlines: "escape" },
    level: "full",
  } as const;
  if (place === "terminal") {
    return getAnsiColorFormatter({
      ...options,
      format: (values) => logLine(values, (time) => `\x1b[2m${time}\x1b[0m`),
    });
  }
  return getTextFormatter({ ...options, format: (values) => logLine(values, String) });
}

function logLine({ timestamp, level, message, record }: FormattedValues, dim: (text: string) => string): string {
  // LogTape's ANSI formatter has styled these two already, within brackets of ours.
  return `${dim("[")}${timestamp}${dim("]")} ${record.level === "info" ? "" : `${level}: `}${message}`;
}

function fileSink(path: string, formatter: TextFormatter): Sink {
  try {
    return getRotatingFileSink(path, {
      formatter,
      maxSize: 10 * MIB,
      maxFiles: 5,
      nonBlocking: true,
      flushInterval: FLUSH_INTERVAL_MS * 10,
    });
  } catch (error) {
    throw new FileError(`Cannot open log file ${JSON.stringify(path)}: ${fileReason(error)}`, { cause: error });
  }
}

function tellDropped({ count }: { readonly count: number }): void {
  // Later: a sink takes nothing while it tells what it dropped.
  queueMicrotask(() => getLogger(["thrum", "log"]).warn("{count} log records dropped: nobody reads them", { count }));
}
