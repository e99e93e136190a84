/**
 * The processes and folders that a benchmark makes. Whatever happens, all of them are gone when it ends: also when a
 * scenario fails, and when the person at the keyboard has seen enough.
 */

import { deadline } from "@std/async/deadline";

/** How long a server may take to end by itself. */
const STOP_MS = 3_000;

/** Starts processes, and ends those that are left. */
export class Children implements AsyncDisposable {
  readonly #running = new Set<Deno.ChildProcess>();
  readonly #folders: string[] = [];
  #ending: Promise<void> | undefined;

  /** Whether it is over, so that nothing can be started any more. */
  get haveEnded(): boolean {
    return this.#ending !== undefined;
  }

  /**
   * Starts `command`. Its standard output and error can be read; it has no input.
   * @throws {Error} when all has ended.
   */
  spawn(command: readonly string[], cwd: string): Deno.ChildProcess {
    if (this.haveEnded) throw new Error(`Cannot start "${command[0]}": the benchmark has ended`);
    const [program, ...args] = command;
    const options = { args, cwd, stdin: "null", stdout: "piped", stderr: "piped" } as const;
    const child = new Deno.Command(program!, options).spawn();
    this.#running.add(child);
    child.status.then(() => this.#running.delete(child));
    return child;
  }

  /** A new folder. */
  async folder(): Promise<string> {
    const path = await Deno.makeTempDir({ prefix: "thrum-bench-" });
    this.#folders.push(path);
    return path;
  }

  /** Asks all to end, and makes those that do not; then removes the folders. */
  async stop(): Promise<void> {
    await Promise.all([...this.#running].map(end));
    await Promise.all(this.#folders.splice(0).map((path) => Deno.remove(path, { recursive: true })));
  }

  /** As `stop`, for good. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#ending ??= this.stop();
  }
}

async function end(child: Deno.ChildProcess): Promise<void> {
  signal(child, "SIGTERM");
  try {
    await deadline(child.status, STOP_MS);
  } catch {
    // It did not listen: the only error here is that the time is over.
    signal(child, "SIGKILL");
    await child.status;
  }
}

function signal(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch {
    // It has just ended by itself.
  }
}
