/**
 * The terminal that a program was started on: questions and answers line by line, and colours where they
 * are seen and wanted.
 */

import { FileError, fileReason } from "./files/text_file.ts";

/** Styles for text that people read. Each gives its text back unchanged where colours are not wanted. */
export interface Style {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly red: (text: string) => string;
  /** `colour` is one of xterm's 256. */
  readonly coloured: (text: string, colour: number) => string;
}

/** Where a person reads questions and types answers. */
export interface LineTerminal {
  write(text: string): void;
  /** The next line without its end; `undefined` when there is none any more (Ctrl-D). */
  readLine(): Promise<string | undefined>;
}

/** Whether somebody can be asked: both what is asked and what is answered go through a terminal. */
export function canAsk(): boolean {
  return Deno.stdin.isTerminal() && Deno.stdout.isTerminal();
}

/** Whether this program was started at a terminal, and belongs to it. */
export function hasTerminal(): boolean {
  return Deno.stdin.isTerminal() || Deno.stdout.isTerminal() || Deno.stderr.isTerminal();
}

/** Whether the terminal says of itself that it can do nothing but show text (`TERM=dumb`): no colours, no cursor. */
export function isDumb(): boolean {
  // A program that may not read TERM must not ask for that either.
  if (Deno.permissions.querySync({ name: "env", variable: "TERM" }).state !== "granted") return false;
  return Deno.env.get("TERM") === "dumb";
}

/**
 * Styles for standard output or standard error: none in a pipe, none where NO_COLOR has a value, and none on a terminal
 * that knows no colours.
 */
export function styleFor(stream: "stdout" | "stderr"): Style {
  const plain = !Deno[stream].isTerminal() || Deno.noColor || isDumb();
  const styled = (on: number, off: number) => (text: string) => plain ? text : `\x1b[${on}m${text}\x1b[${off}m`;
  return {
    bold: styled(1, 22),
    dim: styled(2, 22),
    green: styled(32, 39),
    yellow: styled(33, 39),
    red: styled(31, 39),
    coloured: (text, colour) => plain ? text : `\x1b[38;5;${colour}m${text}\x1b[39m`,
  };
}

/**
 * Standard input and output as a `LineTerminal`. Nothing is read ahead of a call, so that who comes later finds
 * standard input as it was.
 */
export const lineTerminal: LineTerminal = {
  write(text) {
    writeAll("stdout", text);
  },
  async readLine() {
    const decoder = new TextDecoder();
    // A terminal hands out a line at a time, or a part of one that is longer than this.
    const buffer = new Uint8Array(4096);
    let line = "";
    for (;;) {
      const size = await Deno.stdin.read(buffer);
      if (size === null) return line === "" ? undefined : line;
      line += decoder.decode(buffer.subarray(0, size), { stream: true });
      if (line.endsWith("\n")) return line.replace(/\r?\n$/, "");
    }
  },
};

/**
 * Writes all of `text` to standard output or standard error before it returns. What nobody reads any more is dropped.
 * @throws {FileError} when standard output cannot take it, as a full disk. Standard error that cannot take it loses it:
 * there is nowhere left to say so.
 */
export function writeAll(stream: "stdout" | "stderr", text: string): void {
  let bytes = new TextEncoder().encode(text);
  try {
    while (bytes.length > 0) bytes = bytes.subarray(Deno[stream].writeSync(bytes));
  } catch (error) {
    // `thrum-server | head -1`: the reader has what it wanted, and that is no reason to stop serving.
    if (error instanceof Deno.errors.BrokenPipe || stream === "stderr") return;
    throw outputError(error);
  }
}

/** That standard output cannot be written, and why. */
export function outputError(error: unknown): FileError {
  return new FileError(`Cannot write standard output: ${fileReason(error)}`, { cause: error });
}
