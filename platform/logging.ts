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
export interface LoggingParts {
  /** Records below this are dropped. */
  readonly level: LogLevel;
  readonly format: "text" | "json";
  /** Empty means standard error. */
  readonly file: string;
}

/** A log that was started. It ends when it is disposed of, and all of it is written then. */
export interface Logging extends AsyncDisposable {
  /** Goes on in a new log file of the same name: another program may have moved the former one away. */
  reopen(): void;
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
export async function startLogging(parts: LoggingParts): Promise<Logging> {
  const file = parts.file === "" ? undefined : new LogFile(parts.file, logFormatter(parts.format, "file"));
  const onTerminal = Deno.stderr.isTerminal() && !Deno.noColor;
  const stream = getStreamSink(Deno.stderr.writable, {
    formatter: logFormatter(parts.format, onTerminal ? "terminal" : "pipe"),
    closeStream: false,
    nonBlocking: { bufferSize: STREAM_BUFFER_RECORDS, flushInterval: FLUSH_INTERVAL_MS, onDrop: tellDropped },
  });
  await configure({
    sinks: { stream, main: file?.sink ?? stream },
    loggers: [
      { category: "thrum", lowestLevel: parts.level, sinks: ["main"] },
      // What LogTape itself has to say, such as that the log file cannot be written.
      { category: ["logtape", "meta"], lowestLevel: "warning", sinks: ["stream"] },
    ],
    reset: true,
  });
  return {
    reopen: () => file?.reopen(),
    async [Symbol.asyncDispose]() {
      const cut = new AbortController();
      const written = Promise.all([dispose(), file?.close()]);
      await Promise.race([written, delay(LAST_WORDS_MS, { signal: cut.signal }).catch(() => {/* cut below */})]);
      cut.abort();
    },
  };
}

/** From now on records below `level` are dropped, and no others. */
export function setLogLevel(level: LogLevel): void {
  // LogTape has no call for it: to configure it anew would close where records go. Each logger of ours hands its
  // records on to this one, which drops those that are too low.
  Object.assign(getLogger("thrum"), { lowestLevel: level });
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
 * How a record becomes a line: `[2026-11-30 12:34:56.789] message`, with the level where it is not the usual one. A
 * server runs for days, so a time alone says little.
 */
export function logFormatter(format: "text" | "json", place: "terminal" | "pipe" | "file"): TextFormatter {
  if (format === "json") return jsonLine;
  const options = {
    timestamp: "date-time",
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

/** The log file. It can be opened anew, when another program has moved it away. */
class LogFile {
  readonly sink: Sink = (record) => this.#open(record);
  readonly #path: string;
  readonly #formatter: TextFormatter;
  #open: FileSink;
  /** Files that are written to the end and closed. */
  readonly #closing = new Set<Promise<void>>();

  /** @throws {FileError} when it cannot be opened. */
  constructor(path: string, formatter: TextFormatter) {
    this.#path = path;
    this.#formatter = formatter;
    this.#open = openSink(path, formatter);
  }

  /** Goes on in a new file of the same name. Where that cannot be opened the log stays where it is, and says so. */
  reopen(): void {
    const former = this.#open;
    try {
      this.#open = openSink(this.#path, this.#formatter);
    } catch (error) {
      const why = (error as Error).message;
      getLogger(["thrum", "log"]).warn("{why}; the log goes on in the file that is open", { why });
      return;
    }
    const closed = Promise.resolve(former[Symbol.asyncDispose]());
    this.#closing.add(closed);
    void closed.then(() => this.#closing.delete(closed));
  }

  /** Resolves when all is written. */
  async close(): Promise<void> {
    await Promise.all([this.#open[Symbol.asyncDispose](), ...this.#closing]);
  }
}

type FileSink = Sink & AsyncDisposable;

function openSink(path: string, formatter: TextFormatter): FileSink {
  try {
    return getRotatingFileSink(path, {
      formatter,
      maxSize: 10 * MIB,
      maxFiles: 5,
      nonBlocking: true,
      flushInterval: FLUSH_INTERVAL_MS * 10,
    }) as Sink & Partial<AsyncDisposable> as FileSink;
  } catch (error) {
    throw new FileError(`Cannot open log file ${JSON.stringify(path)}: ${fileReason(error)}`, { cause: error });
  }
}

function tellDropped({ count }: { readonly count: number }): void {
  // Later: a sink takes nothing while it tells what it dropped.
  queueMicrotask(() => getLogger(["thrum", "log"]).warn("{count} log records dropped: nobody reads them", { count }));
}
