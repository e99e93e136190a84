/**
 * Brings files to the disk in a thread of its own. A file that it was asked for once stays open until the end: closing
 * a file that SQLite uses would end SQLite's lock on it, and node:fs opens and closes files for each asynchronous call.
 */

import type { Worker } from "node:worker_threads";

/** One thread. Nothing is started before it is asked for something. */
export class DiskWorker {
  readonly #waiting = new Map<number, { done(): void; failed(error: unknown): void }>();
  #worker: Promise<Worker> | undefined;
  readonly #program: string;
  #asked = 0;
  #isClosed = false;
  /** Why the thread has ended. */
  #fault: { readonly error: unknown } | undefined;

  /** `program` is what the thread runs. */
  constructor(program = PROGRAM) {
    this.#program = program;
  }

  /** Brings what is written to the file at `path` to the disk. Rejects when that fails, or the thread has ended. */
  async sync(path: string): Promise<void> {
    const worker = await (this.#worker ??= this.#start());
    if (this.#fault !== undefined) throw this.#fault.error;
    const id = ++this.#asked;
    await new Promise<void>((done, failed) => {
      this.#waiting.set(id, { done, failed });
      worker.postMessage({ id, path });
    });
  }

  /** Ends the thread, and resolves when it has ended. Calls that wait are never answered. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const worker = await this.#worker;
    // Deno 2.5 never answers that a thread is ended which has died.
    if (this.#fault === undefined) await worker?.terminate();
  }

  async #start(): Promise<Worker> {
    const { Worker } = await import("node:worker_threads");
    // The text of the program is here, so that a compiled program needs no second entry.
    const worker = new Worker(this.#program, { eval: true });
    worker.unref();
    worker.on("message", ({ id, error }: Answer) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) waiting?.done();
      else waiting?.failed(Object.assign(new Error(error.message), { code: error.code }));
    });
    worker.on("error", (error: unknown) => this.#ended(error));
    worker.on("exit", () => this.#ended(new Error("The thread that brings files to the disk has ended")));
    return worker;
  }

  #ended(error: unknown): void {
    // A thread that has died while nobody waited would let the next call wait for ever.
    this.#fault ??= { error };
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    if (!this.#isClosed) { for (const { failed } of all) failed(error); }
  }
}

interface Answer {
  readonly id: number;
  readonly error?: { readonly message: string; readonly code?: string };
}

const PROGRAM = `
const { parentPort } = require("node:worker_threads");
const { fdatasyncSync, openSync } = require("node:fs");
const open = new Map();
parentPort.on("message", ({ id, path }) => {
  try {
    if (!open.has(path)) open.set(path, openSync(path, "r+"));
    fdatasyncSync(open.get(path));
    parentPort.postMessage({ id });
  } catch (error) {
    parentPort.postMessage({ id, error: { message: String(error.message), code: error.code } });
  }
});
`;
