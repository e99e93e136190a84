/**
 * Standard input, output and error as the commands of the client use them: data for pipes, words for people, and a
 * keyboard read key by key. Commands are handed one of these, so that they know neither Deno nor the terminal.
 */

import { FileError, fileReason } from "./files/text_file.ts";
import { canAsk, type LineTerminal, lineTerminal, outputError, type Style, styleFor, writeAll } from "./terminal.ts";

/** What a command talks through. */
export interface Stdio {
  /** Whether somebody can be asked. */
  readonly canAsk: boolean;
  /** Questions and answers, line by line. */
  readonly terminal: LineTerminal;
  /** How standard output is styled. */
  readonly out: Style;
  /** How standard error is styled. */
  readonly err: Style;
  /** Columns of the terminal at this moment. */
  columns(): number;
  /**
   * Writes to standard output, and resolves when all of it has left this process: whoever waits for that writes no
   * faster than is read. `false` when nobody reads any more. Rejects with a `FileError` when it cannot be written, as
   * on a full disk.
   */
  write(text: string): Promise<boolean>;
  /** Writes to standard error. */
  tell(text: string): void;
  /** Standard input, as it comes. Throws a `FileError` when it cannot be read, as a folder. */
  input(): AsyncIterable<Uint8Array>;
  /**
   * Reads the keyboard key by key, without an echo, until it is disposed of. No more than `maxBytes` are taken at a
   * time, so that what is typed for whoever reads next stays there.
   */
  openKeyboard(maxBytes?: number): Keyboard;
  /** Calls `changed` when the terminal has another size, until it is disposed of. */
  onResize(changed: () => void): Disposable;
}

/** A keyboard that is read key by key. */
export interface Keyboard extends Disposable {
  /** The bytes of the next keys; `undefined` when there will be none any more. */
  read(): Promise<Uint8Array | undefined>;
}

const encoder = new TextEncoder();

/** The process's own. */
export const stdio: Stdio = {
  canAsk: canAsk(),
  terminal: lineTerminal,
  out: styleFor("stdout"),
  err: styleFor("stderr"),
  columns() {
    try {
      return Deno.consoleSize().columns;
    } catch {
      // No terminal after all: then the width does not matter.
      return 80;
    }
  },
  async write(text) {
    let bytes = encoder.encode(text);
    try {
      while (bytes.length > 0) bytes = bytes.subarray(await Deno.stdout.write(bytes));
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.BrokenPipe) return false;
      throw outputError(error);
    }
  },
  tell(text) {
    writeAll("stderr", text);
  },
  async *input() {
    const buffer = new Uint8Array(65_536);
    for (;;) {
      const size = await readInput(buffer);
      if (size === null) return;
      yield buffer.slice(0, size);
    }
  },
  openKeyboard(maxBytes = 4096) {
    Deno.stdin.setRaw(true);
    const buffer = new Uint8Array(maxBytes);
    return {
      async read() {
        const size = await Deno.stdin.read(buffer);
        return size === null ? undefined : buffer.slice(0, size);
      },
      [Symbol.dispose]() {
        Deno.stdin.setRaw(false);
      },
    };
  },
  onResize(changed) {
    // Windows does not tell; there the next key finds the new width.
    if (Deno.build.os === "windows") return { [Symbol.dispose]() {} };
    Deno.addSignalListener("SIGWINCH", changed);
    return { [Symbol.dispose]: () => Deno.removeSignalListener("SIGWINCH", changed) };
  },
};

async function readInput(buffer: Uint8Array): Promise<number | null> {
  try {
    return await Deno.stdin.read(buffer);
  } catch (error) {
    throw new FileError(`Cannot read standard input: ${fileReason(error)}`, { cause: error });
  }
}
