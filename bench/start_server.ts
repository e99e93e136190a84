/** Starts a server of any product, and waits until it listens. */

import { delay } from "@std/async/delay";
import type { Contender, Family } from "./contenders.ts";
import type { WireName } from "./load/job.ts";
import { LOCKED } from "../tools/locked.ts";

/** A server that listens. */
export interface RunningServer {
  readonly port: number;
  readonly process: Deno.ChildProcess;
  /** Whether it is called by TLS. */
  readonly isTls?: boolean;
  /** What it has written to its output so far, and whether it is still there. */
  state(): string;
}

/** A server with many entries reads its log first. */
const START_MS = 60_000;
const POLL_MS = 5;
/** Characters; enough for an error and where it was. */
const KEPT_OUTPUT = 4_000;

/** This Deno, so that the same one runs all. */
export function denoRun(module: string, ...flags: readonly string[]): string[] {
  return [Deno.execPath(), "run", LOCKED, "-A", ...flags, new URL(module, import.meta.url).pathname];
}

/** A server that takes a free port and says which: thrum, and the bare loop. */
export function announcing(family: Family, name: string, command: (folder: string) => string[]): Contender {
  return {
    family,
    name,
    wire: "lines",
    start: (children, folder) =>
      start(name, children.spawn(command(folder), folder), (said) => {
        const match = /listening on \S*:(\d+)\s/i.exec(said);
        return Promise.resolve(match === null ? undefined : Number(match[1]));
      }),
  };
}

/** A server that is given its port, and is there when it can be connected to. */
export function listening(
  family: Family,
  name: string,
  wire: WireName,
  command: (port: number, folder: string) => string[],
): Contender {
  return {
    family,
    name,
    wire,
    start: (children, folder) => {
      const port = freePort();
      return start(name, children.spawn(command(port, folder), folder), async () => {
        try {
          (await Deno.connect({ hostname: "127.0.0.1", port })).close();
          return port;
        } catch {
          // Not yet.
          return undefined;
        }
      });
    },
  };
}

/** Ends `server`, and waits until it is gone. */
export async function endServer({ process }: RunningServer, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
  process.kill(signal);
  await process.status;
}

/** Waits until `process` has written `text`. */
export async function sayReady(name: string, process: Deno.ChildProcess, text: string): Promise<void> {
  await start(name, process, (said) => Promise.resolve(said.includes(text) ? 0 : undefined));
}

/** Asks `portOf`, which is given what the server has said, again and again until it knows the port. */
async function start(
  name: string,
  process: Deno.ChildProcess,
  portOf: (said: string) => Promise<number | undefined>,
): Promise<RunningServer> {
  let said = "";
  let hasEnded = false;
  process.status.then(() => hasEnded = true);
  for (const stream of [process.stdout, process.stderr]) {
    // All is read, as a server would stop when nobody did; the beginning is kept.
    const sink = new WritableStream<string>({
      write: (text) => {
        if (said.length < KEPT_OUTPUT) said += text;
      },
    });
    stream.pipeThrough(new TextDecoderStream()).pipeTo(sink).catch(() => {/* The process is gone. */});
  }
  const state = () => `the server ${hasEnded ? "has ended" : "is running"} and has said: ${said.trim() || "nothing"}`;

  const startedAt = performance.now();
  while (!hasEnded && performance.now() - startedAt < START_MS) {
    const port = await portOf(said);
    if (port !== undefined) return { port, process, state };
    await delay(POLL_MS);
  }
  throw new Error(`Cannot start ${name} within ${START_MS / 1000} s: ${state()}`);
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
