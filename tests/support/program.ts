/**
 * The two programs as real processes, with pipes or on a terminal of their own. Runs the sources, or the compiled
 * programs that THRUM_SERVER_BIN and THRUM_CLIENT_BIN name.
 */

import { fail } from "@std/assert";
import { shellQuoted } from "../../config/shell_word.ts";
import { LOCKED } from "../../tools/locked.ts";

/** Whether the server is a compiled program: which Deno is in it cannot be told from outside. */
export const SERVER_IS_COMPILED = Deno.env.get("THRUM_SERVER_BIN") !== undefined;

/** How a program is started. */
export interface ProgramParts {
  /** Where it runs; a test that lets it write gives a folder of its own. */
  readonly cwd?: string;
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** What starts it, such as `ip netns exec NAME`: has to become the program, so that signals reach that. */
  readonly through?: readonly string[];
  /** What it may do, as flags of Deno, where it is run from its sources; everything if absent. */
  readonly permissions?: readonly string[];
  /** On a terminal of its own: then all that it writes is `output`, and `type` types. */
  readonly terminal?: boolean;
}

/** Why no test can have a terminal on this machine; `undefined` where it can. */
export const NO_TERMINAL: string | undefined = findTerminal();

/** How long a program may take for anything. Far above what it takes: a busy machine must not fail a test. */
const PATIENCE_MS = 120_000;

/** Starts a server. It asks nothing unless it is on a terminal. */
export function startServer(args: readonly string[], options: ProgramParts = {}): Program {
  return new Program(commandOf("server.ts", "THRUM_SERVER_BIN", options.permissions), args, options);
}

/** Starts a client. */
export function startClient(args: readonly string[], options: ProgramParts = {}): Program {
  return new Program(commandOf("client.ts", "THRUM_CLIENT_BIN", options.permissions), args, options);
}

/** What starts a client, for tests that start it by themselves. */
export function clientCommand(): readonly string[] {
  return commandOf("client.ts", "THRUM_CLIENT_BIN");
}

/** A running program. `await using` ends it. */
export class Program implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<unknown>;
  readonly #exitCode: Promise<number>;
  #output = "";
  #errors = "";
  #hasEnded = false;
  #changed = Promise.withResolvers<void>();

  constructor(
    command: readonly string[],
    args: readonly string[],
    { cwd, env, through = [], terminal = false }: ProgramParts,
  ) {
    const line = [...through, ...command, ...args];
    // A terminal shows colours, wherever the tests themselves run.
    const onTerminal = `unset NO_COLOR; exec ${line.map(shellQuoted).join(" ")}`;
    const [file, ...rest] = terminal ? ["script", "-qefc", onTerminal, "/dev/null"] : line;
    this.#child = new Deno.Command(file!, {
      args: rest,
      ...(cwd === undefined ? {} : { cwd }),
      env: { ...(terminal ? { TERM: "xterm" } : { NO_COLOR: "1" }), ...env },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#reading = Promise.all([
      this.#read(this.#child.stdout, (text) => this.#output += text),
      this.#read(this.#child.stderr, (text) => this.#errors += text),
    ]);
    this.#exitCode = this.#end();
  }

  /** Standard output so far, without colours. */
  get output(): string {
    return plain(this.#output);
  }

  /** Standard output so far, colours included. */
  get rawOutput(): string {
    return this.#output;
  }

  /** Standard error so far, without colours. */
  get errors(): string {
    return plain(this.#errors);
  }

  /** Of the program, or of the terminal around it. */
  get pid(): number {
    return this.#child.pid;
  }

  /** Waits for its end, and gives its exit code: 128 and the signal's number when a signal ended it. */
  async ended(): Promise<number> {
    const code = await withPatience(this.#exitCode);
    return code === "over" ? fail(`It did not end within ${PATIENCE_MS} ms:\n${this.output}${this.errors}`) : code;
  }

  /** Waits until standard output has `pattern`. */
  sees(pattern: RegExp): Promise<RegExpMatchArray> {
    return this.#waitFor(pattern, () => this.output);
  }

  /** Waits until standard error has `pattern`. */
  tells(pattern: RegExp): Promise<RegExpMatchArray> {
    return this.#waitFor(pattern, () => this.errors);
  }

  /** Sends `text` to standard input, or types it at the terminal (`"\x03"` is Ctrl-C). */
  async type(text: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(text));
  }

  /** Ends standard input. */
  async endInput(): Promise<void> {
    await this.#input.close();
  }

  /** Signals the program. Not for one on a terminal: there, type. */
  signal(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#hasEnded) this.#child.kill("SIGKILL");
    // A program that is gone takes no more input, which is no fault of the test.
    await this.#input.close().catch(() => {});
    await this.#exitCode;
  }

  async #waitFor(pattern: RegExp, text: () => string): Promise<RegExpMatchArray> {
    for (;;) {
      const changed = this.#changed.promise;
      const match = text().match(pattern);
      if (match !== null) return match;
      if (this.#hasEnded) fail(`It ended without ${pattern}:\n${this.output}${this.errors}`);
      if (await withPatience(changed) === "over") {
        fail(`Nothing new within ${PATIENCE_MS} ms, and no ${pattern}:\n${this.output}${this.errors}`);
      }
    }
  }

  async #read(stream: ReadableStream<Uint8Array>, take: (text: string) => void): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      take(text);
      this.#change();
    }
  }

  async #end(): Promise<number> {
    const { code } = await this.#child.status;
    await this.#reading;
    this.#hasEnded = true;
    this.#change();
    return code;
  }

  #change(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

/** What `promise` gives, or `"over"` after a time that is too long. */
async function withPatience<T>(promise: Promise<T>): Promise<T | "over"> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const patience = new Promise<"over">((resolve) => timer = setTimeout(() => resolve("over"), PATIENCE_MS));
  try {
    return await Promise.race([promise, patience]);
  } finally {
    clearTimeout(timer);
  }
}

function commandOf(entry: string, variable: string, permissions: readonly string[] = ["-A"]): string[] {
  const compiled = Deno.env.get(variable);
  const root = new URL("../../", import.meta.url).pathname;
  return compiled ? [compiled] : [Deno.execPath(), "run", LOCKED, ...permissions, "--quiet", `${root}${entry}`];
}

function findTerminal(): string | undefined {
  try {
    const { stdout } = new Deno.Command("script", { args: ["--version"] }).outputSync();
    if (new TextDecoder().decode(stdout).includes("util-linux")) return undefined;
  } catch {
    // Not there: the answer below.
  }
  return "no terminal can be had: `script` of util-linux is not installed";
}

function plain(text: string): string {
  // deno-lint-ignore no-control-regex -- the sequences that colour a terminal's text begin with ESC.
  return text.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, "").replaceAll("\r\n", "\n");
}
