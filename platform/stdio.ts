/**
 * Standard input, output and error as the commands of the client use them: data for pipes, words for people, and a
 * keyboard read key by key. Commands are handed one of these, so that they know neither Deno nor the terminal.
 */

import { FileError, fileReason } from "./files/text_file.ts";
import {
  canAsk,
  isDumb,
  type LineTerminal,
  lineTerminal,
  outputError,
  type Style,
  styleFor,
  writeAll,
} from "./terminal.ts";

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
  /** Rows of the terminal at this moment. */
  rows?(): number;
  /** Whether the terminal can do nothing but show text (`TERM=dumb`). */
  readonly isDumb?: boolean;
  /** Absent where a program cannot be stopped and go on (Windows). */
  readonly suspension?: Suspension;
}

/** Stopping at a terminal, as Ctrl-Z does it, and going on. */
export interface Suspension {
  /**
   * Stops the program and what it was started by, until somebody continues them. `false` where nobody could: then
   * nothing happened.
   */
  stop(): boolean;
  /** Calls `continued` when the program goes on, with the keyboard as it was; until it is disposed of. */
  onContinued(continued: () => void): Disposable;
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
  openKeyboard,
  onResize(changed) {
    // Windows does not tell; there the next key finds the new width.
    if (Deno.build.os === "windows") return { [Symbol.dispose]() {} };
    return onSignal("SIGWINCH", changed);
  },
  rows() {
    try {
      return Deno.consoleSize().rows;
    } catch {
      return 24;
    }
  },
  isDumb: isDumb(),
  ...(Deno.build.os === "windows" ? {} : { suspension: { stop, onContinued } }),
};

async function readInput(buffer: Uint8Array): Promise<number | null> {
  try {
    return await Deno.stdin.read(buffer);
  } catch (error) {
    throw new FileError(`Cannot read standard input: ${fileReason(error)}`, { cause: error });
  }
}

/** How many keyboards are open. A continued program finds its terminal as the shell had it. */
let openKeyboards = 0;

function openKeyboard(maxBytes = 4096): Keyboard {
  takeKeys();
  openKeyboards++;
  // Also where the terminal makes no signal of Ctrl-C: one from elsewhere must not end the program with its keyboard.
  let interrupt = Promise.withResolvers<Uint8Array>();
  const interrupts = onSignal("SIGINT", () => interrupt.resolve(INTERRUPT));
  const continued = Deno.build.os === "windows" ? undefined : onContinued(() => {});
  const buffer = new Uint8Array(maxBytes);
  // A read cannot be given up: one that an interrupt overtook is that of the next call.
  let reading: Promise<Uint8Array | undefined> | undefined;
  let isOpen = true;
  return {
    async read() {
      reading ??= readKeys(buffer);
      const keys = await Promise.race([reading, interrupt.promise]);
      if (keys === INTERRUPT) interrupt = Promise.withResolvers();
      else reading = undefined;
      return keys;
    },
    [Symbol.dispose]() {
      if (!isOpen) return;
      isOpen = false;
      interrupts[Symbol.dispose]();
      continued?.[Symbol.dispose]();
      openKeyboards--;
      Deno.stdin.setRaw(false);
    },
  };
}

async function readKeys(buffer: Uint8Array): Promise<Uint8Array | undefined> {
  try {
    const size = await Deno.stdin.read(buffer);
    return size === null ? undefined : buffer.slice(0, size);
  } catch {
    // The terminal is gone.
    return undefined;
  }
}

/**
 * Keys come one by one, without an echo. Ctrl-Z has to stop this program and all that started it (`deno task`, `npx`),
 * which catch that signal and go on. A program that may start others may stop those. One that may not leaves Ctrl-Z,
 * and with it Ctrl-C, to the terminal.
 */
function takeKeys(): void {
  Deno.stdin.setRaw(true, { cbreak: isSignalled() });
}

/** Whether the terminal makes signals of Ctrl-C and Ctrl-Z. */
function isSignalled(): boolean {
  return Deno.build.os !== "windows" && Deno.permissions.querySync({ name: "run" }).state !== "granted";
}

/** What Ctrl-C is as a key. */
const INTERRUPT = new Uint8Array([3]);
function stop(): boolean {
  if (isSignalled() || isOrphan()) return false;
  Deno.stdin.setRaw(false);
  // 0: also what started this program. SIGSTOP: that one nobody catches.
  Deno.kill(0, "SIGSTOP");
  return true;
}

/**
 * Whether there is no shell that could let this program go on: it was started by whoever made the terminal. The kernel
 * knows that too, and then ignores Ctrl-Z; but SIGSTOP it obeys.
 */
function isOrphan(): boolean {
  if (Deno.build.os !== "linux") return false;
  try {
    const self = processOf("self");
    let parent = processOf(self.parent);
    while (parent.group === self.group) parent = processOf(parent.parent);
    return parent.session !== self.session;
  } catch {
    return true;
  }
}

function processOf(pid: string): { readonly parent: string; readonly group: string; readonly session: string } {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  // Behind the name, which may have anything in it.
  const [, parent = "", group = "", session = ""] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return { parent, group, session };
}

function onContinued(continued: () => void): Disposable {
  return onSignal("SIGCONT", () => {
    if (openKeyboards > 0) takeKeys();
    continued();
  });
}

function onSignal(signal: Deno.Signal, listener: () => void): Disposable {
  Deno.addSignalListener(signal, listener);
  return { [Symbol.dispose]: () => Deno.removeSignalListener(signal, listener) };
}
